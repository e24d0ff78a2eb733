"""Projections: synapses from one population to another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ..parameters import Parameters, number
from ..random import Streams
from ._clock import Clock
from ._connect import Connectivity
from ._plasticity import PlasticityRule
from ._synapses import DoubleExponential, Synapse


@dataclass(frozen=True, kw_only=True)
class Distribution(Parameters, ABC):
    """Random weights or delays, drawn once for each synapse."""

    @abstractmethod
    def draw(self, size: int, rng: Streams) -> NDArray[np.float64]:
        """Return `size` numbers."""


@final
@dataclass(frozen=True, kw_only=True)
class Uniform(Distribution):
    """Uniform between `low` and `high`, in the unit of the field it is given for."""

    low: float = number()
    high: float = number()

    def draw(self, size: int, rng: Streams) -> NDArray[np.float64]:
        """Return `size` numbers."""
        return rng.generator().uniform(self.low, self.high, size)


@final
@dataclass(frozen=True, kw_only=True)
class Normal(Distribution):
    """Normal with the tails beyond `low` and `high` drawn again."""

    mean: float = number()
    sd: float = number(at_least=0)
    low: float = number(-1e300)
    high: float = number(1e300)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low <= self.mean <= self.high:
            raise ParameterError(
                "Normal.mean", f"{self.mean:g} was given", f"give {self.low:g} to {self.high:g}"
            )

    def draw(self, size: int, rng: Streams) -> NDArray[np.float64]:
        """Return `size` numbers."""
        generator = rng.generator()
        values = generator.normal(self.mean, self.sd, size)
        while np.any(outside := (values < self.low) | (values > self.high)):
            values[outside] = generator.normal(self.mean, self.sd, int(outside.sum()))
        return values


@final
@dataclass(frozen=True)
class Projection(Parameters):
    """Synapses from `pre` to `post`.

    Parameters
    ----------
    pre, post : str
        Names of a source or population, and of a population.
    connectivity : Connectivity
        `random`, `one_to_one`, `all_to_all` or `from_matrix`.
    weight_uS, weight_nA, weight_mV : float or Distribution
        Exactly the one that goes with the kinetics: peak conductance, peak current, jump of voltage.
    delay_ms : float or Distribution
        From the spike to its arrival: at least one window of the engine. One number must be a whole
        number of steps, drawn ones are rounded to it.
    synapse : Synapse
        Kinetics.
    site : str, optional
        Where on the target cell; default the model's first site.
    plasticity : PlasticityRule, optional
        Changes the weights while the simulation runs.
    name : str
        Default ``"pre->post"``; tells apart two projections between the same populations.
    """

    pre: str
    post: str
    connectivity: Connectivity
    weight_uS: Any = None
    weight_nA: Any = None
    weight_mV: Any = None
    delay_ms: Any = 1.0
    synapse: Synapse = field(default_factory=DoubleExponential)
    site: str | None = None
    plasticity: PlasticityRule | None = None
    name: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.name:
            object.__setattr__(self, "name", f"{self.pre}->{self.post}")
        wanted = self.synapse.weight_field
        given = [w for w in ("weight_uS", "weight_nA", "weight_mV") if getattr(self, w) is not None]
        if given != [wanted]:
            raise ParameterError(
                f"Projection {self.name}.{wanted}",
                f"{type(self.synapse).__name__} synapses were given {' and '.join(given) or 'no weight'}",
                f"give {wanted} alone",
            )
        for name in (wanted, "delay_ms"):
            value = getattr(self, name)
            if not isinstance(value, Distribution):
                above = 0.0 if name == "delay_ms" else None
                check = number(above=above).metadata["check"]
                unit = name.rsplit("_", 1)[1]
                object.__setattr__(self, name, check(value, unit, f"Projection {self.name}.{name}"))

    def weights(self, synapses: int, factors: Any, rng: Streams) -> NDArray[np.float64]:
        """Weights of the synapses: one number if all are equal, else one each."""
        weight = getattr(self, self.synapse.weight_field)
        if isinstance(weight, Distribution):
            weight = weight.draw(synapses, rng.child("weight"))
        weight = np.atleast_1d(np.asarray(weight, dtype=np.float64))
        return weight if factors is None else weight * factors

    def delays(self, synapses: int, clock: Clock, rng: Streams) -> NDArray[np.int64]:
        """Delays in steps: one number if all are equal, else one each."""
        if isinstance(self.delay_ms, Distribution):
            drawn = self.delay_ms.draw(synapses, rng.child("delay"))
            return np.round(drawn / clock.dt_ms).astype(np.int64)
        return np.array([clock.steps(self.delay_ms, f"Projection {self.name}.delay_ms")])
