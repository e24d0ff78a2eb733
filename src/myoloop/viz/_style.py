"""How figures look: colours, fonts, lines."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Paul Tol's "bright" scheme, told apart with every kind of colour blindness; faint ones come last.
PALETTE = ("#4477AA", "#EE6677", "#228833", "#AA3377", "#66CCEE", "#CCBB44", "#777777")
INK = "#333333"
COLOR_MAP = "cividis"
PNG_DPI = 150
SVG_DPI = 200  # of the rasterised parts only

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.0,
    "legend.fontsize": 8.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "axes.formatter.useoffset": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.0,
    "legend.frameon": False,
    "legend.borderaxespad": 0.2,
    "legend.borderpad": 0.2,
    "legend.columnspacing": 1.2,
    "legend.handlelength": 1.6,
    "figure.constrained_layout.h_pad": 0.06,
    "svg.hashsalt": "myoloop",  # the same identifiers in every run
    "path.simplify": True,
    "agg.path.chunksize": 20000,
}

_one_at_a_time = threading.RLock()


def color_of(index: int) -> str:
    """Colour of that place in the palette, which repeats."""
    return PALETTE[index % len(PALETTE)]


@contextmanager
def our_style() -> Iterator[None]:
    """Matplotlib's own defaults with ours on top, whatever the user has set; all is put back after."""
    import matplotlib.style

    with _one_at_a_time, matplotlib.style.context(["default", _STYLE]):
        yield
