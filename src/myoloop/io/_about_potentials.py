"""What action potentials and their paths are, all but their values, as plain values for JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentialPath, ActionPotentials, Signal
from ..parameters import plain

PathValues = tuple[NDArray[Any], NDArray[Any]]
"""Action potentials (knots, units, channels, samples) in uV, and the coordinate as it is."""


def about_potentials(potentials: ActionPotentials | None) -> dict[str, Any] | None:
    """What must be known of action potentials beside their values."""
    if potentials is None:
        return None
    return {
        "rate_hz": potentials.rate_hz,
        "t_start_s": potentials.t_start_s,
        "channels": list(potentials.channels),
        "dtype": potentials.values_uV.dtype.str,
    }


def potentials_from(values: NDArray[Any], about: Mapping[str, Any]) -> ActionPotentials:
    """Action potentials from their values in uV and what `about_potentials` says."""
    return ActionPotentials(
        values.astype(floating(about["dtype"]), copy=False),
        float(about["rate_hz"]),
        float(about["t_start_s"]),
        tuple(map(str, about["channels"])),
    )


def about_path(path: ActionPotentialPath | None) -> dict[str, Any] | None:
    """What must be known of a path beside its `path_values`."""
    if path is None:
        return None
    coordinate = path.coordinate
    return {
        "knots": path.knots.tolist(),
        "potentials": about_potentials(path.potentials[0]),
        "dtypes": [one.values_uV.dtype.str for one in path.potentials],
        "coordinate": {
            "rate_hz": coordinate.rate_hz,
            "units": coordinate.units,
            "t_start_s": coordinate.t_start_s,
            "name": coordinate.name,
            "channels": plain(coordinate.channels),
            "about": plain(coordinate.about),
            "dtype": coordinate.values.dtype.str,
            "flat": coordinate.values.ndim == 1,
        },
    }


def path_values(path: ActionPotentialPath) -> PathValues:
    """The arrays of a path."""
    return np.stack([one.values_uV for one in path.potentials]), path.coordinate.values


def path_from(values: PathValues, about: Mapping[str, Any]) -> ActionPotentialPath:
    """A path from its `path_values` and what `about_path` says."""
    stack, moved = values
    if stack.ndim != 4 or not len(stack) == len(about["knots"]) == len(about["dtypes"]):
        raise ValueError(f"action potentials of shape {stack.shape} for {len(about['knots'])} knots")
    said = about["coordinate"]
    coordinate = Signal(
        moved.reshape(-1 if said["flat"] else moved.shape).astype(floating(said["dtype"]), copy=False),
        float(said["rate_hz"]),
        str(said["units"]),
        float(said["t_start_s"]),
        str(said["name"]),
        tuple(said["channels"]),
        dict(said["about"]),
    )
    pairs = zip(stack, about["dtypes"], strict=True)
    potentials = [potentials_from(one, {**about["potentials"], "dtype": dtype}) for one, dtype in pairs]
    return ActionPotentialPath(np.array(about["knots"], dtype=np.float64), tuple(potentials), coordinate)


def floating(dtype: Any) -> np.dtype[Any]:
    """float32 or float64 as a description says; raises ValueError."""
    found = np.dtype(str(dtype))
    if found not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"samples of type {found}")
    return found
