"""What is to be known of EMG that passes by in blocks and is not kept."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import SpikeTrains

FloatArray = NDArray[np.float64]

_SEGMENT_S = 1.0
_BIN_S = 0.1
_WINDOW_S = 0.5
_BEFORE_S = 0.02  # what the window shows before its first spike
_LONGEST_MEAN = 4000  # bins of the envelope that are kept one by one


@final
class PassingEMG:
    """Level, spectrum and a short window of EMG, gathered block by block.

    Parameters
    ----------
    spikes : SpikeTrains
        They say where most happens, which is where the window is.
    rate_hz : float
    channels : int
    """

    def __init__(self, spikes: SpikeTrains, rate_hz: float, channels: int) -> None:
        self._rate, self._samples = rate_hz, 0
        self._square = np.zeros(channels)
        self._bin = max(1, round(max(_BIN_S, spikes.duration_s / _LONGEST_MEAN) * rate_hz))
        self._powers: list[float] = []
        self._pending = np.empty(0)
        total = int(np.ceil(spikes.duration_s * rate_hz - 1e-6))
        self._segment = max(2, min(round(_SEGMENT_S * rate_hz), total))
        self._held = np.empty((0, channels))
        self._psd = np.zeros((self._segment // 2 + 1, channels))
        self._segments = 0
        start_s = _busiest(spikes, _WINDOW_S)
        self._first = round((start_s - spikes.t_start_s) * rate_hz)
        self._last = min(total, self._first + round(_WINDOW_S * rate_hz))
        self._t_start_s = spikes.t_start_s
        self._pieces: list[NDArray[np.float32]] = []

    def add(self, block: NDArray[np.float32]) -> None:
        """Take in the next samples, shape (samples, channels)."""
        squares = np.square(block, dtype=float)
        self._square += squares.sum(axis=0)
        self._add_power(squares.mean(axis=1))
        low, high = max(self._first, self._samples), min(self._last, self._samples + len(block))
        if low < high:
            self._pieces.append(block[low - self._samples : high - self._samples].copy())
        self._held = np.concatenate([self._held, block])
        while len(self._held) >= self._segment:
            self._add_segment(self._held[: self._segment])
            self._held = self._held[self._segment :]
        self._samples += len(block)

    @property
    def seconds(self) -> float:
        """Duration of what has passed."""
        return self._samples / self._rate

    @property
    def rms_uV(self) -> FloatArray:
        """Of each channel, shape (channels,)."""
        return np.asarray(np.sqrt(self._square / max(1, self._samples)))

    @property
    def envelope(self) -> tuple[FloatArray, FloatArray]:
        """Times in s and rms over all channels in consecutive bins, in uV."""
        powers = [*self._powers, *([float(self._pending.mean())] if len(self._pending) else [])]
        times = self._t_start_s + (np.arange(len(powers)) + 0.5) * (self._bin / self._rate)
        return np.asarray(times), np.sqrt(powers)

    @property
    def window(self) -> tuple[FloatArray, NDArray[Any]]:
        """Times in s and EMG in uV, shape (samples, channels), of a short time in which most happens."""
        values = np.concatenate(self._pieces) if self._pieces else np.empty((0, len(self._square)))
        return self._t_start_s + (self._first + np.arange(len(values))) / self._rate, values

    @property
    def psd(self) -> tuple[FloatArray, FloatArray]:
        """Frequencies in Hz and power spectral density in uV^2/Hz, shape (frequencies, channels)."""
        return (
            np.asarray(np.fft.rfftfreq(self._segment, 1.0 / self._rate), dtype=float),
            self._psd / max(1, self._segments),
        )

    @property
    def spectrum_metrics(self) -> dict[str, Any]:
        """Peak and median frequency of the mean spectrum of all channels, in Hz; None of silence."""
        frequency, psd = self.psd
        mean = psd.mean(axis=1)
        if not mean.sum() > 0:
            return {"spectrum_peak_hz": None, "spectrum_median_hz": None}
        share = np.cumsum(mean) / mean.sum()
        return {
            "spectrum_peak_hz": float(frequency[np.argmax(smoothed(frequency, mean))]),
            "spectrum_median_hz": float(np.interp(0.5, share, frequency)),
        }

    def _add_power(self, power: FloatArray) -> None:
        self._pending = np.concatenate([self._pending, power])
        whole = len(self._pending) // self._bin
        if whole:
            taken = self._pending[: whole * self._bin].reshape(whole, self._bin)
            self._powers += taken.mean(axis=1).tolist()
            self._pending = self._pending[whole * self._bin :]

    def _add_segment(self, segment: FloatArray) -> None:
        """Periodogram of a segment (Welch's method, without overlap)."""
        taper = np.hanning(len(segment) + 1)[:-1, None]
        transform = np.fft.rfft((segment - segment.mean(axis=0)) * taper, axis=0)
        density = np.abs(transform) ** 2 * 2.0 / (self._rate * np.sum(taper**2))
        density[0] /= 2.0
        if len(segment) % 2 == 0:
            density[-1] /= 2.0
        self._psd += density
        self._segments += 1


def smoothed(frequency_hz: FloatArray, density: FloatArray, width_hz: float = 15.0) -> FloatArray:
    """Running mean over `width_hz`, so that a peak is that of the spectrum and not of chance."""
    n = max(1, round(width_hz / (frequency_hz[1] - frequency_hz[0]))) | 1
    kernel = np.ones(n)
    return np.asarray(
        np.convolve(density, kernel, "same") / np.convolve(np.ones(len(density)), kernel, "same")
    )


def _busiest(spikes: SpikeTrains, window_s: float) -> float:
    """Start of the window of that length in which most spikes lie."""
    if len(spikes.times_s) == 0 or spikes.duration_s <= window_s:
        return spikes.t_start_s
    times = np.sort(spikes.times_s)
    begin = np.clip(times - _BEFORE_S, spikes.t_start_s, spikes.t_stop_s - window_s)
    counts = np.searchsorted(times, begin + window_s) - np.searchsorted(times, begin)
    return float(begin[np.argmax(counts)])
