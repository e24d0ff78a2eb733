"""Pictures of a muscle's anatomy, as data for `myoloop.viz`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...data import Band, Figure, Layer, Level, Line, Panel, thin
from ...errors import ParameterError
from ._fibres import MuscleFibres
from ._outlines import polygon_contains

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Curve = tuple[FloatArray, FloatArray]

_SHOWN = 5
_GREY, _PALE = 6, 4  # places in the palette
_DOT_PT = 1.5
_MOST = 6000  # points of a scatter


def draw_territories(fibres: MuscleFibres, units: ArrayLike | None = None) -> Figure:
    """Territories of all units in the cross-section, and the fibres of a few units within theirs.

    Parameters
    ----------
    fibres : MuscleFibres
        From `Muscle.fibres`; of others the fibres are shown without territories and outline.
    units : array of int, optional
        Units whose fibres are shown; by default five from the smallest to the largest.

    Raises
    ------
    ParameterError
        An index of no unit.
    """
    chosen = _chosen(fibres, units)
    outline = _outline(fibres)
    own: list[Layer] = []
    for color, u in reversed(list(enumerate(chosen))):  # small units on top
        members = fibres.unit == u
        label = f"unit {u}: {members.sum()} fibres"
        own.append(_dots(fibres.x_mm[members], fibres.y_mm[members], label, color))
        own += [Line(x, y, color=color) for x, y in _circles(fibres, np.array([u]))]
    names = "x (mm)", "y (mm)"
    panels: tuple[Panel, ...] = (Panel((*outline, *own), *names, "Fibres of single units", same_scale=True),)
    circles = [Line(x, y, color=_PALE) for x, y in _circles(fibres, np.arange(fibres.n_units))]
    if circles:
        x, y = _per_unit(fibres, "territory_centre_mm").T
        layers = (*circles, *outline, Line(x, y, "centres", 0, "", "."))
        panels = (Panel(layers, *names, "Territories", same_scale=True), *panels)
    return Figure(
        "territories",
        panels,
        f"{len(fibres)} fibres of {fibres.n_units} units in the cross-section. Circles hold 99.9 % of the "
        "Gaussians by which fibres are chosen.",
        columns=len(panels),
        height_in=4.8,
    )


def draw_diameters(fibres: MuscleFibres) -> Figure:
    """Distribution of fibre diameters, conduction velocity against diameter, and innervation numbers."""
    diameter, velocity, unit = thin(fibres.diameter_um, fibres.velocity_m_per_s, fibres.unit, most=_MOST)
    third = 3 * unit // fibres.n_units
    scatter = tuple(
        _dots(diameter[third == k], velocity[third == k], name, k)
        for k, name in enumerate(("small", "medium", "large units"))
        if np.any(third == k)
    )
    number = np.arange(fibres.n_units)
    counts: list[Layer] = [Line(number, fibres.fibres_per_unit, "fibres", 0, "", ".")]
    intended = _per_unit(fibres, "innervation_number")
    if intended is not None:
        counts.append(Line(number, intended, "set", 1))
    histogram = (*_histogram(fibres.diameter_um), *_lognormal(fibres))
    return Figure(
        "diameters",
        (
            Panel(histogram, "Diameter (um)", "Fibres per um", "Fibre diameters"),
            Panel(scatter, "Diameter (um)", "Velocity (m/s)", "Velocities"),
            Panel(tuple(counts), "Unit", "Fibres", "Innervation numbers", log_y=True),
        ),
        f"{len(fibres)} fibres, mean diameter {fibres.diameter_um.mean():.1f} um, mean conduction velocity "
        f"{fibres.velocity_m_per_s.mean():.2f} m/s.",
        columns=3,
        height_in=3.0,
    )


def draw_endplates(fibres: MuscleFibres) -> Figure:
    """Endplates and ends of the fibres along the muscle, and the spread of each unit's endplates."""
    number = np.arange(fibres.n_units)
    order = np.argsort(fibres.unit, kind="stable")
    unit, endplate, low, high = thin(
        fibres.unit[order], fibres.endplate_mm[order], *fibres.tendon_mm[order].T, most=_MOST
    )
    ends = np.concatenate([unit, unit]), np.concatenate([low, high])
    along = (_dots(*ends, "fibre ends", _GREY), _dots(unit, endplate, "endplates", 0))
    spread: list[Layer] = [Line(number, _sd(fibres), "of all", 0, "", ".")]
    expected = _per_unit(fibres, "endplate_sd_mm")
    if expected is not None:
        spread.append(Line(number, expected[:, 0], "of branches, set", 1))
        spread.append(Line(number, expected[:, 1], "about a branch, set", 2))
    mean = float(fibres.endplate_mm.mean())
    zone = (*_histogram(fibres.endplate_mm), Level(mean, f"mean {mean:.1f} mm", vertical=True))
    return Figure(
        "endplates",
        (
            Panel(along, "Unit", "z (mm)", "Along the fibres"),
            Panel(tuple(spread), "Unit", "SD (mm)", "Spread of a unit's endplates"),
            Panel(zone, "z (mm)", "Fibres per mm", "Innervation zone"),
        ),
        f"Endplates of {len(fibres)} fibres: SD {fibres.endplate_mm.std():.1f} mm over the muscle. A unit's "
        "endplates spread with those of its branches and about each.",
        columns=3,
        height_in=3.2,
    )


