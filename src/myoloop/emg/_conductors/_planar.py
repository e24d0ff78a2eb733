"""Muscle under flat layers of fat and skin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...data import Contact, Electrodes
from ...parameters import number
from ._skin import SkinConductor, refuse_first
from ._table import Frequencies

FloatArray = NDArray[np.float64]

_IMAGES = 3
_THIN = "PlanarLayers.fat_mm, skin_mm"


@final
@dataclass(frozen=True, kw_only=True)
class PlanarLayers(SkinConductor):
    """A half-space of anisotropic muscle under fat, skin and air: a limb that is large and flat.

    The muscle's surface is the plane y = 0; the muscle lies below, at y < 0, fat and skin above.

    Parameters
    ----------
    fat_mm, skin_mm : float
        Thickness of each layer; 0 leaves it out. One of them must be above 0.
    deepest_mm : float
        Depth below the muscle's surface up to which fibres are admitted.
    reach_across_mm : float
        Greatest distance across between a fibre and a contact.

    References
    ----------
    Farina, Merletti (2001), IEEE Trans Biomed Eng 48:637, Eqs. 12-17.
    """

    deepest_mm: float = number(40.0, above=0)
    reach_across_mm: float = number(80.0, above=0)

    @property
    def depths_mm(self) -> tuple[float, float]:
        """From the muscle's surface down to `deepest_mm`."""
        return self.cover_mm, self.cover_mm + self.deepest_mm

    @property
    def widest_mm(self) -> float:
        """The greatest distance across."""
        return self.reach_across_mm

    @property
    def circumference_mm(self) -> float:
        """Infinite: the plane does not close."""
        return np.inf

    def check_fibres(self, x_mm: FloatArray, y_mm: FloatArray) -> None:
        """Raise a ParameterError that names the first fibre outside the muscle."""
        refuse_first(
            (y_mm > 0) | (y_mm < -self.deepest_mm),
            "MuscleFibres.y_mm",
            lambda i: f"fibre {i} at ({x_mm[i]:g}, {y_mm[i]:g}) mm is outside the muscle",
            f"give places from y = {-self.deepest_mm:g} to 0 mm, or a larger PlanarLayers.deepest_mm",
        )

    def check_electrodes(self, electrodes: Electrodes) -> None:
        """Raise a ParameterError that names the first contact off the skin."""
        height = electrodes.position_mm[:, 1]
        refuse_first(
            np.abs(height - self.cover_mm) > 1e-6 * self.cover_mm,
            "Electrodes.position_mm",
            lambda i: f"contact {i} is at y = {height[i]:g} mm, off the skin",
            f"place it on the skin, at y = {self.cover_mm:g} mm (e.g. `SurfaceGrid(...).on(conductor)`)",
        )

    def on_skin(self, across_mm: FloatArray, along_mm: FloatArray) -> FloatArray:
        """Points of the skin, shape (n, 3): x is across, z along."""
        across, along = np.broadcast_arrays(
            np.asarray(across_mm, dtype=float), np.asarray(along_mm, dtype=float)
        )
        return np.stack([across, np.full(across.shape, self.cover_mm), along], axis=-1)

    def depth_mm(self, x_mm: FloatArray, y_mm: FloatArray) -> FloatArray:
        """Depth below the skin."""
        return np.asarray(self.cover_mm - y_mm)

    def across_mm(self, x_mm: FloatArray, y_mm: FloatArray) -> FloatArray:
        """Return x."""
        return np.asarray(x_mm, dtype=float)

    def frequencies(self, reach_mm: float) -> Frequencies:
        """Frequencies, the same along and across, whose images are beyond all distances."""
        far = self.stretch * (self.reach_across_mm + self.deepest_mm)
        return Frequencies.reaching(3.0 * reach_mm + far, 14.0 / self.cover_mm, 0, _THIN)

    def derivative(
        self,
        depth_mm: FloatArray,
        across_mm: FloatArray,
        along_mm: FloatArray,
        contact: Contact,
        grid: Frequencies,
    ) -> FloatArray:
        """Evaluate r = dg/dy, in V/(A mm); see the base class.

        g = 1/pi^2 int int cos(kx x) cos(kz z) Phi(kx, kz) dkx dkz over positive frequencies, both on
        midpoints (m + 1/2) dk.
        """
        kx, kz = grid.k[:, None], grid.k
        surface, muscle = self._surface(kx, kz)
        surface = surface * contact.transform(kx, kz)
        across = np.cos(np.outer(across_mm, grid.k))
        along = np.sin(np.outer(grid.k, along_mm)) * (-((grid.dk / np.pi) ** 2) * grid.k)[:, None]
        out = np.empty((len(depth_mm), len(across_mm), len(along_mm)))
        for place, depth in enumerate(depth_mm):
            out[place] = across @ (surface * np.exp(-muscle * (depth - self.cover_mm))) @ along
            out[place] -= self._images(depth, across_mm[:, None], along_mm, 2.0 * np.pi / grid.dk)
        return 1e3 * out  # conductivities are per m, lengths in mm

    def _images(self, depth: float, across: FloatArray, along: FloatArray, period: float) -> FloatArray:
        """What the sum over midpoints adds: images of alternating sign, far enough to be point sources.

        At a distance the covers do not matter, and muscle under an insulator has twice the potential of
        muscle without bounds.
        """
        out = np.zeros(np.broadcast_shapes(across.shape, along.shape))
        for i in range(-_IMAGES, _IMAGES + 1):
            for j in range(-_IMAGES, _IMAGES + 1):
                if i == j == 0:
                    continue
                y = along + j * period
                squared = self.stretch**2 * (depth**2 + (across + i * period) ** 2) + y**2
                out -= (-1.0) ** (i + j) * y / squared**1.5
        return np.asarray(out / (2.0 * np.pi * self.muscle_radial_S_per_m))

    def _surface(self, kx: FloatArray, kz: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Potential at the skin for a source at the muscle's surface; decay with depth in the muscle."""
        k = np.hypot(kx, kz)
        muscle = np.hypot(kx, self.stretch * kz)
        admittance, fraction = np.zeros_like(k), np.ones_like(k)
        for thickness, sigma in ((self.skin_mm, self.skin_S_per_m), (self.fat_mm, self.fat_S_per_m)):
            y2 = admittance / (sigma * k)
            inside = np.cosh(k * thickness) - y2 * np.sinh(k * thickness)
            admittance = sigma * k * (y2 * np.cosh(k * thickness) - np.sinh(k * thickness)) / inside
            fraction = fraction / inside
        return fraction / (self.muscle_radial_S_per_m * muscle - admittance), muscle
