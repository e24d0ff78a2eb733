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
    """Vm(z) = 96 z^3 exp(-z) - 90 mV, z in mm behind the front.

    References
    ----------
    Rosenfalck (1969), Acta Physiol Scand Suppl 321; Farina, Merletti (2001), IEEE Trans Biomed Eng
    48:637, Eqs. 1-3.
    """

    amplitude_mV: float = number(96.0, above=0)

    @property
    def extent_mm(self) -> float:
        """Where z^3 exp(-z) has vanished."""
        return 20.0

    def gradient(self, behind_mm: FloatArray) -> FloatArray:
        """-A (3 z^2 - z^3) exp(-z) for z > 0: the potential falls towards the front."""
        z = np.maximum(behind_mm, 0.0)
        return np.asarray(-1e-3 * self.amplitude_mV * (3.0 - z) * z**2 * np.exp(-z))

    def spectrum(self, wavenumber: FloatArray) -> ComplexArray:
        """-6 A j q/(1 + j q)^4."""
        jq = 1j * np.asarray(wavenumber)
        return np.asarray(-6e-3 * self.amplitude_mV * jq / (1.0 + jq) ** 4)
