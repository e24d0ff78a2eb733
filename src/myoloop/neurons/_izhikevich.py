"""Izhikevich's simple model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, final

from ..kernels import Neuron, crossing
from ..parameters import number

PEAK = 30.0  # mV


class _State(NamedTuple):
    v_soma: Any  # mV
    recovery: Any


class _Constants(NamedTuple):
    a: Any
    b: Any
    c: Any
    d: Any


class _Inputs(NamedTuple):
    i_soma: Any
    g_soma: Any
    ge_soma: Any


@final
@dataclass(frozen=True, kw_only=True)
class Izhikevich(Neuron):
    """Neurons of the simple model; the defaults are regular spiking.

    v' = 0.04 v^2 + 5 v + 140 - u + I, u' = a (b v - u); at 30 mV v is set to c and u grows by d. The
    model has no unit of current: 1 nA stands for I = 1. The voltage takes two half steps, as in the
    published program, so that steps of 1 ms give its numbers.

    References
    ----------
    Izhikevich (2003), IEEE Trans Neural Netw 14:1569, eqs 1-3.
    """

    State = _State
    Constants = _Constants
    Inputs = _Inputs

    a: Any = number(0.02, per_unit=True, help="rate of recovery")
    b: Any = number(0.2, per_unit=True, help="sensitivity of recovery to voltage")
    c: Any = number(-65.0, per_unit=True, help="voltage after a spike")
    d: Any = number(8.0, per_unit=True, help="growth of recovery at a spike")
    initial_mV: Any = number(-65.0, per_unit=True)

    def initial(self, dt_ms: float) -> _State:
        """Return `initial_mV` and the recovery variable b v."""
        return _State(self.initial_mV, self.b * self.initial_mV)

    def constants(self, dt_ms: float) -> _Constants:
        """Return the four parameters."""
        return _Constants(self.a, self.b, self.c, self.d)

    @staticmethod
    def step(x: Any, c: Any, u: Any, dt_ms: Any) -> Any:
        """Two half steps of the voltage, then one of the recovery variable."""
        h = 0.5 * dt_ms
        half = x.v_soma + h * _slope(x.v_soma, x.recovery, u)
        v = half + h * _slope(half, x.recovery, u)
        recovery = x.recovery + dt_ms * c.a * (c.b * v - x.recovery)
        at = crossing(PEAK, x.v_soma, v)
        return _State(c.c if at > 0.0 else v, recovery + c.d if at > 0.0 else recovery), at


def _slope(v: Any, recovery: Any, u: Any) -> Any:
    return 0.04 * v * v + 5.0 * v + 140.0 - recovery + u.i_soma + u.ge_soma - u.g_soma * v
