"""What users say of units, times and spans, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError, UnknownNameError, shown
from ...units import to_float

FloatArray = NDArray[np.float64]
Span = tuple[float, float]


def unit_at(unit: Any, names: list[str], field: str) -> int:
    """Index of a unit that is given by its name or its index."""
    if isinstance(unit, str):
        if unit not in names:
            raise UnknownNameError(field, unit, names)
        return names.index(unit)
    whole = isinstance(unit, int | np.integer) and not isinstance(unit, bool)
    if not whole or not 0 <= unit < len(names):
        raise ParameterError(
            field, f"{shown(unit)} of {len(names)} units", "give the name of a unit, or its index from 0"
        )
    return int(unit)


def times(value: Any, start_s: float, stop_s: float, field: str) -> FloatArray:
    """Ascending times of the recording."""
    given = np.atleast_1d(np.asarray(to_float(value, "s", field), dtype=np.float64))
    if given.ndim != 1 or given.size == 0 or not np.all(np.isfinite(given)):
        raise ParameterError(field, f"{shown(value)} was given", "give one time or a list of times in s")
    if given.min() < start_s or given.max() > stop_s:
        raise ParameterError(
            field,
            f"{given.min():g} to {given.max():g} s, the recording has {start_s:g} to {stop_s:g} s",
            "give times of the recording",
        )
    return np.sort(given)


def span(value: Any, field: str) -> Span | None:
    """A start and a later stop in s, or None."""
    if value is None:
        return None
    try:
        start, stop = (to_float(one, "s", field) for one in value)
    except (TypeError, ValueError) as error:
        if isinstance(error, ParameterError):
            raise
        start = stop = float("nan")
    if not (isinstance(start, float) and isinstance(stop, float) and start < stop):
        raise ParameterError(field, f"{shown(value)} was given", "give (start, stop) in s, the start first")
    return start, stop


def positive(value: Any, unit: str | None, field: str) -> float:
    """A finite number above 0."""
    given = to_float(value, unit, field)
    if not isinstance(given, float) or not 0 < given < np.inf:
        raise ParameterError(field, f"{shown(value)} was given", "give a number above 0")
    return given


def switch(value: Any, field: str) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ParameterError(field, f"{shown(value)} was given", "give True or False")
    return bool(value)
