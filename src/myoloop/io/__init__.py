"""Files: the only room that knows a file format."""

from ._bids import write_bids
from ._bids_read import read_bids
from ._decomposition import write_decomposition
from ._decomposition_read import read_decomposition
from ._folder import OutputFolder
from ._limits import Limits
from ._neo import from_neo, to_neo
from ._neo_recording import recording_from_neo, recording_to_neo
from ._nix import read_nix, write_nix
from ._nwb import UNKNOWN_SUBJECT, write_nwb
from ._nwb_read import read_nwb
from ._nwb_recording import write_recording
from ._recordings import read_recording
from ._spikes import FileSummary, PoolSummary, RecordingSummary, describe, read_spikes
from ._stream import HDF5Stream
from ._stream_read import read_stream
from ._write_openhdemg import write_openhdemg

__all__ = [
    "UNKNOWN_SUBJECT",
    "FileSummary",
    "HDF5Stream",
    "Limits",
    "OutputFolder",
    "PoolSummary",
    "RecordingSummary",
    "describe",
    "from_neo",
    "read_bids",
    "read_decomposition",
    "read_nix",
    "read_nwb",
    "read_recording",
    "read_spikes",
    "read_stream",
    "recording_from_neo",
    "recording_to_neo",
    "to_neo",
    "write_bids",
    "write_decomposition",
    "write_nix",
    "write_nwb",
    "write_openhdemg",
    "write_recording",
]
