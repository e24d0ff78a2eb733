"""What the electrodes sense of a current in a fibre: the interface of every volume conductor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Electrodes
from ..parameters import Parameters

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class VolumeConductor(Parameters, ABC):
    """A piece of the body that conducts.

    The potential at a contact, of a current of 1 A that enters at distance y along a fibre, is the
    *kernel* g(y), even in y; its derivative r(y) = dg/dy is what the action potentials are made with.
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
    def kernel(
        self, y_mm: FloatArray, fibre_mm: FloatArray, contact: Any, point_mm: FloatArray
    ) -> FloatArray:
        """Evaluate g at the distances `y_mm`, in V/A, directly (slow, double precision).

        Parameters
        ----------
        y_mm : ndarray, shape (n,)
        fibre_mm : ndarray, shape (2,)
            x and y of the fibre.
        contact : Contact
        point_mm : ndarray, shape (3,)
            Position of the contact; its z plays no part.
        """

    @abstractmethod
    def line(self, electrodes: Electrodes, fibres: Any, reach_mm: float) -> LineResponse:
        """What `action_potentials` needs for these electrodes, prepared for distances up to `reach_mm`."""


class LineResponse(ABC):
    """Derivative of the kernel, ready to be summed over many fibres."""

    step_mm: float

    @abstractmethod
    def levels(self) -> tuple[float, ...]:
        """Steps along the fibre, in mm, at which `accumulate` works; each has its own sum."""

    @abstractmethod
    def accumulate(self, level: int, fibres: Any, chosen: Any, sums: Any) -> None:
        """Add what the fibres `chosen` give to `sums`, shape (contacts, steps along the fibre)."""
