"""Coherence of one signal with composite spike trains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def group_coherence(
    common: NDArray[Any], trains: NDArray[Any], rate_hz: float, segment_s: float, up_to_hz: float = 100.0
) -> tuple[FloatArray, FloatArray, float]:
    """Magnitude-squared coherence of `common` with each of several signals.

    Parameters
    ----------
    common : ndarray, shape (samples,)
    trains : ndarray, shape (groups, samples)
        Composite spike trains: spikes of a group of units in each bin.
    rate_hz : float
        Sampling rate of both.
    segment_s : float
        Length of the separate Hann segments; at least two must fit.
    up_to_hz : float
        Highest frequency that is returned.

    Returns
    -------
    frequency_hz : ndarray, shape (frequencies,)
        Without 0.
    coherence : ndarray, shape (groups, frequencies)
    limit : float
        95 % limit under independence, 1 - 0.05^(1 / (segments - 1)).

    References
    ----------
    Halliday et al. (1995), Prog Biophys Mol Biol 64:237, eq 6.6.
    """
    from scipy.signal import coherence

    samples = round(segment_s * rate_hz)
    frequency, values = coherence(
        common.astype(np.float64),
        trains.astype(np.float64),
        fs=rate_hz,
        window="hann",
        nperseg=samples,
        noverlap=0,
    )
    segments = trains.shape[-1] // samples
    shown = (frequency > 0) & (frequency <= up_to_hz)
    return frequency[shown], values[:, shown], 1.0 - 0.05 ** (1.0 / (segments - 1))
