"""Which found unit is which true unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ...data import SpikeTrains
from ...parameters import Parameters, number
from ._kernels import common_spikes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, kw_only=True)
class MatchingRule(Parameters):
    """When two spikes and two trains count as the same."""

    tolerance_ms: float = number(1.0, above=0, at_most=20, help="Two spikes agree within this, on both sides")
    max_lag_ms: float = number(
        100.0, at_least=0, at_most=1000, help="Largest constant lag between two trains, either way"
    )
    minimum: float = number(0.3, above=0, at_most=1, help="Least F1 of a match")


@final
@dataclass(frozen=True, eq=False)
class Matching:
    """Every found unit against every true one, and the best assignment of the one to the other.

    Parameters
    ----------
    hits : ndarray of int, shape (found, truth)
        Spikes in common at the best lag (true positives).
    lag_ms : ndarray, shape (found, truth)
        That lag, positive where the found spikes are later; NaN where no spikes are near.
    found_counts, truth_counts : ndarray of int
        Spikes of each unit.
    pairs : ndarray of int, shape (matches, 2)
        Matched units (found, true), in order of the found unit.
    rule : MatchingRule
    """

    hits: IntArray
    lag_ms: FloatArray
    found_counts: IntArray
    truth_counts: IntArray
    pairs: IntArray
    rule: MatchingRule

    def __len__(self) -> int:
        """Number of matches."""
        return len(self.pairs)

    @property
    def f1(self) -> FloatArray:
        """``2 TP / (2 TP + FP + FN)`` of every pair, shape (found, truth); 0 for two silent units."""
        return _f1(self.hits, self.found_counts, self.truth_counts)

    @property
    def roa(self) -> FloatArray:
        """Rate of agreement ``TP / (TP + FP + FN)`` of every pair, shape (found, truth)."""
        total = self.found_counts[:, None] + self.truth_counts - self.hits
        return np.asarray(self.hits / np.maximum(total, 1))


def match_trains(found: SpikeTrains, truth: SpikeTrains, **rule: Any) -> Matching:
    """Match found units with true ones, each with one at most.

    For each pair of units: the lag (within +-`max_lag_ms`) about which most differences of spike times
    lie within +-`tolerance_ms`; then as many pairs of spikes as possible within the tolerance about that
    lag, or about the mean of these differences where that gives more, each spike used once. The mean is
    the lag that is reported. Units are matched by the assignment with the largest sum of F1 (Hungarian
    method), pairs with an F1 below `minimum` excluded.

    Spikes that were not observed in the other train count as missed: cut both to the same time first
    (`SpikeTrains.between`).

    Parameters
    ----------
    found, truth : SpikeTrains
        At any sampling rates. Exchanging them transposes the result and turns the sign of the lags.
    **rule
        Fields of `MatchingRule`: `tolerance_ms`, `max_lag_ms`, `minimum`.

    Returns
    -------
    Matching

    Raises
    ------
    ParameterError
        For a field of the rule that is out of range.
    """
    chosen: MatchingRule = MatchingRule().replace(**rule)
    hits, lags = common_spikes(
        1e3 * found.times_s, found.starts, 1e3 * truth.times_s, truth.starts,
        chosen.tolerance_ms, chosen.max_lag_ms,
    )  # fmt: skip
    gain = _f1(hits, found.counts, truth.counts)
    gain[gain < chosen.minimum] = 0.0
    rows, columns = linear_sum_assignment(gain, maximize=True)
    kept = gain[rows, columns] > 0
    pairs = np.stack([rows[kept], columns[kept]], axis=1).astype(np.int64)
    return Matching(hits, lags, found.counts, truth.counts, pairs, chosen)


def _f1(hits: IntArray, found: IntArray, truth: IntArray) -> FloatArray:
    return np.asarray(2.0 * hits / np.maximum(found[:, None] + truth, 1))
