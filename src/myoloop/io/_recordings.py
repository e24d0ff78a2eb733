"""Recordings from a file or folder of any format that we know."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from ..data import Recording
from ._bids_read import read_bids
from ._files import head, refuse, regular_file
from ._hdf5 import SIGNATURE
from ._isolated import read_isolated
from ._limits import Limits
from ._nwb_recording_read import nwb_recording

_KNOWN = "give NWB (.nwb), or an EMG-BIDS folder or data file (_emg.bdf, _emg.edf)"


def read_recording(
    path: str | os.PathLike[str],
    *,
    series: str | None = None,
    limits: Limits | None = None,
    isolated: bool = True,
) -> Recording:
    """Read an EMG recording from NWB or EMG-BIDS.

    A file of `write_recording` comes back equal, with its truth. Of any other NWB file an
    ElectricalSeries becomes the recording (in uV; as float64 where the file has 32-bit integers or
    wider), with the places of its electrodes where all are known; its Units table is no truth and
    stays behind. EMG-BIDS is read by `read_bids`.

    Parameters
    ----------
    path : path
        An NWB file; an EMG-BIDS data file or a folder with one recording.
    series : str, optional
        Which ElectricalSeries, in an NWB file with several.
    limits : Limits, optional
    isolated : bool
        Read in a child process, which a damaged or hostile file may crash in our stead.

    Raises
    ------
    UnreadableFileError
        Absent, damaged, of another format, or not a recording.
    UnknownNameError
        A series that is not there.
    MissingDependencyError
        EMG-BIDS without the extra ``bids``.
    """
    path = Path(path)
    if path.is_dir() or path.suffix.lower() in {".edf", ".bdf"}:
        return read_bids(path, limits=limits, isolated=isolated)
    path, limits = regular_file(path), limits or Limits()
    if not head(path).startswith(SIGNATURE):
        refuse(path, "not NWB: it does not begin like HDF5", _KNOWN)
    read = partial(nwb_recording, path, limits, series)
    return read_isolated(path, read) if isolated else read()
