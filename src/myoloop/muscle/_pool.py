"""The motor-unit pool of Fuglevand, Winter and Patla (1993): excitation to spike trains."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data import Progress, Signal, SpikeTrains, silent
from ..errors import ParameterError
from ..parameters import Parameters, count, number
from ..random import Streams
from ._check import number_argument

FloatArray = NDArray[np.float64]
Excitation = float | Signal | Callable[[FloatArray], ArrayLike]

_LARGEST_Z = 3.9  # of the normal numbers that vary the intervals
_SHORTEST = 0.1  # shortest interval that may be drawn, over its mean
_CHUNK_S = 1.0


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class FuglevandPool(Parameters):
    """Pool of motor neurons whose rates grow with a common excitation.

    A unit fires while the excitation E is at or above its threshold RTE, at ``gain (E - RTE)`` above the
    minimum rate and at most at its peak rate. `spikes` takes the excitation as a **fraction of Emax**,
    the excitation at which every unit has reached its peak rate.

    Parameters
    ----------
    n : int
        Number of units, smallest first.
    recruitment_range : float
        RR: thresholds are exp(i ln(RR)/n), i = 1..n, in units of excitation (Eq. 1).
    thresholds : array of float, shape (n,), optional
        Other thresholds, in units of excitation; `recruitment_range` then has no part.
    rate_gain_pps : float
        g_e: increase of the rate per unit of excitation.
    minimum_rate_pps : float
        MFR: rate at recruitment.
    first_peak_rate_pps, peak_rate_span_pps : float
        PFR1 and PFRD: the peak rate of unit i is PFR1 - PFRD RTE_i/RTE_n (Eq. 5).
    isi_cv : float
        Coefficient of variation of the (Gaussian) interspike intervals, from 0, which is regular
        firing, to 0.3. Draws beyond 3.9 standard deviations, or that would make an interval shorter
        than a tenth of its mean, are drawn again.

    Notes
    -----
    The defaults are those of several independent implementations of the paper, and give its relation of
    force to excitation (study ``fuglevand1993``); with a gain of 1.5, which is also in use, they do not.

    References
    ----------
    Fuglevand, Winter, Patla (1993), J Neurophysiol 70:2470, Eqs. 1-8.
    """

    n: int = count(120, help="number of motor units")
    recruitment_range: float = number(30.0, above=1.0, help="RR, largest over smallest threshold")
    thresholds: FloatArray | None = number(
        None, above=0.0, per_unit=True, optional=True, help="thresholds in units of excitation"
    )
    rate_gain_pps: float = number(1.0, above=0.0, help="g_e, rate per unit of excitation")
    minimum_rate_pps: float = number(8.0, above=0.0, help="MFR, rate at recruitment")
    first_peak_rate_pps: float = number(45.0, above=0.0, help="PFR1, peak rate of the first unit")
    peak_rate_span_pps: float = number(10.0, at_least=0.0, help="PFRD, first minus last peak rate")
    isi_cv: float = number(0.2, at_least=0.0, at_most=0.3, help="CV of the interspike intervals")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.thresholds is not None:
            object.__setattr__(self, "thresholds", np.atleast_1d(self.thresholds))
            if len(self.thresholds) != self.n:
                raise ParameterError(
                    "FuglevandPool.thresholds",
                    f"{len(self.thresholds)} were given for n {self.n}",
                    "give one for each unit",
                )
        if self.first_peak_rate_pps - self.peak_rate_span_pps < self.minimum_rate_pps:
            raise ParameterError(
                "FuglevandPool.peak_rate_span_pps",
                f"{self.peak_rate_span_pps:g} leaves the last unit a peak rate of "
                f"{self.first_peak_rate_pps - self.peak_rate_span_pps:g} pps, below its minimum rate",
                f"give at most {self.first_peak_rate_pps - self.minimum_rate_pps:g}",
            )

    @property
    def threshold_excitations(self) -> FloatArray:
        """Excitation RTE at which each unit is recruited, shape (n,) (Eq. 1)."""
        if self.thresholds is not None:
            return self.thresholds
        return np.asarray(self.recruitment_range ** (np.arange(1, self.n + 1) / self.n))

    @property
    def peak_rates_pps(self) -> FloatArray:
        """Peak rate of each unit, shape (n,) (Eq. 5)."""
        relative = self.threshold_excitations / self.threshold_excitations.max()
        return np.asarray(self.first_peak_rate_pps - self.peak_rate_span_pps * relative)

    @property
    def maximum_excitation(self) -> float:
        """Emax, where the last unit to do so reaches its peak rate (Eq. 8).

        That is unit n of the published pool; it is an earlier one where RTE_n < PFRD/g_e.
        """
        above = (self.peak_rates_pps - self.minimum_rate_pps) / self.rate_gain_pps
        return float(np.max(self.threshold_excitations + above))

    @property
    def recruitment_thresholds(self) -> FloatArray:
        """Fraction of Emax at which each unit is recruited, shape (n,)."""
        return self.threshold_excitations / self.maximum_excitation

    def rates_pps(self, excitation: ArrayLike) -> FloatArray:
        """Rate of each unit at constant excitations, 0 below its threshold (Eqs. 2-5).

        Parameters
        ----------
        excitation : array of float, shape (...)
            Fractions of Emax, 0 to 1.

        Returns
        -------
        ndarray, shape (..., n)
        """
        level = _fractions(excitation, "FuglevandPool.rates_pps.excitation")[..., None]
        above = level * self.maximum_excitation - self.threshold_excitations
        rates = np.minimum(self.minimum_rate_pps + self.rate_gain_pps * above, self.peak_rates_pps)
        return np.where(above >= 0, rates, 0.0)

    def start(self, *, seed: int, rate_hz: float = 1000.0, excitation: float = 0.0) -> PoolState:
        """State at time 0, where the excitation is `excitation`, for `step`.

        Units that are active from the start are at a random point of an interval; the others are at rest.
        """
        owner = "FuglevandPool.start"
        rate_hz = number_argument(rate_hz, f"{owner}.rate_hz", above=0.0)
        level = float(_fractions(number_argument(excitation, f"{owner}.excitation"), f"{owner}.excitation"))
        key = Streams(seed).child("FuglevandPool").key
        zeros = np.zeros(self.n)
        return PoolState(rate_hz, 0, level, zeros, zeros, np.zeros(self.n, dtype=np.int64), key)

    def step(self, state: PoolState, excitation: ArrayLike) -> tuple[PoolState, SpikeTrains]:
        """Go on by some samples of the excitation.

        Parameters
        ----------
        state : PoolState
            From `start` or the step before; it is left as it is.
        excitation : array of float, shape (samples,)
            Fractions of Emax at the *ends* of the sample periods; in between it goes linearly.

        Returns
        -------
        state : PoolState
        spikes : SpikeTrains
            Of these periods; ``annotations["recruitment_threshold"]`` is `recruitment_thresholds`.

        Raises
        ------
        ParameterError
            An excitation that is empty, not finite or outside 0 to 1.
        """
        from . import _kernels

        levels = np.atleast_1d(_fractions(excitation, "FuglevandPool.step.excitation"))
        if levels.ndim != 1 or levels.size == 0:
            raise ParameterError(
                "FuglevandPool.step.excitation", f"shape {levels.shape}", "give samples, shape (samples,)"
            )
        new = dataclasses.replace(
            state,
            samples=state.samples + len(levels),
            excitation=float(levels[-1]),
            phase=state.phase.copy(),
            target=state.target.copy(),
            draws=state.draws.copy(),
        )
        duration_s, limit = len(levels) / state.rate_hz, self._largest_z
        most = math.ceil(duration_s * self.first_peak_rate_pps / (1.0 - self.isi_cv * limit)) + 2
        times, counts = np.empty(self.n * most), np.zeros(self.n, dtype=np.int64)
        spikes = _kernels.fire(
            state.key,
            state.excitation * self.maximum_excitation,
            levels * self.maximum_excitation,
            1.0 / state.rate_hz,
            state.samples,
            self.threshold_excitations,
            self.peak_rates_pps,
            self.rate_gain_pps,
            self.minimum_rate_pps,
            self.isi_cv,
            limit,
            new.phase,
            new.target,
            new.draws,
            times,
            counts,
        )
        begin, end = state.time_s, new.time_s
        starts = np.concatenate([[0], np.cumsum(counts)])
        inside = np.clip(times[:spikes], begin, end)  # rounding may put a spike past the very end
        return new, SpikeTrains(inside, starts, end, begin, self._annotations(), "motor units")

    def spikes(
        self,
        excitation: Excitation,
        duration_s: float,
        *,
        seed: int,
        rate_hz: float = 1000.0,
        progress: Progress = silent,
    ) -> SpikeTrains:
        """Spike trains under an excitation.

        Parameters
        ----------
        excitation : float, Signal or callable
            Fraction of Emax, 0 to 1: constant, sampled (one channel, linear between samples), or a
            function that takes an array of times in s, shape (m,), and returns as many fractions.
        duration_s : float
            Length of the run from time 0.
        seed : int
            The same seed gives the same spikes; unit i's do not depend on the number of units.
        rate_hz : float
            How often the excitation is evaluated. Spike times do not lie on these samples.
        progress : Progress
            Told the simulated time now and then.

        Returns
        -------
        SpikeTrains
            All n units; ``annotations["recruitment_threshold"]`` is the fraction of Emax at which each
            is recruited.

        Raises
        ------
        ParameterError
            An excitation outside 0 to 1, not finite, or shorter than the run; a duration or rate that is
            not positive.
        """
        owner = "FuglevandPool.spikes"
        duration_s = number_argument(duration_s, f"{owner}.duration_s", above=0.0)
        rate_hz = number_argument(rate_hz, f"{owner}.rate_hz", above=0.0)
        levels = _sampled(excitation, duration_s, rate_hz, f"{owner}.excitation")
        state = self.start(seed=seed, rate_hz=rate_hz, excitation=float(levels[0]))
        chunk, parts = max(1, round(_CHUNK_S * rate_hz)), []
        for first in range(1, len(levels), chunk):
            state, part = self.step(state, levels[first : first + chunk])
            parts.append(part)
            progress("motor units", min(state.time_s, duration_s), duration_s)
        times = np.concatenate([part.times_s for part in parts])
        units = np.concatenate([part.units for part in parts])
        inside = times <= duration_s
        return SpikeTrains.from_events(
            units[inside],
            times[inside],
            self.n,
            duration_s,
            annotations=self._annotations(),
            name="motor units",
        )

    @property
    def _largest_z(self) -> float:
        return min(_LARGEST_Z, (1.0 - _SHORTEST) / self.isi_cv) if self.isi_cv else 0.0

    def _annotations(self) -> dict[str, FloatArray]:
        return {"recruitment_threshold": self.recruitment_thresholds}


@final
@dataclass(frozen=True, eq=False)
class PoolState:
    """Where a `FuglevandPool` is between two steps.

    Parameters
    ----------
    rate_hz : float
        Samples of excitation per second.
    samples : int
        How many have been taken.
    excitation : float
        The last one.
    phase, target : ndarray, shape (n,)
        How far each unit is in its interval, and where it fires; 1 is a mean interval.
    draws : ndarray of int, shape (n,)
        Random numbers that each unit has used.
    key : int
        Of the stream of random numbers.
    """

    rate_hz: float
    samples: int
    excitation: float
    phase: FloatArray
    target: FloatArray
    draws: NDArray[np.int64]
    key: np.uint64

    @property
    def time_s(self) -> float:
        """Simulated time."""
        return self.samples / self.rate_hz


def _fractions(values: Any, field: str) -> FloatArray:
    try:
        levels = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(field, f"not numbers: {values!r}", "give fractions of Emax, 0 to 1") from None
    bad = ~((levels >= 0.0) & (levels <= 1.0))  # NaN is bad
    if np.any(bad):
        raise ParameterError(
            field, f"{levels[bad].flat[0]:g} was given", "give a fraction of Emax, 0 to 1 (not per cent)"
        )
    return levels


def _sampled(excitation: Any, duration_s: float, rate_hz: float, field: str) -> FloatArray:
    """Fractions of Emax at the edges of all sample periods, shape (periods + 1,)."""
    times_s = np.arange(math.ceil(duration_s * rate_hz - 1e-6) + 1) / rate_hz
    if isinstance(excitation, Signal):
        return _fractions(_from_signal(excitation, times_s, duration_s, field), field)
    if callable(excitation):
        levels = _fractions(excitation(times_s), field)
        if levels.shape not in {(), times_s.shape}:
            raise ParameterError(
                field,
                f"the function returned shape {levels.shape} for {times_s.shape} times",
                "return one fraction for each time",
            )
        return np.broadcast_to(levels, times_s.shape)
    if np.ndim(excitation) != 0:
        raise ParameterError(
            field,
            f"an array of shape {np.shape(excitation)} has no sampling rate",
            "give Signal(values, rate_hz)",
        )
    return np.full(times_s.shape, _fractions(number_argument(excitation, field), field))


def _from_signal(signal: Signal, times_s: FloatArray, duration_s: float, field: str) -> FloatArray:
    values = signal.values.reshape(len(signal), -1)
    if values.shape[1] != 1:
        raise ParameterError(field, f"{values.shape[1]} channels were given", "give one")
    end_s = signal.t_start_s + signal.duration_s
    if signal.t_start_s > 1e-9 or end_s < duration_s - 1e-9:
        raise ParameterError(
            field,
            f"it lasts from {signal.t_start_s:g} to {end_s:g} s, the run from 0 to {duration_s:g} s",
            "give an excitation for the whole run, or a shorter duration_s",
        )
    return np.asarray(np.interp(times_s, signal.times_s, values[:, 0]))
