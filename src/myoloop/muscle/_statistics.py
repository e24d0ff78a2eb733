"""Numbers that describe a pool of motor units and the force that it made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from ..data import Signal, SpikeTrains
from ..errors import ParameterError
from ..parameters import plain


class _ForceModel(Protocol):
    @property
    def thresholds(self) -> NDArray[np.float64]: ...

    @property
    def peaks(self) -> NDArray[np.float64]: ...

    @property
    def contractions_ms(self) -> NDArray[np.float64]: ...

    def maximum_force(self) -> float: ...


@final
@dataclass(frozen=True)
class ForceStatistics:
    """A pool and its force in a few numbers.

    Parameters
    ----------
    units, active_units, spikes : int
        Units of the pool, those that fired, and their discharges.
    recruitment_ratio : float
        Largest over smallest threshold of the pool.
    twitch_force_range : (float, float)
        Smallest and largest peak twitch force of the pool.
    contraction_time_range_ms : (float, float)
        Shortest and longest contraction time of the pool.
    maximum_force : float
        Force that is 100 % MVC.
    mean_force, mean_percent_mvc, peak_force : float
        Of the force signal.
    force_cv : float
        Standard deviation over mean of the force signal; NaN where the mean is 0.
    start_s, stop_s : float
        The time that the force signal covers.
    """

    units: int
    active_units: int
    spikes: int
    recruitment_ratio: float
    twitch_force_range: tuple[float, float]
    contraction_time_range_ms: tuple[float, float]
    maximum_force: float
    mean_force: float
    mean_percent_mvc: float
    peak_force: float
    force_cv: float
    start_s: float
    stop_s: float

    @classmethod
    def of(cls, model: _ForceModel, spikes: SpikeTrains, force: Signal) -> ForceStatistics:
        """Statistics of a force signal, summed over units, that `model` made of `spikes`."""
        if force.values.ndim != 1 or len(force) == 0:
            raise ParameterError(
                "ForceStatistics.force", f"shape {force.values.shape}", "give the force of the whole muscle"
            )
        values, maximum = np.asarray(force.values, dtype=np.float64), model.maximum_force()
        mean = float(values.mean())
        return cls(
            units=len(model.thresholds),
            active_units=int(spikes.active.sum()),
            spikes=len(spikes.times_s),
            recruitment_ratio=float(model.thresholds.max() / model.thresholds.min()),
            twitch_force_range=(float(model.peaks.min()), float(model.peaks.max())),
            contraction_time_range_ms=(
                float(model.contractions_ms.min()),
                float(model.contractions_ms.max()),
            ),
            maximum_force=maximum,
            mean_force=mean,
            mean_percent_mvc=100.0 * mean / maximum,
            peak_force=float(values.max()),
            force_cv=float(values.std() / mean) if mean else float("nan"),
            start_s=force.t_start_s,
            stop_s=force.t_start_s + force.duration_s,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a file; a NaN becomes None."""
        return dict(plain(self))
