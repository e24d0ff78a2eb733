"""A limb as a layered cylinder: bone, muscle, fat and skin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...data import Contact, Electrodes
from ...errors import ParameterError
from ...parameters import number
from ._bessel import Bessel, bessel
from ._skin import SkinConductor, refuse_first
from ._table import Frequencies

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True)
class LayeredCylinder(SkinConductor):
    """Concentric layers, infinitely long: bone (if any), anisotropic muscle, fat, skin, then air.

    The axis is z; angle 0 is the direction of +y, so that the skin above the axis is at x = 0.

    Parameters
    ----------
    bone_mm : float
        Radius of the bone in the middle, 0 for none.
    muscle_mm : float
        Outer radius of the muscle, above that of the bone.
    fat_mm, skin_mm : float
        Thickness of each layer; 0 leaves it out. One of them must be above 0.
    muscle_radial_S_per_m, muscle_axial_S_per_m : float
        Conductivity of muscle across and along its fibres.
    bone_S_per_m, fat_S_per_m, skin_S_per_m : float
        Conductivity of the isotropic tissues.

    References
    ----------
    Farina, Mesin, Martina, Merletti (2004), IEEE Trans Biomed Eng 51:415. Default conductivities of
    muscle, fat and dry skin: Pereira Botelho, Curran, Lowery (2019), PLoS Comput Biol 15:e1007267.
    """

    muscle_mm: float = number(above=0)
    bone_mm: float = number(0.0, at_least=0)
    bone_S_per_m: float = number(0.02, above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bone_mm >= self.muscle_mm:
            raise ParameterError(
                "LayeredCylinder.bone_mm",
                f"the bone of {self.bone_mm:g} mm overlaps the muscle's outer radius, {self.muscle_mm:g} mm",
                "give a smaller bone, or a larger muscle",
            )

    @property
    def radius_mm(self) -> float:
        """Radius of the skin's surface."""
        return self.muscle_mm + self.cover_mm

    def check_fibres(self, x_mm: FloatArray, y_mm: FloatArray) -> None:
        """Raise a ParameterError that names the first fibre outside the muscle."""
        radius = np.hypot(x_mm, y_mm)
        refuse_first(
            (radius < self.bone_mm) | (radius > self.muscle_mm),
            "MuscleFibres.x_mm, y_mm",
            lambda i: f"fibre {i} at ({x_mm[i]:g}, {y_mm[i]:g}) mm is {radius[i]:g} mm from the axis",
            f"give places within the muscle, {self.bone_mm:g} to {self.muscle_mm:g} mm",
        )

    def check_electrodes(self, electrodes: Electrodes) -> None:
        """Raise a ParameterError that names the first contact off the skin."""
        radius = np.hypot(*electrodes.position_mm[:, :2].T)
        refuse_first(
            np.abs(radius - self.radius_mm) > 1e-6 * self.radius_mm,
            "Electrodes.position_mm",
            lambda i: (
                f"contact {i} is {radius[i]:g} mm from the axis, "
                + ("inside the bone" if radius[i] < self.bone_mm else "off the skin")
            ),
            f"place it on the skin, at {self.radius_mm:g} mm (e.g. `SurfaceGrid(...).on(conductor)`), or use "
            "an InfiniteMedium for contacts within the muscle",
        )

    def on_skin(self, across_mm: FloatArray, along_mm: FloatArray) -> FloatArray:
        """Points of the skin, shape (n, 3), at an arc `across_mm` from the +y direction."""
        angle = np.asarray(across_mm, dtype=float) / self.radius_mm
        along = np.broadcast_to(np.asarray(along_mm, dtype=float), angle.shape)
        return np.stack([self.radius_mm * np.sin(angle), self.radius_mm * np.cos(angle), along], axis=-1)

    @property
    def depths_mm(self) -> tuple[float, float]:
        """From the muscle's surface to its axis, or to the bone."""
        return self.cover_mm, self.radius_mm - self.bone_mm

    @property
    def widest_mm(self) -> float:
        """Half the circumference."""
        return float(np.pi * self.radius_mm)

    @property
    def circumference_mm(self) -> float:
        """Of the skin."""
        return 2.0 * self.widest_mm

    def depth_mm(self, x_mm: FloatArray, y_mm: FloatArray) -> FloatArray:
        """Depth below the skin."""
        return np.asarray(self.radius_mm - np.hypot(x_mm, y_mm))

    def across_mm(self, x_mm: FloatArray, y_mm: FloatArray) -> FloatArray:
        """Arc along the skin from the +y direction."""
        return np.asarray(np.arctan2(x_mm, y_mm) * self.radius_mm)

    def frequencies(self, reach_mm: float) -> Frequencies:
        """Frequencies such that truncation errs by about 1e-6.

        The kernel is periodic on a grid of frequencies, with the sign changed: the slowest mode that
        decays, n = 1, must have done so before the next image.
        """
        slowest = self.stretch * self.radius_mm / 1.841
        orders = int(np.ceil(14.0 / -np.log1p(-self.cover_mm / self.radius_mm)))
        return Frequencies.reaching(
            reach_mm + 10.0 * slowest, 14.0 / self.cover_mm, orders, "LayeredCylinder.fat_mm, skin_mm"
        )

    def derivative(
        self,
        depth_mm: FloatArray,
        across_mm: FloatArray,
        along_mm: FloatArray,
        contact: Contact,
        grid: Frequencies,
    ) -> FloatArray:
        """Evaluate r = dg/dy, in V/(A mm); see the base class.

        g = (1/2 pi) sum_n eps_n cos(n theta) (1/pi) int cos(k y) Phi_n(k) dk, with the integral as a sum
        over the midpoints k = (m + 1/2) dk, to which the pole at k = 0 does no harm.
        """
        n = np.arange(grid.orders + 1.0)
        angles = np.cos(np.outer(np.asarray(across_mm) / self.radius_mm, n))
        angles[:, 1:] *= 2.0
        waves = np.sin(np.outer(grid.k, along_mm))
        waves *= (-grid.dk / (2.0 * np.pi**2) * grid.k)[:, None]
        shape = contact.transform(n[:, None] / self.radius_mm, grid.k)
        surface, inner = self._surface(grid)
        out = np.empty((len(depth_mm), len(across_mm), len(along_mm)))
        for place, depth in enumerate(depth_mm):
            spectrum = surface * shape * np.exp(inner(self.radius_mm - depth))
            out[place] = angles @ spectrum @ waves
        return 1e3 * out  # conductivities are per m, lengths in mm

    def _surface(self, grid: Frequencies) -> tuple[FloatArray, Callable[[float], FloatArray]]:
        """Potential at the skin of each (n, k) for a source at the muscle's surface; ln of what depth costs.

        By the Wronskian, a source at radius R gives the muscle's surface a potential of
        u(R)/u(a) / {a [sigma u'(a)/u(a) - Y]}, where u solves the muscle's equation from within and Y is
        the current that the layers above take up at a potential of 1.
        """
        fraction, admittance = self._cover(grid)
        stretched = self.stretch * grid.k
        inner = _Inner(self, grid)
        muscle = self.muscle_radial_S_per_m * stretched * inner.slope(self.muscle_mm)
        surface = fraction / (self.muscle_mm * (muscle - admittance))
        at_surface = inner.log(self.muscle_mm)
        return surface, lambda radius: inner.log(max(radius, 1e-3)) - at_surface

    def _cover(self, grid: Frequencies) -> tuple[FloatArray, FloatArray]:
        """Skin potential over muscle-surface potential, and the current taken up, of each (n, k)."""
        outer = self.radius_mm
        admittance = np.zeros((grid.orders + 1, len(grid.k)))
        fraction = np.ones_like(admittance)
        for thickness, sigma in ((self.skin_mm, self.skin_S_per_m), (self.fat_mm, self.fat_S_per_m)):
            if thickness == 0:
                continue
            x1, x2 = grid.k * (outer - thickness), grid.k * outer
            one, two = bessel(grid.orders, x1), bessel(grid.orders, x2)
            y2 = admittance / (sigma * grid.k)
            rising = x2 * np.exp(one.log_k + two.log_i) * (two.slope_i - y2)
            falling = x2 * np.exp(one.log_i + two.log_k) * (y2 - two.slope_k)
            inside = rising + falling
            admittance = sigma * grid.k * (rising * one.slope_k + falling * one.slope_i) / inside
            fraction /= inside
            outer -= thickness
        return fraction, admittance


