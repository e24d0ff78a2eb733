"""Show on stderr how far the work is: a bar on a terminal, else a line every tenth."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

import click

if TYPE_CHECKING:
    from ..data import Progress

_BAR_EVERY_S = 0.05
_LINE_EVERY_S = 1.0


@contextmanager
def progress_display() -> Iterator[Progress]:
    """Progress callback that shows simulated time and the remaining time while the block runs."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=32),
        TextColumn("{task.fields[amount]}", markup=False),
        TimeRemainingColumn(compact=True),
        TextColumn("left", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield Bars(bars)


@final
class Bars:
    """One bar for each stage."""

    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}
        self._done: dict[str, float] = {}
        self._shown_at = 0.0

    def __call__(self, stage: str, done: float, total: float, unit: str = "s") -> None:
        """Move the stage's bar; see `data.Progress`."""
        now = time.monotonic()
        is_known = stage in self._tasks
        if is_known and done < total and now - self._shown_at < _BAR_EVERY_S:
            return
        self._shown_at = now
        amount = amount_text(done, total, unit)
        if not is_known:
            self._tasks[stage] = self._bars.add_task(stage, total=total, amount=amount)
        elif done < self._done[stage]:  # the stage begins again
            self._bars.reset(self._tasks[stage])
        self._done[stage] = done
        self._bars.update(self._tasks[stage], completed=done, total=total, amount=amount)


@final
class Lines:
    """A line for every tenth of a stage, at most one a second."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._tenth: dict[str, int] = {}
        self._shown_at: dict[str, float] = {}

    def __call__(self, stage: str, done: float, total: float, unit: str = "s") -> None:
        """Print a line where it is time for one; see `data.Progress`."""
        now = time.monotonic()
        tenth = int(10 * done / total + 1e-9) if total > 0 else 10
        if stage not in self._began or tenth < self._tenth[stage]:
            self._began[stage], self._tenth[stage], self._shown_at[stage] = now, 0, now
        is_due = tenth >= 10 or now - self._shown_at[stage] >= _LINE_EVERY_S
        if tenth <= self._tenth[stage] or not is_due:
            return
        self._tenth[stage], self._shown_at[stage] = tenth, now
        left = (now - self._began[stage]) * (total - done) / done if done > 0 else 0.0
        remaining = f", {left:.0f} s left" if tenth < 10 else ""
        click.echo(f"{stage}: {amount_text(done, total, unit)} ({10 * tenth} %){remaining}", err=True)


def amount_text(done: float, total: float, unit: str) -> str:
    """How far, e.g. ``3.2 of 15.0 s``."""
    digits = 0 if float(total).is_integer() and unit != "s" else 1
    return f"{done:.{digits}f} of {total:.{digits}f} {unit}".rstrip()
