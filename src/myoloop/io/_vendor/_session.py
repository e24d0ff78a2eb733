"""Formats that are read as a whole: what was found in a file, and what becomes of it."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ...data import Electrodes, Recording, Signal, SpikeTrains
from ...errors import MyoloopWarning
from .._assemble import assemble
from .._files import refuse
from .._limits import Limits
from .._summary import PoolSummary, RecordingSummary
from ._base import Overview, VendorFormat, chosen

FloatArray = NDArray[np.float64]

UNIT_UNKNOWN = {"unit_of_file": "not stated, taken as uV"}


@final
class Trace(NamedTuple):
    """A signal that was recorded beside the EMG: name, samples, unit ("" where the file states none)."""

    name: str
    values: NDArray[Any]
    unit: str = ""


@final
@dataclass(frozen=True, eq=False)
class Found:
    """An EMG recording as it lies in a file.

    Parameters
    ----------
    values : ndarray, shape (channels, samples)
        Integers, float32 or float64, in the unit of the file.
    rate_hz : float
    to_uV : float or ndarray, shape (channels,)
        What makes uV of the values.
    t_start_s : float
    electrodes : Electrodes, optional
    channels : tuple of str
    bad : ndarray of bool, optional
    auxiliary : tuple of Trace
    about : dict
    """

    values: NDArray[Any]
    rate_hz: float
    to_uV: float | FloatArray = 1.0
    t_start_s: float = 0.0
    electrodes: Electrodes | None = None
    channels: tuple[str, ...] = ()
    bad: NDArray[np.bool_] | None = None
    auxiliary: tuple[Trace, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> RecordingSummary:
        """Channels, samples and rate."""
        channels, samples = self.values.shape
        return RecordingSummary(channels, samples, self.rate_hz)

    def recording(self) -> Recording:
        """The recording, as float32 unless the file has wider numbers; traces with NaN stay behind."""
        values = self.values.astype(np.result_type(self.values.dtype, np.float32), copy=False)
        if np.any(np.not_equal(self.to_uV, 1.0)):
            gain = np.reshape(self.to_uV, (-1, 1)).astype(values.dtype)
            values = values * gain
        return Recording(
            np.ascontiguousarray(values),
            self.rate_hz,
            self.electrodes,
            t_start_s=self.t_start_s,
            channels=self.channels,
            bad=self.bad,
            auxiliary=tuple(self._signal(trace) for trace in self.auxiliary if _finite(trace)),
            about=self.about,
        )

    def _signal(self, trace: Trace) -> Signal:
        return Signal(
            np.ascontiguousarray(trace.values), self.rate_hz, trace.unit, self.t_start_s, trace.name
        )


@final
@dataclass(frozen=True, eq=False)
class Session:
    """All that is in a file.

    Parameters
    ----------
    format : str
    recordings : mapping of str to Found
    pools : mapping of str to SpikeTrains
        Decompositions by another program.
    traces : tuple of str
        Names of what was recorded beside the EMG.
    t_stop_s : float, optional
    """

    format: str
    recordings: Mapping[str, Found] = field(default_factory=dict)
    pools: Mapping[str, SpikeTrains] = field(default_factory=dict)
    traces: tuple[str, ...] = ()
    t_stop_s: float | None = None


class SessionFormat(VendorFormat):
    """A format whose files are small enough to be read as a whole."""

    @abstractmethod
    def session(self, path: Path, limits: Limits, *, samples: bool) -> Session:
        """What is in the file; without `samples` the values of recordings need only have their shape."""

    @final
    def overview(self, path: Path, limits: Limits) -> Overview:
        """What is in the file."""
        found = self.session(path, limits, samples=False)
        stops = [trains.t_stop_s for trains in found.pools.values()]
        stops += [one.t_start_s + one.summary.duration_s for one in found.recordings.values()]
        return Overview(
            found.format,
            {name: one.summary for name, one in found.recordings.items()},
            {name: PoolSummary.of(trains) for name, trains in found.pools.items()},
            found.traces,
            max(stops, default=found.t_stop_s),
        )

    @final
    def recording(self, path: Path, limits: Limits, series: str | None) -> Recording:
        """The recording `series`, or the only one."""
        _, found = chosen(path, self.session(path, limits, samples=True).recordings, series)
        if 0 in found.values.shape:
            refuse(path, f"its recording has the shape {found.values.shape}", "give a file with samples")
        if found.values.size > limits.samples:
            refuse(path, f"{found.values.size} samples", "raise Limits.samples if that is right")
        if UNIT_UNKNOWN.items() <= found.about.items():
            warnings.warn(
                f"{path.name} does not state the unit of its EMG: its numbers are taken as uV",
                MyoloopWarning,
                stacklevel=2,
            )
        return found.recording()

    @final
    def spikes(self, path: Path, limits: Limits) -> Mapping[str, SpikeTrains]:
        """Decompositions that are stored in the file."""
        return self.session(path, limits, samples=False).pools


def checked_rate(path: Path, rate_hz: object) -> float:
    """A sampling rate that can be true."""
    if not isinstance(rate_hz, float | int) or not 0 < rate_hz < 1e9:
        refuse(path, f"a sampling rate of {rate_hz!r}", "give a file that states it in Hz")
    return float(rate_hz)


def trains_of(
    path: Path,
    limits: Limits,
    pulses: Sequence[NDArray[Any]],
    rate_hz: float,
    n_samples: int,
    *,
    first: int,
    t_start_s: float = 0.0,
    name: str = "",
    annotations: Mapping[str, NDArray[Any]] | None = None,
) -> SpikeTrains:
    """Spike trains from the sample at which each unit fired, counted from `first` (0 or 1).

    Programs that let spikes be added by hand leave them out of order at times: they are sorted, with a
    warning.
    """
    trains = [_samples_of(path, one, unit, first, n_samples) for unit, one in enumerate(pulses)]
    owners = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    times = t_start_s + np.concatenate([*trains, np.zeros(0)]) / rate_hz
    return assemble(
        path,
        owners.astype(np.int64),
        times,
        n_units=len(trains),
        limits=limits,
        t_start_s=t_start_s,
        t_stop_s=t_start_s + n_samples / rate_hz,
        annotations=annotations,
        name=name,
    )


def _samples_of(path: Path, pulses: NDArray[Any], unit: int, first: int, n_samples: int) -> FloatArray:
    """Samples from 0, ascending."""
    train = np.asarray(pulses)
    if train.size and (train.dtype.kind not in "iuf" or not np.all(np.isfinite(train))):
        refuse(path, f"the spikes of unit {unit} are not numbers", "use an intact copy")
    train = train.astype(float).ravel() - first
    if np.any((train < 0) | (train >= n_samples) | (train != np.rint(train))):
        refuse(
            path,
            f"unit {unit} has spikes at other than one of the {n_samples} samples",
            "use the file as its program wrote it",
        )
    if np.any(np.diff(train) < 0):
        warnings.warn(
            f"{path.name}: the spikes of unit {unit} were out of order and have been sorted",
            MyoloopWarning,
            stacklevel=3,
        )
        train = np.sort(train)
    return train


def _finite(trace: Trace) -> bool:
    if np.all(np.isfinite(trace.values)):
        return True
    warnings.warn(f"{trace.name!r} has NaN or infinite samples and is left out", MyoloopWarning, stacklevel=3)
    return False
