"""Writing NWB: the archive that a run leaves behind."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Signal, SpikeTrains
from ..errors import ParameterError
from ._files import need, replacing
from ._json import dumps
from ._shield import shielded

SCRATCH = "myoloop"
# Our unit -> the unit that NWB wants and the factor to it.
SI_UNITS = {
    "V": ("volts", 1.0),
    "mV": ("volts", 1e-3),
    "uV": ("volts", 1e-6),
    "A": ("amperes", 1.0),
    "nA": ("amperes", 1e-9),
    "pA": ("amperes", 1e-12),
    "S": ("siemens", 1.0),
    "uS": ("siemens", 1e-6),
    "nS": ("siemens", 1e-9),
    "N": ("newtons", 1.0),
    "mN": ("newtons", 1e-3),
    "m": ("meters", 1.0),
    "mm": ("meters", 1e-3),
    "um": ("meters", 1e-6),
    "Hz": ("hertz", 1.0),
    "s": ("seconds", 1.0),
    "ms": ("seconds", 1e-3),
    "": ("n.a.", 1.0),
}
# A simulated recording has no subject, yet the archives insist on one: an age of "P0D/" is any age.
NOBODY = {
    "subject_id": "simulation",
    "description": "No living subject: the recording is simulated, with parameters for a human.",
    "species": "Homo sapiens",
    "sex": "O",
    "age": "P0D/",
}
# Spikes that a user brought may be anybody's.
UNKNOWN_SUBJECT = NOBODY | {
    "subject_id": "unknown",
    "description": "Not known: made from a file that does not say. Species, sex and age stand for that.",
}
# Columns that NWB gives a meaning of its own.
_TAKEN = {
    "id", "spike_times", "obs_intervals", "electrodes", "electrode_group", "waveforms", "waveform_mean",
    "waveform_sd", "population", "unit_index",
}  # fmt: skip


def write_nwb(
    path: str | os.PathLike[str],
    *,
    spikes: Mapping[str, SpikeTrains],
    signals: Mapping[str, Signal] | None = None,
    provenance: Mapping[str, Any] | None = None,
    description: str,
    session_start: datetime | None = None,
    resolution_s: float = 1e-6,
    subject: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write spikes and signals as an NWB file; needs the extra ``nwb``.

    All units, silent ones too, become rows of the Units table with their ``population`` and
    ``unit_index``, the observed time and a column for each annotation; signals become time series
    whose ``conversion`` leads to SI units. What NWB has no word for (provenance, channel names, the
    pools) is JSON in the scratch entry ``myoloop``.

    Parameters
    ----------
    path : path
        File to write.
    spikes : mapping of str to SpikeTrains
    signals : mapping of str to Signal
    provenance : mapping
        Plain values.
    description : str
        Of the session, in a sentence.
    session_start : datetime, optional
        When time zero was; by default now, which is when a simulated recording comes into being. A
        time without zone is taken to be UTC.
    resolution_s : float
        Smallest difference between two spike times: the time step, or 1 over the sampling rate.
    subject : mapping, optional
        Fields of `pynwb.file.Subject` (``subject_id``, ``species``, ``sex``, ``age`` ...); by default it
        says that there is none, for the recording is simulated.
    overwrite : bool

    Raises
    ------
    MissingDependencyError, OutputError
    ParameterError
        Annotations that are neither numbers, truth values nor texts.
    """
    pynwb = need("pynwb", "write_nwb", "nwb")
    if not (np.isfinite(resolution_s) and resolution_s > 0):
        raise ParameterError("write_nwb.resolution_s", f"{resolution_s:g} s", "give a time above 0 s")
    file, _ = build_file(
        pynwb,
        spikes,
        signals or {},
        {"provenance": dict(provenance or {})},
        description=description,
        session_start=session_start,
        resolution_s=resolution_s,
        subject=subject or NOBODY,
    )
    with (
        replacing(path, overwrite=overwrite) as temporary,
        shielded(temporary) as target,
        pynwb.NWBHDF5IO(file=target, mode="w") as sink,
    ):
        sink.write(file)
    return Path(path)


def build_file(
    pynwb: Any,
    spikes: Mapping[str, SpikeTrains],
    signals: Mapping[str, Signal],
    more: Mapping[str, Any],
    *,
    description: str,
    session_start: datetime | None,
    resolution_s: float,
    subject: Mapping[str, str],
) -> tuple[Any, Any]:
    """`pynwb.NWBFile` with spikes and signals, and the hash of them; `more` goes into the scratch entry."""
    start = session_start or datetime.now(UTC)
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    columns, pools = _columns(spikes)
    series = _series(pynwb, signals)
    about = {key: {"series": series[key].name, **_about(s)} for key, s in signals.items()}
    meta = dumps({"format": 1, "populations": pools, "signals": about, **more})
    digest = _fingerprint(meta, description, spikes, signals)
    file = pynwb.NWBFile(
        session_description=description or "myoloop recording",
        identifier=digest.hexdigest(),
        session_start_time=start,
        experiment_description=description or None,
        subject=pynwb.file.Subject(**subject),
        keywords=["motor unit", "simulation", "myoloop"],
    )
    if any(len(trains) for trains in spikes.values()):  # HDF5 has no type for a table without rows
        file.units = _units(pynwb, columns, resolution_s)
    for entry in series.values():
        file.add_acquisition(entry)
    file.add_scratch(
        meta, name=SCRATCH, description="JSON: provenance, pools and signals as myoloop knows them"
    )
    return file, digest


