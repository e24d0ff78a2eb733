"""Waveforms of injected current, as functions of time in s that give nA."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import Signal
from ..errors import ParameterError
from ..parameters import Parameters, number
from ..units import to_float
from ._check import check_cells, check_name
from ._rates import check_time_course

FloatArray = NDArray[np.float64]


class Waveform(Parameters, ABC):
    """A current over time; call it with an array of times in s to get nA."""

    @abstractmethod
    def __call__(self, t_s: FloatArray) -> FloatArray:
        """Current in nA at each time, same shape."""


@final
@dataclass(frozen=True, kw_only=True)
class Step(Waveform):
    """Constant from `start_s` to `stop_s`, nothing before and after."""

    amplitude_nA: float = number()
    start_s: float = number(0.0)
    stop_s: float = number(1e9)

    def __call__(self, t_s: FloatArray) -> FloatArray:
        """Current in nA."""
        return np.where((t_s >= self.start_s) & (t_s < self.stop_s), self.amplitude_nA, 0.0)


@final
@dataclass(frozen=True, kw_only=True)
class Ramp(Waveform):
    """Straight from `from_nA` at `start_s` to `to_nA` at `stop_s`; held at `to_nA` after, 0 before."""

    from_nA: float = number(0.0)
    to_nA: float = number()
    start_s: float = number(0.0)
    stop_s: float = number()

    def __post_init__(self) -> None:
        super().__post_init__()
        _in_order(self, "start_s", "stop_s")

    def __call__(self, t_s: FloatArray) -> FloatArray:
        """Current in nA."""
        rise = np.clip((t_s - self.start_s) / (self.stop_s - self.start_s), 0.0, 1.0)
        return np.where(t_s >= self.start_s, self.from_nA + (self.to_nA - self.from_nA) * rise, 0.0)


@final
@dataclass(frozen=True, kw_only=True)
class Sine(Waveform):
    """offset + amplitude sin(2 pi frequency t + phase)."""

    amplitude_nA: float = number()
    frequency_hz: float = number(above=0)
    offset_nA: float = number(0.0)
    phase_rad: float = number(0.0)

    def __call__(self, t_s: FloatArray) -> FloatArray:
        """Current in nA."""
        angle = 2 * np.pi * self.frequency_hz * t_s + self.phase_rad
        return self.offset_nA + self.amplitude_nA * np.sin(angle)


@final
@dataclass(frozen=True, kw_only=True)
class Sawtooth(Waveform):
    """Rises from `low_nA` to `high_nA` over each period and falls back at once."""

    low_nA: float = number(0.0)
    high_nA: float = number()
    frequency_hz: float = number(above=0)

    def __call__(self, t_s: FloatArray) -> FloatArray:
        """Current in nA."""
        return self.low_nA + (self.high_nA - self.low_nA) * np.mod(t_s * self.frequency_hz, 1.0)


@final
@dataclass(frozen=True, kw_only=True)
class Trapezoid(Waveform):
    """Rises from 0, holds, falls back to 0: the four corners in time."""

    amplitude_nA: float = number()
    rise_s: float = number(0.0, help="begins to rise")
    plateau_s: float = number(help="reaches the amplitude")
    fall_s: float = number(help="begins to fall")
    end_s: float = number(help="is back at 0")

    def __post_init__(self) -> None:
        super().__post_init__()
        _in_order(self, "rise_s", "plateau_s", "fall_s", "end_s")

    def __call__(self, t_s: FloatArray) -> FloatArray:
        """Current in nA."""
        corners = [self.rise_s, self.plateau_s, self.fall_s, self.end_s]
        return np.interp(t_s, corners, [0.0, self.amplitude_nA, self.amplitude_nA, 0.0])


@final
@dataclass(frozen=True)
class CurrentInjection(Parameters):
    """Current into the cells of a population.

    Parameters
    ----------
    population : str
    current_nA : float, array (n,), Signal, Waveform or function of time
        A function takes an array of times (s) and returns nA, (times,) or (times, cells).
    cells : sequence of int, optional
        Into which cells; default all.
    site : str, optional
        Default the model's first site that takes current.
    """

    population: str
    current_nA: Any
    cells: tuple[int, ...] | None = None
    site: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        where = f"CurrentInjection({check_name(self.population, 'CurrentInjection.population')})"
        if self.site is not None:
            check_name(self.site, f"{where}.site")
        if self.cells is not None:
            object.__setattr__(self, "cells", check_cells(self.cells, f"{where}.cells"))
        if not callable(self.current_nA) and not isinstance(self.current_nA, Signal):
            current = to_float(self.current_nA, "nA", f"{where}.current_nA")
            object.__setattr__(self, "current_nA", current)
            self.course(np.size(current) if self.cells is None else len(self.cells))

    def course(self, n: int) -> Any:
        """Return the current, checked for `n` cells."""
        n = n if self.cells is None else len(self.cells)
        return check_time_course(self.current_nA, n, f"CurrentInjection({self.population}).current_nA")


def _in_order(waveform: Any, *names: str) -> None:
    for earlier, later in pairwise(names):
        if getattr(waveform, earlier) >= getattr(waveform, later):
            raise ParameterError(
                f"{type(waveform).__name__}.{later}",
                f"{getattr(waveform, later):g} s is not after {earlier} = {getattr(waveform, earlier):g} s",
                "give times in order",
            )
