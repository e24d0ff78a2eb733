"""The kernel's derivative as a table, made once for a geometry and kept on disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ...data import Contact
from ...errors import ParameterError
from . import _cache

if TYPE_CHECKING:
    from ._skin import SkinConductor

FloatArray = NDArray[np.float64]

_MOST_ORDERS = 3000
_DEPTH_STEP = 0.1  # of ln depth
_ACROSS_STEP = 0.125  # of asinh(distance / least depth)
_CUSHION = 4  # nodes along the fibre beyond the reach, for interpolation


class Frequencies(NamedTuple):
    """Spatial frequencies of an inversion: `k` along the fibres (rad/mm), `orders` (or as many) across."""

    k: FloatArray
    dk: float
    orders: int

    @classmethod
    def reaching(cls, half_period_mm: float, highest: float, orders: int, field: str) -> Frequencies:
        """Midpoints up to `highest` rad/mm whose images lie at twice `half_period_mm`."""
        dk = np.pi / half_period_mm
        points = int(np.ceil(highest / dk))
        if orders > _MOST_ORDERS or points > 100_000:
            raise ParameterError(
                field,
                f"so thin a cover needs {orders} x {points} spatial frequencies",
                "give a thicker layer, or an InfiniteMedium",
            )
        return cls(np.asarray((np.arange(points) + 0.5) * dk), float(dk), orders)


@final
@dataclass(frozen=True, eq=False)
class KernelTable:
    """r = dg/dy on a grid: uniform in ln(depth), in asinh(across / scale), and along the fibre.

    Parameters
    ----------
    values : ndarray of float32, shape (depths, across, along)
        In V/(A mm). The first node across lies at minus one step: r is even across.
    log_depth : float
        ln of the least depth in mm.
    depth_step, across_step : float
        Steps of the first two axes.
    scale_mm : float
    step_mm : float
        Step along the fibre; the first node is at 0.
    """

    values: NDArray[np.float32]
    log_depth: float
    depth_step: float
    across_step: float
    scale_mm: float
    step_mm: float

    def place(self, depth_mm: FloatArray, across_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Fractional indices of a depth and of a distance across."""
        row = (np.log(depth_mm) - self.log_depth) / self.depth_step
        column = np.arcsinh(np.abs(across_mm) / self.scale_mm) / self.across_step + 1.0
        return row, column


def kernel_table(body: SkinConductor, contact: Contact, reach_mm: float, step_mm: float) -> KernelTable:
    """The table of `contact` on `body`, up to `reach_mm` (rounded up) along the fibres.

    Read from the disk where it was made before.
    """
    nearest, deepest = body.depths_mm
    rows = max(4, int(np.ceil(np.log(deepest / nearest) / _DEPTH_STEP)) + 1)
    columns = int(np.ceil(np.arcsinh(body.widest_mm / nearest) / _ACROSS_STEP)) + 2
    reach = 32.0 * float(np.ceil(reach_mm / 32.0))
    nodes = int(np.ceil(reach / step_mm)) + _CUSHION
    depth_step = max(float(np.log(deepest / nearest)), 1e-3) / (rows - 1)
    shape = rows, columns, nodes
    key = _hash([_makers(), body.to_dict(), contact.to_dict(), shape, step_mm])
    values = _cache.load(key, shape)
    if values is None:
        values = _tabulated(body, contact, reach, depth_step, step_mm, shape)
        _cache.save(key, values)
    return KernelTable(values, float(np.log(nearest)), depth_step, _ACROSS_STEP, nearest, step_mm)


def _tabulated(
    body: SkinConductor,
    contact: Contact,
    reach: float,
    depth_step: float,
    step: float,
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    rows, columns, nodes = shape
    nearest = body.depths_mm[0]
    depth = np.asarray(nearest * np.exp(depth_step * np.arange(rows)))
    depth[-1] = min(depth[-1], body.depths_mm[1])
    across = np.asarray(nearest * np.sinh(_ACROSS_STEP * np.arange(-1.0, columns - 1)))
    along = np.asarray(step * np.arange(nodes))
    table = body.derivative(depth, across, along, contact, body.frequencies(reach + _CUSHION * step))
    return np.ascontiguousarray(table, dtype=np.float32)


@cache
def _makers() -> str:
    """Hash of the code that tables come from: another release makes its own."""
    digest = hashlib.blake2b(digest_size=8)
    for name in ("_bessel", "_cylinder", "_planar", "_skin", "_table"):
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def _hash(parts: object) -> str:
    text = json.dumps(parts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
