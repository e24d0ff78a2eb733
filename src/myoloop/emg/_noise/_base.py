"""What every part of the noise has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError, shown
from ...parameters import Parameters
from ...random import Streams

FloatArray = NDArray[np.float64]
Draw = Callable[[], FloatArray]  # gives the next samples, always as many, shape (count, channels)

BLOCK = 4096  # samples that are drawn at once, or more, whatever is asked for


@dataclass(frozen=True, kw_only=True)
class NoisePart(Parameters, ABC):
    """One cause of noise: a constant description, which `start` sets going."""

    @property
    @abstractmethod
    def power_uV2(self) -> float:
        """Expected mean square of a channel."""

    @abstractmethod
    def scaled(self, factor: float) -> NoisePart:
        """Return the same noise, `factor` times as large."""

    @abstractmethod
    def psd(self, frequency_hz: FloatArray, rate_hz: float) -> FloatArray:
        """One-sided power spectral density of a channel in uV**2/Hz, without lines.

        Parameters
        ----------
        frequency_hz : ndarray, shape (n,)
            From 0 to half the rate.
        rate_hz : float
        """

    @abstractmethod
    def blocks(self, n_channels: int, rate_hz: float, rng: Streams) -> Draw:
        """Return a function that gives consecutive blocks of one size.

        A channel's samples must not depend on how many channels there are.
        """


@final
class Stretch:
    """Consecutive samples, as many at a time as are asked for, from blocks of one size.

    Blocks are drawn whole, so what is asked for at a time changes no bit.
    """

    def __init__(self, draw: Draw, n_channels: int) -> None:
        self._draw, self._at = draw, 0
        self._held = np.empty((0, n_channels))

    def step(self, n_samples: int) -> FloatArray:
        """Return the next samples, shape (n_samples, channels)."""
        n_samples = whole_number(n_samples, "step.n_samples")
        out = np.empty((n_samples, self._held.shape[1]))
        done = 0
        while done < len(out):
            if self._at == len(self._held):
                self._held, self._at = self._draw(), 0
            n = min(len(out) - done, len(self._held) - self._at)
            out[done : done + n] = self._held[self._at : self._at + n]
            done, self._at = done + n, self._at + n
        return out


def normals(n_channels: int, rng: Streams, share: float = 0.0, count: int = BLOCK) -> Draw:
    """White normal numbers of variance 1, shape (count, channels), of which `share` is common to all.

    Any two channels have a correlation of `share`.
    """
    own = [rng.child("channel", channel).generator() for channel in range(n_channels)]
    common = rng.child("common").generator()

    def draw() -> FloatArray:
        out = np.empty((count, n_channels))
        for channel, generator in enumerate(own):
            out[:, channel] = generator.standard_normal(count)
        if share > 0.0:
            out *= np.sqrt(1.0 - share)
            out += np.sqrt(share) * common.standard_normal((count, 1))
        return out

    return draw


def filtered(source: Callable[[int], Draw], kernel: FloatArray) -> Draw:
    """Blocks of white noise convolved with `kernel`, stationary from the first sample on.

    Parameters
    ----------
    source : callable
        Given a number of samples, returns what draws consecutive blocks of that many.
    kernel : ndarray, shape (length,)
    """
    length = len(kernel)
    count = max(BLOCK, length)
    white = source(count)
    size = 1 << (count + length - 1).bit_length()
    spectrum = np.fft.rfft(kernel, size)
    past = white()[-length:]

    def draw() -> FloatArray:
        nonlocal past
        block = np.concatenate([past, white()])
        past = block[-length:].copy()
        out = np.empty((count, block.shape[1]))
        for channel in range(block.shape[1]):
            product = np.fft.rfft(block[:, channel], size) * spectrum
            out[:, channel] = np.fft.irfft(product, size)[length : length + count]
        return out

    return draw


def ascending_band(owner: str, low_hz: float, high_hz: float) -> None:
    """Raise ParameterError unless the band has a width."""
    if low_hz >= high_hz:
        raise ParameterError(
            f"{owner}.high_hz", f"{high_hz:g} was given for a low_hz of {low_hz:g}", "give a larger one"
        )


def below_nyquist(field: str, frequency_hz: float, rate_hz: float) -> None:
    """Raise ParameterError where a sampled signal cannot hold this frequency."""
    if frequency_hz >= rate_hz / 2:
        raise ParameterError(
            field,
            f"{frequency_hz:g} Hz was asked at a rate of {rate_hz:g} Hz",
            f"keep below {rate_hz / 2:g} Hz, or raise the rate",
        )


def whole_number(value: object, field: str) -> int:
    """`value` as a number of samples or channels, from 1 on; raises ParameterError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ParameterError(field, f"{shown(value)} was given", "give a whole number from 1 on")
    return int(value)