def _chosen(fibres: MuscleFibres, units: ArrayLike | None) -> IntArray:
    if units is None:
        return np.unique(np.linspace(0, fibres.n_units - 1, _SHOWN).astype(int))
    chosen = np.atleast_1d(np.asarray(units))
    if chosen.dtype.kind not in "iu" or np.any(chosen < 0) or np.any(chosen >= fibres.n_units):
        raise ParameterError(
            "draw_territories.units", f"{chosen} of {fibres.n_units} units", "give indices of units"
        )
    return chosen


def _per_unit(fibres: MuscleFibres, name: str) -> Any:
    """What `about` says of each unit, or None where the fibres come from elsewhere."""
    values = fibres.about.get(name)
    if values is None:
        return None
    values = np.asarray(values)
    return values[np.asarray(fibres.about.get("units", np.arange(len(values))))]


def _outline(fibres: MuscleFibres) -> tuple[Layer, ...]:
    outline = fibres.about.get("outline_mm")
    if outline is None:
        return ()
    x, y = np.asarray(outline, dtype=float).T
    return (Line(x, y, color=_GREY),)


def _circles(fibres: MuscleFibres, units: IntArray) -> list[Curve]:
    """Territories of some units as far as they lie within the section."""
    centres, radii = _per_unit(fibres, "territory_centre_mm"), _per_unit(fibres, "territory_radius_mm")
    outline = fibres.about.get("outline_mm")
    if centres is None or radii is None or outline is None:
        return []
    angle = np.linspace(0, 2 * np.pi, 181)
    x = centres[units, :1] + radii[units, None] * np.cos(angle)
    y = centres[units, 1:] + radii[units, None] * np.sin(angle)
    inside = np.zeros(x.shape, dtype=bool)
    outline = np.asarray(outline, dtype=float)
    gaps = np.flatnonzero(np.isnan(outline[:, 0]))
    for piece in np.split(outline, gaps):
        corners = piece[~np.isnan(piece[:, 0])][:-1]
        inside ^= polygon_contains(corners, x, y)
    return list(zip(np.where(inside, x, np.nan), y, strict=True))


def _dots(x: FloatArray, y: FloatArray, label: str, color: int) -> Line:
    return Line(x, y, label, color, "", "o", _DOT_PT)


def _histogram(values: FloatArray, bins: int = 40) -> tuple[Layer, ...]:
    """Numbers per unit of the abscissa, filled and with an edge."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(values, bins, (low, high))
    x, y = np.repeat(edges, 2), np.concatenate([[0], np.repeat(counts / np.diff(edges), 2), [0]])
    return Band(x, np.zeros(len(x)), y), Line(x, y)


def _lognormal(fibres: MuscleFibres) -> tuple[Layer, ...]:
    """Distribution of diameters that was set, where it is known."""
    muscle = fibres.about.get("muscle")
    if muscle is None or muscle["diameter_spread"] == 0:
        return ()
    x = np.linspace(muscle["least_diameter_um"], muscle["largest_diameter_um"], 301)
    density = np.exp(-0.5 * (np.log(x / muscle["diameter_um"]) / muscle["diameter_spread"]) ** 2) / x
    return (Line(x, len(fibres) * density / np.trapezoid(density, x), "set", 1),)


def _sd(fibres: MuscleFibres) -> FloatArray:
    n = fibres.fibres_per_unit
    mean = np.bincount(fibres.unit, weights=fibres.endplate_mm) / n
    square = np.bincount(fibres.unit, weights=(fibres.endplate_mm - mean[fibres.unit]) ** 2)
    return np.asarray(np.sqrt(square / n))
