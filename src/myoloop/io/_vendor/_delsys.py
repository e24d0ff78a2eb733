"""Text exports of Delsys: Trigno Discover and EMGworks.

Trigno Discover begins with ``Application:``; rows follow with the names of the sensors (above the first
column of each), their modes, the names of the columns (``EMG 1 Time Series (s)``, ``EMG 1 (mV)``, ``ACC X
(G)``), from version 1.5 the sampling rates and later the sampling periods, then the samples. EMGworks has an
optional line for each channel, ``Label: NAME Sampling frequency: F Number of points: N start: T Unit: U
Domain Unit: s``, a row of names with a column ``X[s]`` of times before each channel or before all, then the
samples. In both, a channel of a lower rate ends in empty cells before the others do, and a line is no moment:
each channel is taken by itself. Decimal commas come with semicolons.

Channels with ``EMG`` in their name and a unit of voltage become the recording, all others auxiliary signals.
Where an EMGworks file does not say the unit of an EMG channel, it is refused: 1 V is not 1 uV.

Layouts after public readers of such exports (several for Trigno Discover, which agree; BioSigIO for
EMGworks), tested with files that the tests write; no export of a device was at hand.
Files ``.hpf`` have no published layout and are not read; Delsys' ``.mat`` exports do not tell their unit.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...data import Recording, Signal, SpikeTrains
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

_MEND = "export it again"
_HEAD_ROWS = 2000
_VALUES_AT_ONCE = 1 << 20
_RATE_ERROR = 1e-2
_HZ = re.compile(r"(-?\d+(?:[.,]\d+)?)\s*Hz")
_LABEL = re.compile(
    r"^Label:\s*(?P<name>.*?)\s*Sampling frequency:\s*(?P<rate>[\d.,]+?)[,;]?\s.*?Unit:\s*(?P<unit>[^\s,;]*)"
)
_X = re.compile(r"^X\s*\[s\](\.\d+)?$")


@final
class Delsys(VendorFormat):
    """Reader of the text exports of Trigno Discover and EMGworks."""

    name = "Delsys"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By its ending and the words it begins with."""
        if path.suffix.lower() not in TEXT_ENDINGS or b"\0" in head:
            return False
        first = head.partition(b"\n")[0]
        labelled = b"Label:" in first and b"Sampling frequency:" in first
        return b"Trigno Discover" in first or labelled or b"X[s]" in head or b"X [s]" in head

    def overview(self, path: Path, limits: Limits) -> Overview:
        """From the rows of names; of the samples only the lengths are kept."""
        layout = _rated(path, _layout(path), limits)
        series = _series(layout.columns)
        emg = [one for group in series.values() for one in group]
        ends = np.zeros(len(emg), dtype=np.int64)
        row = 0
        for block in _blocks(path, layout, limits, [one.place for one in emg]):
            for i, some in enumerate(np.isfinite(block).T):
                if some.any():
                    ends[i] = row + np.flatnonzero(some)[-1] + 1
            row += len(block)
        lengths = dict(zip((one.place for one in emg), ends.tolist(), strict=True))
        found = {
            name: RecordingSummary(
                len(group), min(lengths[one.place] for one in group), group[0].rate_hz or np.nan
            )
            for name, group in series.items()
        }
        beside = unique(one.name for one in layout.columns if not one.emg)
        stop = max((one.duration_s for one in found.values()), default=None)
        return Overview(layout.program, found, signals=beside, t_stop_s=stop)

    def recording(self, path: Path, limits: Limits, series: str | None) -> Recording:
        """EMG in uV; other sensors as auxiliary signals at their own rates."""
        layout = _layout(path)
        channels = _loaded(path, layout, limits)
        groups = _series([column for column, *_ in channels])
        _, group = chosen(path, groups, series)
        mine = {one.place for one in group}
        emg = [(column, values, start) for column, values, start in channels if column.place in mine]
        lengths = [len(values) for _, values, _ in emg]
        if min(lengths) == 0:
            refuse(path, f"{emg[lengths.index(0)][0].name} has no samples", _MEND)
        if min(lengths) < max(lengths):
            say(
                f"{path}: its channels have from {min(lengths)} to {max(lengths)} samples; "
                f"the first {min(lengths)} are kept"
            )
        values = np.stack([one[: min(lengths)] for _, one, _ in emg])
        values *= np.array([volts_uV(column.unit) for column, *_ in emg], dtype=float)[:, None]
        beside = [_signal(path, *one) for one in channels if not one[0].emg]
        return Recording(
            values,
            group[0].rate_hz or np.nan,
            t_start_s=emg[0][2],
            channels=unique(column.name for column, *_ in emg),
            auxiliary=tuple(one for one in beside if one is not None),
            about={"format": layout.program},
        )

    def spikes(self, path: Path, limits: Limits) -> Mapping[str, SpikeTrains]:
        """None."""
        return {}


@final
@dataclass(frozen=True)
class _Column:
    """A channel: its column, that of its times, and what the head says of it."""

    place: int
    time: int | None
    name: str
    unit: str
    rate_hz: float | None

    @property
    def emg(self) -> bool:
        return "EMG" in self.name and volts_uV(self.unit) is not None


