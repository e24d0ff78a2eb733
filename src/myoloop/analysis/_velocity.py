"""Conduction velocity from potentials along the fibres."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_TRIALS = 400  # delays tried before the best is refined


def conduction_velocity(
    signals: ArrayLike,
    rate_hz: float,
    pitch_mm: float,
    *,
    bounds_m_per_s: tuple[float, float] = (1.0, 15.0),
) -> float:
    """Conduction velocity of a potential that travels along equally spaced channels.

    The delay between neighbours that makes the sum of the aligned channels largest is the maximum-
    likelihood estimate for equal shapes and white noise. It is found in the frequency domain, so it is
    not bound to whole samples. Both directions of travel are tried.

    Parameters
    ----------
    signals : array-like, shape (channels, samples)
        At least two channels in order along the fibres, between endplate and tendon.
    rate_hz : float
        Sampling rate.
    pitch_mm : float
        Distance of neighbouring channels.
    bounds_m_per_s : tuple of float
        Velocities tried, both above 0.

    Returns
    -------
    float
        In m/s; negative where the potential travels from the last channel to the first.

    Raises
    ------
    ParameterError
        Fewer than two channels, NaN samples, channels without signal.

    References
    ----------
    Farina, Muhammad, Fortunato, Meste, Merletti, Rix (2001), Med Biol Eng Comput 39:225, Eq. 7.
    """
    values = np.asarray(signals, dtype=float)
    slowest, fastest = bounds_m_per_s
    if values.ndim != 2 or len(values) < 2 or values.shape[1] < 8:
        raise ParameterError(
            "conduction_velocity.signals", f"shape {values.shape}", "give 2 channels and 8 samples or more"
        )
    if not np.all(np.isfinite(values)) or not values.any():
        raise ParameterError("conduction_velocity.signals", "NaN, or zeros only", "give a potential")
    for name, given in (("rate_hz", rate_hz), ("pitch_mm", pitch_mm), ("bounds_m_per_s", slowest)):
        if not (np.isfinite(given) and given > 0):
            raise ParameterError(f"conduction_velocity.{name}", f"{given:g} was given", "give values above 0")
    if not fastest > slowest:
        raise ParameterError(
            "conduction_velocity.bounds_m_per_s", f"{slowest:g} to {fastest:g}", "give the lower one first"
        )
    spectra, omega = _spectra(values, rate_hz, 1e-3 * pitch_mm / slowest)
    trials = 1e-3 * pitch_mm / np.geomspace(fastest, slowest, _TRIALS)
    trials = np.concatenate([-trials[::-1], trials])
    power = _aligned_power(spectra, omega, trials)
    best = int(np.argmax(power))
    delay = trials[best]
    step = np.abs(np.diff(trials[max(0, best - 1) : best + 2])).max()
    for _ in range(25):
        nearby = delay + step * np.linspace(-1.0, 1.0, 9)
        delay = nearby[int(np.argmax(_aligned_power(spectra, omega, nearby)))]
        step /= 3.0
    return float(1e-3 * pitch_mm / delay)


def _spectra(values: FloatArray, rate_hz: float, longest_s: float) -> tuple[ComplexArray, FloatArray]:
    """Spectra of the channels, padded so that no delay wraps around, and their angular frequencies."""
    samples = values.shape[1] + int(np.ceil(len(values) * longest_s * rate_hz))
    padded = 1 << int(np.ceil(np.log2(samples)))
    omega = np.asarray(2.0 * np.pi * np.fft.rfftfreq(padded, 1.0 / rate_hz), dtype=np.float64)
    return np.fft.rfft(values, padded, axis=1), omega


def _aligned_power(spectra: ComplexArray, omega: FloatArray, delays_s: FloatArray) -> FloatArray:
    """Power of the sum of the channels, each advanced by its delay."""
    place = np.arange(len(spectra)) - (len(spectra) - 1) / 2.0
    turns = np.exp(1j * delays_s[:, None, None] * place[:, None] * omega)
    return np.asarray(np.sum(np.abs(np.sum(turns * spectra, axis=1)) ** 2, axis=1))
