"""How far found units agree with true ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from ...data import SpikeTrains
from ...errors import ParameterError
from ._matching import Matching, MatchingRule, match_trains

_COLUMNS = ("found", "true", "spikes", "true spikes", "F1", "RoA", "precision", "recall", "lag_ms")


@final
@dataclass(frozen=True)
class UnitAgreement:
    """A found unit and the true unit that it matches.

    Parameters
    ----------
    found, truth : int
        Their indices.
    found_id, truth_id : str
        Their names.
    tp, fp, fn : int
        Spikes in common, found only, true only.
    lag_ms : float
        The found spikes are later by this.
    """

    found: int
    truth: int
    found_id: str
    truth_id: str
    tp: int
    fp: int
    fn: int
    lag_ms: float

    @property
    def f1(self) -> float:
        """``2 TP / (2 TP + FP + FN)``."""
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn)

    @property
    def roa(self) -> float:
        """Rate of agreement, ``TP / (TP + FP + FN)``."""
        return self.tp / (self.tp + self.fp + self.fn)

    @property
    def precision(self) -> float:
        """Share of the found spikes that are true, ``TP / (TP + FP)``."""
        return self.tp / (self.tp + self.fp)

    @property
    def recall(self) -> float:
        """Share of the true spikes that were found, ``TP / (TP + FN)``."""
        return self.tp / (self.tp + self.fn)


@final
@dataclass(frozen=True, eq=False)
class Score:
    """Agreement of found units with true ones. Units without spikes count on neither side.

    Parameters
    ----------
    pairs : tuple of UnitAgreement
        The matched units.
    found, truth : int
        Units with at least one spike.
    duplicates : tuple of str
        Found units that are not matched though they agree (F1 of at least the minimum) with a true unit:
        that one is matched to another.
    good_f1 : float
        Least F1 of a unit that counts as found correctly.
    rule : MatchingRule
    """

    pairs: tuple[UnitAgreement, ...]
    found: int
    truth: int
    duplicates: tuple[str, ...] = ()
    good_f1: float = 0.9
    rule: MatchingRule = field(default_factory=MatchingRule)

    @property
    def matched(self) -> int:
        """Number of matched units."""
        return len(self.pairs)

    @property
    def good(self) -> int:
        """Number of matched units with an F1 of at least `good_f1`."""
        return sum(pair.f1 >= self.good_f1 for pair in self.pairs)

    @property
    def f1_mean(self) -> float:
        """Mean F1 of the matched units, NaN where there is none."""
        return _mean([pair.f1 for pair in self.pairs])

    @property
    def roa_mean(self) -> float:
        """Mean rate of agreement of the matched units, NaN where there is none."""
        return _mean([pair.roa for pair in self.pairs])

    @property
    def unit_precision(self) -> float:
        """Share of the found units that match a true one with an F1 of at least `good_f1`."""
        return self.good / self.found if self.found else float("nan")

    @property
    def unit_recall(self) -> float:
        """Share of the true units that were found with an F1 of at least `good_f1`."""
        return self.good / self.truth if self.truth else float("nan")

    def metrics(self) -> dict[str, float | int]:
        """The summary by name."""
        return {
            "found_units": self.found,
            "true_units": self.truth,
            "matched_units": self.matched,
            "good_units": self.good,
            "duplicate_units": len(self.duplicates),
            "unit_precision": self.unit_precision,
            "unit_recall": self.unit_recall,
            "f1_mean": self.f1_mean,
            "roa_mean": self.roa_mean,
        }

    def table(self) -> tuple[dict[str, Any], ...]:
        """A row for each matched unit: names and numbers by column."""
        return tuple(
            dict(
                zip(
                    _COLUMNS,
                    (
                        pair.found_id, pair.truth_id, pair.tp + pair.fp, pair.tp + pair.fn,
                        pair.f1, pair.roa, pair.precision, pair.recall, pair.lag_ms,
                    ),
                    strict=True,
                )
            )
            for pair in self.pairs
        )  # fmt: skip

    def summary(self) -> str:
        """One line for each number of the summary."""
        lines = [
            f"{self.matched} of {self.truth} true units matched, by {self.found} found units",
            f"{self.good} with F1 >= {self.good_f1:g}: unit precision {_text(self.unit_precision)}, "
            f"unit recall {_text(self.unit_recall)}",
            f"mean F1 {_text(self.f1_mean)}, mean rate of agreement {_text(self.roa_mean)}",
        ]
        if self.duplicates:
            lines.append(f"duplicates of matched units: {', '.join(self.duplicates)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"Score({self.matched} of {self.truth} units matched, {self.good} with F1 >= {self.good_f1:g}, "
            f"mean RoA {_text(self.roa_mean)}, {self.found} found)"
        )

    def __str__(self) -> str:
        rows = [[_text(value) for value in row.values()] for row in self.table()]
        lines = [_COLUMNS, *rows] if rows else []
        widths = [max(len(line[k]) for line in lines) for k in range(len(_COLUMNS))] if rows else []
        body = ["  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
        return "\n".join([*body, self.summary()])


def score(found: SpikeTrains, truth: SpikeTrains, *, good_f1: float = 0.9, **rule: Any) -> Score:
    """Score found units against true ones (see `match_trains` for how they are matched).

    Parameters
    ----------
    found, truth : SpikeTrains
        A unit is named by the annotation ``unit_id``, else by its index.
    good_f1 : float
        Least F1 of a unit that counts as found correctly.
    **rule
        Fields of `MatchingRule`: `tolerance_ms`, `max_lag_ms`, `minimum`.

    Returns
    -------
    Score
    """
    if not 0 < good_f1 <= 1:
        raise ParameterError("score.good_f1", f"{good_f1!r} was given", "give a number above 0 and at most 1")
    matching = match_trains(found, truth, **rule)
    names, true_names = unit_names(found), unit_names(truth)
    pairs = tuple(_agreement(matching, names, true_names, int(i), int(j)) for i, j in matching.pairs)
    return Score(
        pairs=pairs,
        found=int(found.active.sum()),
        truth=int(truth.active.sum()),
        duplicates=tuple(names[i] for i in _duplicates(matching)),
        good_f1=float(good_f1),
        rule=matching.rule,
    )


def unit_names(trains: SpikeTrains) -> tuple[str, ...]:
    """Name of each unit: its annotation ``unit_id``, else its index."""
    given = trains.annotations.get("unit_id")
    return tuple(str(name) for name in (range(len(trains)) if given is None else given))


def _agreement(
    matching: Matching, names: tuple[str, ...], true_names: tuple[str, ...], i: int, j: int
) -> UnitAgreement:
    tp = int(matching.hits[i, j])
    return UnitAgreement(
        found=i,
        truth=j,
        found_id=names[i],
        truth_id=true_names[j],
        tp=tp,
        fp=int(matching.found_counts[i]) - tp,
        fn=int(matching.truth_counts[j]) - tp,
        lag_ms=float(matching.lag_ms[i, j]),
    )


def _duplicates(matching: Matching) -> list[int]:
    matched = set(matching.pairs[:, 0].tolist())
    agrees = np.any(matching.f1 >= matching.rule.minimum, axis=1)
    return [int(i) for i in np.flatnonzero(agrees) if int(i) not in matched]


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _text(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
