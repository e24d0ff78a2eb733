"""Reciprocity of a layered cylinder: current at the skin and potential at the fibre, and the reverse."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data import PointContact
from ..emg import LayeredCylinder
from ..emg._conductors._bessel import Bessel, bessel
from ..emg._conductors._table import Frequencies

FloatArray = NDArray[np.float64]


class _Layer(NamedTuple):
    inner: float
    outer: float
    sigma: float
    wave: FloatArray  # wave number of the Bessel functions at each spatial frequency


def reciprocity_error(
    body: LayeredCylinder, depths_mm: FloatArray, across_mm: FloatArray, along_mm: FloatArray
) -> float:
    """Relative L2 difference of r = dg/dy after source and detector have exchanged their places.

    The conductor gives the potential at the skin of a current in the muscle. Here the current enters at
    the skin, and the potential at the fibre is found from the boundary conditions of all layers, a linear
    system for each spatial frequency that shares no formula with the conductor. The largest difference of
    all pairs is given.

    Parameters
    ----------
    body : LayeredCylinder
    depths_mm, across_mm, along_mm : ndarray, 1-D
        Depths of the fibre, distances across and along between fibre and contact.
    """
    grid = body.frequencies(float(np.max(np.abs(along_mm))))
    there = body.derivative(depths_mm, across_mm, along_mm, PointContact(), grid)
    back = _from_skin(body, depths_mm, across_mm, along_mm, grid)
    error = np.linalg.norm(back - there, axis=-1) / np.linalg.norm(there, axis=-1)
    return float(error.max())


def _from_skin(
    body: LayeredCylinder,
    depths_mm: FloatArray,
    across_mm: FloatArray,
    along_mm: FloatArray,
    grid: Frequencies,
) -> FloatArray:
    """Compute r in V/(A mm) of a current that enters at a point of the skin, sensed at fibres."""
    modes = _modes(body, body.radius_mm - depths_mm, grid)
    n = np.arange(grid.orders + 1)
    angles = np.cos(np.outer(across_mm / body.radius_mm, n)) * np.where(n == 0, 1.0, 2.0)
    waves = -np.sin(np.outer(grid.k, along_mm)) * (grid.k * grid.dk / (2.0 * np.pi**2))[:, None]
    return np.stack([1e3 * angles @ mode @ waves for mode in modes])


def _modes(body: LayeredCylinder, radii_mm: FloatArray, grid: Frequencies) -> list[FloatArray]:
    """Potential at each radius of the muscle of every (n, k), for a current of 1 at the skin.

    Unknown are the weights of I_n (scaled to 1 at the outer radius of its layer) and, but for the innermost
    layer, of K_n (1 at the inner radius). At each interface the potential and the radial current agree; at
    the skin the radial current is what enters, 1/c.
    """
    layers = _layers(body, grid)
    size = 2 * len(layers) - 1
    matrix = np.zeros((grid.orders + 1, len(grid.k), size, size))
    right = np.zeros((grid.orders + 1, len(grid.k), size, 1))
    for i, layer in enumerate(layers):
        top = i == len(layers) - 1
        for column, value, slope in _functions(layers, i, layer.outer, grid):
            if not top:
                matrix[..., 2 * i, column] = value
            matrix[..., 2 * i + (0 if top else 1), column] = layer.sigma * slope
        if top:
            right[..., 2 * i, 0] = 1.0 / layer.outer
            break
        above = layers[i + 1]
        for column, value, slope in _functions(layers, i + 1, layer.outer, grid):
            matrix[..., 2 * i, column] = -value
            matrix[..., 2 * i + 1, column] = -above.sigma * slope
    weights = np.linalg.solve(matrix, right)[..., 0]
    muscle = 1 if body.bone_mm > 0 else 0
    return [
        np.sum(
            [weights[..., column] * value for column, value, _ in _functions(layers, muscle, radius, grid)],
            axis=0,
        )
        for radius in radii_mm
    ]


def _layers(body: LayeredCylinder, grid: Frequencies) -> list[_Layer]:
    found = []
    if body.bone_mm > 0:
        found.append(_Layer(0.0, body.bone_mm, body.bone_S_per_m, grid.k))
    sigma = body.muscle_radial_S_per_m
    found.append(_Layer(body.bone_mm, body.muscle_mm, sigma, body.stretch * grid.k))
    for thickness, sigma in ((body.fat_mm, body.fat_S_per_m), (body.skin_mm, body.skin_S_per_m)):
        if thickness > 0:
            found.append(_Layer(found[-1].outer, found[-1].outer + thickness, sigma, grid.k))
    return found


def _functions(
    layers: list[_Layer], i: int, radius: float, grid: Frequencies
) -> list[tuple[int, FloatArray, FloatArray]]:
    """Column, value and radial slope at a radius of the functions of layer i, shapes (orders + 1, k)."""
    layer, column = layers[i], max(2 * i - 1, 0)

    def at(place: float) -> Bessel:
        return bessel(grid.orders, layer.wave * place)

    here = at(radius)
    value = np.exp(here.log_i - at(layer.outer).log_i)
    found = [(column, value, value * layer.wave * here.slope_i)]
    if i:
        value = np.exp(here.log_k - at(layer.inner).log_k)
        found.append((column + 1, value, value * layer.wave * here.slope_k))
    return found
