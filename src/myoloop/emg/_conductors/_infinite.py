"""Muscle without bounds: what contacts within it sense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...data import Electrodes
from ...errors import ParameterError
from ...parameters import number
from .._anatomy._fibres import MuscleFibres
from ._base import LineResponse, VolumeConductor

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_STEP_MM = 1.0 / 6.0
_RESOLVED = 4.5  # steps to the width of the kernel: the integral errs by about exp(-2 pi 4.5)
_FINEST = 6
_FAR = 24.0  # extents of a contact from where its centre stands for it


@final
@dataclass(frozen=True, kw_only=True)
class InfiniteMedium(VolumeConductor):
    """An infinite anisotropic muscle, for contacts within it.

    A contact senses the mean potential over its points. Fibres nearer to a point than the mean fibre
    diameter count as that far away: potentials within a fibre are no part of the model.

    Parameters
    ----------
    radial_S_per_m, axial_S_per_m : float
        Conductivity across and along the fibres.

    References
    ----------
    Nandedkar, Stalberg (1983), Electroencephalogr Clin Neurophysiol 55:497 (0.063 and 0.33 S/m:
    Andreassen, Rosenfalck (1981), CRC Crit Rev Bioeng 6:267).
    """

    radial_S_per_m: float = number(0.063, above=0)
    axial_S_per_m: float = number(0.33, above=0)

    def check_fibres(self, x_mm: FloatArray, y_mm: FloatArray) -> None:
        """Admit all: the muscle has no bounds."""

    def check_electrodes(self, electrodes: Electrodes) -> None:
        """Admit all that are within the muscle."""
        if not electrodes.intramuscular:
            raise ParameterError(
                "Electrodes.intramuscular",
                "contacts on a skin, which an infinite medium has not",
                "give a LayeredCylinder or PlanarLayers, or contacts within the muscle",
            )

    def on_skin(self, across_mm: FloatArray, along_mm: FloatArray) -> FloatArray:
        """Refuse."""
        raise ParameterError(
            "InfiniteMedium", "it has no skin to place electrodes on", "give a conductor with a skin"
        )

    def moved(self, points_mm: FloatArray, across_mm: float, along_mm: float) -> FloatArray:
        """Contacts after a shift along x and z."""
        return np.asarray(points_mm + np.array([across_mm, 0.0, along_mm]))

    def line(self, electrodes: Electrodes, fibres: MuscleFibres, reach_mm: float) -> LineResponse:
        """Derivative of the kernel of each contact in closed form."""
        return _PointSources(self, electrodes, fibres)

    def derivative(self, distance_mm: FloatArray, along_mm: FloatArray) -> FloatArray:
        """Evaluate r = d/dy 1/(4 pi sigma_r sqrt((sigma_z/sigma_r) distance^2 + y^2)), in V/(A mm)."""
        ratio = self.axial_S_per_m / self.radial_S_per_m
        squared = ratio * np.asarray(distance_mm) ** 2 + np.asarray(along_mm) ** 2
        return np.asarray(-1e3 * along_mm / (4.0 * np.pi * self.radial_S_per_m * squared**1.5))


@final
class _PointSources(LineResponse):
    """Sums on grids as fine as the distance of each pair of fibre and point asks."""

    def __init__(self, body: InfiniteMedium, electrodes: Electrodes, fibres: MuscleFibres) -> None:
        nodes = [shape.nodes() for shape in electrodes.shapes]
        centres = [weights @ offsets for offsets, weights in nodes]
        # A contact is its nodes for fibres near to it, and its centre for those far away.
        self.n_contacts = len(nodes)
        offsets = np.concatenate([*(offsets for offsets, _ in nodes), centres])
        weights = np.concatenate([*(weights for _, weights in nodes), np.ones(self.n_contacts)])
        self._owner = np.concatenate(
            [np.repeat(np.arange(self.n_contacts), [len(w) for _, w in nodes]), np.arange(self.n_contacts)]
        )
        self._points = electrodes.position_mm[self._owner] + offsets
        self._is_centre = np.arange(len(weights)) >= len(weights) - self.n_contacts
        self._extent = np.array(
            [np.linalg.norm(o - centre, axis=1).max() for (o, _), centre in zip(nodes, centres, strict=True)]
        )
        self._mixture = np.zeros((self.n_contacts, len(weights)), dtype=np.float32)
        self._mixture[self._owner, np.arange(len(weights))] = weights
        self._mixture *= np.float32(1e3 / (4.0 * np.pi * body.radial_S_per_m))
        self.step_mm = _STEP_MM
        self._widening = np.sqrt(body.axial_S_per_m / body.radial_S_per_m)
        self._nearest = 1e-3 * float(np.mean(fibres.diameter_um))
        self._fibres = fibres

    def _in_use(self, distance: FloatArray) -> NDArray[np.bool_]:
        """Which points stand for their contact at these distances, shape (fibres, points)."""
        far = distance[:, self._is_centre] >= _FAR * self._extent
        return np.asarray(far[:, self._owner] == self._is_centre)

    def accumulate(self, chosen: IntArray, factor: FloatArray, sums: NDArray[np.float32]) -> None:
        """Add the fibres `chosen`; see the base class."""
        from .._kernels import accumulate_near, add_product, coarsen

        fibres = self._fibres
        place = np.stack([fibres.x_mm[chosen], fibres.y_mm[chosen]], axis=1)
        distance = np.linalg.norm(place[:, None] - self._points[:, :2], axis=2)
        width = self._widening * np.maximum(distance, self._nearest)
        level = np.ceil(np.log2(np.maximum(_RESOLVED * self.step_mm / width, 1.0))).astype(np.int64)
        level = np.minimum(level, _FINEST)
        used = self._in_use(distance)
        low, high = fibres.tendon_mm[chosen].T
        endplate = fibres.endplate_mm[chosen]
        zeta = self._points[:, 2] - endplate[:, None]
        area = factor * np.pi / 4 * (1e-3 * fibres.diameter_um[chosen]) ** 2
        finer, rows = np.zeros((0, 0), dtype=np.float32), np.empty(0, dtype=np.int64)
        for fineness in range(int(level.max()), -1, -1):
            wanted = used & (level == fineness)
            before, rows = rows, np.union1d(rows, np.flatnonzero(wanted.any(axis=0)))
            step = self.step_mm / 2**fineness
            points = np.zeros((len(rows), ((sums.shape[1] - 1) << fineness) + 5), dtype=np.float32)
            coarsen(finer, np.searchsorted(rows, before), points)
            accumulate_near(
                width[:, rows] / step,
                zeta[:, rows] / step,
                wanted[:, rows],
                (high - endplate) / step,
                (endplate - low) / step,
                area / step**2,
                points,
            )
            finer = points
        add_product(self._mixture[:, rows], finer[:, : sums.shape[1]], sums)
