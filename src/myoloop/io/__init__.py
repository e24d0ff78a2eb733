"""Files: the only room that knows a file format."""

from ._folder import OutputFolder
from ._limits import Limits
from ._neo import from_neo, to_neo
from ._nix import read_nix, write_nix
from ._nwb import UNKNOWN_SUBJECT, write_nwb
from ._nwb_read import read_nwb
from ._spikes import FileSummary, PoolSummary, describe, read_spikes
from ._stream import HDF5Stream
from ._stream_read import read_stream

__all__ = [
    "UNKNOWN_SUBJECT",
    "FileSummary",
    "HDF5Stream",
    "Limits",
    "OutputFolder",
    "PoolSummary",
    "describe",
    "from_neo",
    "read_nix",
    "read_nwb",
    "read_spikes",
    "read_stream",
    "to_neo",
    "write_nix",
    "write_nwb",
]
