"""Checks that several parts of the network share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, shown
from ..units import to_float, unit_of

ANY = (-1e30, 1e30)  # of a drive: what is larger overflows single precision on the way
RATES = (0.0, 1e7)  # pps; each spike of a window takes memory


def check_name(value: Any, field: str) -> str:
    """Return the name of a node or projection; raises ParameterError if it is none."""
    if not isinstance(value, str) or not value or "." in value or "/" in value:
        raise ParameterError(field, f"{shown(value)} was given", "give a text without '.' or '/', e.g. 'MN'")
    return value


def check_kind(value: Any, kind: Any, field: str, mend: str) -> None:
    """Refuse what is not an instance of `kind`."""
    if not isinstance(value, kind):
        raise ParameterError(field, f"a {type(value).__name__} was given", mend)


def check_sequence(value: Any, kind: Any, field: str, mend: str) -> tuple[Any, ...]:
    """Return a list of instances of `kind` as a tuple."""
    if not isinstance(value, list | tuple):
        raise ParameterError(field, f"a {type(value).__name__} was given", mend)
    for item in value:
        check_kind(item, kind, field, mend)
    return tuple(value)


def check_cells(value: Any, field: str) -> tuple[int, ...]:
    """Return one or more cell indices as a tuple."""
    mend = "give the indices of the cells, e.g. [0, 4]"
    try:
        cells = np.atleast_1d(np.asarray(value))
    except ValueError:
        raise ParameterError(field, f"{shown(value)} was given", mend) from None
    if cells.ndim != 1 or cells.size == 0 or cells.dtype.kind not in "iu":
        raise ParameterError(field, f"{shown(value)} was given", mend)
    if len(np.unique(cells)) < len(cells):
        raise ParameterError(field, f"{shown(value)} names a cell twice", "name each cell once")
    return tuple(int(cell) for cell in cells)


def check_inside(cells: tuple[int, ...], n: int, field: str) -> None:
    """Refuse indices of cells that a population of `n` has not."""
    for cell in cells:
        if not 0 <= cell < n:
            raise ParameterError(field, f"{cell} was given", f"give 0 to {n - 1}")


def check_drive(
    value: Any, n: int, field: str, bounds: tuple[float, float], unit: str | None = None
) -> float | NDArray[np.float64]:
    """Return one number, or one for each of `n` units, shape (n,); raises ParameterError."""
    if type(value) is float or type(value) is int:  # the quick way, once in each window
        number: float | NDArray[np.float64] = value
        good = bounds[0] <= value <= bounds[1]  # NaN is not
    else:
        number = to_float(value, unit or unit_of(field), field)
        if np.shape(number) not in ((), (n,)):
            raise ParameterError(
                field, f"shape {np.shape(number)} for {n} units", "give one number or one for each unit"
            )
        good = bool(np.all((number >= bounds[0]) & (number <= bounds[1])))
    if not good:
        raise ParameterError(field, f"{shown(value)} was given", wanted(bounds))
    return number


def wanted(bounds: tuple[float, float]) -> str:
    """Say which numbers would do."""
    return f"give numbers from {bounds[0]:g} to {bounds[1]:g}"
