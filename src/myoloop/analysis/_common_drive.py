"""Common drive: slow fluctuations that the rates of units share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..data import SpikeTrains
from ..errors import ParameterError
from ..parameters import Parameters, number
from ..random import Streams
from ._check import checked_count, checked_number, checked_trains
from ._smooth import HannRate

FloatArray = NDArray[np.float64]

_ORDER = 3  # of the high-pass filter


@final
@dataclass(frozen=True, kw_only=True)
class FluctuationSettings(Parameters):
    """How the slow fluctuations of discharge rates are taken out of the trains.

    Parameters
    ----------
    window_s : float
        Length of the Hann window that smooths each train.
    high_pass_hz : float
        Corner of the Butterworth filter (third order, forward and back) against trends.
    edge_s : float
        What is cut off at both ends afterwards, where window and filter see too little.
    rate_hz : float
        Sampling rate.

    References
    ----------
    De Luca, LeFever, McCue, Xenakis (1982), J Physiol 329:129; De Luca, Erim (1994), Trends Neurosci
    17:299.
    """

    window_s: float = number(0.4, above=0)
    high_pass_hz: float = number(0.75, above=0)
    edge_s: float = number(1.0, at_least=0)
    rate_hz: float = number(100.0, above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.high_pass_hz >= self.rate_hz / 2:
            raise ParameterError(
                "FluctuationSettings.high_pass_hz",
                f"{self.high_pass_hz:g} Hz at a rate of {self.rate_hz:g} Hz",
                "give less than half the rate",
            )


@final
@dataclass(frozen=True, eq=False)
class CommonDrive:
    """Cross-correlation of the rate fluctuations of all pairs of units.

    Parameters
    ----------
    lag_s : ndarray, shape (lags,)
        Positive where the second unit of a pair follows the first.
    correlation : ndarray, shape (units, units, lags)
        ``correlation[i, j]`` of unit i with unit j, averaged over the segments; NaN for silent units.
    peak : ndarray, shape (units, units)
        Largest correlation of each pair; NaN on the diagonal.
    peak_lag_s : ndarray, shape (units, units)
        The lag of that.
    index : float
        Common drive index: mean of the peaks over all pairs.
    surrogate_limit : float
        Peak that `confidence` of the pairs of shuffled trains stay below; NaN without surrogates.
    """

    lag_s: FloatArray
    correlation: FloatArray
    peak: FloatArray
    peak_lag_s: FloatArray
    index: float
    surrogate_limit: float

    def __len__(self) -> int:
        """Number of units."""
        return len(self.peak)


@final
@dataclass(frozen=True, eq=False)
class CommonComponents:
    """Principal components of the rate fluctuations of units.

    Parameters
    ----------
    scores : ndarray, shape (components, samples)
        Each component over time, largest first.
    loadings : ndarray, shape (units, components)
        Correlation of each unit with each component; NaN for silent units. The loadings of a component
        sum to 0 or more.
    explained : ndarray, shape (components,)
        Share of the variance of the standardised rates.
    rate_hz, t_start_s : float
        Of the scores.
    """

    scores: FloatArray
    loadings: FloatArray
    explained: FloatArray
    rate_hz: float
    t_start_s: float

    def __len__(self) -> int:
        """Number of components."""
        return len(self.explained)

    @property
    def times_s(self) -> FloatArray:
        """Time of each sample of the scores, shape (samples,)."""
        return self.t_start_s + np.arange(self.scores.shape[1]) / self.rate_hz


def common_drive(
    spikes: SpikeTrains,
    settings: FluctuationSettings | None = None,
    *,
    segment_s: float = 5.0,
    max_lag_s: float = 0.1,
    surrogates: int = 10,
    confidence: float = 0.95,
    seed: int = 0,
) -> CommonDrive:
    """Common drive of units that discharge steadily.

    Parameters
    ----------
    spikes : SpikeTrains
        Of a steady contraction: cut the plateau with `SpikeTrains.between`.
    settings : FluctuationSettings, optional
    segment_s : float
        Correlations are computed in separate segments of this length and averaged.
    max_lag_s : float
        Lags on either side.
    surrogates : int
        Sets of trains with shuffled intervals for the limit; 0 for none.
    confidence : float
        Level of that limit.
    seed : int
        For the shuffling.

    Returns
    -------
    CommonDrive

    Raises
    ------
    ParameterError
        Fewer than two active units, or a time shorter than a segment and the edges.

    References
    ----------
    De Luca, LeFever, McCue, Xenakis (1982), J Physiol 329:129.
    """
    owner = "common_drive"
    trains, chosen = _two_active(spikes, owner), settings or FluctuationSettings()
    length = round(checked_number(segment_s, f"{owner}.segment_s", above=0) * chosen.rate_hz)
    lags = round(checked_number(max_lag_s, f"{owner}.max_lag_s", at_least=0) * chosen.rate_hz)
    if lags >= length:
        raise ParameterError(
            f"{owner}.max_lag_s", f"{max_lag_s:g} s in segments of {segment_s:g} s", "give less"
        )
    sets = checked_count(surrogates, f"{owner}.surrogates", 0)
    level = checked_number(confidence, f"{owner}.confidence", above=0, below=1)
    correlation = _correlations(_fluctuations(trains, chosen, owner), length, lags, owner)
    lag_s = np.arange(-lags, lags + 1) / chosen.rate_hz
    peak, peak_lag = _peaks(correlation, lag_s)
    rng, chance = Streams(seed).child("common drive").generator(), []
    for _ in range(sets):
        shuffled = _fluctuations(_shuffled(trains, rng), chosen, owner)
        chance.append(_pairs(_peaks(_correlations(shuffled, length, lags, owner), lag_s)[0]))
    limit = float(np.quantile(np.concatenate(chance), level)) if sets else np.nan
    return CommonDrive(lag_s, correlation, peak, peak_lag, float(_pairs(peak).mean()), limit)


def common_components(spikes: SpikeTrains, settings: FluctuationSettings | None = None) -> CommonComponents:
    """Principal components of the rates of units that discharge steadily.

    The first component is the fluctuation that most units share.

    Parameters
    ----------
    spikes : SpikeTrains
        Of a steady contraction: cut the plateau with `SpikeTrains.between`.
    settings : FluctuationSettings, optional

    Returns
    -------
    CommonComponents

    Raises
    ------
    ParameterError
        Fewer than two active units, or a time shorter than the edges.

    References
    ----------
    Negro, Holobar, Farina (2009), J Physiol 587:5925.
    """
    owner = "common_components"
    trains, chosen = _two_active(spikes, owner), settings or FluctuationSettings()
    rates = _fluctuations(trains, chosen, owner)
    spread = rates.std(axis=1)
    active = spread > 0
    standard = (rates[active] - rates[active].mean(axis=1, keepdims=True)) / spread[active, None]
    left, size, right = np.linalg.svd(standard, full_matrices=False)
    sign = np.where(left.sum(axis=0) < 0, -1.0, 1.0)
    explained = size**2 / np.sum(size**2)
    loadings = np.full((len(trains), len(size)), np.nan)
    loadings[active] = left * sign * size / np.sqrt(rates.shape[1])
    start = trains.t_start_s + round(chosen.edge_s * chosen.rate_hz) / chosen.rate_hz
    return CommonComponents((sign * size)[:, None] * right, loadings, explained, chosen.rate_hz, start)


def _two_active(spikes: SpikeTrains, owner: str) -> SpikeTrains:
    trains = checked_trains(spikes, f"{owner}.spikes")
    active = int(trains.active.sum())
    if active < 2:
        raise ParameterError(
            f"{owner}.spikes", f"{active} of {len(trains)} units discharge", "give two active units"
        )
    return trains


def _fluctuations(trains: SpikeTrains, settings: FluctuationSettings, owner: str) -> FloatArray:
    """Smooth rates without trends and edges, shape (units, samples); zeros for silent units."""
    from scipy.signal import butter, sosfiltfilt

    samples = int(np.floor(trains.duration_s * settings.rate_hz + 1e-9)) + 1
    edge = round(settings.edge_s * settings.rate_hz)
    if samples - 2 * edge < settings.rate_hz / settings.high_pass_hz:
        raise ParameterError(
            f"{owner}.spikes",
            f"{trains.duration_s:g} s, of which {2 * settings.edge_s:g} s are edges",
            f"give {2 * settings.edge_s + 1.0 / settings.high_pass_hz:.3g} s or more",
        )
    times = trains.t_start_s + np.arange(samples) / settings.rate_hz
    smoother = HannRate(window_s=settings.window_s)
    rates = np.array([smoother.rate_pps(train, times) for train in trains])
    high_pass = butter(_ORDER, settings.high_pass_hz, "highpass", fs=settings.rate_hz, output="sos")
    filtered = np.asarray(sosfiltfilt(high_pass, rates, axis=1))
    return np.where(trains.active[:, None], filtered, 0.0)[:, edge : samples - edge]


def _correlations(rates: FloatArray, length: int, lags: int, owner: str) -> FloatArray:
    """Normalised cross-correlations averaged over segments, shape (units, units, 2 lags + 1)."""
    segments = rates.shape[1] // length
    if segments == 0:
        raise ParameterError(
            f"{owner}.segment_s", "longer than what is left without edges", "give shorter segments"
        )
    parts = rates[:, : segments * length].reshape(len(rates), segments, length).swapaxes(0, 1)
    parts = parts - parts.mean(axis=2, keepdims=True)
    norm = np.sqrt(np.sum(parts**2, axis=2, keepdims=True))
    parts = parts / np.where(norm > 0, norm, np.nan)
    found = np.empty((len(rates), len(rates), 2 * lags + 1))
    for lag in range(lags + 1):
        ahead = parts[:, :, : length - lag] @ parts[:, :, lag:].swapaxes(1, 2)
        mean = ahead.mean(axis=0)
        found[:, :, lags + lag], found[:, :, lags - lag] = mean, mean.T
    return found


def _peaks(correlation: FloatArray, lag_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    unknown = np.isnan(correlation).any(axis=2) | np.eye(len(correlation), dtype=bool)
    best = np.argmax(np.where(unknown[:, :, None], 0.0, correlation), axis=2)
    peak = np.take_along_axis(correlation, best[:, :, None], axis=2)[:, :, 0]
    return np.where(unknown, np.nan, peak), np.where(unknown, np.nan, lag_s[best])


def _pairs(matrix: FloatArray) -> FloatArray:
    values = matrix[np.triu_indices(len(matrix), 1)]
    return values[np.isfinite(values)]


def _shuffled(trains: SpikeTrains, rng: np.random.Generator) -> SpikeTrains:
    """The same intervals of each unit in another order, from its first discharge on."""
    mixed = []
    for train in trains:
        intervals = rng.permutation(np.diff(train))
        moved = np.concatenate([train[:1], train[:1] + np.cumsum(intervals)])
        mixed.append(np.minimum(moved, trains.t_stop_s))  # rounding may pass the end by an ulp
    return SpikeTrains.from_trains(mixed, trains.t_stop_s, trains.t_start_s)
