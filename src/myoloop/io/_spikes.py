"""Spikes from a file of any format that we know."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ..data import SpikeTrains
from ..errors import ParameterError
from ._assemble import pick, widen
from ._bids_files import recordings_of
from ._bids_read import bids_overview
from ._decomposition_read import DECOMPOSITION_FORMAT, decomposition_spikes
from ._edf import BYTES
from ._files import head, refuse, regular_file
from ._hdf5 import SIGNATURE, opened
from ._isolated import read_isolated
from ._limits import Limits
from ._nix import read_nix
from ._nwb_read import nwb_overview, nwb_spikes
from ._pickle import read_pickle
from ._stream_read import STREAM_FORMAT, read_stream, stream_summary
from ._summary import FileSummary, PoolSummary, RecordingSummary
from ._text import events, text_spikes
from ._vendor import vendor_of, vendor_spikes, vendor_summary

__all__ = ["FileSummary", "PoolSummary", "RecordingSummary", "describe", "read_spikes"]

_KNOWN = (
    "give NWB (.nwb), NIX (.nix), a stream or decomposition of ours (.h5), unit,time_s lines (.csv, .tsv, "
    ".txt), or a file of OTBiolab, DEMUSE, MUedit (.mat) or openhdemg (.json)"
)
_ENDINGS = {
    ".nwb": "hdf5", ".nix": "hdf5", ".h5": "hdf5", ".hdf5": "hdf5",
    ".csv": "text", ".tsv": "text", ".txt": "text",
    ".pkl": "pickle", ".pickle": "pickle",
}  # fmt: skip


def read_spikes(
    path: str | os.PathLike[str],
    *,
    allow_pickle: bool = False,
    n_units: int | None = None,
    t_stop_s: float | None = None,
    population: str | None = None,
    limits: Limits | None = None,
    isolated: bool = True,
) -> SpikeTrains:
    """Spike trains of one population from an NWB, NIX, CSV/TSV, stream or (on request) pickled file.

    Files of recording devices and decomposition programs give the decomposition that is stored in them:
    what another program found, not the truth.

    Text files have a unit index (from 0) and a time in each line, separated by comma, tab, semicolon
    or blanks, below an optional header of which the columns ``unit`` and ``time_s`` or ``time_ms`` are
    read; ``#`` begins a comment; without header the time is in s. Units may follow one another in any
    order, but the times of each unit must ascend: an unsorted file is refused, never sorted in silence.

    A unit keeps the index that the file gives it, and silent units stay in the pool where the file
    tells its size; `n_units` says it where the file does not.

    Parameters
    ----------
    path : path
        What it is, is told from its content, then from its ending.
    allow_pickle : bool
        Read a pickled Neo block (also by joblib), which runs any code that its author put in.
    n_units : int, optional
        Size of the pool, at least what the file holds.
    t_stop_s : float, optional
        End of the observation; by default what the file says, else the time of the last spike.
    population : str, optional
        Which one, in a file with several (in Neo files, segments count as populations).
    limits : Limits, optional
        The most that is read.
    isolated : bool
        Read an HDF5 or vendor's file in a child process, which a damaged or hostile one may crash in our
        stead: HDF5 does not survive each of them.

    Returns
    -------
    SpikeTrains

    Raises
    ------
    UnreadableFileError
        Absent, truncated, of unknown format, or with spikes that are unsorted, negative or NaN.
    ParameterError
        Several populations and none chosen; `n_units` or `t_stop_s` below what the file holds.
    UnknownNameError
        A population that is not there.
    MissingDependencyError
        NIX without the extra ``nix``.
    """
    path, limits = regular_file(path), limits or Limits()
    _check(n_units, t_stop_s)
    first = head(path)
    if reader := vendor_of(path):
        look = partial(vendor_spikes, reader, path, limits)
        found = read_isolated(path, look) if isolated else look()
    elif first.startswith(SIGNATURE):
        read = partial(_hdf5_spikes, path, limits, t_stop_s)
        found = read_isolated(path, read) if isolated else read()
    elif _format(path, first) == "pickle":
        found = read_pickle(path, limits, allow_pickle=allow_pickle).spikes
    else:
        found = text_spikes(path, limits, n_units, t_stop_s)
    return _until(widen(pick(path, found, population), n_units), t_stop_s)


def _hdf5_spikes(path: Path, limits: Limits, t_stop_s: float | None) -> Mapping[str, SpikeTrains]:
    kind = _hdf5_format(path)
    if kind == "NWB":
        return nwb_spikes(path, limits, t_stop_s)
    if kind == "NIX":
        return read_nix(path, limits=limits, isolated=False).spikes
    if kind == "decomposition":
        return {"units": decomposition_spikes(path, limits)}
    return read_stream(path, limits=limits).spikes


def describe(
    path: str | os.PathLike[str], *, limits: Limits | None = None, isolated: bool = True
) -> FileSummary:
    """What is in a file of spikes or EMG, or an EMG-BIDS folder, for a look before it is used.

    Parameters as in `read_spikes`; no samples are read.

    Raises
    ------
    UnreadableFileError, MissingDependencyError
    """
    path, limits = Path(path), limits or Limits()
    if path.is_dir() or path.suffix.lower() in BYTES:
        path = path if path.is_dir() else regular_file(path)
        look = partial(_describe_bids, path, limits)
        return read_isolated(path, look) if isolated else look()
    path = regular_file(path)
    if reader := vendor_of(path):
        view = partial(vendor_summary, reader, path, limits)
        return read_isolated(path, view) if isolated else view()
    first, size = head(path), path.stat().st_size
    if not first.startswith(SIGNATURE):
        kind = _format(path, first)
        return FileSummary(path, kind, size, None) if kind == "pickle" else _describe_text(path, size, limits)
    read = partial(_describe_hdf5, path, size, limits)
    return read_isolated(path, read) if isolated else read()


def _describe_bids(path: Path, limits: Limits) -> FileSummary:
    found, pools = bids_overview(path, limits)
    data = recordings_of(path) if path.is_dir() else [path]
    return FileSummary(
        path,
        "EMG-BIDS",
        sum(file.stat().st_size for file in data),
        {name: PoolSummary(*numbers) for name, numbers in pools.items()},
        recordings={name: RecordingSummary(*numbers) for name, numbers in found.items()},
    )


def _describe_hdf5(path: Path, size: int, limits: Limits) -> FileSummary:
    kind = _hdf5_format(path)
    if kind == "stream":
        counts, stop, signals, status = stream_summary(path, limits)
        known = {name: PoolSummary(*numbers) for name, numbers in counts.items()}
        return FileSummary(path, kind, size, known, stop, signals, status)
    if kind == "NWB":
        pools, signals, series = nwb_overview(path, limits)
        recordings = {name: RecordingSummary(*numbers) for name, numbers in series.items()}
        return replace(_summary(path, kind, size, pools, signals), recordings=recordings)
    if kind == "decomposition":
        return _summary(path, kind, size, {"units": decomposition_spikes(path, limits)}, ())
    found = read_nix(path, limits=limits, isolated=False)
    return _summary(path, kind, size, found.spikes, tuple(found.signals))


def _check(n_units: int | None, t_stop_s: float | None) -> None:
    if n_units is not None and (isinstance(n_units, bool) or int(n_units) != n_units or n_units < 1):
        raise ParameterError("read_spikes.n_units", f"{n_units!r} was given", "give a whole number above 0")
    if t_stop_s is not None and not (np.isfinite(t_stop_s) and t_stop_s > 0):
        raise ParameterError("read_spikes.t_stop_s", f"{t_stop_s!r} s was given", "give a time above 0 s")


def _format(path: Path, first: bytes) -> str:
    ending = _ENDINGS.get(path.suffix.lower())
    if ending == "hdf5":
        refuse(path, "does not begin like HDF5: truncated, or of another format", _KNOWN)
    if ending == "pickle" or (first[:1] == b"\x80" and first[1:2] in b"\x02\x03\x04\x05"):
        return "pickle"
    if ending == "text" or b"\0" not in first:
        return "text"
    return refuse(path, "of a format that is not known here", _KNOWN)


def _hdf5_format(path: Path) -> str:
    with opened(path) as file:
        if "nwb_version" in file.attrs:
            return "NWB"
        said = file.attrs.get("format", b"")
        said = said.decode() if isinstance(said, bytes) else str(said)
        if said == "nix":
            return "NIX"
        if said == STREAM_FORMAT:
            return "stream"
        if said == DECOMPOSITION_FORMAT:
            return "decomposition"
    return refuse(path, "an HDF5 file, but neither NWB nor NIX nor a file of ours", _KNOWN)


def _until(trains: SpikeTrains, t_stop_s: float | None) -> SpikeTrains:
    if t_stop_s is None or t_stop_s == trains.t_stop_s:
        return trains
    if len(trains.times_s) and t_stop_s < trains.times_s.max():
        raise ParameterError(
            "read_spikes.t_stop_s",
            f"{t_stop_s:g} s, but there is a spike at {trains.times_s.max():g} s",
            "give a later time, or cut with SpikeTrains.between after reading",
        )
    return SpikeTrains(
        trains.times_s, trains.starts, t_stop_s, trains.t_start_s, trains.annotations, trains.name
    )


def _summary(
    path: Path, kind: str, size: int, spikes: Mapping[str, SpikeTrains], signals: tuple[str, ...]
) -> FileSummary:
    pools = {name: PoolSummary.of(trains) for name, trains in spikes.items()}
    stop = max((trains.t_stop_s for trains in spikes.values()), default=None)
    return FileSummary(path, kind, size, pools, stop, signals)


def _describe_text(path: Path, size: int, limits: Limits) -> FileSummary:
    seen = np.zeros(0, dtype=bool)
    n_spikes, last = 0, None
    for units, times in events(path, limits):
        highest = int(units.max()) + 1
        seen = np.pad(seen, (0, max(0, highest - len(seen))))
        seen[units] = True
        n_spikes += len(units)
        last = float(max(times.max(), times.max() if last is None else last))
    return FileSummary(path, "text", size, {"": PoolSummary(len(seen), int(seen.sum()), n_spikes)}, last)
