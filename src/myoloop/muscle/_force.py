"""The twitch model of Fuglevand, Winter and Patla (1993): spike trains to isometric force."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data import Progress, Signal, SpikeTrains, as_spike_trains, silent
from ..errors import ParameterError
from ..parameters import Parameters, number
from ._check import number_argument
from ._pool import FuglevandPool
from ._statistics import ForceStatistics
from ._twitch import steady_force

FloatArray = NDArray[np.float64]

_CHUNK_S = 0.5


@final
@dataclass(frozen=True, eq=False)
class FuglevandForce(Parameters):
    r"""Isometric force of a pool of motor units, from their spike times.

    Each discharge adds a twitch P g (t/T) exp(1 - t/T), whose gain g depends on the interval before it
    (see `twitch_gain`; the first discharge has g = 1). A unit's force is the sum of its twitches, the
    muscle's the sum over units, in units of a twitch force of 1.

    Twitch force and contraction time follow from the threshold. The paper gives them by index,
    P_i = exp(i ln(RP)/n) and T_i = T_L P_i**(-ln(RT)/ln(RP)) = T_L exp(-i ln(RT)/n). Here a unit's
    index is read from its threshold on a logarithmic scale,
    k_i = 1 + (n - 1) ln(rt_i/rt_min)/ln(rt_max/rt_min): exactly i where thresholds are geometric, as in
    the paper whatever their ratio, and for any other pool the index that such a threshold would have in
    a geometric pool. The largest unit is the strongest (RP) and the fastest (T_L/RT); the smallest has
    RP**(1/n), a little above 1.

    Parameters
    ----------
    thresholds : array of float, shape (n,)
        Recruitment thresholds of all units of the pool, in any unit and order, silent units included.
    twitch_range : float
        RP: largest twitch force.
    longest_contraction_ms : float
        T_L: contraction time at the lower end of the scale.
    contraction_range : float
        RT: longest over shortest contraction time.
    twitch_forces, contraction_times_ms : float or array, shape (n,), optional
        Measured twitch forces and contraction times, in place of the above.
    first_peak_rate_pps, peak_rate_span_pps : float
        PFR1 and PFRD: peak rates of the units, PFR1 - PFRD rt_i/rt_max, which define the maximal force.

    Examples
    --------
    >>> from myoloop.muscle import FuglevandForce, FuglevandPool
    >>> pool = FuglevandPool(n=120)
    >>> model = FuglevandForce.of_pool(pool)
    >>> force = model.force(pool.spikes(0.5, duration_s=2.0, seed=1), rate_hz=1000)
    >>> percent = model.percent_mvc(force)

    References
    ----------
    Fuglevand, Winter, Patla (1993), J Neurophysiol 70:2470, Eqs. 10-18.
    """

    thresholds: FloatArray = number(above=0.0, per_unit=True, help="thresholds of all units")
    _: KW_ONLY
    twitch_range: float = number(100.0, at_least=1.0, help="RP, largest twitch force")
    longest_contraction_ms: float = number(90.0, above=0.0, help="T_L, longest contraction time")
    contraction_range: float = number(3.0, at_least=1.0, help="RT, longest over shortest contraction time")
    twitch_forces: FloatArray | float | None = number(
        None, above=0.0, per_unit=True, optional=True, help="measured twitch forces"
    )
    contraction_times_ms: FloatArray | float | None = number(
        None, above=0.0, per_unit=True, optional=True, help="measured contraction times"
    )
    first_peak_rate_pps: float = number(45.0, above=0.0, help="PFR1, peak rate of the first unit")
    peak_rate_span_pps: float = number(10.0, at_least=0.0, help="PFRD, first minus last peak rate")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "thresholds", np.atleast_1d(self.thresholds))
        for name in ("twitch_forces", "contraction_times_ms"):
            self._check_measured(name)
        if self.peak_rate_span_pps >= self.first_peak_rate_pps:
            raise ParameterError(
                "FuglevandForce.peak_rate_span_pps",
                f"{self.peak_rate_span_pps:g} leaves the last unit no rate",
                f"give less than first_peak_rate_pps, {self.first_peak_rate_pps:g}",
            )
        measured = self.twitch_forces is not None and self.contraction_times_ms is not None
        if self.n > 1 and np.ptp(self.thresholds) == 0 and not measured:
            raise ParameterError(
                "FuglevandForce.thresholds",
                f"all {self.n} are {self.thresholds[0]:g}, so none tells how strong a unit is",
                "give different ones, or twitch_forces and contraction_times_ms",
            )

    @classmethod
    def of_pool(cls, pool: FuglevandPool, **changes: Any) -> FuglevandForce:
        """Force of a Fuglevand pool: its thresholds and peak rates, and `changes` to the other fields."""
        rates = {
            "first_peak_rate_pps": pool.first_peak_rate_pps,
            "peak_rate_span_pps": pool.peak_rate_span_pps,
        }
        return cls(pool.recruitment_thresholds, **(rates | changes))

    @property
    def n(self) -> int:
        """Number of units of the pool."""
        return len(self.thresholds)

    @property
    def peaks(self) -> FloatArray:
        """Peak twitch force P of each unit, shape (n,) (Eq. 13)."""
        if self.twitch_forces is not None:
            return np.broadcast_to(self.twitch_forces, self.n)
        return np.asarray(self.twitch_range**self._relative_index)

    @property
    def contractions_ms(self) -> FloatArray:
        """Contraction time T (time to peak) of each unit in ms, shape (n,) (Eq. 14)."""
        if self.contraction_times_ms is not None:
            return np.broadcast_to(self.contraction_times_ms, self.n)
        return np.asarray(self.longest_contraction_ms * self.contraction_range**-self._relative_index)

    @property
    def peak_rates_pps(self) -> FloatArray:
        """Peak rate of each unit, shape (n,) (Eq. 5)."""
        relative = self.thresholds / self.thresholds.max()
        return np.asarray(self.first_peak_rate_pps - self.peak_rate_span_pps * relative)

    def mean_force(self, rates_pps: ArrayLike) -> FloatArray:
        """Exact steady mean force of each unit that fires regularly.

        Parameters
        ----------
        rates_pps : array of float, shape (..., n)
            Rate of each unit; 0 for a silent one.

        Returns
        -------
        ndarray, shape (..., n)
        """
        rates = number_argument(np.ravel(rates_pps), "FuglevandForce.rates_pps", at_least=0.0, per_unit=True)
        shaped = np.reshape(rates, np.shape(rates_pps))
        return np.asarray(self.peaks * steady_force(shaped * self.contractions_ms / 1000.0))

    def maximum_force(self) -> float:
        """Maximal force: the steady mean with every unit firing regularly at its peak rate.

        That is the force of the published pool at maximal excitation, 100 % MVC.
        """
        return float(np.sum(self.mean_force(self.peak_rates_pps)))

    def percent_mvc(self, force: Signal) -> Signal:
        """`force` in per cent of `maximum_force`."""
        return dataclasses.replace(force, values=force.values * (100.0 / self.maximum_force()), units="% MVC")

    def force(
        self,
        spikes: Any,
        rate_hz: float = 2048.0,
        *,
        per_unit: bool = False,
        units: ArrayLike | None = None,
        progress: Progress = silent,
    ) -> Signal:
        """Force of recorded or simulated spikes.

        Parameters
        ----------
        spikes : SpikeTrains, neo.Block, neo.Segment or list of neo.SpikeTrain
            One train for each unit of the pool, silent units included, unless `units` says which.
        rate_hz : float
            Samples of force per second, any. Spike times need not lie on samples.
        per_unit : bool
            The force of each unit instead of their sum; takes ``samples * n * 8`` bytes.
        units : array of int, shape (trains,), optional
            Index in the pool of each train, where spikes hold only some units; each keeps its own
            threshold and twitch.
        progress : Progress
            Told the time that is done now and then.

        Returns
        -------
        Signal
            Shape (samples,), or (samples, trains); the first sample is at ``spikes.t_start_s`` and the
            last before ``spikes.t_stop_s``. ``about`` holds the model and its maximal force.

        Raises
        ------
        ParameterError
            Spikes of another number of units, not sorted, negative or NaN; a rate that is not positive.
        """
        rate_hz = number_argument(rate_hz, "FuglevandForce.force.rate_hz", above=0.0)
        trains = as_spike_trains(spikes, None if units is not None else self.n)
        chosen = self._chosen(trains, units)
        state = self._begin(len(chosen), rate_hz, trains.t_start_s)
        samples = state.samples_until(trains.t_stop_s)
        total = np.zeros(samples)
        each = np.zeros((len(chosen), samples) if per_unit else (0, 0))
        cursor = trains.starts[:-1].copy()
        windows = max(1, math.ceil(trains.duration_s / _CHUNK_S))
        for edge_s in np.linspace(trains.t_start_s, trains.t_stop_s, windows + 1)[1:]:
            rest = total[state.samples :]
            state = self._advance(state, trains, cursor, chosen, float(edge_s), rest, each)
            progress("force", float(edge_s) - trains.t_start_s, trains.duration_s)
        return Signal(
            each.T if per_unit else total,
            rate_hz,
            "a.u.",
            trains.t_start_s,
            "force",
            tuple(int(u) for u in chosen) if per_unit else (),
            {"model": self.to_dict(), "maximum_force": self.maximum_force()},
        )

    def start(self, *, rate_hz: float, start_s: float = 0.0) -> ForceState:
        """State of a relaxed muscle at `start_s`, where the first sample of force lies, for `step`."""
        rate_hz = number_argument(rate_hz, "FuglevandForce.start.rate_hz", above=0.0)
        return self._begin(self.n, rate_hz, number_argument(start_s, "FuglevandForce.start.start_s"))

    def step(self, state: ForceState, spikes: SpikeTrains) -> tuple[ForceState, Signal]:
        """Go on by the time that `spikes` covers.

        Parameters
        ----------
        state : ForceState
            From `start` or the step before; it is left as it is.
        spikes : SpikeTrains
            Of all n units, beginning where the state ends. Any window length will do; the samples of
            all windows together are those that `force` gives for all spikes at once.

        Returns
        -------
        state : ForceState
        force : Signal
            Shape (samples,): those at or after ``spikes.t_start_s`` and before ``spikes.t_stop_s``;
            none where the window is shorter than a sample.

        Raises
        ------
        ParameterError
            A gap or an overlap, or another number of units.
        """
        if abs(spikes.t_start_s - state.until_s) > 1e-9:
            raise ParameterError(
                "FuglevandForce.step.spikes",
                f"they begin at {spikes.t_start_s:.9g} s, the state ends at {state.until_s:.9g} s",
                "give consecutive windows",
            )
        chosen = self._chosen(spikes, None)
        count = state.samples_until(spikes.t_stop_s) - state.samples
        total, cursor = np.zeros(count), spikes.starts[:-1].copy()
        new = self._advance(state, spikes, cursor, chosen, spikes.t_stop_s, total, np.zeros((0, 0)))
        first_s = state.start_s + state.samples / state.rate_hz
        return new, Signal(total, state.rate_hz, "a.u.", first_s, "force")

    def statistics(self, spikes: SpikeTrains, force: Signal) -> ForceStatistics:
        """Numbers that describe a pool and its force; cut `force` with ``between`` to leave out its onset."""
        return ForceStatistics.of(self, spikes, force)

    @property
    def _relative_index(self) -> FloatArray:
        """k_i / n of the class's docstring, shape (n,)."""
        if self.n == 1 or np.ptp(self.thresholds) == 0:
            return np.ones(self.n)
        depth = np.log(self.thresholds / self.thresholds.min())
        return np.asarray((1.0 + (self.n - 1) * depth / depth.max()) / self.n)

    def _check_measured(self, name: str) -> None:
        value = getattr(self, name)
        if value is not None and np.size(value) not in {1, self.n}:
            raise ParameterError(
                f"FuglevandForce.{name}",
                f"{np.size(value)} were given for {self.n} thresholds",
                "give one for all, or one for each unit",
            )

    def _chosen(self, trains: SpikeTrains, units: ArrayLike | None) -> NDArray[np.int64]:
        field = "FuglevandForce.force.units"
        if units is None:
            if len(trains) != self.n:
                raise ParameterError(
                    "FuglevandForce.force.spikes",
                    f"{len(trains)} units were given for {self.n} thresholds",
                    "keep silent units as empty trains, or name each train's index in the pool by units=",
                )
            return np.arange(self.n)
        chosen = np.asarray(units)
        if chosen.shape != (len(trains),) or chosen.dtype.kind not in "iu":
            raise ParameterError(
                field,
                f"{chosen.dtype} of shape {chosen.shape} for {len(trains)} trains",
                "give one whole number for each train",
            )
        if chosen.min() < 0 or chosen.max() >= self.n or len(np.unique(chosen)) != len(chosen):
            raise ParameterError(
                field,
                f"indices {chosen.min()} to {chosen.max()}, {len(np.unique(chosen))} different",
                f"give different indices from 0 to {self.n - 1}",
            )
        return chosen.astype(np.int64)

    def _begin(self, n: int, rate_hz: float, start_s: float) -> ForceState:
        zeros = np.zeros(n)
        return ForceState(rate_hz, start_s, start_s, 0, np.full(n, -np.inf), zeros, zeros)

    def _advance(
        self,
        state: ForceState,
        trains: SpikeTrains,
        cursor: NDArray[np.int64],
        chosen: NDArray[np.int64],
        until_s: float,
        total: FloatArray,
        each: FloatArray,
    ) -> ForceState:
        """Fill `total`, and `each` of all samples, up to `until_s`; move the cursor on."""
        from . import _kernels

        new = dataclasses.replace(
            state,
            until_s=until_s,
            samples=state.samples_until(until_s),
            last_s=state.last_s.copy(),
            force=state.force.copy(),
            drive=state.drive.copy(),
        )
        count = new.samples - state.samples
        _kernels.twitch(
            trains.times_s,
            cursor,
            trains.starts[1:],
            until_s,
            state.start_s,
            state.rate_hz,
            state.samples,
            count,
            self.peaks[chosen],
            self.contractions_ms[chosen] / 1000.0,
            new.last_s,
            new.force,
            new.drive,
            total,
            each,
        )
        return new


@final
@dataclass(frozen=True, eq=False)
class ForceState:
    """Where a `FuglevandForce` is between two steps.

    Parameters
    ----------
    rate_hz, start_s : float
        Sample k of the force is at ``start_s + k/rate_hz``.
    until_s : float
        All spikes up to this time are in.
    samples : int
        Samples given so far.
    last_s : ndarray, shape (n,)
        Last discharge of each unit, -inf before its first.
    force, drive : ndarray, shape (n,)
        Sum of P g (s/T) exp(1 - s/T) and of P g exp(1 - s/T) at the next sample, s the time since each
        discharge.
    """

    rate_hz: float
    start_s: float
    until_s: float
    samples: int
    last_s: FloatArray
    force: FloatArray
    drive: FloatArray

    def samples_until(self, time_s: float) -> int:
        """Number of samples before `time_s`; one that is due within a millionth of a period counts not."""
        return max(self.samples, math.ceil((time_s - self.start_s) * self.rate_hz - 1e-6))
