"""How twitches add up: the gain of Fuglevand, Winter and Patla (1993) and the steady force it makes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError

FloatArray = NDArray[np.float64]

KNEE = 0.4  # below it, twitches add up linearly
GAIN_AT_KNEE = (1.0 - math.exp(-2.0 * KNEE**3)) / KNEE  # before scaling


def twitch_gain(x: ArrayLike) -> FloatArray:
    """Gain of a twitch against the rate at which it follows the one before.

    Parameters
    ----------
    x : array of float, shape (...)
        Contraction time over the interval *preceding* the discharge, 0 or more; 0 for a first
        discharge, infinite for two at once.

    Returns
    -------
    ndarray, shape (...)
        1 below x = 0.4, else S(x)/x over its value at 0.4, with S(x) = 1 - exp(-2 x**3).

    Raises
    ------
    ParameterError
        A negative number or NaN.

    References
    ----------
    Fuglevand, Winter, Patla (1993), J Neurophysiol 70:2470, Eqs. 16-17.
    """
    rate = np.asarray(x, dtype=np.float64)
    if not np.all(rate >= 0):
        raise ParameterError("twitch_gain.x", "a negative number or NaN was given", "give 0 or more")
    beyond = np.maximum(rate, KNEE)
    sigmoid = 1.0 - np.exp(-2.0 * beyond**3)
    return np.where(rate < KNEE, 1.0, sigmoid / (beyond * GAIN_AT_KNEE))


def steady_force(x: ArrayLike) -> FloatArray:
    """Exact mean force over peak twitch force, F/P = e x g(x), of a unit that fires regularly.

    The integral of a twitch is e P T and one comes each T/x.

    Parameters
    ----------
    x : array of float, shape (...)
        Contraction time over interspike interval.

    Returns
    -------
    ndarray, shape (...)
        At most 9.05, where the tetanus is fused.
    """
    rate = np.asarray(x, dtype=np.float64)
    return np.e * rate * twitch_gain(rate)
