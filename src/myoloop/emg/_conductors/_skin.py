"""Conductors with a skin: their kernel is tabulated over depth, distance across, and distance along."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...data import Contact, Electrodes
from ...errors import ParameterError
from ...parameters import number
from .._anatomy._fibres import MuscleFibres
from ._base import LineResponse, VolumeConductor

if TYPE_CHECKING:
    from ._table import Frequencies

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SkinConductor(VolumeConductor):
    """Muscle under fat and skin.

    Parameters
    ----------
    fat_mm, skin_mm : float
        Thickness of each layer; 0 leaves it out. One of them must be above 0.
    muscle_radial_S_per_m, muscle_axial_S_per_m : float
        Conductivity of muscle across and along its fibres.
    fat_S_per_m, skin_S_per_m : float
        Conductivity of the isotropic tissues.
    """

    fat_mm: float = number(at_least=0)
    skin_mm: float = number(at_least=0)
    muscle_radial_S_per_m: float = number(0.09, above=0)
    muscle_axial_S_per_m: float = number(0.4, above=0)
    fat_S_per_m: float = number(0.0407, above=0)
    skin_S_per_m: float = number(4.88e-4, above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.cover_mm >= 0.1:
            raise ParameterError(
                f"{type(self).__name__}.fat_mm, skin_mm",
                f"{self.cover_mm:g} mm of fat and skin lie over the muscle",
                "give at least 0.1 mm in all: the potential is infinite at a fibre",
            )

    @property
    def cover_mm(self) -> float:
        """Thickness of what lies between muscle and air."""
        return self.fat_mm + self.skin_mm

    @property
    def stretch(self) -> float:
        """How much wider potentials are along the fibres than across: the root of the anisotropy."""
        return float(np.sqrt(self.muscle_axial_S_per_m / self.muscle_radial_S_per_m))

    def moved(self, points_mm: FloatArray, across_mm: float, along_mm: float) -> FloatArray:
        """Contacts after a shift along the skin."""
        across = self.across_mm(points_mm[:, 0], points_mm[:, 1])
        return self.on_skin(across + across_mm, points_mm[:, 2] + along_mm)

    def line(self, electrodes: Electrodes, fibres: MuscleFibres, reach_mm: float) -> LineResponse:
        """Derivative of the kernel of each contact, from tables that are made once and kept on disk."""
        from ._tabulated import TabulatedLine

        return TabulatedLine(self, electrodes, fibres, reach_mm)

    @property
    @abstractmethod
    def depths_mm(self) -> tuple[float, float]:
        """Least and greatest depth of a fibre below the skin that the table covers."""

    @property
    @abstractmethod
    def widest_mm(self) -> float:
        """Greatest distance across the fibres, along the skin, that the table covers."""

    @property
    @abstractmethod
    def circumference_mm(self) -> float:
        """Length of the way around, across the fibres."""

    @abstractmethod
    def depth_mm(self, x_mm: FloatArray, y_mm: FloatArray) -> FloatArray:
        """Depth of fibres below the skin."""

    @abstractmethod
    def across_mm(self, x_mm: FloatArray, y_mm: FloatArray) -> FloatArray:
        """Place of fibres or contacts across the fibres, along the skin (an arc)."""

    @abstractmethod
    def frequencies(self, reach_mm: float) -> Frequencies:
        """Spatial frequencies that resolve the kernel up to `reach_mm` along the fibres."""

    @abstractmethod
    def derivative(
        self,
        depth_mm: FloatArray,
        across_mm: FloatArray,
        along_mm: FloatArray,
        contact: Contact,
        grid: Frequencies,
    ) -> FloatArray:
        """Evaluate r = dg/dy, in V/(A mm), shape (depths, distances across, distances along).

        Parameters
        ----------
        depth_mm, across_mm, along_mm : ndarray, 1-D
            Depth of the fibre, distance across between fibre and contact, distance along.
        contact : Contact
            Whose transform must be even in both spatial frequencies.
        grid : Frequencies
        """


def refuse_first(wrong: NDArray[np.bool_], field: str, given: Callable[[int], str], mend: str) -> None:
    """Raise a ParameterError of the first place that is wrong, if any is."""
    if np.any(wrong):
        raise ParameterError(field, given(int(np.argmax(wrong))), mend)
