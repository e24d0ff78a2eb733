"""Delta F: the hysteresis of paired motor units, an estimate of persistent inward currents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import SpikeTrains
from ..errors import ParameterError, shown
from ..parameters import Parameters, number
from ._check import checked_trains
from ._smooth import SmoothedRates

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, kw_only=True)
class DeltaFCriteria(Parameters):
    """What a pair of units must satisfy for its Delta F to count.

    Parameters
    ----------
    min_r2 : float
        Coefficient of determination of the two rates while both units discharge: they share an input.
        Rates that go in opposite directions never count.
    min_recruitment_gap_s : float
        Time from the recruitment of the control unit to that of the test unit: the persistent inward
        currents of the control unit are then active already.
    min_modulation_pps : float
        Range of the control unit's rate while the test unit discharges: a saturated control unit says
        nothing about the input.

    References
    ----------
    Gorassini, Yang, Siu, Bennett (2002), J Neurophysiol 87:1850; Udina, D'Amico, Bergquist, Gorassini
    (2010), J Neurophysiol 103:1295; Stephenson, Maluf (2011), J Neurosci Methods 195:93.
    """

    min_r2: float = number(0.7, at_least=0, at_most=1)
    min_recruitment_gap_s: float = number(1.0, at_least=0)
    min_modulation_pps: float = number(0.5, at_least=0)


@final
@dataclass(frozen=True, eq=False)
class DeltaF:
    """Delta F of all pairs of units; arrays have shape (pairs,) unless said otherwise.

    Parameters
    ----------
    control, test : ndarray of int
        The unit that is recruited first, and the other one.
    delta_f_pps : ndarray
        Rate of the control unit at the recruitment of the test unit minus that at its derecruitment; NaN
        where the two are not active together.
    correlation : ndarray
        Of the two rates while both units discharge.
    recruitment_gap_s : ndarray
        From the recruitment of the control unit to that of the test unit.
    modulation_pps : ndarray
        Range of the control unit's rate while both units discharge.
    control_fall_pps : ndarray
        Rate of the control unit at the recruitment of the test unit minus that at its own last discharge.
    truncated : ndarray of bool
        Where the control unit stops before the test unit. The control unit's last rate is taken then,
        and Delta F may be too small.
    accepted : ndarray of bool
        Which pairs satisfy all criteria.
    unit_delta_f_pps : ndarray, shape (units,)
        Mean over the accepted pairs in which a unit is the test unit; NaN where there is none.
    """

    control: IntArray
    test: IntArray
    delta_f_pps: FloatArray
    correlation: FloatArray
    recruitment_gap_s: FloatArray
    modulation_pps: FloatArray
    control_fall_pps: FloatArray
    truncated: BoolArray
    accepted: BoolArray
    unit_delta_f_pps: FloatArray

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.control)

    @property
    def normalised(self) -> FloatArray:
        """Delta F over `control_fall_pps`, shape (pairs,); NaN where the control unit does not slow down."""
        fall = np.where(self.control_fall_pps > 0, self.control_fall_pps, np.nan)
        return np.asarray(self.delta_f_pps / fall)


def delta_f(spikes: SpikeTrains, rates: SmoothedRates, criteria: DeltaFCriteria | None = None) -> DeltaF:
    """Delta F of all pairs of units in a slow ramp up and down.

    The control unit's rate stands for the input that both units share. A test unit that stops at less
    input than it needed to start has been held active by persistent inward currents; Delta F is how much
    less, in the rate of the control unit.

    Parameters
    ----------
    spikes : SpikeTrains
        Of one ramp. A pair is made of any two units with two discharges or more each.
    rates : SmoothedRates
        Of the same units, e.g. ``smoothed_rates(spikes)``.
    criteria : DeltaFCriteria, optional
        The usual ones by default.

    Returns
    -------
    DeltaF

    Raises
    ------
    ParameterError
        No unit, or rates of another number of units.

    References
    ----------
    Gorassini, Yang, Siu, Bennett (2002), J Neurophysiol 87:1842 and 87:1850.
    """
    trains = checked_trains(spikes, "delta_f.spikes")
    if not isinstance(rates, SmoothedRates) or len(rates) != len(trains):
        given = f"{len(rates)} units" if isinstance(rates, SmoothedRates) else shown(rates)
        raise ParameterError(
            "delta_f.rates", f"{given} for the trains of {len(trains)}", "give smoothed_rates(spikes)"
        )
    active = [unit for unit, train in enumerate(trains) if len(train) >= 2]
    active.sort(key=lambda unit: (trains[unit][0], -trains[unit][-1], unit))
    pairs = [(control, test) for k, control in enumerate(active) for test in active[k + 1 :]]
    rows = [_pair(trains, rates, control, test) for control, test in pairs]
    columns = np.array(rows, dtype=np.float64).reshape(-1, 6).T
    delta, r, gap, modulation, fall, truncated = columns
    chosen = DeltaFCriteria() if criteria is None else criteria
    with np.errstate(invalid="ignore"):  # NaN satisfies nothing
        accepted = (
            np.isfinite(delta)
            & (r > 0)
            & (r**2 >= chosen.min_r2)
            & (gap >= chosen.min_recruitment_gap_s)
            & (modulation >= chosen.min_modulation_pps)
        )
    control, test = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    of_unit = np.full(len(trains), np.nan)
    for unit in np.unique(test[accepted]):
        of_unit[unit] = delta[accepted & (test == unit)].mean()
    return DeltaF(control, test, delta, r, gap, modulation, fall, truncated > 0, accepted, of_unit)


def _pair(trains: SpikeTrains, rates: SmoothedRates, control: int, test: int) -> tuple[Any, ...]:
    """Delta F, correlation, recruitment gap, modulation, fall of the control unit, whether it stops first."""
    begin, end = trains[test][0], trains[test][-1]
    own_end = trains[control][-1]
    gap, truncated = begin - trains[control][0], own_end < end
    stop = min(end, own_end)
    if stop <= begin:
        return np.nan, np.nan, gap, np.nan, np.nan, truncated
    at_start, at_stop, at_end = _values(rates, control, np.array([begin, stop, own_end]))
    times = rates.times_s
    both = (times >= begin) & (times <= stop)
    x, y = rates.values_pps[control, both], rates.values_pps[test, both]
    inside = x[np.isfinite(x)]
    ends = np.array([at_start, at_stop])
    modulation = np.ptp(np.concatenate([inside, ends[np.isfinite(ends)]])) if len(inside) else np.nan
    known = np.isfinite(x) & np.isfinite(y)
    return at_start - at_stop, _correlation(x[known], y[known]), gap, modulation, at_start - at_end, truncated


def _values(rates: SmoothedRates, unit: int, at_s: FloatArray) -> FloatArray:
    """Rate of a unit at some times, linear between known samples; NaN further than a sample from one."""
    row, times = rates.values_pps[unit], rates.times_s
    known = np.isfinite(row)
    if not known.any():
        return np.full(len(at_s), np.nan)
    near = np.min(np.abs(times[known][None] - at_s[:, None]), axis=1) <= (1.0 + 1e-9) / rates.rate_hz
    return np.where(near, np.interp(at_s, times[known], row[known]), np.nan)


def _correlation(x: FloatArray, y: FloatArray) -> float:
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    return float(np.corrcoef(x, y)[0, 1])
