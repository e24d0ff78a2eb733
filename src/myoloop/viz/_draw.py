"""Draw a figure that was described as data."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Band, Figure, Image, Layer, Level, Line, Panel, Raster
from ._files import whole
from ._style import COLOR_MAP, INK, PNG_DPI, SVG_DPI, color_of, our_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

_WIDTHS_IN = {1: 7.2, 2: 8.8}  # by number of columns
_WIDEST_IN = 9.6
_RASTERISE_FROM = 20_000  # points of one curve
_RASTERISE_MARKERS_FROM = 500  # each is a path of its own
_CHARACTER_IN = 0.064  # mean width of a character of a legend
_BOLD_CHARACTER_IN = 0.088  # and of a title
_HANDLE_CHARACTERS = 7  # room that the sample of a line takes in a legend
_ROW_PT = 12.5  # height of a row of a legend


def draw(figure: Figure) -> Drawing:
    """Draw `figure` without a window and without touching matplotlib's global state.

    Parameters
    ----------
    figure : Figure
        What is to be seen.

    Returns
    -------
    matplotlib.figure.Figure
        On an Agg canvas. To write it use `save`, which gives the same bytes for the same figure.
    """
    with our_style():
        return _draw(figure)


def save(figure: Figure, folder: str | Path) -> tuple[Path, Path]:
    """Write `figure` as PNG and SVG into `folder`; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure
        Its name is the files' name.
    folder : path
        Must exist.

    Returns
    -------
    tuple of Path
        The PNG and the SVG file.
    """
    png, svg = (Path(folder) / f"{figure.name}.{ending}" for ending in ("png", "svg"))
    with our_style():
        drawing = _draw(figure)
        drawing.draw_without_rendering()
        drawing.set_layout_engine("none")  # what was laid out once serves both files
        with whole(png) as target:
            drawing.savefig(target, format="png", dpi=PNG_DPI, metadata={"Software": None})
        with whole(svg) as target:
            about = {"Date": None, "Title": figure.name}
            drawing.savefig(target, format="svg", dpi=SVG_DPI, metadata=about)
    return png, svg


def _draw(figure: Figure) -> Drawing:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Drawing

    columns = max(1, min(figure.columns, len(figure.panels)))
    rows = max(1, math.ceil(len(figure.panels) / columns))
    width = _WIDTHS_IN.get(columns, _WIDEST_IN)
    drawing = Drawing(figsize=(width, rows * figure.height_in), facecolor="white", layout="constrained")
    FigureCanvasAgg(drawing)
    first: Axes | None = None
    for k, panel in enumerate(figure.panels):
        axes = drawing.add_subplot(rows, columns, k + 1, sharex=first if figure.share_x else None)
        first = first or axes
        _panel(axes, panel, width / columns, figure.height_in)
        is_last_of_column = k + columns >= len(figure.panels)
        if figure.share_x and not is_last_of_column:
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")
    drawing.align_ylabels()
    return drawing


def _panel(axes: Axes, panel: Panel, width_in: float, height_in: float) -> None:
    has_markers = any(isinstance(layer, Line) and layer.marker for layer in panel.layers)
    axes.set_xmargin(0.02 if has_markers else 0.0)
    if panel.log_x:
        axes.set_xscale("log")
    if panel.log_y:
        axes.set_yscale("log")
    for layer in panel.layers:
        _layer(axes, layer, height_in)
    axes.set_xlabel(_text(panel.x_label))
    axes.set_ylabel(_text(panel.y_label))
    if panel.x_range is not None:
        axes.set_xlim(*panel.x_range)
    if panel.y_range is not None:
        axes.set_ylim(*panel.y_range)
    if panel.same_scale:
        axes.set_aspect("equal", adjustable="box", anchor="W")
    if panel.x_ticks:
        axes.set_xticks([place for place, _ in panel.x_ticks], [_text(name) for _, name in panel.x_ticks])
    _title_and_legend(axes, _text(panel.title), width_in)


def _text(text: str) -> str:
    """`text` as it stands: a dollar sign begins no formula."""
    return text.replace("$", r"\$")


def _layer(axes: Axes, layer: Layer, height_in: float) -> None:
    match layer:
        case Line():
            _line(axes, layer)
        case Band():
            color = color_of(layer.color)
            axes.fill_between(
                layer.x, layer.low, layer.high, color=color, alpha=0.22, lw=0, label=_text(layer.label)
            )
        case Raster():
            _raster(axes, layer, height_in)
        case Level():
            across = axes.axvline if layer.vertical else axes.axhline
            across(layer.value, color=INK, lw=0.9, ls=(0, (4, 3)), label=_text(layer.label), zorder=1.5)
        case Image():
            _image(axes, layer)


def _line(axes: Axes, layer: Line) -> None:
    axes.plot(
        layer.x,
        layer.y,
        color=color_of(layer.color),
        linestyle=layer.style or "none",
        marker=layer.marker or "none",
        markersize=layer.marker_pt,
        markeredgewidth=min(1.0, layer.marker_pt / 4),
        label=_text(layer.label),
        rasterized=len(layer.x) >= (_RASTERISE_MARKERS_FROM if layer.marker else _RASTERISE_FROM),
    )


def _raster(axes: Axes, layer: Raster, height_in: float) -> None:
    """One tick a spike, as pixels: a hundred thousand paths would make a file of tens of megabytes."""
    from matplotlib.ticker import MaxNLocator

    spikes = layer.spikes
    row_pt = 72 * 0.75 * height_in / max(1, len(spikes))
    axes.plot(
        spikes.times_s,
        spikes.units,
        linestyle="none",
        marker="|",
        markersize=min(10.0, max(2.4, 0.8 * row_pt)),
        markeredgewidth=min(0.9, max(0.6, 0.25 * row_pt)),
        color=INK if layer.color == 0 else color_of(layer.color),
        rasterized=True,
    )
    axes.set_xlim(spikes.t_start_s, spikes.t_stop_s)
    low, high = axes.get_ylim() if len(axes.lines) > 1 else (np.inf, -np.inf)
    axes.set_ylim(min(low, -0.6), max(high, len(spikes) - 0.4))
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 2.5, 5, 10]))


def _image(axes: Axes, layer: Image) -> None:
    picture = axes.imshow(
        np.asarray(layer.values),
        extent=layer.extent,
        origin="lower",
        aspect="auto",
        cmap=COLOR_MAP,
        interpolation="nearest",
    )
    bar = axes.figure.colorbar(picture, ax=axes, pad=0.02, aspect=15)
    bar.outline.set_visible(False)
    bar.set_label(_text(layer.label))


def _title_and_legend(axes: Axes, title: str, width_in: float) -> None:
    """Title at the left above the panel; the legend beside it, or below it where both do not fit."""
    title = textwrap.fill(title, int(0.85 * width_in / _BOLD_CHARACTER_IN))
    labelled: dict[str, Any] = {}
    for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
        labelled.setdefault(label, handle)
    if not labelled:
        axes.set_title(title)
        return
    room = 0.85 * width_in / _CHARACTER_IN
    lengths = [len(label) + _HANDLE_CHARACTERS for label in labelled]
    titled = len(title) * _BOLD_CHARACTER_IN / _CHARACTER_IN
    beside = titled + sum(lengths) <= room and "\n" not in title
    columns = len(labelled) if sum(lengths) <= room else max(1, int(room // max(lengths)))
    rows = math.ceil(len(labelled) / columns)
    axes.legend(
        list(labelled.values()),
        list(labelled),
        loc="lower right" if beside else "lower left",
        bbox_to_anchor=(1.0 if beside else 0.0, 1.0),
        ncols=columns,
    )
    axes.set_title(title, pad=6.0 if beside else 6.0 + rows * _ROW_PT)
