"""Force against excitation in the motor-unit pool of Fuglevand, Winter and Patla (1993)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import Figure, Level, Line, Panel, Progress, Signal, SpikeTrains
from ..muscle import FuglevandForce, FuglevandPool, steady_force, twitch_gain
from ..parameters import Parameters, count, number
from ._base import Claim, Study, StudyResult, Table, Within

FloatArray = NDArray[np.float64]

_REFERENCE = (
    "Fuglevand, Winter, Patla (1993), Models of recruitment and rate coding organization in motor-unit "
    "pools, J Neurophysiol 70:2470-2488"
)

# Per cent of maximal excitation -> per cent of maximal force, regular firing in steady state.
_PUBLISHED = {
    "narrow": {10: 4.0, 20: 11.4, 30: 21.7, 50: 49.4, 70: 79.2, 90: 97.5},
    "broad": {10: 5.9, 20: 14.9, 30: 25.7, 50: 49.6, 70: 75.8, 90: 97.1},
}
# Contraction time over interval -> mean force over twitch force.
_SUMMATION = {0.4: 1.087, 0.5: 2.002, 0.6: 3.175, 0.8: 5.80, 1.0: 7.825, 1.5: 9.04}


@final
@dataclass(frozen=True, kw_only=True)
class Fuglevand1993(Parameters):
    """Parameters of the study; the defaults are the paper's."""

    n: int = count(120, help="motor units")
    narrow_range: float = number(30.0, above=1.0, help="recruitment range of the first pool")
    broad_range: float = number(70.0, above=1.0, help="recruitment range of the second pool")
    isi_cv: float = number(0.2, at_least=0.0, at_most=0.3, help="interval CV of the variable runs")
    levels: int = count(20, help="steps of excitation from 0 to its maximum")
    settle_s: float = number(1.0, at_least=0.6, help="left out at the start of each run")
    average_s: float = number(15.0, at_least=1.0, help="time over which the force is averaged")
    rate_hz: float = number(1000.0, above=0.0, help="samples of force per second")

    @property
    def ranges(self) -> dict[str, float]:
        """Recruitment range of each pool."""
        return {"narrow": self.narrow_range, "broad": self.broad_range}

    @property
    def duration_s(self) -> float:
        """Length of a run."""
        return self.settle_s + self.average_s


@dataclass(frozen=True, eq=False)
class _Curve:
    """Force of one pool in per cent of its maximum at each level of excitation, shape (levels,)."""

    pool: FuglevandPool
    model: FuglevandForce
    levels: FloatArray  # per cent
    exact: FloatArray
    regular: FloatArray
    variable: FloatArray
    at_half: dict[str, tuple[SpikeTrains, Signal]]  # the recordings at 50 %


def run(params: Fuglevand1993, seed: int, progress: Progress, threads: int) -> StudyResult:
    """Simulate both pools at all levels, regular and variable, and single units at all rates."""
    levels = np.union1d(np.linspace(0, 100, params.levels + 1)[1:].round(6), list(_PUBLISHED["narrow"]))
    curves = {
        key: _force_curve(params, value, levels, seed, f"recruitment range {value:g}", progress)
        for key, value in params.ranges.items()
    }
    rates = np.union1d(np.arange(0.2, 2.51, 0.05).round(2), list(_SUMMATION))
    ratios = _summation(rates, params)
    narrow = curves["narrow"].at_half
    return StudyResult(
        metrics=_metrics(curves, rates, ratios),
        figures=(
            _force_figure(curves),
            _rate_figure(curves),
            _twitch_figure(curves["narrow"]),
            _summation_figure(rates, ratios),
        ),
        tables=(_force_table(curves), _summation_table(rates, ratios)),
        spikes={kind: spikes for kind, (spikes, _) in narrow.items()},
        signals={f"force.{kind}": force for kind, (_, force) in narrow.items()},
        notes=_NOTES,
    )


def _force_curve(
    params: Fuglevand1993,
    recruitment_range: float,
    levels: FloatArray,
    seed: int,
    stage: str,
    progress: Progress,
) -> _Curve:
    pools = {
        kind: FuglevandPool(n=params.n, recruitment_range=recruitment_range, isi_cv=cv)
        for kind, cv in {"regular": 0.0, "variable": params.isi_cv}.items()
    }
    model = FuglevandForce.of_pool(pools["regular"])
    maximum = model.maximum_force()
    force: dict[str, list[float]] = {kind: [] for kind in pools}
    at_half = {}
    for done, level in enumerate(levels, start=1):
        for kind, pool in pools.items():
            spikes = pool.spikes(float(level) / 100.0, params.duration_s, seed=seed)
            signal = model.force(spikes, params.rate_hz)
            force[kind].append(_mean(signal, params) / maximum * 100.0)
            if level == 50:
                at_half[kind] = spikes, model.percent_mvc(signal)
        progress(stage, done, len(levels), "levels")
    rates = pools["regular"].rates_pps(levels / 100.0)
    exact = model.mean_force(rates).sum(axis=1) / maximum * 100.0
    regular, variable = (np.array(force[kind]) for kind in pools)
    return _Curve(pools["regular"], model, levels, exact, regular, variable, at_half)


