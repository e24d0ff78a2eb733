"""Detection that knows that motor units fire steadily.

Two classes by height alone lose spikes wherever noise reaches half their height. A train is a renewal
process: whether a peak is a spike also depends on the time since the last one. The most likely train is
found exactly, by dynamic programming over the peaks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from .._kernels import peaks_of
from ._kernels import ROOT_2PI, best_chain

Train = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_FEWEST = 10  # spikes, below which nothing is known of the intervals
_NEIGHBOURS = 15  # intervals whose median is the local one
_LEAST_SPREAD = 0.12  # SD of the logarithm of an interval over the local median
_UNSTEADY = 0.6  # from which on intervals tell too little
_MISSED = 0.03  # share of intervals that miss a spike
_ANYWHERE = 0.002  # share that nothing is known of: doublets, pauses
_UNLIKELY = -3.0  # log odds below which a peak is not considered
_CERTAIN = 30.0
_GUMBEL_MEAN, _GUMBEL_SCALE = float(np.euler_gamma), 6**0.5 / np.pi


def steady_train(source: NDArray[Any], spikes: Train, distance: int, pause: int) -> Train:
    """The most likely spikes among the peaks of a source, given a first guess.

    Heights of spikes are normal, those of other peaks have the distribution of largest values (Gumbel);
    both are taken from the first guess. Intervals are log-normal about their local median; some miss a
    spike, few are of any length. A peak higher than the usual spike is no less a spike for it. A first
    guess whose intervals are irregular is given back as it is.

    Parameters
    ----------
    source : ndarray, shape (samples,)
    spikes : ndarray of int
        First guess, e.g. of two classes of heights.
    distance : int
        Samples between peaks at least.
    pause : int
        A longer interval, in samples, tells nothing.

    References
    ----------
    Viterbi (1967), IEEE Trans Inf Theory 13:260, for a renewal process in place of a Markov chain.
    """
    intervals = np.diff(spikes)
    regular = intervals <= pause
    peaks = peaks_of(source, distance)
    chosen = np.isin(peaks, spikes)
    if regular.sum() < _FEWEST or (~chosen).sum() < _FEWEST:
        return spikes
    medians = median_filter(intervals[regular].astype(np.float64), _NEIGHBOURS, mode="nearest")
    spread = 1.4826 * float(np.median(np.abs(np.log(intervals[regular] / medians))))
    if spread > _UNSTEADY:
        return spikes
    gain = _log_odds(source[peaks].astype(np.float64), chosen, len(source))
    likely = gain > _UNLIKELY
    peaks, gain = peaks[likely], gain[likely]
    local = np.interp(peaks, 0.5 * (spikes[1:] + spikes[:-1])[regular], medians)
    spread = max(spread, _LEAST_SPREAD)
    chain: NDArray[np.int64] = best_chain(peaks, gain, local, spread, pause, _MISSED, _ANYWHERE)
    return np.asarray(peaks[chain], dtype=np.int64)


def _log_odds(heights: FloatArray, spike: NDArray[np.bool_], samples: int) -> FloatArray:
    """Log of the density of each height among spikes over that among other peaks, for each sample."""
    mean, other = heights[spike].mean(), heights[~spike]
    scale = max(_GUMBEL_SCALE * float(np.std(other)), float(np.finfo(np.float32).tiny))
    spread = max(float(np.std(heights[spike])), 0.5 * scale)
    above = (heights - (other.mean() - _GUMBEL_MEAN * scale)) / scale
    noise = -np.log(scale) - above - np.exp(-above)
    below = np.minimum(heights - mean, 0.0) / spread
    odds = -0.5 * below**2 - np.log(spread * ROOT_2PI) - noise
    return np.asarray(np.minimum(odds - np.log(len(heights) / samples), _CERTAIN))