@final
@dataclass(frozen=True)
class _Layout:
    program: str
    separator: str
    n_rows: int
    columns: tuple[_Column, ...]


# -- head -------------------------------------------------------------------------------------------


def _layout(path: Path) -> _Layout:
    lines = [line for line in map(uncommented, text_head(path)[:_HEAD_ROWS]) if line.strip()]
    if not lines:
        refuse(path, "no text of Delsys", _MEND)
    discover = "Trigno Discover" in lines[0]
    at = next((i for i, line in enumerate(lines) if _names_columns(line, discover)), None)
    if at is None:
        refuse(path, "has no row with the names of its columns", _MEND)
    separator = max(",;\t", key=lines[at].count)
    rows = [
        [cell.strip() for row in csv.reader([line], delimiter=separator) for cell in row]
        for line in lines[: at + 8]
    ]
    comma = separator != ","
    begin = next(
        (i for i in range(at + 1, len(rows)) if _is_data(rows[i][: len(rows[at])], comma)), len(rows)
    )
    if begin == len(rows):
        refuse(path, "has no samples below the names of its columns", _MEND)
    columns = _discover(rows, at, begin) if discover else _emgworks(path, lines[:at], rows[at])
    if not any(one.emg for one in columns):
        refuse(path, "has no column of EMG in a unit of voltage", _MEND)
    return _Layout(
        "Delsys Trigno Discover" if discover else "Delsys EMGworks", separator, begin, tuple(columns)
    )


def _names_columns(line: str, discover: bool) -> bool:
    if discover:
        return "EMG" in line and re.search(r"\([muµ]?V\)", line) is not None
    return re.search(r"X\s*\[s\]", line) is not None and not line.startswith("Label:")


def _is_data(row: Sequence[str], comma: bool) -> bool:
    cells = [cell.replace(",", ".") if comma else cell for cell in row]
    return any(cells) and all(map(is_number, cells))


def _discover(rows: list[list[str]], at: int, begin: int) -> list[_Column]:
    sensors = rows[at - 2][:] if at >= 2 else [""]
    for i in range(1, len(sensors)):  # a sensor's name stands above its first column only
        sensors[i] = sensors[i] or sensors[i - 1]
    rates = next((row for row in rows[at + 1 : begin] if any("Hz" in cell for cell in row)), [])
    columns, time = list[_Column](), None
    for place, text in enumerate(rows[at]):
        if "Time Series" in text:
            time = place
            continue
        told = _HZ.search(rates[place]) if place < len(rates) else _HZ.search(text)
        rate = float(told[1].replace(",", ".")) if told else None
        name, unit = named_unit(re.sub(r"\s*\([^()]*Hz\)", "", text))
        own = time if time is not None and time == place - 1 else None
        if not unit or (own is None and not (rate and rate > 0)):
            continue
        sensor = re.sub(r"\s*\(\d+\)$", "", sensors[min(place, len(sensors) - 1)])
        columns.append(
            _Column(
                place, own, f"{sensor}: {name}" if sensor else name, unit, rate if rate and rate > 0 else None
            )
        )
    return columns


def _emgworks(path: Path, preamble: Sequence[str], names: Sequence[str]) -> list[_Column]:
    said = [match for line in preamble if (match := _LABEL.match(line))]
    labels = {one["name"].strip("\"'"): one for one in said}
    columns, time = list[_Column](), None
    for place, text in enumerate(names):
        if _X.match(text):
            time = place
            continue
        if not text or time is None:
            continue
        label = labels.get(text)
        name, unit = (text, label["unit"]) if label else named_unit(text)
        if "EMG" in name and not unit:
            refuse(path, f"does not say the unit of {name!r}", f"write it into the row of names: {name} [V]")
        rate = float(label["rate"].replace(",", ".")) if label else None
        columns.append(_Column(place, time, name, unit, rate))
    return columns


# -- samples ----------------------------------------------------------------------------------------


def _blocks(
    path: Path, layout: _Layout, limits: Limits, places: Sequence[int]
) -> Iterator[NDArray[np.float64]]:
    """Some columns, shape (lines, columns) for some lines at a time; NaN for empty cells."""
    total, most = 0, max(places)
    for lines in _lines(path, layout, most):
        filled = [_filled(line, layout, most) for _, line in lines]
        try:
            found = np.loadtxt(
                filled, delimiter=layout.separator, usecols=list(places), ndmin=2, comments=None
            )
        except ValueError:
            found = np.array(
                [_one(path, *line, layout.separator, places) for line in zip(lines, filled, strict=True)]
            )
        total += found.size
        if total > limits.samples:
            refuse(path, f"more than {limits.samples} samples", "raise Limits.samples if that is right")
        yield found


def _lines(path: Path, layout: _Layout, most: int) -> Iterator[list[tuple[int, str]]]:
    """Lines of samples, some at a time; a last one that is cut is left out."""
    lines = data_lines(path, layout.n_rows)
    at_once = max(1, _VALUES_AT_ONCE // (most + 1))
    block = list(itertools.islice(lines, at_once))
    while block:
        following = list(itertools.islice(lines, at_once))
        if not following and len(block) > 1:
            (_, before), (number, line) = block[-2:]
            if line.count(layout.separator) < before.count(layout.separator) and not _ends_whole(path):
                say(f"{path}: its last line {number} is cut and left out")
                block.pop()
        yield block
        block = following


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) in b"\r\n"


