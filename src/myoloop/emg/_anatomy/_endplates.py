"""Where along the fibres the endplates lie: a motor axon branches, and each branch serves fibres close by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...random import Streams

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ROUNDS = 12


def branch_numbers(thresholds: FloatArray) -> IntArray:
    """Branches of the axon of each unit, 1 + round(ln(rt_i/rt_1))."""
    return np.asarray(1 + np.rint(np.log(thresholds / thresholds[0])), dtype=np.int64)


def endplate_sds(thresholds: FloatArray, spread: float) -> FloatArray:
    """SD in mm of the branches' places along z and of the endplates about their branch, shape (units, 2)."""
    s = np.cumsum(thresholds) / np.sum(thresholds)
    return spread * np.column_stack([1.5 + 4.0 * s, 0.5 + 1.5 * s])


def branches(
    points: FloatArray,
    unit: IntArray,
    numbers: IntArray,
    sds_mm: FloatArray,
    window_mm: tuple[float, float, float],
    streams: Streams,
) -> tuple[IntArray, FloatArray]:
    """Branch that serves each fibre (numbered within its unit) and that branch's z in mm.

    A unit's fibres fall to its branches by their place in the cross-section, in compact groups. The
    `window_mm` has the least, the mean and the largest z of a branch.
    """
    low, mean, high = window_mm
    label, z = np.zeros(len(unit), dtype=np.int64), np.empty(len(unit))
    order = np.argsort(unit, kind="stable")
    ends = np.cumsum(np.bincount(unit, minlength=len(numbers)))
    for u, members in enumerate(np.split(order, ends[:-1])):
        generator = streams.child("branches", u).generator()
        groups = _groups(points[members], int(min(numbers[u], len(members))), generator)
        places = truncated_normal(generator.random(groups.max() + 1), mean, sds_mm[u, 0], low, high)
        label[members], z[members] = groups, places[groups]
    return label, z


def _groups(points: FloatArray, k: int, generator: np.random.Generator) -> IntArray:
    """Compact groups of points, at most `k`: Lloyd's iterations from `k` of the points."""
    centres = points[generator.choice(len(points), k, replace=False)]
    for _ in range(_ROUNDS):
        distance2 = np.sum((points[:, None] - centres) ** 2, axis=2)
        label = np.argmin(distance2, axis=1)
        size = np.bincount(label, minlength=k)
        for axis in (0, 1):
            total = np.bincount(label, weights=points[:, axis], minlength=k)
            centres[:, axis] = np.where(size > 0, total / np.maximum(size, 1), centres[:, axis])
    return np.asarray(label)


def truncated_normal(uniform: FloatArray, mean: Any, sd: Any, low: Any, high: Any) -> FloatArray:
    """Normal number within [low, high] for each uniform one; the mean must lie within, the SD may be 0."""
    from scipy.special import ndtr, ndtri

    safe = np.where(np.asarray(sd) > 0, sd, 1.0)
    below, above = ndtr((low - mean) / safe), ndtr((high - mean) / safe)
    z = mean + safe * ndtri(below + uniform * (above - below))
    return np.asarray(np.where(np.asarray(sd) > 0, z, mean))
