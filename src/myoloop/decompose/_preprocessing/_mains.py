"""Mains interference: its lines found where they stand out of the spectrum, and subtracted.

A line is followed by demodulation: multiplied by its complex carrier and averaged over blocks of whole
mains cycles, it becomes a slow complex amplitude. Where the spectrum of that amplitude has a peak far above
its surroundings there is a line; what varies slowly about the peak is subtracted. A constant line is removed
to its ends, which no notch does, and the rest of the spectrum is not touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex64]

BLOCK_S = 0.1
"""A whole number of cycles of every multiple of 10 Hz, so that no line is seen in the place of another."""
SEGMENT_S = 30.0
"""Spectra of longer recordings are averaged over segments: the mains frequency wanders."""
HALF_WIDTH_HZ = 0.25
"""What is subtracted varies no faster than this."""
SEARCH_HZ = 0.25
"""How far the mains may be from its nominal frequency."""
SHORTEST_S = 2.0
"""In less, a line cannot be told from its surroundings."""
FAMILIES_HZ = (50.0, 60.0)
PROBED = 5
"""Higher harmonics are looked for where one of so many stands out."""


@final
@dataclass(frozen=True)
class Line:
    """One line: its frequency, and in which channels it was found."""

    hz: float
    channels: NDArray[np.bool_] = field(compare=False)


@final
class Mains:
    """Demodulated surroundings of all harmonics of one mains frequency.

    Parameters
    ----------
    values : ndarray of float32, shape (channels, samples)
    rate_hz : float
    base_hz : float
        Nominal mains frequency.
    low_hz, high_hz : float
        Harmonics within these are looked at.
    """

    def __init__(
        self, values: NDArray[np.float32], rate_hz: float, base_hz: float, low_hz: float, high_hz: float
    ) -> None:
        self.rate_hz, self.base_hz = rate_hz, base_hz
        self.orders = np.arange(np.ceil(low_hz / base_hz), high_hz // base_hz + 1)
        self.block = round(BLOCK_S * rate_hz)
        self.period_s = self.block / rate_hz
        self.amplitudes = self._demodulated(values)
        self.n_blocks = self.amplitudes.shape[2]
        self.segment = min(self.n_blocks, round(SEGMENT_S / self.period_s))
        self.hz = fft.fftshift(fft.fftfreq(2 * self.segment, self.period_s))
        self.bin_hz = 1 / (self.segment * self.period_s)
        self.spectra = [self._spectrum(i) for i in range(len(self.orders))]

    def _demodulated(self, values: NDArray[np.float32]) -> ComplexArray:
        """Complex amplitude of each harmonic, channel and block, shape (orders, channels, blocks).

        The window is a triangle over two blocks: it has double zeros at all other multiples of 10 Hz.
        """
        channels, n_blocks, block = len(values), values.shape[1] // self.block, self.block
        omega = 2 * np.pi * self.base_hz * self.orders / self.rate_hz
        at = np.arange(2 * block)[:, None] - (block - 0.5)
        weight = 2 / block * (1 - np.abs(at) / block)
        carriers = np.concatenate([weight * np.cos(omega * at), -weight * np.sin(omega * at)], axis=1)
        rising, falling = np.split(carriers.astype(np.float32), 2)
        turn = np.exp(-1j * np.outer(omega, self._middles(n_blocks - 1))).astype(np.complex64)
        out = np.empty((len(omega), channels, n_blocks - 1), np.complex64)
        for c in range(channels):
            blocks = values[c, : n_blocks * block].reshape(n_blocks, block)
            both = blocks[:-1] @ rising + blocks[1:] @ falling
            out[:, c] = (both[:, : len(omega)] + 1j * both[:, len(omega) :]).T * turn
        return out

    def _middles(self, n_blocks: int) -> FloatArray:
        return np.asarray(np.arange(1, n_blocks + 1) * self.block - 0.5, dtype=np.float64)

    def _spectrum(self, i: int) -> NDArray[np.float32]:
        """Power about a harmonic, in units of its surroundings, shape (channels, frequencies)."""
        count = max(1, self.n_blocks // self.segment)
        window = np.hanning(self.segment + 2)[1:-1].astype(np.float32)
        parts = self.amplitudes[i, :, : count * self.segment]
        parts = parts.reshape(len(parts), count, self.segment) * window
        spectra = fft.fftshift(fft.fft(parts, 2 * self.segment, axis=2), axes=2)
        power = np.mean(spectra.real**2 + spectra.imag**2, axis=1)
        power /= (np.sinc(self.hz * self.period_s) ** 4 + 1e-3).astype(np.float32)
        around = np.flatnonzero(self._around())[::2]  # the window makes neighbours alike
        return np.asarray(power / np.median(power[:, around], axis=1, keepdims=True))

    def _around(self) -> NDArray[np.bool_]:
        distance = np.abs(self.hz)
        return np.asarray((distance > max(0.7, 3 * self.bin_hz)) & (distance < 0.4 / self.period_s))

    def _threshold(self) -> float:
        """How far a peak rises above the median of its surroundings by chance, at the very most."""
        segments = max(1, self.n_blocks // self.segment)
        free = np.count_nonzero(self._around()) / 2
        return float((3 + 22 / np.sqrt(segments)) * (1 + 10 / max(1, free)))

    def lines(self) -> list[Line]:
        """Lines that stand out, by frequency."""
        shift, threshold = self._shift(), self._threshold()
        found = []
        for order, power in zip(self.orders, self.spectra, strict=True):
            near = np.abs(self.hz - shift * order) <= self.bin_hz + 0.02 * order
            peak = power[:, near].max(axis=1)
            if peak.max() >= threshold:
                at = self._peak(power, near)
                found.append(Line(float(order * self.base_hz + at), peak > 0.4 * threshold))
        return found

    def _shift(self) -> float:
        """How far the mains is from its nominal frequency, by the clearest of its first harmonics."""
        clearest, shift = self._threshold(), 0.0
        for order, power in zip(self.orders, self.spectra, strict=True):
            near = np.abs(self.hz) <= SEARCH_HZ * order + self.bin_hz
            if order <= 3 and power[:, near].max() > clearest:
                clearest = float(power[:, near].max())
                shift = self._peak(power, near) / float(order)
        return shift

    def _peak(self, power: NDArray[np.float32], near: NDArray[np.bool_]) -> float:
        """Where the power of all channels is largest, by a parabola through its logarithm."""
        total = np.log(power.sum(axis=0))
        top = int(np.flatnonzero(near)[np.argmax(total[near])])
        left, middle, right = total[top - 1], total[top], total[top + 1]
        bend = left - 2 * middle + right
        away = 0.5 * (left - right) / bend if bend < 0 else 0.0
        return float(self.hz[top] + np.clip(away, -0.5, 0.5) * (self.hz[1] - self.hz[0]))

    def subtract(self, lines: list[Line], values: NDArray[np.float32]) -> FloatArray:
        """Subtract lines from `values` in place; returns their mean power in each channel."""
        slow = np.stack([self._slow(line) for line in lines])
        power = np.asarray(np.sum(np.mean(np.abs(slow) ** 2, axis=2, dtype=np.float64), axis=0) / 2)
        # Between the middles of the windows the amplitudes go straight; beyond the outermost they stay.
        slow = np.concatenate([slow[..., :1], slow, slow[..., -1:], slow[..., -1:]], axis=2)
        omega = 2 * np.pi * np.array([line.hz for line in lines]) / self.rate_hz
        starts = np.arange(slow.shape[2] - 1) * self.block
        turn = np.exp(1j * np.outer(omega, starts)).astype(np.complex64)
        at = np.arange(self.block)
        carrier = np.exp(1j * np.outer(omega, at))
        both = np.concatenate([carrier, carrier * (at + 0.5) / self.block])
        basis = np.concatenate([both.real, -both.imag]).astype(np.float32)
        for c in np.flatnonzero(np.any([line.channels for line in lines], axis=0)):
            here = np.concatenate([slow[:, c, :-1] * turn, np.diff(slow[:, c], axis=1) * turn])
            wave = np.concatenate([here.real, here.imag]).T @ basis
            values[c] -= wave.reshape(-1)[: values.shape[1]]
        return power

    def _slow(self, line: Line) -> ComplexArray:
        """Slow complex amplitude of a line, 0 where it was not found, shape (channels, blocks)."""
        order = int(np.argmin(np.abs(self.orders * self.base_hz - line.hz)))
        offset = 2 * np.pi * (line.hz - self.orders[order] * self.base_hz) / self.rate_hz
        turn = np.exp(-1j * offset * self._middles(self.n_blocks)).astype(np.complex64)
        kept = 1 + int(2 * HALF_WIDTH_HZ * self.n_blocks * self.period_s)
        spectrum = fft.dct(self.amplitudes[order] * turn, axis=1)
        spectrum[:, kept:] = 0.0
        slow = fft.idct(spectrum, axis=1)
        return np.asarray(np.where(line.channels[:, None], slow, 0), dtype=np.complex64)


def remove_mains(
    values: NDArray[np.float32], rate_hz: float, mains_hz: float | None, low_hz: float, high_hz: float
) -> tuple[tuple[float, ...], FloatArray]:
    """Subtract the lines of the mains from `values`, shape (channels, samples), in place.

    Returns the frequencies of the lines, and their power in each channel.
    """
    nothing = (), np.zeros(len(values))
    if mains_hz == 0 or values.shape[1] < SHORTEST_S * rate_hz:
        return nothing
    chosen, most = 0.0, 0
    for base_hz in FAMILIES_HZ if mains_hz is None else (mains_hz,):
        probe = Mains(values, rate_hz, base_hz, low_hz, min(high_hz, (PROBED + 0.5) * base_hz))
        # Multiples of 300 Hz belong to both families and speak for neither.
        own = [line for line in probe.lines() if mains_hz is not None or not _shared(line.hz)]
        evidence = sum(int(np.count_nonzero(line.channels)) for line in own)
        if evidence > most:
            chosen, most = base_hz, evidence
    if not chosen:
        return nothing
    mains = Mains(values, rate_hz, chosen, low_hz, high_hz)
    lines = mains.lines()
    return tuple(line.hz for line in lines), mains.subtract(lines, values)


def _shared(hz: float) -> bool:
    return abs(hz - 300 * round(hz / 300)) < 5
