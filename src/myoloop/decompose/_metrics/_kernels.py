"""Compiled loops over pairs of spike trains: the lag between them and the spikes in common."""

from __future__ import annotations

import numpy as np
from numba import njit

BINS = 8  # of the histogram of time differences, in one tolerance


@njit(cache=True, nogil=True)
def common_spikes(a, a_starts, b, b_starts, tolerance, max_lag):
    """Lag and number of common spikes of every train of `a` with every train of `b`.

    Times and lags in one unit; ``a`` holds all trains one after another, each ascending, and train i is
    ``a[a_starts[i]:a_starts[i + 1]]``. Returns (hits, lags), both (trains of a, trains of b); a lag is
    positive where `a` is later, and NaN where no two spikes are near enough for any lag.
    """
    n, m = a_starts.shape[0] - 1, b_starts.shape[0] - 1
    hits = np.zeros((n, m), np.int64)
    lags = np.full((n, m), np.nan)
    width = tolerance / BINS
    half = int(np.ceil((max_lag + tolerance) / width))
    furthest = int(np.floor(max_lag / width + 1e-9))
    counts = np.zeros(2 * half + 1, np.int64)
    for i in range(n):
        for j in range(m):
            x, y = a[a_starts[i] : a_starts[i + 1]], b[b_starts[j] : b_starts[j + 1]]
            if not _count_differences(x, y, max_lag + tolerance, width, half, counts):
                continue
            # Of two equal maxima at -lag and +lag: which, must not depend on the order of the arguments.
            later = len(x) > len(y) or (len(x) == len(y) and x[0] > y[0])
            lag = width * _densest(counts, half, furthest, 1 if later else -1)
            lags[i, j], hits[i, j] = lag, pairs_at(x, y, lag, tolerance)
            mean = _mean_difference(x, y, lag, tolerance)
            if abs(mean) <= max_lag:
                lags[i, j], hits[i, j] = mean, max(hits[i, j], pairs_at(x, y, mean, tolerance))
    return hits, lags


@njit(cache=True, nogil=True)
def pairs_at(x, y, lag, tolerance):
    """Most pairs of one spike of `x` and one of `y` with ``|x - y - lag| <= tolerance``, each used once.

    Taking the earliest possible pair first is optimal for intervals of equal length.
    """
    limit = tolerance * (1.0 + 1e-6)  # differences of decimal times are not exact
    i = j = count = 0
    while i < x.shape[0] and j < y.shape[0]:
        apart = x[i] - y[j] - lag
        if apart > limit:
            j += 1
        elif apart < -limit:
            i += 1
        else:
            count += 1
            i += 1
            j += 1
    return count


@njit(cache=True, nogil=True)
def _count_differences(x, y, reach, width, half, counts):
    """Histogram of all differences ``x - y`` within `reach`; returns how many there are."""
    counts[:] = 0
    total = 0
    low = 0
    for i in range(x.shape[0]):
        while low < y.shape[0] and x[i] - y[low] > reach:
            low += 1
        j = low
        while j < y.shape[0] and x[i] - y[j] >= -reach:
            apart = x[i] - y[j]
            place = int(np.floor(abs(apart) / width + 0.5))  # symmetric about 0
            counts[half + min(half, place) if apart >= 0 else half - min(half, place)] += 1
            total += 1
            j += 1
    return total


@njit(cache=True, nogil=True)
def _densest(counts, half, furthest, preferred):
    """Bin (from 0 in the middle) about which a tolerance on both sides holds the most differences.

    Of equal maxima the nearest to 0 (at equal distance that of the sign `preferred`), and then the middle
    of the run of equals that it belongs to.
    """
    total = np.zeros(counts.shape[0] + 1, np.int64)
    for p in range(counts.shape[0]):
        total[p + 1] = total[p] + counts[p]
    best, nearest = _inside(total, half), 0
    for k in range(1, furthest + 1):
        for side in (preferred * k, -preferred * k):
            if _inside(total, half + side) > best:
                best, nearest = _inside(total, half + side), side
    first = last = nearest
    while first > -furthest and _inside(total, half + first - 1) == best:
        first -= 1
    while last < furthest and _inside(total, half + last + 1) == best:
        last += 1
    return 0.5 * (first + last)


@njit(cache=True, nogil=True)
def _inside(total, place):
    """Differences within a tolerance of the bin `place`, from the running total."""
    return total[min(total.shape[0] - 1, place + BINS + 1)] - total[max(0, place - BINS)]


@njit(cache=True, nogil=True)
def _mean_difference(x, y, lag, tolerance):
    """Mean of the differences ``x - y`` within the tolerance about `lag`; `lag` where there is none."""
    total, count, low = 0.0, 0, 0
    for i in range(x.shape[0]):
        while low < y.shape[0] and x[i] - y[low] - lag > tolerance:
            low += 1
        j = low
        while j < y.shape[0] and x[i] - y[j] - lag >= -tolerance:
            total += x[i] - y[j] - lag
            count += 1
            j += 1
    return lag + total / count if count else lag
