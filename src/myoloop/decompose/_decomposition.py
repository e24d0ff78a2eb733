"""What a decomposition gives: the trains of its units, and all that finds them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentials, SpikeTrains
from ..errors import ParameterError

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]


@final
@dataclass(frozen=True, eq=False)
class SeparationFilters:
    """Linear filters that turn a prepared recording into one source for each unit.

    With ``x`` the prepared signals (band-passed, divided by `scale_uV`), the source of unit u is
    ``source[u, t] = sum_c,l weights[u, c, l] * x[c, t + first + l]``.

    Parameters
    ----------
    weights : ndarray of float32, shape (units, kept channels, lags)
    rate_hz : float
        Rate of the prepared signals and the sources.
    first : int
        Lag of the first weight, in samples; below 0.
    kept : ndarray of int, shape (kept channels,)
        Which channels of the recording are used.
    scale_uV : ndarray, shape (kept channels,)
        What each prepared channel was divided by.
    centroids : ndarray, shape (units, 2)
        Mean height of the peaks of the squared source that are noise and that are spikes; a peak above
        the middle between them is a spike.
    preprocessing : dict
        Parameters of the preprocessing.
    """

    weights: Float32Array
    rate_hz: float
    first: int
    kept: NDArray[np.int64]
    scale_uV: FloatArray
    centroids: FloatArray
    preprocessing: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of units."""
        return len(self.weights)

    @property
    def lags(self) -> int:
        """Length of a filter in samples."""
        return int(self.weights.shape[2])

    @property
    def thresholds(self) -> FloatArray:
        """Height of the squared source above which a peak is a spike, shape (units,)."""
        return np.asarray(self.centroids.mean(axis=1))

    def select(self, units: Any) -> SeparationFilters:
        """The filters of some units (indices or a mask)."""
        chosen = np.arange(len(self))[np.asarray(units)]
        return replace(self, weights=self.weights[chosen], centroids=self.centroids[chosen])


@final
@dataclass(frozen=True, eq=False)
class UnitQuality:
    """How far each unit can be trusted; every array has shape (units,).

    Parameters
    ----------
    sil : ndarray
        Silhouette (see `silhouette`).
    pnr_db : ndarray
        Pulse-to-noise ratio (see `pulse_to_noise_ratio`).
    cov_isi : ndarray
        Coefficient of variation of the interspike intervals.
    rate_pps : ndarray
        Mean discharge rate.
    short_isi : ndarray
        Share of the interspike intervals below 25 ms and below half of their mean.
    flag : tuple of str
        ``""``, or why a unit may be false or merged.
    """

    sil: FloatArray
    pnr_db: FloatArray
    cov_isi: FloatArray
    rate_pps: FloatArray
    short_isi: FloatArray
    flag: tuple[str, ...]

    def __len__(self) -> int:
        """Number of units."""
        return len(self.sil)


@final
@dataclass(frozen=True, eq=False)
class Decomposition:
    """Motor units found in a recording.

    Parameters
    ----------
    spikes : SpikeTrains
        One train for each unit, largest first, with the annotation ``unit_id``.
    sources : ndarray of float32, shape (units, samples)
        Output of each unit's filter, scaled so that its spikes have a mean of 1.
    filters : SeparationFilters
        What finds the units in new data.
    quality : UnitQuality
    action_potentials : ActionPotentials, optional
        Estimates by joint least squares on the good channels, within the band of the filters, in uV.
    bad : mapping of str to str
        Channels that were left out, and why.
    parameters : mapping
        Of the method, with its name and seed.
    notes : tuple of str
        What a reader ought to know, e.g. why nothing was found.
    history : tuple of str
        What was edited by hand since, oldest first.
    """

    spikes: SpikeTrains
    sources: Float32Array
    filters: SeparationFilters
    quality: UnitQuality
    action_potentials: ActionPotentials | None = None
    bad: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    history: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.spikes)
        given = {
            "sources": len(self.sources),
            "filters": len(self.filters),
            "quality": len(self.quality),
            "action_potentials": n if self.action_potentials is None else len(self.action_potentials),
        }
        for name, count in given.items():
            if count != n:
                raise ParameterError(
                    f"Decomposition.{name}", f"{count} for {n} units", "give one for each unit"
                )

    def __len__(self) -> int:
        """Number of units."""
        return len(self.spikes)

    def __repr__(self) -> str:
        flagged = sum(bool(flag) for flag in self.quality.flag)
        return f"Decomposition({len(self)} units, {flagged} flagged, {self.spikes.duration_s:g} s)"

    @property
    def rate_hz(self) -> float:
        """Rate of the sources."""
        return self.filters.rate_hz

    @property
    def unit_ids(self) -> tuple[str, ...]:
        """Name of each unit."""
        return tuple(str(name) for name in self.spikes.annotations["unit_id"])

    def spike_samples(self, unit: int) -> NDArray[np.int64]:
        """Samples of the sources at which a unit fires."""
        times = self.spikes[unit] - self.spikes.t_start_s
        return np.rint(times * self.rate_hz).astype(np.int64)
