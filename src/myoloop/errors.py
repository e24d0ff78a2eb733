"""What can go wrong, in one small hierarchy.

Every message reads ``Owner.field: what is wrong, what was given; what would do``. Each class is also
the standard exception that fits, so ``except ValueError`` works without knowing this package.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, final


class MyoloopError(Exception):
    """Base of all errors that this package raises on purpose."""


@final
class ParameterError(MyoloopError, ValueError):
    """A value outside what its field allows.

    Parameters
    ----------
    field : str
        Its address, as ``Owner.field``.
    wrong : str
        What is wrong, with what was given.
    mend : str
        What would do.
    """

    def __init__(self, field: str, wrong: str, mend: str) -> None:
        self.field, self.wrong, self.mend = field, wrong, mend
        super().__init__(f"{field}: {wrong}; {mend}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.field, self.wrong, self.mend)


@final
class UnknownNameError(MyoloopError, LookupError):
    """A name that does not exist; the message offers the nearest one that does."""

    def __init__(self, field: str, given: object, known: Iterable[str]) -> None:
        self.field, self.known = field, tuple(known)
        self.given = given if isinstance(given, str) else shown(given)
        near = get_close_matches(self.given, self.known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        names = ", ".join(sorted(self.known)) or "none"
        super().__init__(f"{field}: no {shown(given)}; {hint}known are {names}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.field, self.given, self.known)


@final
class UnreadableFileError(MyoloopError, OSError):
    """A file that is absent, truncated, of another format or otherwise not to be read."""


@final
class OutputError(MyoloopError, OSError):
    """An output that cannot be written: it exists already, or the disk is full."""


@final
class MissingDependencyError(MyoloopError, ImportError):
    """A part of the package whose extra is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        self.what, self.extra = what, extra
        super().__init__(f"{what} needs the extra {extra!r}; pip install 'myoloop[{extra}]'")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.extra)


def shown(value: object) -> str:
    """`value` for an error message: its repr, shortened, or its type where it has none."""
    try:
        return reprlib.repr(value)
    except Exception:
        return f"a {type(value).__name__}"


@final
class MyoloopWarning(UserWarning):
    """Something that a careful user wants to know and that does not stop the work."""