class _Inner:
    """The muscle's solution u that fits the bone, or is finite at the axis."""

    def __init__(self, body: LayeredCylinder, grid: Frequencies) -> None:
        self._orders, self._stretched = grid.orders, body.stretch * grid.k
        self._bone = None
        if body.bone_mm > 0:
            bone = bessel(grid.orders, grid.k * body.bone_mm)
            at = bessel(grid.orders, self._stretched * body.bone_mm)
            taken = body.bone_S_per_m * grid.k * bone.slope_i
            y1 = taken / (body.muscle_radial_S_per_m * self._stretched)
            self._bone = at, (at.slope_i - y1) / (y1 - at.slope_k)

    def log(self, radius_mm: float) -> FloatArray:
        """Logarithm of u, up to a constant."""
        here = bessel(self._orders, self._stretched * radius_mm)
        return here.log_i if self._bone is None else here.log_i + np.log1p(self._reflected(here))

    def slope(self, radius_mm: float) -> FloatArray:
        """u'/u with respect to the stretched radius."""
        here = bessel(self._orders, self._stretched * radius_mm)
        if self._bone is None:
            return here.slope_i
        reflected = self._reflected(here)
        return (here.slope_i + reflected * here.slope_k) / (1.0 + reflected)

    def _reflected(self, here: Bessel) -> FloatArray:
        """K part over I part of u."""
        assert self._bone is not None
        at, share = self._bone
        return np.asarray(share * np.exp(here.log_k - here.log_i + at.log_i - at.log_k))
