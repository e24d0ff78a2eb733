"""What every reader of a device's or program's files provides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, final

from ...data import Recording, SpikeTrains
from ...errors import MyoloopError, ParameterError, UnknownNameError
from .._files import refuse
from .._hdf5 import refuse_damaged
from .._limits import Limits
from .._summary import PoolSummary, RecordingSummary

T = TypeVar("T")

HEAD_BYTES = 4096
"""How many of a file's first bytes `VendorFormat.recognises` is given."""


@final
@dataclass(frozen=True)
class Overview:
    """What a vendor's file holds, told without handing over its samples.

    Parameters
    ----------
    format : str
        Name of the format, with what is known of its version.
    recordings : mapping of str to RecordingSummary
        By the name that `VendorFormat.recording` takes as `series`.
    pools : mapping of str to PoolSummary
        Decompositions stored in the file, by the names that `VendorFormat.spikes` gives.
    signals : tuple of str
        Names of what was recorded beside the EMG.
    t_stop_s : float, optional
        End of the recording.
    """

    format: str
    recordings: Mapping[str, RecordingSummary] = field(default_factory=dict)
    pools: Mapping[str, PoolSummary] = field(default_factory=dict)
    signals: tuple[str, ...] = ()
    t_stop_s: float | None = None


class VendorFormat(ABC):
    """Reader of the files of one device or program.

    Readers are instances without state, and picklable. `recognises` runs in the caller's process; all
    other methods run in a child process, where any exception but ours becomes UnreadableFileError.
    """

    name: str
    """Name of the format as users know it, e.g. ``"OTBiolab .mat"``."""

    @abstractmethod
    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format, by its ending and its first `HEAD_BYTES` bytes.

        Must stand any bytes, cost little and leave the file to Python (no native library). A reader that
        claims a file is the only one that is asked: claim neither NWB, NIX, EDF/BDF nor lists of spikes.
        """

    def prepare(self) -> None:
        """Import what reading needs, here once rather than in every child process."""
        return

    @abstractmethod
    def overview(self, path: Path, limits: Limits) -> Overview:
        """What is in the file."""

    @abstractmethod
    def recording(self, path: Path, limits: Limits, series: str | None) -> Recording:
        """The recording `series`, or the only one; see `chosen`. Stored decompositions stay behind."""

    @abstractmethod
    def spikes(self, path: Path, limits: Limits) -> Mapping[str, SpikeTrains]:
        """Decompositions that are stored in the file, by name; empty where there is none."""


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Whatever a damaged file makes a library raise becomes UnreadableFileError."""
    try:
        yield
    except ParameterError as error:  # of a data type, which tells more about the file than about the caller
        if error.field.startswith("read_"):
            raise
        refuse(path, str(error), "mend the file")
    except MyoloopError:
        raise
    except MemoryError as error:
        refuse_damaged(path, "it asks for more memory than there is", error)
    except Exception as error:
        text = (str(error).splitlines() or [""])[0] or type(error).__name__
        refuse_damaged(path, text, error)


def chosen(path: Path, recordings: Mapping[str, T], series: str | None) -> tuple[str, T]:
    """Name and value of the recording that is asked for, or of the only one."""
    if not recordings:
        refuse(path, "holds no EMG recording", "give a file with one")
    if series is not None:
        if series not in recordings:
            raise UnknownNameError(f"{path}: series", series, recordings)
        return series, recordings[series]
    if len(recordings) > 1:
        raise ParameterError(
            "read_recording.series",
            f"{path} holds {', '.join(recordings)}",
            "say which one is meant, e.g. series=" + repr(next(iter(recordings))),
        )
    return next(iter(recordings.items()))
