"""What a file holds, told without its samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from ..data import SpikeTrains


@final
@dataclass(frozen=True)
class PoolSummary:
    """A population in a file: units in its pool, units that fired, spikes."""

    n_units: int
    n_active: int
    n_spikes: int

    @classmethod
    def of(cls, trains: SpikeTrains) -> PoolSummary:
        """Summary of spike trains."""
        return cls(len(trains), int(trains.active.sum()), len(trains.times_s))


@final
@dataclass(frozen=True)
class RecordingSummary:
    """A recording of EMG in a file: channels, samples of each, sampling rate."""

    n_channels: int
    n_samples: int
    rate_hz: float

    @property
    def duration_s(self) -> float:
        """Number of samples over the rate, in s."""
        return self.n_samples / self.rate_hz


@final
@dataclass(frozen=True)
class FileSummary:
    """What a file, or a folder of EMG-BIDS, holds.

    Parameters
    ----------
    path : Path
    format : str
        ``"NWB"``, ``"NIX"``, ``"stream"``, ``"EMG-BIDS"``, ``"text"``, ``"pickle"``,
        ``"decomposition"``, or the name of the
        device or program that wrote it, such as ``"OTBiolab .mat"``.
    size_bytes : int
        Of EMG-BIDS: of all data files together.
    populations : mapping of str to PoolSummary
        None for a pickle: nobody can look into it without running it. Of EMG-BIDS: the true units of
        each recording that has some.
    t_stop_s : float or None
        End of the recording; None where only reading all of it would tell.
    signals : tuple of str
    status : str
        ``"interrupted"`` for a stream whose run did not end well, else ``"complete"``.
    recordings : mapping of str to RecordingSummary
        By the name of the series or electrode grid, or of the recording within its dataset.
    """

    path: Path
    format: str
    size_bytes: int
    populations: Mapping[str, PoolSummary] | None
    t_stop_s: float | None = None
    signals: tuple[str, ...] = ()
    status: str = "complete"
    recordings: Mapping[str, RecordingSummary] = field(default_factory=dict)
