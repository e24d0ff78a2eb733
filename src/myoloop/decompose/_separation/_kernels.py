"""Compiled search for the most likely train."""

from __future__ import annotations

import numpy as np
from numba import njit

ROOT_2PI = float(np.sqrt(2 * np.pi))


@njit(cache=True, nogil=True)
def best_chain(times, gain, local, spread, pause, missed_share, anywhere_share):
    """Indices of the chain with the largest sum of gains and log densities of its intervals.

    Interval `d` to the previous member has the density of the docstring of `steady_train`; longer than
    `pause` it has that of `anywhere`, whatever it is.
    """
    n = times.shape[0]
    best, previous = np.empty(n), np.full(n, -1)
    anywhere = anywhere_share / pause
    restart = np.log(anywhere)
    best_before, ended = -1, 0  # best end of a chain more than a pause ago
    for i in range(n):
        while times[i] - times[ended] > pause:
            if best_before < 0 or best[ended] > best[best_before]:
                best_before = ended
            ended += 1
        total, chosen = restart, -1
        if best_before >= 0 and best[best_before] > 0:
            total, chosen = best[best_before] + restart, best_before
        for j in range(i - 1, ended - 1, -1):
            d = times[i] - times[j]
            z = np.log(d / local[i]) / spread
            missed = np.log(d / (2 * local[i])) / spread
            density = (np.exp(-0.5 * z * z) + missed_share * np.exp(-0.5 * missed * missed)) / (
                d * spread * ROOT_2PI
            )
            value = best[j] + np.log(density + anywhere)
            if value > total:
                total, chosen = value, j
        best[i], previous[i] = total + gain[i], chosen
    count, at = 0, int(np.argmax(best))
    chain = np.empty(n, np.int64)
    while at >= 0:
        chain[count] = at
        count += 1
        at = previous[at]
    return chain[:count][::-1].copy()
