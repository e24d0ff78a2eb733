"""Force at which units are recruited and derecruited, and how steady a force is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..data import Signal, SpikeTrains
from ..errors import ParameterError
from ._check import checked_count, checked_number, checked_trains, one_channel, sampled

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class ForceThresholds:
    """Force at the first and at the last discharges of each unit.

    Parameters
    ----------
    recruitment, derecruitment : ndarray, shape (units,)
        In the unit of the force; NaN for a unit with too few discharges.
    recruitment_percent_mvc, derecruitment_percent_mvc : ndarray, shape (units,), optional
        In % of the maximum voluntary contraction; None where that was not given.
    units : str
        Unit of the force.
    """

    recruitment: FloatArray
    derecruitment: FloatArray
    recruitment_percent_mvc: FloatArray | None = None
    derecruitment_percent_mvc: FloatArray | None = None
    units: str = ""

    def __len__(self) -> int:
        """Number of units."""
        return len(self.recruitment)


def force_thresholds(
    spikes: SpikeTrains, force: Signal, *, mvc: float | None = None, discharges: int = 1
) -> ForceThresholds:
    """Force at which each unit is recruited and derecruited.

    Parameters
    ----------
    spikes : SpikeTrains
        Of one contraction.
    force : Signal
        One channel, over the whole time of the discharges that are used; read linearly between samples.
    mvc : float, optional
        Maximum voluntary contraction in the unit of the force.
    discharges : int
        How many first (last) discharges the force is averaged over.

    Returns
    -------
    ForceThresholds
        NaN for units with fewer than `discharges` discharges.

    Raises
    ------
    ParameterError
        No unit; a force of several channels, or that does not last for as long as the discharges; an
        `mvc` that is not above 0.
    """
    trains = checked_trains(spikes, "force_thresholds.spikes")
    number = checked_count(discharges, "force_thresholds.discharges")
    first, last = np.full((2, len(trains)), np.nan)
    for unit, train in enumerate(trains):
        if len(train) >= number:
            ends = np.concatenate([train[:number], train[-number:]])
            values = sampled(force, ends, "force_thresholds.force")
            first[unit], last[unit] = values[:number].mean(), values[number:].mean()
    if mvc is None:
        return ForceThresholds(first, last, units=force.units)
    scale = 100.0 / checked_number(mvc, "force_thresholds.mvc", above=0)
    return ForceThresholds(first, last, scale * first, scale * last, force.units)


def force_cv(force: Signal) -> float:
    """Coefficient of variation of a steady force: its standard deviation over its mean.

    Parameters
    ----------
    force : Signal
        One channel, of the plateau alone: cut it with `Signal.between`.

    Returns
    -------
    float
        With the standard deviation of a sample, that is over n - 1.

    Raises
    ------
    ParameterError
        Fewer than two samples, several channels, or a mean of 0.
    """
    values = one_channel(force, "force_cv.force")
    mean = float(values.mean())
    if len(values) < 2 or mean == 0.0:
        raise ParameterError(
            "force_cv.force", f"{len(values)} samples with a mean of {mean:g}", "give a force on a plateau"
        )
    return float(values.std(ddof=1) / mean)
