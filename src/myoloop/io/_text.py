"""Event lists as text: a unit and a time in each line."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import SpikeTrains
from ._assemble import assemble
from ._files import refuse
from ._limits import Limits

_TIMES = {"time_s": 1.0, "time_ms": 1e-3}
_LONGEST_LINE = 4096
_LINES_AT_ONCE = 100_000
_MEND = "write lines such as 3,0.0125 (unit index from 0, time in s) below an optional header unit,time_s"

Chunk = tuple[NDArray[np.int64], NDArray[np.float64]]


def text_spikes(
    path: Path, limits: Limits, n_units: int | None, t_stop_s: float | None
) -> dict[str, SpikeTrains]:
    """Spike trains of an event list; see `read_spikes`."""
    units, times, total = [], [], 0
    for chunk_units, chunk_times in events(path, limits):
        total += len(chunk_units)
        if total > limits.spikes:
            refuse(path, f"more than {limits.spikes} spikes", "raise Limits.spikes if that is right")
        units.append(chunk_units)
        times.append(chunk_times)
    owners = np.concatenate(units) if units else np.empty(0, dtype=np.int64)
    found = int(owners.max()) + 1 if len(owners) else 0
    trains = assemble(
        path,
        owners,
        np.concatenate(times) if times else np.empty(0),
        n_units=max(found, n_units or 0),
        limits=limits,
        t_stop_s=t_stop_s,
        where=lambda row: f"line {_line_of(path, row)}",
    )
    return {"": trains}


def events(path: Path, limits: Limits) -> Iterator[Chunk]:
    """Units and times of an event list, some ten thousand lines at a time."""
    try:
        with path.open(encoding="utf-8-sig", newline=None) as file:
            lines = _data_lines(path, file)
            first = next(lines, None)
            if first is None:
                return
            separator, columns, scale = _layout(path, *first)
            if columns[0] >= 0:
                rest = lines
            else:  # no header: the first line is data
                columns, rest = (0, 1), itertools.chain([first], lines)
            while block := list(itertools.islice(rest, _LINES_AT_ONCE)):
                yield _parse(path, block, separator, columns, scale, limits)
    except UnicodeDecodeError:
        refuse(path, "not a text in UTF-8", _MEND)


def _data_lines(path: Path, file: Any) -> Iterator[tuple[int, str]]:
    for number in itertools.count(1):
        line = file.readline(_LONGEST_LINE)
        if not line:
            return
        if len(line) == _LONGEST_LINE:
            refuse(path, f"line {number} is longer than {_LONGEST_LINE} characters", _MEND)
        line = line.split("#", 1)[0].strip()
        if line:
            yield number, line


def _layout(path: Path, number: int, line: str) -> tuple[str | None, tuple[int, int], float]:
    separator = next((s for s in "\t,;" if s in line), None)
    names = [name.strip().strip("\"'").lower() for name in line.split(separator)]
    if not any(name[:1].isalpha() and name not in {"nan", "inf", "infinity"} for name in names):
        if len(names) != 2:
            refuse(path, f"line {number}: {len(names)} columns without a header", _MEND)
        return separator, (-1, -1), 1.0
    times = [name for name in names if name in _TIMES]
    if names.count("unit") != 1 or len(times) != 1:
        refuse(path, f"line {number}: a header with the columns {', '.join(names)}", _MEND)
    return separator, (names.index("unit"), names.index(times[0])), _TIMES[times[0]]


def _parse(
    path: Path,
    block: list[tuple[int, str]],
    separator: str | None,
    columns: tuple[int, int],
    scale: float,
    limits: Limits,
) -> Chunk:
    try:
        table = np.loadtxt(
            [line for _, line in block], delimiter=separator, usecols=columns, ndmin=2, comments=None
        )
    except ValueError:
        table = np.array([_one(path, number, line, separator, columns) for number, line in block])
    units, times = table[:, 0], table[:, 1]
    bad = ~((units >= 0) & (units < limits.units) & (units == np.floor(units)))
    if np.any(bad):
        at = int(np.argmax(bad))
        refuse(
            path,
            f"line {block[at][0]}: {units[at]:g} is not a unit index from 0 to {limits.units - 1}",
            _MEND,
        )
    # ms are divided, not multiplied: 12.5 ms is then the double nearest to 0.0125 s
    return units.astype(np.int64), times if scale == 1.0 else times / (1.0 / scale)


def _one(
    path: Path, number: int, line: str, separator: str | None, columns: tuple[int, int]
) -> tuple[float, float]:
    parts = line.split(separator)
    try:
        return float(parts[columns[0]]), float(parts[columns[1]])
    except (ValueError, IndexError):
        refuse(path, f"line {number}: {line[:60]!r} is not a unit and a time", _MEND)


def _line_of(path: Path, row: int) -> int:
    """Line in which the data row stands: only asked for an error message."""
    with path.open(encoding="utf-8-sig") as file:
        lines = _data_lines(path, file)
        first = next(lines)
        _, columns, _ = _layout(path, *first)
        rows = lines if columns[0] >= 0 else itertools.chain([first], lines)
        return next(itertools.islice(rows, row, None))[0]
