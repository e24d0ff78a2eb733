"""Figures of the decomposition benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..data import Figure, Layer, Level, Line, Panel
from ..decompose import QualityLimits
from ._decompose_benchmark_judge import GOOD_F1, Judged
from ._decompose_benchmark_scene import PERCENT_MVC, SNR_DB

FloatArray = NDArray[np.float64]

_LEAST_MISSED = 3e-4  # 1 - F1 of a perfect unit, for a logarithmic axis
_SHOWN_S = 3.0
_SHOWN_UNITS = 16
_SHORT = {
    "first_dorsal_interosseous": "FDI",
    "tibialis_anterior": "TA",
    "biceps_brachii": "BB",
    "flexor_digitorum_superficialis": "FDS",
    "extensor_digitorum": "ED",
}


def draw_all(judged: Sequence[Judged]) -> tuple[Figure, ...]:
    """All figures, in the order of the report; those of which there is nothing to show are left out."""
    some = any(len(one.found) for one in judged)
    rest = (_agreement(judged), _flags(judged)) if some else ()
    return (_units(judged), *rest, *([_raster(judged[0])] if judged[0].every.pairs else []))


def _name(one: Judged) -> str:
    at = one.condition
    return _SHORT.get(at.muscle, at.muscle) + (", inside" if at.electrodes == "intramuscular" else "")


def _units(judged: Sequence[Judged]) -> Figure:
    names = list(dict.fromkeys(_name(one) for one in judged))
    at_force = [one for one in judged if one.condition.percent_mvc == PERCENT_MVC]
    at_noise = [one for one in judged if one.condition.snr_db == SNR_DB]
    varied = (
        _varied(at_force, "snr_db", "SNR (dB)", f"At {PERCENT_MVC:g} % MVC"),
        _varied(at_noise, "percent_mvc", "Force (% MVC)", f"At {SNR_DB:g} dB"),
    )
    panels = (_centre(judged, names), *(panel for panel in varied if panel is not None))
    return Figure(
        "units",
        panels,
        "Units with F1 >= 0.9 beside those that filters from the true action potentials find. First: "
        f"{SNR_DB:g} dB and {PERCENT_MVC:g} % MVC. Then, solid: good units; dashed: the upper bound.",
        columns=len(panels),
        height_in=3.4,
    )


def _varied(judged: Sequence[Judged], field: str, label: str, title: str) -> Panel | None:
    """Good units and the upper bound of each muscle against noise or force; None where neither varies."""
    lines: list[Layer] = []
    for color, name in enumerate(dict.fromkeys(_name(one) for one in judged)):
        some = [one for one in judged if _name(one) == name]
        x = np.array([getattr(one.condition, field) for one in some], dtype=float)
        order = np.argsort(x)
        good = np.array([one.accepted.good for one in some])[order]
        bound = np.array([one.bound.good for one in some])[order]
        if len(x) > 1:
            lines += [
                Line(x[order], good, name, color, "-", "o"),
                Line(x[order], bound, "", color, "--", "x"),
            ]
    return Panel(tuple(lines), label, "Units", title) if lines else None


def _centre(judged: Sequence[Judged], names: list[str]) -> Panel:
    at = [
        next(
            one
            for one in judged
            if _name(one) == name
            and (one.condition.snr_db, one.condition.percent_mvc) == (SNR_DB, PERCENT_MVC)
        )
        for name in names
    ]
    x = np.arange(len(names), dtype=float)
    counts = {
        "found": np.array([len(one.found) for one in at]),
        "good": np.array([one.accepted.good for one in at]),
        "upper bound": np.array([one.bound.good for one in at]),
    }
    looks = {"found": (-0.18, 6, "^"), "good": (0.0, 0, "o"), "upper bound": (0.18, 1, "x")}
    lines = tuple(
        Line(x + looks[name][0], count, name, looks[name][1], "", looks[name][2], 5.5)
        for name, count in counts.items()
    )
    highest = max(int(count.max()) for count in counts.values())
    ticks = tuple((float(k), name.replace(", inside", " in")) for k, name in enumerate(names))
    return Panel(
        lines, "", "Units", "", (-0.6, len(names) - 0.4), (0.0, 1.08 * max(1, highest)), x_ticks=ticks
    )


def _agreement(judged: Sequence[Judged]) -> Figure:
    """How far F1 is from 1, as a distribution."""
    groups: tuple[tuple[str, Callable[[Judged], str]], ...] = (
        ("By noise", lambda one: f"{one.condition.snr_db:g} dB"),
        ("By force", lambda one: f"{one.condition.percent_mvc:g} %"),
    )
    panels = []
    for title, key in groups:
        keys = sorted({key(one) for one in judged}, key=lambda text: float(text.split()[0]))
        lines: list[Layer] = []
        for color, name in enumerate(keys):
            f1 = np.concatenate([one.f1[~one.flagged] for one in judged if key(one) == name])
            lines.append(_distribution(f1, f"{name} ({len(f1)})", color))
        flagged = np.concatenate([one.f1[one.flagged] for one in judged])
        if len(flagged):
            lines.append(_distribution(flagged, f"flagged ({len(flagged)})", 6))
        panels.append(
            Panel(
                (*lines, Level(1 - GOOD_F1, vertical=True)),
                "1 - F1",
                "Share of units with more",
                title,
                (_LEAST_MISSED, 1.1),
                (0.0, 1.02),
                log_x=True,
            )
        )
    return Figure(
        "agreement",
        tuple(panels),
        "Share of the accepted units of which F1 is farther from 1 than x, and of the flagged ones, all "
        "conditions together, with their numbers. Units without any error are at the left edge, one without "
        "a match has F1 = 0. Dashed: F1 = 0.9.",
        columns=2,
        height_in=3.2,
    )


def _distribution(f1: FloatArray, label: str, color: int) -> Line:
    """Share of units that miss more than x."""
    missed = np.sort(np.clip(1 - f1, _LEAST_MISSED, None))
    x = np.concatenate([[_LEAST_MISSED], np.repeat(missed, 2), [1.1]])
    above = 1.0 - np.arange(len(missed) + 1) / max(1, len(missed))
    return Line(x, np.repeat(above, 2), label, color)


def _flags(judged: Sequence[Judged]) -> Figure:
    limits = QualityLimits()
    f1 = np.concatenate([one.f1 for one in judged])
    flagged = np.concatenate([one.flagged for one in judged])
    panels: list[Panel] = []
    for label, name, limit in (
        ("Silhouette", "sil", limits.sil),
        ("CoV of ISI", "cov_isi", limits.cov_isi),
        (f"Share of ISI below {limits.short_isi_ms:g} ms", "short_isi", limits.short_isi_share),
    ):
        x = np.concatenate([getattr(one.quality, name) for one in judged])
        lines = [
            Line(x[chosen], f1[chosen], text, color, "", "o", 3.5)
            for text, color, chosen in (("accepted", 0, ~flagged), ("flagged", 1, flagged))
            if chosen.any()
        ]
        panels.append(
            Panel(
                (*lines, Level(limit, vertical=True), Level(GOOD_F1)),
                label,
                "F1 with the truth" if not panels else "",
                "",
                y_range=(-0.04, 1.04),
            )
        )
    return Figure(
        "flags",
        tuple(panels),
        "F1 of each unit of all conditions against what is known of it without the truth. Dashed: the limits "
        "beyond which a unit is flagged, and F1 = 0.9.",
        columns=3,
        height_in=3.0,
    )


def _raster(one: Judged) -> Figure:
    """Found and true spikes of matched units, row by row, during a few seconds."""
    chosen = one.every.pairs
    if len(chosen) > _SHOWN_UNITS:
        chosen = tuple(chosen[k] for k in np.linspace(0, len(chosen) - 1, _SHOWN_UNITS).round().astype(int))
    begin = one.truth.t_start_s + 0.6 * one.truth.duration_s
    span = begin, min(begin + _SHOWN_S, one.truth.t_stop_s)
    rows = range(len(chosen), 0, -1)  # the largest at the top
    found = [one.found[pair.found] - 1e-3 * pair.lag_ms for pair in chosen]
    true = [one.truth[pair.truth] for pair in chosen]
    at = one.condition
    return Figure(
        "raster",
        (
            Panel(
                (_ticks(found, rows, 0.17, "found", 1, span), _ticks(true, rows, -0.17, "true", 0, span)),
                "Time (s)",
                "Motor units",
                f"{at.muscle.replace('_', ' ').capitalize()}, {at.snr_db:g} dB, {at.percent_mvc:g} % MVC",
                span,
                (0.3, len(chosen) + 0.7),
            ),
        ),
        f"Spikes of {len(chosen)} of {len(one.every.pairs)} matched units, the largest at the top: found, "
        "less their constant lag, above true ones.",
        height_in=4.8,
    )


def _ticks(
    trains: list[FloatArray],
    rows: Sequence[int],
    lift: float,
    label: str,
    color: int,
    span: tuple[float, float],
) -> Line:
    """A tick for each spike within a span of time, the trains at their rows."""
    inside = [train[(train >= span[0]) & (train < span[1])] for train in trains]
    y = np.repeat(np.array(rows, dtype=float) + lift, [len(train) for train in inside])
    return Line(np.concatenate(inside), y, label, color, "", "|", 5.0)
