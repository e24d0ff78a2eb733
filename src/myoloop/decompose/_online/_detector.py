"""Which peaks of the sources are discharges, decided as they come."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from .._kernels import peaks_of, silhouette_of
from ._kernels import BETWEEN, WITHIN, decide

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

REFRACTORY_S, PAUSE_S = 0.01, 0.25
_RECENT = 15  # intervals whose median is the local one
_SPREAD = 0.12, 0.4  # SD of the logarithm of an interval over the local median, at least and at most
NEAR = 2  # samples between a discharge and its peak
_QUALITY_PACE = 0.02
_NEVER = -(2**40)
_FEWEST = 5


@final
@dataclass(eq=False)
class Detector:
    """Models of heights and intervals of all units, and where each of them is; arrays by unit.

    See `_kernels.decide` for what they mean.
    """

    distance: int
    longest: int
    heights: FloatArray
    squares: FloatArray
    recent: FloatArray
    filled: IntArray
    local: FloatArray
    spread: FloatArray
    last: IntArray

    @classmethod
    def calibrated(cls, sources: Float32Array, spikes: Sequence[IntArray], rate_hz: float) -> Detector:
        """From sources in which the samples of the discharges are known."""
        n = len(spikes)
        distance, longest = round(REFRACTORY_S * rate_hz), round(PAUSE_S * rate_hz)
        heights, squares = np.empty((n, 5)), np.empty((n, 4))
        recent, filled = np.full((n, _RECENT), 0.5 * longest), np.zeros(n, np.int64)
        spread = np.full(n, _SPREAD[1])
        for u, (source, train) in enumerate(zip(sources, spikes, strict=True)):
            heights[u], squares[u] = _heights(source, train, distance)
            intervals = np.diff(train)
            intervals = intervals[intervals <= longest].astype(np.float64)
            if len(intervals) >= _FEWEST:
                tail = intervals[-_RECENT:]
                recent[u, : len(tail)], filled[u] = tail, len(tail)
                ratio = np.abs(np.log(intervals / median_filter(intervals, _RECENT, mode="nearest")))
                spread[u] = np.clip(1.4826 * np.median(ratio), *_SPREAD)
        local = np.array([np.median(r[: f or None]) for r, f in zip(recent, filled, strict=True)])
        last = np.full(n, _NEVER, np.int64)
        return cls(distance, longest, heights, squares, recent, filled, local, spread, last)

    def copy(self) -> Detector:
        """One that goes its own way."""
        return copy.deepcopy(self)

    def decide(
        self, source: Float32Array, begin: int, first: int, stop: int, paces: FloatArray
    ) -> FloatArray:
        """Likely discharges from sample `first` up to `stop`: unit, sample, probability, height."""
        if stop <= first:
            return np.empty((0, 4))
        out = np.empty((len(source) * ((stop - first) // (self.distance + 1) + 1), 4))
        count = decide(
            source, begin, first, stop, self.distance, self.longest, paces, _QUALITY_PACE,
            self.heights, self.squares, self.recent, self.filled, self.local, self.spread, self.last, out,
        )  # fmt: skip
        return out[:count]

    @property
    def silhouettes(self) -> FloatArray:
        """Silhouette of the last fifty or so discharges of each unit."""
        within, between = self.squares[:, WITHIN], self.squares[:, BETWEEN]
        return np.asarray((between - within) / np.maximum(np.maximum(within, between), 1e-30))


def _heights(source: Float32Array, train: IntArray, distance: int) -> tuple[list[float], list[float]]:
    """A unit's rows of `heights` and `squares`."""
    peaks = peaks_of(source, distance)
    away = np.full(len(peaks), 2**40)
    if len(train):
        after = np.searchsorted(train, peaks)
        before = np.maximum(after - 1, 0)
        after = np.minimum(after, len(train) - 1)
        away = np.minimum(np.abs(train[after] - peaks), np.abs(train[before] - peaks))
    own = away <= NEAR
    at, other = source[peaks[own]].astype(np.float64), source[peaks[~own]].astype(np.float64)
    if len(at) == 0:  # nothing of the unit is left: only something near its template counts
        at = np.ones(1)
    if len(other) == 0:
        other = np.zeros(1)
    low, high, _ = silhouette_of(source, peaks[own], distance)
    square = np.square(at)
    within, between = np.square(square - high).mean(), np.square(square - low).mean()
    rate = max(len(peaks), 1) / source.shape[0]
    model = [at.mean(), max(at.var(), 1e-6), other.mean(), max(other.var(), 1e-9), rate]
    return [float(v) for v in model], [float(v) for v in (high, low, within, between)]
