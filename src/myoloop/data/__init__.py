"""The data types that stages exchange."""

from ._action_potentials import ActionPotentials
from ._contacts import Contact, ContactCloud, Disc, PointContact, Rectangle
from ._electrodes import Electrodes
from ._figure import Band, Figure, Image, Layer, Level, Line, Panel, Raster, thin
from ._neo import as_spike_trains
from ._path import ActionPotentialPath
from ._progress import Progress, silent
from ._provenance import provenance
from ._recording import GroundTruth, Recording
from ._result import Result
from ._signal import Signal
from ._spikes import SpikeTrains

__all__ = [
    "ActionPotentialPath",
    "ActionPotentials",
    "Band",
    "Contact",
    "ContactCloud",
    "Disc",
    "Electrodes",
    "Figure",
    "GroundTruth",
    "Image",
    "Layer",
    "Level",
    "Line",
    "Panel",
    "PointContact",
    "Progress",
    "Raster",
    "Recording",
    "Rectangle",
    "Result",
    "Signal",
    "SpikeTrains",
    "as_spike_trains",
    "provenance",
    "silent",
    "thin",
]
