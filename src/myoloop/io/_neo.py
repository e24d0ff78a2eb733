"""Our data as Neo objects, and Neo objects of any origin as our data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Result, Signal, SpikeTrains
from ._about import free
from ._assemble import about_pool, assemble, assemble_pool, check_indices, spread
from ._files import refuse
from ._json import dumps, loads
from ._limits import Limits

# Where the simulators that we know of leave the index of a unit in its pool, the surest first.
_INDEX_KEYS = ("unit_index", "neuron_index", "source_index", "unit_id", "neuron_id", "source_id", "id")
_OURS = "myoloop"


def to_neo(
    spikes: Mapping[str, SpikeTrains],
    signals: Mapping[str, Signal] | None = None,
    provenance: Mapping[str, Any] | None = None,
    *,
    description: str = "",
) -> Any:
    """`neo.Block` of one segment with a spike train for each unit and an analog signal for each signal.

    A `neo.Group` for each population holds its trains; each train carries ``population``,
    ``unit_index``, ``n_units`` and the unit's annotations, the block the provenance as JSON.

    Parameters
    ----------
    spikes : mapping of str to SpikeTrains
    signals : mapping of str to Signal
    provenance : mapping
        Plain values.
    description : str

    Returns
    -------
    neo.Block
        `from_neo` turns it back into equal data.
    """
    return build_block(spikes, signals or {}, provenance or {}, description, lean=False)


def build_block(
    spikes: Mapping[str, SpikeTrains],
    signals: Mapping[str, Signal],
    provenance: Mapping[str, Any],
    description: str,
    *,
    lean: bool,
) -> Any:
    """As `to_neo`; `lean` leaves out silent units and what the group says anyway (for slow formats)."""
    import neo

    block = neo.Block(name=_OURS, description=description, **{_OURS: 1, "provenance": dumps(provenance)})
    segment = neo.Segment(name=next(iter(spikes)) if len(spikes) == 1 else _OURS)
    block.segments.append(segment)
    for name, trains in spikes.items():
        group = neo.Group(name=name, **{_OURS: dumps(about_pool(name, trains))})
        block.groups.append(group)
        for unit in np.flatnonzero(trains.active) if lean else range(len(trains)):
            train = _neo_train(name, trains, int(unit), lean)
            segment.spiketrains.append(train)
            group.add(train)
    for key, signal in signals.items():
        segment.analogsignals.append(neo_signal(key, signal))
    return block


def _neo_train(name: str, trains: SpikeTrains, unit: int, lean: bool) -> Any:
    import neo

    about: dict[str, Any] = {"unit_index": unit}
    if not lean:
        plain = {k: v[unit].item() for k, v in trains.annotations.items() if v.ndim == 1}
        about = {**plain, "population": name, "n_units": len(trains), **about}
    train = neo.SpikeTrain(
        trains[unit], units="s", t_start=trains.t_start_s, t_stop=trains.t_stop_s, name=f"{name} {unit}"
    )
    train.annotations.update(about)
    return train


def neo_signal(key: str, signal: Signal) -> Any:
    """Analog signal with all that a `Signal` says; `signal_from` undoes it."""
    import neo
    import quantities

    try:
        quantities.Quantity(1.0, signal.units or "dimensionless")
        units = signal.units or "dimensionless"
    except (LookupError, SyntaxError, ValueError, TypeError):
        units = "dimensionless"  # e.g. %MVC; the exact unit is in the annotation
    about = {
        "key": key,
        "name": signal.name,
        "units": signal.units,
        "rate_hz": signal.rate_hz,
        "t_start_s": signal.t_start_s,
        "channels": list(signal.channels),
        "about": signal.about,
        "flat": signal.values.ndim == 1,
    }
    return neo.AnalogSignal(
        signal.values.reshape(len(signal), -1),
        units=units,
        sampling_rate=signal.rate_hz * quantities.Hz,
        t_start=signal.t_start_s * quantities.s,
        name=key,
        **{_OURS: dumps(about)},
    )


def from_neo(
    block: Any, *, source: str | os.PathLike[str] = "neo.Block", limits: Limits | None = None
) -> Result:
    """Spikes and signals of a `neo.Block`.

    A block of `to_neo` comes back as it was. In any other, the trains of a segment with the same
    annotation ``population`` (or all of them) are a population, named by it or by the segment. A unit's
    index is its annotation ``unit_index``, ``neuron_index``, ``source_index``, ``unit_id``,
    ``neuron_id``, ``source_id`` or ``id``, else its train's name if all names are whole numbers, else
    its place. The pool is as large as the annotation ``n_units`` says, else up to the highest index.

    Parameters
    ----------
    block : neo.Block
    source : str
        What error messages call it.
    limits : Limits, optional

    Raises
    ------
    UnreadableFileError
        Spike times that are unsorted, NaN or before the start; indices that repeat.
    """
    import neo

    limits = limits or Limits()
    if not isinstance(block, neo.Block):
        if isinstance(block, neo.Segment):
            block = _of_segment(block)
        else:
            refuse(source, f"holds a {type(block).__name__}", "give a neo.Block")
    ours = [group for group in block.groups if _OURS in group.annotations]
    if ours or _OURS in block.annotations:
        spikes = dict(our_pool(source, group, limits) for group in ours)
    else:
        spikes = _pools(source, block, limits)
    signals: dict[str, Signal] = {}
    missed = 0
    for segment in block.segments:
        missed += len(segment.irregularlysampledsignals)
        for found in segment.analogsignals:
            key, signal = signal_from(source, found)
            signals[free(key or f"signal {len(signals)}", signals)] = signal
    notes = (f"{missed} irregularly sampled signals were left out",) if missed else ()
    text = block.annotations.get("provenance")
    provenance = loads(source, text) if isinstance(text, str) else {}
    return Result(spikes, signals, provenance, warnings=notes)


def _of_segment(segment: Any) -> Any:
    import neo

    block = neo.Block()
    block.segments.append(segment)
    return block


def our_pool(source: str | os.PathLike[str], group: Any, limits: Limits) -> tuple[str, SpikeTrains]:
    """Name and spike trains of a group that `build_block` made."""
    about = loads(source, str(group.annotations[_OURS]))
    members = list(group.spiketrains)
    indices = np.array([int(t.annotations["unit_index"]) for t in members], dtype=np.int64)
    check_indices(source, indices, int(about["n_units"]), limits)
    trains = assemble_pool(source, about, *_events(members, indices), limits)
    return str(about["population"]), trains


def _pools(source: str | os.PathLike[str], block: Any, limits: Limits) -> dict[str, SpikeTrains]:
    found: dict[str, SpikeTrains] = {}
    for number, segment in enumerate(block.segments):
        members: dict[str, list[Any]] = {}
        for train in segment.spiketrains:
            name = train.annotations.get("population")
            members.setdefault(str(name or segment.name or f"segment {number}"), []).append(train)
        for name, trains in members.items():
            found[free(name, found)] = _pool(source, name, trains, limits)
    return found


def _pool(source: str | os.PathLike[str], name: str, trains: list[Any], limits: Limits) -> SpikeTrains:
    indices = _indices(trains)
    said = [_whole(t.annotations.get("n_units")) or 0 for t in trains]
    n_units = max(int(indices.max()) + 1, *said)
    check_indices(source, indices, n_units, limits)
    annotations = {}
    for key in _common_keys(trains):
        values = np.array([t.annotations[key] for t in trains])
        if values.ndim == 1 and values.dtype.kind in "biufU":
            full = spread(values, indices, n_units, key)
            if full is not None:
                annotations[key] = full
    return assemble(
        source,
        *_events(trains, indices),
        n_units=n_units,
        limits=limits,
        t_start_s=min(float(t.t_start.rescale("s")) for t in trains),
        t_stop_s=max(float(t.t_stop.rescale("s")) for t in trains),
        annotations=annotations,
        name=name,
    )


def _events(trains: list[Any], indices: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    times = [np.asarray(t.rescale("s").magnitude, dtype=np.float64).reshape(-1) for t in trains]
    owners = np.repeat(indices, np.array([len(t) for t in times], dtype=np.int64))
    return owners, np.concatenate(times) if times else np.empty(0)


def _indices(trains: list[Any]) -> NDArray[np.int64]:
    for key in _INDEX_KEYS:
        given = [_whole(train.annotations.get(key)) for train in trains]
        known = [g for g in given if g is not None and g >= 0]
        if len(known) == len(trains) and (key == _INDEX_KEYS[0] or len(set(known)) == len(known)):
            return np.array(known, dtype=np.int64)
    names = [_whole(train.name) for train in trains]
    numbers = [n for n in names if n is not None and n >= 0]
    if len(numbers) == len(trains) == len(set(numbers)):
        return np.array(numbers, dtype=np.int64)
    return np.arange(len(trains), dtype=np.int64)


def _whole(value: Any) -> int | None:
    """Whole number that an annotation or a name says, or None."""
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, str):
        value = value.strip()
        return int(value) if value.isdecimal() and len(value) < 16 else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() and abs(number) < 1e15 else None


def _common_keys(trains: list[Any]) -> list[str]:
    skip = {*_INDEX_KEYS, "population", "n_units", "nix_name", _OURS}
    keys = set(trains[0].annotations)
    for train in trains[1:]:
        keys &= set(train.annotations)
    return sorted(key for key in keys - skip if isinstance(key, str))


def signal_from(source: str | os.PathLike[str], found: Any) -> tuple[str, Signal]:
    """Key and values of an analog signal."""
    values = np.asarray(found.magnitude)
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    if _OURS in found.annotations:
        about = loads(source, str(found.annotations[_OURS]))
        return str(about["key"]), Signal(
            values.reshape(-1) if about["flat"] else values,
            float(about["rate_hz"]),
            str(about["units"]),
            float(about["t_start_s"]),
            str(about["name"]),
            tuple(about["channels"]),
            dict(about["about"]),
        )
    units = str(found.dimensionality)
    rate = float(found.sampling_rate.rescale("Hz"))
    name = found.name or ""
    return name, Signal(
        values, rate, "" if units == "dimensionless" else units, float(found.t_start.rescale("s")), name
    )
