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
from ._vendor import vendor_of, vendor_recording
from ._vendor._csv import agreed, at_rate, checked_rate

_KNOWN = (
    "give NWB (.nwb), an EMG-BIDS folder or data file (_emg.bdf, _emg.edf), or a file of a program or device "
    "such as OTBiolab (.mat, .otb+, .otb4)"
)


def read_recording(
    path: str | os.PathLike[str],
    *,
    series: str | None = None,
    rate_hz: float | None = None,
    limits: Limits | None = None,
    isolated: bool = True,
) -> Recording:
    """Read an EMG recording from NWB, EMG-BIDS, or a file of a device or decomposition program.

    A file of `write_recording` comes back equal, with its truth. Of any other NWB file an
    ElectricalSeries becomes the recording (in uV; as float64 where the file has 32-bit integers or
    wider), with the places of its electrodes where all are known; its Units table is no truth and
    stays behind. EMG-BIDS is read by `read_bids`.

    Of the files of devices and programs (see `describe`), each electrode grid is a series. A grid whose
    name tells where its channels lie comes with electrodes, force and the like come as auxiliary signals;
    decompositions by other programs are no truth and stay behind (`read_spikes` gives them). Where a
    format does not state the unit of its EMG, its numbers are taken as uV, with a warning.

    Parameters
    ----------
    path : path
        An NWB file; an EMG-BIDS data file or a folder with one recording; a file of OTBiolab, DEMUSE,
        MUedit, openhdemg or another program or device.
    series : str, optional
        Which ElectricalSeries or electrode grid, in a file with several.
    rate_hz : float, optional
        Sampling rate, for text that does not tell it.
    limits : Limits, optional
    isolated : bool
        Read in a child process, which a damaged or hostile file may crash in our stead.

    Raises
    ------
    UnreadableFileError
        Absent, damaged, of another format, or not a recording.
    UnknownNameError
        A series that is not there.
    ParameterError
        No `rate_hz` for text that does not tell its rate, or one that a file contradicts.
    MissingDependencyError
        EMG-BIDS without the extra ``bids``.
    """
    path, rate_hz = Path(path), checked_rate(rate_hz)
    if path.is_dir() or path.suffix.lower() in {".edf", ".bdf"}:
        return agreed(path, read_bids(path, limits=limits, isolated=isolated), rate_hz)
    path, limits = regular_file(path), limits or Limits()
    if reader := at_rate(path, vendor_of(path), rate_hz):
        look = partial(vendor_recording, reader, path, limits, series)
        return agreed(path, read_isolated(path, look) if isolated else look(), rate_hz)
    if not head(path).startswith(SIGNATURE):
        refuse(path, "not NWB: it does not begin like HDF5", _KNOWN)
    read = partial(nwb_recording, path, limits, series)
    return agreed(path, read_isolated(path, read) if isolated else read(), rate_hz)
