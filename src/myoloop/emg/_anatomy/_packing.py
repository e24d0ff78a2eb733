"""Where the fibres lie in the cross-section."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ._sections import CrossSection

FloatArray = NDArray[np.float64]

_TRIES = 50


def packed_points(
    section: CrossSection, n: int, disorder: float, generator: np.random.Generator
) -> tuple[FloatArray, float]:
    """Exactly `n` points of the section, on a disturbed hexagonal lattice, and the lattice's spacing in mm.

    Fibres fill a muscle side by side, so that their centres repel one another. The lattice has a random
    place and direction; each point is moved by a normal distance of SD `disorder` spacings along either
    axis. It is made a trifle finer than `n` points need, and the surplus is left out at random.
    """
    angle, *offset = generator.random(3)
    density = n / section.area_mm2
    for _ in range(_TRIES):
        spacing = float(np.sqrt(2.0 / (np.sqrt(3.0) * density)))
        points = _lattice(section, spacing, angle * np.pi / 3, np.array(offset))
        points = points + disorder * spacing * generator.standard_normal(points.shape)
        points = points[section.contains(*points.T)]
        if len(points) >= n:
            kept = np.sort(generator.choice(len(points), n, replace=False))
            return points[kept], spacing
        density *= 1.0 + (n - len(points) + 1) / n
    raise ParameterError(
        "Muscle.section", f"{n} fibres find no place on its {section.area_mm2:g} mm2", "give a larger section"
    )


def _lattice(section: CrossSection, spacing: float, angle: float, offset: FloatArray) -> FloatArray:
    """Points of a hexagonal lattice over the bounds of the section and one spacing beyond."""
    left, right, bottom, top = section.bounds_mm
    reach = np.hypot(right - left, top - bottom) / 2 + 2 * spacing
    rows = int(np.ceil(reach / (spacing * np.sqrt(0.75))))
    columns = int(np.ceil(reach / spacing)) + 1
    row, column = np.mgrid[-rows : rows + 1, -columns : columns + 1].astype(float)
    x = spacing * (column + 0.5 * (row % 2) + offset[0]).ravel()
    y = spacing * (np.sqrt(0.75) * row + offset[1]).ravel()
    c, s = np.cos(angle), np.sin(angle)
    px, py = (left + right) / 2 + c * x - s * y, (bottom + top) / 2 + s * x + c * y
    near = (px >= left - spacing) & (px <= right + spacing) & (py >= bottom - spacing) & (py <= top + spacing)
    return np.column_stack([px[near], py[near]])
