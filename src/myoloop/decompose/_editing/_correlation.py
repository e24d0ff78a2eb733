"""Normalised cross-correlation of action potentials over channels and lags."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, linalg

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SMOOTHING = 5.0
"""Loading of the spatial covariance of the other units, in units."""


def best_lag(a: NDArray[Any], b: NDArray[Any], most: int) -> int:
    """Samples by which unit b is to fire later to have the action potential of unit a.

    Parameters
    ----------
    a, b : ndarray, shape (channels, samples)
        Action potentials on the same samples after the spike.
    most : int
        Largest lag, either way.
    """
    return int(correlated(_centred(a[None]), _centred(b[None]), most)[1][0, 0])


def correlated(a: FloatArray, b: FloatArray, most: int) -> tuple[FloatArray, IntArray]:
    """Largest normalised cross-correlation of each unit of a with each of b, and its lag.

    ``max over k of sum_ct a[u, c, t] b[v, c, t + k] / (|a[u]| |b[v]|)``, with |k| up to `most`.

    Parameters
    ----------
    a : ndarray, shape (units, channels, samples)
    b : ndarray, shape (other units, channels, other samples)
    most : int

    Returns
    -------
    tuple of ndarray, shape (units, other units)
    """
    length = max(a.shape[2] + b.shape[2], 2 * most + 1)
    first = np.conj(fft.rfft(a, length, axis=2)).transpose(2, 0, 1)
    second = fft.rfft(b, length, axis=2).transpose(2, 1, 0)
    products = fft.irfft((first @ second).transpose(1, 2, 0), length, axis=2)
    lags = np.arange(-most, most + 1)
    window = products[:, :, lags]
    norms = np.sqrt(np.einsum("uct,uct->u", a, a)[:, None] * np.einsum("uct,uct->u", b, b))
    best = window.argmax(axis=2)
    peak = np.take_along_axis(window, best[:, :, None], axis=2)[:, :, 0]
    scale = np.where(norms > 0, norms, 1.0)
    return np.where(norms > 0, peak / scale, 0.0), lags[best]


def whitened(a: FloatArray, b: FloatArray, pairs: IntArray, most: int) -> tuple[FloatArray, IntArray]:
    """As `correlated`, for some pairs, with the channels whitened by what all other units have in common.

    Potentials of different units of a muscle are much alike on skin electrodes, for the volume conductor
    spreads all of them in the same way. The covariance of the channels over the potentials of the other
    units (each of norm 1) says how; its inverse weighs it down. The pair itself is left out, so that its
    own shape is not.

    Parameters
    ----------
    a, b : ndarray, shape (units, channels, samples)
    pairs : ndarray of int, shape (pairs, 2)
    most : int

    Returns
    -------
    tuple of ndarray, shape (pairs,)
    """
    a, b = (_of_norm_1(one) for one in (a, b))
    covariances = [np.einsum("uct,udt->ucd", one, one) for one in (a, b)]
    channels = a.shape[1]
    total = covariances[0].sum(axis=0) + covariances[1].sum(axis=0)
    total += SMOOTHING / channels * np.eye(channels)
    values, lags = np.empty(len(pairs)), np.empty(len(pairs), np.int64)
    for at, (u, v) in enumerate(pairs):
        factor: Any = linalg.cholesky(total - covariances[0][u] - covariances[1][v], lower=True)
        one, other = (linalg.solve_triangular(factor, part, lower=True) for part in (a[u], b[v]))
        found, lag = correlated(one[None], other[None], most)
        values[at], lags[at] = found[0, 0], lag[0, 0]
    return values, lags


def without_common(potentials: NDArray[Any]) -> FloatArray:
    """Potentials less the average of all channels, which far sources give to each alike."""
    values = potentials.astype(np.float64)
    return np.asarray(values - values.mean(axis=1, keepdims=True))


def _of_norm_1(potentials: FloatArray) -> FloatArray:
    norms = np.sqrt(np.einsum("uct,uct->u", potentials, potentials))
    return np.asarray(potentials / np.where(norms > 0, norms, 1.0)[:, None, None])


def _centred(potentials: NDArray[Any]) -> FloatArray:
    return without_common(potentials) if potentials.shape[1] > 1 else potentials.astype(np.float64)
