"""Integer clocks: every period is a whole number of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from ..errors import ParameterError, shown
from ..parameters import Parameters, number
from ..units import to_float


@final
@dataclass(frozen=True, kw_only=True)
class Clock(Parameters):
    """The engine's tick.

    Parameters
    ----------
    dt_ms : float
        Step of the integration.
    """

    dt_ms: float = number(0.025, above=0, help="step of the integration")

    @property
    def dt_s(self) -> float:
        """Step in s; the time of step k is ``k * dt_s``, everywhere and to the last bit."""
        return self.dt_ms * 1e-3

    def steps(self, period_ms: Any, field: str) -> int:
        """Number of steps in `period_ms`; anything but a whole number is refused."""
        period = to_float(period_ms, "ms", field)
        if not isinstance(period, float) or not abs(period) < self.dt_ms * 2**53:
            raise ParameterError(field, f"{shown(period_ms)} was given", "give a finite number in ms")
        count = round(period / self.dt_ms)
        if abs(count * self.dt_ms - period) > 1e-6 * self.dt_ms + 1e-12 * abs(period):
            raise ParameterError(
                field,
                f"{period:g} ms is not a whole number of steps of dt_ms = {self.dt_ms:g}",
                f"give {count * self.dt_ms:g} ms, or another dt_ms",
            )
        return count
