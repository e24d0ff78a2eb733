"""What may step beside the network in the same loop: plasticity rules and plants.

Both see each window's spikes once it is over and act on the windows that follow, so the engine needs to
know nothing of them. Their state is a flat dictionary of arrays, which the engine keeps in checkpoints.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ..data import SpikeTrains
from ..random import Streams

State = dict[str, NDArray[Any]]


@final
class Events(NamedTuple):
    """Spikes of a window: unit and time (s) of each."""

    units: NDArray[np.int64]
    times_s: NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Tick:
    """One window of the simulation, just finished.

    Parameters
    ----------
    start_s, stop_s : float
        Its beginning and end.
    spikes : mapping of str to Events
        Of every source and population.
    signals : mapping of str to array
        What plants made known, e.g. a reward or the concentration of a neuromodulator.
    """

    start_s: float
    stop_s: float
    spikes: Mapping[str, Events]
    signals: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def counts(self, name: str, n: int) -> NDArray[np.int64]:
        """Spikes of each of the `n` units of a population, shape (n,)."""
        return np.bincount(self.spikes[name].units, minlength=n)

    def trains(self, name: str, n: int) -> SpikeTrains:
        """Spikes of the `n` units of a population as spike trains, for stages that take such."""
        events = self.spikes[name]
        return SpikeTrains.from_events(events.units, events.times_s, n, self.stop_s, self.start_s, name=name)


@final
@dataclass(frozen=True, eq=False)
class Synapses:
    """The synapses of a projection, as a plasticity rule sees them.

    Parameters
    ----------
    pre, post : ndarray of int, shape (synapses,)
        Units on either side, ordered by `pre`.
    starts : ndarray of int, shape (n_pre + 1,)
        The synapses of presynaptic unit i are ``starts[i]:starts[i + 1]``.
    delays_s : ndarray, shape (synapses,)
    weights : ndarray, shape (synapses,)
        In the projection's unit; the rule writes into it.
    pre_name, post_name : str
        Where to look in `Tick.spikes`.
    """

    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    starts: NDArray[np.int64]
    delays_s: NDArray[np.float64]
    weights: NDArray[Any]
    pre_name: str
    post_name: str


class PlasticityRule(ABC):
    """Changes the weights of a projection while the simulation runs."""

    @abstractmethod
    def start(self, synapses: Synapses, rng: Streams) -> State:
        """Return the state before the first window."""

    @abstractmethod
    def step(self, state: State, synapses: Synapses, tick: Tick) -> State:
        """Write new weights into ``synapses.weights`` and return the new state."""

    def release(
        self, state: State, synapses: Synapses, events: Events
    ) -> tuple[State, NDArray[np.float64] | None]:
        """Say how strongly each presynaptic spike of a window acts: short-term plasticity.

        Parameters
        ----------
        events : Events
            The presynaptic spikes, in no particular order; called once a window in which there are any,
            before they are delivered.

        Returns
        -------
        state : dict of arrays
        factors : ndarray, shape (spikes,), or None
            By which the weights of the unit's synapses are multiplied for that spike; None for 1, the
            default.
        """
        return state, None


@final
class PlantOutput(NamedTuple):
    """What a plant does to the network in the next window.

    `drives` replaces inputs as ``Simulation.step`` does; `signals` goes into the next `Tick`.
    """

    drives: Mapping[str, Any] = {}
    signals: Mapping[str, Any] = {}


class Plant(ABC):
    """Anything that steps in the loop with the network: muscle, receptor, body, device."""

    @abstractmethod
    def start(self, rng: Streams) -> State:
        """Return the state before the first window."""

    @abstractmethod
    def step(self, state: State, tick: Tick) -> tuple[State, PlantOutput]:
        """Go through one window: spikes in, inputs of the next window out."""
