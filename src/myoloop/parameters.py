"""Frozen parameter classes that check themselves when they are made.

    @dataclass(frozen=True, kw_only=True)
    class Twitch(Parameters):
        contraction_time_ms: float = number(90.0, above=0)
        repeats: int = count(1)

A field's ending names its unit (see `units`); a quantity of the right dimension is converted.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import numpy as np

from .errors import ParameterError, UnknownNameError, shown
from .units import to_float, unit_of

_NO_DEFAULT: Any = dataclasses.MISSING
_WHOLE = re.compile(r"\s*[-+]?[0-9]{1,19}\s*")
_TOO_LARGE = 2**63  # for the 64 bits of an array index


def number(
    default: Any = _NO_DEFAULT,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    per_unit: bool = False,
    optional: bool = False,
    help: str = "",
) -> Any:
    """Field for a finite float; `per_unit` also admits a 1-D array, `optional` also None."""
    bounds = {"above": above, "at_least": at_least, "below": below, "at_most": at_most}
    check = _Number(bounds, per_unit, optional)
    return dataclasses.field(default=default, metadata={"check": check, "help": help})


def count(default: Any = _NO_DEFAULT, *, at_least: int = 1, help: str = "") -> Any:
    """Field for a whole number."""
    return dataclasses.field(default=default, metadata={"check": _Count(at_least), "help": help})


def choice(default: str, options: tuple[str, ...], *, help: str = "") -> Any:
    """Field for one of a few names."""
    return dataclasses.field(default=default, metadata={"check": _Choice(options), "help": help})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parameters:
    """Base of every parameter class: fields made by `number`, `count` and `choice` are checked."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check = field.metadata.get("check")
            if check is not None:
                address = f"{type(self).__name__}.{field.name}"
                checked = check(getattr(self, field.name), unit_of(field.name), address)
                object.__setattr__(self, field.name, checked)

    def replace(self, **changes: Any) -> Any:
        """Copy with some fields changed; an unknown name is refused with the nearest one."""
        known = [field.name for field in dataclasses.fields(self) if field.init]
        for name in changes:
            if name not in known:
                raise UnknownNameError(type(self).__name__, name, known)
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values (numbers, texts, lists, nested dictionaries) for a provenance file."""
        return {
            "model": type(self).__name__,
            **{f.name: plain(getattr(self, f.name)) for f in dataclasses.fields(self)},
        }


def plain(value: Any) -> Any:
    """`value` in types that JSON knows; a callable becomes its name."""
    if isinstance(value, Parameters):
        return value.to_dict()
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return getattr(value, "__qualname__", None) or type(value).__qualname__


@dataclasses.dataclass(frozen=True)
class _Number:
    bounds: dict[str, float | None]
    per_unit: bool
    optional: bool

    def __call__(self, value: Any, unit: str | None, address: str) -> Any:
        if value is None and self.optional:
            return None
        value = to_float(value, unit, address)
        if isinstance(value, np.ndarray):
            if not self.per_unit or value.ndim != 1 or value.size == 0:
                raise ParameterError(
                    address, f"an array of shape {value.shape} was given", self._wanted(unit)
                )
            value = value.copy()
            value.flags.writeable = False
        bad = ~np.isfinite(value) | self._outside(np.asarray(value))
        if np.any(bad):
            given = value if isinstance(value, float) else value[np.argmax(bad)]
            raise ParameterError(address, f"{given:g} was given", self._wanted(unit))
        return value

    def _outside(self, value: Any) -> Any:
        limits, bad = self.bounds, np.zeros(np.shape(value), dtype=bool)
        if limits["above"] is not None:
            bad |= value <= limits["above"]
        if limits["at_least"] is not None:
            bad |= value < limits["at_least"]
        if limits["below"] is not None:
            bad |= value >= limits["below"]
        if limits["at_most"] is not None:
            bad |= value > limits["at_most"]
        return bad

    def _wanted(self, unit: str | None) -> str:
        limits = [f"{n.replace('_', ' ')} {v:g}" for n, v in self.bounds.items() if v is not None]
        what = "a finite number" + (f" in {unit}" if unit else "")
        what += " or one for each unit" if self.per_unit else ""
        return " ".join(["give", what, " and ".join(limits)]).strip()


@dataclasses.dataclass(frozen=True)
class _Count:
    at_least: int

    def __call__(self, value: Any, unit: str | None, address: str) -> int:
        whole: Any = value
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            whole = int(value)
        if isinstance(value, float | np.floating) and float(value).is_integer():
            whole = int(value)
        right = isinstance(whole, int | np.integer) and not isinstance(whole, bool)
        if not right or not self.at_least <= whole < _TOO_LARGE:
            mend = f"give a whole number of at least {self.at_least}"
            raise ParameterError(address, f"{shown(value)} was given", mend)
        return int(whole)


@dataclasses.dataclass(frozen=True)
class _Choice:
    options: tuple[str, ...]

    def __call__(self, value: Any, unit: str | None, address: str) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise UnknownNameError(address, value, self.options)
        return str(value)
