"""Spike trains from Neo objects, without importing Neo for those who do not use it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..errors import ParameterError
from ._spikes import SpikeTrains


def as_spike_trains(spikes: Any, n_units: int | None = None) -> SpikeTrains:
    """`spikes` as SpikeTrains.

    Parameters
    ----------
    spikes : SpikeTrains, neo.Block, neo.Segment or sequence of neo.SpikeTrain
        Each Neo spike train becomes a unit. Where all of them carry an integer annotation
        ``unit_index`` and one of them ``n_units``, these place the trains in their pool.
    n_units : int, optional
        Size of the pool for trains that carry ``unit_index`` but no ``n_units``.

    Raises
    ------
    ParameterError
        Anything else, or a block of several segments.
    """
    if isinstance(spikes, SpikeTrains):
        return spikes
    neo = sys.modules.get("neo")
    if neo is not None:
        if isinstance(spikes, neo.Block):
            if len(spikes.segments) != 1:
                raise ParameterError(
                    "spikes",
                    f"a block of {len(spikes.segments)} segments was given",
                    "give one segment, e.g. block.segments[0]",
                )
            spikes = spikes.segments[0]
        if isinstance(spikes, neo.Segment):
            return _from_trains(list(spikes.spiketrains), spikes.name or "", n_units)
        if isinstance(spikes, list | tuple) and all(isinstance(s, neo.SpikeTrain) for s in spikes):
            return _from_trains(list(spikes), "", n_units)
    raise ParameterError(
        "spikes",
        f"a {type(spikes).__name__} was given",
        "give SpikeTrains, a neo.Block, a neo.Segment or a list of neo.SpikeTrain",
    )


def _from_trains(trains: list[Any], name: str, pool: int | None) -> SpikeTrains:
    if not trains:
        raise ParameterError("spikes", "no spike train was given", "give at least one")
    populations = dict.fromkeys(str(t.annotations.get("population", "")) for t in trains)
    if len(populations) > 1:
        raise ParameterError("spikes", f"trains of {', '.join(populations)}", "give those of one population")
    start = min(float(t.t_start.rescale("s")) for t in trains)
    stop = max(float(t.t_stop.rescale("s")) for t in trains)
    times = [np.asarray(t.rescale("s").magnitude, dtype=np.float64) for t in trains]
    indices = [t.annotations.get("unit_index") for t in trains]
    if any(index is None for index in indices):
        return SpikeTrains.from_trains(times, stop, start, name=name)
    n_units = max(int(t.annotations.get("n_units", 0)) for t in trains) or pool or 0
    n_units = max(n_units, max(int(i) for i in indices) + 1)
    return SpikeTrains.from_events(
        np.repeat(np.array(indices, dtype=np.int64), [len(t) for t in times]),
        np.concatenate(times),
        n_units,
        stop,
        start,
        name=name,
    )
