"""Delays by a fraction of a sample.

References
----------
Laakso, Välimäki, Karjalainen, Laine (1996), Splitting the unit delay, IEEE Signal Process Mag 13:30, Eq. 25
(the general least-squares interpolator).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

TAPS = 16
BAND = 0.7  # of the Nyquist frequency: over it the interpolator errs least, in the mean square

Array = NDArray[Any]


def delay_taps(fraction: Array) -> NDArray[np.float32]:
    """Weights that delay a signal by a fraction of a sample.

    Parameters
    ----------
    fraction : ndarray, shape (n,)
        In samples, from 0 to 1.

    Returns
    -------
    ndarray of float32, shape (n, TAPS)
        Weight k belongs to the sample that comes k places after the first one used: with h = TAPS / 2,
        y[j] = sum_k w[k] x[j - h + k], and y(t) = x(t - fraction). A fraction of 0 gives x itself.
    """
    offsets = _offsets()
    wanted = BAND * np.sinc(BAND * (offsets - np.asarray(fraction, dtype=np.float64)[:, None]))
    return np.asarray(wanted @ _inverse(), dtype=np.float32)


def delay_error(values: Array) -> NDArray[np.float64]:
    """Greatest error of the interpolator for each signal, over its greatest magnitude on any channel.

    Parameters
    ----------
    values : ndarray, shape (units, channels, samples)

    Returns
    -------
    ndarray, shape (units,)
        At a delay of half a sample, the worst one; 0 for a unit of zeros.
    """
    samples = values.shape[2] + 2 * TAPS
    frequency = np.fft.rfftfreq(samples)
    gain = delay_taps(np.array([0.5])).astype(np.float64) @ np.exp(
        -2j * np.pi * np.outer(_offsets(), frequency)
    )
    wrong = gain[0] - np.exp(-1j * np.pi * frequency)
    peaks = np.abs(values).max(axis=(1, 2))
    errors = np.zeros(len(values))
    for unit in np.flatnonzero(peaks > 0):
        spectrum = np.fft.rfft(values[unit], samples, axis=-1) * wrong
        errors[unit] = np.abs(np.fft.irfft(spectrum, samples, axis=-1)).max() / peaks[unit]
    return errors


def _offsets() -> NDArray[np.int64]:
    return TAPS // 2 - np.arange(TAPS)


@cache
def _inverse() -> NDArray[np.float64]:
    offsets = _offsets()
    return np.linalg.inv(BAND * np.sinc(BAND * (offsets[:, None] - offsets)))
