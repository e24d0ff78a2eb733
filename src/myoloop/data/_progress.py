"""How long work tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called now and then by long work; must return quickly.

    Raising an exception in it (e.g. KeyboardInterrupt) stops the work in an orderly way.
    """

    def __call__(self, stage: str, done: float, total: float, unit: str = "s") -> None:
        """Say that `done` of `total` `unit` of the stage called `stage` is done."""


def silent(stage: str, done: float, total: float, unit: str = "s") -> None:
    """Show nothing: the default progress callback."""
