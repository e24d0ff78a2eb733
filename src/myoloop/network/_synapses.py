"""Synapse kinetics: what an arriving spike does to its target."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from ..errors import ParameterError, shown
from ..parameters import Parameters, number


@final
class Propagator(NamedTuple):
    """Exact step of a linear system of two variables.

    ``x += b * arrivals; out = c . x; x = p x`` in each step; `p` is given row by row.
    """

    b: tuple[float, float]
    p: tuple[float, float, float, float]
    c: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Synapse(Parameters, ABC):
    """Kinetics of a synapse.

    Parameters
    ----------
    reversal_mV : float or None
        Reversal potential; above the cell's rest it excites, below it inhibits. None makes the synapse
        inject current instead of opening a conductance; its weight is then in nA.
    """

    reversal_mV: Any = number(70.0, optional=True, help="None for a synapse that injects current")

    @property
    def weight_field(self) -> str:
        """Which weight of a projection goes with these kinetics."""
        return "weight_nA" if self.reversal_mV is None else "weight_uS"

    @abstractmethod
    def propagator(self, dt_ms: float) -> Propagator | None:
        """Return the step of the unit response, whose peak is 1; None: the voltage jumps instead."""


@final
@dataclass(frozen=True, kw_only=True)
class DoubleExponential(Synapse):
    """Difference of two exponentials, scaled so that its peak is the weight.

    The defaults are those of the two-compartment motor neuron, whose voltages are relative to rest.

    References
    ----------
    Destexhe, Mainen & Sejnowski (1994), J Comput Neurosci 1:195.
    """

    rise_ms: float = number(0.2, above=0)
    decay_ms: float = number(0.3, above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rise_ms >= self.decay_ms:
            raise ParameterError(
                "DoubleExponential.rise_ms",
                f"{self.rise_ms:g} ms is not below decay_ms = {self.decay_ms:g}",
                "give a shorter rise, or use Alpha where both are equal",
            )

    def propagator(self, dt_ms: float) -> Propagator:
        """Return the step of (rising, decaying) exponential."""
        rise, decay = self.rise_ms, self.decay_ms
        peak_ms = rise * decay / (decay - rise) * np.log(decay / rise)
        scale = 1.0 / (np.exp(-peak_ms / decay) - np.exp(-peak_ms / rise))
        keep = np.exp(-dt_ms / rise), np.exp(-dt_ms / decay)
        return Propagator((scale, scale), (keep[0], 0.0, 0.0, keep[1]), (-1.0, 1.0))


@final
@dataclass(frozen=True, kw_only=True)
class Alpha(Synapse):
    """Alpha function (t / tau) exp(1 - t / tau), whose peak is the weight.

    References
    ----------
    Rall (1967), J Neurophysiol 30:1138.
    """

    tau_ms: float = number(2.0, above=0)

    def propagator(self, dt_ms: float) -> Propagator:
        """Return the step of (auxiliary, conductance)."""
        keep = np.exp(-dt_ms / self.tau_ms)
        return Propagator((np.e, 0.0), (keep, 0.0, dt_ms / self.tau_ms * keep, keep), (0.0, 1.0))


@final
@dataclass(frozen=True, kw_only=True)
class Exponential(Synapse):
    """Instantaneous rise by the weight and exponential decay."""

    tau_ms: float = number(5.0, above=0)

    def propagator(self, dt_ms: float) -> Propagator:
        """Return the step of one exponential."""
        return Propagator((1.0, 0.0), (np.exp(-dt_ms / self.tau_ms), 0.0, 0.0, 0.0), (1.0, 0.0))


@final
@dataclass(frozen=True, kw_only=True)
class Delta(Synapse):
    """The voltage jumps by the weight, in mV."""

    reversal_mV: None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reversal_mV is not None:
            raise ParameterError(
                "Delta.reversal_mV", f"{shown(self.reversal_mV)} was given", "leave it out: the voltage jumps"
            )

    @property
    def weight_field(self) -> str:
        """Weights are in mV."""
        return "weight_mV"

    def propagator(self, dt_ms: float) -> None:
        """Return None: there is no conductance."""
