"""Two measurements of the same units, compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class BlandAltman:
    """Differences of paired values against their means.

    Parameters
    ----------
    mean, difference : ndarray, shape (pairs,)
        Of the pairs without NaN; the difference is the second value minus the first.
    bias : float
        Mean difference.
    lower, upper : float
        Limits of agreement, bias -/+ 1.96 standard deviations; NaN for one pair.
    """

    mean: FloatArray
    difference: FloatArray
    bias: float
    lower: float
    upper: float

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.mean)


def bland_altman(first: ArrayLike, second: ArrayLike) -> BlandAltman:
    """Agreement of two measurements of the same quantity, e.g. rates of units in two decompositions.

    Parameters
    ----------
    first, second : array-like, shape (pairs,)
        Pairs with a NaN are left out.

    Returns
    -------
    BlandAltman

    Raises
    ------
    ParameterError
        Arrays of different shape, or no pair without NaN.

    References
    ----------
    Bland, Altman (1986), Lancet 327:307.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ParameterError(
            "bland_altman.second", f"shapes {a.shape} and {b.shape}", "give one value of each for each unit"
        )
    known = np.isfinite(a) & np.isfinite(b)
    if not known.any():
        raise ParameterError("bland_altman.first", "no pair of finite values", "give at least one")
    difference = (b - a)[known]
    bias = float(difference.mean())
    reach = 1.96 * float(difference.std(ddof=1)) if len(difference) > 1 else np.nan
    return BlandAltman(((a + b) / 2)[known], difference, bias, bias - reach, bias + reach)
