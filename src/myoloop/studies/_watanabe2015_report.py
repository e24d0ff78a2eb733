"""Phases, figures, summary and notes of the study `watanabe2015`."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import Band, Figure, Layer, Level, Line, Panel, Raster, Result, Signal, SpikeTrains, thin
from ._base import Table

FloatArray = NDArray[np.float64]
_NAMES = ("constant", "oscillating", "matched")


@final
class Phases:
    """The three phases of the run and the descending rate in each."""

    def __init__(self, params: Any, offset_pps: float) -> None:
        self._params = params
        self.drives = (
            (params.rate_pps, 0.0),
            (params.rate_pps, params.amplitude_pps),
            (offset_pps, params.amplitude_pps),
        )

    def rate_pps(self, t_s: FloatArray) -> FloatArray:
        """Descending rate at each time."""
        phase = np.clip((t_s // self._params.phase_s).astype(np.int64), 0, 2)
        means, amplitudes = np.array(self.drives).T
        wave = np.sin(2 * np.pi * self._params.frequency_hz * t_s)
        return np.asarray(means[phase] + amplitudes[phase] * wave)

    def whole(self, name: str) -> tuple[float, float]:
        """Beginning and end of a phase in s."""
        k = _NAMES.index(name)
        return k * self._params.phase_s, (k + 1) * self._params.phase_s

    def settled(self, name: str) -> tuple[float, float]:
        """A phase without its first `settle_s`."""
        begin, end = self.whole(name)
        return begin + self._params.settle_s, end


def draw_all(
    params: Any, phases: Phases, recording: Result, force: Signal, metrics: dict[str, Any], mvc: float
) -> tuple[Figure, ...]:
    """All figures of the report, in its order."""
    motor = recording.spikes["MN"]
    return (
        _overview(params, phases, motor, force, mvc),
        _force(params, phases, force, metrics, mvc),
        _membranes(params, recording.signals["MN.v_soma"]),
        _raster(params, motor),
        _coherence(params, metrics),
        _group_size(metrics),
    )


def _overview(params: Any, phases: Phases, motor: SpikeTrains, force: Signal, mvc: float) -> Figure:
    force_t, force_values = thin(force.times_s, 100 * force.values / mvc)
    boundaries = _boundaries(params)
    return Figure(
        "overview",
        (
            Panel(
                (*_drive(params, phases), *boundaries),
                y_label="Drive (pps)",
                title="Constant, oscillating and matched drive",
            ),
            Panel((Raster(motor), *boundaries), y_label="Motor neuron"),
            Panel((*_pool_rate(params, motor), *boundaries), y_label="Pool rate (pps)"),
            Panel((Line(force_t, force_values, color=2), *boundaries), "Time (s)", "Force (% MVC)"),
        ),
        "Mean and range of the descending rate, spikes of the pool, its rate (bins of 10 ms, and of a "
        "cycle of the oscillation) and the force. The oscillation raises the force at the same mean drive; "
        "at a lower mean it gives the force of the constant drive.",
        share_x=True,
        height_in=1.8,
    )


def _pool_rate(params: Any, motor: SpikeTrains) -> list[Layer]:
    """Mean rate of all motor neurons, in short bins and in bins of a cycle."""
    layers: list[Layer] = []
    for bin_s, label, color in ((0.01, "10 ms", 4), (1.0 / params.frequency_hz, "a cycle", 1)):
        rate = motor.binned(bin_s) / bin_s / len(motor)
        layers.append(Line((np.arange(len(rate)) + 0.5) * bin_s, rate, label, color))
    return layers


def _drive(params: Any, phases: Phases) -> list[Layer]:
    """Mean of the drive in each phase, and the range of its oscillation."""
    edges = np.repeat(np.arange(4) * params.phase_s, 2)[1:-1]
    means, amplitudes = (np.repeat(values, 2) for values in np.array(phases.drives).T)
    return [
        Band(edges, means - amplitudes, means + amplitudes, f"{params.frequency_hz:g} Hz oscillation"),
        Line(edges, means, "mean"),
    ]


def _force(params: Any, phases: Phases, force: Signal, metrics: dict[str, Any], mvc: float) -> Figure:
    traces: list[Layer] = []
    for color, name in enumerate(_NAMES):
        begin, end = phases.whole(name)
        part = force.between(begin, end)
        t_s, values = thin(part.times_s - begin, 100 * part.values / mvc, most=2000)
        traces.append(Line(t_s, values, name, color))
    means = np.array([metrics["force_percent_mvc"][name] for name in _NAMES])
    in_run, errors = (
        100 / mvc * np.array([metrics[key][name] for name in _NAMES])
        for key in ("force_phase_mean", "force_phase_se")
    )
    places = np.arange(3.0)
    bars = [
        Line(np.full(2, x + 0.12), np.array([y - e, y + e]), color=1)
        for x, y, e in zip(places, in_run, errors, strict=True)
    ]
    return Figure(
        "force-by-phase",
        (
            Panel(tuple(traces), "Time in phase (s)", "Force (% MVC)"),
            Panel(
                (
                    Line(places - 0.12, means, "separate runs", 0, "", "o"),
                    Line(places + 0.12, in_run, "three-phase run (± SE)", 1, "", "s"),
                    *bars,
                    Level(means[0]),
                ),
                y_label="Mean force (% MVC)",
                x_range=(-0.5, 2.5),
                y_range=(0.0, 1.15 * float(means.max())),
                x_ticks=tuple(zip(places, _NAMES, strict=True)),
            ),
        ),
        f"Force in the three phases, and its mean after the first {params.settle_s:g} s in each condition.",
        columns=2,
        height_in=2.6,
    )


def _membranes(params: Any, voltage: Signal) -> Figure:
    middle = params.phase_s
    part = voltage.between(middle - 0.5, middle + 0.5)
    panels = tuple(
        Panel(
            (Line(part.times_s, part.values[:, k], color=k), Level(middle, vertical=True)),
            "Time (s)" if k == part.values.shape[1] - 1 else "",
            "V (mV)",
            f"motor neuron {cell}",
        )
        for k, cell in enumerate(part.channels)
    )
    return Figure(
        "membrane-potentials",
        panels,
        "Somatic membrane potential (relative to rest) around the onset of the oscillation.",
        share_x=True,
        height_in=1.7,
    )


def _raster(params: Any, motor: SpikeTrains) -> Figure:
    middle = params.phase_s
    zoom = (middle - 0.25, middle + 0.25)
    return Figure(
        "raster",
        (
            Panel((Raster(motor), *_boundaries(params)), "Time (s)", "Motor neuron", "all"),
            Panel(
                (Raster(motor.between(*zoom)), Level(middle, vertical=True)),
                "Time (s)",
                "Motor neuron",
                "onset of the oscillation",
                x_range=zoom,
            ),
        ),
        "Spikes of the motor neurons, smallest at the bottom, and a zoom on the onset of the oscillation.",
        height_in=2.8,
    )


def _coherence(params: Any, metrics: dict[str, Any]) -> Figure:
    panels = []
    for color, name in enumerate(_NAMES):
        frequency, mean, sd = metrics["_spectra"][name]
        panels.append(
            Panel(
                (
                    Band(frequency, np.clip(mean - sd, 0, 1), np.clip(mean + sd, 0, 1), color=color),
                    Line(frequency, mean, color=color),
                    Level(metrics["coherence_limit"], "95 % limit"),
                ),
                "Frequency (Hz)",
                "Coherence" if color == 0 else "",
                name,
                x_range=(0.0, 60.0),
                y_range=(0.0, 1.0),
            )
        )
    return Figure(
        "coherence",
        tuple(panels),
        "Coherence between the common input (all descending spikes) and composite spike trains of "
        f"{params.groups} random groups of {params.group_size} units: mean and SD over groups, and the "
        "limit under independence.",
        columns=3,
    )


def _group_size(metrics: dict[str, Any]) -> Figure:
    layers: list[Layer] = []
    for color, name in enumerate(_NAMES):
        by_size = metrics["coherence_by_group_size"][name]
        sizes = np.array(list(by_size), dtype=np.float64)
        layers.append(Line(sizes, np.array(list(by_size.values())), name, color, "-", "o"))
    layers.append(Level(metrics["coherence_limit"], "95 % limit"))
    return Figure(
        "coherence-by-group-size",
        (Panel(tuple(layers), "Units in a group", "Coherence at 20 Hz", log_x=True, y_range=(0.0, 1.02)),),
        "How the coherence at the oscillation's frequency grows with the number of units taken together. "
        "Under constant drive it is the chance fluctuation of the finite descending pool that is shared.",
    )


def _boundaries(params: Any) -> tuple[Level, ...]:
    return Level(params.phase_s, vertical=True), Level(2 * params.phase_s, vertical=True)


def summary(params: Any, metrics: dict[str, Any]) -> Table:
    """Table of the three conditions."""
    drives = (
        f"{params.rate_pps:g}",
        f"{params.rate_pps:g} + {params.amplitude_pps:g} sin",
        f"{metrics['offset_pps']:.1f} + {params.amplitude_pps:g} sin",
    )
    rows = tuple(
        (
            name,
            drive,
            metrics["force_mean"][name],
            metrics["force_percent_mvc"][name],
            f"{metrics['force_phase_mean'][name]:.0f} ± {metrics['force_phase_se'][name]:.0f}",
            metrics["active_by_phase"][name],
            metrics["coherence_20hz"][name],
        )
        for name, drive in zip(_NAMES, drives, strict=True)
    )
    columns = (
        "Phase",
        "Drive (pps)",
        f"Mean force ({metrics['force_unit']})",
        "% MVC",
        "In the three-phase run (± SE)",
        "Active units",
        f"Coherence at {params.frequency_hz:g} Hz",
    )
    return Table("Force by phase", columns, rows)


def notes(params: Any) -> tuple[str, ...]:
    """What a reader of the report has to know."""
    return (
        "This is a reconstruction from the paper's abstract and summaries of it, without its full text. "
        "The synaptic weight and delay are a first guess, so the offset that matches the force is a result "
        "of this network; the paper's is 58 pps for a constant drive of 65 pps (ratio .892).",
        "Mean forces of the three conditions come from separate runs that share their random streams; in "
        "the three-phase run each phase has other noise, and its mean a standard error of its own.",
        "The common input is taken to be the descending spikes together, and groups have "
        f"{params.group_size} units. The finite descending pool is itself a source of common noise: in "
        "larger groups the coherence exceeds its limit under constant drive too, at all frequencies alike.",
        "The order of recruitment is shown by a ramp of current into all somata. Under a synaptic ramp it "
        "is blurred by the random number of connections of each cell.",
    )
