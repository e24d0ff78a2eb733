"""MATLAB files of MUedit: recordings, decompositions, edited decompositions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ...data import Electrodes, SpikeTrains
from .._files import refuse
from .._limits import Limits
from ._grids import grid_electrodes, grid_size, placed
from ._mat import MatTool, cells, matrix, scalar, texts
from ._session import UNIT_UNKNOWN, Found, Session, Trace, checked_rate, trains_of

_MOST_GRIDS = 1000
_INTRAMUSCULAR = 2  # of emgtype


@final
class _Grid(NamedTuple):
    """One electrode grid: its place in MUedit's lists, its name, the rows of `data` that it has."""

    at: int
    name: str
    code: str
    rows: slice


@final
class MUedit(MatTool):
    """MATLAB files of MUedit: recordings, decompositions, edited decompositions.

    The struct `signal` has the channels of all grids one below the other: each grid becomes a recording,
    named by its place, the muscle and the grid. Its electrodes are those of the grid's name, or else lie
    at the `coordinates` and `IED` that the file has; channels that `EMGmask` discards are bad. Signals
    beside the EMG have no unit; that of the EMG is not stated and taken as uV (MUedit leaves what it
    reads from OTBiolab files in mV). `Dischargetimes` counts samples from 1; those of the struct
    `edition`, where there is one, are taken rather than those of `signal`.
    """

    name = "MUedit .mat"
    variables = frozenset({"signal", "edition"})
    shapes = frozenset({"Pulsetrain", "time", "MUFilters"})
    samples = frozenset({"data", "auxiliary", "target", "path", "emgnotgrid"})

    def wrote(self, names: frozenset[str]) -> bool:
        """Whether a file with variables of these names is from MUedit."""
        return "signal" in names

    def session(self, path: Path, content: Mapping[str, Any], limits: Limits) -> Session:
        """What is in the file."""
        signal, edition = content["signal"], content.get("edition")
        if not isinstance(signal, dict) or "fsamp" not in signal:
            refuse(
                path, "its variable 'signal' is not the struct of MUedit", "use the file as MUedit wrote it"
            )
        rate = checked_rate(path, scalar(signal["fsamp"]))
        data = matrix(signal.get("data"))
        grids = [] if data is None else _grids(path, signal, len(data))
        n_samples = 0 if data is None else data.shape[1]
        traces = _traces(signal, n_samples)
        recordings = {}
        for grid in grids:
            assert data is not None
            recordings[grid.name] = _found(signal, data, grid, rate, traces)
        found = edition if isinstance(edition, dict) and "Dischargetimes" in edition else signal
        pools = _pools(path, limits, found, grids, rate, n_samples)
        return Session(self.name, recordings, pools, tuple(trace.name for trace in traces))


def _grids(path: Path, signal: Mapping[str, Any], n_channels: int) -> list[_Grid]:
    """Which channels are of which grid."""
    codes, muscles = texts(signal.get("gridname")), texts(signal.get("muscle"))
    masks, places = cells(signal.get("EMGmask")).ravel("F"), cells(signal.get("coordinates")).ravel("F")
    count = scalar(signal.get("ngrid"))
    n_grids = len(codes) if count is None else int(count)
    if not 1 <= n_grids <= min(_MOST_GRIDS, n_channels):
        refuse(path, f"{n_grids} grids with {n_channels} channels", "use the file as MUedit wrote it")
    codes += [""] * (n_grids - len(codes))
    muscles += [""] * (n_grids - len(muscles))
    grids, start = [], 0
    for i in range(n_grids):
        mask = matrix(masks[i]) if i < len(masks) else None
        place = matrix(places[i]) if i < len(places) else None
        size = grid_size(codes[i]) or n_channels // n_grids
        if mask is not None:
            size = mask.size
        elif place is not None:
            size = len(place)
        name = " - ".join(part for part in (str(i + 1), muscles[i], codes[i]) if part)
        grids.append(_Grid(i, name, codes[i], slice(start, start + size)))
        start += size
    if start != n_channels:
        refuse(path, f"grids of {start} channels together, but data of {n_channels}", "check signal.gridname")
    return grids


def _found(
    signal: Mapping[str, Any], data: NDArray[Any], grid: _Grid, rate: float, traces: tuple[Trace, ...]
) -> Found:
    n = grid.rows.stop - grid.rows.start
    masks = cells(signal.get("EMGmask")).ravel("F")
    mask = matrix(masks[grid.at]) if grid.at < len(masks) else None
    return Found(
        data[grid.rows],
        rate,
        electrodes=_electrodes(signal, grid, n),
        bad=None if mask is None else mask.ravel() != 0,
        auxiliary=traces,
        about=UNIT_UNKNOWN | {"series": grid.name, "grid": grid.code or "not named"},
    )


def _electrodes(signal: Mapping[str, Any], grid: _Grid, n: int) -> Electrodes | None:
    if grid_size(grid.code) == n:
        return grid_electrodes(grid.code, range(1, n + 1))
    places = cells(signal.get("coordinates")).ravel("F")
    place = matrix(places[grid.at]) if grid.at < len(places) else None
    pitches, kinds = matrix(signal.get("IED")), matrix(signal.get("emgtype"))
    if place is None or place.shape != (n, 2) or pitches is None or grid.at >= pitches.size:
        return None
    if not np.all(place == np.rint(place)) or np.abs(place).max() > 10_000:
        return None
    inside = kinds is not None and grid.at < kinds.size and kinds.ravel("F")[grid.at] == _INTRAMUSCULAR
    from_zero = (place - place.min(axis=0)).astype(np.int64)
    return placed(from_zero, float(pitches.ravel("F")[grid.at]), intramuscular=bool(inside))


def _traces(signal: Mapping[str, Any], n_samples: int) -> tuple[Trace, ...]:
    """Auxiliary channels by their names, and target and path where they are not among these."""
    names, traces = texts(signal.get("auxiliaryname")), []
    values = matrix(signal.get("auxiliary"))
    if values is not None and values.shape[1] == n_samples:
        for i, row in enumerate(values):
            named = names[i] if i < len(names) and names[i] else f"auxiliary ({i + 1})"
            traces.append(Trace(named, row))
    known = {trace.name.lower() for trace in traces}
    for name in ("path", "target"):
        row = matrix(signal.get(name))
        if row is not None and row.size == n_samples and name not in known:
            traces.append(Trace(name, row.ravel()))
    return tuple(traces)


def _pools(
    path: Path,
    limits: Limits,
    found: Mapping[str, Any],
    grids: list[_Grid],
    rate_hz: float,
    n_samples: int,
) -> dict[str, SpikeTrains]:
    """Decomposition of each grid that has one."""
    if "Dischargetimes" not in found or not grids:
        return {}
    times = cells(found["Dischargetimes"])
    sources = cells(found.get("Pulsetrain")).ravel("F")
    pools = {}
    for grid in grids:
        if grid.at >= len(times):
            break
        pulses = [matrix(one) for one in times[grid.at]]
        last = max((i + 1 for i, one in enumerate(pulses) if one is not None), default=0)
        source = matrix(sources[grid.at]) if grid.at < len(sources) else None
        # rows are as long as that of the grid with most units
        n_units = max(last, min(len(pulses), 0 if source is None else len(source)))
        trains = [np.zeros(0) if one is None else one for one in pulses[:n_units]]
        if trains:
            pools[grid.name] = trains_of(path, limits, trains, rate_hz, n_samples, first=1, name=grid.name)
    return pools
