"""Parameters of a pool of motor neurons from their recruitment thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ParameterError, UnknownNameError, shown
from ..units import to_float, unit_of


def interpolate(
    owner: str,
    ranges: Mapping[str, tuple[float, float]],
    thresholds: ArrayLike,
    largest: float | None,
    overrides: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the arguments of a cell model: its size and each parameter, linear in the threshold.

    Parameters
    ----------
    owner : str
        Name of the model, for errors.
    ranges : mapping
        Each parameter's value at threshold 0 and at `largest`.
    thresholds : array, shape (n,)
        Recruitment thresholds, above 0.
    largest : float or None
        None for the largest of `thresholds`.
    overrides : mapping
        A value, an array of shape (n,), or a pair that replaces the range.
    """
    rt = np.asarray(to_float(thresholds, None, f"{owner}.pool.thresholds"))
    if rt.ndim != 1 or rt.size == 0 or not np.all(np.isfinite(rt)) or rt.min() <= 0:
        raise ParameterError(
            f"{owner}.pool.thresholds",
            f"shape {rt.shape}" + (f", smallest {rt.min():g}" if rt.size else ""),
            "give a list of recruitment thresholds above 0",
        )
    top = rt.max() if largest is None else to_float(largest, None, f"{owner}.pool.largest")
    if np.ndim(top) or not np.isfinite(top) or top <= 0:
        raise ParameterError(f"{owner}.pool.largest", f"{shown(top)} was given", "give a number above 0")
    values: dict[str, Any] = {"n": len(rt)}
    for name, span in ranges.items():
        values[name] = span[0] + (span[1] - span[0]) * (rt / top)
    for name, given in overrides.items():
        if name not in ranges:
            raise UnknownNameError(f"{owner}.pool", name, ranges)
        if isinstance(given, tuple) and len(given) == 2:
            low, high = (to_float(end, unit_of(name), f"{owner}.pool.{name}") for end in given)
            given = low + (high - low) * (rt / top)  # noqa: PLW2901
        values[name] = given
    return values
