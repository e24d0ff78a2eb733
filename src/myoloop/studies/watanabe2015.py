"""Fast oscillatory commands decoded by the spinal cord for force control.

References
----------
Watanabe & Kohn (2015), J Neurosci 35:13687-13697.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import Progress, Result, Signal, SpikeTrains
from ..muscle import FuglevandForce, recruitment_thresholds
from ..network import (
    CurrentInjection,
    Network,
    PoissonSource,
    Population,
    Probe,
    Projection,
    Ramp,
    one_to_one,
    random,
    simulate,
)
from ..neurons import TwoCompartmentMotorNeuron
from ..parameters import Parameters, count, number
from ..random import Streams
from ._base import AtLeast, AtMost, Claim, Study, StudyResult, Tolerance, Within
from ._coherence import group_coherence
from ._watanabe2015_report import Phases, draw_all, notes, summary

FloatArray = NDArray[np.float64]

PAPER = "Watanabe & Kohn 2015"
PHASES = ("constant", "oscillating", "matched")


@final
@dataclass(frozen=True, kw_only=True)
class Watanabe2015(Parameters):
    """The experiment: a pool under a constant and an oscillating descending drive."""

    motor_neurons: int = count(800, at_least=10, help="size of the pool")
    threshold_ratio: float = number(100.0, above=1, help="largest to smallest recruitment threshold")
    descending: int = count(400, help="descending neurons")
    probability: float = number(
        0.3, above=0, at_most=1, help="of a descending neuron to reach a motor neuron"
    )
    weight_uS: float = number(0.05, above=0, help="of both kinds of synapse")
    delay_ms: float = number(1.0, above=0)
    noise_pps: float = number(125.0, at_least=0, help="rate of each motor neuron's private noise")
    rate_pps: float = number(65.0, above=0, help="constant drive")
    amplitude_pps: float = number(20.0, above=0, help="of the oscillation")
    frequency_hz: float = number(20.0, above=0)
    phase_s: float = number(5.0, above=0.5, help="length of each of the three phases")
    condition_s: float = number(10.0, above=1, help="length of a run that measures a mean force")
    settle_s: float = number(1.0, at_least=0, help="left out at the beginning of each phase and run")
    offset_error_pps: float = number(0.1, above=0, help="to which the offset is searched")
    ramp_s: float = number(5.0, above=0, help="length of the current ramp that shows the recruitment order")
    ramp_nA: float = number(60.0, above=0)
    groups: int = count(100, help="random groups of units whose composite spike trains are compared")
    group_size: int = count(5, help="units in a group")
    segment_s: float = number(0.5, above=0, help="length of the segments of the coherence estimate")
    force_rate_hz: float = number(2048.0, above=0)
    dt_ms: float = number(0.025, above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_times(self)


def run(params: Watanabe2015, seed: int, progress: Progress, threads: int) -> StudyResult:
    """Run the six steps of the experiment."""
    begun = time.perf_counter()
    pool = _Pool(params, seed, threads, progress)

    # 1-2: the mean force under constant drive, and the offset at which an oscillating one equals it.
    constant = pool.mean_force("constant drive", lambda t: np.full_like(t, params.rate_pps))
    oscillating = pool.oscillating_force(params.rate_pps)
    offset, searched = pool.match(constant)
    matched = pool.oscillating_force(offset)

    # 3: constant, oscillating and matched drive, one after the other.
    phases = Phases(params, offset)
    simulation_begun = time.perf_counter()
    recording = pool.simulate("three phases", phases.rate_pps, 3 * params.phase_s, probes=True)
    simulate_s = time.perf_counter() - simulation_begun

    # 4-5: spike statistics and force.
    motor = recording.spikes["MN"]
    force = pool.force(motor)
    order = pool.recruitment_order()

    metrics = {
        "offset_pps": offset,
        "offset_ratio": offset / params.rate_pps,
        "offset_simulations": searched,
        "force_mean": {"constant": constant, "oscillating": oscillating, "matched": matched},
        "force_phase_mean": {name: _mean_and_error(force, phases.settled(name))[0] for name in PHASES},
        "force_phase_se": {name: _mean_and_error(force, phases.settled(name))[1] for name in PHASES},
        "force_unit": force.units,
        "force_percent_mvc": {
            name: 100 * value / pool.model.maximum_force()
            for name, value in zip(PHASES, (constant, oscillating, matched), strict=True)
        },
        "recruitment_spearman": order,
        **_coherences(params, recording, phases, Streams(seed).child("groups")),
        **_spike_statistics(motor, phases),
        "wall_s": {"total": time.perf_counter() - begun, "simulate": simulate_s},
        "x_real_time": 3 * params.phase_s / simulate_s,
    }
    figures = draw_all(params, phases, recording, force, metrics, pool.model.maximum_force())
    metrics["wall_s"]["total"] = time.perf_counter() - begun
    return StudyResult(
        metrics={key: value for key, value in metrics.items() if not key.startswith("_")},
        figures=figures,
        tables=(summary(params, metrics),),
        spikes={"MN": motor, "DD": recording.spikes["DD"]},
        signals={"force": force, **recording.signals},
        notes=notes(params),
    )


class _Pool:
    """The network and the muscle of the study, run under one drive or another."""

    def __init__(self, params: Watanabe2015, seed: int, threads: int, progress: Progress) -> None:
        self._params, self._seed, self._threads, self._progress = params, seed, threads, progress
        self.thresholds = recruitment_thresholds(params.motor_neurons, params.threshold_ratio)
        self.cells = TwoCompartmentMotorNeuron.pool(self.thresholds)
        self.model = FuglevandForce(self.thresholds)
        self.oscillating_force = lru_cache(self._oscillating_force)

    def simulate(
        self,
        stage: str,
        rate_pps: Callable[[FloatArray], FloatArray],
        duration_s: float,
        probes: bool = False,
    ) -> Result:
        """Simulate the network under a descending rate."""
        params = self._params
        network = Network(
            [
                PoissonSource("DD", params.descending, rate_pps),
                PoissonSource("IN", params.motor_neurons, params.noise_pps),
                Population("MN", self.cells, {"recruitment_threshold": self.thresholds}),
            ],
            [
                Projection(
                    "DD",
                    "MN",
                    random(params.probability),
                    weight_uS=params.weight_uS,
                    delay_ms=params.delay_ms,
                ),
                Projection("IN", "MN", one_to_one(), weight_uS=params.weight_uS, delay_ms=params.delay_ms),
            ],
        )
        shown = sorted({int(share * params.motor_neurons) for share in (0.0, 0.25, 0.5)})
        record = [Probe("MN", "v_soma", tuple(shown), every_ms=8 * params.dt_ms)] if probes else []
        return simulate(
            network,
            duration_s,
            dt_ms=params.dt_ms,
            seed=self._seed,
            threads=self._threads,
            record=record,
            spikes=("MN", "DD"),
            progress=_staged(self._progress, stage),
        )

    def force(self, spikes: SpikeTrains) -> Signal:
        """Force of the muscle, the spikes having travelled down the axons."""
        arriving = spikes.delayed(self.cells.axon_delay_ms * 1e-3)
        return self.model.force(arriving, self._params.force_rate_hz)

    def mean_force(self, stage: str, rate_pps: Callable[[FloatArray], FloatArray]) -> float:
        """Mean force under a drive, over a run of `condition_s`."""
        spikes = self.simulate(stage, rate_pps, self._params.condition_s).spikes["MN"]
        settled = self.force(spikes).between(self._params.settle_s, self._params.condition_s)
        return float(settled.values.mean())

    def _oscillating_force(self, offset_pps: float) -> float:
        stage = f"{offset_pps:.1f} pps + oscillation"
        return self.mean_force(stage, lambda t: oscillation(self._params, offset_pps, t))

    def match(self, force: float) -> tuple[float, int]:
        """Offset (pps) of the oscillating drive that gives a mean force, and how many runs it took.

        All runs share their random streams, so the force is a smooth function of the offset.
        """
        from scipy.optimize import brentq

        top = self._params.rate_pps
        low = 0.9 * top
        while self.oscillating_force(low) > force:
            low *= 0.9
        offset = brentq(
            lambda pps: self.oscillating_force(pps) - force,
            low,
            top,
            xtol=self._params.offset_error_pps,
        )
        return float(offset), self.oscillating_force.cache_info().misses

    def recruitment_order(self) -> float:
        """Rank correlation of thresholds and of the order in which a ramp of current recruits the cells."""
        from scipy.stats import spearmanr

        params = self._params
        ramp = Ramp(to_nA=params.ramp_nA, stop_s=params.ramp_s)
        network = Network([Population("MN", self.cells)], currents=[CurrentInjection("MN", ramp)])
        spikes = simulate(
            network,
            params.ramp_s,
            dt_ms=params.dt_ms,
            seed=self._seed,
            threads=self._threads,
            progress=_staged(self._progress, "current ramp"),
        ).spikes["MN"]
        recruited = np.flatnonzero(spikes.active)
        first = [spikes[int(unit)][0] for unit in recruited]
        return float(spearmanr(self.thresholds[recruited], first).statistic)


def oscillation(params: Watanabe2015, offset_pps: float, t_s: FloatArray) -> FloatArray:
    """Rate of the oscillating drive."""
    return offset_pps + params.amplitude_pps * np.sin(2 * np.pi * params.frequency_hz * t_s)


def _coherences(params: Watanabe2015, recording: Result, phases: Phases, rng: Streams) -> dict[str, Any]:
    """Coherence of the common input with composite spike trains, in each phase.

    The common input is what all motor neurons share, the descending spikes taken together.
    """
    sizes = sorted({1, 2, params.group_size, 10, 20, 50, 100})
    at_20: dict[str, float] = {}
    spectra: dict[str, Any] = {}
    by_size: dict[str, Any] = {}
    limit = np.nan
    for name in PHASES:
        motor = recording.spikes["MN"].between(*phases.settled(name))
        common = recording.spikes["DD"].between(*phases.settled(name)).binned(1e-3)
        units = np.flatnonzero(motor.counts >= 2)
        by_size[name] = {}
        for size in [s for s in sizes if s <= len(units)]:
            draw = rng.child(name, size).generator()
            groups = [draw.choice(units, size, replace=False) for _ in range(params.groups)]
            trains = np.array([motor.select(group).binned(1e-3) for group in groups])
            frequency, coherence, limit = group_coherence(common, trains, 1e3, params.segment_s)
            nearest = int(np.argmin(np.abs(frequency - params.frequency_hz)))
            by_size[name][size] = float(coherence[:, nearest].mean())
            if size == params.group_size:
                at_20[name] = by_size[name][size]
                spectra[name] = (frequency, coherence.mean(axis=0), coherence.std(axis=0))
    return {
        "coherence_20hz": at_20,
        "coherence_limit": limit,
        "coherence_by_group_size": by_size,
        "_spectra": spectra,
    }


def _mean_and_error(force: Signal, span_s: tuple[float, float]) -> tuple[float, float]:
    """Mean force and its standard error, from blocks of half a second."""
    values = force.between(*span_s).values
    samples = round(0.5 * force.rate_hz)
    blocks = values[: len(values) // samples * samples].reshape(-1, samples).mean(axis=1)
    error = float(blocks.std(ddof=1) / np.sqrt(len(blocks))) if len(blocks) > 1 else np.nan
    return float(values.mean()), error


def _spike_statistics(motor: SpikeTrains, phases: Phases) -> dict[str, Any]:
    constant = motor.between(*phases.settled("constant"))
    rates = constant.rates_pps()
    return {
        "active_units": int(motor.active.sum()),
        "active_by_phase": {name: int(motor.between(*phases.settled(name)).active.sum()) for name in PHASES},
        "rate_pps": {"mean": float(np.nanmean(rates)), "sd": float(np.nanstd(rates))},
        "isi_cv": float(np.nanmean(constant.isi_cv())),
    }


def _staged(progress: Progress, name: str) -> Progress:
    """Let a simulation report under the name of its step of the study."""

    def report(stage: str, done: float, total: float, unit: str = "s") -> None:
        progress(name, done, total, unit)

    return report


def _check_times(params: Watanabe2015) -> None:
    from ..errors import ParameterError

    window_ms = min(1.0, params.delay_ms)
    for name in ("phase_s", "condition_s", "ramp_s"):
        windows = getattr(params, name) * 1e3 / window_ms
        if abs(windows - round(windows)) > 1e-6:
            raise ParameterError(
                f"Watanabe2015.{name}",
                f"{getattr(params, name):g} s is not a whole number of windows of {window_ms:g} ms",
                f"give {max(1, round(windows)) * window_ms * 1e-3:g} s",
            )
    needed = params.settle_s + 3 * params.segment_s
    if params.phase_s < needed or params.condition_s <= params.settle_s:
        raise ParameterError(
            "Watanabe2015.phase_s",
            f"{params.phase_s:g} s leave less than three segments after settle_s = {params.settle_s:g} s",
            f"give at least {needed:g} s",
        )


def _coherence_claim(phase: str, tolerance: Tolerance) -> Claim:
    return Claim(
        f"20 Hz coherence / its limit, {phase} drive",
        f"{PAPER}; limit: Halliday et al. 1995",
        1.0,
        tolerance,
        lambda metrics: metrics["coherence_20hz"][phase] / metrics["coherence_limit"],
    )


STUDY = Study(
    name="watanabe2015",
    title="Fast oscillatory commands can be decoded by the spinal cord for force control",
    reference="Watanabe & Kohn (2015), J Neurosci 35:13687-13697",
    parameters=Watanabe2015(),
    quick={
        "motor_neurons": 200,
        "phase_s": 3.0,
        "condition_s": 3.0,
        "settle_s": 0.5,
        "ramp_s": 2.0,
        "offset_error_pps": 0.2,
        "groups": 30,
    },
    claims=(
        Claim(
            "Mean force, matched / constant drive",
            PAPER,
            1.0,
            Within(absolute=0.02),
            lambda m: m["force_mean"]["matched"] / m["force_mean"]["constant"],
        ),
        Claim(
            "Mean force, oscillating / constant drive of the same mean",
            f"{PAPER} says larger; the bound is ours",
            1.1,
            AtLeast(),
            lambda m: m["force_mean"]["oscillating"] / m["force_mean"]["constant"],
        ),
        _coherence_claim("constant", AtMost()),
        _coherence_claim("oscillating", AtLeast()),
        _coherence_claim("matched", AtLeast()),
        Claim(
            "Rank correlation of recruitment order and thresholds",
            "Henneman's size principle",
            0.99,
            AtLeast(),
            lambda m: m["recruitment_spearman"],
        ),
    ),
    run=run,
)
