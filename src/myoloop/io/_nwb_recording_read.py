"""Recordings from NWB: ours, and the ElectricalSeries of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Electrodes, Recording
from ..errors import UnknownNameError
from ._about import auxiliary_of, recording_from
from ._about_potentials import PathValues
from ._files import refuse
from ._hdf5 import dataset, numbers, opened
from ._limits import Limits
from ._nwb_read import acquired, check_nwb, metadata, nwb_series, pools
from ._nwb_recording import PATH, SERIES

_TABLE = "general/extracellular_ephys/electrodes"
_MOST_CHANNELS = 100_000


def nwb_recording(path: Path, limits: Limits, series: str | None = None) -> Recording:
    """Recording of an NWB file; see `read_recording`."""
    with opened(path) as file:
        check_nwb(path, file)
        meta = metadata(path, file, limits)
        if "recording" in meta and series in (None, SERIES):
            return _ours(path, file, meta, limits)
        return _of_others(path, file, limits, series)


def _ours(path: Path, file: Any, meta: dict[str, Any], limits: Limits) -> Recording:
    about = meta["recording"]
    if not isinstance(about, dict):
        refuse(path, "the description of its recording is damaged", "use an intact copy")
    values = _samples(path, file, SERIES, limits)
    spikes = pools(path, file, meta, limits, None) if "units" in file else {}
    signals, _ = acquired(path, file, meta, limits, skip=SERIES)
    waveforms = numbers(path, file["units"], "waveform_mean", limits.samples, "samples") if spikes else None
    if waveforms is not None and waveforms.ndim != 3:
        refuse(path, f"waveform_mean has shape {waveforms.shape}", "use an intact copy")
    return recording_from(
        path,
        about,
        values,
        spikes=spikes.get(str(about.get("population"))),
        potentials=None if waveforms is None else 1e6 * np.swapaxes(waveforms, 1, 2),
        moving=_path(path, file, limits),
        auxiliary=tuple(signals[key] for key in map(str, auxiliary_of(path, about)) if key in signals),
    )


def _path(path: Path, file: Any, limits: Limits) -> PathValues | None:
    """Arrays of the path of the action potentials, if there is one."""
    place = f"processing/{PATH}"
    if f"{place}/knots" not in file or f"{place}/coordinate" not in file:
        return None
    waveforms = numbers(path, file[f"{place}/knots"], "waveforms_uV", limits.samples, "samples")
    coordinate = numbers(path, file[f"{place}/coordinate"], "value", limits.samples, "samples")
    return None if waveforms is None or coordinate is None else (waveforms, coordinate)


def _samples(path: Path, file: Any, name: str, limits: Limits) -> NDArray[Any]:
    """Samples of a series as (channels, samples), in the unit of the file."""
    values = numbers(path, file[f"acquisition/{name}"], "data", limits.samples, "samples")
    if values is None or values.ndim not in (1, 2):
        refuse(path, f"acquisition/{name} has no samples", "use an intact copy")
    return np.ascontiguousarray(values.reshape(len(values), -1).T)


def _of_others(path: Path, file: Any, limits: Limits, series: str | None) -> Recording:
    known = nwb_series(path, file)
    if not known:
        refuse(path, "holds no ElectricalSeries of a constant rate", "give a file with an EMG recording")
    if series is not None and series not in known:
        raise UnknownNameError(f"{path}: series", series, known)
    if series is None and len(known) > 1:
        refuse(path, f"holds the series {', '.join(known)}", "say which one is meant (series=...)")
    name = series or next(iter(known))
    group = file[f"acquisition/{name}"]
    values, said = _samples(path, file, name, limits), group["data"].attrs
    factor = numbers(path, group, "channel_conversion", _MOST_CHANNELS, "samples")
    gain = 1e6 * float(said.get("conversion", 1.0)) * (1.0 if factor is None else factor[:, np.newaxis])
    kept = values.astype(np.result_type(values.dtype, np.float32), copy=False)
    kept = (kept * np.asarray(gain, dtype=kept.dtype)) + kept.dtype.type(1e6 * float(said.get("offset", 0.0)))
    rows = numbers(path, group, "electrodes", _MOST_CHANNELS, "samples")
    names, electrodes = _electrodes(path, file, rows, len(values), limits)
    clock = dataset(path, group, "starting_time")
    start = 0.0 if clock is None else float(clock[()])
    return Recording(
        kept, known[name][2], electrodes, t_start_s=start, channels=names, about={"series": name}
    )


def _electrodes(
    path: Path, file: Any, rows: NDArray[Any] | None, n_channels: int, limits: Limits
) -> tuple[tuple[str, ...], Electrodes | None]:
    """Names and places of the channels, where the file has them."""
    if _TABLE not in file or rows is None or len(rows) != n_channels:
        return (), None
    table = file[_TABLE]
    ids = numbers(path, table, "id", _MOST_CHANNELS, "units")
    if ids is None or len(rows) == 0 or rows.min() < 0 or rows.max() >= len(ids):
        return (), None
    names = tuple(f"E{int(ids[row])}" for row in rows)
    names = names if len(set(names)) == len(names) else ()
    axes = [numbers(path, table, axis, _MOST_CHANNELS, "units") for axis in "xyz"]
    columns = [axis for axis in axes if axis is not None and axis.shape == ids.shape]
    if len(columns) < 3:
        return names, None
    position = 1e-3 * np.stack(columns, axis=1)[rows].astype(float)
    return names, Electrodes(position, names=names) if np.all(np.isfinite(position)) else None
