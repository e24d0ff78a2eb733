"""Figures that the studies of electrode arrays share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentials, Figure, Layer, Level, Line, Panel, Raster, Recording, thin
from ._array_contraction import ArrayStudy, Contraction

FloatArray = NDArray[np.float64]

_FIRST_HZ = 10.0  # slower is what baselines do


def contraction_figure(params: ArrayStudy, contraction: Contraction) -> Figure:
    """Discharges and force."""
    force = contraction.force
    span = 0.0, params.duration_s
    t_s, percent = thin(force.times_s, force.values)
    return Figure(
        "raster",
        (
            Panel((Raster(contraction.spikes),), y_label="Unit", title="Discharges", x_range=span),
            Panel(
                (Line(t_s, percent, "force"), Level(params.target_percent_mvc, "target")),
                "Time (s)",
                "Force (% MVC)",
                "Force",
                span,
            ),
        ),
        f"{len(contraction.recruited)} of {params.units} units fire, the smallest first. The excitation is "
        "such that the mean force of the pool would rise evenly to its target.",
        share_x=True,
        height_in=2.4,
    )


def rates_figure(params: ArrayStudy, contraction: Contraction, ratio: float) -> Figure:
    """Order of recruitment and rates on the plateau against thresholds."""
    spikes = contraction.spikes
    threshold = spikes.annotations["recruitment_threshold"]
    recruited = contraction.recruited
    first = np.array([spikes[int(unit)][0] for unit in recruited])
    rates = spikes.between(*params.settled_s).rates_pps()
    label = "Recruitment threshold (% of maximal excitation)"
    return Figure(
        "recruitment",
        (
            Panel(
                (Line(100 * threshold[recruited], first, "", 0, "", "o"),),
                label,
                "First discharge (s)",
                "Order of recruitment",
            ),
            Panel(
                (Line(100 * threshold, rates, "", 1, "", "o"),),
                label,
                "Rate on the plateau (pps)",
                "Earlier units fire faster",
            ),
        ),
        f"Each unit's first discharge, and its mean rate on the plateau; thresholds span {ratio:g}-fold.",
        columns=2,
        height_in=3.0,
    )


def stacked(times: FloatArray, traces: NDArray[Any], gap: float, numbers: FloatArray) -> tuple[Layer, ...]:
    """Traces (n, samples) one above another, each at its number, 1 of which is `gap` high."""
    return tuple(Line(times, trace / gap + k) for trace, k in zip(traces, numbers, strict=True))


def traces_panel(
    recording: Recording,
    values: NDArray[Any],
    numbers: FloatArray,
    span: tuple[float, float],
    text: tuple[str, str],
) -> Panel:
    """A stretch of some channels, shape (channels, samples), against their numbers.

    `text` is the title, and what is numbered.
    """
    times = recording.times_s
    inside = (times >= span[0]) & (times < span[1])
    shown = values[:, inside]
    step = float(np.min(np.diff(np.sort(numbers))))
    gap = nice(0.4 * float(np.ptp(shown, axis=1).max()) / step)
    return Panel(
        stacked(times[inside], shown, gap, numbers),
        "Time (s)",
        text[1],
        f"{text[0]}: {number_of(gap)} a {text[1].split(',')[0].lower()}",
        span,
        (float(numbers.min()) - 2.2 * step, float(numbers.max()) + 2.2 * step),
    )


def range_panel(recording: Recording, values: NDArray[Any], title: str) -> Panel:
    """One channel throughout, as the least and the greatest of its values in each pixel."""
    pixels = 900
    samples = len(values) // pixels * pixels
    parts = values[:samples].reshape(pixels, -1)
    times = recording.times_s[:samples].reshape(pixels, -1).mean(axis=1)
    both = np.stack([parts.min(axis=1), parts.max(axis=1)], axis=1).ravel()
    line = Line(np.repeat(times, 2), both)
    return Panel((line,), "Time (s)", "EMG (uV)", title, (0.0, recording.duration_s))


def lasting(potentials: ActionPotentials, units: list[int]) -> slice:
    """Samples in which the potentials of some units are above 2 % of their greatest value."""
    size = np.abs(potentials.values_uV[units])
    above = np.flatnonzero((size > 0.02 * size.max(axis=(1, 2), keepdims=True)).any(axis=(0, 1)))
    return slice(max(0, int(above[0]) - 2), int(above[-1]) + 3)


def nice(value: float) -> float:
    """The next greater one of 1, 2, 5, 10 ..."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value * (1 - 1e-9)) * power)


def number_of(microvolts: float) -> str:
    """A potential in a readable unit."""
    return f"{microvolts / 1000:.3g} mV" if microvolts >= 1000 else f"{microvolts:.3g} uV"


def spectrum(values: NDArray[Any], rate_hz: float, smoothed_hz: float) -> tuple[FloatArray, FloatArray]:
    """Frequencies and power spectral density in uV2/Hz, smoothed, the mean over channels."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import welch

    frequency, power = welch(values, rate_hz, nperseg=min(values.shape[1], round(rate_hz)), axis=1)
    width = max(1, round(smoothed_hz / frequency[1]))
    return frequency, uniform_filter1d(power.mean(axis=0), width)


def peak_hz(frequency: FloatArray, power: FloatArray) -> float:
    """Frequency of the largest power above 10 Hz."""
    kept = frequency >= _FIRST_HZ
    return float(frequency[kept][np.argmax(power[kept])])


def median_hz(frequency: FloatArray, power: FloatArray) -> float:
    """Frequency that halves the power above 10 Hz."""
    kept = frequency >= _FIRST_HZ
    summed = np.cumsum(power[kept])
    return float(frequency[kept][np.searchsorted(summed, summed[-1] / 2)])


def spectrum_figure(spectra: dict[str, tuple[FloatArray, FloatArray]], highest_hz: float) -> Figure:
    """Spectra over their maxima, linear and logarithmic."""
    linear: list[Layer] = []
    decibels: list[Layer] = []
    for color, (name, (frequency, power)) in enumerate(spectra.items()):
        peak = peak_hz(frequency, power)
        kept = (frequency <= highest_hz) & (frequency >= 2.0)
        scaled = power[kept] / power[frequency >= _FIRST_HZ].max()
        linear.append(Line(frequency[kept], scaled, f"{name}, peak {peak:.0f} Hz", color))
        decibels.append(Line(frequency[kept], 10 * np.log10(scaled), name, color))
    return Figure(
        "spectrum",
        (
            Panel(tuple(linear), "Frequency (Hz)", "Power / maximum", "", (0.0, highest_hz), (0.0, 1.05)),
            Panel(tuple(decibels), "Frequency (Hz)", "Power (dB)", "", (0.0, highest_hz), (-40.0, 2.0)),
        ),
        "Power spectral density on the plateau, the mean over channels, smoothed.",
        columns=2,
        height_in=3.0,
    )


def potentials_panel(potentials: ActionPotentials, unit: int) -> Panel:
    """Potential of a unit on channels one above another, the first at the bottom."""
    values, part = potentials.values_uV[unit], lasting(potentials, [unit])
    gap = nice(0.12 * float(np.ptp(values, axis=1).max()))
    number = np.arange(1.0, len(values) + 1)
    return Panel(
        stacked(1000 * potentials.times_s[part], values[:, part], gap, number),
        "Time (ms)",
        "Contact, from the deepest",
        f"Unit {unit}: {number_of(gap)} a contact",
        y_range=(-6.0, len(values) + 6.0),
    )
