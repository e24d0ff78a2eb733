"""The membrane's action potential, which the current of a fibre follows from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...parameters import Parameters, number

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True)
class ActionPotentialShape(Parameters, ABC):
    """An intracellular action potential that travels without change.

    With psi(z) the spatial derivative of the membrane potential behind the front, the current that enters
    the tissue per length is sigma_i pi (d/2)^2 d/dz{psi p1 - psi p2}: it is generated at the endplate,
    travels both ways, and is extinguished at the tendons; its sum is 0 at all times. Integrated by
    parts, the potential at a contact is

        phi(t) = -sigma_i pi (d/2)^2 {int_0^L1 h(v t - s) r(s - zeta) ds + int_0^L2 h(v t - s) r(s + zeta) ds}

    with zeta the distance from endplate to contact, r the derivative of the conductor's kernel, and h the
    gradient of the potential behind the front.

    Parameters
    ----------
    intracellular_S_per_m : float
        Conductivity sigma_i of the inside of a fibre.
    """

    intracellular_S_per_m: float = number(1.01, above=0)

    @property
    @abstractmethod
    def extent_mm(self) -> float:
        """Distance behind the front beyond which nothing is left (1e-4 of the greatest gradient)."""

    @abstractmethod
    def gradient(self, behind_mm: FloatArray) -> FloatArray:
        """Gradient h of the potential in V/mm at a distance behind the front, 0 before it."""

    @abstractmethod
    def spectrum(self, wavenumber: FloatArray) -> ComplexArray:
        """Fourier transform int h(w) exp(-j q w) dw in V, at q in rad/mm."""


@final
@dataclass(frozen=True, kw_only=True)
class Rosenfalck(ActionPotentialShape):
    """Vm(z) = A (z/l)^3 exp(-z/l) - 90 mV, z the distance behind the front.

    With the published length of 1 mm, the potential of a single fibre close by has its spectral peak near
    500 Hz at 4 m/s, with 0.3 mm near 1500 Hz. Single-fibre recordings of biceps peak near 1600 Hz.

    Parameters
    ----------
    amplitude_mV : float
        A; the peak above rest is 1.34 A.
    length_mm : float
        l, the scale of length.

    References
    ----------
    Rosenfalck (1969), Acta Physiol Scand Suppl 321; Farina, Merletti (2001), IEEE Trans Biomed Eng
    48:637, Eqs. 1-3, with A = 96 mV and 1/l = 1/mm. Spectra of single fibres: Electroencephalogr Clin
    Neurophysiol (1975), doi 10.1016/0013-4694(75)90100-5.
    """

    amplitude_mV: float = number(96.0, above=0)
    length_mm: float = number(1.0, above=0)

    @property
    def extent_mm(self) -> float:
        """Where z^3 exp(-z) has vanished."""
        return 20.0 * self.length_mm

    def gradient(self, behind_mm: FloatArray) -> FloatArray:
        """-A/l (3 u^2 - u^3) exp(-u), u = z/l > 0: the potential falls towards the front."""
        u = np.maximum(behind_mm, 0.0) / self.length_mm
        return np.asarray(-1e-3 * self.amplitude_mV / self.length_mm * (3.0 - u) * u**2 * np.exp(-u))

    def spectrum(self, wavenumber: FloatArray) -> ComplexArray:
        """-6 A j q l/(1 + j q l)^4."""
        jq = 1j * self.length_mm * np.asarray(wavenumber)
        return np.asarray(-6e-3 * self.amplitude_mV * jq / (1.0 + jq) ** 4)
