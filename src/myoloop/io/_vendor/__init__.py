"""Files of devices and decomposition programs: one module and one line in `FORMATS` for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...data import Recording, SpikeTrains
from .._files import head
from .._limits import Limits
from .._summary import FileSummary
from ._base import HEAD_BYTES, VendorFormat, guarded
from ._csv import CSVRecording
from ._delsys import Delsys
from ._demuse import Demuse
from ._intan import Intan
from ._mat import MatFiles
from ._muedit import MUedit
from ._openhdemg import OpenHDEMG
from ._otb4 import OTB4
from ._otb_mat import OtbMat
from ._otb_plus import OTBPlus

FORMATS: tuple[VendorFormat, ...] = (
    MatFiles(OtbMat(), Demuse(), MUedit()),
    OpenHDEMG(),
    OTBPlus(),
    OTB4(),
    Intan(),
    Delsys(),
    CSVRecording(),
)


def vendor_of(path: Path) -> VendorFormat | None:
    """The reader of a regular file, or None where no vendor's is right."""
    first = head(path, HEAD_BYTES)
    reader = next((one for one in FORMATS if one.recognises(path, first)), None)
    if reader is not None:
        reader.prepare()
    return reader


def vendor_summary(reader: VendorFormat, path: Path, limits: Limits) -> FileSummary:
    """Summary of a file for `describe`."""
    with guarded(path):
        found = reader.overview(path, limits)
    return FileSummary(
        path,
        found.format,
        path.stat().st_size,
        found.pools,
        found.t_stop_s,
        found.signals,
        recordings=found.recordings,
    )


def vendor_recording(reader: VendorFormat, path: Path, limits: Limits, series: str | None) -> Recording:
    """Recording of a file for `read_recording`."""
    with guarded(path):
        return reader.recording(path, limits, series)


def vendor_spikes(reader: VendorFormat, path: Path, limits: Limits) -> Mapping[str, SpikeTrains]:
    """Stored decompositions of a file for `read_spikes`."""
    with guarded(path):
        return reader.spikes(path, limits)
