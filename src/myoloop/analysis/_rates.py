"""Discharge rates and the variability of interspike intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import SpikeTrains
from ._check import checked_choice, checked_count, checked_range, checked_trains

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class InstantaneousRate:
    """Rate of one unit from interval to interval.

    Parameters
    ----------
    times_s : ndarray, shape (intervals,)
        Time of the discharge that ends each interval.
    rate_pps : ndarray, shape (intervals,)
        1 over the interval.
    """

    times_s: FloatArray
    rate_pps: FloatArray

    def __len__(self) -> int:
        """Number of intervals."""
        return len(self.times_s)


@final
@dataclass(frozen=True, eq=False)
class DischargeRates:
    """Mean instantaneous discharge rates in pps, each of shape (units,), NaN where it has no meaning.

    Parameters
    ----------
    recruitment_pps, derecruitment_pps : ndarray
        Over the first and the last discharges.
    plateau_start_pps, plateau_end_pps : ndarray
        Over the first and the last intervals of the plateau; NaN where no plateau was given.
    plateau_pps : ndarray
        Over all intervals of the plateau; NaN where no plateau was given.
    all_pps : ndarray
        Over all intervals.
    """

    recruitment_pps: FloatArray
    derecruitment_pps: FloatArray
    plateau_start_pps: FloatArray
    plateau_end_pps: FloatArray
    plateau_pps: FloatArray
    all_pps: FloatArray

    def __len__(self) -> int:
        """Number of units."""
        return len(self.all_pps)


@final
@dataclass(frozen=True, eq=False)
class DischargeVariability:
    """Coefficients of variation, each of shape (units,), as fractions; NaN where it has no meaning.

    Parameters
    ----------
    recruitment, derecruitment : ndarray
        Over the first and the last discharges.
    plateau : ndarray
        Over the plateau; NaN where none was given.
    all : ndarray
        Over all intervals.
    """

    recruitment: FloatArray
    derecruitment: FloatArray
    plateau: FloatArray
    all: FloatArray

    def __len__(self) -> int:
        """Number of units."""
        return len(self.all)


def instantaneous_rates(spikes: SpikeTrains) -> tuple[InstantaneousRate, ...]:
    """Instantaneous discharge rate of each unit: 1 over each interspike interval.

    Parameters
    ----------
    spikes : SpikeTrains

    Returns
    -------
    tuple of InstantaneousRate
        One for each unit, empty below two discharges. Two discharges at the same time make no interval.
    """
    trains = checked_trains(spikes, "instantaneous_rates.spikes")
    found = []
    for train in trains:
        interval = np.diff(train)
        apart = interval > 0
        found.append(InstantaneousRate(train[1:][apart], 1.0 / interval[apart]))
    return tuple(found)


def discharge_rates(
    spikes: SpikeTrains,
    *,
    plateau_s: tuple[float, float] | None = None,
    discharges: int = 4,
    plateau_intervals: int = 10,
    rate_range_pps: tuple[float, float] | None = None,
) -> DischargeRates:
    """Mean discharge rate of each unit at recruitment, at derecruitment, on a plateau and over all.

    The mean is that of the instantaneous rates. (``SpikeTrains.rates_pps`` is 1 over the mean interval,
    which is less wherever intervals vary.)

    Parameters
    ----------
    spikes : SpikeTrains
        Of one contraction.
    plateau_s : tuple of float, optional
        Start and stop of the steady part. An interval counts where both its discharges lie within.
    discharges : int
        How many first (last) discharges make the rate at recruitment (derecruitment); at least 2.
    plateau_intervals : int
        How many first (last) intervals of the plateau make the rate at its start (end).
    rate_range_pps : tuple of float, optional
        Intervals with an instantaneous rate outside are left out, before anything is counted.

    Returns
    -------
    DischargeRates
        NaN for units with too few discharges.
    """
    ends = checked_count(discharges, "discharge_rates.discharges", 2) - 1
    edge = checked_count(plateau_intervals, "discharge_rates.plateau_intervals")
    kept = _intervals(spikes, plateau_s, rate_range_pps, "discharge_rates")
    rows = []
    for interval, steady in kept:
        rate, plateau = 1.0 / interval, 1.0 / interval[steady]
        rows.append(
            [
                _mean(rate[:ends], ends),
                _mean(rate[-ends:], ends),
                _mean(plateau[:edge], edge),
                _mean(plateau[-edge:], edge),
                _mean(plateau, 1),
                _mean(rate, 1),
            ]
        )
    return DischargeRates(*np.array(rows).T)


def discharge_variability(
    spikes: SpikeTrains,
    *,
    plateau_s: tuple[float, float] | None = None,
    discharges: int = 4,
    rate_range_pps: tuple[float, float] | None = None,
    of: str = "interval",
) -> DischargeVariability:
    """Coefficient of variation of each unit's interspike intervals, or of its instantaneous rates.

    Parameters
    ----------
    spikes : SpikeTrains
        Of one contraction.
    plateau_s : tuple of float, optional
        Start and stop of the steady part. An interval counts where both its discharges lie within.
    discharges : int
        How many first (last) discharges count as recruitment (derecruitment); at least 3.
    rate_range_pps : tuple of float, optional
        Intervals with an instantaneous rate outside are left out, before anything is counted.
    of : str
        ``"interval"`` or ``"rate"``.

    Returns
    -------
    DischargeVariability
        Fractions, with the standard deviation of a sample; NaN for units with too few discharges.
    """
    ends = checked_count(discharges, "discharge_variability.discharges", 3) - 1
    inverse = checked_choice(of, "discharge_variability.of", ("interval", "rate")) == "rate"
    kept = _intervals(spikes, plateau_s, rate_range_pps, "discharge_variability")
    rows = []
    for interval, steady in kept:
        values = 1.0 / interval if inverse else interval
        parts = ((values[:ends], ends), (values[-ends:], ends), (values[steady], 2), (values, 2))
        rows.append([_cv(part, at_least) for part, at_least in parts])
    return DischargeVariability(*np.array(rows).T)


def _intervals(
    spikes: SpikeTrains, plateau_s: Any, rate_range_pps: Any, owner: str
) -> list[tuple[FloatArray, NDArray[np.bool_]]]:
    """Intervals of each unit that are within the range of rates, and which of them are on the plateau."""
    trains = checked_trains(spikes, f"{owner}.spikes")
    start, stop = (np.inf, -np.inf)
    if plateau_s is not None:
        start, stop = checked_range(plateau_s, f"{owner}.plateau_s")
    low, high = (0.0, np.inf)
    if rate_range_pps is not None:
        low, high = checked_range(rate_range_pps, f"{owner}.rate_range_pps")
    found = []
    for train in trains:
        interval = np.diff(train)
        kept = interval > 0
        kept[kept] = (1.0 / interval[kept] > low) & (1.0 / interval[kept] < high)
        steady = (train[:-1] >= start) & (train[1:] <= stop)
        found.append((interval[kept], steady[kept]))
    return found


def _mean(values: FloatArray, at_least: int) -> float:
    return float(values.mean()) if len(values) >= at_least else np.nan


def _cv(values: FloatArray, at_least: int) -> float:
    return float(values.std(ddof=1) / values.mean()) if len(values) >= at_least else np.nan
