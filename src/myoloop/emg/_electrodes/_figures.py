"""Pictures of where electrodes are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...data import Electrodes, Figure, Layer, Line, Panel
from ...errors import ParameterError, shown

FloatArray = NDArray[np.float64]
_HEIGHT_IN, _WIDTH_IN, _INNER_HEIGHT_IN = 4.2, 3.75, 3.35  # of the drawing and of what panels leave
_MOST_LINKS = 4  # contacts of a channel up to which lines show how they are joined
_GAP = np.full((1, 2), np.nan)


def draw_electrodes(
    electrodes: Electrodes, section_outline: ArrayLike | Mapping[str, ArrayLike] | None = None
) -> Figure:
    """Contacts to scale, in the cross-section and as seen along the fibres.

    Parameters
    ----------
    electrodes : Electrodes
        On the skin: the second panel shows it unrolled. In the muscle: the second panel is a view from
        the side that the contacts spread over most.
    section_outline : array-like, shape (points, 2), or dict of such, optional
        Outline of the muscle (or of each tissue, by name) in the cross-section, x and y in mm.

    Returns
    -------
    Figure
        Named ``"electrodes"``. Channels of up to four contacts are drawn as lines between them.

    Raises
    ------
    ParameterError
        An outline that is no list of points.
    """
    section = [_outline(points, label, i) for i, (label, points) in enumerate(_outlines(section_outline))]
    across, name = _across(electrodes)
    along = electrodes.position_mm[:, 2]
    flat = np.stack([across, along], axis=1)
    panels = (
        _panel(
            [*section, *_contacts(electrodes, electrodes.position_mm[:, :2], (0, 1))],
            ("x (mm)", "y (mm)", "Cross-section"),
        ),
        _panel(
            [*_links(electrodes, flat), *_contacts(electrodes, flat, (1 if name == "y" else 0, 2))],
            (f"{name} (mm)", "z, along the fibres (mm)", "Along the fibres"),
        ),
    )
    about = f"{electrodes.n_contacts} contacts and {len(electrodes)} channels. The first contact is marked."
    return Figure("electrodes", panels, about, columns=2, height_in=_HEIGHT_IN)


def _across(electrodes: Electrodes) -> tuple[FloatArray, str]:
    """What to show the contacts against z over: the arc of a round skin, x of a flat one, or x or y."""
    x, y, _ = electrodes.position_mm.T
    if electrodes.intramuscular:
        return (y, "y") if np.ptp(y) > np.ptp(x) else (x, "x")
    radius = np.hypot(x, y)
    if np.ptp(y) > 1e-6 * radius.max() and np.ptp(radius) < 1e-6 * radius.max():
        return np.asarray(radius.mean() * np.arctan2(x, y)), "across the skin"
    return x, "x"


def _contacts(electrodes: Electrodes, center: FloatArray, axes: tuple[int, int]) -> list[Layer]:
    """Extent of each contact as a closed curve, and a marker on the first one."""
    pieces = []
    for middle, shape in zip(center, electrodes.shapes, strict=True):
        offsets = shape.outline()[:, list(axes)]
        if electrodes.intramuscular or axes == (0, 2):
            pieces += [middle + _hull(offsets), _GAP]
    curves = np.concatenate(pieces) if pieces else np.empty((0, 2))
    layers: list[Layer] = [Line(curves[:, 0], curves[:, 1], color=0)]
    widest = max((np.nanmax(np.ptp(piece, axis=0)) for piece in pieces[::2]), default=0.0)
    if widest < np.ptp(center, axis=0).max() / 30:  # hardly to be seen
        layers.append(Line(center[:, 0], center[:, 1], style="", marker=".", color=0))
    return [*layers, Line(center[:1, 0], center[:1, 1], style="", marker="o", color=1)]


def _hull(points: FloatArray) -> FloatArray:
    """Closed curve round points in a plane; the points themselves where they are in line."""
    if len(points) < 3 or np.linalg.matrix_rank(points - points[0], tol=1e-9) < 2:
        return points
    from scipy.spatial import ConvexHull

    corners = ConvexHull(points).vertices
    return np.asarray(points[np.append(corners, corners[0])])


def _links(electrodes: Electrodes, center: FloatArray) -> list[Layer]:
    pieces = []
    for row in electrodes.matrix:
        used = np.flatnonzero(row)
        if 1 < len(used) <= _MOST_LINKS:
            pieces += [center[used], _GAP]
    if not pieces:
        return []
    lines = np.concatenate(pieces)
    return [Line(lines[:, 0], lines[:, 1], color=6)]


def _outlines(given: ArrayLike | Mapping[str, ArrayLike] | None) -> list[tuple[str, ArrayLike]]:
    if given is None:
        return []
    return list(given.items()) if isinstance(given, Mapping) else [("", given)]


def _outline(points: ArrayLike, label: str, index: int) -> Line:
    try:
        array = np.array(points, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1] != 2 or len(array) < 3 or not np.all(np.isfinite(array)):
        raise ParameterError(
            "draw_electrodes.section_outline",
            f"{shown(points)} was given",
            "give three points or more, x and y in mm",
        )
    closed = np.concatenate([array, array[:1]])
    return Line(closed[:, 0], closed[:, 1], label, color=6 if index == 0 else 1 + index)


def _panel(layers: list[Layer], text: tuple[str, str, str]) -> Panel:
    """A panel with the same scale on both axes."""
    points = np.concatenate(
        [np.stack([layer.x, layer.y], axis=1) for layer in layers if isinstance(layer, Line)]
    )
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    middle = (low + high) / 2
    scale = 1.08 * max((high - low) / (_WIDTH_IN, _INNER_HEIGHT_IN)) or 1.0  # mm an inch
    half_x, half_y = scale * _WIDTH_IN / 2, scale * _INNER_HEIGHT_IN / 2
    return Panel(
        tuple(layers),
        *text,
        x_range=(middle[0] - half_x, middle[0] + half_x),
        y_range=(middle[1] - half_y, middle[1] + half_y),
    )
