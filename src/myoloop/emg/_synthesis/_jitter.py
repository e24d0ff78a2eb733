"""Neuromuscular jitter: every discharge of a unit looks a little different."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...data import ActionPotentials
from ...errors import ParameterError
from ...parameters import Parameters, number

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class DischargeJitter(Parameters):
    r"""Random shape of each discharge, from delays of single fibres that vary independently.

    With delays d_f ~ N(0, s**2) a unit's potential is sum_f phi_f(t - d_f). Its mean is the potential
    convolved with the Gaussian of s. To first order it varies about it by -sum_f d_f phi_f'(t), a Gaussian
    waveform of covariance s**2 sum_f phi_f' phi_f'^T. No fibre's own potential is needed to draw from it:
    with P variations B_p = s sum_f g_pf phi_f'(t), g_pf ~ N(0, 1) drawn once, a discharge adds
    P**-0.5 sum_p x_p B_p, x_p ~ N(0, 1), whose covariance (1/P) sum_p B_p B_p^T is an unbiased estimate
    of the wanted one, with a standard deviation of about sqrt(2/P) of it at each place and far less in
    sums over places and units.

    The first order holds while 2 pi f s is small. With variations of `of_sketch`, which smooths them by
    s/sqrt(2), the power at frequency f is within 1 % of the exact one, 1 - exp(-(2 pi f s)**2), up to
    2 pi f s = 0.7 (s = 220 us at 500 Hz) and within 5 % up to 1.05; unsmoothed, the error is
    (2 pi f s)**2/2: .6 % for 35 us at 500 Hz, 5 % for 100 us. The whole covariance errs (Frobenius norm,
    fibres whose spectra peak at 265 Hz) by .2 % at 35 us, 3 % at 140 us, 9 % at 280 us and 20 % at 560 us;
    unsmoothed by .5, 9, 33 and 130 %. So the first order breaks down from some 300 us on, far above
    healthy jitter.

    Parameters
    ----------
    sd_us : float
        Standard deviation s of a fibre's delay.
    variations_uV : ndarray, shape (units, P, channels, samples)
        B_p of each unit at the rate and start of the potentials; differentiated and scaled.

    References
    ----------
    Stålberg, Trontelj (1994), Single Fiber Electromyography (jitter). Woodruff (2014), Sketching as a tool
    for numerical linear algebra, Found Trends Theor Comput Sci 10:1 (random sketches).
    """

    sd_us: float = number(35.0, above=0.0, help="standard deviation of a fibre's delay")
    variations_uV: NDArray[Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        values = np.asarray(self.variations_uV)
        if values.ndim != 4 or 0 in values.shape or values.dtype.kind not in "iuf":
            raise ParameterError(
                "DischargeJitter.variations_uV",
                f"{values.dtype} of shape {values.shape}",
                "give (units, variations, channels, samples)",
            )
        if not np.all(np.isfinite(values)):
            raise ParameterError("DischargeJitter.variations_uV", "NaN or infinite values", "mend them")
        object.__setattr__(self, "variations_uV", values)

    @classmethod
    def of_sketch(cls, sketch: NDArray[Any], rate_hz: float, sd_us: float = 35.0) -> DischargeJitter:
        """Jitter from potentials of the same fibres with random weights.

        Parameters
        ----------
        sketch : ndarray, shape (units, P, channels, samples)
            In uV: sum_f g_pf phi_f(t), g_pf ~ N(0, 1) for each fibre and p; begins and ends near 0.
        rate_hz : float
            Sampling rate.
        sd_us : float
            Standard deviation of a fibre's delay.

        Returns
        -------
        DischargeJitter
            With the sketch differentiated, smoothed by sd_us/sqrt(2) and multiplied by it.
        """
        checked = cls(sd_us=sd_us, variations_uV=np.asarray(sketch))
        sd_s = checked.sd_us * 1e-6

        def response(omega: FloatArray) -> Any:
            return 1j * omega * sd_s * np.exp(-((omega * sd_s) ** 2) / 4.0)

        return cls(sd_us=sd_us, variations_uV=_filtered(checked.variations_uV, rate_hz, response))

    def mean(self, potentials: ActionPotentials) -> NDArray[np.float32]:
        """Mean potential of a discharge: convolved with the Gaussian of `sd_us`; shape as given."""
        sd_s = self.sd_us * 1e-6
        return _filtered(
            potentials.values_uV, potentials.rate_hz, lambda omega: np.exp(-((omega * sd_s) ** 2) / 2.0)
        )

    def check(self, potentials: ActionPotentials) -> None:
        """Raise ParameterError where the variations do not fit `potentials`."""
        units, channels, samples = potentials.values_uV.shape
        given = self.variations_uV.shape
        if (given[0], *given[2:]) != (units, channels, samples):
            raise ParameterError(
                "DischargeJitter.variations_uV",
                f"shape {given} for {units} units, {channels} channels and {samples} samples",
                f"give ({units}, variations, {channels}, {samples})",
            )


def _filtered(values: NDArray[Any], rate_hz: float, response: Any) -> NDArray[np.float32]:
    """`values` through a frequency response, along the last axis, unit by unit."""
    samples = values.shape[-1]
    padded = 2 * samples
    gain = response(2 * np.pi * np.fft.rfftfreq(padded, 1.0 / rate_hz))
    if padded % 2 == 0:
        gain = gain.copy()
        gain[-1] = gain[-1].real  # what is at the Nyquist frequency has no phase
    out = np.empty(values.shape, dtype=np.float32)
    for unit, one in enumerate(values):
        spectrum = np.fft.rfft(one, padded, axis=-1)
        out[unit] = np.fft.irfft(spectrum * gain, padded, axis=-1)[..., :samples]
    return out
