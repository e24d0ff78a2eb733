"""Compiled loops of the synthesis; imported when one is first needed, so that Numba is not before.

No fast mathematics here: every sample is summed in one order, so that blocks of any size and machines of
any width give the same bits. Each is a plain function over arrays that also runs uncompiled.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from ...kernels._cache import enable_cache
from ...kernels._philox import uniform_pair


def add_discharges_plain(
    out: Any, first: Any, start: Any, taps: Any, rows: Any, weights: Any, table: Any, scratch: Any
) -> None:
    """Add to a block of EMG what each discharge leaves in it.

    Parameters
    ----------
    out : float32, shape (samples, channels)
        The block; written.
    first : int
        Sample number of its first row.
    start : int64, shape (discharges,)
        Sample number at which each delayed potential begins.
    taps : float32, shape (discharges, a multiple of 4)
        Weights of the delay by a fraction of a sample.
    rows : int64, shape (discharges, terms)
    weights : float32, shape (discharges, terms)
        A discharge's potential is the sum of ``weights * table[rows]``.
    table : float32, shape (rows, length, channels)
    scratch : float32, shape (length + 2 (taps - 1), channels)
        Zero at its ends; written.
    """
    channels, length, n_taps = table.shape[2], table.shape[1], taps.shape[1]
    delayed = length + n_taps - 1
    flat_out, flat = out.reshape(-1), scratch.reshape(-1)
    inner = flat[(n_taps - 1) * channels : (n_taps - 1 + length) * channels]
    held = -1  # row that `scratch` holds, where it holds one as it is
    for i in range(len(start)):
        if rows.shape[1] > 1 or rows[i, 0] != held:
            combine(inner, rows[i], weights[i], table)
            held = rows[i, 0] if rows.shape[1] == 1 else -1
        at = start[i] - first
        low, high = max(0, -at), min(delayed, len(out) - at)
        if high <= low:
            continue
        target = flat_out[(at + low) * channels : (at + high) * channels]
        for k in range(0, n_taps, 4):
            a = flat[(low + k) * channels : (high + k) * channels]
            b = flat[(low + k + 1) * channels : (high + k + 1) * channels]
            c = flat[(low + k + 2) * channels : (high + k + 2) * channels]
            d = flat[(low + k + 3) * channels : (high + k + 3) * channels]
            add_four(target, a, b, c, d, taps[i, k], taps[i, k + 1], taps[i, k + 2], taps[i, k + 3])


def add_four_plain(out: Any, a: Any, b: Any, c: Any, d: Any, wa: Any, wb: Any, wc: Any, wd: Any) -> None:
    """Add four weighted arrays to `out`."""
    for j in range(len(out)):
        out[j] += (wa * a[j] + wb * b[j]) + (wc * c[j] + wd * d[j])


def combine_plain(out: Any, rows: Any, weights: Any, table: Any) -> None:
    """Set `out` to the weighted sum of rows of `table`."""
    source, weight = table[rows[0]].reshape(-1), weights[0]
    for j in range(len(out)):
        out[j] = weight * source[j]
    for m in range(1, len(rows)):
        source, weight = table[rows[m]].reshape(-1), weights[m]
        for j in range(len(out)):
            out[j] += weight * source[j]


def overlapping_plain(start: Any, unit_starts: Any, cursor: Any, length: Any, first: Any, stop: Any) -> Any:
    """Count the discharges of each unit that reach into samples `first` to `stop`.

    `start` ascends within each unit. `cursor`, the first discharge of each unit that is not over, moves
    on; those from it up to it plus the count reach in.
    """
    counts = cursor * 0
    for u in range(len(cursor)):
        j, end = cursor[u], unit_starts[u + 1]
        while j < end and start[j] + length <= first:
            j += 1
        cursor[u] = j
        while j < end and start[j] < stop:
            j += 1
        counts[u] = j - cursor[u]
    return counts


def draw_normals_plain(key: Any, unit: Any, discharge: Any, out: Any) -> None:
    """Fill `out`, shape (discharges, an even number), with normal numbers.

    Those of a discharge depend on its unit and its number in that unit's train alone.
    """
    pairs = out.shape[1] // 2
    for i in range(len(unit)):
        for p in range(pairs):
            u, angle = uniform_pair(key, unit[i], discharge[i] * pairs + p)
            radius = math.sqrt(-2.0 * math.log(u))
            out[i, 2 * p] = radius * math.cos(2.0 * math.pi * angle)
            out[i, 2 * p + 1] = radius * math.sin(2.0 * math.pi * angle)


add_four = njit(cache=True, nogil=True)(add_four_plain)
combine = njit(cache=True, nogil=True)(combine_plain)
add_discharges = njit(nogil=True)(add_discharges_plain)
overlapping = njit(cache=True, nogil=True)(overlapping_plain)
draw_normals = njit(nogil=True)(draw_normals_plain)
enable_cache(add_discharges, add_discharges_plain, add_four_plain, combine_plain)
enable_cache(draw_normals, draw_normals_plain)
