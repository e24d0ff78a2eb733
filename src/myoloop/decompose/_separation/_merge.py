"""One train a unit: parts of a train are put together, trains of two units divided."""

from __future__ import annotations

import numpy as np

from .._kernels import isi_variation
from ._candidates import PAUSE_S, REFRACTORY_S, Train
from ._joint import Joint


def parts_joined(joint: Joint, alike: float, rate_hz: float) -> list[Train]:
    """Trains in which the parts of a unit have become one, and two units in one train two.

    Peel-off leaves behind what it missed of a unit, and a later round finds that as a unit of its own.
    Two parts answer to each other's filters, and together they fire more steadily than alone; two units
    with like action potentials do not.

    Parameters
    ----------
    joint : Joint
    alike : float
        Likeness, both ways, from which two trains may be parts of one.
    rate_hz : float
    """
    trains: list[Train] = []
    likeness = np.minimum(joint.likeness, joint.likeness.T)
    free = np.ones(len(joint.found), dtype=bool)
    for i in np.argsort(-joint.found.counts, kind="stable"):
        if not free[i]:
            continue
        free[i] = False
        two = joint.halves[i]
        if two is not None:
            trains.extend(_within(joint, part) for part in two)
            continue
        train = joint.found.spikes[i]
        for j in np.flatnonzero(free & (likeness[i] >= alike)):
            both = _union(train, joint.found.spikes[j] + joint.lag[i, j], rate_hz)
            if _variation(both, rate_hz) < _variation(train, rate_hz):
                train, free[j] = both, False
        trains.append(_within(joint, train))
    return trains


def _within(joint: Joint, train: Train) -> Train:
    """The spikes within the signals, which a lag may move others out of."""
    return np.asarray(train[(train >= 0) & (train < joint.sources.shape[1])])


def _variation(train: Train, rate_hz: float) -> float:
    return float(isi_variation(train, round(PAUSE_S * rate_hz)))


def _union(train: Train, part: Train, rate_hz: float) -> Train:
    """Spikes of both; of two nearer than the refractory time, that of `train` counts."""
    distance = round(REFRACTORY_S * rate_hz)
    at = np.searchsorted(train, part)
    before = np.where(at > 0, part - train[np.maximum(at - 1, 0)], distance)
    after = np.where(at < len(train), train[np.minimum(at, len(train) - 1)] - part, distance)
    new = part[(before >= distance) & (after >= distance)]
    return np.unique(np.concatenate([train, new]))
