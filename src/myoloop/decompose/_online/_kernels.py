"""Compiled loops of the online decomposition; every sum runs in an order that no cut into blocks changes."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

MISSED, ANYWHERE = 0.03, 0.01
"""Share of intervals that miss a spike, and of those that may have any length."""
RESTART = 0.25
"""Discharges expected per longest interval while a unit is silent."""
CERTAIN = 30.0
ROOT_2PI = math.sqrt(2 * math.pi)
GUMBEL_MEAN, GUMBEL_SCALE = float(np.euler_gamma), math.sqrt(6.0) / math.pi
NEGLIGIBLE = 0.02
"""Probability below which a peak is not taken for a discharge at all."""
ARTEFACT = 3.0
"""Height over the usual one from which on a peak is neither a discharge nor noise."""

# Columns of `heights`: the discharges' mean and variance, the other peaks' mean and variance, peaks a sample.
SPIKE_MEAN, SPIKE_VAR, NOISE_MEAN, NOISE_VAR, PEAK_RATE = range(5)
# Columns of `squares`, running means: squared heights of discharges, of others, distances within, between.
HIGH, LOW, WITHIN, BETWEEN = range(4)


@njit(cache=True, nogil=True)
def filtered(weights, x, begin, out):
    """``out[n, t] = sum_cl weights[n, c, l] x[c, begin + t + l]``; rows of `weights` in fours."""
    rows, channels, lags = weights.shape
    samples = out.shape[1]
    out[:] = 0.0
    for n in range(0, rows - rows % 4, 4):
        a, b, c, d = out[n], out[n + 1], out[n + 2], out[n + 3]
        for ch in range(channels):
            for lag in range(lags):
                part = x[ch, begin + lag : begin + lag + samples]
                p, q = weights[n, ch, lag], weights[n + 1, ch, lag]
                r, s = weights[n + 2, ch, lag], weights[n + 3, ch, lag]
                for t in range(samples):
                    v = part[t]
                    a[t] += p * v
                    b[t] += q * v
                    c[t] += r * v
                    d[t] += s * v
    for n in range(rows - rows % 4, rows):
        a = out[n]
        for ch in range(channels):
            for lag in range(lags):
                part = x[ch, begin + lag : begin + lag + samples]
                p = weights[n, ch, lag]
                for t in range(samples):
                    a[t] += p * part[t]


@njit(cache=True, nogil=True)
def log_odds(height, model):
    """Log of the density of a height among discharges over that among other peaks, for each sample.

    Discharges are normal below their mean, and no height above it speaks against one; the highest of many
    samples of noise have the distribution of Gumbel.
    """
    scale = max(GUMBEL_SCALE * math.sqrt(model[NOISE_VAR]), 1e-6)
    spread = max(math.sqrt(model[SPIKE_VAR]), 0.5 * scale)
    above = (height - model[NOISE_MEAN]) / scale + GUMBEL_MEAN
    noise = -math.log(scale) - above - math.exp(-above)
    below = min(height - model[SPIKE_MEAN], 0.0) / spread
    spike = -0.5 * below * below - math.log(spread * ROOT_2PI)
    return min(spike - noise - math.log(model[PEAK_RATE]), CERTAIN)


@njit(cache=True, nogil=True)
def hazard(interval, local, spread, longest):
    """Chance of a discharge at a sample, `interval` samples after the last one.

    Intervals are log-normal about their local median; few miss a discharge or have any length up to
    `longest`; after that the unit is silent, and may return at any time.
    """
    if interval >= longest:
        return RESTART / longest
    usual = math.log(interval / local) / spread
    missed = math.log(interval / (2 * local)) / spread
    steady = 1.0 - MISSED - ANYWHERE
    density = steady * math.exp(-0.5 * usual * usual) + MISSED * math.exp(-0.5 * missed * missed)
    density = density / (interval * spread * ROOT_2PI) + ANYWHERE / longest
    left = steady * math.erfc(usual / math.sqrt(2.0)) + MISSED * math.erfc(missed / math.sqrt(2.0))
    return density / (0.5 * left + ANYWHERE)


@njit(cache=True, nogil=True)
def is_peak(row, at, distance):
    """Whether a value is above 0 and the largest within `distance` on both sides, the first of equal ones."""
    here = row[at]
    if not here > 0:
        return False
    k = 1
    while k <= distance and row[at + k] <= here and row[at - k] < here:
        k += 1
    return k > distance


@njit(cache=True, nogil=True)
def note_interval(interval, recent, filled):
    """Put an interval in the place of the oldest of `recent`; returns the median and how many there were."""
    size = recent.shape[0]
    recent[filled % size] = interval
    filled += 1
    return np.median(recent[: min(filled, size)]), filled


@njit(cache=True, nogil=True)
def decide(
    source, begin, first, stop, distance, longest, paces, quality_pace,
    heights, squares, recent, filled, local, spread, last, out,
):  # fmt: skip
    """Go through the peaks of all sources at samples from `first` up to `stop`, in order of time.

    A peak is a discharge if that is more likely than not, given its height and the time since the last
    one. `source` (units, samples) begins at sample `begin` and reaches `distance` further on both sides.
    Where a unit's pace is above 0 its model of heights follows what is found, while it fires. Likely peaks
    are written to `out` (n, 4): unit, sample, probability, height. Returns how many.
    """
    units, count = source.shape[0], 0
    for t in range(first, stop):
        at = t - begin
        for u in range(units):
            if not is_peak(source[u], at, distance):
                continue
            height, pace = float(source[u, at]), paces[u]
            model, square = heights[u], height * height
            if height > ARTEFACT * model[SPIKE_MEAN]:
                continue
            gain = log_odds(height, model)
            probability = 0.0
            if gain > -2.0:
                gain += math.log(hazard(t - last[u], local[u], spread[u], longest))
                probability = 1.0 / (1.0 + math.exp(-max(-CERTAIN, min(gain, CERTAIN))))
            if pace > 0.0:
                off = height - model[SPIKE_MEAN]
                model[SPIKE_MEAN] += pace * probability * off
                model[SPIKE_VAR] += pace * probability * (off * off - model[SPIKE_VAR])
                share = 0.25 * pace * (1.0 - probability) if t - last[u] <= longest else 0.0
                off = height - model[NOISE_MEAN]
                model[NOISE_MEAN] += share * off
                model[NOISE_VAR] += share * (off * off - model[NOISE_VAR])
            row = squares[u]
            if probability > 0.5:
                row[HIGH] += quality_pace * (square - row[HIGH])
                row[WITHIN] += quality_pace * ((square - row[HIGH]) ** 2 - row[WITHIN])
                row[BETWEEN] += quality_pace * ((square - row[LOW]) ** 2 - row[BETWEEN])
                if t - last[u] <= longest:
                    local[u], filled[u] = note_interval(float(t - last[u]), recent[u], filled[u])
                last[u] = t
            elif t - last[u] <= longest:
                row[LOW] += 0.25 * quality_pace * (square - row[LOW])
            if probability > NEGLIGIBLE:
                out[count, 0], out[count, 1], out[count, 2], out[count, 3] = u, t, probability, height
                count += 1
    return count


@njit(cache=True, nogil=True)
def cancel(source, begin, first, stop, events, responses, offset):
    """Take what other units add to each source out of its samples from `first` up to `stop`.

    ``events`` (n, 3) holds unit, sample of the discharge and probability, by which ``responses[u, v]``, of
    the filter of u to a discharge of v from `offset` on, is weighted.
    """
    units, _, length = responses.shape
    for e in range(events.shape[0]):
        v, weight = int(events[e, 0]), np.float32(events[e, 2])
        start = int(events[e, 1]) + offset
        low, high = max(first, start), min(stop, start + length)
        for u in range(units):
            if u == v:
                continue
            for t in range(low, high):
                source[u, t - begin] -= weight * responses[u, v, t - start]


@njit(cache=True, nogil=True)
def toeplitz(products, out):
    """Lower triangle of the covariance of the extended signals, row ``c * lags + l`` for channel c at lag l.

    ``products[k, c, d]`` is the mean of ``x[c, t] x[d, t + k]``.
    """
    lags, channels, _ = products.shape
    for c in range(channels):
        for i in range(lags):
            row = out[c * lags + i]
            for d in range(c + 1):
                for j in range(lags):
                    if j >= i:
                        row[d * lags + j] = products[j - i, c, d]
                    else:
                        row[d * lags + j] = products[i - j, d, c]
