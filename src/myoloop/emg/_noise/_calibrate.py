"""Noise like that of a user's own recording, from its part at rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import Recording
from ...errors import ParameterError
from ...parameters import number
from ._base import FloatArray, NoisePart, ascending_band, below_nyquist
from ._noise import Noise
from ._parts import ColouredNoise, Mains, WhiteNoise

_SEGMENTS = 4  # non-overlapping segments that a baseline must hold
_PERIODS = 4  # of the lowest frequency in a segment
_SEARCH_HZ = 0.5  # how far mains may be off its nominal frequency
_LINE_ABOVE = 10.0  # mean power of a line over that of the noise beneath it
_BETTER_BY = 10.0  # twice the log-likelihood that a part of the noise must add to be kept


def fit_noise(
    baseline: Any,
    rate_hz: float | None = None,
    *,
    mains_hz: float | None = None,
    low_hz: float = 10.0,
    high_hz: float | None = None,
    harmonics: int = 10,
) -> Noise:
    """Fit white noise, 1/f**a noise and mains to a recording at rest.

    Mains is fitted first, as sines at its frequency (searched within .5 Hz) and its multiples, in least
    squares on each channel; lines below ten times the power of the noise beneath them are left out. Then
    the power spectral density, by Welch's method and over all good channels, is fitted as that of a
    `WhiteNoise` plus a `ColouredNoise` with its corner at `low_hz`, by maximum (Whittle) likelihood
    without the bins of mains. A part that the spectrum does not call for is left out. What the channels'
    cross-spectra say gives the share of each that is common to all channels.

    From 10 s of 64 channels, levels come out within 5 %, the exponent and the shares within .1 (from 2 s:
    10 %, .2). Levels are those of the mean channel. A filter of the amplifier within the band would bend
    the fit, so let the band end where the amplifier's does.

    Parameters
    ----------
    baseline : Recording or ndarray, shape (channels, samples)
        In uV, at rest. Bad channels of a Recording are left out.
    rate_hz : float, optional
        Of an array.
    mains_hz : float, optional
        50 or 60; None where there is no mains to fit.
    low_hz, high_hz : float
        Band of the fit; `high_hz` is .45 of the rate unless it is given.
    harmonics : int
        Number of multiples of mains to look for, from 1 (itself) on.

    Returns
    -------
    Noise

    Raises
    ------
    ParameterError
        A baseline shorter than 16 periods of `low_hz`, with NaN or a constant channel, or a band that is
        empty or beyond the Nyquist frequency.

    References
    ----------
    Welch (1967), IEEE Trans Audio Electroacoust 15:70. Whittle (1953), Ark Mat 2:423.
    """
    values, rate = _checked(baseline, rate_hz)
    low = _number(low_hz, "fit_noise.low_hz", above=0.0)
    high = 0.45 * rate if high_hz is None else _number(high_hz, "fit_noise.high_hz", above=0.0)
    ascending_band("fit_noise", low, high)
    below_nyquist("fit_noise.high_hz", high, rate)
    segment = int(np.ceil(_PERIODS * rate / low))
    if values.shape[1] < _SEGMENTS * segment:
        raise ParameterError(
            "fit_noise.baseline",
            f"{values.shape[1] / rate:.3g} s is too short to tell noise from {low:g} Hz on",
            f"give {_SEGMENTS * segment / rate:.3g} s or more, or a higher low_hz",
        )
    values = values - values.mean(axis=1, keepdims=True)
    lines = _Lines.none()
    if mains_hz is not None:
        nominal = _number(mains_hz, "fit_noise.mains_hz", above=0.0)
        below_nyquist("fit_noise.mains_hz", nominal + _SEARCH_HZ, rate)
        lines = _Lines.fit(values, rate, nominal, max(1, int(harmonics)))
        values = values - lines.signal(values.shape[1], rate)
    spectra = _spectra(values, rate, segment)
    used = (spectra.frequency_hz >= low) & (spectra.frequency_hz <= high)
    for frequency in lines.frequencies_hz:
        used &= np.abs(spectra.frequency_hz - frequency) > 2.5 * rate / segment
    if np.sum(used) < 8:
        raise ParameterError(
            "fit_noise.low_hz",
            f"{np.sum(used)} bins of the spectrum from {low:g} to {high:g} Hz are free of mains",
            "give a wider band",
        )
    parts = _fit_parts(spectra, used, low, rate)
    parts += lines.parts(Noise(parts=parts), rate, values.shape[1])
    return Noise(parts=parts)


@dataclass(frozen=True)
class _Lines:
    """Sines on each channel: `amplitudes`, complex, shape (lines, channels)."""

    frequencies_hz: FloatArray
    amplitudes: NDArray[np.complex128]

    @classmethod
    def none(cls) -> _Lines:
        return cls(np.empty(0), np.empty((0, 0), dtype=np.complex128))

    @classmethod
    def fit(cls, values: FloatArray, rate: float, nominal: float, harmonics: int) -> _Lines:
        orders = np.arange(1, harmonics + 1)
        orders = orders[orders * (nominal + _SEARCH_HZ) < rate / 2]
        frequencies = np.asarray(orders * _mains_frequency(values, rate, nominal, orders), dtype=np.float64)
        angle = 2 * np.pi * np.outer(np.arange(values.shape[1]) / rate, frequencies)
        design = np.hstack([np.cos(angle), np.sin(angle)])
        solved = np.linalg.solve(design.T @ design, design.T @ values.T)
        n = len(frequencies)
        return cls(frequencies, solved[:n] - 1j * solved[n:])

    def signal(self, samples: int, rate: float) -> FloatArray:
        angle = 2 * np.pi * np.outer(np.arange(samples) / rate, self.frequencies_hz)
        return np.asarray((np.exp(1j * angle) @ self.amplitudes).real.T)

    def parts(self, noise: Noise, rate: float, samples: int) -> tuple[NoisePart, ...]:
        """Mains with those lines that stand out, free of what the noise adds to their power."""
        if len(self.frequencies_hz) == 0:
            return ()
        beneath = 2.0 * noise.psd(self.frequencies_hz, rate) * rate / samples
        power = np.mean(np.abs(self.amplitudes) ** 2, axis=1)
        kept = power > _LINE_ABOVE * beneath
        if not np.any(kept):
            return ()
        amplitudes = np.sqrt(np.where(kept, np.maximum(power - beneath, 0.0), 0.0))
        strongest = int(np.argmax(amplitudes))
        last = int(np.flatnonzero(kept)[-1])
        spread = float(np.std(np.log(np.abs(self.amplitudes[strongest]))))
        return (
            Mains(
                amplitudes_uV=tuple(amplitudes[: last + 1]),
                frequency_hz=float(self.frequencies_hz[0]),
                gain_spread=spread,
            ),
        )


def _mains_frequency(values: FloatArray, rate: float, nominal: float, orders: NDArray[np.int64]) -> float:
    """Frequency near `nominal` at the strongest of its multiples, by interpolation of the spectrum's peak."""
    samples = values.shape[1]
    size = 4 << (samples - 1).bit_length()
    window = np.hanning(samples)
    power = np.zeros(size // 2 + 1)
    for channel in values:
        power += np.abs(np.fft.rfft(channel * window, size)) ** 2
    best_power, best = -1.0, nominal
    for order in orders:
        low, high = (
            int(np.rint(order * f * size / rate)) for f in (nominal - _SEARCH_HZ, nominal + _SEARCH_HZ)
        )
        peak = max(1, low) + int(np.argmax(power[max(1, low) : high + 1]))
        left, middle, right = np.log(power[peak - 1 : peak + 2])
        bend = left - 2 * middle + right
        if power[peak] > best_power:
            shift = float(np.clip(0.5 * (left - right) / bend, -1, 1)) if bend < 0 else 0.0
            best_power, best = power[peak], (peak + shift) * rate / size / order
    return float(np.clip(best, nominal - _SEARCH_HZ, nominal + _SEARCH_HZ))


@dataclass(frozen=True)
class _Spectra:
    """Densities of the mean channel and, where there are two channels or more, between them."""

    frequency_hz: FloatArray
    own: FloatArray
    between: FloatArray | None
    segments: float


def _spectra(values: FloatArray, rate: float, segment: int) -> _Spectra:
    from scipy.signal import welch

    how = {"fs": rate, "window": "hann", "nperseg": segment, "noverlap": segment // 2}
    frequency, each = welch(values, **how)
    n = len(values)
    between = None
    if n > 1:  # the mean of channels holds all pairs, and each with itself
        mean = welch(values.mean(axis=0), **how)[1]
        between = (n * mean - each.mean(axis=0)) / (n - 1)
    return _Spectra(frequency, each.mean(axis=0), between, values.shape[1] / segment)


def _fit_parts(spectra: _Spectra, used: NDArray[np.bool_], low: float, rate: float) -> tuple[NoisePart, ...]:
    frequency, seen = spectra.frequency_hz[used], spectra.own[used]
    fits = [
        _whittle(frequency, seen, low, white, coloured)
        for white, coloured in ((True, False), (False, True), (True, True))
    ]
    best = min(fits[:2], key=lambda fit: fit[0])
    if 2 * spectra.segments * (best[0] - fits[2][0]) > _BETTER_BY:
        best = fits[2]
    _, white_level, coloured_level, exponent = best
    shape = (1.0 + (frequency / low) ** 2) ** (-exponent / 2.0)
    shares = _shares(spectra, used, white_level, coloured_level * shape)
    parts: tuple[NoisePart, ...] = ()
    if white_level > 0:
        parts += (WhiteNoise(rms_uV=float(np.sqrt(white_level * rate / 2)), common_share=shares[0]),)
    if coloured_level > 0:
        unit = ColouredNoise(rms_uV=1.0, exponent=exponent, low_hz=low, common_share=shares[1])
        parts += (unit.scaled(float(np.sqrt(coloured_level / unit.psd(np.zeros(1), rate)[0]))),)
    return parts


def _whittle(
    frequency: FloatArray, seen: FloatArray, low: float, white: bool, coloured: bool
) -> tuple[float, float, float, float]:
    """Negative log-likelihood of one segment, white density, coloured density at 0 Hz, exponent."""
    from scipy.optimize import minimize

    scale = float(np.median(seen))
    steep = np.log1p((frequency / low) ** 2) / 2.0

    def model(x: FloatArray) -> tuple[float, float, float]:
        return (np.exp(x[0]) if white else 0.0), (np.exp(x[1]) if coloured else 0.0), float(x[2])

    def loss(x: FloatArray) -> float:
        w, c, a = model(x)
        expected = w + c * np.exp(-a * steep)
        return float(np.sum(seen / scale / expected + np.log(expected)))

    bounds = [(-12.0, 12.0), (-12.0, 20.0), (0.1, 4.0)]
    starts = (0.5, 1.0, 2.0) if coloured else (1.0,)
    found = [
        minimize(loss, np.array([0.0, a * float(np.median(steep)), a]), bounds=bounds, method="L-BFGS-B")
        for a in starts
    ]
    best = min(found, key=lambda result: float(result.fun))
    w, c, a = model(best.x)
    return float(best.fun), w * scale, c * scale, a


def _shares(
    spectra: _Spectra, used: NDArray[np.bool_], white: float, coloured: FloatArray
) -> tuple[float, float]:
    """Share common to all channels, of the white and of the coloured noise; 0 for one channel."""
    if spectra.between is None:
        return 0.0, 0.0
    total = white + coloured
    design = np.column_stack([np.full(len(coloured), white), coloured]) / total[:, None]
    shares = np.linalg.lstsq(design, spectra.between[used] / total, rcond=None)[0]
    return float(np.clip(shares[0], 0.0, 1.0)), float(np.clip(shares[1], 0.0, 1.0))


def _checked(baseline: Any, rate_hz: float | None) -> tuple[FloatArray, float]:
    if isinstance(baseline, Recording):
        assert baseline.bad is not None
        values, rate = baseline.values_uV[~baseline.bad], baseline.rate_hz
        if rate_hz is not None and rate_hz != rate:
            raise ParameterError(
                "fit_noise.rate_hz", f"{rate_hz:g} for a recording at {rate:g}", "leave it out"
            )
    else:
        if rate_hz is None:
            raise ParameterError(
                "fit_noise.rate_hz", "none was given with an array", "give the sampling rate"
            )
        values, rate = np.asarray(baseline), _number(rate_hz, "fit_noise.rate_hz", above=0.0)
    if values.ndim != 2 or 0 in values.shape or values.dtype.kind not in "iuf":
        raise ParameterError(
            "fit_noise.baseline", f"{values.dtype} of shape {values.shape}", "give (channels, samples) in uV"
        )
    if not np.all(np.isfinite(values)):
        raise ParameterError("fit_noise.baseline", "NaN or infinite samples", "cut them out")
    flat = np.ptp(values, axis=1) == 0
    if np.any(flat):
        raise ParameterError(
            "fit_noise.baseline",
            f"channel {int(np.argmax(flat))} is constant",
            "leave dead channels out, or mark them as bad",
        )
    return values.astype(np.float64), rate


def _number(value: Any, field: str, **bounds: Any) -> float:
    return float(number(**bounds).metadata["check"](value, None, field))
