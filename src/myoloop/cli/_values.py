"""Turn ``--set name=value`` into what the field of that name takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._group import refuse

if TYPE_CHECKING:
    from ..parameters import Parameters

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def changes_of(params: Parameters, settings: Iterable[str]) -> dict[str, Any]:
    """Changes for `Parameters.replace` from texts such as ``duration_s=5``.

    Parameters
    ----------
    params : Parameters
        What is to be changed. A dotted name reaches into a field that holds parameters itself.
    settings : iterable of str
        ``name=value`` each. A value is a number, with a unit if one likes ("0.8 cm" for a field in mm),
        ``true`` or ``false``, ``none`` for an optional field, a name, or numbers divided by commas for a
        field with one value for each unit.

    Raises
    ------
    UnknownNameError, ParameterError
        As `Parameters.replace` raises them.
    """
    changes: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip() or not text.strip():
            refuse(f"--set {setting!r}: give name=value, e.g. --set duration_s=5")
        _add(changes, params, name.strip(), text.strip())
    return changes


def _add(changes: dict[str, Any], params: Parameters, name: str, text: str) -> None:
    from ..errors import UnknownNameError
    from ..parameters import Parameters

    first, dot, rest = name.partition(".")
    fields = {field.name: field for field in dataclasses.fields(params) if field.init}
    if first not in fields:
        raise UnknownNameError(type(params).__name__, first, fields)
    current = changes.get(first, getattr(params, first))
    if not dot:
        changes[first] = _value(text, current, first, f"{type(params).__name__}.{first}")
        return
    if not isinstance(current, Parameters):
        refuse(f"--set {name}: {first} holds no parameters of its own; set {first} itself")
    inner: dict[str, Any] = {}
    _add(inner, current, rest, text)
    changes[first] = current.replace(**inner)


def _value(text: str, current: Any, name: str, address: str) -> Any:
    """`text` as a value for a field that now holds `current`; the field itself checks the rest."""
    from ..errors import ParameterError
    from ..units import to_float, unit_of

    if isinstance(current, bool):
        if text.lower() not in _TRUTHS:
            raise ParameterError(address, f"{text!r} was given", "give true or false")
        return _TRUTHS[text.lower()]
    if isinstance(current, str):
        return text
    if text.lower() == "none":
        return None
    if "," in text:
        import numpy as np

        parts = [to_float(part.strip(), unit_of(name), address) for part in text.split(",") if part.strip()]
        return (
            tuple(_like(current, part) for part in parts) if isinstance(current, tuple) else np.array(parts)
        )
    if isinstance(current, tuple):
        return (_like(current, to_float(text, unit_of(name), address)),)
    if isinstance(current, int):
        return _whole(text)
    return to_float(text, unit_of(name), address)


def _like(current: tuple[Any, ...], number: float) -> float | int:
    """A whole number where the tuple holds whole numbers."""
    whole = bool(current) and all(isinstance(item, int) for item in current)
    return int(number) if whole and number.is_integer() else number


def _whole(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
