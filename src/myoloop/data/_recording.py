"""A multichannel EMG recording, simulated or real."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError, shown
from ._action_potentials import ActionPotentials
from ._electrodes import Electrodes
from ._path import ActionPotentialPath
from ._signal import Signal
from ._spikes import SpikeTrains


@final
@dataclass(frozen=True, eq=False)
class GroundTruth:
    """What a simulated recording was made of.

    Parameters
    ----------
    spikes : SpikeTrains
        Discharges of all units.
    action_potentials : ActionPotentials, optional
        What each discharge adds to each channel (at the beginning, where it changes over time).
    path : ActionPotentialPath, optional
        The action potentials over time, where they change.
    about : dict
        What else is known: parameters of the muscle, the conductor, the noise.
    """

    spikes: SpikeTrains
    action_potentials: ActionPotentials | None = None
    path: ActionPotentialPath | None = None
    about: dict[str, Any] = field(default_factory=dict)


@final
@dataclass(frozen=True, eq=False)
class Recording:
    """EMG of several channels at a constant rate.

    Parameters
    ----------
    values_uV : ndarray, shape (channels, samples)
        float32 or float64. NaN marks samples that were not recorded.
    rate_hz : float
        Sampling rate.
    electrodes : Electrodes, optional
        Where the channels come from; None where it is not known.
    truth : GroundTruth, optional
        What a simulated recording was made of.
    t_start_s : float
        Time of the first sample.
    channels : tuple of str
        Names of the channels; those of the electrodes where none are given.
    bad : ndarray of bool, shape (channels,)
        Channels that are known to be bad.
    auxiliary : tuple of Signal
        What was recorded beside it, e.g. force.
    about : dict
        What else is to travel with it.
    """

    values_uV: NDArray[Any]
    rate_hz: float
    electrodes: Electrodes | None = None
    truth: GroundTruth | None = None
    t_start_s: float = 0.0
    channels: tuple[str, ...] = ()
    bad: NDArray[np.bool_] | None = None
    auxiliary: tuple[Signal, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        values = np.asarray(self.values_uV)
        if values.dtype.kind not in "iuf":
            raise ParameterError("Recording.values_uV", f"an array of {values.dtype}", "give numbers")
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        if values.ndim != 2 or 0 in values.shape:
            raise ParameterError(
                "Recording.values_uV", f"an array of shape {values.shape}", "give (channels, samples)"
            )
        if np.any(np.isinf(values)):
            raise ParameterError("Recording.values_uV", "infinite samples", "mend or cut them")
        if not isinstance(self.rate_hz, int | float | np.number) or not 0 < self.rate_hz < np.inf:
            raise ParameterError(
                "Recording.rate_hz", f"{shown(self.rate_hz)} was given", "give a rate above 0"
            )
        n = len(values)
        if self.electrodes is not None and len(self.electrodes) != n:
            raise ParameterError(
                "Recording.electrodes", f"{len(self.electrodes)} channels for {n} signals", "give as many"
            )
        names = tuple(self.channels) or (self.electrodes.names if self.electrodes else _names(n))
        if len(names) != n:
            raise ParameterError(
                "Recording.channels", f"{len(names)} names for {n} channels", "name each channel"
            )
        bad = np.zeros(n, dtype=bool) if self.bad is None else np.array(self.bad, dtype=bool)
        if bad.shape != (n,):
            raise ParameterError(
                "Recording.bad", f"shape {bad.shape} for {n} channels", "give one value for each channel"
            )
        checked: dict[str, Any] = {
            "values_uV": values,
            "rate_hz": float(self.rate_hz),
            "t_start_s": float(self.t_start_s),
            "channels": names,
            "bad": bad,
            "auxiliary": tuple(self.auxiliary),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """Number of channels."""
        return len(self.values_uV)

    def __repr__(self) -> str:
        truth = f", truth of {len(self.truth.spikes)} units" if self.truth else ""
        channels, samples = self.values_uV.shape
        return f"Recording({channels} channels x {samples} samples at {self.rate_hz:g} Hz{truth})"

    @property
    def duration_s(self) -> float:
        """Number of samples over the rate, in s."""
        return float(self.values_uV.shape[1] / self.rate_hz)

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Time of each sample, shape (samples,)."""
        return self.t_start_s + np.arange(self.values_uV.shape[1]) / self.rate_hz

    def between(self, start_s: float, stop_s: float) -> Recording:
        """The part with ``start_s <= t < stop_s``; the truth is cut likewise."""
        first = max(0, int(np.ceil((start_s - self.t_start_s) * self.rate_hz - 1e-6)))
        last = min(self.values_uV.shape[1], int(np.ceil((stop_s - self.t_start_s) * self.rate_hz - 1e-6)))
        if last <= first:
            raise ParameterError(
                "Recording.between",
                f"{start_s:g} to {stop_s:g} s holds no sample",
                f"ask for a part of {self.t_start_s:g} to {self.t_start_s + self.duration_s:g} s",
            )
        begin, end = self.t_start_s + first / self.rate_hz, self.t_start_s + last / self.rate_hz
        truth = self.truth
        if truth is not None:
            kept = truth.spikes.between(max(begin, truth.spikes.t_start_s), min(end, truth.spikes.t_stop_s))
            truth = replace(truth, spikes=kept)
        cut = tuple(signal.between(begin, end) for signal in self.auxiliary)
        return replace(
            self, values_uV=self.values_uV[:, first:last], t_start_s=begin, truth=truth, auxiliary=cut
        )

    def select(self, channels: ArrayLike) -> Recording:
        """The recording of some channels, by index."""
        chosen = np.atleast_1d(np.asarray(channels))
        if chosen.dtype.kind not in "iu" or np.any(chosen < 0) or np.any(chosen >= len(self)):
            raise ParameterError(
                "Recording.select", f"{chosen} of {len(self)} channels", "give indices of channels"
            )
        truth = self.truth
        if truth is not None:
            first, path = truth.action_potentials, truth.path
            truth = replace(
                truth,
                action_potentials=first and first.select(chosen),
                path=path and replace(path, potentials=tuple(one.select(chosen) for one in path.potentials)),
            )
        assert self.bad is not None
        return replace(
            self,
            values_uV=self.values_uV[chosen],
            electrodes=self.electrodes and self.electrodes.select(chosen),
            truth=truth,
            channels=tuple(self.channels[i] for i in chosen),
            bad=self.bad[chosen],
        )


def _names(n: int) -> tuple[str, ...]:
    return tuple(f"E{i + 1:0{len(str(n))}d}" for i in range(n))
