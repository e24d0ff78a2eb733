"""The band-pass: cosine edges in the Fourier domain, without phase, with resampling by a whole factor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Float32Array = NDArray[np.float32]

GROUP = 4
"""Channels that are transformed at a time: as many as a vector register holds, and little memory."""


@final
class FourierBand:
    """Zero-phase band-pass for signals of one length.

    The gain is 1 between the edges, 1/2 at `low_hz` and `high_hz`, and a raised cosine between. Between its
    end and its beginning (the transform is circular) a signal is continued by odd reflections that fade into
    each other, so that neither a step nor the other end rings into it.

    Parameters
    ----------
    samples : int
        Length of the signals.
    rate_hz : float
        Their rate.
    low_hz, high_hz : float
        Where the gain is 1/2.
    low_width_hz, high_width_hz : float
        Width of the edges.
    factor : int
        Keep one sample of so many; the band must end below half the new rate.
    """

    def __init__(
        self,
        samples: int,
        rate_hz: float,
        low_hz: float,
        high_hz: float,
        low_width_hz: float,
        high_width_hz: float,
        factor: int = 1,
    ) -> None:
        self.samples, self.factor = samples, factor
        joint = int(4.0 * rate_hz / low_width_hz)
        self.length = factor * fft.next_fast_len(-(-(samples + joint) // factor), real=True)
        hz = np.arange(self.length // 2 + 1) * (rate_hz / self.length)
        rising = _edge((hz - low_hz) / low_width_hz)
        self.gain = (rising * _edge((high_hz - hz) / high_width_hz)).astype(np.float32)
        bins = self.length // factor // 2 + 1
        self.gain = self.gain[:bins] / np.float32(factor)
        self.gain[0] = 0.0
        between = np.arange(self.length - samples)
        self._fade = (0.5 + 0.5 * np.cos(np.pi * (between + 1) / (len(between) + 1))).astype(np.float32)
        self._mirror = np.minimum(between + 1, samples - 1)

    @property
    def samples_out(self) -> int:
        """Length of the result."""
        return -(-self.samples // self.factor)

    def filtered(self, rows: Iterable[NDArray[Any]], out: Float32Array) -> None:
        """Band-pass each row into `out`, shape (rows, samples_out)."""
        kept = 0
        buffer = np.empty((GROUP, self.length), np.float32)
        filled = 0
        for row in rows:
            self._continued(row, buffer[filled])
            filled += 1
            if filled == GROUP:
                self._transform(buffer, out[kept : kept + filled])
                kept, filled = kept + filled, 0
        if filled:
            self._transform(buffer[:filled], out[kept : kept + filled])

    def _continued(self, row: NDArray[Any], out: Float32Array) -> None:
        n = self.samples
        np.subtract(row, row.mean(dtype=np.float64), out=out[:n], casting="same_kind")  # before rounding
        after = 2 * out[n - 1] - out[n - 1 - self._mirror]
        before = 2 * out[0] - out[self._mirror[::-1]]
        out[n:] = self._fade * after + (1 - self._fade) * before

    def _transform(self, rows: Float32Array, out: Float32Array) -> None:
        spectra = fft.rfft(rows, axis=1)[:, : len(self.gain)]
        spectra *= self.gain
        signals = fft.irfft(spectra, self.length // self.factor, axis=1, overwrite_x=True)
        out[:] = signals[:, : self.samples_out]


def _edge(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Raised cosine from 0 at x = -1/2 to 1 at x = 1/2."""
    return 0.5 + 0.5 * np.sin(np.pi * np.clip(x, -0.5, 0.5))
