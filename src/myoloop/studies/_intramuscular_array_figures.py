"""Figures and tables of the study `intramuscular-array`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentials, Electrodes, Figure, Layer, Line, Panel, Recording
from ..emg import EMG, draw_electrodes, draw_territories
from ._array_contraction import ArrayStudy, Contraction
from ._array_figures import (
    contraction_figure,
    lasting,
    potentials_panel,
    range_panel,
    rates_figure,
    spectrum_figure,
    traces_panel,
)

FloatArray = NDArray[np.float64]

_ZOOM_S = 0.1
_SHOWN = 4
_TRACES = 10


def draw_all(
    params: ArrayStudy,
    array: EMG,
    needle: EMG,
    contraction: Contraction,
    recordings: dict[str, Recording],
    spectra: dict[str, tuple[FloatArray, FloatArray]],
    depth_mm: FloatArray,
    ratio: float,
) -> tuple[Figure, ...]:
    """All figures of the report, in its order."""
    peaks = array.action_potentials.peak_to_peak_uV
    recruited = contraction.recruited
    loudest = recruited[np.argsort(-peaks[recruited].max(axis=1))]
    spread = np.sort(loudest[np.linspace(0, len(loudest) // 2, _SHOWN).astype(int)])
    shown = [int(unit) for unit in dict.fromkeys(spread.tolist())]
    both = Electrodes.joined(array.electrodes, needle.electrodes)
    return (
        contraction_figure(params, contraction),
        rates_figure(params, contraction, ratio),
        _emg(params, recordings),
        _along(array.action_potentials, shown),
        _depths(peaks, depth_mm, recruited, shown),
        _needle(needle.action_potentials, recruited),
        spectrum_figure(spectra, 2000.0),
        draw_territories(array.fibres, shown),
        draw_electrodes(both, array.fibres.about["outline_mm"]),
    )


def _emg(params: ArrayStudy, recordings: dict[str, Recording]) -> Figure:
    array, needle = recordings["array"], recordings["needle"]
    some = np.unique(np.linspace(0, len(array) - 1, _TRACES).astype(int))
    middle = len(array) // 2
    zoom = params.duration_s - 0.5, params.duration_s - 0.5 + _ZOOM_S
    return Figure(
        "emg",
        (
            range_panel(array, array.values_uV[middle], f"Array, contact {middle + 1}"),
            range_panel(needle, needle.values_uV[0], "Concentric needle"),
            traces_panel(
                array,
                array.values_uV[some],
                some + 1.0,
                zoom,
                ("Array", "Contact, from the deepest"),
            ),
            _part(needle.between(*zoom)),
        ),
        "EMG of one contact of the array and of the needle throughout; and of every few contacts of the "
        f"array, and of the needle, for {1000 * _ZOOM_S:.0f} ms of the plateau.",
        columns=2,
        height_in=3.6,
    )


def _part(recording: Recording) -> Panel:
    line = Line(recording.times_s, recording.values_uV[0])
    return Panel((line,), "Time (s)", "EMG (uV)", "Concentric needle")


def _along(potentials: ActionPotentials, units: list[int]) -> Figure:
    return Figure(
        "action-potentials",
        tuple(potentials_panel(potentials, unit) for unit in units),
        "Action potentials along the array, every contact. A unit is large on the contacts that lie among "
        "its fibres, and the trace of a contact next to one fibre is sharp.",
        columns=2,
        height_in=4.4,
    )


def _depths(
    peaks: NDArray[np.float32], depth_mm: FloatArray, recruited: NDArray[np.int64], units: list[int]
) -> Figure:
    along: list[Layer] = [
        Line(depth_mm, peaks[unit], f"unit {unit}", color) for color, unit in enumerate(units)
    ]
    number = recruited
    return Figure(
        "amplitudes",
        (
            Panel(
                tuple(along),
                "Depth of the contact below the skin (mm)",
                "Peak to peak (uV)",
                "Along the array",
                log_y=True,
            ),
            Panel(
                (
                    Line(number, peaks[recruited].max(axis=1), "largest contact", 0, "", "o"),
                    Line(number, np.median(peaks[recruited], axis=1), "median contact", 1, "", "o"),
                ),
                "Unit",
                "Peak to peak (uV)",
                "Recruited units",
                log_y=True,
            ),
        ),
        "Left: amplitude along the array. Right: amplitude of every recruited unit.",
        columns=2,
        height_in=3.2,
    )


def _needle(potentials: ActionPotentials, recruited: NDArray[np.int64]) -> Figure:
    peaks = potentials.peak_to_peak_uV[:, 0]
    loudest = recruited[np.argsort(-peaks[recruited])][:_SHOWN]
    part = lasting(potentials, [int(unit) for unit in loudest])
    time = 1000 * potentials.times_s[part]
    traces: list[Layer] = [
        Line(time, potentials.values_uV[unit, 0, part], f"unit {unit}", color)
        for color, unit in enumerate(loudest)
    ]
    return Figure(
        "needle",
        (
            Panel(tuple(traces), "Time (ms)", "Potential (uV)", "Largest units"),
            Panel(
                (Line(recruited, peaks[recruited], "", 0, "", "o"),),
                "Unit",
                "Peak to peak (uV)",
                "All recruited units",
                log_y=True,
            ),
        ),
        "Action potentials between core and cannula of the concentric needle.",
        columns=2,
        height_in=3.0,
    )
