"""Functions that a model's `step` may call; `_math` says what they are in compiled kernels."""

from __future__ import annotations

from typing import Any

import numpy as np


def exp(x: Any) -> Any:
    """e**x; in a compiled kernel a polynomial form.

    Relative error below 2 machine epsilons. Arguments are held to [-87, 88] in float32 and
    [-708, 709] in float64 kernels, so the result is never 0 or infinite.
    """
    return np.exp(x)


def exp_bounded(x: Any) -> Any:
    """e**x for an argument that is known to lie in [-87, 88]: two instructions less than `exp`."""
    return np.exp(x)


def clamp(x: Any, low: Any, high: Any) -> Any:
    """X held between low and high."""
    return np.minimum(np.maximum(x, low), high)


def divide_pair(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return a / b and c / d; float64 kernels, for which division is dear, do it with one division.

    b, d and their product must lie within the range of the precision.
    """
    return a / b, c / d


def crossing(threshold: Any, before: Any, after: Any) -> Any:
    """Fraction of a step after which a voltage that goes from `before` to `after` reaches a threshold.

    0.0 if it does not; a tiny fraction if `before` lies there already, where a delta synapse brought it.
    """
    rise = after - before if after > before else 1.0
    reached = (threshold - before) / rise if after >= threshold else 0.0
    return 1e-6 if before >= threshold else reached
