"""Figures as data: a study says what is to be seen, `viz` (or a web page) draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ._spikes import SpikeTrains

Array = NDArray[Any]


@final
@dataclass(frozen=True, eq=False)
class Line:
    """A curve through the points (x, y), or markers at them; `color` is an index into the palette."""

    x: Array
    y: Array
    label: str = ""
    color: int = 0
    style: str = "-"
    marker: str = ""
    marker_pt: float = 4.0  # size of the markers


@final
@dataclass(frozen=True, eq=False)
class Band:
    """A shaded band between two curves."""

    x: Array
    low: Array
    high: Array
    label: str = ""
    color: int = 0


@final
@dataclass(frozen=True, eq=False)
class Raster:
    """A tick for each spike of each unit."""

    spikes: SpikeTrains
    color: int = 0


@final
@dataclass(frozen=True, eq=False)
class Level:
    """A straight line across the panel at a value, e.g. a confidence limit."""

    value: float
    label: str = ""
    vertical: bool = False


@final
@dataclass(frozen=True, eq=False)
class Image:
    """A matrix shown in colour; `extent` is (left, right, bottom, top)."""

    values: Array
    extent: tuple[float, float, float, float]
    label: str = ""


Layer = Line | Band | Raster | Level | Image


@final
@dataclass(frozen=True, eq=False)
class Panel:
    """Layers over one pair of axes."""

    layers: tuple[Layer, ...]
    x_label: str = ""
    y_label: str = ""
    title: str = ""
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    log_x: bool = False
    log_y: bool = False
    x_ticks: tuple[tuple[float, str], ...] = ()  # named places on the x axis, in place of numbers
    same_scale: bool = False  # a unit of x is as long as a unit of y: for maps


@final
@dataclass(frozen=True, eq=False)
class Figure:
    """Panels one below another, or `columns` side by side.

    Parameters
    ----------
    name : str
        File name without ending.
    panels : tuple of Panel
        Read row by row.
    caption : str
        What is seen, in a sentence or two.
    """

    name: str
    panels: tuple[Panel, ...]
    caption: str = ""
    columns: int = 1
    share_x: bool = False
    height_in: float = 2.2


def thin(x: Array, *ys: Array, most: int = 4000) -> tuple[Array, ...]:
    """Every k-th sample such that at most `most` are left, for drawing."""
    step = max(1, int(np.ceil(len(x) / most)))
    return tuple(a[::step] for a in (x, *ys))
