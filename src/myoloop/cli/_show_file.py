"""What is in a file, for the terminal."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from ._show import _print, _table

if TYPE_CHECKING:
    from ..io import FileSummary, RecordingSummary

_STEPS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def is_file(name: str) -> bool:
    """Whether a name means a file or folder: it is there, or looks like a path."""
    path = Path(name)
    return path.exists() or len(path.parts) > 1 or bool(path.suffix)


def show_file(path: Path) -> None:
    """Recordings, units and further signals of a file, and what can be done with them.

    Raises
    ------
    UnreadableFileError, MissingDependencyError
    """
    from ..io import describe

    found = describe(path)
    _print(Text(f"{path.name}: {found.format}, {_size(found.size_bytes)}", style="bold"))
    if found.status != "complete":
        _print(Text(f"the run that wrote it was {found.status}"))
    if found.recordings:
        rows = [
            (name or path.name, one.n_channels, one.n_samples, *_rate(one))
            for name, one in found.recordings.items()
        ]
        _print(Text(""))
        columns = ("Recording", "Channels", "Samples", "Rate (Hz)", "Duration (s)")
        _print(_table(columns, rows, right=(1, 2, 3, 4)))
    _show_units(found)
    if found.signals:
        _print(Text(f"Recorded beside it: {', '.join(found.signals)}\n"))
    for line in _advice(path, found):
        _print(Text(line))


def _show_units(found: FileSummary) -> None:
    if found.populations is None:
        _print(Text("A pickle: nobody can look into it without running what its author put in.\n"))
    elif found.populations:
        rows = [
            (name or "(no name)", pool.n_units, pool.n_active, pool.n_spikes)
            for name, pool in found.populations.items()
        ]
        _print(_table(("Units", "In the pool", "With spikes", "Spikes"), rows, right=(1, 2, 3)))


def _rate(one: RecordingSummary) -> tuple[str, str]:
    if math.isnan(one.rate_hz):
        return "not stated; give --rate-hz", "not known"
    return f"{one.rate_hz:g}", f"{one.duration_s:.5g}"


def _advice(path: Path, found: FileSummary) -> list[str]:
    if not found.recordings:
        return []
    words = ["myoloop decompose", _quoted(str(path))]
    if len(found.recordings) > 1:
        words += ["--series", _quoted(next(iter(found.recordings)))]
    if any(math.isnan(one.rate_hz) for one in found.recordings.values()):
        words.append("--rate-hz HZ")
    command = " ".join([*words, "--out DIR"])
    if not found.populations:
        return [f"Find its units: {command}"]
    return [f"Find its units: {command}", f"and compare them with those above: --reference {words[1]}"]


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)


def _size(n_bytes: int) -> str:
    for unit, step in _STEPS:
        if n_bytes >= step:
            return f"{n_bytes / step:.3g} {unit}"
    return f"{n_bytes} bytes"
