"""Modified Bessel functions of many orders, as logarithms: neither overflow nor underflow."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Bessel(NamedTuple):
    """I_n(x) and K_n(x) for n = 0..orders, each array of shape (orders + 1, *x.shape).

    `log_i` and `log_k` are ln I_n and ln K_n; `slope_i` and `slope_k` are I_n'/I_n and K_n'/K_n.
    """

    log_i: FloatArray
    log_k: FloatArray
    slope_i: FloatArray
    slope_k: FloatArray


def bessel(orders: int, x: FloatArray) -> Bessel:
    """All of I_n, K_n and their slopes at `x` > 0.

    The ratio I_{n+1}/I_n is stable by backward recurrence, K_{n+1}/K_n by forward recurrence; order 0
    comes from scaled functions. Abramowitz & Stegun 9.6.26.
    """
    from scipy.special import i0e, k0e, k1e

    x = np.asarray(x, dtype=float)
    n = np.arange(orders + 1.0).reshape(-1, *[1] * x.ndim)
    up_i, up_k = np.empty((orders + 1, *x.shape)), np.empty((orders + 1, *x.shape))
    # Far enough above that the start does not matter: the ratio's error shrinks by its square each step.
    ratio = np.zeros_like(x)
    for order in range(orders + 30 + int(np.sqrt(50.0 * x.max())), -1, -1):
        ratio = 1.0 / (2.0 * (order + 1) / x + ratio)
        if order <= orders:
            up_i[order] = ratio
    up_k[0] = k1e(x) / k0e(x)
    for order in range(1, orders + 1):
        up_k[order] = 2.0 * order / x + 1.0 / up_k[order - 1]
    return Bessel(
        _accumulated(np.log(i0e(x)) + x, up_i),
        _accumulated(np.log(k0e(x)) - x, up_k),
        n / x + up_i,
        n / x - up_k,
    )


def _accumulated(first: FloatArray, ratios: FloatArray) -> FloatArray:
    return np.concatenate([first[None], first + np.cumsum(np.log(ratios[:-1]), axis=0)])
