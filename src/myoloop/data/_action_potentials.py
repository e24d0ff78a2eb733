"""Motor-unit action potentials on channels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError


@final
@dataclass(frozen=True, eq=False)
class ActionPotentials:
    """What each discharge of each unit adds to each channel.

    Parameters
    ----------
    values_uV : ndarray, shape (units, channels, samples)
        float32 or float64, finite.
    rate_hz : float
        Sampling rate.
    t_start_s : float
        Time of the first sample after the discharge; below 0 where a filter without delay spreads
        the potential to both sides.
    channels : tuple of str
        Names of the channels.
    """

    values_uV: NDArray[Any]
    rate_hz: float
    t_start_s: float = 0.0
    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.asarray(self.values_uV)
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        if values.ndim != 3 or 0 in values.shape:
            raise ParameterError(
                "ActionPotentials.values_uV",
                f"an array of shape {values.shape}",
                "give (units, channels, samples)",
            )
        if not np.all(np.isfinite(values)):
            raise ParameterError("ActionPotentials.values_uV", "NaN or infinite values", "mend them")
        if not (np.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise ParameterError(
                "ActionPotentials.rate_hz", f"{self.rate_hz:g} was given", "give a rate above 0"
            )
        names = tuple(self.channels) or tuple(f"E{i + 1}" for i in range(values.shape[1]))
        if len(names) != values.shape[1]:
            raise ParameterError(
                "ActionPotentials.channels",
                f"{len(names)} names for {values.shape[1]} channels",
                "name each channel",
            )
        object.__setattr__(self, "values_uV", values)
        object.__setattr__(self, "rate_hz", float(self.rate_hz))
        object.__setattr__(self, "t_start_s", float(self.t_start_s))
        object.__setattr__(self, "channels", names)

    def __len__(self) -> int:
        """Number of units."""
        return len(self.values_uV)

    def __repr__(self) -> str:
        units, channels, samples = self.values_uV.shape
        return f"ActionPotentials({units} units x {channels} channels x {samples}, {self.rate_hz:g} Hz)"

    def select(self, channels: ArrayLike) -> ActionPotentials:
        """The potentials on some of the channels, by index."""
        chosen = np.atleast_1d(np.asarray(channels))
        count = self.values_uV.shape[1]
        if chosen.dtype.kind not in "iu" or np.any(chosen < 0) or np.any(chosen >= count):
            raise ParameterError(
                "ActionPotentials.select", f"{chosen} of {count} channels", "give indices of channels"
            )
        names = tuple(self.channels[i] for i in chosen)
        return replace(self, values_uV=self.values_uV[:, chosen], channels=names)

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Time of each sample after the discharge, shape (samples,)."""
        return self.t_start_s + np.arange(self.values_uV.shape[2]) / self.rate_hz

    @property
    def peak_to_peak_uV(self) -> NDArray[Any]:
        """Peak-to-peak amplitude, shape (units, channels)."""
        return np.asarray(np.ptp(self.values_uV, axis=2))
