"""Compiled sums over fibres."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_FAST = {"nnan", "ninf", "nsz", "arcp", "contract"}


@njit(cache=True, nogil=True, fastmath=_FAST)
def lagrange(x: Any, w: Any) -> None:
    """Weights `w` of the nodes -1, 0, 1, 2 for the place `x`, exact for cubics."""
    w[0] = -x * (x - 1.0) * (x - 2.0) / 6.0
    w[1] = (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0
    w[2] = -(x + 1.0) * x * (x - 2.0) / 2.0
    w[3] = (x + 1.0) * x * (x - 1.0) / 6.0


@njit(cache=True, nogil=True, fastmath=_FAST)
def half_weights(length: Any, weights: Any) -> Any:
    """Weights of the integral from 0 to `length` (in steps); returns how many there are.

    Gregory's rule at the beginning; at the end the part of a step by the cubic through four nodes. What
    is too short for that is integrated linearly.
    """
    whole = int(np.floor(length))
    x = length - whole
    n = whole + 3
    for j in range(whole + 1):
        weights[j] = 1.0
    if whole < 5:
        weights[0] -= 0.5
        weights[whole] -= 0.5
        weights[whole] += x - x * x / 2.0
        weights[whole + 1] = x * x / 2.0
        weights[whole + 2] = 0.0
        return n
    weights[0], weights[1], weights[2] = 3.0 / 8.0, 7.0 / 6.0, 23.0 / 24.0
    weights[whole - 1] += 25.0 / 24.0 - 1.0
    weights[whole] += 1.0 / 2.0 - 1.0
    weights[whole + 1] = -1.0 / 24.0
    weights[whole + 2] = 0.0
    # The integral from 0 to x of the cubic through the nodes -1, 0, 1, 2.
    x2, x3, x4 = x * x, x * x * x, x * x * x * x
    weights[whole - 1] += -(x4 / 4.0 - x3 + x2) / 6.0
    weights[whole] += (x4 / 4.0 - 2.0 * x3 / 3.0 - x2 / 2.0 + 2.0 * x) / 2.0
    weights[whole + 1] += -(x4 / 4.0 - x3 / 3.0 - x2) / 2.0
    weights[whole + 2] += (x4 / 4.0 - x2 / 2.0) / 6.0
    return n


@njit(cache=True, nogil=True, fastmath=_FAST)
def mix_rows(table: Any, row: Any, column: Any, w: Any, n: Any, out: Any) -> None:
    """First `n` nodes of `table` at the fractional place (row, column), cubic in both."""
    i = min(max(int(row), 1), table.shape[0] - 3)
    j = min(max(int(column), 1), table.shape[1] - 3)
    a, b = w[0], w[1]
    lagrange(row - i, a)
    lagrange(column - j, b)
    for p in range(4):
        b0, b1, b2, b3 = (
            np.float32(a[p] * b[0]),
            np.float32(a[p] * b[1]),
            np.float32(a[p] * b[2]),
            np.float32(a[p] * b[3]),
        )
        t0, t1 = table[i - 1 + p, j - 1], table[i - 1 + p, j]
        t2, t3 = table[i - 1 + p, j + 1], table[i - 1 + p, j + 2]
        if p == 0:
            for k in range(n):
                out[k] = b0 * t0[k] + b1 * t1[k] + b2 * t2[k] + b3 * t3[k]
        else:
            for k in range(n):
                out[k] += b0 * t0[k] + b1 * t1[k] + b2 * t2[k] + b3 * t3[k]


@njit(cache=True, nogil=True, fastmath=_FAST)
def add_point(ahead: Any, behind: Any, w1: Any, w2: Any, out: Any) -> None:
    """Subtract what the two halves of a fibre give to one point."""
    for j in range(len(out)):
        out[j] -= w1[j] * ahead[j] + w2[j] * behind[j]


@njit(cache=True, nogil=True, fastmath=_FAST)
def accumulate_tabulated(
    table: Any,
    rows: Any,
    places: Any,
    endplate: Any,
    length1: Any,
    length2: Any,
    area: Any,
    first: Any,
    start: Any,
    part: Any,
    point: Any,
    whole: Any,
    sums: Any,
) -> None:
    """Subtract ``area (w1 r(s - zeta) + w2 r(s + zeta))`` of all fibres from `sums`.

    Parameters
    ----------
    table : ndarray of float32, shape (depths, across, along)
    rows, places : ndarray, shapes (fibres,), (fibres, columns)
        Fractional indices into the table.
    endplate, length1, length2 : ndarray, shape (fibres,)
        z of the endplate and lengths of both halves, in steps.
    area : ndarray, shape (fibres,)
    first, start, part, point, whole : ndarray
        The points; see `Columns`.
    sums : ndarray of float32, shape (points, steps)
    """
    steps = sums.shape[1]
    reach = table.shape[2]
    w1, w2 = np.zeros(steps, np.float32), np.zeros(steps, np.float32)
    weights, cardinal = np.empty((2, 4)), np.empty(4)
    odd = np.empty(2 * reach, np.float32)  # r from -reach to reach, 0 in the middle
    ahead, behind = np.empty(2 * reach, np.float32), np.empty(2 * reach, np.float32)
    for f in range(len(area)):
        w1[:], w2[:] = 0.0, 0.0
        n1, n2 = half_weights(length1[f], w1), half_weights(length2[f], w2)
        used = max(n1, n2)
        size = np.float32(area[f])
        for j in range(used):
            w1[j] *= size
            w2[j] *= size
        for c in range(len(first) - 1):
            # The nodes that the points of this column need.
            furthest = 0.0
            for g in range(first[c], first[c + 1]):
                low = abs(whole[start[g]] + part[g] - endplate[f])
                high = abs(whole[start[g + 1] - 1] + part[g] - endplate[f])
                furthest = max(furthest, low, high)
            n = int(furthest) + used + 4
            if n > reach:
                raise ValueError("the table of the kernel is too short")
            mix_rows(table, rows[f], places[f, c], weights, n, odd[reach:])
            right, left = odd[reach:], odd[:reach]
            for k in range(1, n):
                left[reach - k] = -right[k]
            for g in range(first[c], first[c + 1]):
                zeta = whole[start[g]] + part[g] - endplate[f]
                base = int(np.floor(zeta))
                lagrange(zeta - base, cardinal)
                c0, c1 = np.float32(cardinal[0]), np.float32(cardinal[1])
                c2, c3 = np.float32(cardinal[2]), np.float32(cardinal[3])
                # r(k - fraction) and r(k + fraction); the second is the first read backwards.
                m = n - 2
                source = odd[reach - n + 1 :]
                target = ahead[reach - m + 1 :]
                for k in range(2 * m):
                    target[k] = c3 * source[k] + c2 * source[k + 1] + c1 * source[k + 2] + c0 * source[k + 3]
                for k in range(2 * m):
                    behind[reach - m + k] = -ahead[reach + m - k]
                for p in range(start[g], start[g + 1]):
                    offset = base + whole[p] - whole[start[g]]
                    add_point(
                        ahead[reach - offset : reach - offset + used],
                        behind[reach + offset : reach + offset + used],
                        w1[:used],
                        w2[:used],
                        sums[point[p], :used],
                    )


@njit(cache=True, nogil=True, fastmath=_FAST)
def sample_travelling(kappa: Any, first: Any, per_sample: Any, per_step: Any, out: Any) -> None:
    """Write ``kappa(first + m per_sample - j per_step)`` to ``out[j, m]``, cubic between nodes, 0 beyond."""
    steps, samples = out.shape
    last = len(kappa) - 3
    for j in range(steps):
        start = first - j * per_step
        for m in range(samples):
            place = start + m * per_sample
            i = int(np.floor(place))
            if i < 1 or i > last:
                out[j, m] = 0.0
                continue
            x = np.float32(place - i)
            a, b, c, d = kappa[i - 1], kappa[i], kappa[i + 1], kappa[i + 2]
            half, third, sixth = np.float32(0.5), np.float32(1.0 / 3.0), np.float32(1.0 / 6.0)
            c1 = c - third * a - half * b - sixth * d
            c2 = half * (a + c) - b
            c3 = sixth * (d - a) + half * (b - c)
            out[j, m] = b + x * (c1 + x * (c2 + x * c3))


@njit(cache=True, nogil=True, fastmath=_FAST)
def accumulate_near(
    width: Any, zeta: Any, wanted: Any, length1: Any, length2: Any, area: Any, sums: Any
) -> None:
    """Subtract ``area (w1 r(s - zeta) + w2 r(s + zeta))`` of pairs of fibre and point, in closed form.

    r(y) = -y/(width^2 + y^2)^(3/2), all lengths in steps.

    Parameters
    ----------
    width, zeta, wanted : ndarray, shape (fibres, points)
        `wanted` says which pairs to add.
    length1, length2, area : ndarray, shape (fibres,)
    sums : ndarray of float32, shape (points, steps)
    """
    w1, w2 = np.zeros(sums.shape[1], np.float32), np.zeros(sums.shape[1], np.float32)
    for f in range(len(area)):
        w1[:], w2[:] = 0.0, 0.0
        used = max(half_weights(length1[f], w1), half_weights(length2[f], w2))
        size = np.float32(area[f])
        for p in range(len(sums)):
            if not wanted[f, p]:
                continue
            out = sums[p]
            squared = np.float32(width[f, p] ** 2)
            z = zeta[f, p]
            whole = np.floor(z)
            part = np.float32(z - whole)
            for j in range(used):
                ahead = np.float32(j - whole) - part
                behind = np.float32(j + whole) + part
                a, b = squared + ahead * ahead, squared + behind * behind
                out[j] += size * (w1[j] * ahead / (a * np.sqrt(a)) + w2[j] * behind / (b * np.sqrt(b)))


@njit(cache=True, nogil=True, fastmath=_FAST)
def coarsen(fine: Any, rows: Any, coarse: Any) -> None:
    """Add sums on a grid to `rows` on the grid of twice its step: the adjoint of cubic interpolation.

    Every node of the fine grid stands for half a coarse step.
    """
    half = np.float32(0.5)
    last = coarse.shape[1] - 1
    w = np.empty(4)
    for p in range(len(fine)):
        target = coarse[rows[p]]
        for j in range(fine.shape[1]):
            if j % 2 == 0:
                target[min(j // 2, last)] += half * fine[p, j]
                continue
            base = min(max((j - 1) // 2 - 1, 0), last - 3)
            lagrange(0.5 * j - base - 1.0, w)
            for t in range(4):
                target[base + t] += half * np.float32(w[t]) * fine[p, j]


@njit(cache=True, nogil=True, fastmath=_FAST)
def add_product(a: Any, b: Any, out: Any) -> None:
    """Add the matrix product of `a` and `b` to `out`, all float32: the same bits on any number of threads."""
    rows, inner = a.shape
    for i in range(rows):
        target = out[i]
        j = 0
        while j + 3 < inner:
            a0, a1, a2, a3 = a[i, j], a[i, j + 1], a[i, j + 2], a[i, j + 3]
            b0, b1, b2, b3 = b[j], b[j + 1], b[j + 2], b[j + 3]
            for k in range(len(target)):
                target[k] += a0 * b0[k] + a1 * b1[k] + a2 * b2[k] + a3 * b3[k]
            j += 4
        while j < inner:
            a0, b0 = a[i, j], b[j]
            for k in range(len(target)):
                target[k] += a0 * b0[k]
            j += 1
