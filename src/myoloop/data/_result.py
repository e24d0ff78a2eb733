"""What a simulation gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, final

from ._signal import Signal
from ._spikes import SpikeTrains


@final
@dataclass(frozen=True, eq=False)
class Result:
    """Outcome of a simulation.

    Parameters
    ----------
    spikes : mapping of str to SpikeTrains
        Of every recorded population, by its name.
    signals : mapping of str to Signal
        Recorded voltages and conductances, by ``"population.variable"``.
    provenance : dict
        Parameters, seed, versions, machine.
    status : str
        ``"complete"``, or ``"interrupted"`` when the run ended early.
    warnings : tuple of str
        What a careful user wants to know.
    """

    spikes: Mapping[str, SpikeTrains]
    signals: Mapping[str, Signal] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    status: Literal["complete", "interrupted"] = "complete"
    warnings: tuple[str, ...] = ()
