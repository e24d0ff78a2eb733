"""Electrodes as points in columns: points at the same place of the cross-section share their kernel."""

from __future__ import annotations

from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SAME = 1e-9  # mm


@final
class Columns(NamedTuple):
    """Points sorted into columns, and within a column into groups that differ by whole steps in z.

    `first` of column c is the index of its first group, of group g (`start`) that of its first point;
    both have one entry more than there are columns or groups. `whole` and `part` are the z of a point
    in steps, as ``whole + part`` with the same part, 0 to 1, in a group.
    """

    first: IntArray
    start: IntArray
    part: FloatArray
    point: IntArray
    whole: IntArray


def columns(across: FloatArray, z_mm: FloatArray, step_mm: float) -> Columns:
    """Sort points by their place across (shape (points,) or (points, 2)) and by the fraction of z."""
    steps = z_mm / step_mm
    whole = np.floor(steps + _SAME)
    part = np.clip(steps - whole, 0.0, None)
    places = np.column_stack([across, part])
    rounded = np.round(places / _SAME / 10)
    order = np.lexsort((steps, *rounded.T[::-1]))
    changes = np.any(np.diff(rounded[order], axis=0) != 0, axis=1)
    new_column = np.any(np.diff(rounded[order][:, :-1], axis=0) != 0, axis=1)
    start = np.concatenate([[0], np.flatnonzero(changes) + 1, [len(order)]])
    starts_column = np.concatenate([[True], new_column[start[1:-1] - 1], [True]])
    first = np.flatnonzero(starts_column)
    return Columns(
        first.astype(np.int64),
        start.astype(np.int64),
        np.ascontiguousarray(part[order][start[:-1]]),
        order.astype(np.int64),
        whole[order].astype(np.int64),
    )


def pitch_step(z_mm: FloatArray, longest_mm: float) -> float:
    """Step of at most `longest_mm` that divides the spacing of the points in z, where it is regular."""
    gaps = np.diff(np.unique(np.round(z_mm, 6)))
    if len(gaps) == 0 or gaps.min() <= 0:
        return longest_mm
    smallest = gaps.min()
    regular = np.all(np.abs(gaps / smallest - np.round(gaps / smallest)) < 1e-6)
    if not regular or smallest < 0.2 * longest_mm:
        return longest_mm
    return float(smallest / np.ceil(smallest / longest_mm - 1e-9))