def _filled(line: str, layout: _Layout, most: int) -> str:
    """The line with decimal points, and with a word in each empty cell."""
    separator = layout.separator
    line = line.replace(" ", "").replace('"', "")
    if separator != ",":
        line = line.replace(",", ".")
    line += separator * (most - line.count(separator))
    line = line.replace(separator * 2, f"{separator}nan{separator}").replace(
        separator * 2, f"{separator}nan{separator}"
    )
    line = f"nan{line}" if line.startswith(separator) else line
    return f"{line}nan" if line.endswith(separator) else line


def _one(
    path: Path, numbered: tuple[int, str], line: str, separator: str, places: Sequence[int]
) -> list[float]:
    cells = line.split(separator)
    try:
        return [float(cells[place]) for place in places]
    except ValueError:
        refuse(path, f"line {numbered[0]}: {numbered[1][:60]!r} has cells that are no numbers", _MEND)
        raise


def _table(path: Path, layout: _Layout, limits: Limits, places: Sequence[int]) -> NDArray[np.float64]:
    """Whole columns, shape (columns, lines)."""
    blocks = list(_blocks(path, layout, limits, places))
    found = np.empty((len(places), sum(map(len, blocks))))
    first = 0
    for block in blocks:
        found[:, first : first + len(block)] = block.T
        first += len(block)
    return found


def _rated(path: Path, layout: _Layout, limits: Limits) -> _Layout:
    """The layout with the rate of each channel, from its times where the head does not tell it."""
    places = sorted({one.time for one in layout.columns if not one.rate_hz and one.time is not None})
    if not places:
        return layout
    times = dict(zip(places, _table(path, layout, limits, places), strict=True))
    rates = {place: _rate_of(path, one) for place, one in times.items()}
    return replace(
        layout,
        columns=tuple(
            one if one.rate_hz or one.time is None else replace(one, rate_hz=rates[one.time])
            for one in layout.columns
        ),
    )


def _rate_of(path: Path, times_s: NDArray[np.float64]) -> float:
    rate, gap = even_rate(times_s[: _ascending(times_s)])
    if not rate:
        refuse(path, "has times that do not ascend", _MEND)
    if gap is not None:
        say(f"{path}: its times have a gap after {times_s[gap]:g} s: samples are missing")
    return rate


def _ascending(times_s: NDArray[np.float64]) -> int:
    """Number of times before they end or begin anew."""
    stop = np.flatnonzero(~(np.diff(times_s) >= 0))
    n = int(stop[0]) + 1 if len(stop) else len(times_s)
    return n if len(times_s) and np.isfinite(times_s[0]) else 0


def _loaded(path: Path, layout: _Layout, limits: Limits) -> list[tuple[_Column, NDArray[np.float64], float]]:
    """Samples and first time of each channel."""
    layout = _rated(path, layout, limits)
    places = sorted(
        {one.place for one in layout.columns} | {one.time for one in layout.columns if one.time is not None}
    )
    rows = dict(zip(places, _table(path, layout, limits, places), strict=True))
    found = []
    for one in layout.columns:
        present = np.flatnonzero(np.isfinite(rows[one.place]))
        n, start = int(present[-1]) + 1 if len(present) else 0, 0.0
        times = None if one.time is None else rows[one.time]
        if times is not None and n and np.isfinite(times[0]):
            n, start = min(n, _ascending(times)), float(times[0])
            _compare(path, one, times[:n])
        found.append((one, rows[one.place][:n], start))
    return found


def _compare(path: Path, one: _Column, times_s: NDArray[np.float64]) -> None:
    if len(times_s) < 2 or not one.rate_hz or times_s[-1] <= times_s[0]:
        return
    told = (len(times_s) - 1) / (times_s[-1] - times_s[0])
    if abs(told / one.rate_hz - 1) > _RATE_ERROR:
        say(
            f"{path}: the times of {one.name} tell {told:g} Hz and its head {one.rate_hz:g} Hz, "
            "which is used: samples may be missing"
        )


def _series(columns: Sequence[_Column]) -> dict[str, list[_Column]]:
    """Channels of EMG by the recording that they belong to: one for each rate."""
    emg = [one for one in columns if one.emg]
    several = len({one.rate_hz for one in emg}) > 1
    found = dict[str, list[_Column]]()
    for one in emg:
        found.setdefault(f"EMG at {one.rate_hz:.10g} Hz" if several else "EMG", []).append(one)
    return found


def _signal(path: Path, one: _Column, values: NDArray[np.float64], start: float) -> Signal | None:
    if len(values) == 0 or not np.all(np.isfinite(values)) or not one.rate_hz:
        say(f"{path}: {one.name} is left out, as it has no samples, or gaps")
        return None
    return Signal(values.copy(), one.rate_hz, one.unit, start, one.name)
