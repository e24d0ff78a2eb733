"""Signals extended by delayed copies, as an operator: the large matrix is never built.

With R channels, L lags and N samples the extended matrix has R L x N numbers. All that separation needs
of it are filtered sources and correlations with sources, and both are short convolutions: cut into
blocks, in the Fourier domain, they are one small matrix product for each frequency (overlap-save, exact).
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .._kernels import snippet_sum
from .._templates._kernels import add_snippets

Float32Array = NDArray[np.float32]

BLOCK = 256
FOLDS = 4
_RUN = 8  # blocks in a row that belong to one fold, about a second


@final
class ExtendedSignal:
    """Prepared signals `x` and their copies at `lags` consecutive lags, the first of them ``-(lags // 2)``.

    Parameters
    ----------
    x : ndarray of float32, shape (channels, samples)
    lags : int
        Length of a filter.
    """

    def __init__(self, x: Float32Array, lags: int) -> None:
        self.x = np.ascontiguousarray(x, dtype=np.float32)
        self.lags = lags
        self.first = -(lags // 2)
        self.n_channels, self.n_samples = self.x.shape
        self.block = max(BLOCK, 4 * lags)
        self.hop = self.block - lags + 1
        self.n_blocks = -(-(self.n_samples - self.first) // self.hop)  # and all that they reach
        fold = np.arange(self.n_blocks) // _RUN % FOLDS
        self._order = np.argsort(fold, kind="stable")  # blocks of one fold follow one another
        self._fold_ends = np.searchsorted(fold[self._order], np.arange(FOLDS + 1))
        self._fold_of_block = fold
        self._spectra = self._transformed()

    def _transformed(self) -> Any:
        """Spectra of the overlapping blocks, fold after fold, shape (bins, channels, blocks)."""
        spectra = np.empty((self.block // 2 + 1, self.n_channels, self.n_blocks), np.complex64)
        for c, row in enumerate(self.x):
            padded = np.zeros((self.n_blocks - 1) * self.hop + self.block, np.float32)
            part = row[: len(padded) + self.first]
            padded[-self.first : len(part) - self.first] = part
            blocks = np.lib.stride_tricks.sliding_window_view(padded, self.block)[:: self.hop]
            spectra[:, c] = fft.rfft(blocks[self._order], axis=1).T
        return spectra

    def loudest(self, share: float) -> LoudBlocks:
        """The blocks of most power, `share` of all: enough to find a filter, and sooner."""
        power = np.zeros(self.n_blocks, np.float64)
        for part in self._spectra:
            power += np.einsum("cb,cb->b", part, np.conj(part)).real
        count = max(1, round(share * self.n_blocks))
        chosen = np.sort(np.argsort(-power, kind="stable")[:count])
        return LoudBlocks(self, chosen)

    def sources(self, weights: Float32Array) -> Float32Array:
        """``s[n, t] = sum_cl weights[n, c, l] x[c, t + first + l]``, shape (n, samples)."""
        return self._in_time(self.filtered(weights, self._spectra))

    def crossed_sources(self, weights: Float32Array) -> Float32Array:
        """Sources in which each second is seen through the filter of its own fold.

        Parameters
        ----------
        weights : ndarray of float32, shape (n, folds, channels, lags)
            Filter k of each is made without the spikes of fold k (see `fold_of`), so that no spike is
            seen through a filter that it helped to make.
        """
        ends = self._fold_ends
        parts = [
            self.filtered(weights[:, k], self._spectra[:, :, ends[k] : ends[k + 1]]) for k in range(FOLDS)
        ]
        return self._in_time(np.concatenate(parts, axis=1))

    def fold_of(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """Fold of each sample, of those beyond the ends that of the nearest."""
        block = np.clip(samples // self.hop, 0, self.n_blocks - 1)
        return np.asarray(self._fold_of_block[block])

    def _in_time(self, blocks: Any) -> Float32Array:
        out = np.empty((len(blocks), self.n_blocks, self.hop), np.float32)
        out[:, self._order] = blocks
        flat = out.reshape(len(out), self.n_blocks * self.hop)
        return np.ascontiguousarray(flat[:, : self.n_samples])

    def correlation(self, g: Float32Array) -> Float32Array:
        """``mean_t g[n, t] x[c, t + first + l]``, shape (n, channels, lags)."""
        blocks = np.zeros((len(g), self.n_blocks * self.hop), np.float32)
        blocks[:, : g.shape[1]] = g
        blocks = blocks.reshape(len(g), self.n_blocks, self.hop)[:, self._order]
        return np.asarray(self.correlated(blocks, self._spectra) / np.float32(self.n_samples))

    def filtered(self, weights: Float32Array, spectra: Any) -> Any:
        """Filter blocks of which the spectra are given; shape (n, blocks, hop)."""
        response = np.conj(fft.rfft(weights, self.block, axis=2))
        product = np.matmul(np.ascontiguousarray(response.transpose(2, 0, 1)), spectra)
        return fft.irfft(product.transpose(1, 2, 0), self.block, axis=2)[:, :, : self.hop]

    def correlated(self, blocks: Any, spectra: Any) -> Any:
        """Sum over time of `blocks` (n, blocks, hop) times the signals at each lag."""
        transformed = fft.rfft(blocks, self.block, axis=2).transpose(2, 0, 1)
        conjugate = np.conjugate(transformed, out=np.empty(transformed.shape, np.complex64))
        product = np.matmul(conjugate, spectra.transpose(0, 2, 1))
        return fft.irfft(product.transpose(1, 2, 0), self.block, axis=2)[:, :, : self.lags]

    def covariance(self) -> Float32Array:
        """Covariance of the extended signals, row ``c * lags + l``; shape (channels x lags,) twice.

        Stationary: element ``(c, l), (d, m)`` is the mean of ``x[c, t] x[d, t + m - l]``, so one
        correlation of the channels with themselves holds all of it.
        """
        later = np.pad(self.x, ((0, 0), (-self.first, 0)))  # so that the first lag of the correlation is 0
        ahead = self.correlation(later)
        n, lags = self.n_channels, self.lags
        full = np.empty((n, lags, n, lags), np.float32)
        for k in range(lags):
            for at in range(lags - k):
                full[:, at, :, at + k] = ahead[:, :, k]
                full[:, at + k, :, at] = ahead[:, :, k].T
        zero = 0.5 * (ahead[:, :, 0] + ahead[:, :, 0].T)
        for at in range(lags):
            full[:, at, :, at] = zero
        return full.reshape(n * lags, n * lags)

    def mean_at(self, spikes: list[NDArray[np.int64]]) -> Float32Array:
        """Mean of the extended signals at the spikes of each train, shape (trains, channels, lags)."""
        means = np.zeros((len(spikes), self.n_channels, self.lags), np.float32)
        for u, train in enumerate(spikes):
            means[u] /= max(1, snippet_sum(self.x, train, self.first, means[u]))
        return means

    def means_without_fold(self, spikes: list[NDArray[np.int64]], first: int, length: int) -> Float32Array:
        """Mean of the signals about the spikes outside each fold, shape (trains, folds, channels, length)."""
        sums = np.zeros((len(spikes), FOLDS, self.n_channels, length), np.float32)
        counts = np.zeros((len(spikes), FOLDS))
        for u, train in enumerate(spikes):
            fold = self.fold_of(train)
            for k in range(FOLDS):
                counts[u, k] = snippet_sum(self.x, train[fold == k], first, sums[u, k])
        others = counts.sum(axis=1, keepdims=True) - counts
        means = sums.sum(axis=1, keepdims=True) - sums
        return np.asarray(means / np.maximum(others, 1)[:, :, None, None], dtype=np.float32)

    def at(self, samples: NDArray[np.int64]) -> Float32Array:
        """The extended signals at single samples, shape (n, channels, lags); zero beyond the ends."""
        out = np.zeros((len(samples), self.n_channels, self.lags), np.float32)
        for one, sample in zip(out, samples, strict=True):
            add_snippets(self.x, np.array([sample], np.int64), self.first, one)
        return out


@final
class LoudBlocks:
    """Some blocks of an `ExtendedSignal`, on which the contrast is climbed."""

    def __init__(self, signal: ExtendedSignal, chosen: NDArray[np.int64]) -> None:
        self.signal = signal
        self._spectra = np.ascontiguousarray(signal._spectra[:, :, chosen])
        self.n_samples = len(chosen) * signal.hop

    def sources(self, weights: Float32Array) -> Float32Array:
        """As `ExtendedSignal.sources`, shape (n, samples of these blocks)."""
        blocks = self.signal.filtered(weights, self._spectra)
        return np.ascontiguousarray(blocks).reshape(len(weights), self.n_samples)

    def correlation(self, g: Float32Array) -> Float32Array:
        """As `ExtendedSignal.correlation`, over the samples of these blocks."""
        blocks = g.reshape(len(g), -1, self.signal.hop)
        return np.asarray(self.signal.correlated(blocks, self._spectra) / np.float32(self.n_samples))
