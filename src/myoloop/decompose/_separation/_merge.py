"""One train a unit: parts of a train are put together, repeats left out."""

from __future__ import annotations

import numpy as np

from ._candidates import REFRACTORY_S, Train
from ._joint import Joint


def parts_joined(joint: Joint, alike: float, rate_hz: float) -> list[Train]:
    """Trains in which units whose filters answer to each other's templates have become one.

    Peel-off leaves behind what it missed of a unit, and a later round finds that as a unit of its own.

    Parameters
    ----------
    joint : Joint
    alike : float
        Likeness, both ways, from which two units are one.
    rate_hz : float
    """
    trains: list[Train] = []
    likeness = np.minimum(joint.likeness, joint.likeness.T)
    free = np.ones(len(joint.found), dtype=bool)
    for i in np.argsort(-joint.found.counts, kind="stable"):
        if not free[i]:
            continue
        free[i] = False
        others = np.flatnonzero(free & (likeness[i] >= alike))
        free[others] = False
        parts = [joint.found.spikes[j] + joint.lag[i, j] for j in others]
        trains.append(_union(joint.found.spikes[i], parts, rate_hz))
    return trains


def _union(train: Train, parts: list[Train], rate_hz: float) -> Train:
    """Spikes of all parts; of two nearer than the refractory time, the earlier part's counts."""
    distance = round(REFRACTORY_S * rate_hz)
    for part in parts:
        at = np.searchsorted(train, part)
        before = np.where(at > 0, part - train[np.maximum(at - 1, 0)], distance)
        after = np.where(at < len(train), train[np.minimum(at, len(train) - 1)] - part, distance)
        new = part[(before >= distance) & (after >= distance) & (part >= 0)]
        train = np.unique(np.concatenate([train, new]))
    return train
