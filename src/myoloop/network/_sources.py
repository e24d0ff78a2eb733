"""Spike sources: units that fire on their own and are not integrated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import SpikeTrains, as_spike_trains
from ..errors import ParameterError
from ..parameters import Parameters, count, number
from ..random import Streams
from ._check import RATES, check_name
from ._fingerprint import fingerprint
from ._rates import Sampler, check_time_course

State = dict[str, NDArray[Any]]
Events = tuple[NDArray[np.int64], NDArray[np.float64]]  # unit and time (s) of each spike


@cache
def _compiled() -> Any:
    """Return the module that needs Numba, when the first simulation starts."""
    from . import _kernels

    return _kernels


@dataclass(frozen=True)
class Source(Parameters, ABC):
    """n units that emit spikes of their own accord.

    A source is a constant description; `start` gives what it knows of time and chance, `emit` one
    window of spikes.
    """

    name: str
    n: int = count()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.name, f"{type(self).__name__}.name")

    @abstractmethod
    def start(self, rng: Streams) -> State:
        """Return the state before the first window: arrays that `emit` changes in place."""

    @abstractmethod
    def sampler(self, dt_ms: float, steps: int) -> Sampler | None:
        """Return the time course that a closed loop may override, or None if there is none."""

    @abstractmethod
    def emit(self, state: State, first_step: int, steps: int, dt_ms: float, course: Any) -> Events:
        """Spikes of the window of `steps` from `first_step`.

        Parameters
        ----------
        state : dict of arrays
            Changed in place.
        first_step, steps : int
        dt_ms : float
        course : ndarray, shape (steps, 1) or (steps, n)
            What `sampler` gave for this window, or what replaces it.

        Returns
        -------
        units, times_s : ndarray
            ``first_step dt < t <= (first_step + steps) dt``, in any order.
        """


@dataclass(frozen=True)
class _Renewal(Source):
    """Independent renewal processes in operational time, the integral of the rate."""

    rate_pps: Any = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        field = f"{type(self).__name__}.rate_pps"
        object.__setattr__(self, "rate_pps", check_time_course(self.rate_pps, self.n, field, RATES))

    @property
    @abstractmethod
    def _shape(self) -> float: ...

    def start(self, rng: Streams) -> State:
        """Return each unit's way to its next spike; the process is in equilibrium from the outset."""
        key = np.array([rng.key], dtype=np.uint64)
        ahead, draws = np.empty(self.n), np.empty(self.n, dtype=np.int64)
        _compiled().first_intervals(key[0], self._shape, ahead, draws)
        return {"key": key, "ahead": ahead, "draws": draws}

    def sampler(self, dt_ms: float, steps: int) -> Sampler:
        """Return the rate in pps."""
        return Sampler(self.rate_pps, self.n, dt_ms, steps, f"{self.name}.rate_pps", RATES)

    def emit(self, state: State, first_step: int, steps: int, dt_ms: float, course: Any) -> Events:
        """Spikes of one window."""
        events: Events = _compiled().renew(
            state["key"][0], self._shape, course, first_step, dt_ms * 1e-3, state["ahead"], state["draws"]
        )
        return events


@final
@dataclass(frozen=True)
class PoissonSource(_Renewal):
    """Poisson processes.

    Parameters
    ----------
    name : str
    n : int
        Number of units.
    rate_pps : float, array (n,), Signal or callable
        Constant, one for each unit, sampled over time, or a function that takes an array of times (s)
        and returns an array of the same length (or (times, n)). A closed loop may override it.
    """

    @property
    def _shape(self) -> float:
        return 1.0


@final
@dataclass(frozen=True)
class GammaSource(_Renewal):
    """Gamma renewal processes: intervals of CV 1 / sqrt(shape).

    Parameters
    ----------
    name, n, rate_pps
        As for `PoissonSource`. A rate that varies stretches the intervals: the process is renewal in the
        integral of its rate.
    shape : float
        At least 1, which is the Poisson process.
    """

    shape: float = number(1.0, at_least=1.0)

    @property
    def _shape(self) -> float:
        return self.shape


@final
@dataclass(frozen=True)
class ReplaySource(Source):
    """Spikes given beforehand.

    Parameters
    ----------
    name : str
    spikes : SpikeTrains, neo.Block, neo.Segment or list of neo.SpikeTrain
        Times from 0 on.
    """

    n: int = 0
    spikes: Any = None

    def __post_init__(self) -> None:
        spikes = as_spike_trains(self.spikes)
        object.__setattr__(self, "spikes", spikes)
        object.__setattr__(self, "n", len(spikes))
        super().__post_init__()
        if len(spikes.times_s) and spikes.times_s.min() < 0:
            raise ParameterError(
                "ReplaySource.spikes", "times before 0", "shift the spikes so that the run begins at 0"
            )

    def to_dict(self) -> dict[str, Any]:
        """Name, size, number of spikes, and a hash of them."""
        spikes: SpikeTrains = self.spikes
        return {
            "model": "ReplaySource",
            "name": self.name,
            "n": self.n,
            "spikes": len(spikes.times_s),
            "content": fingerprint(spikes.times_s, spikes.starts),
        }

    def start(self, rng: Streams) -> State:
        """Return the spikes in order of time, and how many are past."""
        order = np.argsort(self.spikes.times_s, kind="stable")
        return {
            "times": self.spikes.times_s[order],
            "units": self.spikes.units[order],
            "past": np.zeros(1, dtype=np.int64),
        }

    def sampler(self, dt_ms: float, steps: int) -> None:
        """Return None: what is replayed cannot be overridden."""

    def emit(self, state: State, first_step: int, steps: int, dt_ms: float, course: Any) -> Events:
        """Spikes up to the end of the window."""
        begin = int(state["past"][0])
        end_s = (first_step + steps) * (dt_ms * 1e-3)
        # What was meant to lie on the end of the window may be beyond it by the last bit.
        end = int(np.searchsorted(state["times"], end_s * (1 + 1e-12), side="right"))
        state["past"][0] = end
        return state["units"][begin:end], np.minimum(state["times"][begin:end], end_s)
