"""Geometry of closed outlines in the plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def polygon_contains(vertices: FloatArray, x: FloatArray, y: FloatArray) -> BoolArray:
    """Whether the points lie inside the polygon: a ray to the right crosses its sides an odd number of times.

    Parameters
    ----------
    vertices : ndarray, shape (m, 2)
        Not repeated at the end.
    x, y : ndarray
        Of one shape.
    """
    inside = np.zeros(x.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        rows = np.flatnonzero((y0 > y) != (y1 > y))
        crossing = x0 + (y.flat[rows] - y0) * ((x1 - x0) / (y1 - y0))
        inside.flat[rows] ^= x.flat[rows] < crossing
    return inside


def polygon_area(vertices: FloatArray) -> float:
    """Area enclosed, by Gauss's formula."""
    x, y = (vertices - vertices.mean(axis=0)).T
    return float(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)


def crossing_sides(vertices: FloatArray) -> tuple[int, int] | None:
    """First pair of sides that meet elsewhere than at a common vertex, by index, or None."""
    n = len(vertices)
    ends = np.roll(vertices, -1, axis=0)
    for k in range(n):
        a, b = vertices[k], ends[k]
        if _turns_back(a, b, ends[(k + 1) % n]):
            return k, (k + 1) % n
        others = np.arange(k + 2, n if k > 0 else n - 1)  # the last side is a neighbour of the first
        hits = _meet(a, b, vertices[others], ends[others])
        if np.any(hits):
            return k, int(others[np.argmax(hits)])
    return None


def _turns_back(a: FloatArray, b: FloatArray, c: FloatArray) -> bool:
    """Whether the side from b to c runs back over the side from a to b."""
    along = float((b - a) @ (c - b))
    return bool(_side(a, b, c[None])[0] == 0 and along < 0)


def _meet(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> BoolArray:
    """Whether the side from a to b has a point in common with each side from c to d."""
    apart = np.sign(_side(a, b, c)) * np.sign(_side(a, b, d)) > 0
    apart |= np.sign(_side(c, d, a[None])) * np.sign(_side(c, d, b[None])) > 0
    for axis in (0, 1):
        low, high = min(a[axis], b[axis]), max(a[axis], b[axis])
        apart |= np.maximum(c[:, axis], d[:, axis]) < low
        apart |= np.minimum(c[:, axis], d[:, axis]) > high
    return np.asarray(~apart)


def _side(a: FloatArray, b: FloatArray, p: FloatArray) -> FloatArray:
    """Positive where p lies to the left of the line from a to b, 0 on it."""
    u, v = b - a, p - a
    return np.asarray(u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0])


def mask_outline(image: BoolArray) -> list[FloatArray]:
    """Closed outlines of the true pixels, in pixels from the corner of pixel (0, 0).

    Each has shape (n, 2), column and row, with the first point repeated at the end. Outer outlines run
    anticlockwise (rows counted upwards), holes clockwise. Pixels that touch at a corner only are kept
    apart.
    """
    padded = np.pad(image, 1)
    following: dict[tuple[int, int], list[tuple[int, int]]] = {}
    # The four kinds of side of a pixel, with the pixel on its left: neighbour, start, step.
    for (dr, dc), (r0, c0), (sr, sc) in (
        ((-1, 0), (0, 0), (0, 1)),
        ((0, 1), (0, 1), (1, 0)),
        ((1, 0), (1, 1), (0, -1)),
        ((0, -1), (1, 0), (-1, 0)),
    ):
        bare = padded & ~np.roll(padded, (-dr, -dc), axis=(0, 1))
        for r, c in np.argwhere(bare) - 1:
            start = (int(r) + r0, int(c) + c0)
            following.setdefault(start, []).append((start[0] + sr, start[1] + sc))
    outlines = []
    while following:
        outlines.append(_trace(following))
    return outlines


def _trace(following: dict[tuple[int, int], list[tuple[int, int]]]) -> FloatArray:
    """One closed outline, taken out of `following`; straight runs are one side."""
    start = min(following)
    corners, here, before = [start], start, (0, 0)
    while True:
        ways = following[here]
        # Where two outlines touch, turn left, so as to stay with the same pixel.
        left = (here[0] + before[1], here[1] - before[0])
        there = left if left in ways else ways[0]
        ways.remove(there)
        if not ways:
            del following[here]
        step = (there[0] - here[0], there[1] - here[1])
        if step == before:
            corners[-1] = there
        else:
            corners.append(there)
        here, before = there, step
        if here == start:
            return np.array(corners, dtype=float)[:, ::-1]
