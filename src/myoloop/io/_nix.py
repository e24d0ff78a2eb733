"""NIX files, by way of Neo: its own format without pickles."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..data import Result, Signal, SpikeTrains
from ..errors import MyoloopError, OutputError
from ._files import need, regular_file, replacing
from ._hdf5 import refuse_damaged, survey
from ._isolated import read_isolated
from ._limits import Limits
from ._neo import build_block, from_neo

_BYTES_A_TRAIN = 60_000  # measured 30 kB for a train with few spikes


def write_nix(
    path: str | os.PathLike[str],
    *,
    spikes: Mapping[str, SpikeTrains],
    signals: Mapping[str, Signal] | None = None,
    provenance: Mapping[str, Any] | None = None,
    description: str = "",
    overwrite: bool = False,
) -> Path:
    """Write spikes and signals as a NIX file that Neo reads; needs the extra ``nix``.

    Silent units are not written as (empty) trains; the group of their population says how many units
    it has and keeps their annotations, and each train its ``unit_index``. The format is slow: some
    ten milliseconds for each unit that fired.

    Raises
    ------
    MissingDependencyError, OutputError
    """
    need("nixio", "write_nix", "nix")
    import neo

    signals = signals or {}
    with replacing(path, overwrite=overwrite) as temporary:
        _room(Path(path), spikes, signals)
        block = build_block(spikes, signals, provenance or {}, description, lean=True)
        try:
            with neo.NixIO(str(temporary), "ow") as file:
                file.write_block(block)
        except RuntimeError as error:  # how h5py says that a write failed
            raise OSError(str(error)) from error
    return Path(path)


def read_nix(path: str | os.PathLike[str], *, limits: Limits | None = None, isolated: bool = True) -> Result:
    """Read spikes and signals of a NIX file (the first block); needs the extra ``nix``.

    Parameters
    ----------
    path : path
    limits : Limits, optional
    isolated : bool
        Read the file in a child process, which a damaged or hostile one may crash in our stead: HDF5
        does not survive each of them.

    Raises
    ------
    UnreadableFileError, MissingDependencyError
    """
    path, limits = regular_file(path), limits or Limits()
    need("nixio", "read_nix", "nix")
    read = partial(_read, path, limits)
    return read_isolated(path, read) if isolated else read()


def _read(path: Path, limits: Limits) -> Result:
    import neo

    survey(path, 8 * (limits.spikes + limits.samples) + limits.text_bytes)
    try:
        with neo.NixIO(str(path), "ro") as file:
            return from_neo(file.read_block(), source=path, limits=limits)
    except MyoloopError:
        raise
    except Exception as error:  # Neo and nixio raise nearly every class there is
        text = (str(error).splitlines() or [type(error).__name__])[0]
        refuse_damaged(path, text, error)
        raise


def _room(path: Path, spikes: Mapping[str, SpikeTrains], signals: Mapping[str, Signal]) -> None:
    """Refuse before the library does: it does not survive a full disk."""
    trains = sum(int(s.active.sum()) for s in spikes.values())
    data = sum(s.times_s.nbytes for s in spikes.values()) + sum(s.values.nbytes for s in signals.values())
    needed = trains * _BYTES_A_TRAIN + 2 * data + 10_000_000
    free = shutil.disk_usage(path.resolve().parent).free
    if free < needed:
        raise OutputError(
            f"{path}: the disk is full ({free} bytes are free, {needed} are needed); "
            "make room or write to another place; nothing was written there"
        )
