"""The units of a session between two edits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from .._decomposition import Decomposition, UnitQuality
from .._metrics import unit_quality
from ._edits import Standing

Train = NDArray[np.int64]
Float32Array = NDArray[np.float32]
_ROUNDING = 1e-6


@final
@dataclass(frozen=True, eq=False)
class UnitState:
    """One unit.

    Parameters
    ----------
    name : str
    origin : int
        Its index in the decomposition that the session began with.
    spikes : ndarray of int
        Samples of the source.
    source : ndarray of float32, shape (samples,)
    weights : ndarray of float32, shape (channels, lags)
    centroids : ndarray, shape (2,)
    quality : UnitQuality
        Of this unit alone.
    """

    name: str
    origin: int
    spikes: Train
    source: Float32Array
    weights: Float32Array
    centroids: NDArray[np.float64]
    quality: UnitQuality

    @property
    def standing(self) -> Standing:
        """Spikes and silhouette."""
        return len(self.spikes), float(self.quality.sil[0])

    def changed(self, spikes: Train, rate_hz: float, **other: Any) -> UnitState:
        """The unit with another train (and source), its source scaled and its quality judged anew."""
        new = replace(self, spikes=spikes, **other)
        height = float(new.source[spikes].mean(dtype=np.float64)) if len(spikes) else 1.0
        source = new.source
        if height > 0 and abs(height - 1) > _ROUNDING:
            source = (source / np.float32(height)).astype(np.float32)
        return replace(new, source=source, quality=unit_quality(source[None], [spikes], rate_hz))


def units_of(decomposition: Decomposition) -> tuple[UnitState, ...]:
    """The units that a session begins with."""
    filters = decomposition.filters
    return tuple(
        UnitState(
            name,
            u,
            decomposition.spike_samples(u),
            decomposition.sources[u],
            filters.weights[u],
            filters.centroids[u],
            _one(decomposition.quality, u),
        )
        for u, name in enumerate(decomposition.unit_ids)
    )


def _one(quality: UnitQuality, unit: int) -> UnitQuality:
    part = slice(unit, unit + 1)
    return UnitQuality(
        quality.sil[part],
        quality.pnr_db[part],
        quality.cov_isi[part],
        quality.rate_pps[part],
        quality.short_isi[part],
        quality.flag[part],
    )


def quality_of(units: tuple[UnitState, ...]) -> UnitQuality:
    """Quality of all units."""
    parts = [unit.quality for unit in units]
    numbers = {
        name: np.concatenate([np.empty(0), *(getattr(part, name) for part in parts)])
        for name in ("sil", "pnr_db", "cov_isi", "rate_pps", "short_isi")
    }
    return UnitQuality(**numbers, flag=tuple(part.flag[0] for part in parts))
