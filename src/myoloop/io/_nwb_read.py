"""Reading NWB: ours, and the Units tables and regular time series of others.

This goes through HDF5 alone: it loads no specification that an untrusted file brings along, sees the
size of each array before it reads it, and works without the extra ``nwb``.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Result, Signal, SpikeTrains
from ._assemble import assemble, check_indices, spread
from ._files import refuse, regular_file
from ._hdf5 import dataset, numbers, opened, text
from ._isolated import read_isolated
from ._json import loads
from ._limits import Limits
from ._nwb import SCRATCH

_MEND = "use an intact copy"


def read_nwb(path: str | os.PathLike[str], *, limits: Limits | None = None, isolated: bool = True) -> Result:
    """Read spikes and signals of an NWB file.

    A file of `write_nwb` comes back equal, bit for bit. Of any other, the Units table becomes one
    population (or one for each value of a column ``population``) and each time series in
    ``acquisition`` with a constant rate a signal in the unit of the file; what is left out is said in
    `Result.warnings`.

    Parameters
    ----------
    path : path
    limits : Limits, optional
    isolated : bool
        Read the file in a child process, which a damaged or hostile one may crash in our stead: HDF5
        does not survive each of them.

    Raises
    ------
    UnreadableFileError
    """
    path, limits = regular_file(path), limits or Limits()
    read = partial(_read, path, limits)
    return read_isolated(path, read) if isolated else read()


def _read(path: Path, limits: Limits) -> Result:
    with opened(path) as file:
        check_nwb(path, file)
        meta = metadata(path, file, limits)
        spikes = pools(path, file, meta, limits, None) if "units" in file else {}
        signals, missed = acquired(path, file, meta, limits)
    notes = (
        (f"left out, for they have no constant rate, no numbers, or NaN: {', '.join(missed)}",)
        if missed
        else ()
    )
    return Result(spikes, signals, dict(meta.get("provenance", {})), warnings=notes)


def nwb_spikes(path: Path, limits: Limits, t_stop_s: float | None) -> dict[str, SpikeTrains]:
    """Spike trains of the Units table, by population; see `read_spikes`."""
    with opened(path) as file:
        check_nwb(path, file)
        if "units" not in file:
            refuse(path, "holds no Units table", "give a file with spike times")
        return pools(path, file, metadata(path, file, limits), limits, t_stop_s)


def nwb_overview(
    path: Path, limits: Limits
) -> tuple[dict[str, SpikeTrains], tuple[str, ...], dict[str, tuple[int, int, float]]]:
    """Spike trains by population, names of the time series, and the shape of those that are electrical."""
    with opened(path) as file:
        check_nwb(path, file)
        spikes = pools(path, file, metadata(path, file, limits), limits, None) if "units" in file else {}
        return spikes, tuple(file.get("acquisition", ())), nwb_series(path, file)


def nwb_series(path: Path, file: Any) -> dict[str, tuple[int, int, float]]:
    """Channels, samples and rate of each ElectricalSeries that was acquired at a constant rate."""
    found = {}
    for name, group in file.get("acquisition", {}).items():
        kind = group.attrs.get("neurodata_type", "")
        if (kind.decode() if isinstance(kind, bytes) else kind) != "ElectricalSeries":
            continue
        data, clock = dataset(path, group, "data"), dataset(path, group, "starting_time")
        if data is not None and clock is not None and data.ndim in (1, 2):
            channels = data.shape[1] if data.ndim == 2 else 1
            found[name] = (int(channels), int(data.shape[0]), float(clock.attrs["rate"]))
    return found


def check_nwb(path: Path, file: Any) -> None:
    if "nwb_version" not in file.attrs:
        refuse(path, "an HDF5 file, but not NWB", "give an NWB, NIX or CSV file")


def metadata(path: Path, file: Any, limits: Limits) -> dict[str, Any]:
    if "scratch" not in file or SCRATCH not in file["scratch"]:
        return {}
    found = text(path, file["scratch"], SCRATCH, limits)
    return loads(path, found or "")


def pools(
    path: Path, file: Any, meta: dict[str, Any], limits: Limits, t_stop_s: float | None
) -> dict[str, SpikeTrains]:
    table = file["units"]
    times, ends = _ragged(path, table, "spike_times", limits.spikes, limits)
    if times is None or ends is None:
        refuse(path, "its Units table has no spike times", "give a file with spike times")
    counts = np.diff(ends, prepend=0)
    names = _texts(path, table, "population", len(ends), limits)
    rows_of = {"": np.arange(len(ends))}
    if names is not None:
        rows_of = {name: np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())}
        rows_of.update(
            {name: np.empty(0, dtype=int) for name in meta.get("populations", {}) if name not in rows_of}
        )
    owner_row = np.repeat(np.arange(len(ends)), counts)
    spans = _spans(path, table, limits)
    index = numbers(path, table, "unit_index", limits.units, "units")
    found: dict[str, SpikeTrains] = {}
    for name, rows in rows_of.items():
        pool = meta.get("populations", {}).get(name, {})
        units = np.arange(len(rows)) if index is None else index[rows].astype(np.int64)
        n_units = int(pool.get("n_units", units.max() + 1 if len(units) else 0))
        check_indices(path, units, n_units, limits)
        unit_of_row = np.full(len(ends), -1, dtype=np.int64)
        unit_of_row[rows] = units
        owners = unit_of_row[owner_row]
        known = spans[rows] if spans is not None and len(rows) else None
        found[name] = assemble(
            path,
            owners[owners >= 0],
            times[owners >= 0],
            n_units=n_units,
            limits=limits,
            t_start_s=float(known[:, 0].min()) if known is not None else 0.0,
            t_stop_s=_known_stop(known, t_stop_s),
            annotations=_annotations(path, table, pool, rows, units, n_units, limits),
            name=str(pool.get("name", name)),
        )
    return found


def _known_stop(spans: NDArray[Any] | None, t_stop_s: float | None) -> float | None:
    if t_stop_s is not None or spans is None:
        return t_stop_s
    return float(spans[:, 1].max())


def _ragged(
    path: Path, table: Any, name: str, most: int, limits: Limits
) -> tuple[NDArray[Any] | None, NDArray[np.int64] | None]:
    """Values of a ragged column and where each row of it ends."""
    values = numbers(path, table, name, most, "spikes")
    index = numbers(path, table, f"{name}_index", limits.units, "units")
    if values is None or index is None:
        return None, None
    ends = index.astype(np.int64)
    bounds = np.concatenate([[0], ends])
    if ends.ndim != 1 or np.any(np.diff(bounds) < 0) or bounds[-1] != len(values):
        refuse(path, f"the index of {name} does not fit it", _MEND)
    return values, ends


def _spans(path: Path, table: Any, limits: Limits) -> NDArray[np.float64] | None:
    """First and last observed time of each row, NaN-free, or None."""
    values, ends = _ragged(path, table, "obs_intervals", 2 * limits.spikes, limits)
    if values is None or ends is None or len(ends) == 0:
        return None
    starts = np.concatenate([[0], ends[:-1]])
    if values.ndim != 2 or values.shape[1] != 2 or np.any(starts >= ends) or not np.all(np.isfinite(values)):
        return None
    return np.stack([values[starts, 0], values[ends - 1, 1]], axis=1).astype(np.float64)


def _texts(path: Path, table: Any, name: str, n_rows: int, limits: Limits) -> NDArray[Any] | None:
    found = dataset(path, table, name)
    if found is None or found.dtype.kind not in "OSU" or found.shape != (n_rows,) or n_rows > limits.units:
        return None
    return np.array([v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in found[()]], dtype=object)


def _annotations(
    path: Path,
    table: Any,
    pool: dict[str, Any],
    rows: NDArray[Any],
    units: NDArray[np.int64],
    n_units: int,
    limits: Limits,
) -> dict[str, NDArray[Any]]:
    if "annotations" in pool:
        wanted = {
            key: (about["column"], np.dtype(about["dtype"])) for key, about in pool["annotations"].items()
        }
    else:
        skip = {"spike_times", "obs_intervals", "unit_index", "population"}
        names = [n.decode() if isinstance(n, bytes) else str(n) for n in table.attrs.get("colnames", ())]
        wanted = {name: (name, None) for name in names if name not in skip and f"{name}_index" not in table}
    annotations = {}
    for key, (column, dtype) in wanted.items():
        values = _column(path, table, column, limits)
        if values is None or values.shape[:1] != table["spike_times_index"].shape:
            continue
        full = spread(values[rows] if dtype is None else values[rows].astype(dtype), units, n_units, key)
        if full is not None:
            annotations[key] = full
    return annotations


def _column(path: Path, table: Any, name: str, limits: Limits) -> NDArray[Any] | None:
    """Numbers, truth values or texts of a column; None for anything else (references, objects)."""
    found = dataset(path, table, name)
    if found is None or found.ndim == 0 or int(np.prod(found.shape, dtype=object)) > limits.spikes:
        return None
    import h5py

    if h5py.check_ref_dtype(found.dtype) is not None or found.dtype.kind not in "biufOSU":
        return None
    values = np.asarray(found[()])
    if values.dtype.kind in "OS":
        decoded = [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in values.ravel()]
        return np.array(decoded, dtype=str).reshape(values.shape)
    return values


def acquired(
    path: Path, file: Any, meta: dict[str, Any], limits: Limits, skip: str = ""
) -> tuple[dict[str, Signal], list[str]]:
    if "acquisition" not in file:
        return {}, []
    group, signals, missed = file["acquisition"], {}, []
    ours = {about["series"]: (key, about) for key, about in meta.get("signals", {}).items()}
    order = {about["series"]: n for n, about in enumerate(meta.get("signals", {}).values())}
    left = limits.samples
    for name in sorted(set(group) - {skip}, key=lambda n: (order.get(n, len(order)), n)):
        key, about = ours.get(name, (name, None))
        signal = _signal(path, group, name, about, left)
        if signal is None:
            missed.append(name)
            continue
        left -= signal.values.size
        signals[key] = signal
    return signals, missed


def _signal(path: Path, group: Any, name: str, about: dict[str, Any] | None, most: int) -> Signal | None:
    import h5py

    series = group[name]
    if not isinstance(series, h5py.Group) or "starting_time" not in series:
        return None
    data = dataset(path, series, "data")
    if data is None or data.dtype.kind not in "iuf" or data.ndim not in (1, 2):
        return None
    if int(np.prod(data.shape, dtype=object)) > most:
        refuse(path, f"{data.shape} samples in {data.name}", "raise Limits.samples if that is right")
    values, clock = data[()], dataset(path, series, "starting_time")
    if clock is None:
        return None
    rate, start = float(clock.attrs["rate"]), float(clock[()])
    if about is not None:
        return Signal(
            values, rate, about["units"], start, about["name"], tuple(about["channels"]), dict(about["about"])
        )
    if not np.all(np.isfinite(values)):
        return None
    factor, offset = float(data.attrs.get("conversion", 1.0)), float(data.attrs.get("offset", 0.0))
    unit = data.attrs.get("unit", "")
    return Signal(
        values * factor + offset, rate, unit.decode() if isinstance(unit, bytes) else str(unit), start, name
    )
