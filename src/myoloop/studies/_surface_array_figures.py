"""Figures, tables and notes of the study `surface-array`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentials, Electrodes, Figure, Image, Layer, Line, Panel, Recording
from ..emg import EMG, bipolar, draw_electrodes, draw_territories
from ._array_checks import HALF_MM, PITCH_MM, Velocities, log_log_fit
from ._array_contraction import ArrayStudy, Contraction
from ._array_figures import (
    contraction_figure,
    nice,
    number_of,
    rates_figure,
    spectrum_figure,
    traces_panel,
)
from ._array_metrics import spread_units
from ._base import Table

FloatArray = NDArray[np.float64]

_ZOOM_S = 0.25
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
    column, _ = _places(recording.electrodes)
    middle = np.flatnonzero(column == np.median(column))
    differential = pairs.matrix @ recording.values_uV
    of_pairs = np.flatnonzero(_places(pairs)[0] == np.median(column))
    names, pair_names = recording.electrodes.names, pairs.names
    zoom = params.duration_s - 1.0, params.duration_s - 1.0 + _ZOOM_S
    one = middle[len(middle) // 2 : len(middle) // 2 + 1], of_pairs[len(of_pairs) // 2 :][:1]
    whole = (0.0, params.duration_s)
    return Figure(
        "emg",
        (
            _whole(recording, recording.values_uV[one[0][0]], names[one[0][0]], whole),
            _whole(recording, differential[one[1][0]], pair_names[one[1][0]], whole),
            traces_panel(
                recording,
                recording.values_uV[middle],
                tuple(names[i] for i in middle),
                zoom,
                "Monopolar",
            ),
            traces_panel(
                recording,
                differential[of_pairs],
                tuple(pair_names[i].split("-")[0] for i in of_pairs),
                zoom,
                "Single differential",
            ),
        ),
        "EMG of one channel throughout, and of the middle column of the grid for a quarter of a second of "
        "the plateau; rows follow the fibres, and the endplates lie under the middle row.",
        columns=2,
        height_in=3.4,
    )


def _whole(recording: Recording, values: NDArray[Any], name: str, span: tuple[float, float]) -> Panel:
    """One channel throughout, as the range of its values in each pixel."""
    from ..data import Band

    bins = 900
    samples = len(values) // bins * bins
    parts = values[:samples].reshape(bins, -1)
    times = recording.times_s[:samples].reshape(bins, -1).mean(axis=1)
    low, high = parts.min(axis=1), parts.max(axis=1)
    return Panel(
        (Band(times, low, high), Line(times, low, color=0), Line(times, high, color=0)),
        "Time (s)",
        "EMG (uV)",
        name,
        span,
    )


def _waveforms(
    name: str, kind: str, potentials: ActionPotentials, electrodes: Electrodes, units: list[int]
) -> Figure:
    column, row = _places(electrodes)
    time = np.linspace(0.05, 0.95, potentials.values_uV.shape[2]) - 0.5
    panels = []
    for unit in units:
        values = potentials.values_uV[unit]
        gap = nice(0.5 * float(np.ptp(values, axis=1).max()))
        layers: list[Layer] = [
            Line(column[c] + 1 + time, values[c] / gap + row[c] + 1) for c in range(len(values))
        ]
        panels.append(
            Panel(
                tuple(layers),
                "Column",
                "Row, along the fibres",
                f"Unit {unit + 1}: {number_of(gap)} a row",
                (0.4, column.max() + 1.6),
                (-0.6, row.max() + 2.6),
            )
        )
    duration_ms = 1000 * potentials.values_uV.shape[2] / potentials.rate_hz
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
            panels.append(Panel((Image(image, extent, "uV"),), "Column", "Row", f"Unit {unit + 1}, {kind}"))
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
    plausible = (speeds.own > 1.0) & (speeds.own < 20.0)
    return Figure(
        "conduction-velocity",
        (
            Panel(
                (Line(ends, ends, "equal", 1), Line(true, speeds.long, "units", 0, "", "o")),
                "Set (m/s)",
                "Estimated (m/s)",
                f"Fibres of {2 * HALF_MM:g} mm",
            ),
            Panel(
                (
                    Line(ends, ends, "equal", 1),
                    Line(true[plausible], speeds.own[plausible], "units", 0, "", "o"),
                ),
                "Set (m/s)",
                "Estimated (m/s)",
                "The muscle's own fibres",
                log_y=True,
            ),
        ),
        "Left: three single differentials halfway between endplates and tendons, "
        f"{HALF_MM / 2 - 1.5 * PITCH_MM:g} mm and more from both. Right: two single differentials on the "
        f"muscle's own fibres; {int(np.sum(~plausible))} of {len(true)} units are not shown, as they read "
        "below 1 or above 20 m/s: so near to endplates and tendons what does not travel outweighs what does.",
        columns=2,
        height_in=3.4,
    )


def _depth(depth_mm: FloatArray, amplitudes: dict[str, FloatArray]) -> Figure:
    layers: list[Layer] = []
    for color, (name, values) in enumerate(amplitudes.items()):
        fit = log_log_fit(depth_mm, values)
        line = np.exp(fit["offset"]) * depth_mm ** fit["slope"]
        layers.append(Line(depth_mm, values, f"{name}, slope {fit['slope']:.2f}", color, "", "o"))
        layers.append(Line(depth_mm, line, color=color))
    return Figure(
        "amplitude-depth",
        (
            Panel(
                tuple(layers),
                "Depth of the fibre below the skin (mm)",
                "Peak to peak (uV)",
                "Amplitude of one fibre",
                log_x=True,
                log_y=True,
            ),
        ),
        "Amplitude of a single fibre on the largest channel of the column above it, with straight lines "
        "fitted to the logarithms.",
        height_in=3.4,
    )


def fibre_table(found: list[tuple[float, float]]) -> Table:
    """Velocities read from single short fibres."""
    rows = tuple((round(depth, 2), 4.0, round(estimate, 3)) for depth, estimate in found)
    columns = ("Depth below the skin (mm)", "Set (m/s)", "Estimated (m/s)")
    return Table("Velocity of single short fibres", columns, rows)