def _mean(signal: Signal, params: Fuglevand1993) -> float:
    return float(signal.between(params.settle_s, params.duration_s).values.mean())


def _summation(rates: FloatArray, params: Fuglevand1993) -> FloatArray:
    """Mean force over twitch force of units that fire regularly at the given rates, by simulation."""
    contraction_s = 0.09
    intervals_s = contraction_s / rates
    model = FuglevandForce(
        np.arange(1.0, len(rates) + 1),
        twitch_forces=1.0,
        contraction_times_ms=1000 * contraction_s,
    )
    trains = [np.arange(0.0, params.duration_s, interval) for interval in intervals_s]
    spikes = SpikeTrains.from_trains(trains, params.duration_s + intervals_s.max())
    force = model.force(spikes, params.rate_hz, per_unit=True)
    whole = np.floor(params.average_s / intervals_s) * intervals_s  # whole intervals, so no ripple is left
    windows = (force.between(params.duration_s - length, params.duration_s) for length in whole)
    return np.array([window.values[:, unit].mean() for unit, window in enumerate(windows)])


def _metrics(curves: dict[str, _Curve], rates: FloatArray, ratios: FloatArray) -> dict[str, Any]:
    return {
        "force_percent": {
            key: {
                kind: {f"{level:g}": _at(curve.levels, getattr(curve, kind), level) for level in curve.levels}
                for kind in ("regular", "variable", "exact")
            }
            for key, curve in curves.items()
        },
        "force_over_twitch": {
            "simulated": {f"{x:g}": _at(rates, ratios, x) for x in rates},
            "exact": {f"{x:g}": float(steady_force(x)) for x in rates},
        },
        "maximum_force": {key: curve.model.maximum_force() for key, curve in curves.items()},
        "maximum_excitation": {key: curve.pool.maximum_excitation for key, curve in curves.items()},
        "isi_cv": {key: _mean_cv(curve.at_half["variable"][0]) for key, curve in curves.items()},
    }


def _mean_cv(spikes: SpikeTrains) -> float | None:
    found = spikes.isi_cv()
    return float(np.nanmean(found)) if np.any(np.isfinite(found)) else None


def _at(where: FloatArray, values: FloatArray, point: float) -> float:
    return float(values[int(np.argmin(np.abs(where - point)))])


def _force_figure(curves: dict[str, _Curve]) -> Figure:
    panels = tuple(
        Panel(
            (
                Line(curve.levels, curve.exact, "equations, exact", 0),
                Line(curve.levels, curve.regular, "simulated, regular", 1, "", "o"),
                Line(curve.levels, curve.variable, "simulated, variable", 2, "--"),
                Line(*_points(_PUBLISHED[key]), "published", 3, "", "x"),
            ),
            "Excitation (% of maximum)",
            "Force (% of maximum)",
            f"Recruitment range {curve.pool.recruitment_range:g}",
            (0, 100),
            (0, 105),
        )
        for key, curve in curves.items()
    )
    return Figure(
        "force-excitation",
        panels,
        "Steady force of the whole pool against excitation. Irregular firing costs a few per cent of force "
        "at high levels, because the gain falls with rate.",
        columns=2,
        height_in=3.2,
    )


def _points(published: dict[int, float] | dict[float, float]) -> tuple[FloatArray, FloatArray]:
    return np.array(list(published), dtype=float), np.array(list(published.values()))


def _rate_figure(curves: dict[str, _Curve]) -> Figure:
    levels = np.linspace(0.0, 1.0, 501)
    panels = []
    for curve in curves.values():
        n = curve.pool.n
        shown = np.unique(np.linspace(0, n - 1, 7).astype(int))
        rates = curve.pool.rates_pps(levels)
        lines = tuple(
            Line(100 * levels, np.where(rates[:, u] > 0, rates[:, u], np.nan), f"unit {u + 1}", color)
            for color, u in enumerate(shown)
        )
        title = f"Recruitment range {curve.pool.recruitment_range:g}"
        panels.append(Panel(lines, "Excitation (% of maximum)", "Rate (pps)", title, (0, 100), (0, 50)))
    return Figure(
        "rates",
        tuple(panels),
        "Rate of seven units against excitation: each begins at 8 pps and grows by 1 pps for each unit of "
        "excitation up to its own peak rate.",
        columns=2,
        height_in=3.0,
    )


