"""MATLAB files of DEMUSE: what it decomposes, and its results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...data import Electrodes, SpikeTrains
from .._files import refuse
from .._limits import Limits
from ._grids import placed
from ._mat import MatTool, cells, matrix, scalar, texts
from ._session import UNIT_UNKNOWN, Found, Session, Trace, checked_rate, trains_of

SERIES = "SIG"
POOL = "MUPulses"


@final
class Demuse(MatTool):
    """MATLAB files of DEMUSE, and of programs that write like it.

    The cell of `SIG` in row r and column c is the channel at that place of the grid, empty cells are
    missing electrodes; rows are taken to follow the fibres. `MUPulses` counts samples from 1. The file
    states neither the unit of the EMG, which is taken as uV, nor that of `ref_signal`. Of single
    differential signals it is not known which contacts they are of.
    """

    name = "DEMUSE .mat"
    variables = frozenset(
        {"SIG", "SIGlength", "fsamp", "IED", "MUPulses", "IPTs", "PNR", "ref_signal", "description"}
        | {"discardChannelsVec", "DiscardChannelsVec", "origRecMode", "montage"}
    )
    shapes = frozenset({"IPTs"})
    samples = frozenset({"SIG", "ref_signal"})

    def wrote(self, names: frozenset[str]) -> bool:
        """Whether a file with variables of these names is from DEMUSE."""
        return "fsamp" in names and ("SIG" in names or "MUPulses" in names)

    def session(self, path: Path, content: Mapping[str, Any], limits: Limits) -> Session:
        """What is in the file."""
        rate = checked_rate(path, scalar(content["fsamp"]))
        values, place, bad = _grid(path, content)
        n_samples = values.shape[1] if values is not None else _length(content, rate)
        reference = matrix(content.get("ref_signal"))
        traces: tuple[Trace, ...] = ()
        if reference is not None and n_samples in reference.shape:
            rows = reference if reference.shape[1] == n_samples else reference.T
            traces = tuple(
                Trace("ref_signal" if len(rows) == 1 else f"ref_signal ({i + 1})", row)
                for i, row in enumerate(rows)
            )
        recordings = {}
        if values is not None:
            about = UNIT_UNKNOWN | {"description": " ".join(texts(content.get("description")))}
            electrodes = _electrodes(content, place)
            found = Found(values, rate, electrodes=electrodes, bad=bad, auxiliary=traces, about=about)
            recordings[SERIES] = found
        pools = _pools(path, content, limits, rate, n_samples)
        names = tuple(trace.name for trace in traces)
        return Session(self.name, recordings, pools, names, n_samples / rate if n_samples else None)


def _grid(path: Path, content: Mapping[str, Any]) -> tuple[NDArray[Any] | None, NDArray[Any], NDArray[Any]]:
    """Samples, row and column, and whether it was discarded, of each channel; column after column."""
    grid = cells(content.get("SIG"))
    places = [(r, c) for c in range(grid.shape[1]) for r in range(grid.shape[0])]
    channels = [(place, found) for place in places if (found := matrix(grid[place])) is not None]
    if not channels:
        return None, np.zeros((0, 2)), np.zeros(0)
    if len({found.size for _, found in channels}) > 1 or any(1 not in found.shape for _, found in channels):
        refuse(path, "the channels of SIG differ in length", "use the file as DEMUSE wrote it")
    place = np.array([place for place, _ in channels], dtype=np.int64)
    discarded = content.get("discardChannelsVec", content.get("DiscardChannelsVec"))
    bad = np.zeros(len(place), dtype=bool)
    if isinstance(discarded, np.ndarray) and discarded.shape == grid.shape and discarded.dtype.kind in "biuf":
        bad = discarded[place[:, 0], place[:, 1]] != 0
    return _stacked([found for _, found in channels]), place, bad


def _stacked(channels: list[NDArray[Any]]) -> NDArray[Any]:
    """Channels as rows; of those without values (see `load_73`) no more than the shape."""
    if all(one.strides == (0, 0) for one in channels):
        return np.broadcast_to(channels[0][:1, :1], (len(channels), channels[0].size))
    return np.stack([one.ravel() for one in channels])


def _electrodes(content: Mapping[str, Any], place: NDArray[Any]) -> Electrodes | None:
    pitch = scalar(content.get("IED"))
    mode = " ".join(texts(content.get("origRecMode")) + texts(content.get("montage"))).strip().upper()
    if pitch is None or not (mode in ("", "MONO") or mode.startswith("MONO")):
        return None
    return placed(place, pitch)


def _length(content: Mapping[str, Any], rate_hz: float) -> int:
    """Number of samples of a file without EMG: of its sources, or by its length in s."""
    sources, length = matrix(content.get("IPTs")), scalar(content.get("SIGlength"))
    if sources is not None:
        return int(max(sources.shape))
    return round(length * rate_hz) if length is not None and 0 < length < 1e9 else 0


def _pools(
    path: Path, content: Mapping[str, Any], limits: Limits, rate_hz: float, n_samples: int
) -> dict[str, SpikeTrains]:
    if "MUPulses" not in content:
        return {}
    pulses = [
        np.zeros(0) if one is None else one for one in map(matrix, cells(content["MUPulses"]).ravel("F"))
    ]
    if not any(len(one) for one in pulses):
        return {}
    if n_samples == 0:
        refuse(path, "it does not tell how long the recording is", "keep SIG, IPTs or SIGlength in the file")
    ratio = matrix(content.get("PNR"))
    about = {} if ratio is None or ratio.size != len(pulses) else {"pnr_dB": ratio.ravel()}
    trains = trains_of(path, limits, pulses, rate_hz, n_samples, first=1, name=POOL, annotations=about)
    return {POOL: trains}
