"""Motor units that convolutive source separation finds in simulated EMG, beside the upper bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from ..data import Progress, Recording, silent
from ..decompose import ConvolutiveBSS
from ..emg import PRESETS
from ..errors import ParameterError, UnknownNameError, shown
from ..parameters import Parameters, choice, count, number
from ._base import AtLeast, Claim, Study, StudyResult, Table
from ._decompose_benchmark_figures import draw_all
from ._decompose_benchmark_judge import (
    Judged,
    calibration,
    calibration_table,
    condition_metrics,
    condition_table,
    judge,
    pooled,
    wrong_table,
)
from ._decompose_benchmark_scene import PERCENT_MVC, SNR_DB, Condition, pairs, recordings

_WARM_UP_S = 4.0

# Gradient convolution kernel compensation: force -> units, rate of agreement; another simulator.
_PUBLISHED = {10: (14.0, 0.94), 30: (11.4, 0.91), 50: (8.2, 0.90)}


@final
@dataclass(frozen=True, kw_only=True)
class DecomposeBenchmark(Parameters):
    """Parameters of the study."""

    muscles: str = field(
        default=", ".join(PRESETS), metadata={"help": "muscles below the grid, divided by commas"}
    )
    intramuscular: str = field(
        default="first_dorsal_interosseous", metadata={"help": "muscles with the array within, or none"}
    )
    conditions: str = choice(
        "most",
        ("centre", "cross", "most", "all"),
        help="centre: 20 dB, 30 % MVC; cross: also 10 and 30 dB, 10 and 50 % MVC; most: all nine pairs for "
        "the first muscle, the cross for others; all: all pairs",
    )
    pitch_mm: float = number(5.0, above=0, help="distance of contacts of the 8 x 8 grid")
    ramp_s: float = number(3.0, above=0.5, help="from rest to the plateau")
    plateau_s: float = number(27.0, above=4.0, help="length of the plateau")
    rounds: int = count(5, help="most rounds of separation and peel-off; 5 is the mode for quality")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.names("muscles"):
            raise ParameterError("DecomposeBenchmark.muscles", "there is none", "name one or more")
        self.names("intramuscular")

    def names(self, name: str) -> tuple[str, ...]:
        """Muscles that are listed in a field, divided by commas; ``none`` names none."""
        given = getattr(self, name)
        if not isinstance(given, str):
            raise ParameterError(
                f"DecomposeBenchmark.{name}", f"{shown(given)} was given", "give names divided by commas"
            )
        muscles = [part.strip() for part in given.split(",") if part.strip() not in {"", "none"}]
        for muscle in muscles:
            if muscle not in PRESETS:
                raise UnknownNameError(f"DecomposeBenchmark.{name}", muscle, PRESETS)
        return tuple(dict.fromkeys(muscles))

    def listed(self) -> tuple[Condition, ...]:
        """All conditions, in the order in which they are made."""
        first = self.names("muscles")[0]
        inside = "cross" if self.conditions == "most" else self.conditions
        return tuple(
            [
                Condition(muscle, "surface", force, snr)
                for muscle in self.names("muscles")
                for force, snr in pairs(self.conditions, muscle == first)
            ]
            + [
                Condition(muscle, "intramuscular", force, snr)
                for muscle in self.names("intramuscular")
                for force, snr in pairs(inside, False)
            ]
        )


def run(params: DecomposeBenchmark, seed: int, progress: Progress, threads: int) -> StudyResult:
    """Simulate each condition, decompose it, and compare with the truth and with the upper bound.

    `threads` is not used: a decomposition takes one, so that its CPU time says something.
    """
    conditions = params.listed()
    progress("conditions", 0, len(conditions), "conditions")
    judged: list[Judged] = []
    shown_recording: Recording | None = None
    for condition, recording in recordings(params, conditions, seed, progress):
        if shown_recording is None:
            _warm_up(recording)
            shown_recording = recording
        judged.append(judge(condition, recording, params.rounds, seed, progress))
        progress("conditions", len(judged), len(conditions), "conditions")
    assert shown_recording is not None
    groups = dict(_groups(judged))
    flags = {name: calibration(some) for name, some in groups.items()}
    reference = [one for one in judged if one.condition.is_reference]
    metrics = {
        "conditions": {one.condition.name: condition_metrics(one) for one in judged},
        "reference": {
            **pooled(reference),
            "margins": {one.condition.muscle: one.accepted.good - one.bound.good for one in reference},
        },
        "surface": pooled([one for one in judged if one.condition.electrodes == "surface"]),
        "intramuscular": pooled([one for one in judged if one.condition.electrodes == "intramuscular"]),
        "flags": flags,
    }
    first = judged[0]
    return StudyResult(
        metrics=metrics,
        figures=draw_all(judged),
        tables=(
            condition_table(judged),
            calibration_table(flags),
            *([wrong] if (wrong := wrong_table(judged)) else []),
            _published_table(judged),
        ),
        spikes={"found": first.found, "true": first.truth},
        recordings={"surface": shown_recording},
        notes=_notes(params),
    )


def _warm_up(recording: Recording) -> None:
    """Compile and load what a decomposition needs, so that its time is its own."""
    begin = recording.t_start_s + recording.duration_s - _WARM_UP_S
    ConvolutiveBSS(rounds=1, starts=4).fit(recording.between(begin, begin + _WARM_UP_S), silent)


def _groups(judged: Sequence[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    """All conditions, and those of each muscle, force and ratio, of which the flags are looked at."""
    yield "all", list(judged)
    for name, unit in (("muscle", ""), ("percent_mvc", " % MVC"), ("snr_db", " dB")):
        groups: dict[str, list[Judged]] = {}
        for one in judged:
            value = getattr(one.condition, name)
            text = value if isinstance(value, str) else f"{value:g}"
            groups.setdefault(f"{text}{unit}, {one.condition.electrodes}", []).append(one)
        yield from groups.items()


def _published_table(judged: Sequence[Judged]) -> Table:
    rows = []
    for force, (units, roa) in _PUBLISHED.items():
        ours = [
            one
            for one in judged
            if one.condition.electrodes == "surface"
            and one.condition.snr_db == SNR_DB
            and one.condition.percent_mvc == force
        ]
        found = pooled(ours)
        mean = f"{found['good'] / len(ours):.1f}" if ours else ""
        agreed = "" if found["roa_mean_matched"] is None else f"{found['roa_mean_matched']:.3f}"
        rows.append((force, units, roa, len(ours), mean, agreed))
    columns = ("% MVC", "gCKC: units", "gCKC: RoA", "muscles here", "good units a muscle", "mean RoA")
    return Table("Beside published numbers of another simulator, 64 channels at 20 dB", columns, tuple(rows))


def _notes(params: DecomposeBenchmark) -> tuple[str, ...]:
    return (
        f"A grid of 8 x 8 contacts at {params.pitch_mm:g} mm over each muscle, 2048 Hz; a thin-film array of "
        "40 contacts at 0.5 mm within, 10240 Hz. The whole pool of each muscle fires; force rises for "
        f"{params.ramp_s:g} s and stays for {params.plateau_s:g} s. White noise of all frequencies up to "
        "half the sampling rate, at the ratio to the EMG of all channels while the muscle is active.",
        "Found: all units that the decomposition gives; accepted: those without a flag; good: accepted, and "
        "F1 >= 0.9 with the true unit that it is matched to (one to one, spikes within 1 ms about a constant "
        "lag). Precision: good over accepted. Mean F1 and rate of agreement are of the accepted; one without "
        "a match counts as 0 (the means of the matched alone are among the numbers).",
        "Upper bound: units with F1 >= 0.9 of the filters that are built from the true action potentials, of "
        "the same length and in the same prepared signals, without peel-off, which may pass it.",
        "Units of the simulation fire faster, at high forces, than those of most muscles: where many true "
        "intervals are below 25 ms, the flag for merged units speaks against good ones; see the flags by "
        "force.",
        "CPU seconds are those of one thread of the machine that the study ran on, without compilation; no "
        "claim is made on them. The published numbers belong to another simulator and its muscles: they say "
        "in which order of magnitude ours lie, and no more.",
    )


def _least_margin(metrics: Mapping[str, Any]) -> float:
    return _number(metrics["reference"]["least_margin"])


def _precision(metrics: Mapping[str, Any]) -> float:
    return _number(metrics["reference"]["precision"])


def _f1_mean(metrics: Mapping[str, Any]) -> float:
    return _number(metrics["reference"]["f1_mean"])


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


_AT = f"{SNR_DB:g} dB, {PERCENT_MVC:g} % MVC"
_TRUTH = "the truth of the simulation; the bound is ours"

_CLAIMS = (
    Claim(
        f"Good units less those of the upper bound, {_AT}, the muscle with the least",
        "filters from the true action potentials, without peel-off",
        0.0,
        AtLeast(),
        _least_margin,
    ),
    Claim(f"Share of accepted units with F1 >= 0.9, {_AT}, all muscles", _TRUTH, 0.95, AtLeast(), _precision),
    Claim(f"Mean F1 of accepted units, {_AT}, all muscles", _TRUTH, 0.98, AtLeast(), _f1_mean),
)

STUDY = Study(
    name="decompose-benchmark",
    title="Motor units found in simulated EMG of five muscles, beside the upper bound",
    reference=(
        "Negro, Muceli, Castronovo, Holobar, Farina (2016), J Neural Eng 13:026027; Holobar, Minetto, Farina "
        "(2014), J Neural Eng 11:016008"
    ),
    parameters=DecomposeBenchmark(),
    quick={
        "muscles": "first_dorsal_interosseous, extensor_digitorum",
        "intramuscular": "none",
        "conditions": "centre",
        "plateau_s": 17.0,
    },
    claims=_CLAIMS,
    run=run,
)
