"""Leaky integrate-and-fire neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, final

from ..kernels import Neuron, crossing, exp
from ..parameters import number


class _State(NamedTuple):
    v_soma: Any  # mV
    refractory: Any  # ms that are left


class _Constants(NamedTuple):
    g_leak: Any  # uS
    ge_leak: Any  # nA
    dt_per_c: Any  # 1/uS
    threshold: Any  # mV
    reset: Any
    refractory: Any  # ms


class _Inputs(NamedTuple):
    g_soma: Any
    ge_soma: Any
    i_soma: Any


@final
@dataclass(frozen=True, kw_only=True)
class LIF(Neuron):
    """Leaky integrate-and-fire neurons with conductance, current and delta synapses.

    C dV/dt = g_leak (rest - V) + sum g (E - V) + I, integrated exactly for inputs that are constant
    over a step; at the threshold V is set to `reset_mV` and held for `refractory_ms`. Delta synapses
    that arrive meanwhile are lost.

    References
    ----------
    Gerstner, Kistler, Naud & Paninski (2014), Neuronal Dynamics, eqs 1.5-1.6.
    """

    State = _State
    Constants = _Constants
    Inputs = _Inputs

    capacitance_nF: Any = number(0.2, above=0, per_unit=True)
    leak_uS: Any = number(0.01, above=0, per_unit=True)
    rest_mV: Any = number(-60.0, per_unit=True)
    threshold_mV: Any = number(-50.0, per_unit=True)
    reset_mV: Any = number(-60.0, per_unit=True)
    refractory_ms: Any = number(2.0, at_least=0, per_unit=True)
    initial_mV: Any = number(None, per_unit=True, optional=True, help="default: at rest")

    def initial(self, dt_ms: float) -> _State:
        """Return the voltage at rest, or at `initial_mV`."""
        return _State(self.rest_mV if self.initial_mV is None else self.initial_mV, 0.0)

    def constants(self, dt_ms: float) -> _Constants:
        """Return what a step reads."""
        return _Constants(
            g_leak=self.leak_uS,
            ge_leak=self.leak_uS * self.rest_mV,
            dt_per_c=dt_ms / self.capacitance_nF,
            threshold=self.threshold_mV,
            reset=self.reset_mV,
            refractory=self.refractory_ms,
        )

    @staticmethod
    def step(x: Any, c: Any, u: Any, dt_ms: Any) -> Any:
        """Exponential step towards the voltage at which the currents balance."""
        g = c.g_leak + u.g_soma
        balance = (c.ge_leak + u.ge_soma + u.i_soma) / g
        free = x.refractory < 0.5 * dt_ms
        start = x.v_soma if free else c.reset
        v = balance + (start - balance) * exp(-g * c.dt_per_c) if free else c.reset
        at = crossing(c.threshold, start, v)
        fired = at > 0.0
        left = x.refractory - dt_ms if x.refractory > dt_ms else 0.0
        return _State(c.reset if fired else v, c.refractory if fired else left), at
