"""From the units of a session back to a decomposition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...data import ActionPotentials, SpikeTrains
from ...errors import ParameterError
from .._decomposition import Decomposition
from .._separation._finish import potentials_in_band
from .._threads import one_thread
from ._signals import Signals
from ._state import UnitState, quality_of

Units = tuple[UnitState, ...]


@one_thread()
def edited(
    original: Decomposition, signals: Signals, units: Units, history: tuple[str, ...]
) -> Decomposition:
    """A decomposition of the units that are left."""
    spikes = _trains(original, units)
    samples = original.sources.shape[1]
    filters = original.filters
    shape = (0, *filters.weights.shape[1:])
    weights = np.concatenate([np.empty(shape, np.float32), *(unit.weights[None] for unit in units)])
    centroids = np.concatenate([np.empty((0, 2)), *(unit.centroids[None] for unit in units)])
    sources = [np.empty((0, samples), np.float32), *(unit.source[None] for unit in units)]
    return replace(
        original,
        spikes=spikes,
        sources=np.concatenate(sources),
        filters=replace(filters, weights=weights, centroids=centroids),
        quality=quality_of(units),
        action_potentials=_potentials(original.action_potentials, signals, units),
        history=history,
    )


def _trains(original: Decomposition, units: Units) -> SpikeTrains:
    old = original.spikes
    origins = np.array([unit.origin for unit in units], dtype=np.int64)
    annotations = {key: value[origins] for key, value in old.annotations.items()}
    names = np.array([unit.name for unit in units], dtype=np.str_)
    return SpikeTrains.from_trains(
        [_times(original, unit) for unit in units],
        old.t_stop_s,
        old.t_start_s,
        annotations=annotations | {"unit_id": names},
        name=old.name,
    )


def _times(original: Decomposition, unit: UnitState) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Times of a unit; those that were there before, to the bit."""
    known = original.spike_samples(unit.origin)
    if np.array_equal(unit.spikes, known):
        return original.spikes[unit.origin]
    return np.asarray(original.spikes.t_start_s + unit.spikes / original.rate_hz)


def _potentials(old: ActionPotentials | None, signals: Signals, units: Units) -> ActionPotentials | None:
    """Estimated anew even where no train differs: bits must not depend on the way that led here."""
    if old is None or not units:
        return None
    silent = [unit.name for unit in units if len(unit.spikes) == 0]
    if silent:
        raise ParameterError(
            "EditSession.result",
            f"{', '.join(silent)} without a spike, and thus without an action potential",
            "delete the unit, or undo the removal of its spikes",
        )
    names = [signals.recording.channels[i] for i in signals.filters.kept]
    missing = [name for name in old.channels if name not in names]
    if missing:
        raise ParameterError(
            "EditSession.recording",
            f"no channel {', '.join(missing[:5])}, which has action potentials",
            "give the recording that was decomposed",
        )
    rows = [names.index(name) for name in old.channels]
    span = round(old.t_start_s * old.rate_hz), old.values_uV.shape[2]
    scale = signals.filters.scale_uV[rows]
    trains = [unit.spikes for unit in units]
    return potentials_in_band(signals.x[rows], scale, trains, old.rate_hz, span, old.channels)
