"""What a decomposition of a simulated recording is worth, unit by unit and summed up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import Progress, Recording, SpikeTrains
from ..decompose import ConvolutiveBSS, Score, UnitQuality, match_trains, score, upper_bound
from ._base import Table
from ._decompose_benchmark_scene import Condition

FloatArray = NDArray[np.float64]

GOOD_F1 = 0.9
_FEWEST = 20  # spikes of a unit that can be found, as in the upper bound
_IN_IT = 0.5  # share of a true unit's spikes by which it counts as being in a train
KINDS = ("good", "duplicate", "merged", "partial", "false")


@final
@dataclass(frozen=True, eq=False)
class Judged:
    """A decomposition beside the truth; units are in the order of the decomposition.

    Parameters
    ----------
    condition : Condition
    truth, found : SpikeTrains
    quality : UnitQuality
        Of the units found.
    every, accepted, bound : Score
        Of all units, of those without a flag, and of the filters from the true action potentials.
    best_f1 : ndarray, shape (units,)
        F1 with the true unit that is most alike, whether or not it is matched to another one.
    within : ndarray of int, shape (units,)
        True units of which half the spikes or more are in the train.
    cpu_s, bound_cpu_s : float
        Of the decomposition and of the upper bound.
    """

    condition: Condition
    truth: SpikeTrains
    found: SpikeTrains
    quality: UnitQuality
    every: Score
    accepted: Score
    bound: Score
    best_f1: FloatArray
    within: NDArray[np.int64]
    cpu_s: float
    bound_cpu_s: float

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Which units are flagged."""
        return np.array([bool(flag) for flag in self.quality.flag], dtype=bool)

    @property
    def f1(self) -> FloatArray:
        """F1 of each unit with the true one that it is matched to; 0 where there is none."""
        values = np.zeros(len(self.found))
        for pair in self.every.pairs:
            values[pair.found] = pair.f1
        return values

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each unit is, one of `KINDS`.

        Good: F1 of .9 or more with the true unit that it is matched to. Duplicate: as much, but another
        train is matched to that one. Merged: half the spikes of each of two true units are in it. Partial:
        of one. False: of none.
        """
        kinds = []
        for f1, best, within in zip(self.f1, self.best_f1, self.within, strict=True):
            if f1 >= GOOD_F1:
                kinds.append("good")
            elif best >= GOOD_F1:
                kinds.append("duplicate")
            else:
                kinds.append("merged" if within > 1 else "partial" if within else "false")
        return tuple(kinds)

    @property
    def good(self) -> NDArray[np.bool_]:
        """Which units are good."""
        return self.f1 >= GOOD_F1


def judge(condition: Condition, recording: Recording, rounds: int, seed: int, progress: Progress) -> Judged:
    """Decompose a simulated recording, apart from `rounds` with default parameters, and compare."""
    inside = condition.electrodes == "intramuscular"
    make = ConvolutiveBSS.intramuscular if inside else ConvolutiveBSS
    method = make(rounds=rounds, seed=seed)
    _, cpu_s = _timed(lambda: method.fit(recording, progress))
    bound, bound_cpu_s = _timed(lambda: upper_bound(recording, minimum_spikes=_FEWEST, good_f1=GOOD_F1))
    assert recording.truth is not None
    return compare(
        condition,
        recording.truth.spikes,
        method.spikes_,
        method.decomposition_.quality,
        bound,
        (cpu_s, bound_cpu_s),
    )


def compare(
    condition: Condition,
    truth: SpikeTrains,
    found: SpikeTrains,
    quality: UnitQuality,
    bound: Score,
    cpu_s: tuple[float, float],
) -> Judged:
    """Units found beside the truth; `cpu_s` are those of the decomposition and of the upper bound."""
    unflagged = np.array([not flag for flag in quality.flag], dtype=bool)
    matching = match_trains(found, truth)
    shares = matching.hits / np.maximum(truth.counts, 1)
    return Judged(
        condition,
        truth,
        found,
        quality,
        score(found, truth, good_f1=GOOD_F1),
        score(found.select(np.flatnonzero(unflagged)), truth, good_f1=GOOD_F1),
        bound,
        matching.f1.max(axis=1, initial=0.0),
        np.sum((shares >= _IN_IT) & (truth.counts >= _FEWEST), axis=1),
        *cpu_s,
    )


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    result = work()
    return result, time.process_time() - begun


def condition_metrics(judged: Judged) -> dict[str, Any]:
    """Numbers of one condition; None where there is no unit to average over."""
    every, accepted = judged.every, judged.accepted
    kinds = judged.kinds
    return {
        "electrodes": judged.condition.electrodes,
        "muscle": judged.condition.muscle,
        "snr_db": judged.condition.snr_db,
        "percent_mvc": judged.condition.percent_mvc,
        "active": int(judged.truth.active.sum()),
        "active_20_spikes": int(np.sum(judged.truth.counts >= _FEWEST)),
        "units": len(judged.found),
        "accepted": accepted.found,
        "good": accepted.good,
        "upper_bound_units": judged.bound.good,
        **agreement(accepted.found, [accepted]),
        "all": {"good": every.good, **agreement(every.found, [every])},
        "kinds": {kind: kinds.count(kind) for kind in KINDS},
        "cpu_s": judged.cpu_s,
        "upper_bound_cpu_s": judged.bound_cpu_s,
    }


def agreement(found: int, scores: Sequence[Score]) -> dict[str, float | None]:
    """Precision of units and mean agreement; a unit without a match counts as 0, save in the last two."""
    pairs = [pair for one in scores for pair in one.pairs]
    f1, roa = (sum(getattr(pair, name) for pair in pairs) for name in ("f1", "roa"))
    good = sum(one.good for one in scores)
    return {
        "precision": _ratio(good, found),
        "f1_mean": _ratio(f1, found),
        "roa_mean": _ratio(roa, found),
        "f1_mean_matched": _ratio(f1, len(pairs)),
        "roa_mean_matched": _ratio(roa, len(pairs)),
    }


def pooled(judged: Sequence[Judged]) -> dict[str, Any]:
    """Numbers of several conditions together, of the accepted units."""
    accepted = sum(one.accepted.found for one in judged)
    return {
        "conditions": len(judged),
        "units": sum(len(one.found) for one in judged),
        "accepted": accepted,
        "good": sum(one.accepted.good for one in judged),
        "upper_bound_units": sum(one.bound.good for one in judged),
        "least_margin": min((one.accepted.good - one.bound.good for one in judged), default=None),
        **agreement(accepted, [one.accepted for one in judged]),
    }


def calibration(judged: Iterable[Judged]) -> dict[str, Any]:
    """How many units with and without a flag are good, in all and by the reason for the flag."""
    flags: list[str] = []
    good: list[bool] = []
    for one in judged:
        flags += one.quality.flag
        good += one.good.tolist()
    groups = {
        "unflagged": [not flag for flag in flags],
        "flagged": [bool(flag) for flag in flags],
        "maybe_false": ["maybe false" in flag for flag in flags],
        "maybe_merged": ["maybe merged" in flag for flag in flags],
    }
    return {
        name: {"units": sum(chosen), "good_share": _ratio(_both(chosen, good), sum(chosen))}
        for name, chosen in groups.items()
    }


def condition_table(judged: Sequence[Judged]) -> Table:
    """A row for each condition, the upper bound beside the units."""
    columns = (
        "electrodes", "muscle", "% MVC", "SNR (dB)", "active", "found", "accepted", "good", "upper bound",
        "precision", "mean F1", "mean RoA", "CPU-s",
    )  # fmt: skip
    rows = []
    for one in judged:
        at, found = one.condition, condition_metrics(one)
        rows.append(
            (
                at.electrodes, at.muscle.replace("_", " "), at.percent_mvc, at.snr_db, found["active"],
                found["units"], found["accepted"], found["good"], found["upper_bound_units"],
                *(_shown(found[name]) for name in ("precision", "f1_mean", "roa_mean")),
                f"{one.cpu_s:.1f}",
            )
        )  # fmt: skip
    return Table("Conditions", columns, tuple(rows))


def calibration_table(groups: dict[str, Any]) -> Table:
    """Units with and without flags, and the share of them that is good."""
    names = ("unflagged", "flagged", "maybe_false", "maybe_merged")
    titles = [f"{name.replace('_', ' ')}{what}" for name in names for what in ("", ", good")]
    rows = []
    for group, found in groups.items():
        cells = [(found[name]["units"], _shown(found[name]["good_share"])) for name in names]
        rows.append((group.replace("_", " "), *(value for cell in cells for value in cell)))
    return Table("Flags and the truth", ("of", *titles), tuple(rows))


def wrong_table(judged: Sequence[Judged]) -> Table | None:
    """Units that are accepted and not good: what a user would take for motor units; None without any."""
    columns = ("condition", "unit", "what it is", "spikes", "best F1", "SIL", "CoV of ISI", "short ISI")
    rows = [
        (one.condition.name, *_about(one, int(unit)))
        for one in judged
        for unit in np.flatnonzero(~one.flagged & ~one.good)
    ]
    return Table("Accepted units that are not good", columns, tuple(rows)) if rows else None


def _about(one: Judged, unit: int) -> tuple[Any, ...]:
    """Name, kind, spikes, agreement and quality of a unit."""
    quality = one.quality
    numbers = (one.best_f1, quality.sil, quality.cov_isi, quality.short_isi)
    return (
        str(one.found.annotations["unit_id"][unit]),
        one.kinds[unit],
        int(one.found.counts[unit]),
        *(_shown(float(values[unit])) for values in numbers),
    )


def _both(first: Sequence[bool], second: Sequence[bool]) -> int:
    return sum(a and b for a, b in zip(first, second, strict=True))


def _ratio(part: float, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
