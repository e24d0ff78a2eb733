"""Compiled loops of the anatomy; imported when one is first needed, so that Numba is not before.

Each is a plain function over arrays that also runs uncompiled, which the tests use.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from ...kernels._cache import enable_cache

_STEEPEST = 60.0  # of an exponent: a unit that is far from its share is pushed no harder


def choose_units_plain(
    first: Any,
    candidate: Any,
    weight: Any,
    near_first: Any,
    near: Any,
    draws: Any,
    share: Any,
    repulsion: Any,
    stiffness: Any,
    unit: Any,
    count: Any,
) -> None:
    """Choose the unit of each fibre once anew, given the units of all the others (heat bath).

    The probability of a candidate is its weight, times `repulsion` for each neighbour of that unit, times
    exp(-stiffness (count - share)), with `count` that unit's fibres without this one. `unit` (-1 for none
    yet) and `count` are written.

    Parameters
    ----------
    first, candidate, weight : ndarray
        Candidates of fibre f and their weights, from ``first[f]`` to ``first[f + 1]``.
    near_first, near : ndarray
        Its neighbours, likewise.
    draws : ndarray, shape (fibres,)
        Uniform numbers.
    share : ndarray, shape (units,)
        Fibres that each unit is to have.
    """
    push = share * 0.0
    around = count * 0
    for u in range(len(share)):
        push[u] = math.exp(-min(max(stiffness * (count[u] - share[u]), -_STEEPEST), _STEEPEST))
    for f in range(len(unit)):
        old = unit[f]
        if old >= 0:
            count[old] -= 1
            push[old] = math.exp(-min(max(stiffness * (count[old] - share[old]), -_STEEPEST), _STEEPEST))
        for k in range(near_first[f], near_first[f + 1]):
            if unit[near[k]] >= 0:
                around[unit[near[k]]] += 1
        total = 0.0
        for k in range(first[f], first[f + 1]):
            total += weight[k] * push[candidate[k]] * repulsion ** around[candidate[k]]
        left = draws[f] * total
        new = candidate[first[f + 1] - 1]
        for k in range(first[f], first[f + 1]):
            left -= weight[k] * push[candidate[k]] * repulsion ** around[candidate[k]]
            if left < 0.0:
                new = candidate[k]
                break
        for k in range(near_first[f], near_first[f + 1]):
            if unit[near[k]] >= 0:
                around[unit[near[k]]] = 0
        unit[f] = new
        count[new] += 1
        push[new] = math.exp(-min(max(stiffness * (count[new] - share[new]), -_STEEPEST), _STEEPEST))


choose_units = njit(nogil=True)(choose_units_plain)
enable_cache(choose_units, choose_units_plain)
