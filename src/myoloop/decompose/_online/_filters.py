"""Filters for a stream: from the covariance of the signals and the templates of the units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from .._kernels import responses_of
from .._separation._whitening import Whitening
from ._kernels import toeplitz

Float32Array = NDArray[np.float32]
IntArray = NDArray[np.int64]

_DELAY_STEP = 3
_NEARLY = 0.8  # of the largest squared height over noise


@final
@dataclass(frozen=True)
class Extent:
    """Lags of the templates and of the filters, in samples.

    Parameters
    ----------
    first, length : int
        A template covers the samples from ``discharge + first`` on.
    lags : int
        Length of a filter; its weights belong to the lags from ``-(lags // 2)`` on.
    """

    first: int
    length: int
    lags: int

    @property
    def filter_first(self) -> int:
        """Lag of a filter's first weight."""
        return -(self.lags // 2)

    @property
    def ahead(self) -> int:
        """Samples after a source's own that it needs."""
        return self.lags - 1 + self.filter_first

    @property
    def response_first(self) -> int:
        """Lag of the first sample of a source that a discharge reaches."""
        return self.first - self.filter_first - (self.lags - 1)

    def shift(self, delay: Any) -> Any:
        """How long after the discharge the filter of the window from `delay` on fires."""
        return self.first + delay - self.filter_first

    def windows(self, templates: Float32Array, delays: IntArray) -> Float32Array:
        """The part of each template (..., channels, length) that its filter is made of."""
        parts = [one[..., at : at + self.lags] for one, at in zip(templates, delays, strict=True)]
        return np.stack(parts) if parts else templates[..., : self.lags]

    def responses(self, weights: Float32Array, templates: Float32Array) -> Float32Array:
        """Of each filter to each template, shape (filters, templates, length + lags - 1)."""
        out = np.zeros((len(weights), len(templates), self.length + self.lags - 1), np.float32)
        responses_of(templates, weights, out)
        return out


def lag_products(x: Float32Array, lags: int, taper: int) -> Float32Array:
    """Mean of ``x[c, t] x[d, t + k]`` for k from 0 to `lags` - 1, shape (lags, channels, channels).

    Both ends are faded over `taper` samples, so that pieces overlapping by as much add up to the whole, and
    padded with zeros, so that no covariance made of them has an eigenvalue below 0.
    """
    samples = x.shape[1]
    fade = np.ones(samples)
    rise = np.sin(0.5 * np.pi * (np.arange(taper) + 0.5) / max(taper, 1))
    fade[:taper], fade[samples - taper :] = rise, rise[::-1]
    padded = np.zeros((len(x), samples + lags), np.float32)
    padded[:, :samples] = x * fade.astype(np.float32)
    now = padded[:, :samples]
    products = np.stack([now @ padded[:, k : k + samples].T for k in range(lags)])
    return np.asarray(products / np.float32(samples - taper), dtype=np.float32)


def whitening_of(products: Float32Array, ridge: float, dead: NDArray[np.bool_]) -> Whitening:
    """Inverse of the covariance of the extended signals; dead channels stand apart, with unit variance."""
    lags, channels, _ = products.shape
    if dead.any():
        products = products.copy()
        products[:, dead], products[:, :, dead] = 0.0, 0.0
        products[0, dead, dead] = 1.0
    full = np.zeros((channels * lags, channels * lags), np.float32)
    toeplitz(products, full)
    return Whitening(full, ridge)


def unit_filters(windows: Float32Array, whitening: Whitening) -> Float32Array:
    """``C^-1 m / (m' C^-1 m)``: each filter answers its own window with 1 and all else with least power."""
    solved = whitening.solve(windows)
    power = np.einsum("ncl,ncl->n", solved, windows, dtype=np.float64)
    power = np.maximum(power, np.finfo(np.float32).tiny)
    return np.asarray(solved / power[:, None, None], dtype=np.float32)


def good_delays(templates: Float32Array, whitening: Whitening, extent: Extent) -> IntArray:
    """Delay of the window of each template whose filter fires nearest to the discharge.

    Of the delays at which a template stands out nearly as much as at its best: the sooner the filter fires,
    the sooner the discharge is known, and the very best delay of a template of few discharges is chance.
    """
    delays = np.arange(extent.length - extent.lags + 1)
    delays = delays[extent.shift(delays) % _DELAY_STEP == 0]
    delays = delays[np.argsort(np.abs(extent.shift(delays)), kind="stable")]
    power = np.empty((len(delays), len(templates)))
    for row, at in zip(power, delays, strict=True):
        windows = np.ascontiguousarray(templates[:, :, at : at + extent.lags])
        row[:] = np.einsum("ncl,ncl->n", whitening.solve(windows), windows, dtype=np.float64)
    enough = power >= _NEARLY * power.max(axis=0)
    return np.asarray(delays[np.argmax(enough, axis=0)], dtype=np.int64)
