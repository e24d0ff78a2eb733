"""Recruitment thresholds of a motor-unit pool, smallest unit first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ._check import choice_argument, count_argument, number_argument

FloatArray = NDArray[np.float64]


def recruitment_thresholds(
    n: int,
    ratio: float,
    mode: str = "combined",
    *,
    slope: float = 10.0,
    maximum: float = 1.0,
    exact: bool = False,
) -> FloatArray:
    r"""Recruitment threshold of each motor unit of a pool.

    With i = 1..n, RR the `ratio`, b the `slope` and Rmax the `maximum`, the modes are

    - ``"fuglevand"``: exp(i ln(RR)/n)/100;
    - ``"deluca"``: (b i/n) exp(i ln(RR/b)/n)/100;
    - ``"konstantin"``: (Rmax/RR) exp((i - 1) ln(RR)/(n - 1));
    - ``"combined"``: the De Luca shape mapped affinely onto [Rmax/RR, Rmax].

    The first two **do not reach the asked ratio**: the largest threshold is RR/100, but the smallest is
    RR**(1/n)/100 for ``"fuglevand"`` (for 120 units and a ratio of 30 the thresholds span 29.2-fold) and
    b (RR/b)**(1/n)/(100 n) for ``"deluca"`` (for 800 units, a ratio of 100 and a slope of 10 they span
    7977-fold). With ``exact=True`` the same shape is stretched, as a power of itself, to go from Rmax/RR
    to Rmax; ``"fuglevand"`` then equals ``"konstantin"``.

    Parameters
    ----------
    n : int
        Number of motor units; 1 is valid, and gives the largest threshold.
    ratio : float
        Largest over smallest threshold, above 1.
    mode : str
        ``"fuglevand"``, ``"deluca"``, ``"konstantin"`` or ``"combined"``.
    slope : float
        De Luca's b, from 0 to e times the ratio (above it, thresholds would not ascend). It shapes
        ``"deluca"`` and ``"combined"`` and has no part in the other two.
    maximum : float
        Threshold of the largest unit, e.g. as a fraction of the greatest excitation. The published
        forms of ``"fuglevand"`` and ``"deluca"`` fix it at ``ratio/100``: they refuse another.
    exact : bool
        Reach the ratio exactly (see above); no difference for the last two modes.

    Returns
    -------
    ndarray of float, shape (n,)
        Ascending.

    Raises
    ------
    ParameterError
        A value outside its range; the message names the argument.
    UnknownNameError
        Another mode.

    References
    ----------
    Fuglevand, Winter, Patla (1993), J Neurophysiol 70:2470, Eq. 1. De Luca, Contessa (2012),
    J Neurophysiol 107:178. Konstantin et al. (2020), IEEE Trans Biomed Eng 67:2005.
    """
    owner = "recruitment_thresholds"
    n = count_argument(n, f"{owner}.n")
    ratio = number_argument(ratio, f"{owner}.ratio", above=1.0)
    mode = choice_argument(mode, f"{owner}.mode", tuple(_MODES))
    slope = number_argument(slope, f"{owner}.slope", above=0.0)
    maximum = number_argument(maximum, f"{owner}.maximum", above=0.0)
    _check_combination(n, ratio, mode, slope, maximum, exact)
    thresholds = _MODES[mode](n, ratio, slope, maximum, bool(exact))
    if not (np.all(np.isfinite(thresholds)) and thresholds[0] > 0):
        raise ParameterError(
            f"{owner}.ratio", f"{ratio:g} is beyond what floats can hold", "give a smaller one"
        )
    return thresholds


def _fuglevand(n: int, ratio: float, slope: float, maximum: float, exact: bool) -> FloatArray:
    if exact:
        return _konstantin(n, ratio, slope, maximum, exact)
    return np.asarray(ratio ** (_index(n) / n) / 100.0)


def _deluca(n: int, ratio: float, slope: float, maximum: float, exact: bool) -> FloatArray:
    shape = _deluca_shape(n, ratio, slope)
    if not exact:
        return shape / 100.0
    if n == 1:
        return np.array([maximum])
    depth = np.log(shape[-1] / shape) / np.log(shape[-1] / shape[0])  # 1 for the smallest, 0 for the largest
    return np.asarray(maximum * ratio**-depth)


def _konstantin(n: int, ratio: float, slope: float, maximum: float, exact: bool) -> FloatArray:
    if n == 1:
        return np.array([maximum])
    return np.asarray(maximum * ratio ** ((_index(n) - n) / (n - 1)))


def _combined(n: int, ratio: float, slope: float, maximum: float, exact: bool) -> FloatArray:
    if n == 1:
        return np.array([maximum])
    shape = _deluca_shape(n, ratio, slope)
    lowest = maximum / ratio
    return np.asarray(lowest + (maximum - lowest) * (shape - shape[0]) / (shape[-1] - shape[0]))


def _deluca_shape(n: int, ratio: float, slope: float) -> FloatArray:
    return np.asarray(slope * _index(n) / n * (ratio / slope) ** (_index(n) / n))


def _index(n: int) -> FloatArray:
    return np.arange(1.0, n + 1.0)


_MODES: dict[str, Callable[[int, float, float, float, bool], FloatArray]] = {
    "fuglevand": _fuglevand,
    "deluca": _deluca,
    "konstantin": _konstantin,
    "combined": _combined,
}


def _check_combination(n: int, ratio: float, mode: str, slope: float, maximum: float, exact: Any) -> None:
    if mode in {"deluca", "combined"} and slope >= np.e * ratio:
        raise ParameterError(
            "recruitment_thresholds.slope",
            f"{slope:g} was given for a ratio of {ratio:g}, so thresholds would not ascend",
            f"give less than e times the ratio, {np.e * ratio:g}",
        )
    if mode in {"fuglevand", "deluca"} and not exact and maximum != 1.0:
        raise ParameterError(
            "recruitment_thresholds.maximum",
            f"{maximum:g} was given, but the published form of {mode!r} fixes the largest at ratio/100",
            "give exact=True, or the mode 'konstantin' or 'combined'",
        )