def _columns(spikes: Mapping[str, SpikeTrains]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Columns of the Units table below one another, and what is needed to take them apart again."""
    counts = [len(trains) for trains in spikes.values()]
    firsts = np.concatenate([[0], np.cumsum(counts)]).astype(int)
    columns: dict[str, NDArray[Any]] = {
        "population": np.repeat(np.array(list(spikes), dtype=object), counts),
        "unit_index": np.concatenate([np.arange(n) for n in counts] or [np.empty(0, dtype=int)]),
        "spike_times": np.concatenate([t.times_s for t in spikes.values()] or [np.empty(0)]),
        "spike_counts": np.concatenate([t.counts for t in spikes.values()] or [np.empty(0, dtype=int)]),
        "obs_intervals": np.repeat(
            np.array([(t.t_start_s, t.t_stop_s) for t in spikes.values()]).reshape(-1, 2), counts, axis=0
        ),
    }
    pools: dict[str, Any] = {}
    for (name, trains), first in zip(spikes.items(), firsts[:-1], strict=True):
        pools[name] = {"n_units": len(trains), "name": trains.name, "annotations": {}}
        for key, value in trains.annotations.items():
            column = _column_name(key)
            pools[name]["annotations"][key] = {"column": column, "dtype": value.dtype.str}
            full = columns.get(column)
            if full is None:
                full = columns[column] = _unknown(key, value, int(firsts[-1]), len(spikes) > 1)
            if full.shape[1:] != value.shape[1:] or (full.dtype == object) != (value.dtype.kind == "U"):
                raise ParameterError(
                    f"SpikeTrains.annotations[{key!r}]",
                    "populations disagree about its shape or type",
                    "give it the same type in each, or another name",
                )
            if full.dtype.kind == "f" and value.dtype.kind in "iu" and np.any(np.abs(value) > 2**53):
                raise ParameterError(
                    f"SpikeTrains.annotations[{key!r}]", "whole numbers above 2**53", "write them as text"
                )
            full[first : first + len(trains)] = value
    return columns, pools


def _column_name(key: str) -> str:
    clean = re.sub(r"[/:.\s]", "_", key)
    return (
        clean if clean == key and clean not in _TAKEN and not clean.endswith("_index") else f"about_{clean}"
    )


def _unknown(key: str, like: NDArray[Any], n_rows: int, others: bool) -> NDArray[Any]:
    """Column that says "unknown" in each row; whole numbers need a float for that if others lack them."""
    if like.dtype.kind == "U":
        return np.full((n_rows, *like.shape[1:]), "", dtype=object)
    if like.dtype.kind not in "biuf":
        raise ParameterError(
            f"SpikeTrains.annotations[{key!r}]", f"an array of {like.dtype}", "give numbers or texts"
        )
    if like.dtype.kind == "f" or not others:
        return np.full((n_rows, *like.shape[1:]), np.nan if like.dtype.kind == "f" else 0, dtype=like.dtype)
    return np.full((n_rows, *like.shape[1:]), np.nan)


def _units(pynwb: Any, columns: dict[str, NDArray[Any]], resolution_s: float) -> Any:
    from hdmf.common import ElementIdentifiers, VectorData, VectorIndex

    n_rows = len(columns["population"])
    times = VectorData(name="spike_times", description="in s", data=columns["spike_times"])
    seen = VectorData(name="obs_intervals", description="observed time, in s", data=columns["obs_intervals"])
    parts = [
        times,
        VectorIndex(name="spike_times_index", data=np.cumsum(columns["spike_counts"]), target=times),
        seen,
        VectorIndex(name="obs_intervals_index", data=np.arange(1, n_rows + 1), target=seen),
    ]
    texts = {"population": "name of the pool", "unit_index": "index of the unit in its pool, from 0"}
    others = [c for c in columns if c not in {"spike_times", "spike_counts", "obs_intervals"}]
    for column in others:
        values = columns[column]
        data = values.tolist() if values.dtype == object else values
        parts.append(
            VectorData(name=column, description=texts.get(column, f"{column} of the unit"), data=data)
        )
    return pynwb.misc.Units(
        name="units",
        description="Motor units and neurons, silent ones too; see unit_index and the scratch entry myoloop.",
        id=ElementIdentifiers(name="id", data=np.arange(n_rows)),
        columns=parts,
        colnames=["spike_times", "obs_intervals", *others],
        resolution=resolution_s,
    )


def _series(pynwb: Any, signals: Mapping[str, Signal]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for number, (key, signal) in enumerate(signals.items()):
        name = re.sub(r"[/:]", "_", key).strip() or "signal"
        if any(name == other.name for other in made.values()):
            name = f"{name} {number}"
        unit, conversion = SI_UNITS.get(signal.units, (signal.units, 1.0))
        channels = ", ".join(map(str, signal.channels[:1000]))
        made[key] = pynwb.TimeSeries(
            name=name,
            data=signal.values,
            unit=unit,
            conversion=conversion,
            rate=signal.rate_hz,
            starting_time=signal.t_start_s,
            description=signal.name or name,
            comments=f"channels: {channels}" if channels else "no comments",
        )
    return made


def _about(signal: Signal) -> dict[str, Any]:
    return {
        "units": signal.units,
        "name": signal.name,
        "channels": list(signal.channels),
        "about": signal.about,
    }


def _fingerprint(
    meta: str, description: str, spikes: Mapping[str, SpikeTrains], signals: Mapping[str, Signal]
) -> Any:
    """Hash of the content, for an identifier: the same data give the same."""
    digest = hashlib.sha256(meta.encode() + b"\0" + description.encode())
    for trains in spikes.values():
        digest.update(trains.times_s.tobytes())
        digest.update(trains.starts.tobytes())
        for value in trains.annotations.values():
            digest.update(value.tobytes())
    for signal in signals.values():
        digest.update(repr((signal.rate_hz, signal.t_start_s, signal.values.shape)).encode())
        digest.update(signal.values.tobytes())
    return digest
