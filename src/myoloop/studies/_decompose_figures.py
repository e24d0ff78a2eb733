"""Figures of a decomposition: discharges, sources, action potentials, channels, quality, agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analysis import draw_action_potentials, draw_discharges
from ..data import Electrodes, Figure, Image, Layer, Level, Line, Panel, Raster, Recording, Signal
from ..decompose import Decomposition, QualityLimits
from ._decompose_agreement import agreement_figure
from ._decompose_tables import channel_rms_uV

if TYPE_CHECKING:
    from ._decompose_reference import Agreement

FloatArray = NDArray[np.float64]

_MOST_SOURCES = 12
_MOST_POTENTIALS = 6
_WINDOW_S = 4.0
_STEP_S = 0.25
_BINS = 900  # of a curve: the least and the greatest value of each
_NAMED = 6  # in a legend
_FORCES = ("force", "torque", "moment", "load", "mvc", "acquired")
_FORCE_UNITS = ("%", "n", "nm", "kg", "mn")


def decomposition_figures(
    recording: Recording, found: Decomposition, agreement: Agreement | None
) -> tuple[Figure, ...]:
    """All figures of a report, in the order in which they are shown."""
    figures = []
    if len(found):
        figures += [
            draw_discharges(found.spikes, force_of(recording), first_unit=1),
            _sources(found),
            *_potentials(recording, found),
            _quality(found),
        ]
    if agreement is not None:
        figures += agreement_figure(found, agreement)
    return (*figures, _channels(recording, found))


def force_of(recording: Recording) -> Signal | None:
    """The force among what was recorded beside the EMG: by its unit or name; None where there is none."""
    single = [one for one in recording.auxiliary if one.values.ndim == 1 or one.values.shape[1] == 1]
    for one in single:
        unit, name = one.units.lower(), one.name.lower()
        if unit.startswith(_FORCE_UNITS[0]) or unit in _FORCE_UNITS or any(word in name for word in _FORCES):
            return one
    return None


def _sources(found: Decomposition) -> Figure:
    shown = min(len(found), _MOST_SOURCES)
    start, stop = _busiest(found, shown)
    rate, begin = found.rate_hz, found.spikes.t_start_s
    first, last = (round((edge - begin) * rate) for edge in (start, stop))
    last = min(last, found.sources.shape[1])
    times = begin + np.arange(first, last) / rate
    layers: list[Layer] = []
    for unit in range(shown):
        source = found.sources[unit, first:last]
        height = unit + 1 + 0.7 * source
        layers.append(Line(*_envelope(times, height), color=6 if found.quality.flag[unit] else 0))
        at = found.spike_samples(unit)
        at = at[(at >= first) & (at < last)] - first
        label = "detected discharge" if unit == 0 else ""
        layers.append(Line(times[at], height[at], label, 1, "", "o", 2.6))
    layers.append(Raster(found.spikes.select(np.arange(0))))  # of none, for whole numbers at the axis
    grey = any(found.quality.flag[:shown])
    return Figure(
        "sources",
        (Panel(tuple(layers), "Time (s)", "Unit", "Sources", (start, stop), (0.4, shown + 1.4)),),
        f"Sources of {_of(shown, len(found), 'units')}, largest first, scaled to a mean height of 1 at the "
        "discharges, where most of them fire." + (" Grey: flagged units." if grey else ""),
        height_in=min(9.0, 1.4 + 0.55 * shown),
    )


def _busiest(found: Decomposition, shown: int) -> tuple[float, float]:
    """A few seconds in which as many as possible of the first units fire, and as often as possible."""
    spikes = found.spikes.select(np.arange(shown))
    begin, end = spikes.t_start_s, spikes.t_stop_s
    if end - begin <= _WINDOW_S:
        return begin, end
    starts = np.arange(begin, end - _WINDOW_S + 1e-9, _STEP_S)
    inside = np.array([np.searchsorted(t, starts + _WINDOW_S) - np.searchsorted(t, starts) for t in spikes])
    at = np.lexsort((-inside.sum(axis=0), -(inside >= 3).sum(axis=0)))[0]
    return float(starts[at]), float(starts[at] + _WINDOW_S)


def _potentials(recording: Recording, found: Decomposition) -> list[Figure]:
    if found.action_potentials is None:
        return []
    names = found.action_potentials.channels
    at = {name: i for i, name in enumerate(recording.channels)}
    electrodes = recording.electrodes
    if electrodes is None:  # in one column
        electrodes = Electrodes(np.arange(len(names), dtype=float)[:, None] * [0.0, 0.0, 1.0])
    else:
        electrodes = electrodes.select([at[name] for name in names])
    units = range(min(len(found), _MOST_POTENTIALS))
    return [draw_action_potentials(found.action_potentials, electrodes, units, names=found.unit_ids)]


def _quality(found: Decomposition) -> Figure:
    quality, limits = found.quality, QualityLimits()
    flagged = np.array([bool(flag) for flag in quality.flag])
    peaks = None if found.action_potentials is None else found.action_potentials.peak_to_peak_uV.max(axis=1)
    groups = [("no flag", ~flagged, 0)]
    named = [(f"{found.unit_ids[u]}: {_short(quality.flag[u])}", u) for u in np.flatnonzero(flagged)]
    if len(named) <= _NAMED:
        groups += [(text, np.arange(len(found)) == u, 1 + k % 5) for k, (text, u) in enumerate(named)]
    else:
        groups.append((f"flagged ({flagged.sum()})", flagged, 1))
    panels = [
        Panel(
            (
                *_groups(groups, quality.cov_isi, quality.sil),
                Level(limits.sil),
                Level(limits.cov_isi, vertical=True),
            ),
            "CoV of ISI",
            "SIL",
            "Silhouette and regularity",
            (0.0, 1.1 * max(limits.cov_isi, _greatest(quality.cov_isi))),
            (min(0.84, _least(quality.sil) - 0.01), 1.0),
        )
    ]
    if peaks is not None:
        unlabelled = [("", which, color) for _, which, color in groups]
        panels.append(
            Panel(
                _groups(unlabelled, quality.rate_pps, peaks),
                "Rate (pps)",
                "Largest peak to peak (uV)",
                "Size and rate",
                y_range=(0.0, 1.1 * float(peaks.max())),
            )
        )
    return Figure(
        "quality",
        tuple(panels),
        f"Quality of {len(found)} units, {flagged.sum()} of them flagged as maybe false or merged. Dashed: "
        f"limits of the flags. CoV and rate are those of the intervals up to {limits.pause_ms:g} ms.",
        columns=2,
        height_in=3.0 + 0.17 * len(groups),  # room for the legend
    )


def _groups(groups: list[Any], x: FloatArray, y: FloatArray) -> tuple[Line, ...]:
    return tuple(
        Line(x[which], y[which], name, color, "", "o", 5.0) for name, which, color in groups if which.any()
    )


def _channels(recording: Recording, found: Decomposition) -> Figure:
    rms, names = channel_rms_uV(recording), recording.channels
    bad = np.array([name in found.bad for name in names])
    number = np.arange(1.0, len(names) + 1)
    drawn = np.isfinite(rms) & (rms > 0)
    low, high = (rms[drawn].min(), rms[drawn].max()) if drawn.any() else (1.0, 1.0)
    log = bool(high > 30 * low)
    floor = 0.7 * low if log else 0.0
    shown = np.where(drawn, rms, floor)
    layers = [Line(number[~bad], shown[~bad], "used", 0, "", "o")] if not bad.all() else []
    listed = np.flatnonzero(bad)
    if len(listed) <= _NAMED:
        layers += [
            Line(number[[i]], shown[[i]], f"{names[i]}: {found.bad[names[i]]}", 1 + k % 5, "", "X", 6.0)
            for k, i in enumerate(listed)
        ]
    else:
        layers.append(Line(number[bad], shown[bad], f"left out ({len(listed)})", 1, "", "X", 6.0))
    y_range = (0.6 * low, 1.5 * high) if log else (0.0, 1.12 * high)
    panels = [
        Panel(
            tuple(layers),
            "Channel",
            "RMS (uV)",
            "Channels",
            (0.0, len(names) + 1.0),
            y_range,
            log_y=log,
        )
    ]
    panels += _map(recording, np.where(bad, np.nan, rms))
    left = f"; {_of(len(listed), len(names), 'channels')} left out (crosses)" if len(listed) else ""
    at_the_edge = " Those without any signal are drawn at the lower edge." if np.any(~drawn) else ""
    return Figure(
        "channels",
        tuple(panels),
        f"Root mean square of the channels about their mean, as recorded{left}.{at_the_edge}",
        columns=len(panels),
        height_in=3.0 + 0.17 * len(layers),  # room for the legend
    )


def _map(recording: Recording, rms: FloatArray) -> list[Panel]:
    """RMS over the grid, where there is one of more than one row and column."""
    electrodes = recording.electrodes
    if electrodes is None or electrodes.place is None or electrodes.intramuscular:
        return []
    place = electrodes.place[np.argmax(np.abs(electrodes.matrix), axis=1)]
    lowest = place.min(axis=0)
    rows, columns = (place.max(axis=0) - lowest + 1).tolist()
    if min(rows, columns) < 2 or len(np.unique(place, axis=0)) < len(place):
        return []
    values = np.full((rows, columns), np.nan)
    values[tuple((place - lowest).T)] = rms
    left, top = lowest[1] + 0.5, lowest[0] + 0.5
    picture = Image(values, (left, left + columns, top, top + rows), "RMS (uV)")
    limits = (top + rows, top)  # row 1 at the top, as in the action potentials
    return [Panel((picture,), "Column", "Row", "On the grid", y_range=limits)]


def _envelope(x: FloatArray, y: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """The least and the greatest value of each of many bins, in order of time: no peak is lost."""
    if len(x) <= 2 * _BINS:
        return x, np.asarray(y, dtype=float)
    width = -(-len(x) // _BINS)
    edges = np.arange(0, len(x), width)
    both = [(a + int(np.argmin(y[a : a + width])), a + int(np.argmax(y[a : a + width]))) for a in edges]
    at = np.unique(np.array(both).ravel())
    return x[at], np.asarray(y[at], dtype=float)


def _least(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.min()) if len(known) else 1.0


def _greatest(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else 0.0


def _short(flag: str, most: int = 40) -> str:
    return flag if len(flag) <= most else f"{flag[: most - 1]}…"


def _of(some: int, all_: int, what: str) -> str:
    return f"all {all_} {what}" if some == all_ else f"{some} of {all_} {what}"
