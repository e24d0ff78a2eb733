"""Agreement of a decomposition with a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ..data import SpikeTrains
from ..decompose import Score


@final
@dataclass(frozen=True, eq=False)
class Agreement:
    """How far the units agree with a reference.

    Parameters
    ----------
    all, accepted : Score
        Of all units, and of those without a flag.
    reference : SpikeTrains
        Cut to the time that it shares with the recording.
    is_truth : bool
        Whether the reference is what a simulated recording was made of.
    bound : Score, optional
        Of the filters made from the true action potentials.
    notes : tuple of str
    """

    all: Score
    accepted: Score
    reference: SpikeTrains
    is_truth: bool
    bound: Score | None = None
    notes: tuple[str, ...] = ()
