"""Candidates for units: filters with the trains that they find, compared and thinned out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from .._kernels import coincidences, isi_variation, silhouette_of, spikes_of
from ._intervals import steady_train

Float32Array = NDArray[np.float32]
Train = NDArray[np.int64]

PAUSE_S = 0.25  # longer intervals are pauses, not intervals of a discharge
REFRACTORY_S = 0.01  # of two peaks nearer than this, the lower is none
_LAG_S = 0.05
_COINCIDENT = 0.3
_TOLERANCE_S = 1e-3
_COV_WEIGHT = 0.15


@final
@dataclass(frozen=True, eq=False)
class Candidates:
    """Filters of unit output power, what they detect, and how good it looks.

    Parameters
    ----------
    weights : ndarray of float32, shape (n, channels, lags)
    spikes : list of ndarray of int
        Samples at which each fires.
    centroids : ndarray, shape (n, 2)
    sil, cov : ndarray, shape (n,)
        Silhouette, and coefficient of variation of the intervals.
    """

    weights: Float32Array
    spikes: list[Train]
    centroids: NDArray[np.float64]
    sil: NDArray[np.float64]
    cov: NDArray[np.float64]

    @classmethod
    def none(cls, channels: int, lags: int) -> Candidates:
        """No candidates."""
        return cls(np.empty((0, channels, lags), np.float32), [], np.empty((0, 2)), np.empty(0), np.empty(0))

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self.spikes)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Spikes of each, shape (n,)."""
        return np.array([len(train) for train in self.spikes], dtype=np.int64)

    @property
    def merit(self) -> NDArray[np.float64]:
        """What decides between two candidates for one unit: the silhouette, less for irregular trains."""
        return np.asarray(self.sil - _COV_WEIGHT * np.where(np.isfinite(self.cov), self.cov, 2.0))

    def select(self, chosen: Any) -> Candidates:
        """Some of them (indices or a mask)."""
        index = np.arange(len(self))[np.asarray(chosen)]
        return Candidates(
            self.weights[index],
            [self.spikes[i] for i in index],
            self.centroids[index],
            self.sil[index],
            self.cov[index],
        )

    def better_of(self, other: Candidates) -> tuple[Candidates, NDArray[np.bool_]]:
        """Each one or its successor in `other`, whichever has more merit; and where that is `other`."""
        wins = other.merit > self.merit
        both = joined(self, other)
        return both.select(np.arange(len(self)) + len(self) * wins), wins


def detected(
    weights: Float32Array, sources: Float32Array, rate_hz: float, *, steady: bool = False
) -> Candidates:
    """Candidates of filters whose `sources` (n, samples) are given; `steady` detects by `steady_train`."""
    distance, pause = round(REFRACTORY_S * rate_hz), round(PAUSE_S * rate_hz)
    spikes, numbers = [], np.empty((len(sources), 4))
    for source, row in zip(sources, numbers, strict=True):
        train, low, high, sil = spikes_of(source, distance)
        if steady:
            train = steady_train(source, train, distance, pause)
            low, high, sil = silhouette_of(source, train, distance)
        row[:] = low, high, sil, isi_variation(train, pause)
        spikes.append(train)
    return Candidates(weights, spikes, numbers[:, :2], numbers[:, 2], numbers[:, 3])


def joined(*parts: Candidates) -> Candidates:
    """All candidates of several groups."""
    return Candidates(
        np.concatenate([part.weights for part in parts]),
        [train for part in parts for train in part.spikes],
        np.concatenate([part.centroids for part in parts]),
        np.concatenate([part.sil for part in parts]),
        np.concatenate([part.cov for part in parts]),
    )


def without_duplicates(found: Candidates, rate_hz: float, known: list[Train] | None = None) -> Candidates:
    """The best candidate of each unit, best first, and none for the units whose trains are `known`."""
    return found.select(best_of_each(found, rate_hz, known))


def best_of_each(found: Candidates, rate_hz: float, known: list[Train] | None = None) -> NDArray[np.int64]:
    """Indices of the candidates that `without_duplicates` keeps."""
    taken = list(known or [])
    kept = []
    for i in np.argsort(-found.merit, kind="stable"):
        train = found.spikes[i]
        if len(train) and not any(same_unit(train, other, rate_hz) for other in taken):
            taken.append(train)
            kept.append(int(i))
    return np.array(kept, dtype=np.int64)


def same_unit(a: Train, b: Train, rate_hz: float) -> bool:
    """Whether two trains coincide, at one lag, in 30 % or more of the spikes of the shorter one."""
    shared, _ = coincidences(a, b, round(_LAG_S * rate_hz), round(_TOLERANCE_S * rate_hz))
    return bool(shared >= _COINCIDENT * min(len(a), len(b)))
