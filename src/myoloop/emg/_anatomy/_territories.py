"""Which motor unit each fibre belongs to: territories, their places, and the choice among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import Progress
from ...errors import ParameterError
from ._sections import CrossSection

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# A territory's circle holds 99.9 % of its Gaussian: its squared radius in variances, the quantile of the
# chi-square distribution with two degrees of freedom.
RADIUS2_IN_VARIANCES = -2.0 * np.log(1 - 0.999)
_GRID = 160  # places along the longer side of a section where the centre of a territory may be
_UNREACHED = 0.001  # share of the fibres beyond all territories that is let pass
_SWEEPS = 30
_STIFFEST = 4.0


@dataclass(frozen=True, eq=False)
class Territories:
    """Circles of the section, one a unit."""

    centre_mm: FloatArray  # (units, 2)
    radius_mm: FloatArray  # (units,)

    @classmethod
    def of(cls, centre_mm: FloatArray, area_mm2: FloatArray) -> Territories:
        """Circles of these areas."""
        return cls(centre_mm, np.sqrt(area_mm2 / np.pi))


@dataclass(frozen=True, eq=False)
class Candidates:
    """Units whose territory reaches each fibre, and the weight of each, fibre after fibre."""

    first: IntArray  # (fibres + 1,)
    unit: IntArray
    weight: FloatArray
    unreached: int  # fibres that lie in no territory; the nearest one is their candidate

    @property
    def reach_all(self) -> bool:
        """Whether the fibres beyond all territories are few enough to be let pass."""
        return self.unreached <= _UNREACHED * (len(self.first) - 1)


def place_centres(section: CrossSection, n: int, generator: np.random.Generator) -> FloatArray:
    """Centres of the territories of `n` units, shape (n, 2).

    The units are served from the largest to the smallest. Each comes to a place that lies, within 20 %,
    as far as possible from all centres before and from their mirror images in the outline (that is, the
    distance to the outline counts twice), so that large units lie apart from one another, small ones fill
    the gaps, and the outline draws no more of them than the middle.
    """
    from scipy.ndimage import distance_transform_edt

    left, right, bottom, top = section.bounds_mm
    step = max(right - left, top - bottom) / _GRID
    x = np.arange(left - step, right + 2 * step, step)
    y = np.arange(bottom - step, top + 2 * step, step)
    grid_x, grid_y = np.meshgrid(x, y)
    inside = section.contains(grid_x, grid_y)
    if not inside.any():
        raise ParameterError("Muscle.section", "it is too thin to place a territory", "give a wider one")
    places = np.column_stack([grid_x[inside], grid_y[inside]])
    room = 2.0 * step * distance_transform_edt(inside)[inside]
    centres = np.empty((n, 2))
    for unit in range(n - 1, -1, -1):
        far = np.flatnonzero(room >= 0.8 * room.max())
        centres[unit] = places[generator.choice(far)]
        room = np.minimum(room, np.hypot(*(places - centres[unit]).T))
    return centres


def innervation_numbers(n_fibres: int, thresholds: FloatArray) -> IntArray:
    """Share `n_fibres` out in proportion to the thresholds, to the nearest whole number."""
    exact = n_fibres * thresholds / thresholds.sum()
    whole = np.floor(exact).astype(np.int64)
    rest = np.argsort(whole - exact, kind="stable")[: n_fibres - int(whole.sum())]
    whole[rest] += 1
    if whole.min() < 1:
        raise ParameterError(
            "Muscle.fibres",
            f"{n_fibres} fibres in proportion to the thresholds leave {np.sum(whole < 1)} of "
            f"{len(thresholds)} units without any, unit 0 with a share of {exact[0]:.2g}",
            "give more fibres, fewer units or a smaller range of thresholds",
        )
    return np.asarray(whole)


def candidates(points: FloatArray, territories: Territories, numbers: IntArray) -> Candidates:
    """Units that may own each fibre.

    The weight is a unit's innervation number times its Gaussian, cut off at the territory's radius and
    renormalised for the mass that falls outside the section, or outside the fibres for that matter.
    """
    fibres, units, weights = [], [], []
    for unit, (centre, radius) in enumerate(zip(territories.centre_mm, territories.radius_mm, strict=True)):
        distance2 = np.sum((points - centre) ** 2, axis=1) / radius**2
        reached = np.flatnonzero(distance2 <= 1.0)
        density = np.exp(-0.5 * RADIUS2_IN_VARIANCES * distance2[reached])
        fibres.append(reached)
        units.append(np.full(len(reached), unit))
        weights.append(numbers[unit] * density / max(density.sum(), np.finfo(float).tiny))
    missed = np.flatnonzero(np.bincount(np.concatenate(fibres), minlength=len(points)) == 0)
    if len(missed):
        fibres.append(missed)
        units.append(_nearest(points[missed], territories))
        weights.append(np.ones(len(missed)))
    fibre = np.concatenate(fibres)
    order = np.argsort(fibre, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(fibre, minlength=len(points)))])
    return Candidates(first, np.concatenate(units)[order], np.concatenate(weights)[order], len(missed))


def _nearest(points: FloatArray, territories: Territories) -> IntArray:
    """Territory that is nearest to each point, in radii of that territory."""
    least, nearest = np.full(len(points), np.inf), np.zeros(len(points), dtype=np.int64)
    for unit, (centre, radius) in enumerate(zip(territories.centre_mm, territories.radius_mm, strict=True)):
        distance = np.hypot(*(points - centre).T) / radius
        nearest[distance < least] = unit
        least = np.minimum(least, distance)
    return nearest


def unreached_error(found: Candidates, territories: Territories, area_mm2: float) -> ParameterError:
    """Complaint about territories that leave fibres without a unit."""
    covered = float(np.pi * np.sum(territories.radius_mm**2) / area_mm2)
    return ParameterError(
        "Muscle.largest_territory",
        f"territories of {len(territories.radius_mm)} units, of {covered:.2g} times the area of the section "
        f"in all, leave {found.unreached} of {len(found.first) - 1} fibres without a unit",
        "give more units or a larger share of the section, or leave it out",
    )


def neighbours(points: FloatArray, reach_mm: float) -> tuple[IntArray, IntArray]:
    """Points nearer than `reach_mm` to each point, one after the other, and where those of each begin."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(points).query_pairs(reach_mm, output_type="ndarray")
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    first = np.concatenate([[0], np.cumsum(np.bincount(both[:, 0], minlength=len(points)))])
    return first, np.ascontiguousarray(both[:, 1], dtype=np.int64)


def assign(
    found: Candidates,
    near: tuple[IntArray, IntArray],
    numbers: IntArray,
    avoidance: float,
    generator: np.random.Generator,
    progress: Progress,
) -> IntArray:
    """Unit of each fibre, drawn from all assignments that keep to the innervation numbers.

    The probability of an assignment is the product of its weights, times ``1 - avoidance`` for each pair
    of neighbours of one unit, times exp(-k (n - N)^2/2) for each unit with n fibres in place of N. It is
    drawn by a heat bath: all fibres choose in turn, again and again, while k rises from 0.
    """
    from ._kernels import choose_units

    n = len(found.first) - 1
    unit, count = np.full(n, -1), np.zeros(len(numbers), dtype=np.int64)
    stiffness: Any = np.concatenate([[0.0], np.geomspace(1e-3, _STIFFEST, _SWEEPS - 1)])
    for done, k in enumerate(stiffness, start=1):
        draws = generator.random(n)
        share = numbers.astype(float)
        choose_units(
            found.first, found.unit, found.weight, *near, draws, share, 1.0 - avoidance, k, unit, count
        )
        progress("innervating fibres", done, _SWEEPS, "sweeps")
    return unit
