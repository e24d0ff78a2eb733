"""Compiled loops of the joint least-squares estimate: sums over snippets, lag counts, subtraction."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def add_snippets(x, spikes, first, out):
    """Add to `out` (channels, lags) the snippets of `x` (channels, samples) from ``spike + first`` on.

    What lies outside the signal counts as absent.
    """
    channels, samples = x.shape
    lags = out.shape[1]
    for c in range(channels):
        row, total = x[c], out[c]
        for s in spikes:
            begin = s + first
            low, high = max(0, -begin), min(lags, samples - begin)
            if high > low:  # slices, whose indices the compiler knows to be within bounds
                into, part = total[low:high], row[begin + low : begin + high]
                for i in range(part.shape[0]):
                    into[i] += part[i]


@njit(cache=True, nogil=True)
def add_templates(x, spikes, template, first, sign):
    """Add `sign` times `template` (channels, lags) to `x` (channels, samples) at each spike."""
    channels, samples = x.shape
    lags = template.shape[1]
    for c in range(channels):
        row, shape = x[c], template[c]
        for s in spikes:
            begin = s + first
            low, high = max(0, -begin), min(lags, samples - begin)
            if high > low:
                into, part = row[begin + low : begin + high], shape[low:high]
                for i in range(part.shape[0]):
                    into[i] += sign * part[i]


@njit(cache=True, nogil=True)
def normal_matrix(spikes, starts, first, lags, samples, out):
    """Fill the lower triangle of the normal equations of all trains, (units x lags) squared.

    ``out[u * lags + i, v * lags + j]`` counts the samples that stand at lag i after a spike of u and
    at lag j after a spike of v: a function of ``j - i`` alone, apart from spikes at the borders.
    """
    units = starts.shape[0] - 1
    count = np.zeros(2 * lags - 1)
    for u in range(units):
        for v in range(u + 1):
            count[:] = 0.0
            low = starts[v]
            for k in range(starts[u], starts[u + 1]):
                s = spikes[k]
                while low < starts[v + 1] and spikes[low] <= s - lags:
                    low += 1
                m = low
                while m < starts[v + 1] and spikes[m] < s + lags:
                    count[s - spikes[m] + lags - 1] += 1.0
                    m += 1
            for i in range(lags):  # s + i == r + j, thus j - i = s - r
                for j in range(lags):
                    out[u * lags + i, v * lags + j] = count[j - i + lags - 1]
            _leave_out_borders(spikes, starts, u, v, first, lags, samples, out)


@njit(cache=True, nogil=True)
def _leave_out_borders(spikes, starts, u, v, first, lags, samples, out):
    """Take back the counts of samples before the first or after the last of the signal."""
    for k in range(starts[u], starts[u + 1]):
        begin = spikes[k] + first
        if begin >= 0 and begin + lags <= samples:
            continue
        for m in range(starts[v], starts[v + 1]):
            shift = spikes[k] - spikes[m]
            if abs(shift) >= lags:
                continue
            for i in range(max(0, -shift), min(lags, lags - shift)):
                if not 0 <= begin + i < samples:
                    out[u * lags + i, v * lags + i + shift] -= 1.0
