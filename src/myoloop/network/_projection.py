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
from ..units import unit_of
from ._check import check_kind, check_name
from ._clock import Clock
from ._connect import Connectivity, Wiring
from ._plasticity import PlasticityRule
from ._synapses import DoubleExponential, Synapse


@dataclass(frozen=True, kw_only=True)
class Distribution(Parameters, ABC):
    """Random weights or delays, drawn once for each synapse.

    A synapse's draw depends on its two units alone, so that further units change none.
    """

    @abstractmethod
    def quantile(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value below which the fraction `u` of the distribution lies.

        Parameters
        ----------
        u : ndarray, shape (synapses,)
            Uniform random numbers in (0, 1).
        """


@final
@dataclass(frozen=True, kw_only=True)
class Uniform(Distribution):
    """Uniform between `low` and `high`, in the unit of the field it is given for."""

    low: float = number()
    high: float = number()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high:
            raise ParameterError(
                "Uniform.high", f"{self.high:g} is below low = {self.low:g}", "give low <= high"
            )

    def quantile(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value at each fraction of the way from `low` to `high`."""
        return self.low * (1.0 - u) + self.high * u


@final
@dataclass(frozen=True, kw_only=True)
class Normal(Distribution):
    """Normal, cut off below `low` and above `high`."""

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

    def quantile(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value at each fraction of the normal distribution between the bounds."""
        from scipy.special import ndtr, ndtri

        if self.sd == 0:
            return np.full(len(u), self.mean)
        below, above = (ndtr((bound - self.mean) / self.sd) for bound in (self.low, self.high))
        values: NDArray[np.float64] = self.mean + self.sd * ndtri(below + (above - below) * u)
        return np.clip(values, self.low, self.high)


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
        for side in ("pre", "post"):
            check_name(getattr(self, side), f"Projection.{side}")
        if isinstance(self.name, str) and not self.name:
            object.__setattr__(self, "name", f"{self.pre}->{self.post}")
        check_name(self.name, "Projection.name")
        for part, (kind, mend) in _PARTS.items():
            check_kind(getattr(self, part), kind, f"Projection {self.name}.{part}", mend)
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
                value = _CHECKS[name](value, unit_of(name), f"Projection {self.name}.{name}")
                object.__setattr__(self, name, value)

    def weights(self, wiring: Wiring, rng: Streams) -> NDArray[np.float64]:
        """Weights of the synapses, shape (1,) if all are equal, else (synapses,)."""
        field = self.synapse.weight_field
        weight = getattr(self, field)
        if isinstance(weight, Distribution):
            weight = _drawn(weight, wiring, rng.child("weight"))
        weight = np.atleast_1d(np.asarray(weight, dtype=np.float64))
        weight = weight if wiring.factors is None else weight * wiring.factors
        if field == "weight_uS" and len(weight) and weight.min() < 0:
            raise ParameterError(
                f"Projection {self.name}.weight_uS",
                f"a conductance of {weight.min():g} uS",
                "give 0 or more; a synapse inhibits by its reversal_mV",
            )
        return weight

    def delays(self, wiring: Wiring, clock: Clock, rng: Streams) -> NDArray[np.int64]:
        """Delays in steps, shape (1,) if all are equal, else (synapses,)."""
        field = f"Projection {self.name}.delay_ms"
        if not isinstance(self.delay_ms, Distribution):
            delays = np.array([clock.steps(self.delay_ms, field)])
        else:
            drawn = _drawn(self.delay_ms, wiring, rng.child("delay")) / clock.dt_ms
            delays = np.round(np.clip(drawn, -1.0, _LONGEST + 1.0)).astype(np.int64)
        if len(delays) and not 1 <= delays.min() <= delays.max() <= _LONGEST:
            wrong = delays.min() if delays.min() < 1 else delays.max()
            raise ParameterError(
                field,
                f"a delay of {wrong * clock.dt_ms:g} ms",
                f"give {clock.dt_ms:g} (one step) to {_LONGEST * clock.dt_ms:g} ms",
            )
        return delays


_LONGEST = 10**6  # steps: all that is on its way lies in memory
_CHECKS = {
    "weight_uS": number(at_least=0).metadata["check"],
    "weight_nA": number().metadata["check"],
    "weight_mV": number().metadata["check"],
    "delay_ms": number(above=0).metadata["check"],
}
_PARTS: dict[str, tuple[Any, str]] = {
    "connectivity": (Connectivity, "give random(0.3), one_to_one(), all_to_all() or from_matrix(...)"),
    "synapse": (Synapse, "give kinetics such as DoubleExponential()"),
    "site": (str | None, "give the name of a site, or leave it out"),
    "plasticity": (PlasticityRule | None, "give a PlasticityRule, or leave it out"),
}


def _drawn(distribution: Distribution, wiring: Wiring, rng: Streams) -> NDArray[np.float64]:
    from ._kernels import synapse_uniforms

    return distribution.quantile(synapse_uniforms(rng.key, wiring.starts, wiring.posts))
