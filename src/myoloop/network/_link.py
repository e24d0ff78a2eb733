"""A projection at run time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ..random import Streams
from ._clock import Clock
from ._network import Network
from ._plasticity import Events, Synapses, Tick
from ._population import PopulationRun
from ._projection import Projection

NO_DELAY = 10**9  # steps: of a projection without synapses


@final
class Link:
    """Its wiring, weights and delays, and its plasticity rule."""

    def __init__(self, projection: Projection, network: Network, clock: Clock, rng: Streams) -> None:
        self.name, self.pre, self.post = projection.name, projection.pre, projection.post
        self._projection, self._clock = projection, clock
        wiring = projection.connectivity.wire(
            network.size(self.pre), network.size(self.post), rng.child("wiring")
        )
        self._wiring = wiring
        self._weights = projection.weights(wiring, rng)
        self._delays = projection.delays(wiring, clock, rng)
        self.shortest_delay = int(self._delays.min()) if len(self._delays) else NO_DELAY
        self.longest_delay = int(self._delays.max()) if len(self._delays) else 0

    def aim(self, target: PopulationRun, rng: Streams) -> None:
        """Work out the flat targets, and start the plasticity rule if there is one."""
        self._target = target
        weights = self._weights.astype(target.dtype)
        rule = self._projection.plasticity
        if rule is not None:
            weights = np.array(np.broadcast_to(weights, self._wiring.posts.shape))
        self._synapse_arrays = (
            np.ascontiguousarray(self._wiring.starts, dtype=np.int64),
            target.flat_targets(self._wiring.posts),
            weights,
            self._delays.astype(np.int32),
        )
        self._state: dict[str, NDArray[Any]] = {}
        self._one = np.ones(1, target.dtype)
        if rule is not None:
            pre = np.repeat(np.arange(len(self._wiring.starts) - 1), np.diff(self._wiring.starts))
            delays_s = np.broadcast_to(self._delays * self._clock.dt_ms * 1e-3, pre.shape)
            self._synapses = Synapses(
                pre, self._wiring.posts, self._wiring.starts, delays_s, weights, self.pre, self.post
            )
            self._state = rule.start(self._synapses, rng)
        del self._wiring, self._weights, self._delays  # tens of bytes a synapse

    def deliver(self, events: Events, ahead: NDArray[np.int64], first_step: int) -> None:
        """Bring a window's spikes to their targets."""
        if len(events.units):
            self._target.receive(
                self.name, events.units, ahead, self._factors(events), first_step, self._synapse_arrays
            )

    def _factors(self, events: Events) -> NDArray[Any]:
        """By how much each spike's weights are multiplied."""
        rule = self._projection.plasticity
        if rule is None:
            return self._one
        self._state, factors = rule.release(self._state, self._synapses, events)
        if factors is None:
            return self._one
        factors = np.asarray(factors, dtype=self._target.dtype)
        if factors.shape != events.units.shape or not np.all(np.isfinite(factors)):
            raise ParameterError(
                f"Projection {self.name}.plasticity",
                f"release gave shape {factors.shape} for {len(events.units)} spikes, or NaN",
                "return one finite factor for each spike",
            )
        return factors

    def learn(self, tick: Tick) -> None:
        """Let the plasticity rule see the window."""
        rule = self._projection.plasticity
        if rule is not None:
            self._state = rule.step(self._state, self._synapses, tick)

    def weight_arrays(self) -> dict[str, NDArray[Any]]:
        """Weights, if a rule changes them."""
        plastic = self._projection.plasticity is not None
        return {f"weights/{self.name}": self._synapses.weights} if plastic else {}

    def rule_arrays(self) -> dict[str, NDArray[Any]]:
        """State of the plasticity rule."""
        return {f"rule/{self.name}/{key}": np.asarray(value) for key, value in self._state.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back the rule's state."""
        prefix = f"rule/{self.name}/"
        self._state = {key[len(prefix) :]: np.array(v) for key, v in state.items() if key.startswith(prefix)}
