"""Reading a stream, be it complete, cut off, or still being written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from ..data import Result, Signal, SpikeTrains
from ._assemble import assemble
from ._files import refuse, regular_file
from ._hdf5 import dataset, numbers, opened, text
from ._isolated import read_isolated
from ._json import loads, unpack
from ._limits import Limits
from ._stream_layout import STREAM_FORMAT, Column, check_sum, columns, commit_type

__all__ = ["STREAM_FORMAT", "Committed", "committed", "read_stream", "stream_summary"]

_MEND = "use an intact copy"
_LOOK_BACK = 10_000  # commits that may be damaged at the end before the file counts as empty


@final
@dataclass(frozen=True)
class Committed:
    """What of a stream is whole: up to which time, and how many rows of each column."""

    layout: Mapping[str, Any]
    columns: tuple[Column, ...]
    t_start_s: float
    time_s: float
    rows: tuple[int, ...]
    status: str
    identity: str


def read_stream(
    path: str | os.PathLike[str], *, limits: Limits | None = None, isolated: bool = False
) -> Result:
    """Read what a stream holds up to its last flush.

    Parameters
    ----------
    path : path
        File of an `HDF5Stream`; its writer may have been killed at any moment, or still be at work.
    limits : Limits, optional
    isolated : bool
        As in `read_nwb`, for a stream of unknown origin.

    Returns
    -------
    Result
        With status ``"interrupted"`` unless the stream was closed as complete; spikes and signals end
        at the last simulated time that was flushed.

    Raises
    ------
    UnreadableFileError
    """
    path, limits = regular_file(path), limits or Limits()
    read = partial(_read, path, limits)
    return read_isolated(path, read) if isolated else read()


def _read(path: Path, limits: Limits) -> Result:
    with opened(path) as file:
        state = committed(path, file, limits)
        if not state.time_s > state.t_start_s:
            refuse(path, "its writer was stopped before the first flush", "run it again")
        counts = {c.path: rows for c, rows in zip(state.columns, state.rows, strict=True)}
        spikes = {}
        left = iter(state.columns)
        for name, n_units in state.layout["populations"].items():
            unit, time = next(left), next(left)
            units = _rows(path, file, unit, counts[unit.path], limits.spikes, "spikes")
            times = _rows(path, file, time, counts[time.path], limits.spikes, "spikes")
            spikes[name] = _trains(path, name, n_units, units, times, state, limits)
        signals = {}
        for key, about in state.layout["signals"].items():
            column = next(left)
            values = _rows(path, file, column, counts[column.path], limits.samples, "samples")
            signals[key] = Signal(
                values if about["channels"] else values[:, 0],
                about["rate_hz"],
                about["units"],
                about["t_start_s"],
                about["name"],
                tuple(about["channels"]),
            )
    status: Literal["complete", "interrupted"] = "complete" if state.status == "complete" else "interrupted"
    warnings = () if status == "complete" else (f"the run was interrupted at {state.time_s:g} s",)
    return Result(spikes, signals, dict(state.layout.get("provenance", {})), status, warnings)


def stream_summary(
    path: Path, limits: Limits
) -> tuple[dict[str, tuple[int, int, int]], float, tuple[str, ...], str]:
    """Units, active units and spikes of each population; end; signals; status."""
    with opened(path) as file:
        state = committed(path, file, limits)
        pools = {}
        for place, (name, n_units) in enumerate(state.layout["populations"].items()):
            column, rows = state.columns[2 * place], state.rows[2 * place]
            units = _rows(path, file, column, rows, limits.spikes, "spikes")
            pools[name] = (int(n_units), len(np.unique(units)), rows)
    status = "complete" if state.status == "complete" else "interrupted"
    return pools, state.time_s, tuple(state.layout["signals"]), status


def committed(path: Path, file: Any, limits: Limits) -> Committed:
    """The last whole row of `/committed`, with the layout."""
    said = file.attrs.get("format", "")
    if said != STREAM_FORMAT:
        refuse(path, "not a stream of ours", "give a file that HDF5Stream wrote")
    layout = loads(path, text(path, file, "layout", limits) or "")
    found = columns(layout)
    table = dataset(path, file, "committed")
    if table is None or table.dtype != commit_type(len(found)) or table.ndim != 1:
        refuse(path, "its table of commits is damaged", _MEND)
    ends = [_length(path, file, column) for column in found]
    time_s = t_start_s = float(layout.get("t_start_s", 0.0))
    rows = [0] * len(found)
    n_rows = table.shape[0]
    for at in range(n_rows - 1, max(-1, n_rows - _LOOK_BACK), -1):
        row = table[at]
        whole = int(row["check"]) == check_sum(row) and np.isfinite(row["time_s"])
        if whole and all(0 <= n <= end for n, end in zip(row["rows"], ends, strict=True)):
            time_s, rows = float(row["time_s"]), [int(n) for n in row["rows"]]
            break
    code = numbers(path, file, "status", 1, "samples")
    status = {1: "complete", 2: "interrupted"}.get(int(code[0]) if code is not None else 0, "open")
    return Committed(layout, found, t_start_s, time_s, tuple(rows), status, str(layout.get("identity", "")))


def _length(path: Path, file: Any, column: Column) -> int:
    found = _column(path, file, column)
    return int(found.shape[0])


def _column(path: Path, file: Any, column: Column) -> Any:
    group: Any = file
    *folders, name = column.path.split("/")
    for folder in folders:
        group = group[folder]
    found = dataset(path, group, name)
    if found is None or found.dtype != np.dtype(column.dtype) or found.shape[1:] != column.row:
        refuse(path, f"{column.path} is missing or damaged", _MEND)
    return found


def _rows(path: Path, file: Any, column: Column, rows: int, most: int, what: str) -> Any:
    if rows * max(1, int(np.prod(column.row, dtype=int))) > most:
        refuse(path, f"{rows} rows in {column.path}", f"raise Limits.{what} if that is right")
    return _column(path, file, column)[:rows]


def _trains(
    path: Path, name: str, n_units: int, units: Any, times: Any, state: Committed, limits: Limits
) -> SpikeTrains:
    if len(units) != len(times) or (len(units) and (units.min() < 0 or units.max() >= n_units)):
        refuse(path, f"the spikes of {name} name units that it does not have", _MEND)
    order = np.lexsort((times, units))  # the rows of a stream come window by window, in no particular order
    units, times = units[order], times[order]
    packed = state.layout.get("annotations", {}).get(name, {})
    return assemble(
        path,
        units,
        times,
        n_units=int(n_units),
        limits=limits,
        t_start_s=state.t_start_s,
        t_stop_s=max(state.time_s, float(times.max())) if len(times) else state.time_s,
        annotations={key: unpack(value) for key, value in packed.items()},
        name=name,
    )
