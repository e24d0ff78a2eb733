"""Collect what a careful user wants to know."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from ..errors import MyoloopWarning


@contextmanager
def collected() -> Iterator[list[str]]:
    """List that fills with the MyoloopWarnings of the block; they are shown on stderr at its end.

    Other warnings are shown as always.
    """
    texts: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", MyoloopWarning)
        show = warnings.showwarning

        def keep(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, MyoloopWarning):
                show(message, category, *where, **more)
            elif str(message) not in texts:
                texts.append(str(message))

        warnings.showwarning = keep
        try:
            yield texts
        finally:
            for text in texts:
                click.echo(f"warning: {text}", err=True)
