"""The amplifier's low-pass, which is folded into the action potentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ...parameters import Parameters, count, number

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True)
class Amplifier(Parameters):
    """Low-pass without delay, of gain 1/(1 + (f/fc)^(2 order)): a Butterworth filter run both ways.

    Parameters
    ----------
    low_pass_hz : float
        fc, where the gain is one half.
    order : int
        Order of the Butterworth filter.
    """

    low_pass_hz: float = number(500.0, above=0)
    order: int = count(4)

    def gain(self, frequency_hz: FloatArray) -> FloatArray:
        """Gain at each frequency."""
        return np.asarray(1.0 / (1.0 + (np.abs(frequency_hz) / self.low_pass_hz) ** (2 * self.order)))

    @property
    def spread_s(self) -> float:
        """Time before and after an impulse in which its response matters."""
        return 2.0 / self.low_pass_hz

    @property
    def least_rate_hz(self) -> float:
        """Sampling rate at whose half the gain is 1 %."""
        return float(2.0 * self.low_pass_hz * 99.0 ** (0.5 / self.order))

    def check_rate(self, rate_hz: float) -> None:
        """Raise a ParameterError where sampling would alias the action potentials."""
        if not rate_hz >= self.least_rate_hz:
            raise ParameterError(
                "rate_hz",
                f"{rate_hz:g} Hz cannot hold action potentials with a low-pass at {self.low_pass_hz:g} Hz",
                f"sample at {np.ceil(self.least_rate_hz):g} Hz or more, or give an Amplifier of a lower one",
            )
