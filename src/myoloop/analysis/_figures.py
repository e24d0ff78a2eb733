"""Figures of motor units: discharges, action potentials, coherence, Delta F, two decompositions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import (
    ActionPotentials,
    Electrodes,
    Figure,
    Layer,
    Level,
    Line,
    Panel,
    Raster,
    Signal,
    SpikeTrains,
    thin,
)
from ..errors import ParameterError
from ._agreement import bland_altman
from ._check import checked_count, checked_trains, one_channel
from ._coherence import Coherence
from ._delta_f import DeltaF
from ._rates import instantaneous_rates
from ._smooth import SmoothedRates

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_COLORS = 6  # of the palette, without the faint last one
_BANDS = ((1.0, 5.0, "delta"), (5.0, 15.0, "alpha"), (15.0, 35.0, "beta"))
_STEPS = (1.0, 2.0, 5.0, 10.0)


def draw_discharges(
    spikes: SpikeTrains,
    force: Signal | None = None,
    rates: SmoothedRates | None = None,
    *,
    first_unit: int = 0,
) -> Figure:
    """Discharges of all units, their instantaneous rates one above the other, and the force behind them.

    Parameters
    ----------
    spikes : SpikeTrains
    force : Signal, optional
        One channel.
    rates : SmoothedRates, optional
        Smooth rates to lay over the instantaneous ones.
    first_unit : int
        Number that the axes give to the first unit.

    Returns
    -------
    Figure
    """
    trains = checked_trains(spikes, "draw_discharges.spikes")
    first = checked_count(first_unit, "draw_discharges.first_unit", at_least=0)
    span, floor = (trains.t_start_s, trains.t_stop_s), first - 0.5
    behind: tuple[Layer, ...] = ()
    if force is not None:
        values = one_channel(force, "draw_discharges.force")
        low, high = min(0.0, float(values.min())), float(values.max())
        height = (values - low) / (high - low if high > low else 1.0) * len(trains) + floor
        unit = f" {force.units}" if force.units else ""
        name = f"{force.name or 'force'}, {low:.3g} to {high:.3g}{unit}"
        times, height = thin(force.times_s, height)
        behind = (Line(times, height, name, 6),)
    found = instantaneous_rates(trains)
    usual = [1.3 * np.median(one.rate_pps) for one in found if len(one)]
    apart, hidden = _round_up(max(usual, default=1.0)), 0
    layers: list[Layer] = []
    for unit_index, one in enumerate(found):
        color = unit_index % _COLORS
        # a higher one, as of a doublet, would be taken for one of the unit above
        seen = one.rate_pps <= apart
        hidden += int(np.sum(~seen))
        height = unit_index + floor + one.rate_pps[seen] / apart
        layers.append(Line(one.times_s[seen], height, color=color, style="", marker="o", marker_pt=2.0))
        if rates is not None:
            smooth = unit_index + floor + rates.values_pps[unit_index] / apart
            layers.append(Line(rates.times_s, smooth, color=color))
    top = (floor - 0.1, floor + len(trains) + 0.1)
    numbered = SpikeTrains.from_trains([[]] * first + list(trains), span[1], span[0])
    return Figure(
        "discharges",
        (
            Panel((*behind, Raster(numbered)), y_label="Unit", title="Discharges", x_range=span, y_range=top),
            Panel(
                (*layers, Raster(numbered.select(np.arange(0)))),  # of none, for whole numbers at the axis
                "Time (s)",
                f"Unit ({apart:g} pps apart)",
                "Instantaneous discharge rate",
                span,
                top,
            ),
        ),
        f"Discharges of {int(trains.active.sum())} active of {len(trains)} units, and their instantaneous "
        f"rates; {apart:g} pps from one unit to the next."
        + (f" {hidden} higher rates are not shown." if hidden else "")
        + (" Lines: smoothed rates." if rates is not None else "")
        + (" Grey: force." if force is not None else ""),
        share_x=True,
        height_in=min(6.0, 2.0 + 0.12 * len(trains)),
    )


def draw_action_potentials(
    potentials: ActionPotentials,
    electrodes: Electrodes,
    units: Sequence[int] | None = None,
    *,
    names: Sequence[str] | None = None,
) -> Figure:
    """Action potentials of units, each channel at its place on the grid.

    Parameters
    ----------
    potentials : ActionPotentials
    electrodes : Electrodes
        The channels of `potentials`; those without a grid are shown in one column.
    units : sequence of int, optional
        Which units; the first six by default.
    names : sequence of str, optional
        Name of each unit of `potentials`; "Unit" and its index by default.

    Returns
    -------
    Figure
    """
    place = _places(electrodes, potentials)
    chosen = range(min(6, len(potentials))) if units is None else units
    times = potentials.times_s
    width = float(np.ptp(times)) or 1.0
    along = 0.85 * ((times - times[0]) / width - 0.5)
    panels = []
    for unit in chosen:
        if not 0 <= unit < len(potentials):
            raise ParameterError(
                "draw_action_potentials.units", f"unit {unit} of {len(potentials)}", "give indices of units"
            )
        values = potentials.values_uV[unit]
        apart = _round_up(0.6 * float(np.ptp(values, axis=1).max()))
        lines = tuple(
            Line(column + 1 + along, row + 1 - trace / apart, color=0)
            for (row, column), trace in zip(place, values, strict=True)
        )
        name = f"Unit {unit}" if names is None else names[unit]
        title = f"{name}: {apart:g} uV a row"
        panels.append(_grid_panel(lines, place, title, electrodes.place is not None))
    return Figure(
        "action-potentials",
        tuple(panels),
        f"Action potentials on the grid, {1e3 * width:.3g} ms in each place. Row 1 is at the top; upwards "
        "is positive.",
        columns=min(3, len(panels)),
        height_in=min(6.0, 1.2 + 0.3 * (np.ptp(place[:, 0]) + 1)),
    )


def draw_coherence(coherence: Coherence | Sequence[Coherence]) -> Figure:
    """Coherence against frequency, with its confidence limit.

    Parameters
    ----------
    coherence : Coherence or sequence of Coherence
        Several are drawn over one another, e.g. those of groups of different sizes.

    Returns
    -------
    Figure
    """
    several = (coherence,) if isinstance(coherence, Coherence) else tuple(coherence)
    if not several:
        raise ParameterError("draw_coherence.coherence", "none was given", "give one or more")
    first = several[0]
    names = [f"groups of {one.group_units}" for one in several]
    lines = tuple(
        Line(one.frequency_hz, one.coherence, name if len(several) > 1 else "", k % _COLORS)
        for k, (one, name) in enumerate(zip(several, names, strict=True))
    )
    limit = Level(first.limit, f"{100 * first.confidence:g} % limit")
    highest = max(float(np.nanmax(one.coherence)) for one in several)
    bands = ", ".join(
        f"{several[-1].band_mean(low, high):.2g} in {name} ({low:g} to {high:g} Hz)"
        for low, high, name in _BANDS
        if first.frequency_hz[-1] >= high
    )
    return Figure(
        "coherence",
        (
            Panel(
                (*lines, limit),
                "Frequency (Hz)",
                "Coherence",
                "Coherence",
                (0.0, float(first.frequency_hz[-1])),
                (0.0, min(1.0, 1.1 * max(highest, first.limit))),
            ),
        ),
        f"Magnitude-squared coherence, {first.segments:.3g} independent segments."
        + (f" Mean{' of the largest groups' if len(several) > 1 else ''}: {bands}." if bands else ""),
        height_in=2.8,
    )


def draw_delta_f(spikes: SpikeTrains, rates: SmoothedRates, found: DeltaF, pair: int | None = None) -> Figure:
    """A pair of units with its Delta F.

    Parameters
    ----------
    spikes : SpikeTrains
    rates : SmoothedRates
    found : DeltaF
        Of these trains and rates.
    pair : int, optional
        Index into `found`; the first accepted pair by default, or the first one.

    Returns
    -------
    Figure
    """
    if len(found) == 0:
        raise ParameterError("draw_delta_f.found", "no pair of units", "give two active units")
    k = int(np.argmax(found.accepted)) if pair is None else pair
    if not 0 <= k < len(found):
        raise ParameterError("draw_delta_f.pair", f"pair {k} of {len(found)}", "give the index of a pair")
    control, test = int(found.control[k]), int(found.test[k])
    edges = spikes[test][0], min(spikes[test][-1], spikes[control][-1])
    trains = spikes.select([control, test])
    panels = []
    every = instantaneous_rates(trains)
    for place, (unit, role, one) in enumerate(zip((control, test), ("Control", "Test"), every, strict=True)):
        curve = rates.values_pps[unit]
        dots = Line(one.times_s, one.rate_pps, color=place, style="", marker="o", marker_pt=2.5)
        layers: list[Layer] = [dots, Line(rates.times_s, curve, color=place)]
        layers += [Level(float(edge), vertical=True) for edge in edges]
        if place == 0:
            known = np.isfinite(curve)
            heights = np.interp(edges, rates.times_s[known], curve[known]) if known.any() else []
            layers += [Line(np.array(edges), np.full(2, height), color=3) for height in heights]
        highest = max(float(np.nanmax(curve, initial=0.0)), float(np.percentile(one.rate_pps, 98)))
        panels.append(
            Panel(
                tuple(layers),
                "Time (s)" if place else "",
                "Rate (pps)",
                f"{role} unit {unit}",
                (spikes.t_start_s, spikes.t_stop_s),
                (0.0, 1.15 * highest),
            )
        )
    verdict = "accepted" if found.accepted[k] else "not accepted"
    return Figure(
        "delta-f",
        tuple(panels),
        f"Delta F of {found.delta_f_pps[k]:.2f} pps ({verdict}): the rate of the control unit at the "
        f"recruitment of the test unit minus that at its derecruitment (dashed). Correlation of the rates "
        f"{found.correlation[k]:.2f}, recruited {found.recruitment_gap_s[k]:.2g} s apart.",
        share_x=True,
        height_in=2.2,
    )


def draw_back_to_back(
    first: SpikeTrains,
    second: SpikeTrains,
    potentials: tuple[ActionPotentials, ActionPotentials] | None = None,
    names: tuple[str, str] = ("first", "second"),
) -> Figure:
    """Two decompositions of the same units back to back: discharges, rates, and action potentials.

    Parameters
    ----------
    first, second : SpikeTrains
        Unit i of the one is unit i of the other: match them beforehand.
    potentials : tuple of ActionPotentials, optional
        Of the same units, on the same channels. The channel on which the first is largest is shown.
    names : tuple of str
        What the two are called.

    Returns
    -------
    Figure
    """
    pair = (
        checked_trains(first, "draw_back_to_back.first"),
        checked_trains(second, "draw_back_to_back.second"),
    )
    if len(pair[0]) != len(pair[1]):
        raise ParameterError(
            "draw_back_to_back.second",
            f"{len(pair[1])} units against {len(pair[0])}",
            "give matched units, in the same order",
        )
    span = min(one.t_start_s for one in pair), max(one.t_stop_s for one in pair)
    rows = tuple(
        Line(one.times_s, one.units + shift, name, color, "", "|", 5.0)
        for one, shift, name, color in zip(pair, (0.17, -0.17), names, (0, 1), strict=True)
    )
    panels = [
        Panel(rows, "Time (s)", "Unit", "Discharges", span, (-0.6, len(pair[0]) - 0.4)),
        _rates_panel(pair),
    ]
    if potentials is not None:
        panels.append(_shapes_panel(potentials, len(pair[0])))
    return Figure(
        "back-to-back",
        tuple(panels),
        f"{len(pair[0])} units in two decompositions, {names[0]} and {names[1]}. Rates: difference "
        f"({names[1]} minus {names[0]}) against mean."
        + (" Action potentials: the channel on which the first is largest." if potentials else ""),
        height_in=2.6,
    )


def _rates_panel(pair: tuple[SpikeTrains, SpikeTrains]) -> Panel:
    title, x, y = "Agreement of mean rates", "Mean rate (pps)", "Difference (pps)"
    rates = pair[0].rates_pps(), pair[1].rates_pps()
    if not np.isfinite(rates[0] + rates[1]).any():
        return Panel((), x, y, title)
    agreed = bland_altman(*rates)
    name = "limits of agreement"
    limits = [Level(at, name) for at in (agreed.lower, agreed.upper) if np.isfinite(at)]
    reach = 1.3 * max(0.01, np.abs(agreed.difference).max(), *(abs(level.value) for level in limits))
    low, high = agreed.mean.min(), agreed.mean.max()
    margin = 0.05 * (high - low) or 1.0
    span = float(low - margin), float(high + margin)
    bias = Line(np.array(span), np.full(2, agreed.bias), "bias", 6)
    points = Line(agreed.mean, agreed.difference, color=3, style="", marker="o")
    return Panel((bias, points, *limits), x, y, title, span, (-float(reach), float(reach)))


def _shapes_panel(potentials: tuple[ActionPotentials, ActionPotentials], units: int) -> Panel:
    one, other = potentials
    if not len(one) == len(other) == units or one.values_uV.shape[1] != other.values_uV.shape[1]:
        raise ParameterError(
            "draw_back_to_back.potentials",
            f"{one.values_uV.shape[:2]} and {other.values_uV.shape[:2]} units and channels for {units} units",
            "give those of the same units, on the same channels",
        )
    channel = np.argmax(one.peak_to_peak_uV, axis=1)
    lines = []
    for source, color in ((one, 0), (other, 1)):
        width = 0.9 / max(np.ptp(one.times_s), np.ptp(other.times_s), 1e-9)
        for unit in range(units):
            trace = source.values_uV[unit, channel[unit]]
            lines.append(Line(unit + width * source.times_s, trace, color=color))
    ticks = tuple((float(unit), str(unit)) for unit in range(units))
    return Panel(
        tuple(lines), "Unit", "Potential (uV)", "Action potentials", (-0.55, units - 0.45), x_ticks=ticks
    )


def _places(electrodes: Electrodes, potentials: ActionPotentials) -> IntArray:
    channels = potentials.values_uV.shape[1]
    if len(electrodes) != channels:
        raise ParameterError(
            "draw_action_potentials.electrodes",
            f"{len(electrodes)} channels for potentials on {channels}",
            "give those of the potentials",
        )
    if electrodes.place is None:
        return np.stack([np.arange(channels), np.zeros(channels, dtype=np.int64)], axis=1)
    place = electrodes.place[np.argmax(np.abs(electrodes.matrix), axis=1)]
    return np.asarray(place)


def _grid_panel(lines: tuple[Line, ...], place: IntArray, title: str, is_grid: bool) -> Panel:
    rows, columns = place[:, 0] + 1, place[:, 1] + 1
    ticks = tuple(
        (float(column), str(column)) for column in range(int(columns.min()), int(columns.max()) + 1)
    )
    return Panel(
        lines,
        "Column" if is_grid else "",
        "Row" if is_grid else "Channel",
        title,
        (columns.min() - 0.6, columns.max() + 0.6),
        (rows.max() + 0.95, rows.min() - 0.95),
        x_ticks=ticks if is_grid else ((1.0, ""),),
    )


def _round_up(value: Any) -> float:
    """1, 2 or 5 times a power of ten, not below `value`."""
    if not value > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in _STEPS if step * power >= value * (1 - 1e-12)))
