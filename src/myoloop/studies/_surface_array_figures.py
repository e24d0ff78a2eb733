"""Figures, tables and notes of the study `surface-array`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentials, Electrodes, Figure, Image, Layer, Line, Panel, Recording
from ..emg import EMG, bipolar, draw_electrodes, draw_territories
from ._array_checks import HALF_MM, PITCH_MM, Velocities, log_log_fit
from ._array_contraction import ArrayStudy, Contraction
from ._array_figures import (
    contraction_figure,
    lasting,
    nice,
    number_of,
    range_panel,
    rates_figure,
    spectrum_figure,
    traces_panel,
)
from ._array_metrics import spread_units
from ._base import Table

FloatArray = NDArray[np.float64]

_ZOOM_S = 0.25
_FASTEST = 20.0  # of the velocities shown
_MISSING = np.nan


def draw_all(
    params: ArrayStudy,
    emg: EMG,
    contraction: Contraction,
    recording: Recording,
    spectra: dict[str, tuple[FloatArray, FloatArray]],
    speeds: Velocities,
    depth_mm: FloatArray,
    amplitudes: dict[str, FloatArray],
    ratio: float,
) -> tuple[Figure, ...]:
    """All figures of the report, in its order."""
    shown = spread_units(contraction.recruited, 3)
    potentials = emg.action_potentials
    pairs = bipolar(emg.electrodes)
    differential = ActionPotentials(
        pairs.matrix @ potentials.values_uV, potentials.rate_hz, potentials.t_start_s, pairs.names
    )
    return (
        contraction_figure(params, contraction),
        rates_figure(params, contraction, ratio),
        _emg(params, recording, pairs),
        _waveforms("action-potentials", "monopolar", potentials, emg.electrodes, shown),
        _waveforms("action-potentials-differential", "single differential", differential, pairs, shown),
        _maps(potentials, differential, emg.electrodes, pairs, shown),
        spectrum_figure(spectra, 500.0),
        _speeds(speeds),
        _depth(depth_mm, amplitudes),
        draw_territories(emg.fibres, shown),
        draw_electrodes(emg.electrodes, emg.fibres.about["outline_mm"]),
    )


def _places(electrodes: Electrodes) -> tuple[FloatArray, FloatArray]:
    """Column and row of each channel on the grid, halves between two contacts."""
    assert electrodes.place is not None
    used = (electrodes.matrix != 0).astype(float)
    middle = used @ electrodes.place / used.sum(axis=1, keepdims=True)
    return middle[:, 1], middle[:, 0]


def _emg(params: ArrayStudy, recording: Recording, pairs: Electrodes) -> Figure:
    assert recording.electrodes is not None
    differential = pairs.matrix @ recording.values_uV
    zoom = params.duration_s - 1.0, params.duration_s - 1.0 + _ZOOM_S
    whole, parts = [], []
    for title, values, electrodes in (
        ("Monopolar", recording.values_uV, recording.electrodes),
        ("Differential", differential, pairs),
    ):
        column, row = _places(electrodes)
        middle = np.flatnonzero(column == np.median(column))
        one = middle[len(middle) // 3]
        whole.append(range_panel(recording, values[one], f"{title}, {electrodes.names[one]}"))
        parts.append(
            traces_panel(recording, values[middle], row[middle] + 1, zoom, (title, "Row, along the fibres"))
        )
    return Figure(
        "emg",
        (*whole, *parts),
        "EMG of one channel throughout, and of the middle column of the grid for a quarter of a second of "
        "the plateau. The endplates lie under the middle row, and the muscle under rows 3 to 11.",
        columns=2,
        height_in=3.6,
    )


def _waveforms(
    name: str, kind: str, potentials: ActionPotentials, electrodes: Electrodes, units: list[int]
) -> Figure:
    column, row = _places(electrodes)
    part = lasting(potentials, units)
    time = np.linspace(-0.45, 0.45, part.stop - part.start)
    panels = []
    for unit in units:
        values = potentials.values_uV[unit][:, part]
        gap = nice(0.5 * float(np.ptp(values, axis=1).max()))
        layers: list[Layer] = [
            Line(column[c] + 1 + time, values[c] / gap + row[c] + 1) for c in range(len(values))
        ]
        panels.append(
            Panel(
                tuple(layers),
                "Column",
                "Row, along the fibres",
                f"Unit {unit}: {number_of(gap)} a row",
                (0.4, column.max() + 1.6),
                (-0.6, row.max() + 2.6),
            )
        )
    duration_ms = 1000 * (part.stop - part.start) / potentials.rate_hz
    return Figure(
        name,
        tuple(panels),
        f"Action potentials of three units on the {kind} channels, each at its place on the grid; "
        f"{duration_ms:.0f} ms from left to right.",
        columns=len(panels),
        height_in=5.2,
    )


def _maps(
    monopolar: ActionPotentials,
    differential: ActionPotentials,
    contacts: Electrodes,
    pairs: Electrodes,
    units: list[int],
) -> Figure:
    panels = []
    for kind, potentials, electrodes in (
        ("monopolar", monopolar, contacts),
        ("differential", differential, pairs),
    ):
        column, row = _places(electrodes)
        for unit in units:
            image = np.full((int(np.ptp(row)) + 1, int(np.ptp(column)) + 1), _MISSING)
            places = (row - row.min()).astype(int), (column - column.min()).astype(int)
            image[places] = potentials.peak_to_peak_uV[unit]
            extent = column.min() + 0.5, column.max() + 1.5, row.min() + 0.5, row.max() + 1.5
            panels.append(Panel((Image(image, extent, "uV"),), "Column", "Row", f"Unit {unit}, {kind}"))
    return Figure(
        "action-potential-maps",
        tuple(panels),
        "Peak-to-peak amplitude on the grid. The place without a contact is left white.",
        columns=len(units),
        height_in=3.4,
    )


def _speeds(speeds: Velocities) -> Figure:
    true = speeds.set_m_per_s
    ends = np.array([true.min(), true.max()])
    shown = (speeds.own > 0.0) & (speeds.own < _FASTEST)
    equal = Line(ends, ends, "equal", 2)
    return Figure(
        "conduction-velocity",
        (
            Panel(
                (
                    equal,
                    Line(true, speeds.mixed, "a velocity a fibre", 4, "", "."),
                    Line(true, speeds.long, "a velocity a unit", 0, "", "o"),
                ),
                "Set (m/s)",
                "Estimated (m/s)",
                f"Fibres of {2 * HALF_MM:g} mm",
            ),
            Panel(
                (equal, Line(true[shown], speeds.own[shown], "a velocity a unit", 0, "", "o")),
                "Set (m/s)",
                "Estimated (m/s)",
                "The muscle's own fibres",
                y_range=(0.0, _FASTEST),
            ),
        ),
        "Left: three single differentials halfway between endplates and tendons, "
        f"{HALF_MM / 2 - 1.5 * PITCH_MM:g} mm and more from both; with velocities that differ from fibre to "
        "fibre, the set one is their mean by area, and the array follows the fast fibres. Right: two single "
        f"differentials on the muscle's own fibres; {int(np.sum(~shown))} of {len(true)} units are not "
        f"shown, as they read less than 0 or more than {_FASTEST:g} m/s: so near to endplates and tendons "
        "what does not travel outweighs what does.",
        columns=2,
        height_in=3.4,
    )


def _depth(depth_mm: FloatArray, amplitudes: dict[str, FloatArray]) -> Figure:
    layers: list[Layer] = []
    for color, (name, values) in enumerate(amplitudes.items()):
        fit = log_log_fit(depth_mm, values)
        line = np.exp(fit["offset"]) * depth_mm ** fit["slope"]
        layers.append(Line(np.log10(depth_mm), values, f"{name}, slope {fit['slope']:.2f}", color, "", "o"))
        layers.append(Line(np.log10(depth_mm), line, color=color))
    inside = (k for k in range(1, 100) if depth_mm[0] <= k <= depth_mm[-1])
    ticks = tuple((float(np.log10(k)), str(k)) for k in inside if k < 10 or k % 5 == 0)
    return Figure(
        "amplitude-depth",
        (
            Panel(
                tuple(layers),
                "Depth of the fibre below the skin (mm)",
                "Peak to peak (uV)",
                "Amplitude of one fibre",
                log_y=True,
                x_ticks=ticks,
            ),
        ),
        "Amplitude of a single fibre on the largest channel of the column above it, with straight lines "
        "fitted to the logarithms; both axes are logarithmic.",
        height_in=3.4,
    )


def fibre_table(found: list[tuple[float, float]]) -> Table:
    """Velocities read from single short fibres."""
    rows = tuple((round(depth, 2), 4.0, round(estimate, 3)) for depth, estimate in found)
    columns = ("Depth below the skin (mm)", "Set (m/s)", "Estimated (m/s)")
    return Table("Velocity of single short fibres", columns, rows)
