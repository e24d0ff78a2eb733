"""From random starts up the contrast: many fixed-point iterations in one pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._contrasts import Contrast
from ._extended import ExtendedSignal, LoudBlocks
from ._whitening import Whitening

Float32Array = NDArray[np.float32]

_SETTLED = 1e-4  # 1 - |cosine| between two iterations
_SILENT = 1e-12  # standard deviation of a source


def random_starts(
    signal: ExtendedSignal, whitening: Whitening, count: int, rng: np.random.Generator
) -> Float32Array:
    """Filters matched to the signals at random local maxima of their power, shape (<= count, ...).

    Random rather than largest maxima: those belong to a few large units only.
    """
    power = np.einsum("cs,cs->s", signal.x, signal.x)
    inner = power[1:-1]
    peaks = np.flatnonzero((inner > power[:-2]) & (inner >= power[2:])) + 1
    if not len(peaks):
        return np.empty((0, signal.n_channels, signal.lags), np.float32)
    chosen = rng.choice(peaks, size=min(count, len(peaks)), replace=False)
    return whitening.filters(signal.at(np.sort(chosen)))


def climb(
    blocks: LoudBlocks,
    whitening: Whitening,
    weights: Float32Array,
    contrast: Contrast,
    iterations: int,
) -> Float32Array:
    """Fixed-point iterations ``b <- C^-1 E[x g(s)] - E[g'(s)] b`` without orthogonalisation.

    Parameters
    ----------
    blocks : LoudBlocks
    whitening : Whitening
    weights : ndarray of float32, shape (n, channels, lags)
    contrast : Contrast
    iterations : int

    References
    ----------
    Hyvarinen (1999), IEEE Trans Neural Netw 10:626, Eq. 20, with implicit whitening.
    """
    weights = _unit_length(weights)
    for _ in range(iterations):
        sources = blocks.sources(weights)
        power = np.sqrt(np.mean(np.square(sources), axis=1))
        scale = np.where(power > _SILENT, 1 / np.maximum(power, _SILENT), 0).astype(np.float32)
        sources *= scale[:, None]
        slope, derivative = contrast.slope(sources)
        towards = whitening.solve(blocks.correlation(slope))
        towards -= (derivative * scale)[:, None, None] * weights
        old, weights = weights, _unit_length(towards)
        if np.all(1 - np.abs(np.einsum("ncl,ncl->n", weights, old)) < _SETTLED):
            break
    return weights


def _unit_length(weights: Float32Array) -> Float32Array:
    length = np.sqrt(np.einsum("ncl,ncl->n", weights, weights))
    return np.asarray(weights / np.maximum(length, np.finfo(np.float32).tiny)[:, None, None])
