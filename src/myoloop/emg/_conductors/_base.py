"""What the electrodes sense of a current in a fibre: the interface of every volume conductor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...data import Electrodes
from ...parameters import Parameters
from .._anatomy._fibres import MuscleFibres

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class VolumeConductor(Parameters, ABC):
    """A piece of the body that conducts.

    A current of 1 A that enters at distance y along a fibre gives a contact the potential g(y), the
    *kernel*, even in y. Action potentials are made with its derivative r(y) = dg/dy.
    """

    @abstractmethod
    def check_fibres(self, x_mm: FloatArray, y_mm: FloatArray) -> None:
        """Raise a ParameterError that names the first fibre outside the muscle."""

    @abstractmethod
    def check_electrodes(self, electrodes: Electrodes) -> None:
        """Raise a ParameterError that names the first contact where none can be."""

    @abstractmethod
    def on_skin(self, across_mm: FloatArray, along_mm: FloatArray) -> FloatArray:
        """Points of the skin, shape (n, 3), at a distance across the fibres (an arc) and along them.

        Conductors without a skin refuse.
        """

    @abstractmethod
    def moved(self, points_mm: FloatArray, across_mm: float, along_mm: float) -> FloatArray:
        """Contacts, shape (n, 3), after a shift across the fibres (along the skin, if any) and along them."""

    @abstractmethod
    def line(self, electrodes: Electrodes, fibres: MuscleFibres, reach_mm: float) -> LineResponse:
        """Derivative of the kernel of each contact, ready for distances up to `reach_mm` along the fibres."""


class LineResponse(ABC):
    """Derivative of the kernel, ready to be summed over many fibres.

    Sums are on a grid along the fibre: 0, 1, 2 ... steps of `step_mm` from the endplate.
    """

    step_mm: float
    n_contacts: int

    @abstractmethod
    def accumulate(self, chosen: IntArray, factor: FloatArray, sums: NDArray[np.float32]) -> None:
        """Add the fibres `chosen` (indices), each times its `factor`, to `sums`.

        Parameters
        ----------
        chosen : ndarray of int, shape (n,)
        factor : ndarray, shape (n,)
        sums : ndarray of float32, shape (contacts, steps)
            At step s, -pi (d/2)^2 {w1 r(s - zeta) + w2 r(s + zeta)} is added in mm V/A; zeta is the
            distance from endplate to contact, w1 and w2 the weights of the integrals over both halves.
        """
