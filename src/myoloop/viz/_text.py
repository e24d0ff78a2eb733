"""Numbers as text, for reports and the command line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ..units import unit_of

_LONGEST_LIST = 8


def number_text(value: Any) -> str:
    """A plain value as a reader wants it: five digits of a number, yes or no, a short list.

    Parameters
    ----------
    value : object
        None and NaN become ``"not available"``.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "not available"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = f"{abs(value):.0f}" if 1e5 <= abs(value) < 1e9 else f"{abs(value):.5g}"
        return f"\N{MINUS SIGN}{text}" if value < 0 else text
    if isinstance(value, list | tuple):
        shown = ", ".join(number_text(item) for item in value[:_LONGEST_LIST])
        return shown if len(value) <= _LONGEST_LIST else f"{shown}, ... ({len(value)} values)"
    if isinstance(value, Mapping):
        items = list(value.items())
        shown = ", ".join(f"{key}: {number_text(item)}" for key, item in items[:_LONGEST_LIST])
        return shown if len(items) <= _LONGEST_LIST else f"{shown}, ... ({len(items)} values)"
    return str(value)


def unit_text(name: str) -> str:
    """Unit that the ending of a (dotted) name promises, as it is written; the innermost that has one."""
    unit = next((u for u in map(unit_of, reversed(name.split("."))) if u), "")
    return unit.replace("_per_", "/").replace("per_", "1/").replace("_", " ").replace("hz", "Hz")


def flat(
    values: Mapping[str, Any], above: str = "", *, longest: float = _LONGEST_LIST
) -> Iterator[tuple[str, Any, str]]:
    """Rows (dotted name, value, unit) of a nested mapping.

    A mapping of more than `longest` single values stays one row.
    """
    for key, value in values.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(value, Mapping) and (len(value) <= longest or _holds_mappings(value)):
            yield from flat(value, name, longest=longest)
        else:
            yield name, value, unit_text(name)


def _holds_mappings(values: Mapping[str, Any]) -> bool:
    return any(isinstance(value, Mapping) for value in values.values())
