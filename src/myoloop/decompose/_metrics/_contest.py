"""The score of the MUnitQuest contest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from ...data import SpikeTrains
from ...errors import ParameterError
from ._matching import match_trains
from ._score import Score, score, unit_names

DUPLICATE_SHARE = 0.3
MINIMUM_F1 = 0.5
MINIMUM_SPIKES = 10
MINIMUM_SIL = 0.9


@final
@dataclass(frozen=True, eq=False)
class ContestScore:
    """Points of a decomposition in the contest.

    Parameters
    ----------
    points : float
        Sum of the F1 of the matched units.
    agreement : Score
        Of the units that were left.
    rejected : dict of str to str
        Units that were left out, and why.
    """

    points: float
    agreement: Score
    rejected: dict[str, str]


def contest_score(found: SpikeTrains, truth: SpikeTrains, sil: ArrayLike | None = None) -> ContestScore:
    """Points by the rules of MUnitQuest, for labels that are known.

    In this order: a unit that shares at least 30 % of its spikes (of the longer train, at the best lag)
    with an earlier one is a duplicate and left out; units of fewer than 10 spikes, or of a silhouette
    below .9 where `sil` is given, are left out; the others are matched (F1 of at least .5), and the
    points are the sum of their F1. The contest itself rejects by spikes and silhouette only where its
    labels are incomplete, and then adds points for plausible unmatched units, which are not given here.

    Parameters
    ----------
    found, truth : SpikeTrains
        Of two duplicates the first is kept: give the best unit first.
    sil : array_like, shape (units of `found`,), optional
        Silhouette of each found unit.

    References
    ----------
    MUnitQuest algorithm challenge, evaluation steps 1-3 and 6, https://munitquest.github.io
    """
    given = None if sil is None else np.asarray(sil, dtype=np.float64)
    if given is not None and given.shape != (len(found),):
        raise ParameterError(
            "contest_score.sil", f"shape {given.shape} for {len(found)} units", "give one for each unit"
        )
    names = unit_names(found)
    rejected: dict[int, str] = dict.fromkeys(duplicates(found, share=DUPLICATE_SHARE), "duplicate")
    for unit, spikes in enumerate(found.counts):
        if unit not in rejected and spikes < MINIMUM_SPIKES:
            rejected[unit] = f"{spikes} spikes"
        if unit not in rejected and given is not None and not given[unit] >= MINIMUM_SIL:
            rejected[unit] = f"SIL {given[unit]:.3f}"
    left = found.select([unit for unit in range(len(found)) if unit not in rejected])
    agreement = score(left, truth, minimum=MINIMUM_F1)
    points = float(sum(pair.f1 for pair in agreement.pairs))
    return ContestScore(points, agreement, {names[unit]: why for unit, why in sorted(rejected.items())})


def duplicates(trains: SpikeTrains, *, share: float = DUPLICATE_SHARE) -> Sequence[int]:
    """Units that share at least `share` of the longer train's spikes with an earlier unit.

    Spikes in common are counted as in `match_trains`.
    """
    if not 0 < share <= 1:
        raise ParameterError("duplicates.share", f"{share!r} was given", "give a number above 0, at most 1")
    hits = match_trains(trains, trains).hits
    longer = np.maximum(np.maximum(trains.counts[:, None], trains.counts), 1)
    same = np.tril(hits / longer >= share, -1)
    return [int(unit) for unit in np.flatnonzero(same.any(axis=1))]
