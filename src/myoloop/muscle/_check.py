"""Checks of plain arguments, with the same rules and messages as the fields of parameter classes."""

from __future__ import annotations

from typing import Any

from ..parameters import choice, count, number
from ..units import unit_of


def number_argument(value: Any, field: str, **bounds: Any) -> Any:
    """`value` as a finite float (or array with ``per_unit=True``); `field` is ``"owner.argument"``."""
    check = number(**bounds).metadata["check"]
    return check(value, unit_of(field.rpartition(".")[2]), field)


def count_argument(value: Any, field: str) -> int:
    """`value` as a whole number of at least 1."""
    return int(count().metadata["check"](value, None, field))


def choice_argument(value: Any, field: str, options: tuple[str, ...]) -> str:
    """`value` if it is one of `options`."""
    return str(choice(options[0], options).metadata["check"](value, None, field))