def _twitch_figure(curve: _Curve) -> Figure:
    time_ms = np.linspace(0, 400, 401)
    shown = (0, curve.pool.n // 2, curve.pool.n - 1)
    contractions = curve.model.contractions_ms
    sizes = ", ".join(f"{curve.model.peaks[u]:.3g} and {contractions[u]:.0f} ms" for u in shown)
    twitches = tuple(
        Line(
            time_ms,
            time_ms / contractions[u] * np.exp(1 - time_ms / contractions[u]),
            f"unit {u + 1}",
            color,
        )
        for color, u in enumerate(dict.fromkeys(shown))
    )
    x = np.linspace(0, 2.5, 251)
    return Figure(
        "twitch-and-gain",
        (
            Panel(twitches, "Time (ms)", "Force over peak", "Twitches", (0, 400), (0, 1.05)),
            Panel(
                (Line(x, twitch_gain(x), "gain"), Level(0.4, "x = 0.4", vertical=True)),
                "Contraction time / interval before",
                "Gain",
                "Gain of a twitch",
                (0, 2.5),
            ),
        ),
        "Left: twitches of the smallest, a middle and the largest unit, each over its peak; peak force and "
        f"contraction time are {sizes}. Right: what a twitch is multiplied by, against the rate.",
        columns=2,
        height_in=3.0,
    )


def _summation_figure(rates: FloatArray, ratios: FloatArray) -> Figure:
    x = np.linspace(0.2, 2.5, 231)
    return Figure(
        "summation",
        (
            Panel(
                (
                    Line(x, steady_force(x), "e x g(x), exact", 0),
                    Line(rates, ratios, "simulated", 1, "", "o"),
                    Line(*_points(_SUMMATION), "reference", 3, "", "x"),
                ),
                "x = contraction time / interval",
                "Mean force / twitch force",
                "Summation of twitches at a regular rate",
                (0.2, 2.5),
                (0, 10),
            ),
        ),
        "Mean force of one unit against its rate, up to the fused tetanus of 9.05 twitch forces.",
        height_in=3.2,
    )


def _force_table(curves: dict[str, _Curve]) -> Table:
    rows = tuple(
        (
            f"{curve.pool.recruitment_range:g}",
            level,
            value,
            *(round(_at(curve.levels, c, level), 2) for c in (curve.exact, curve.regular, curve.variable)),
        )
        for key, curve in curves.items()
        for level, value in _PUBLISHED[key].items()
    )
    columns = (
        "recruitment range",
        "excitation (%)",
        "published",
        "exact",
        "simulated, regular",
        "simulated, variable",
    )
    return Table("Force (% of maximum)", columns, rows)


def _summation_table(rates: FloatArray, ratios: FloatArray) -> Table:
    rows = tuple(
        (x, value, round(float(steady_force(x)), 4), round(_at(rates, ratios, x), 4))
        for x, value in _SUMMATION.items()
    )
    return Table("Mean force over twitch force", ("x", "reference", "exact", "simulated"), rows)


_NOTES = (
    "Excitation is in per cent of Emax, where the last unit reaches its peak rate; force is in per cent of "
    "the exact steady force with every unit firing regularly at its peak rate. Both also scale the variable "
    "runs, whose force at full excitation therefore is below 100 %.",
    "The gain g_e is 1, the minimum rate 8 pps, PFR1 45 and PFRD 10 pps. The values held against are the "
    "steady force of the model with regular firing; the sum of e P x g(x) over units, without any "
    "simulation, gives the same to the last digit.",
)


def _force_of(key: str, level: int) -> Callable[[Mapping[str, Any]], float]:
    return lambda metrics: metrics["force_percent"][key]["regular"][str(level)]


def _ratio_of(x: float) -> Callable[[Mapping[str, Any]], float]:
    return lambda metrics: metrics["force_over_twitch"]["simulated"][f"{x:g}"]


_CLAIMS = tuple(
    Claim(
        f"Force at {level} % excitation, recruitment range {30 if key == 'narrow' else 70} (% of maximum)",
        "Fuglevand et al. 1993, Eqs. 1-18, regular firing in steady state",
        value,
        Within(absolute=0.5),
        _force_of(key, level),
    )
    for key, values in _PUBLISHED.items()
    for level, value in values.items()
) + tuple(
    Claim(
        f"Mean force over twitch force at T/ISI = {x:g}",
        "Fuglevand et al. 1993, Eqs. 10 and 15-18: F/P = e x g(x)",
        value,
        Within(relative=0.005),
        _ratio_of(x),
    )
    for x, value in _SUMMATION.items()
)

STUDY = Study(
    name="fuglevand1993",
    title="Force against excitation in a pool of motor units",
    reference=_REFERENCE,
    parameters=Fuglevand1993(),
    quick={"levels": 5, "average_s": 4.0},
    claims=_CLAIMS,
    run=run,
)
