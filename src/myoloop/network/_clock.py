"""Integer clocks: every period is a whole number of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from ..errors import ParameterError
from ..parameters import Parameters, number


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

    def steps(self, period_ms: float, field: str) -> int:
        """Number of steps in `period_ms`; anything but a whole number is refused."""
        count = round(period_ms / self.dt_ms)
        if abs(count * self.dt_ms - period_ms) > 1e-6 * self.dt_ms + 1e-12 * abs(period_ms):
            raise ParameterError(
                field,
                f"{period_ms:g} ms is not a whole number of steps of dt_ms = {self.dt_ms:g}",
                f"give {count * self.dt_ms:g} ms, or another dt_ms",
            )
        return count


def check_name(value: Any, owner: str) -> str:
    """Return the name of a population or source; raises ParameterError if it is none."""
    if not isinstance(value, str) or not value or "." in value or "/" in value:
        raise ParameterError(
            f"{owner}.name", f"{value!r} was given", "give a text without '.' or '/', e.g. 'MN'"
        )
    return value
