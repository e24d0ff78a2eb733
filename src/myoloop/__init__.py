"""myoloop: simulate the neuromuscular system and close the loop on it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import analysis, data, decompose, emg, errors, io, muscle, network, neurons, studies, viz
    from .data import Recording, Result, Signal, SpikeTrains
    from .network import simulate

__version__ = "0.1.0.dev0"

# Rooms and names are loaded when they are first used: importing the package costs next to nothing.
_ROOMS = (
    "analysis",
    "data",
    "decompose",
    "emg",
    "errors",
    "io",
    "muscle",
    "network",
    "neurons",
    "studies",
    "viz",
)
_NAMES = {
    "Recording": "data",
    "Result": "data",
    "Signal": "data",
    "SpikeTrains": "data",
    "simulate": "network",
}

__all__ = [
    "Recording",
    "Result",
    "Signal",
    "SpikeTrains",
    "analysis",
    "data",
    "decompose",
    "emg",
    "errors",
    "io",
    "muscle",
    "network",
    "neurons",
    "simulate",
    "studies",
    "viz",
]


def __getattr__(name: str) -> Any:
    """Load a room, or a name from its room."""
    from importlib import import_module

    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    if name in _NAMES:
        return getattr(import_module(f".{_NAMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
