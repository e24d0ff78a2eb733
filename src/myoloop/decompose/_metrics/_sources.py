"""How well the spikes of a source stand out of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ParameterError
from .._kernels import peaks_of

IntArray = NDArray[np.int64]

BACKGROUND_DISTANCE_MS = 10.0
SAME_PEAK_MS = 1.0


def silhouette(source: ArrayLike, spikes: ArrayLike, *, rate_hz: float) -> float:
    """Silhouette ``SIL = (B - W) / max(B, W)`` of the spikes of a source.

    With ``q = s |s|`` the signed square of the source, W is the sum over the spikes of the squared
    distance of q to its mean at the spikes, B that to its mean at the background peaks. These are the
    local maxima above 0 that are the largest within 10 ms on both sides and stand further than 1 ms from
    every spike: noise that a threshold has to tell from spikes, rather than any sample between.

    Parameters
    ----------
    source : array_like, shape (samples,)
        Of any scale; its spikes point upwards.
    spikes : array_like of int
        Samples of the spikes.
    rate_hz : float
        Rate of the source.

    Returns
    -------
    float
        1 for spikes of equal height over any background; NaN below two spikes or without background
        peaks.

    References
    ----------
    Negro, Muceli, Castronovo, Holobar, Farina (2016), J Neural Eng 13:026027
    """
    values, at = _source(source, spikes, "silhouette")
    squared = values * np.abs(values)
    peaks = peaks_of(squared, max(1, round(BACKGROUND_DISTANCE_MS * 1e-3 * rate_hz)))
    near = round(SAME_PEAK_MS * 1e-3 * rate_hz)
    others = peaks[_distance(peaks, at) > near]
    if len(at) < 2 or len(others) == 0:
        return float("nan")
    heights, noise = squared[at], squared[others].mean()
    within = float(np.sum((heights - heights.mean()) ** 2))
    between = float(np.sum((heights - noise) ** 2))
    largest = max(between, within)
    return (between - within) / largest if largest > 0 else float("nan")


def pulse_to_noise_ratio(source: ArrayLike, spikes: ArrayLike) -> float:
    """Pulse-to-noise ratio in dB: mean square of a source at its spikes over that at all other samples.

    NaN without spikes, or where nothing else is left.

    References
    ----------
    Holobar, Minetto, Farina (2014), J Neural Eng 11:016008, equation 8
    """
    values, at = _source(source, spikes, "pulse_to_noise_ratio")
    return _ratio_db(values**2, at)


def pulse_to_noise_ratio_of_squares(source: ArrayLike, spikes: ArrayLike) -> float:
    """Mean of the *fourth* power at the spikes over that at all other samples, in dB.

    What one gets by squaring a source that is squared already, as MUniverse prints it: about twice the
    decibels of `pulse_to_noise_ratio`. As there, the samples next to a spike count to the spike.
    """
    values, at = _source(source, spikes, "pulse_to_noise_ratio_of_squares")
    beside = (at[:, None] + np.array([-1, 0, 1])).ravel()
    beside = np.unique(beside[(beside >= 0) & (beside < len(values))])
    return _ratio_db(values**4, beside)


def _ratio_db(power: Any, spikes: IntArray) -> float:
    is_spike = np.zeros(len(power), dtype=bool)
    is_spike[spikes] = True
    if not is_spike.any() or is_spike.all():
        return float("nan")
    noise = power[~is_spike].mean()
    return float(10 * np.log10(power[is_spike].mean() / noise)) if noise > 0 else float("inf")


def _distance(samples: IntArray, spikes: IntArray) -> IntArray:
    """Distance of each sample to the nearest of the ascending spikes."""
    if len(spikes) == 0:
        return np.full(len(samples), np.iinfo(np.int64).max)
    after = np.searchsorted(spikes, samples)
    behind = np.abs(samples - spikes[np.maximum(after - 1, 0)])
    ahead = np.abs(spikes[np.minimum(after, len(spikes) - 1)] - samples)
    return np.asarray(np.minimum(behind, ahead))


def _source(source: ArrayLike, spikes: ArrayLike, owner: str) -> tuple[Any, IntArray]:
    values = np.asarray(source, dtype=np.float64)
    at = np.asarray(spikes)
    if values.ndim != 1 or not np.all(np.isfinite(values)):
        raise ParameterError(
            f"{owner}.source", f"an array of shape {values.shape}, or not finite", "give finite samples"
        )
    if at.size and at.dtype.kind not in "iu":
        raise ParameterError(f"{owner}.spikes", f"an array of {at.dtype}", "give samples, not times")
    at = np.unique(at.astype(np.int64))
    if at.size and (at[0] < 0 or at[-1] >= len(values)):
        raise ParameterError(
            f"{owner}.spikes",
            f"samples {at[0]} to {at[-1]} of a source of {len(values)}",
            "give samples of this source",
        )
    return values, at
