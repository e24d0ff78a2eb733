"""Spikes put in and taken out of one train, in samples of its source."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._kernels import peaks_of

Train = NDArray[np.int64]
FloatArray = NDArray[np.float64]

PEAK_MS = 2.0
"""A peak that a spike may be put on is the largest sample within so much on both sides."""
PAUSE_S = 0.25


def nearest(places: Train, samples: FloatArray) -> tuple[Train, FloatArray]:
    """Index of the nearest of the ascending `places` to each of `samples`, and its distance."""
    if len(places) == 0:
        return np.zeros(len(samples), np.int64), np.full(len(samples), np.inf)
    after = np.clip(np.searchsorted(places, samples), 1, max(1, len(places) - 1))
    sides = np.stack([np.minimum(after, len(places) - 1), after - 1])
    distance = np.abs(places[sides] - samples)
    side = np.argmin(distance, axis=0)  # the later one where both are as near
    at = np.arange(len(samples))
    return np.asarray(sides[side, at], dtype=np.int64), np.asarray(distance[side, at])


def candidates(source: NDArray[Any], rate_hz: float) -> Train:
    """Peaks that a spike may be put on."""
    return np.asarray(peaks_of(source, max(1, round(PEAK_MS * 1e-3 * rate_hz))), dtype=np.int64)


def above(
    source: NDArray[Any], spikes: Train, threshold: float, span: tuple[int, int], distance: int
) -> Train:
    """The train with all peaks of a span that are higher than `threshold`.

    Peaks are the largest within `distance` on both sides; one that is nearer to a spike is left out: the
    spike that is there stays.
    """
    peaks = peaks_of(source, distance)
    peaks = peaks[(peaks >= span[0]) & (peaks < span[1]) & (source[peaks] > threshold)]
    _, gap = nearest(spikes, peaks.astype(np.float64))
    return np.sort(np.concatenate([spikes, peaks[gap >= distance]]))


def without_outliers(source: NDArray[Any], spikes: Train, rate_hz: float, deviations: float) -> Train:
    """The train less the lower spike of each two whose discharge rate is far above the usual one.

    The usual rates are those of all intervals up to 250 ms; far is `deviations` standard deviations
    above their mean. Where one spike is taken out, the interval that this leaves is looked at next.
    """
    intervals = np.diff(spikes)
    rates = rate_hz / intervals[intervals <= PAUSE_S * rate_hz]
    if len(rates) < 3:
        return spikes
    shortest = rate_hz / (rates.mean() + deviations * rates.std(ddof=1))
    kept: list[int] = []
    for spike in spikes.tolist():
        if kept and spike - kept[-1] < shortest:
            if source[spike] > source[kept[-1]]:
                kept[-1] = spike
            continue
        kept.append(spike)
    return np.array(kept, dtype=np.int64)


def union(spikes: Train, more: Train, distance: int, samples: int) -> Train:
    """Spikes of two trains; of two nearer than `distance`, that of the first counts."""
    inside = more[(more >= 0) & (more < samples)]
    _, gap = nearest(spikes, inside.astype(np.float64))
    return np.sort(np.concatenate([spikes, inside[gap >= distance]]))
