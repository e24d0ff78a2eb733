"""Recordings as text: a line for each sample, a column for each channel.

Columns are separated by comma, tab, semicolon or blanks, numbers may have a decimal comma (with another
separator), ``#`` begins a comment, a line of names is optional. A unit stands in brackets or after an
underscore (``EMG1 [mV]``, ``EMG1_mV``); without one, values are in uV. A column ``time`` or ``t`` (in s, or
``time_ms``, ``time [ms]``) tells the rate, as does a first column without name that ascends evenly; columns
``sample``, ``index`` and ``frame`` are left out. Columns in a unit that is no voltage, and those that begin
with the word for a force, angle, trigger or acceleration, become auxiliary signals. Cells without number are
samples that were not recorded (NaN).

A list of spikes (columns ``unit`` and ``time_s``, or two columns without names) is no recording.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...data import Recording, Signal, SpikeTrains
from ...errors import ParameterError, shown
from .._files import refuse
from .._limits import Limits
from .._summary import RecordingSummary
from ._base import Overview, VendorFormat, chosen
from ._lines import (
    TEXT_ENDINGS,
    data_lines,
    even_rate,
    is_number,
    named_unit,
    text_head,
    uncommented,
    volts_uV,
)
from ._tar import say, unique

_VALUES_AT_ONCE = 1 << 20
_MEND = "write a line for each sample, with as many numbers in each"
_SERIES = "EMG"
_RATE_ERROR = 1e-3
_FORMS = (("\t", False), ("\t", True), (";", False), (";", True), (",", False), (None, False), (None, True))
_TIMES = {"": 1.0, "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
_TIME_NAMES = ("time", "times", "t", "timestamp", "timestamps")
_INDEX_NAMES = ("", "index", "sample", "samples", "frame")
_BESIDE = ("force", "torque", "angle", "target", "trigger", "load", "acc", "gyro")


@final
@dataclass(frozen=True)
class Table:
    """Layout of a text: separator (None: blanks), decimal comma, lines of names, names of its columns."""

    separator: str | None
    comma: bool
    n_names: int
    names: tuple[str, ...]
    n_columns: int

    def cells(self, line: str) -> list[str]:
        """Cells of a line."""
        return [cell.strip().strip("\"'").strip() for cell in line.split(self.separator)]

    def numeric(self, line: str) -> str:
        """The line with decimal points."""
        return line.replace(",", ".") if self.comma else line


@final
@dataclass(frozen=True)
class CSVRecording(VendorFormat):
    """Reader of recordings as text.

    Parameters
    ----------
    rate_hz : float, optional
        Sampling rate of a text that does not tell it.
    """

    name = "text"
    rate_hz: float | None = field(default=None)

    def recognises(self, path: Path, head: bytes) -> bool:
        """By its ending, and lines of numbers that are no list of spikes."""
        if path.suffix.lower() not in TEXT_ENDINGS or b"\0" in head:
            return False
        table = table_of(text_head(path))
        return table is not None and not _may_be_spikes(table)

    def overview(self, path: Path, limits: Limits) -> Overview:
        """Counts lines and reads times, no samples."""
        table = _table(path)
        time, emg, beside = _roles(table)
        column = emg[0].place if time is None else time.place
        told = np.concatenate([block[:, 0] for block in numbers(path, table, limits, [column])])
        rate = self.rate_hz
        if time is not None:
            rate = _told(path, told * time.scale, time, rate)
        known = RecordingSummary(len(emg), len(told), math.nan if rate is None else rate)
        stop = None if rate is None else len(told) / rate
        return Overview(
            self.name, {_SERIES: known}, signals=unique(one.name for one in beside), t_stop_s=stop
        )

    def recording(self, path: Path, limits: Limits, series: str | None) -> Recording:
        """All columns that are EMG, in uV, as float64."""
        table = _table(path)
        chosen(path, {_SERIES: table}, series)
        time, emg, beside = _roles(table)
        every = [*emg, *beside] if time is None else [time, *emg, *beside]
        blocks = list(numbers(path, table, limits, [one.place for one in every]))
        found = np.empty((len(every), sum(map(len, blocks))))
        first = 0
        for block in blocks:
            found[:, first : first + len(block)] = block.T
            first += len(block)
        blocks.clear()
        rate, start = self.rate_hz, 0.0
        if time is None and not table.names and len(emg) > 1 and _ascends(found[0]):
            time, emg = replace(emg[0], scale=1.0), emg[1:]
            if np.all(np.diff(found[0]) == 1):  # it numbers the samples
                time, found = None, found[1:]
        if time is not None:
            times, found = found[0] * time.scale, found[1:]
            rate, start = _told(path, times, time, rate), float(times[0])
        if rate is None:
            raise ParameterError(
                "read_recording.rate_hz", f"{path} does not tell its sampling rate", "give rate_hz"
            )
        found *= np.array([one.scale for one in (*emg, *beside)])[:, None]
        signals = _signals(path, beside, found[len(emg) :], rate, start)
        names = unique(one.name for one in emg) if table.names else ()
        return Recording(found[: len(emg)], rate, t_start_s=start, channels=names, auxiliary=signals)

    def spikes(self, path: Path, limits: Limits) -> Mapping[str, SpikeTrains]:
        """None."""
        return {}


def checked_rate(rate_hz: float | None) -> float | None:
    """A rate that a user gives; raises ParameterError for one that is none."""
    if rate_hz is None:
        return None
    number = isinstance(rate_hz, int | float | np.number) and not isinstance(rate_hz, bool)
    if not number or not 0 < rate_hz < np.inf:
        raise ParameterError(
            "read_recording.rate_hz", f"{shown(rate_hz)} was given", "give a rate above 0 Hz"
        )
    return float(rate_hz)


def at_rate(path: Path, reader: VendorFormat | None, rate_hz: float | None) -> VendorFormat | None:
    """The reader of a file at a rate: text may then be EMG that could also be a list of spikes."""
    text = reader is None and path.suffix.lower() in TEXT_ENDINGS
    if rate_hz is not None and (isinstance(reader, CSVRecording) or text):
        return CSVRecording(rate_hz)
    return reader


def agreed(path: Path, recording: Recording, rate_hz: float | None) -> Recording:
    """The recording, unless the file says another rate than its user."""
    if rate_hz is not None and abs(recording.rate_hz / rate_hz - 1) > _RATE_ERROR:
        raise _contradiction(path, rate_hz, recording.rate_hz)
    return recording


def _contradiction(path: Path, given_hz: float, told_hz: float) -> ParameterError:
    return ParameterError(
        "read_recording.rate_hz",
        f"{given_hz:g} Hz was given, but {path} says {told_hz:g} Hz",
        "leave it out, or mend the file",
    )


# -- lines ------------------------------------------------------------------------------------------


def table_of(lines: Sequence[str]) -> Table | None:
    """Layout of a text from its first lines; None where they are no table of numbers."""
    found = [line for line in map(uncommented, lines) if line.strip()]
    for separator, comma in _FORMS:
        plain = Table(separator, comma, 0, (), 0)
        rows = [plain.cells(plain.numeric(line)) for line in found[:3]]
        n_names = int(bool(rows) and not all(map(is_number, rows[0])))
        numeric = rows[n_names : n_names + 2]
        if len(numeric) < 2 or len({len(row) for row in numeric}) != 1 or (separator and len(numeric[0]) < 2):
            continue
        if not all(any(row) and all(map(is_number, row)) for row in numeric):
            continue
        names = tuple(plain.cells(found[0])) if n_names else ()
        if n_names and len(names) != len(numeric[0]):
            continue
        return Table(separator, comma, n_names, names, len(numeric[0]))
    return None


def _may_be_spikes(table: Table) -> bool:
    names = {name.lower() for name in table.names}
    return table.n_columns == 2 if not names else "unit" in names and bool(names & {"time_s", "time_ms"})


def _table(path: Path) -> Table:
    table = table_of(text_head(path))
    if table is None:
        refuse(path, "no table of numbers", _MEND)
    if table.names and _may_be_spikes(table):
        refuse(path, "a list of spikes, no recording", "read it with read_spikes")
    return table


def numbers(path: Path, table: Table, limits: Limits, places: Sequence[int]) -> Iterator[NDArray[np.float64]]:
    """Some columns of a text, shape (lines, columns) for some lines at a time; a cut last one is left out."""
    lines, total = data_lines(path, table.n_names), 0
    at_once = max(1, _VALUES_AT_ONCE // table.n_columns)
    block = list(itertools.islice(lines, at_once))
    while block:
        following = list(itertools.islice(lines, at_once))
        parsed = _parse(path, table, block, places, last=not following)
        total += parsed.size
        if total > limits.samples:
            refuse(path, f"more than {limits.samples} samples", "raise Limits.samples if that is right")
        yield parsed
        block = following


def _parse(
    path: Path, table: Table, block: list[tuple[int, str]], places: Sequence[int], *, last: bool
) -> NDArray[np.float64]:
    lines = [table.numeric(line) for _, line in block]
    wrong = [i for i, line in enumerate(lines) if len(line.split(table.separator)) != table.n_columns]
    if last and wrong == [len(lines) - 1] and len(lines[-1].split(table.separator)) < table.n_columns:
        say(f"{path}: its last line {block[-1][0]} is cut and left out")
        lines, wrong = lines[:-1], []
    if wrong:
        number, line = block[wrong[0]]
        refuse(path, f"line {number}: {line[:60]!r} is not {table.n_columns} numbers", _MEND)
    if not lines:
        return np.empty((0, len(places)))
    try:
        found = np.loadtxt(lines, delimiter=table.separator, usecols=list(places), ndmin=2, comments=None)
        return found.astype(np.float64, copy=False)
    except ValueError:  # there are empty cells, or words
        return np.array(
            [_one(path, table, number, line, places) for (number, _), line in zip(block, lines, strict=False)]
        )


def _one(path: Path, table: Table, number: int, line: str, places: Sequence[int]) -> list[float]:
    cells = table.cells(line)
    try:
        return [float(cells[place] or "nan") for place in places]
    except ValueError:
        refuse(path, f"line {number}: {line[:60]!r} is not {table.n_columns} numbers", _MEND)
        raise


# -- columns ----------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class _Column:
    place: int
    name: str
    unit: str
    scale: float = 1.0


def _roles(table: Table) -> tuple[_Column | None, list[_Column], list[_Column]]:
    """The column of times, those of EMG, and those of auxiliary signals."""
    if not table.names:
        return None, [_Column(i, "", "uV") for i in range(table.n_columns)], []
    time, emg, beside = None, list[_Column](), list[_Column]()
    for place, text in enumerate(table.names):
        name, unit = named_unit(text)
        factor = volts_uV(unit or "uV")
        if time is None and name.lower() in _TIME_NAMES and unit.lower() in _TIMES:
            time = _Column(place, name, "s", _TIMES[unit.lower()])
        elif name.lower() in _INDEX_NAMES and not unit:
            continue
        elif factor is None or name.lower().startswith(_BESIDE):
            beside.append(_Column(place, name, unit))
        else:
            emg.append(_Column(place, name, "uV", factor))
    if not emg:
        raise ParameterError(
            "columns", f"no EMG among {', '.join(table.names)[:200]}", "give it in V, mV or uV"
        )
    return time, emg, beside


def _ascends(values: NDArray[np.float64]) -> bool:
    """Whether the numbers could be times: they ascend in even steps."""
    if len(values) < 3 or not np.all(np.isfinite(values)):
        return False
    steps = np.diff(values)
    return bool(np.all(steps > 0) and np.ptp(steps) <= 1e-3 * np.median(steps))


def _told(path: Path, times_s: NDArray[np.float64], time: _Column, given_hz: float | None) -> float:
    """Rate of samples at these times; they must be even but for the rounding with which they are written."""
    rate, gap = even_rate(times_s, given_hz)
    if not rate:
        refuse(path, f"its column {time.name!r} does not ascend", "mend it, or leave it out and give rate_hz")
    if gap is not None:
        refuse(
            path,
            f"samples are not at one rate: {times_s[gap + 1] - times_s[gap]:g} s after number {gap + 1}, "
            f"but {1 / rate:g} s in the mean",
            "cut it at the gap, or resample it",
        )
    if given_hz and abs(rate / given_hz - 1) > _RATE_ERROR:
        raise _contradiction(path, given_hz, rate)
    return given_hz or rate


def _signals(
    path: Path, beside: Sequence[_Column], rows: NDArray[np.float64], rate: float, start: float
) -> tuple[Signal, ...]:
    found = list[Signal]()
    for one, name, row in zip(beside, unique(one.name for one in beside), rows, strict=True):
        if np.all(np.isfinite(row)):
            found.append(Signal(row.copy(), rate, one.unit, start, name))
        else:
            say(f"{path}: {name} is left out, as it has cells without number")
    return tuple(found)
