"""From what a file says to checked SpikeTrains."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import SpikeTrains
from ..errors import MyoloopWarning, ParameterError, UnknownNameError
from ._files import refuse
from ._json import pack, unpack
from ._limits import Limits

Where = Callable[[int], str]


def assemble(
    path: str | os.PathLike[str],
    owners: NDArray[np.int64],
    times_s: NDArray[np.float64],
    *,
    n_units: int,
    limits: Limits,
    t_start_s: float = 0.0,
    t_stop_s: float | None = None,
    where: Where | None = None,
    annotations: Mapping[str, NDArray[Any]] | None = None,
    name: str = "",
) -> SpikeTrains:
    """Spike trains from the unit and time of each spike, in the order of the file.

    Each unit's spikes must ascend; nothing is sorted behind the caller's back. `where` says where in
    the file a spike stands. Without `t_stop_s` the last spike ends the observation.
    """
    where = where or (lambda position: f"unit {owners[position]}")
    _within(path, len(times_s), n_units, limits)
    _finite_and_late_enough(path, times_s, t_start_s, where)
    order = np.argsort(owners, kind="stable")
    grouped, times = owners[order], times_s[order]
    wrong = (np.diff(times) < 0) & (np.diff(grouped) == 0)
    if np.any(wrong):
        at = int(np.argmax(wrong))
        refuse(
            path,
            f"{where(int(order[at + 1]))}: {times[at + 1]:g} s follows {times[at]:g} s of the same unit",
            "sort each unit's spike times",
        )
    starts = np.searchsorted(grouped, np.arange(n_units + 1)).astype(np.int64)
    stop = _stop(path, times, t_start_s, t_stop_s)
    try:
        return SpikeTrains(times, starts, stop, t_start_s, annotations or {}, name)
    except ParameterError as error:
        refuse(path, str(error), "mend the file")


def _within(path: str | os.PathLike[str], n_spikes: int, n_units: int, limits: Limits) -> None:
    for what, given, most in (("spikes", n_spikes, limits.spikes), ("units", n_units, limits.units)):
        if given > most:
            refuse(path, f"{given} {what}, at most {most} are read", f"raise Limits.{what} if that is right")


def _finite_and_late_enough(
    path: str | os.PathLike[str], times: NDArray[np.float64], t_start_s: float, where: Where
) -> None:
    bad = ~np.isfinite(times)
    if np.any(bad):
        at = int(np.argmax(bad))
        refuse(path, f"{where(at)}: the spike time is {times[at]:g}", "leave such spikes out")
    early = times < t_start_s
    if np.any(early):
        at = int(np.argmax(early))
        what = "a negative spike time" if t_start_s == 0 else f"a spike before the start at {t_start_s:g} s"
        refuse(path, f"{where(at)}: {what}, {times[at]:g} s", "count time from the start of the recording")


def _stop(
    path: str | os.PathLike[str], times: NDArray[np.float64], t_start_s: float, t_stop_s: float | None
) -> float:
    last = float(times.max()) if len(times) else t_start_s
    if t_stop_s is None:
        if last <= t_start_s:
            raise ParameterError(
                "read_spikes.t_stop_s",
                f"{os.fspath(path)} has no spike after {t_start_s:g} s and does not say when it ends",
                "give t_stop_s",
            )
        return last
    if not (np.isfinite(t_stop_s) and t_stop_s > t_start_s and t_stop_s >= last):
        raise ParameterError(
            "read_spikes.t_stop_s",
            f"{t_stop_s:g} s for spikes between {t_start_s:g} and {last:g} s in {os.fspath(path)}",
            "give a time that is not before the last spike",
        )
    return float(t_stop_s)


def check_indices(
    path: str | os.PathLike[str], indices: NDArray[np.int64], n_units: int, limits: Limits
) -> None:
    """Refuse unit indices that repeat or lie outside the pool."""
    _within(path, 0, n_units, limits)
    if len(indices) and (indices.min() < 0 or indices.max() >= n_units):
        refuse(
            path,
            f"unit indices {indices.min()} to {indices.max()} for a pool of {n_units} units",
            "number the units from 0, or give a larger n_units",
        )
    unique, counts = np.unique(indices, return_counts=True)
    if np.any(counts > 1):
        refuse(path, f"unit {unique[np.argmax(counts > 1)]} is there twice", "give each unit one train")


def spread(values: NDArray[Any], indices: NDArray[np.int64], n_units: int, key: str) -> NDArray[Any] | None:
    """Values of some units in an array for all; None (with a warning) where there is no "unknown"."""
    if len(indices) == n_units:
        full = np.empty_like(values)
    elif values.dtype.kind == "f":
        full = np.full((n_units, *values.shape[1:]), np.nan, dtype=values.dtype)
    else:
        warnings.warn(
            f"the annotation {key!r} is known of {len(indices)} of {n_units} units only and is left out",
            MyoloopWarning,
            stacklevel=2,
        )
        return None
    full[indices] = values
    return full


def about_pool(name: str, trains: SpikeTrains) -> dict[str, Any]:
    """All of spike trains but the spikes, for JSON."""
    return {
        "population": name,
        "name": trains.name,
        "n_units": len(trains),
        "t_start_s": trains.t_start_s,
        "t_stop_s": trains.t_stop_s,
        "annotations": {
            key: pack(f"SpikeTrains.annotations[{key!r}]", value) for key, value in trains.annotations.items()
        },
    }


def assemble_pool(
    path: str | os.PathLike[str],
    about: Mapping[str, Any],
    owners: NDArray[np.int64],
    times_s: NDArray[np.float64],
    limits: Limits,
) -> SpikeTrains:
    """Spike trains from what `about_pool` says and the unit and time of each spike."""
    n_units = int(about["n_units"])
    if len(owners):
        check_indices(path, np.unique(owners), n_units, limits)
    return assemble(
        path,
        owners,
        times_s,
        n_units=n_units,
        limits=limits,
        t_start_s=float(about["t_start_s"]),
        t_stop_s=float(about["t_stop_s"]),
        annotations={key: unpack(value) for key, value in about["annotations"].items()},
        name=str(about["name"]),
    )


def widen(trains: SpikeTrains, n_units: int | None) -> SpikeTrains:
    """The same spikes in a pool of `n_units`; the units that are added stay silent."""
    if n_units is None or n_units == len(trains):
        return trains
    if n_units < len(trains):
        raise ParameterError(
            "read_spikes.n_units",
            f"{n_units} for a file with {len(trains)} units",
            f"give at least {len(trains)}, or select units after reading",
        )
    known = np.arange(len(trains))
    annotations = {key: spread(value, known, n_units, key) for key, value in trains.annotations.items()}
    added = np.full(n_units - len(trains), trains.starts[-1], dtype=np.int64)
    return SpikeTrains(
        trains.times_s,
        np.concatenate([trains.starts, added]),
        trains.t_stop_s,
        trains.t_start_s,
        {key: value for key, value in annotations.items() if value is not None},
        trains.name,
    )


def pick(path: Path, spikes: Mapping[str, SpikeTrains], population: str | None) -> SpikeTrains:
    """The population that is asked for, or the only one."""
    if not spikes:
        refuse(path, "holds no spikes", "give a file with spike trains")
    if population is not None:
        if population not in spikes:
            raise UnknownNameError(f"{path}: population", population, spikes)
        return spikes[population]
    if len(spikes) > 1:
        raise ParameterError(
            "read_spikes.population",
            f"{path} holds {', '.join(spikes)}",
            "say which one is meant, e.g. population=" + repr(next(iter(spikes))),
        )
    return next(iter(spikes.values()))
