"""From a rough filter to a unit's own: the mean of the signals at its spikes, again and again."""

from __future__ import annotations

import numpy as np

from ._candidates import Candidates, Train, detected, joined, without_duplicates
from ._extended import ExtendedSignal
from ._whitening import Whitening

_UNCONDITIONAL = 2
_HOPELESS = 0.6  # silhouette after the unconditional steps
_FEWEST = 6


def refined(
    signal: ExtendedSignal, whitening: Whitening, found: Candidates, rate_hz: float, iterations: int
) -> Candidates:
    """Replace each filter by ``C^-1`` times the mean of the signals at its spikes, while that helps.

    The first two steps are taken anyway; then a candidate is kept at its best. Duplicates and those
    whose silhouette stays low are left behind.
    """
    found = found.select(found.counts >= _FEWEST)
    settled: list[Candidates] = []
    for step in range(iterations):
        if not len(found):
            break
        new = once_more(signal, whitening, found.spikes, rate_hz, steady=step >= _UNCONDITIONAL)
        if step < _UNCONDITIONAL:
            found = without_duplicates(new.select(new.counts >= _FEWEST), rate_hz)
            if step == _UNCONDITIONAL - 1:
                found = found.select(found.sil >= _HOPELESS)
            continue
        found, better = found.better_of(new)
        settled.append(found.select(~better))
        found = found.select(better)
    everything = joined(found, *settled)
    return without_duplicates(everything.select(np.argsort(-everything.merit, kind="stable")), rate_hz)


def once_more(
    signal: ExtendedSignal, whitening: Whitening, spikes: list[Train], rate_hz: float, *, steady: bool = True
) -> Candidates:
    """Filters from trains, and the trains that they find; no spike vouches for itself.

    A filter has a thousand weights and is made from a few hundred spikes: those spikes stand out of its
    output whether they belong to the unit or not. So each second is filtered without its own spikes.
    """
    means = signal.means_without_fold(spikes, signal.first, signal.lags)
    crossed = whitening.filters(means.reshape(-1, *means.shape[2:])).reshape(means.shape)
    weights = whitening.filters(signal.mean_at(spikes))
    return detected(weights, signal.crossed_sources(crossed), rate_hz, steady=steady)
