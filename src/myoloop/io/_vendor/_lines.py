"""Lines of text: what they hold, the units that columns name, the rate of times that were rounded."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .._files import refuse
from ._tracks import VOLTS_UV

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
HEAD_CHARACTERS = 1 << 18
_LONGEST_LINE = 1 << 20
_UNITS = VOLTS_UV | {"volts": 1e6, "volt": 1e6, "millivolts": 1e3, "microvolts": 1.0}
_NAMED = re.compile(r"^(?P<name>.*?)\s*[\[(](?P<unit>[^\[\]()]*)[\])]$")
_TAILED = re.compile(r"^(?P<name>.+)_(?P<unit>uV|µV|mV|ms|s|N|Nm|deg)$")
_MEND = "write a line for each sample, with as many numbers in each"


def encoding_of(path: Path) -> str:
    """UTF-8 where the beginning is, else Latin-1."""
    with path.open("rb") as file:
        first = file.read(HEAD_CHARACTERS)
    try:
        first.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(first) - 4:
            return "latin-1"
    return "utf-8-sig"


def text_head(path: Path) -> list[str]:
    """The first lines that are whole; none of a file that is no text."""
    with path.open(encoding=encoding_of(path), errors="replace", newline=None) as file:
        text = file.read(HEAD_CHARACTERS)
        ends = not file.read(1)
    if "\0" in text:
        return []
    lines = text.split("\n")
    return lines if ends else lines[:-1]


def uncommented(line: str) -> str:
    """The line up to a ``#``."""
    return line.split("#", 1)[0].rstrip("\r\n")


def data_lines(path: Path, skip: int) -> Iterator[tuple[int, str]]:
    """Number and text of the lines that are neither blank nor a comment, after `skip` of these."""
    with path.open(encoding=encoding_of(path), errors="replace", newline=None) as file:
        for number in itertools.count(1):
            line = file.readline(_LONGEST_LINE)
            if not line:
                return
            if len(line) == _LONGEST_LINE:
                refuse(path, f"line {number} is longer than {_LONGEST_LINE} characters", _MEND)
            line = uncommented(line)
            if not line.strip():
                continue
            if skip:
                skip -= 1
                continue
            yield number, line


def is_number(cell: str) -> bool:
    """Whether a cell is a number or empty."""
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return "_" not in cell


def named_unit(text: str) -> tuple[str, str]:
    """Name and unit of a column, ``"EMG1 [mV]"`` and the like."""
    match = _NAMED.match(text) or _TAILED.match(text)
    return (match["name"].strip(), match["unit"].strip()) if match else (text, "")


def volts_uV(unit: str) -> float | None:
    """Factor from a unit of voltage to uV, None for other units."""
    return _UNITS.get(unit, _UNITS.get(unit.lower()) if len(unit) > 2 else None)


def even_rate(times_s: NDArray[np.float64], given_hz: float | None = None) -> tuple[float, int | None]:
    """Rate of times that were rounded in writing, and the index before the first gap.

    It is the slope of the line through the times, or, where that explains them as well, `given_hz` or a
    whole number. The rate is 0 for times that do not ascend.
    """
    n = len(times_s)
    if n < 2 or not np.all(np.isfinite(times_s)) or np.any(np.diff(times_s) < 0) or times_s[-1] <= times_s[0]:
        return 0.0, None
    since, k = times_s - times_s[0], np.arange(n)
    centred = k - k.mean()
    rate = float(centred @ centred / (centred @ since))
    steps = np.diff(since)
    # steps differ by at most what one digit of a coarse clock is worth
    uneven = np.abs(steps - 1 / rate) > max(0.5 / rate, float(steps[steps > 0].min()) * (1 + 1e-6))
    gap = int(np.argmax(uneven)) if uneven.any() else None
    most = 1.5 * float(np.ptp(since - k / rate)) + 1e-9 * float(np.abs(times_s).max())
    for one in (given_hz or 0.0, float(round(rate))):
        if one > 0 and np.ptp(since - k / one) <= most:
            return one, gap
    return rate, gap
