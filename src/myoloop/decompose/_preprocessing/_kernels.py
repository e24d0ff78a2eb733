"""Compiled loops over samples: raw channels examined, a causal filter advanced."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def at_limits(row: Any, top: float, bottom: float, margin: float) -> tuple[int, int]:
    """How many samples reach `top` or `bottom`, and how many more come within `margin` of them."""
    reached, near = 0, 0
    for t in range(row.shape[0]):
        x = row[t]
        reached += (x >= top) | (x <= bottom)
        near += (x >= top - margin) | (x <= bottom + margin)
    return reached, near - reached


@njit(cache=True, nogil=True)
def held_and_wrapped(row: Any, hold: int, span: float) -> tuple[int, int]:
    """How many samples lie in constant runs of at least `hold`, and how many steps are wrap-arounds.

    A wrapped integer jumps by nearly the whole span against the direction in which the signal goes on.
    """
    n = row.shape[0]
    held, wraps, start, last = 0, 0, 0, row[0]
    for t in range(1, n):
        x = row[t]
        if x == last:
            continue
        if t - start >= hold:
            held += t - start
        step = x - last
        if abs(step) > 0.8 * span and 2 <= t < n - 1:
            before, after = last - row[t - 2], row[t + 1] - x
            small = abs(before) < 0.25 * span and abs(after) < 0.25 * span
            along = before * step <= 0 and after * step <= 0
            wraps += small and along and (before != 0 or after != 0)
        start, last = t, x
    if n - start >= hold:
        held += n - start
    return held, wraps


@njit(cache=True, nogil=True)
def advance(
    block: Any, rows: Any, sections: Any, state: Any, gain: Any, phase: int, factor: int, out: Any
) -> int:
    """Second-order sections over a block, sample by sample; every `factor`-th sample goes to `out`.

    ``block`` (channels, samples), ``rows`` (kept,), ``sections`` (sections, 6), ``state`` (sections, 2,
    kept), ``gain`` (kept,), ``out`` (kept, samples out). `phase` counts the samples since the last kept
    one. Returns the new phase.
    """
    kept, n_sections = rows.shape[0], sections.shape[0]
    x = np.empty(kept)
    column = 0
    for t in range(block.shape[1]):
        for k in range(kept):
            x[k] = block[rows[k], t]
        for s in range(n_sections):
            b0, b1, b2 = sections[s, 0], sections[s, 1], sections[s, 2]
            a1, a2 = sections[s, 4], sections[s, 5]
            one, two = state[s, 0], state[s, 1]
            for k in range(kept):  # transposed direct form II, channels side by side
                y = b0 * x[k] + one[k]
                one[k] = b1 * x[k] - a1 * y + two[k]
                two[k] = b2 * x[k] - a2 * y
                x[k] = y
        if phase == 0:
            for k in range(kept):
                out[k, column] = x[k] * gain[k]
            column += 1
        phase = phase + 1 if phase + 1 < factor else 0
    return phase
