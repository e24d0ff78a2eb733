"""Discharge rates that are smooth in time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..data import SpikeTrains
from ..errors import ParameterError, shown
from ..parameters import Parameters, count, number
from ._check import checked_number, checked_trains

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class SmoothedRates:
    """Discharge rates of units over time.

    Parameters
    ----------
    values_pps : ndarray, shape (units, samples)
        NaN where a unit does not discharge, if the smoother says so.
    rate_hz : float
        Sampling rate.
    t_start_s : float
        Time of the first sample.
    """

    values_pps: FloatArray
    rate_hz: float
    t_start_s: float = 0.0

    def __post_init__(self) -> None:
        values = np.asarray(self.values_pps, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] == 0 or np.any(np.isinf(values)):
            raise ParameterError(
                "SmoothedRates.values_pps", f"shape {values.shape}, or infinite", "give (units, samples)"
            )
        object.__setattr__(self, "values_pps", values)
        for name, bounds in (("rate_hz", {"above": 0}), ("t_start_s", {})):
            checked = checked_number(getattr(self, name), f"SmoothedRates.{name}", **bounds)
            object.__setattr__(self, name, checked)

    def __len__(self) -> int:
        """Number of units."""
        return len(self.values_pps)

    @property
    def times_s(self) -> FloatArray:
        """Time of each sample, shape (samples,)."""
        return self.t_start_s + np.arange(self.values_pps.shape[1]) / self.rate_hz


@dataclass(frozen=True, kw_only=True)
class RateSmoother(Parameters, ABC):
    """Turns the discharges of one unit into a rate over time."""

    @abstractmethod
    def rate_pps(self, train_s: FloatArray, times_s: FloatArray) -> FloatArray:
        """Rate at `times_s`, shape (times,), of a unit that discharges at `train_s`; NaN where unknown."""


@final
@dataclass(frozen=True, kw_only=True)
class HannRate(RateSmoother):
    """Discharges convolved with a Hann window of unit area, centred on each discharge.

    It needs no interval and is 0 in silence: the smoother for common drive and cumulative trains.

    Parameters
    ----------
    window_s : float
        Length of the window.

    References
    ----------
    De Luca, LeFever, McCue, Xenakis (1982), J Physiol 329:129.
    """

    window_s: float = number(0.4, above=0)

    def rate_pps(self, train_s: FloatArray, times_s: FloatArray) -> FloatArray:
        """Rate at `times_s`; ascending times are needed."""
        rate = np.zeros(len(times_s))
        half = self.window_s / 2
        first = np.searchsorted(times_s, train_s - half, side="left")
        last = np.searchsorted(times_s, train_s + half, side="right")
        for spike, begin, end in zip(train_s, first, last, strict=True):
            phase = (times_s[begin:end] - spike) / self.window_s
            rate[begin:end] += (1.0 + np.cos(2.0 * np.pi * phase)) / self.window_s
        return rate


@final
@dataclass(frozen=True, kw_only=True)
class PolynomialRate(RateSmoother):
    """Polynomial of least squares through the instantaneous rates of a unit.

    Its value is known from the first discharge to the last one, except within long silences.

    Parameters
    ----------
    degree : int
        Degree of the polynomial; a unit with no more intervals than that has no rate.
    longest_interval_s : float
        Longer intervals are silences: they are left out of the fit, and the rate is unknown in them.

    References
    ----------
    Gorassini, Yang, Siu, Bennett (2002), J Neurophysiol 87:1850: degree 5.
    """

    degree: int = count(5, at_least=0)
    longest_interval_s: float = number(1.0, above=0)

    def rate_pps(self, train_s: FloatArray, times_s: FloatArray) -> FloatArray:
        """Rate at `times_s`."""
        at, rate, known = _intervals(train_s, times_s, self.longest_interval_s)
        if len(at) <= self.degree:
            return np.full(len(times_s), np.nan)
        fit = np.polynomial.Polynomial.fit(at, rate, self.degree)
        return np.where(known, fit(times_s), np.nan)


@final
@dataclass(frozen=True, kw_only=True)
class SplineRate(RateSmoother):
    """Cubic smoothing spline through the instantaneous rates of a unit.

    Its value is known from the first discharge to the last one, except within long silences.

    Parameters
    ----------
    penalty_s3 : float, optional
        Weight of the integral of the squared second derivative against the sum of squared errors, in
        s^3; larger is smoother. None: chosen by generalised cross-validation.
    longest_interval_s : float
        Longer intervals are silences: they are left out of the fit, and the rate is unknown in them.

    References
    ----------
    Craven, Wahba (1979), Numer Math 31:377.
    """

    penalty_s3: float | None = number(None, at_least=0, optional=True)
    longest_interval_s: float = number(1.0, above=0)

    def rate_pps(self, train_s: FloatArray, times_s: FloatArray) -> FloatArray:
        """Rate at `times_s`; below five intervals it is unknown."""
        from scipy.interpolate import make_smoothing_spline

        at, rate, known = _intervals(train_s, times_s, self.longest_interval_s)
        if len(at) < 5:
            return np.full(len(times_s), np.nan)
        fit = make_smoothing_spline(at, rate, lam=self.penalty_s3)
        return np.where(known, fit(times_s), np.nan)


def smoothed_rates(
    spikes: SpikeTrains, smoother: RateSmoother | None = None, *, rate_hz: float = 100.0
) -> SmoothedRates:
    """Smooth discharge rate of each unit.

    Parameters
    ----------
    spikes : SpikeTrains
    smoother : RateSmoother, optional
        `PolynomialRate` (of degree 5) by default, which is usual for Delta F.
    rate_hz : float
        Sampling rate of the result.

    Returns
    -------
    SmoothedRates
        From the start of the observation to its end; a row of NaN for a unit with too few discharges.
    """
    trains = checked_trains(spikes, "smoothed_rates.spikes")
    chosen = PolynomialRate() if smoother is None else smoother
    if not isinstance(chosen, RateSmoother):
        raise ParameterError(
            "smoothed_rates.smoother", f"{shown(smoother)} was given", "give a RateSmoother, e.g. HannRate()"
        )
    rate_hz = checked_number(rate_hz, "smoothed_rates.rate_hz", above=0)
    samples = int(np.floor(trains.duration_s * rate_hz + 1e-9)) + 1
    times = trains.t_start_s + np.arange(samples) / rate_hz
    values = np.array([chosen.rate_pps(train, times) for train in trains])
    return SmoothedRates(values, rate_hz, trains.t_start_s)


def _intervals(
    train_s: FloatArray, times_s: FloatArray, longest_s: float
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Middle and rate of each interval that is no silence, and which times lie in such an interval.

    The rate of an interval holds for its middle: taken for its end it would lag behind by half an
    interval, and a rate that rises and falls would seem to fall later than it does.
    """
    interval = np.diff(train_s)
    kept = (interval > 0) & (interval <= longest_s)
    at = (0.5 * (train_s[:-1] + train_s[1:]))[kept]
    place = np.searchsorted(train_s, times_s, side="right") - 1
    place[times_s == train_s[-1] if len(train_s) else slice(0)] = len(train_s) - 2
    inside = (place >= 0) & (place < len(interval))
    known = np.zeros(len(times_s), dtype=bool)
    known[inside] = (interval <= longest_s)[place[inside]]
    return at, 1.0 / interval[kept], known
