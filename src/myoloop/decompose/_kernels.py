"""Compiled loops over sources: peaks, classes of peaks, snippets at spikes."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def peaks_of(source, distance):
    """Samples at which `source` is above 0 and the largest within `distance` samples on both sides.

    Of equal neighbours the first counts. Returns ascending indices.
    """
    n = source.shape[0]
    found = np.empty(n, np.int64)
    count = 0
    t = 0
    while t < n:
        here = source[t]
        if not here > 0:
            t += 1
            continue
        last = min(n - 1, t + distance)
        ahead = t + 1
        while ahead <= last and source[ahead] <= here:
            ahead += 1
        if ahead <= last:  # something larger follows: nothing before it can be a peak
            t = ahead
            continue
        behind = t - 1
        first = max(0, t - distance)
        while behind >= first and source[behind] < here:
            behind -= 1
        if behind < first:
            found[count] = t
            count += 1
        t += 1
    return found[:count].copy()


@njit(cache=True, nogil=True)
def two_means(values, iterations):
    """One-dimensional 2-means of `values`, begun at their median and the mean of the five largest.

    Returns the threshold between the classes and the two centroids (low, high).
    """
    ordered = np.sort(values)
    n = ordered.shape[0]
    sums = np.zeros(n + 1)
    for i in range(n):
        sums[i + 1] = sums[i] + ordered[i]
    top = min(5, n)
    low, high = ordered[n // 2], (sums[n] - sums[n - top]) / top
    split = n
    for _ in range(iterations):
        cut = np.searchsorted(ordered, 0.5 * (low + high), side="right")
        if cut in (split, 0, n):
            split = cut
            break
        split = cut
        low, high = sums[split] / split, (sums[n] - sums[split]) / (n - split)
    return 0.5 * (low + high), low, high


@njit(cache=True, nogil=True)
def snippet_sum(x, spikes, first, out):
    """Add to `out` (channels, lags) the snippets of `x` (channels, samples) from ``spike + first`` on.

    Spikes whose snippet leaves the signal are passed over; returns how many were added.
    """
    channels, samples = x.shape
    lags = out.shape[1]
    count = 0
    for s in spikes:
        begin = s + first
        if begin < 0 or begin + lags > samples:
            continue
        count += 1
        for c in range(channels):
            for i in range(lags):
                out[c, i] += x[c, begin + i]
    return count


@njit(cache=True, nogil=True)
def spikes_of(source, distance):
    """Spikes of a source: the higher class of the peaks of its positive part squared, by 2-means.

    Returns spikes (samples), the two centroids (noise, spikes) and the silhouette.
    """
    peaks = peaks_of(source, distance)
    if peaks.shape[0] < 2:
        return peaks[:0], 0.0, 0.0, 0.0
    heights = np.empty(peaks.shape[0])
    for i in range(peaks.shape[0]):
        heights[i] = source[peaks[i]] * source[peaks[i]]
    threshold, low, high = two_means(heights, 100)
    count = 0
    within, between = 0.0, 0.0
    spikes = np.empty(peaks.shape[0], np.int64)
    for i in range(peaks.shape[0]):
        if heights[i] > threshold:
            spikes[count] = peaks[i]
            count += 1
            within += (heights[i] - high) ** 2
            between += (heights[i] - low) ** 2
    larger = max(within, between)
    return spikes[:count].copy(), low, high, (between - within) / larger if larger > 0 else 0.0


@njit(cache=True, nogil=True)
def isi_variation(spikes, longest):
    """Coefficient of variation of the intervals of at most `longest` samples; NaN below three of them."""
    count, total, squares = 0, 0.0, 0.0
    for i in range(1, spikes.shape[0]):
        interval = spikes[i] - spikes[i - 1]
        if interval <= longest:
            count += 1
            total += interval
            squares += interval * interval
    if count < 3:
        return np.nan
    mean = total / count
    return np.sqrt(max(0.0, squares - count * mean * mean) / (count - 1)) / mean


@njit(cache=True, nogil=True)
def coincidences(a, b, max_lag, tolerance):
    """Most spikes of `b` that follow those of `a` at one lag within +-`max_lag`, give or take `tolerance`.

    Returns the number and the lag, in samples.
    """
    counts = np.zeros(2 * max_lag + 1, np.int64)
    first = 0
    for s in a:
        while first < b.shape[0] and b[first] < s - max_lag:
            first += 1
        at = first
        while at < b.shape[0] and b[at] <= s + max_lag:
            counts[b[at] - s + max_lag] += 1
            at += 1
    best, best_lag = -1, 0
    for lag in range(2 * max_lag + 1):
        total = 0
        for i in range(max(0, lag - tolerance), min(2 * max_lag, lag + tolerance) + 1):
            total += counts[i]
        if total > best or (total == best and counts[lag] > counts[best_lag]):
            best, best_lag = total, lag
    return best, best_lag - max_lag


@njit(cache=True, nogil=True)
def add_at(source, spikes, response, begin):
    """Add `response` to `source` from ``spike + begin`` on, at each spike; what lies outside is left out."""
    samples, length = source.shape[0], response.shape[0]
    for s in spikes:
        at = s + begin
        for i in range(max(0, -at), min(length, samples - at)):
            source[at + i] += response[i]


@njit(cache=True, nogil=True)
def responses_of(templates, weights, out):
    """Correlate each filter with each template at all lags at which they overlap.

    `templates` (m, channels, length), `weights` (n, channels, lags), `out` (n, m, length + lags - 1).
    """
    n, channels, lags = weights.shape
    m, _, length = templates.shape
    for i in range(n):
        for j in range(m):
            for c in range(channels):
                row = templates[j, c]
                for lag in range(lags):
                    w, into = weights[i, c, lag], out[i, j, lags - 1 - lag : lags - 1 - lag + length]
                    for t in range(length):
                        into[t] += w * row[t]


@njit(cache=True, nogil=True)
def silhouette_of(source, spikes, distance):
    """Centroids of the squared heights of the other peaks and of the spikes, and the silhouette."""
    peaks = peaks_of(source, distance)
    low, high, n_low, next_spike = 0.0, 0.0, 0, 0
    for p in peaks:
        while next_spike < spikes.shape[0] and spikes[next_spike] < p:
            next_spike += 1
        if next_spike == spikes.shape[0] or spikes[next_spike] != p:
            low += source[p] * source[p]
            n_low += 1
    if n_low == 0 or spikes.shape[0] == 0:
        return 0.0, 0.0, 0.0
    low /= n_low
    for s in spikes:
        high += source[s] * source[s] / spikes.shape[0]
    within, between = 0.0, 0.0
    for s in spikes:
        within += (source[s] * source[s] - high) ** 2
        between += (source[s] * source[s] - low) ** 2
    larger = max(within, between)
    return low, high, (between - within) / larger if larger > 0 else 0.0
