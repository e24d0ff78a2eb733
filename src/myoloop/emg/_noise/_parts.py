"""Noise that has a spectrum: of the amplifier and the skin, of mains, of movement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ...parameters import Parameters, number
from ...random import Streams
from ...units import to_float
from ._base import BLOCK, Draw, FloatArray, NoisePart, ascending_band, below_nyquist, filtered, normals

_LONGEST = 2**20  # samples of a filter


@final
@dataclass(frozen=True, kw_only=True)
class WhiteNoise(NoisePart):
    """Normal noise of equal power at all frequencies up to half the rate.

    Parameters
    ----------
    rms_uV : float
        Over that whole band, whatever the rate.
    common_share : float
        Share of the power that all channels have in common: the correlation of any two.
    """

    rms_uV: float = number(at_least=0.0, help="root mean square")
    common_share: float = number(0.0, at_least=0.0, at_most=1.0, help="share common to all channels")

    @property
    def power_uV2(self) -> float:
        """Expected mean square of a channel."""
        return float(self.rms_uV**2)

    def scaled(self, factor: float) -> WhiteNoise:
        """Return the same noise, `factor` times as large."""
        return WhiteNoise(rms_uV=self.rms_uV * factor, common_share=self.common_share)

    def psd(self, frequency_hz: FloatArray, rate_hz: float) -> FloatArray:
        """One-sided power spectral density, rms**2/(rate/2) at all frequencies."""
        return np.full(np.shape(frequency_hz), 2.0 * self.rms_uV**2 / rate_hz)

    def blocks(self, n_channels: int, rate_hz: float, rng: Streams) -> Draw:
        """Return a function that gives consecutive blocks."""
        draw = normals(n_channels, rng, self.common_share)
        return lambda: self.rms_uV * draw()


@final
@dataclass(frozen=True, kw_only=True)
class ColouredNoise(NoisePart):
    """Normal noise of power 1/f**a above a corner, flat below it.

    The density is c / (1 + (f/low_hz)**2)**(a/2), c such that the rms over all frequencies up to half the
    rate is `rms_uV`; from 2 low_hz on it is 1/f**a within 12 % for a = 1.

    Parameters
    ----------
    rms_uV : float
    exponent : float
        a: 1 pink, 2 brown.
    low_hz : float
        Corner. Lower ones need longer filters: 3/low_hz in s.
    common_share : float
        Share of the power that all channels have in common.
    """

    rms_uV: float = number(at_least=0.0, help="root mean square")
    exponent: float = number(1.0, at_least=0.0, at_most=4.0, help="a of 1/f**a")
    low_hz: float = number(1.0, above=0.0, help="corner below which the density is flat")
    common_share: float = number(0.0, at_least=0.0, at_most=1.0, help="share common to all channels")

    @property
    def power_uV2(self) -> float:
        """Expected mean square of a channel."""
        return float(self.rms_uV**2)

    def scaled(self, factor: float) -> ColouredNoise:
        """Return the same noise, `factor` times as large."""
        changed: ColouredNoise = self.replace(rms_uV=self.rms_uV * factor)
        return changed

    def psd(self, frequency_hz: FloatArray, rate_hz: float) -> FloatArray:
        """One-sided power spectral density."""
        grid = np.linspace(0.0, np.arcsinh(0.5 * rate_hz / self.low_hz), 4001)
        frequency = self.low_hz * np.sinh(grid)  # dense where the density changes most
        total = np.trapezoid(self._shape(frequency) * self.low_hz * np.cosh(grid), grid)
        return np.asarray(self.rms_uV**2 * self._shape(np.asarray(frequency_hz)) / total)

    def blocks(self, n_channels: int, rate_hz: float, rng: Streams) -> Draw:
        """Return a function that gives consecutive blocks."""
        below_nyquist("ColouredNoise.low_hz", self.low_hz, rate_hz)
        length = 1 << int(np.ceil(np.log2(max(512.0, 3.0 * rate_hz / self.low_hz))))
        if length > _LONGEST:
            raise ParameterError(
                "ColouredNoise.low_hz",
                f"{self.low_hz:g} Hz at a rate of {rate_hz:g} Hz needs a filter of {length} samples",
                f"give at least {3.0 * rate_hz / _LONGEST:.2g} Hz, and ElectrodeDrift for what is slower",
            )
        # Zero phase; the impulse response falls as exp(-2 pi low_hz |t|), below 1e-4 at the ends.
        kernel = np.fft.irfft(np.sqrt(self._shape(np.fft.rfftfreq(length, 1.0 / rate_hz))), length)
        kernel = np.roll(kernel, length // 2)
        kernel *= self.rms_uV / np.sqrt(np.sum(kernel**2))
        return filtered(lambda count: normals(n_channels, rng, self.common_share, count), kernel)

    def _shape(self, frequency_hz: NDArray[Any]) -> FloatArray:
        return np.asarray((1.0 + (frequency_hz / self.low_hz) ** 2) ** (-self.exponent / 2.0))


@final
@dataclass(frozen=True, kw_only=True)
class Mains(NoisePart):
    """Pick-up of the mains: a line at its frequency and at multiples of it, in step on all channels.

    Parameters
    ----------
    amplitudes_uV : tuple of float
        Peak amplitude of the sine at 1, 2, 3, ... times the frequency, for a channel of gain 1.
    frequency_hz : float
    gain_spread : float
        Standard deviation of the logarithm of a channel's gain; the mean square of gains is 1.
    """

    amplitudes_uV: tuple[float, ...]
    frequency_hz: float = number(50.0, above=0.0, help="50 or 60")
    gain_spread: float = number(0.0, at_least=0.0, help="SD of the logarithm of a channel's gain")

    def __post_init__(self) -> None:
        super().__post_init__()
        given = np.atleast_1d(to_float(self.amplitudes_uV, "uV", "Mains.amplitudes_uV"))
        if given.ndim != 1 or given.size == 0 or not np.all(np.isfinite(given) & (given >= 0)):
            raise ParameterError(
                "Mains.amplitudes_uV", f"{given} was given", "give one number from 0 on for each multiple"
            )
        object.__setattr__(self, "amplitudes_uV", tuple(float(a) for a in given))

    @property
    def rms_uV(self) -> float:
        """Expected root mean square of a channel."""
        return float(np.sqrt(np.sum(np.square(self.amplitudes_uV)) / 2.0))

    @property
    def power_uV2(self) -> float:
        """Expected mean square of a channel."""
        return float(self.rms_uV**2)

    def scaled(self, factor: float) -> Mains:
        """Return the same noise, `factor` times as large."""
        changed: Mains = self.replace(amplitudes_uV=tuple(a * factor for a in self.amplitudes_uV))
        return changed

    def psd(self, frequency_hz: FloatArray, rate_hz: float) -> FloatArray:
        """Zero: there are only lines, of power amplitude**2/2 each."""
        return np.zeros(np.shape(frequency_hz))

    def blocks(self, n_channels: int, rate_hz: float, rng: Streams) -> Draw:
        """Return a function that gives consecutive blocks; phases are drawn, one for each line."""
        orders = np.arange(1, len(self.amplitudes_uV) + 1)
        below_nyquist("Mains.amplitudes_uV", float(orders[-1] * self.frequency_hz), rate_hz)
        phases = rng.child("phases").generator().uniform(0.0, 1.0, len(orders))
        drawn = [rng.child("gain", c).generator().standard_normal() for c in range(n_channels)]
        gains = np.exp(self.gain_spread * np.array(drawn) - self.gain_spread**2)
        state = {"first": 0}

        def draw() -> FloatArray:
            cycles = (state["first"] + np.arange(BLOCK)) * (self.frequency_hz / rate_hz)
            state["first"] += BLOCK
            turns = np.mod(cycles[:, None] * orders + phases, 1.0)
            return np.asarray((np.sin(2 * np.pi * turns) @ np.array(self.amplitudes_uV))[:, None] * gains)

        return draw


@final
@dataclass(frozen=True, kw_only=True)
class MotionArtefact(NoisePart):
    """Jerks of electrodes and cables: pulses at random times, of random size and sign.

    A pulse is the difference of two Gaussians, low-passes of half power at `high_hz` and at `low_hz`: its
    spectrum is proportional to exp(-(f/high_hz)**2 ln(2)/2) - exp(-(f/low_hz)**2 ln(2)/2), and 0 at 0 Hz.

    Parameters
    ----------
    rate_per_min : float
        Mean number of pulses; a Poisson process that all channels have in common.
    amplitude_uV : float
        Standard deviation of a pulse's peak.
    low_hz, high_hz : float
        Band of the pulse; artefacts of movement mostly lie below 20 Hz.
    common_share : float
        Share of the variance of the peaks that all channels have in common.

    References
    ----------
    De Luca, Gilmore, Kuznetsov, Roy (2010), Filtering the surface EMG signal: movement artifact and baseline
    noise contamination, J Biomech 43:1573.
    """

    rate_per_min: float = number(at_least=0.0, help="pulses per minute")
    amplitude_uV: float = number(at_least=0.0, help="SD of a pulse's peak")
    low_hz: float = number(1.0, above=0.0, help="lower end of the band")
    high_hz: float = number(20.0, above=0.0, help="upper end of the band")
    common_share: float = number(0.5, at_least=0.0, at_most=1.0, help="share common to all channels")

    def __post_init__(self) -> None:
        super().__post_init__()
        ascending_band("MotionArtefact", self.low_hz, self.high_hz)

    @property
    def rms_uV(self) -> float:
        """Expected root mean square of a channel (Campbell's theorem)."""
        frequency = np.linspace(0.0, 6.0 * self.high_hz, 20001)
        return float(np.sqrt(np.trapezoid(self.psd(frequency, 1.0), frequency)))

    @property
    def power_uV2(self) -> float:
        """Expected mean square of a channel."""
        return float(self.rms_uV**2)

    def scaled(self, factor: float) -> MotionArtefact:
        """Return the same noise, `factor` times as large."""
        changed: MotionArtefact = self.replace(amplitude_uV=self.amplitude_uV * factor)
        return changed

    def psd(self, frequency_hz: FloatArray, rate_hz: float) -> FloatArray:
        """One-sided power spectral density: twice the rate times the mean squared spectrum of a pulse."""
        transform = self.amplitude_uV * self._spectrum(np.asarray(frequency_hz))
        return np.asarray(2.0 * self.rate_per_min / 60.0 * transform**2)

    def blocks(self, n_channels: int, rate_hz: float, rng: Streams) -> Draw:
        """Return a function that gives consecutive blocks."""
        below_nyquist("MotionArtefact.high_hz", 2.0 * self.high_hz, rate_hz)
        length = 1 << int(np.ceil(np.log2(3.0 * rate_hz / self.low_hz)))
        kernel = np.fft.irfft(self._spectrum(np.fft.rfftfreq(length, 1.0 / rate_hz)), length) * rate_hz
        times = rng.child("times").generator()
        peaks = normals(n_channels, rng.child("peaks"), self.common_share, count=1)

        def impulses(count: int) -> Draw:
            def draw() -> FloatArray:
                out = np.zeros((count, n_channels))
                # Poisson over a block: how many, then where.
                number = times.poisson(self.rate_per_min / 60.0 * count / rate_hz)
                for at in times.integers(count, size=number):
                    out[at] += self.amplitude_uV * peaks()[0]
                return out

            return draw

        return filtered(impulses, np.roll(kernel, length // 2))

    def _spectrum(self, frequency_hz: NDArray[Any]) -> FloatArray:
        """Fourier transform of a pulse of peak 1, in s."""

        def gaussian(width_hz: float) -> FloatArray:
            return np.asarray(np.exp(-((frequency_hz / width_hz) ** 2) * np.log(2.0) / 2.0))

        # The integral of exp(-(f/w)**2 ln(2)/2) over all f is w sqrt(2 pi/ln 2).
        peak = (self.high_hz - self.low_hz) * np.sqrt(2.0 * np.pi / np.log(2.0))
        return np.asarray((gaussian(self.high_hz) - gaussian(self.low_hz)) / peak)


def wander(n_channels: int, rate_hz: float, time_constant_s: float, rng: Streams, share: float) -> Draw:
    """Blocks of stationary Ornstein-Uhlenbeck processes of variance 1."""
    from scipy.signal import lfilter

    keep = float(np.exp(-1.0 / (rate_hz * time_constant_s)))
    white = normals(n_channels, rng, share)
    state = {"last": normals(n_channels, rng.child("start"), share, count=1)()}

    def draw() -> FloatArray:
        drive = np.sqrt(1.0 - keep**2) * white()
        out, _ = lfilter([1.0], [1.0, -keep], drive, axis=0, zi=keep * state["last"])
        state["last"] = out[-1:].copy()
        return np.asarray(out)

    return draw


@final
@dataclass(frozen=True, kw_only=True)
class ElectrodeDrift(NoisePart):
    """Slow wander of the electrodes' offset: an Ornstein-Uhlenbeck process on each channel.

    Parameters
    ----------
    rms_uV : float
    time_constant_s : float
        After which the correlation has fallen to 1/e.
    common_share : float
        Share of the power that all channels have in common.
    """

    rms_uV: float = number(at_least=0.0, help="root mean square")
    time_constant_s: float = number(10.0, above=0.0, help="time constant of the correlation")
    common_share: float = number(0.0, at_least=0.0, at_most=1.0, help="share common to all channels")

    @property
    def power_uV2(self) -> float:
        """Expected mean square of a channel."""
        return float(self.rms_uV**2)

    def scaled(self, factor: float) -> ElectrodeDrift:
        """Return the same noise, `factor` times as large."""
        changed: ElectrodeDrift = self.replace(rms_uV=self.rms_uV * factor)
        return changed

    def psd(self, frequency_hz: FloatArray, rate_hz: float) -> FloatArray:
        """One-sided power spectral density of the sampled process (a Lorentzian far below the rate)."""
        keep = np.exp(-1.0 / (rate_hz * self.time_constant_s))
        turn = np.cos(2 * np.pi * np.asarray(frequency_hz) / rate_hz)
        density = (1.0 - keep**2) / (1.0 - 2.0 * keep * turn + keep**2)
        return np.asarray(2.0 * self.rms_uV**2 / rate_hz * density)

    def blocks(self, n_channels: int, rate_hz: float, rng: Streams) -> Draw:
        """Return a function that gives consecutive blocks."""
        draw = wander(n_channels, rate_hz, self.time_constant_s, rng, self.common_share)
        return lambda: self.rms_uV * draw()


@final
@dataclass(frozen=True, kw_only=True)
class GainDrift(Parameters):
    """Slow change of each channel's gain, as of a contact that dries: exp of an Ornstein-Uhlenbeck process.

    Parameters
    ----------
    spread : float
        Standard deviation of the logarithm of the gain, whose median is 1.
    time_constant_s : float
    """

    spread: float = number(at_least=0.0, help="SD of the logarithm of the gain")
    time_constant_s: float = number(30.0, above=0.0, help="time constant of the correlation")

    def blocks(self, n_channels: int, rate_hz: float, rng: Streams) -> Draw:
        """Return a function that gives consecutive blocks of gains."""
        draw = wander(n_channels, rate_hz, self.time_constant_s, rng, 0.0)
        return lambda: np.exp(self.spread * draw())
