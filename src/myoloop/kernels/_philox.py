"""Counter-based random numbers for compiled kernels.

Draw `draw` of unit `unit` of the stream with key `key` is a pure function of the three, so no unit's
draws depend on how many other units there are or in which order they are served.

References
----------
Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3. Philox4x32-10.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _32, _11, _5, _6 = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(11), np.uint64(5), np.uint64(6)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2**-53


@njit(inline="never", cache=True)
def philox(key: Any, counter_high: Any, counter_low: Any) -> Any:
    """Two 64-bit words from a 64-bit key and a 128-bit counter (given as two 64-bit words)."""
    c0, c1 = counter_low & _LOW, counter_low >> _32
    c2, c3 = counter_high & _LOW, counter_high >> _32
    k0, k1 = key & _LOW, key >> _32
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0 | (c1 << _32), c2 | (c3 << _32)


@njit(cache=True)
def uniform_pair(key: Any, unit: Any, draw: Any) -> Any:
    """Two independent uniform numbers in (0, 1) for draw `draw` of unit `unit`."""
    a, b = philox(key, np.uint64(unit), np.uint64(draw))
    return (np.float64(a >> _11) + 0.5) * _TO_UNIT, (np.float64(b >> _11) + 0.5) * _TO_UNIT


@njit(cache=True)
def gamma_interval(key: Any, unit: Any, draw: Any, shape: Any) -> Any:
    """Gamma number of mean 1 and shape >= 1, and the next free draw.

    Shape 1 is the exponential; else Marsaglia and Tsang (2000), ACM TOMS 26:363.
    """
    if shape == 1.0:
        u, _ = uniform_pair(key, unit, draw)
        return -math.log(u), draw + 1
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        u, angle = uniform_pair(key, unit, draw)
        accept, _ = uniform_pair(key, unit, draw + 1)
        draw += 2
        normal = math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * angle)
        v = (1.0 + c * normal) ** 3
        if v > 0.0 and math.log(accept) < 0.5 * normal * normal + d - d * v + d * math.log(v):
            return d * v / shape, draw
