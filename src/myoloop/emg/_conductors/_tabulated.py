"""Sums over fibres with a tabulated kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ...data import Electrodes
from ...errors import ParameterError
from .._anatomy._fibres import MuscleFibres
from ._base import LineResponse
from ._points import columns, pitch_step
from ._table import kernel_table

if TYPE_CHECKING:
    from ._skin import SkinConductor

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_RESOLVED = 6.0  # steps that the least depth is to have: the kernel varies no faster
_LONGEST_MM = 0.5


@final
class TabulatedLine(LineResponse):
    """Kernel of contacts on the skin, interpolated in a table.

    Each shape of contact has its table; contacts of one shape at the same place across share a row of
    it, and those whose distance is whole steps of z share also the shift along it.
    """

    def __init__(
        self, body: SkinConductor, electrodes: Electrodes, fibres: MuscleFibres, reach_mm: float
    ) -> None:
        parts = [shape.parts() for shape in electrodes.shapes]
        offset = np.concatenate([offsets for _, offsets, _ in parts])
        owner = np.repeat(np.arange(len(parts)), [len(offsets) for _, offsets, _ in parts])
        x, y, z = electrodes.position_mm[owner].T
        across, z = body.across_mm(x, y) + offset[:, 0], z + offset[:, 2]
        shape = [part for part, offsets, _ in parts for _ in offsets]
        self.n_contacts = len(parts)
        self._mixture = np.zeros((self.n_contacts, len(z)), dtype=np.float32)
        self._mixture[owner, np.arange(len(z))] = np.concatenate([weights for *_, weights in parts])
        self._plain = len(z) == self.n_contacts  # each contact is one point
        step = pitch_step(z, min(_LONGEST_MM, body.cover_mm / _RESOLVED))
        self.step_mm = step
        self._groups = []
        for one in dict.fromkeys(shape):
            mine = np.flatnonzero([other == one for other in shape])
            table = kernel_table(body, one, reach_mm + 4 * step, step)
            sorted_points = columns(across[mine], z[mine], step)
            place = across[mine][sorted_points.point[sorted_points.start[sorted_points.first[:-1]]]]
            self._groups.append((table, sorted_points._replace(point=mine[sorted_points.point]), place))
        self._circumference = body.circumference_mm
        self._depth = body.depth_mm(fibres.x_mm, fibres.y_mm)
        self._across = body.across_mm(fibres.x_mm, fibres.y_mm)
        self._check_width(body, across)
        self._fibres = fibres

    def _check_width(self, body: SkinConductor, across: FloatArray) -> None:
        furthest = max(self._across.max() - across.min(), across.max() - self._across.min())
        if min(furthest, self._circumference / 2) > body.widest_mm * (1.0 + 1e-9):
            raise ParameterError(
                "Electrodes.position_mm",
                f"a contact is {furthest:g} mm across from a fibre",
                f"keep within {body.widest_mm:g} mm, or widen the {type(body).__name__}",
            )

    def accumulate(self, chosen: IntArray, factor: FloatArray, sums: NDArray[np.float32]) -> None:
        """Add the fibres `chosen`; see the base class."""
        from .._kernels import accumulate_tabulated, add_product

        fibres, step = self._fibres, self.step_mm
        points = sums if self._plain else np.zeros((self._mixture.shape[1], sums.shape[1]), np.float32)
        low, high = fibres.tendon_mm[chosen].T
        endplate = fibres.endplate_mm[chosen]
        halves = (high - endplate) / step, (endplate - low) / step
        area = factor * np.pi / 4 * (1e-3 * fibres.diameter_um[chosen]) ** 2
        for table, sorted_points, place in self._groups:
            distance = np.abs(self._across[chosen][:, None] - place)
            distance = np.minimum(distance, self._circumference - distance)
            row, column = table.place(self._depth[chosen], distance)
            accumulate_tabulated(
                table.values, row, column, endplate / step, *halves, area, *sorted_points, points
            )
        if not self._plain:
            add_product(self._mixture, points, sums)
