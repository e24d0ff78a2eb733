"""Figures of EMG: firing, signals, spectrum, action potentials, anatomy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Band, Electrodes, Figure, Image, Layer, Level, Line, Panel, Raster, SpikeTrains, thin
from ..emg import EMG, LayeredCylinder, draw_electrodes, draw_territories
from ._emg_statistics import PassingEMG, smoothed

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MOST_TRACES = 13
_MAPS = 6
_WAVEFORMS = 3
_DECADES = 5.0


def emg_figures(spikes: SpikeTrains, emg: EMG, passing: PassingEMG) -> tuple[Figure, ...]:
    """All figures of a report, in the order in which they are shown."""
    shown = _column(emg.electrodes, passing.rms_uV)
    maps = _maps(spikes, emg)
    return (
        _overview(spikes, passing),
        _traces(spikes, emg, passing, shown),
        _spectrum(emg, passing),
        _waveforms(spikes, emg, shown),
        *([maps] if maps else []),
        _amplitudes(spikes, emg),
        draw_territories(emg.fibres, _examples(spikes, emg, 5)),
        draw_electrodes(emg.electrodes, _outlines(emg)),
    )


def _overview(spikes: SpikeTrains, passing: PassingEMG) -> Figure:
    times, rms = passing.envelope
    span = spikes.t_start_s, spikes.t_stop_s
    window, _ = passing.window
    shown: tuple[Layer, ...] = (_thinned(times, rms),)
    if len(window):
        shown = (*shown, *(Level(float(edge), vertical=True) for edge in (window[0], window[-1])))
    return Figure(
        "overview",
        (
            Panel((Raster(spikes),), y_label="Unit", title="Spikes", x_range=span),
            Panel(shown, "Time (s)", "RMS (uV)", "EMG of all channels", span),
        ),
        f"Spikes of {int(spikes.active.sum())} active of {len(spikes)} units, and the root mean square of "
        "the EMG over all channels. Dashed: the time that is shown below.",
        share_x=True,
    )


def _traces(spikes: SpikeTrains, emg: EMG, passing: PassingEMG, shown: IntArray) -> Figure:
    times, values = passing.window
    span = (float(times[0]), float(times[-1])) if len(times) > 1 else (spikes.t_start_s, spikes.t_stop_s)
    part = spikes.between(max(span[0], spikes.t_start_s), min(span[1], spikes.t_stop_s))
    traces = values[:, shown]
    apart = _apart(traces.T)
    level, name = _levels(emg.electrodes, shown)
    label = f"{name} ({apart:g} uV apart)" if len(shown) > 1 else "EMG (uV)"
    layers = tuple(
        _thinned(times, at + trace / apart, 3 * (k % 2))
        for k, (at, trace) in enumerate(zip(level, traces.T, strict=True))
    )
    names = emg.electrodes.names
    return Figure(
        "emg",
        (
            Panel((Raster(part),), y_label="Unit", title="Spikes", x_range=span),
            Panel(
                layers,
                "Time (s)",
                label,
                f"EMG, {_span(names, shown)}",
                span,
            ),
        ),
        f"EMG of {len(shown)} of {len(names)} channels, {apart:g} uV from one to the next, where spikes are "
        "most frequent.",
        share_x=True,
        height_in=3.4,
    )


def _spectrum(emg: EMG, passing: PassingEMG) -> Figure:
    frequency, psd = passing.psd
    low, middle, high = np.percentile(psd, [5, 50, 95], axis=1)
    mean = smoothed(frequency, psd.mean(axis=1))
    assert emg.amplifier is not None
    upper = min(emg.rate_hz / 2, 2.0 * emg.amplifier.low_pass_hz)
    inside = (frequency > 0) & (frequency <= upper)
    top = float(high[inside].max())
    layers: tuple[Layer, ...] = ()
    if top > 0:
        floor = top * 10**-_DECADES
        edges = np.maximum(low, floor)[inside], np.maximum(high, floor)[inside]
        band = Band(frequency[inside], *edges, "5 to 95 % of channels")
        layers = (
            *((band,) if psd.shape[1] > 1 else ()),
            Line(
                frequency[inside],
                np.maximum(middle, floor)[inside],
                "median channel" if psd.shape[1] > 1 else "channel",
            ),
            Line(frequency[inside], np.maximum(mean, floor)[inside], "mean, over 15 Hz", color=1),
        )
    found = passing.spectrum_metrics
    about = "No channel holds any signal."
    if found["spectrum_peak_hz"] is not None:
        about = (
            "Power spectral density of the channels (Welch). The mean over channels peaks at "
            f"{found['spectrum_peak_hz']:.0f} Hz; its median frequency is "
            f"{found['spectrum_median_hz']:.0f} Hz."
        )
    panel = Panel(
        layers, "Frequency (Hz)", "PSD (uV²/Hz)", "Spectrum", x_range=(0.0, upper), log_y=bool(layers)
    )
    return Figure("spectrum", (panel,), about, height_in=2.8)


def _waveforms(spikes: SpikeTrains, emg: EMG, shown: IntArray) -> Figure:
    potentials = emg.action_potentials
    level, name = _levels(emg.electrodes, shown)
    times_ms = 1e3 * potentials.times_s
    panels = []
    for place, unit in enumerate(_examples(spikes, emg, _WAVEFORMS, emg.electrodes.intramuscular)):
        values = potentials.values_uV[unit][shown]
        apart = _apart(values)
        lines = tuple(
            Line(times_ms, at + value / apart, color=place) for at, value in zip(level, values, strict=True)
        )
        panels.append(
            Panel(
                lines,
                "Time (ms)",
                name if place == 0 else "",
                f"Unit {unit}: {apart:g} uV apart" if len(shown) > 1 else f"Unit {unit}",
                (float(times_ms[0]), _faded(times_ms, values)),
            )
        )
    names = emg.electrodes.names
    return Figure(
        "action-potentials",
        tuple(panels),
        f"Action potentials of single units on {_span(names, shown)}; the discharge is at 0 ms.",
        columns=len(panels),
        height_in=4.0,
    )


def _maps(spikes: SpikeTrains, emg: EMG) -> Figure | None:
    """Peak to peak over a grid of channels; None where they form none."""
    place = _places(emg.electrodes)
    if place is None or np.ptp(place[:, 0]) < 1 or np.ptp(place[:, 1]) < 1:
        return None
    peaks = emg.action_potentials.peak_to_peak_uV
    lowest = place.min(axis=0)
    shape = tuple(place.max(axis=0) - lowest + 1)
    extent = (lowest[1] + 0.5, lowest[1] + shape[1] + 0.5, lowest[0] + 0.5, lowest[0] + shape[0] + 0.5)
    panels = []
    for unit in _examples(spikes, emg, _MAPS):
        values = np.full(shape, np.nan)
        values[tuple((place - lowest).T)] = peaks[unit]
        picture = Image(values, tuple(float(edge) for edge in extent), "uV")  # type: ignore[arg-type]
        panels.append(Panel((picture,), "Column", "Row", f"Unit {unit}"))
    return Figure(
        "maps",
        tuple(panels),
        "Peak-to-peak amplitude of single units over the grid. Rows follow one another along the fibres.",
        columns=3,
        height_in=3.2,
    )


def _amplitudes(spikes: SpikeTrains, emg: EMG) -> Figure:
    largest = emg.action_potentials.peak_to_peak_uV.max(axis=1)
    unit, fibres = np.arange(len(largest)), emg.fibres.fibres_per_unit
    fired = np.zeros(len(largest), dtype=bool)
    fired[: len(spikes)] = spikes.active
    groups = ((fired, "with spikes", 0), (~fired, "silent", 6))
    return Figure(
        "amplitudes",
        (
            Panel(
                tuple(Line(unit[w], largest[w], name, c, "", "o") for w, name, c in groups if w.any()),
                "Unit",
                "Peak to peak (uV)",
                "Largest channel",
                log_y=True,
            ),
            Panel(
                tuple(Line(fibres[w], largest[w], "", c, "", "o") for w, _, c in groups if w.any()),
                "Fibres of the unit",
                "Peak to peak (uV)",
                "Amplitude against size",
                log_y=True,
            ),
        ),
        f"Amplitude of each unit on the channel where it is largest: median {np.median(largest):.3g} uV, "
        f"{largest.min():.3g} to {largest.max():.3g} uV.",
        columns=2,
        height_in=2.8,
    )


def _outlines(emg: EMG) -> dict[str, Any]:
    """Outlines of the section and, round a limb, of its skin and bone."""
    shapes: dict[str, Any] = {}
    section = emg.fibres.about.get("outline_mm")
    if section is not None:
        points = np.asarray(section, dtype=float)
        gaps = np.flatnonzero(np.isnan(points[:, 0]))
        pieces = [piece[~np.isnan(piece[:, 0])] for piece in np.split(points, gaps)]
        pieces = [piece for piece in pieces if len(piece) > 2]
        shapes |= {("muscle" if k == 0 else f"muscle {k + 1}"): piece for k, piece in enumerate(pieces)}
    conductor = emg.conductor
    if isinstance(conductor, LayeredCylinder):
        angle = np.linspace(0.0, 2 * np.pi, 181)
        circle = np.stack([np.sin(angle), np.cos(angle)], axis=1)
        shapes["skin"] = conductor.radius_mm * circle
        if conductor.bone_mm > 0:
            shapes["bone"] = conductor.bone_mm * circle
    return shapes


def _examples(spikes: SpikeTrains, emg: EMG, count: int, near: bool = False) -> IntArray:
    """Units from the smallest to the largest, of those with spikes where there are any.

    `near` takes those of the greatest potentials instead: few units are near to an electrode in the muscle.
    """
    active = np.flatnonzero(spikes.active) if spikes.active.any() else np.arange(emg.fibres.n_units)
    if near:
        peaks = emg.action_potentials.peak_to_peak_uV.max(axis=1)
        return np.asarray(np.sort(active[np.argsort(peaks[active], kind="stable")[-count:]]))
    active = active[np.argsort(emg.fibres.fibres_per_unit[active], kind="stable")]
    chosen: IntArray = active[np.unique(np.linspace(0, len(active) - 1, count).astype(int))]
    return chosen


def _places(electrodes: Electrodes) -> IntArray | None:
    """Row and column of the contact that counts most in each channel, where the contacts have such."""
    if electrodes.place is None:
        return None
    return np.asarray(electrodes.place[np.argmax(np.abs(electrodes.matrix), axis=1)])


def _column(electrodes: Electrodes, rms: FloatArray) -> IntArray:
    """Channels to show: those of the column with the largest signal, in order, not more than a few."""
    place = _places(electrodes)
    chosen = np.arange(len(electrodes))
    if place is not None:
        chosen = np.flatnonzero(place[:, 1] == place[np.argmax(rms), 1])
        chosen = chosen[np.argsort(place[chosen, 0], kind="stable")]
    few: IntArray = chosen[np.unique(np.linspace(0, len(chosen) - 1, _MOST_TRACES).astype(int))]
    return few


def _thinned(x: FloatArray, y: FloatArray, color: int = 0) -> Line:
    few_x, few_y = thin(x, y)
    return Line(few_x, few_y, color=color)


def _levels(electrodes: Electrodes, shown: IntArray) -> tuple[FloatArray, str]:
    """Where each channel's zero is drawn, and what the axis counts: rows of a grid, from 1, or channels."""
    if len(shown) == 1:
        return np.zeros(1), "Potential (uV)"
    place = _places(electrodes)
    if place is None or len(set(place[shown, 0].tolist())) < len(shown):
        return np.asarray(shown + 1.0, dtype=float), "Channel"
    rows = place[shown, 0]
    if np.ptp(rows) >= len(rows):  # some were left out for want of room
        return np.arange(1.0, len(rows) + 1, dtype=float), "Channel shown"
    return np.asarray(rows + 1.0, dtype=float), "Row"


def _apart(values: NDArray[Any]) -> float:
    """Distance in uV at which curves, shape (curves, samples), are told apart; 1 for one alone."""
    if len(values) < 2 or values.size == 0:
        return 1.0
    return _round_up(0.6 * float(np.ptp(values, axis=1).max()))


def _faded(times: FloatArray, values: NDArray[Any]) -> float:
    """Time after which all curves stay below 1 % of the greatest, and a little more."""
    loud = np.flatnonzero(np.abs(values).max(axis=0) > 0.01 * np.abs(values).max())
    last = int(loud[-1]) if len(loud) else len(times) - 1
    return float(times[min(len(times) - 1, last + 1 + (last + 1) // 10)])


def _span(names: tuple[str, ...], shown: IntArray) -> str:
    first, last = names[shown[0]], names[shown[-1]]
    return first if len(shown) == 1 else f"{first} to {last}"


def _round_up(value: float) -> float:
    """1, 2 or 5 times a power of ten, not below `value`."""
    if not value > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= value))
