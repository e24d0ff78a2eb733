"""The data types that stages exchange."""

from ._figure import Band, Figure, Image, Layer, Level, Line, Panel, Raster, thin
from ._neo import as_spike_trains
from ._progress import Progress, silent
from ._provenance import provenance
from ._result import Result
from ._signal import Signal
from ._spikes import SpikeTrains

__all__ = [
    "Band",
    "Figure",
    "Image",
    "Layer",
    "Level",
    "Line",
    "Panel",
    "Progress",
    "Raster",
    "Result",
    "Signal",
    "SpikeTrains",
    "as_spike_trains",
    "provenance",
    "silent",
    "thin",
]
