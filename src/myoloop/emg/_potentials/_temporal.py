"""From sums along the fibre to time: the source that passes by, and the amplifier."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from ._amplifier import Amplifier
from ._source import ActionPotentialShape

FloatArray = NDArray[np.float64]

_MOST_BYTES = 2**27
_FINENESS = 48  # nodes to a wave of the low-pass's frequency: the cubic between them errs by 1e-5


@final
class Temporal:
    """Matrices that take sums on the grid along the fibre to samples in time.

    At velocity v the node s of the grid gives kappa(v t - s), with kappa the source's gradient convolved
    with the cardinal function of the cubic between nodes and with the amplifier's response.

    Parameters
    ----------
    shape : ActionPotentialShape
    amplifier : Amplifier
    rate_hz : float
        Sampling rate.
    step_mm : float
        Of the grid along the fibre.
    longest_mm : float
        From endplate to tendon, at most.
    velocities : ndarray
        All velocities that will be asked for, in m/s.
    """

    def __init__(
        self,
        shape: ActionPotentialShape,
        amplifier: Amplifier,
        rate_hz: float,
        step_mm: float,
        longest_mm: float,
        velocities: FloatArray,
    ) -> None:
        slowest, fastest = float(np.min(velocities)), float(np.max(velocities))
        self._amplifier, self._rate, self._step = amplifier, rate_hz, step_mm
        self._span = np.log(fastest / slowest)
        self._known: dict[int, NDArray[np.float32]] | None = None
        self.n_steps = int(np.ceil(longest_mm / step_mm)) + 4
        before = int(np.ceil(amplifier.spread_s * rate_hz))
        lasting_s = (longest_mm + shape.extent_mm) / (1e3 * slowest) + amplifier.spread_s
        self.t_start_s = -before / rate_hz
        self.n_samples = before + int(np.ceil(lasting_s * rate_hz)) + 1
        # kappa lives between these distances behind the front; further out is empty room for the FFT.
        margin = 1e3 * fastest * amplifier.spread_s
        self._first = -2.5 * margin
        self._dx = 1e3 * slowest / (amplifier.low_pass_hz * _FINENESS)
        length = shape.extent_mm + 5.0 * margin + 4.0 * step_mm
        from scipy.fft import next_fast_len

        self._nodes = int(next_fast_len(int(np.ceil(length / self._dx)), real=True))

        self._q = np.asarray(2.0 * np.pi * np.fft.rfftfreq(self._nodes, self._dx), dtype=np.float64)
        self._spectrum = (
            shape.spectrum(self._q)
            * _cardinal_spectrum(self._q, step_mm)
            * np.exp(1j * self._q * self._first)
            / self._dx
        )

    def matrix(self, velocity: float) -> NDArray[np.float32]:
        """kappa(v t - s) in V, shape (steps, samples)."""
        if self._known is None:
            return self._exact(velocity)
        place = np.log(velocity) / self._width
        low = int(np.floor(place))
        for index in (low, low + 1):
            if index not in self._known:
                self._known[index] = self._exact(float(np.exp(index * self._width)))
        share = np.float32(place - low)
        return np.asarray((1 - share) * self._known[low] + share * self._known[low + 1])

    def expect(self, matrices: int, width: float) -> None:
        """Make matrices by mixing those of a grid of ln velocity, where that saves work and fits in memory.

        Parameters
        ----------
        matrices : int
            How many different ones will be asked for.
        width : float
            Step of the grid.
        """
        grid = int(np.ceil(self._span / width)) + 2
        fits = 4 * grid * self.n_steps * self.n_samples < _MOST_BYTES
        self._known, self._width = ({}, width) if fits and matrices > 2 * grid else (None, width)

    def _exact(self, velocity: float) -> NDArray[np.float32]:
        from .._kernels import sample_travelling

        gain = self._amplifier.gain(np.asarray(1e3 * velocity * self._q / (2.0 * np.pi)))
        kappa = np.fft.irfft(self._spectrum * gain, self._nodes).astype(np.float32)
        out = np.empty((self.n_steps, self.n_samples), dtype=np.float32)
        per_sample = 1e3 * velocity / self._rate / self._dx
        first = (1e3 * velocity * self.t_start_s - self._first) / self._dx
        sample_travelling(kappa, first, per_sample, self._step / self._dx, out)
        return out


def _cardinal_spectrum(q: FloatArray, step: float) -> FloatArray:
    """Fourier transform of the function that is 1 at one node and the cubic through four others between."""
    x, w = np.polynomial.legendre.leggauss(24)
    x, w = (x + 1.0) / 2.0, w / 2.0
    inner = (1.0 - x**2) * (2.0 - x) / 2.0  # between 0 and 1
    outer = -x * (1.0 - x) * (2.0 - x) / 6.0  # between 1 and 2, x from 1
    near = np.cos(np.outer(q * step, x)) @ (w * inner)
    far = np.cos(np.outer(q * step, 1.0 + x)) @ (w * outer)
    return np.asarray(2.0 * step * (near + far))
