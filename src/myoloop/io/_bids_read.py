"""Recordings from EMG-BIDS: ours with their truth, and those of others."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import GroundTruth, Recording, Signal, SpikeTrains
from ..errors import MyoloopError, MyoloopWarning, ParameterError
from ._about import auxiliary_of, recording_from
from ._assemble import assemble, assemble_pool
from ._bids import BLOCK
from ._bids_files import numeric, read_table, read_text, recordings_of
from ._bids_find import VOLTS, Dataset, bad_of, data_file, electrodes_of, find, length, names_of, positions_of
from ._bids_parts import DISCHARGE, MISSING, onset_times, read_physio, read_pool, read_truth
from ._edf import edf_samples
from ._files import refuse, regular_file
from ._isolated import read_isolated
from ._json import loads
from ._limits import Limits

_MEND = "use an intact copy"


def read_bids(
    path: str | os.PathLike[str], *, limits: Limits | None = None, isolated: bool = True
) -> Recording:
    """Read a recording from an EMG-BIDS dataset; needs the extra ``bids``.

    A recording of `write_bids` comes back with its truth, equal but for the samples, which are within
    ``QuantisationError_uV`` of those written. Of others, channels of type EMG become the recording (in
    uV), all others auxiliary signals, a status ``bad`` a bad channel, electrodes with coordinates in a
    length the electrodes (where a channel has one ``signal_electrode`` and at most one ``reference``, or
    the names are those of the channels), and events with a ``unit_id`` the truth.

    Parameters
    ----------
    path : path
        Data file (``*_emg.bdf``, ``*_emg.edf``), or a dataset that has one recording.
    limits : Limits, optional
    isolated : bool
        Read in a child process, which a damaged or hostile file may starve in our stead.

    Raises
    ------
    UnreadableFileError
        A file that is absent, damaged, or at odds with its sidecar files; names it and the field.
    ParameterError
        A dataset of several recordings.
    MissingDependencyError
    """
    limits = limits or Limits()
    data = data_file(Path(path))
    read = partial(_read, data, limits)
    return read_isolated(data, read) if isolated else read()


def _read(data: Path, limits: Limits) -> Recording:
    try:
        found = find(data, limits)
        return _of_others(found) if found.block is None else _ours(found, found.block)
    except ParameterError as error:  # of the data types: what the file says is not allowed
        refuse(data, str(error), "mend the dataset")


def _values(found: Dataset, samples: Callable[[int], NDArray[np.float64]]) -> NDArray[np.float64]:
    """EMG in uV."""
    values = np.empty((len(found.emg), length(found)))
    for row, i in enumerate(found.emg):
        unit = found.channels["units"][i]
        if unit not in VOLTS:
            refuse(found.data, f"channel {found.channels['name'][i]!r} is in {unit!r}", "give V, mV or uV")
        np.multiply(samples(i)[: values.shape[1]], VOLTS[unit], out=values[row])
    return values


def _ours(found: Dataset, block: dict[str, Any]) -> Recording:
    values = _values(found, edf_samples(found.data))
    start, rate = numeric(found.sidecar, block, "t_start_s"), float(found.about["SamplingFrequency"])
    events = found.nearest("_events.tsv")
    table = None if events is None else read_table(events, found.limits, ("onset", "duration"))
    about = block | {"channels": names_of(found), "bad": bad_of(found), "rate_hz": rate}
    if isinstance(about.get("electrodes"), dict):
        about["electrodes"] = about["electrodes"] | {"position_mm": positions_of(found)[1]}
    if events is not None and table is not None:
        _unmark(events, table, names_of(found), values, rate)
    spikes = potentials = moving = None
    if "truth" in about:
        if events is None or table is None:
            refuse(found.data, "no _events.tsv beside it", "restore the file with its spikes")
        discharges = _discharges(events, table, start, found.limits)
        if discharges is None:
            refuse(events, "has no column unit_id", _MEND)
        hidden = truth_of(found)
        if hidden.is_file():
            pool, potentials, moving = read_truth(hidden, found.limits)
            spikes = assemble_pool(events, pool, *discharges, found.limits)
        else:
            _warn(hidden)
            spikes = _trains(events, discharges, start, start + values.shape[1] / rate, found.limits)
            about["truth"] = {"about": {}, "action_potentials": None, "path": None}
    return recording_from(
        found.sidecar,
        about,
        values,
        spikes=spikes,
        potentials=potentials,
        moving=moving,
        auxiliary=tuple(_physio(found, one) for one in auxiliary_of(found.sidecar, about)),
    )


def _warn(hidden: Path) -> None:
    warnings.warn(
        f"{hidden} is not there: silent units and action potentials of the truth are not known",
        MyoloopWarning,
        stacklevel=2,
    )


def truth_of(found: Dataset) -> Path:
    """Where the action potentials of a recording lie, if it has any."""
    place = found.data.absolute().relative_to(found.root)
    return found.root / "sourcedata" / place.parent / f"{_stem(found.data)}_truth.h5"


def _stem(data: Path) -> str:
    return data.name.rsplit("_", 1)[0]


def _physio(found: Dataset, about: dict[str, Any]) -> Signal:
    try:
        channels, flat, label = tuple(about["channels"]), bool(about["flat"]), str(about["label"])
        path = found.data.parent / f"{_stem(found.data)}_recording-{label}_physio.tsv.gz"
        if "/" in label or not regular_file(path):
            raise ValueError(f"the label {label!r}")
        described = loads(path, read_text(path.with_suffix("").with_suffix(".json"), found.limits))
        values = read_physio(path, len(described["Columns"]), found.limits)
        values = values.astype(np.float32 if about["dtype"] == np.dtype(np.float32).str else np.float64)
        return Signal(
            values[:, 0] if flat else values,
            float(about["rate_hz"]),
            str(about["units"]),
            float(about["t_start_s"]),
            str(about["name"]),
            channels,
            dict(about["about"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, MyoloopError):
            raise
        refuse(found.sidecar, f"{BLOCK}.auxiliary: {error!r}", _MEND)


def _unmark(
    path: Path, table: dict[str, list[str]], names: list[str], values: NDArray[np.float64], rate: float
) -> None:
    """Make NaN of what the events say was not recorded."""
    if "channel" not in table or "trial_type" not in table or "sample" not in table:
        return
    for row, kind in enumerate(table["trial_type"]):
        if kind != MISSING:
            continue
        name, sample = table["channel"][row], table["sample"][row]
        try:
            first = int(sample)
            last = first + round(float(table["duration"][row]) * rate)
            if name not in names or not 0 <= first < last <= values.shape[1]:
                raise ValueError
        except (ValueError, OverflowError):
            refuse(path, f"line {row + 2}: sample {sample[:20]!r} of channel {name[:20]!r}", _MEND)
        values[names.index(name), first:last] = np.nan


def _discharges(
    path: Path, table: dict[str, list[str]], start: float, limits: Limits
) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """Unit and time of each event that is a discharge; None where events have no units."""
    if "unit_id" not in table:
        return None
    kinds = table.get("trial_type", [DISCHARGE] * len(table["unit_id"]))
    rows = [i for i, unit in enumerate(table["unit_id"]) if unit != "n/a" and kinds[i] != MISSING]
    owners = np.empty(len(rows), dtype=np.int64)
    for at, row in enumerate(rows):
        unit = table["unit_id"][row]
        if not (unit.isascii() and unit.isdecimal() and len(unit) < 16 and int(unit) < limits.units):
            refuse(
                path,
                f"line {row + 2}: unit_id is {unit[:40]!r}",
                "number the units from 0, or raise Limits.units",
            )
        owners[at] = int(unit)
    times = onset_times(path, table["onset"], start)[np.array(rows, dtype=np.int64)]
    order = np.lexsort((times, owners))
    return owners[order], times[order]


def _trains(
    path: Path,
    discharges: tuple[NDArray[np.int64], NDArray[np.float64]],
    start: float,
    stop: float,
    limits: Limits,
) -> SpikeTrains:
    """Spike trains from events alone: the pool ends with the last unit that fired."""
    owners, times = discharges
    return assemble(
        path,
        owners,
        times,
        n_units=int(owners.max()) + 1 if len(owners) else 0,
        limits=limits,
        t_start_s=float(times.min(initial=start)),
        t_stop_s=float(times.max(initial=stop)),
    )


def _of_others(found: Dataset) -> Recording:
    samples = edf_samples(found.data)
    values, rate = _values(found, samples), float(found.about["SamplingFrequency"])
    events, truth = found.nearest("_events.tsv"), None
    if events is not None:
        table = read_table(events, found.limits, ("onset", "duration"))
        discharges = _discharges(events, table, 0.0, found.limits)
        if discharges is not None:
            truth = GroundTruth(_trains(events, discharges, 0.0, values.shape[1] / rate, found.limits))
    beside = []
    for i, name in enumerate(found.channels["name"]):
        if i not in found.emg:
            clock = found.samples_of(i) / found.header.record_s
            beside.append(Signal(samples(i), clock, found.channels["units"][i], name=name))
    return Recording(
        values,
        rate,
        electrodes_of(found),
        truth,
        channels=tuple(names_of(found)),
        bad=np.array(bad_of(found)),
        auxiliary=tuple(beside),
        about={key: value for key, value in found.about.items() if isinstance(value, str | int | float)},
    )


def bids_overview(
    path: Path, limits: Limits
) -> tuple[dict[str, tuple[int, int, float]], dict[str, tuple[int, int, int]]]:
    """Channels, samples and rate of each recording; units, active units and spikes where they are known."""
    recordings, pools = {}, {}
    for data in recordings_of(path) if path.is_dir() else [data_file(path)]:
        found = find(data, limits)
        name = _stem(data)
        recordings[name] = (len(found.emg), length(found), float(found.about["SamplingFrequency"]))
        events = found.nearest("_events.tsv")
        if events is None:
            continue
        discharges = _discharges(events, read_table(events, limits, ("onset", "duration")), 0.0, limits)
        if discharges is not None:
            units = np.unique(discharges[0])
            n_units = int(units.max()) + 1 if len(units) else 0
            if truth_of(found).is_file():
                n_units = max(n_units, int(read_pool(truth_of(found), limits)["n_units"]))
            pools[name] = (n_units, len(units), len(discharges[0]))
    return recordings, pools
