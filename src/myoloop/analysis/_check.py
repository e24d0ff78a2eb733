"""Checks of arguments that several analyses take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Signal, SpikeTrains
from ..errors import ParameterError, shown
from ..parameters import choice, count, number
from ..units import to_float, unit_of

FloatArray = NDArray[np.float64]


def checked_number(value: Any, field: str, **bounds: Any) -> Any:
    """`value` as a finite float; `field` is ``"owner.argument"``, and its ending names the unit."""
    return number(**bounds).metadata["check"](value, unit_of(field.rpartition(".")[2]), field)


def checked_count(value: Any, field: str, at_least: int = 1) -> int:
    """`value` as a whole number."""
    return int(count(at_least=at_least).metadata["check"](value, None, field))


def checked_choice(value: Any, field: str, options: tuple[str, ...]) -> str:
    """`value` if it is one of `options`."""
    return str(choice(options[0], options).metadata["check"](value, None, field))


def checked_range(value: Any, field: str) -> tuple[float, float]:
    """Two finite numbers, the lower one first."""
    array = np.asarray(to_float(value, unit_of(field.rpartition(".")[2]), field))
    if array.shape != (2,) or not np.all(np.isfinite(array)) or not array[0] < array[1]:
        raise ParameterError(field, f"{shown(value)} was given", "give two numbers, the lower one first")
    return float(array[0]), float(array[1])


def checked_trains(spikes: Any, field: str) -> SpikeTrains:
    """`spikes`, which must be spike trains of one unit or more."""
    if not isinstance(spikes, SpikeTrains):
        raise ParameterError(field, f"{shown(spikes)} was given", "give SpikeTrains")
    if len(spikes) == 0:
        raise ParameterError(field, "no unit", "give the trains of one unit or more")
    return spikes


def one_channel(signal: Any, field: str) -> FloatArray:
    """Values of a signal of one channel, shape (samples,)."""
    if not isinstance(signal, Signal):
        raise ParameterError(field, f"{shown(signal)} was given", "give a Signal")
    values = np.asarray(signal.values, dtype=np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or len(values) == 0:
        raise ParameterError(field, f"values of shape {signal.values.shape}", "give one channel with samples")
    return values


def sampled(signal: Signal, times_s: FloatArray, field: str) -> FloatArray:
    """Values of a signal of one channel at some times, linear between samples.

    Times may lie up to one sample after the last one; anything further outside is refused.
    """
    values = one_channel(signal, field)
    slack = 1e-6 / signal.rate_hz
    end = signal.t_start_s + signal.duration_s
    outside = (times_s < signal.t_start_s - slack) | (times_s > end + slack)
    if np.any(outside):
        raise ParameterError(
            field,
            f"{signal.t_start_s:g} to {end:g} s are given, and there is a spike at "
            f"{times_s[np.argmax(outside)]:g} s",
            "give a signal as long as the trains, or cut them with SpikeTrains.between",
        )
    return np.interp(times_s, signal.times_s, values)
