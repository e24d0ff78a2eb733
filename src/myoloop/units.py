"""Units are in the names: turn any dimensionally right quantity into the float that a name promises.

``duration_s=15``, ``duration_s=15000 * quantities.ms`` and ``duration_s="15000 ms"`` say the same.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from .errors import ParameterError, shown

# Ending of a field's name -> how the `quantities` package writes the unit.
SUFFIXES = {
    "s": "s",
    "ms": "ms",
    "us": "us",
    "per_ms": "1/ms",
    "m": "m",
    "cm": "cm",
    "mm": "mm",
    "um": "um",
    "mm2": "mm**2",
    "per_mm2": "1/mm**2",
    "m_per_s": "m/s",
    "mV": "mV",
    "uV": "uV",
    "nA": "nA",
    "pA": "pA",
    "uS": "uS",
    "nS": "nS",
    "nF": "nF",
    "pF": "pF",
    "MOhm": "Mohm",
    "ohm_cm": "ohm*cm",
    "S_per_cm2": "S/cm**2",
    "uF_per_cm2": "uF/cm**2",
    "S_per_m": "S/m",
    "hz": "Hz",
    "pps": "Hz",
    "N": "N",
    "kg": "kg",
    "rad": "rad",
    "deg": "deg",
}

_NUMBER_WITH_UNIT = re.compile(
    r"\s*(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<unit>[^\d\s].*?)?\s*\Z", re.ASCII
)
# Products and quotients of units and their small powers: all that is handed on to `quantities`, which
# would work out any arithmetic, however large.
_MICRO = str.maketrans("µμ", "uu")  # the micro sign and the Greek letter
_WORD = r"[^\W\d]\w*(?:\s*(?:\*\*|\^)\s*-?\d)?"
_UNIT = re.compile(rf"%|/?\s*{_WORD}(?:\s*[*/·]\s*{_WORD})*")


def unit_of(name: str) -> str | None:
    """Unit that the ending of a field's name promises, e.g. ``"mm"`` for ``spacing_mm``, or None."""
    parts = name.split("_")
    for k in range(1, len(parts)):
        suffix = "_".join(parts[k:])
        if suffix in SUFFIXES:
            return suffix
    return None


def to_float(value: Any, unit: str | None, field: str) -> Any:
    """Plain float or float64 array of `value` in `unit`.

    Parameters
    ----------
    value : float, array, quantities.Quantity or str
        A plain number is taken to be in `unit`; a quantity or a text such as ``"0.8 cm"`` is converted.
    unit : str or None
        A key of `SUFFIXES`; None for a dimensionless number.
    field : str
        Address for the error message.

    Raises
    ------
    ParameterError
        Not a number, or a quantity of another dimension.
    """
    if isinstance(value, list | tuple) and any(isinstance(v, str) or _is_quantity(v) for v in value):
        value = [to_float(item, unit, field) for item in value]
    if isinstance(value, str):
        value = _parse(value, unit, field)
    if _is_quantity(value):
        value = _convert(value, unit, field)
    try:
        array = np.asarray(value)
        if value is None or array.dtype.kind not in "iufO":
            raise TypeError
        number = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(field, f"not a number: {shown(value)}", f"give {_wanted(unit)}") from None
    return float(number) if number.ndim == 0 else number


def _is_quantity(value: Any) -> bool:
    """Whether it is a quantities.Quantity, without importing that package."""
    return hasattr(value, "dimensionality")


def _parse(text: str, unit: str | None, field: str) -> Any:
    match = _NUMBER_WITH_UNIT.match(text)
    if match is None:
        raise ParameterError(field, f"not a number: {shown(text)}", f"give {_wanted(unit)}")
    number, given = float(match["number"]), match["unit"]
    if given is None or given == unit:
        return number
    given = given.translate(_MICRO)
    if given not in SUFFIXES and _UNIT.fullmatch(given) is None:
        raise ParameterError(field, f"unknown unit in {shown(text)}", f"give {_wanted(unit)}")
    import quantities

    given = f"1{given}" if given.startswith("/") else given
    try:
        return quantities.Quantity(number, SUFFIXES.get(given, given))
    except (LookupError, SyntaxError, ValueError, TypeError, ArithmeticError, AttributeError):
        raise ParameterError(field, f"unknown unit in {shown(text)}", f"give {_wanted(unit)}") from None


def _convert(quantity: Any, unit: str | None, field: str) -> Any:
    try:
        return quantity.rescale(SUFFIXES[unit] if unit else "dimensionless").magnitude
    except (AttributeError, LookupError, TypeError, ValueError):
        raise ParameterError(
            field,
            f"wrong dimension: {quantity!s:.60}",
            f"give {_wanted(unit)} or a quantity that converts to it",
        ) from None


def _wanted(unit: str | None) -> str:
    return f"a number in {unit}" if unit else "a plain number"
