"""A regularly sampled signal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, shown
from ..units import to_float, unit_of


@final
@dataclass(frozen=True, eq=False)
class Signal:
    """Samples at a constant rate.

    Parameters
    ----------
    values : ndarray, shape (samples,) or (samples, channels)
        In `units`; float32 or float64, finite.
    rate_hz : float
        Sampling rate.
    units : str
        Unit of the values, e.g. ``"N"`` or ``"mV"``.
    t_start_s : float
        Time of the first sample.
    name : str
        What was measured.
    channels : tuple
        Names of the channels, e.g. the indices of the recorded cells.
    about : dict
        What else is to travel with it (model parameters, statistics).
    """

    values: NDArray[Any]
    rate_hz: float
    units: str = ""
    t_start_s: float = 0.0
    name: str = ""
    channels: tuple[Any, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            values = np.asarray(self.values)
        except ValueError:
            raise ParameterError("Signal.values", "rows of different length", "give an array") from None
        if values.dtype.kind not in "biuf":
            raise ParameterError("Signal.values", f"an array of {values.dtype}", "give numbers")
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        if values.ndim not in (1, 2):
            raise ParameterError(
                "Signal.values", f"shape {values.shape}", "give (samples,) or (samples, channels)"
            )
        if not np.all(np.isfinite(values)):
            raise ParameterError("Signal.values", "NaN or infinite samples", "mend or cut them")
        rate, start = (_number(getattr(self, name), name) for name in ("rate_hz", "t_start_s"))
        if not rate > 0:
            raise ParameterError("Signal.rate_hz", f"{rate:g} was given", "give a rate above 0")
        if self.channels and values.ndim == 2 and len(self.channels) != values.shape[1]:
            raise ParameterError(
                "Signal.channels",
                f"{len(self.channels)} names for {values.shape[1]} channels",
                "name each channel",
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "rate_hz", rate)
        object.__setattr__(self, "t_start_s", start)

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.values)

    def __repr__(self) -> str:
        return f"Signal({self.name!r}, {self.values.shape} {self.units} at {self.rate_hz:g} Hz)"

    @property
    def duration_s(self) -> float:
        """Number of samples over the rate, in s."""
        return len(self.values) / self.rate_hz

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Time of each sample, shape (samples,)."""
        return self.t_start_s + np.arange(len(self.values)) / self.rate_hz

    def between(self, start_s: float, stop_s: float) -> Signal:
        """Samples with ``start_s <= t < stop_s``."""
        first = max(0, int(np.ceil((start_s - self.t_start_s) * self.rate_hz - 1e-6)))
        last = min(len(self), int(np.ceil((stop_s - self.t_start_s) * self.rate_hz - 1e-6)))
        if last <= first:
            raise ParameterError(
                "Signal.between",
                f"{start_s:g} to {stop_s:g} s holds no sample",
                f"ask for a part of {self.t_start_s:g} to {self.t_start_s + self.duration_s:g} s",
            )
        return Signal(
            self.values[first:last],
            self.rate_hz,
            self.units,
            self.t_start_s + first / self.rate_hz,
            self.name,
            self.channels,
            self.about,
        )


def _number(value: Any, name: str) -> float:
    number = to_float(value, unit_of(name), f"Signal.{name}")
    if not isinstance(number, float) or not np.isfinite(number):
        raise ParameterError(f"Signal.{name}", f"{shown(value)} was given", "give one finite number")
    return number
