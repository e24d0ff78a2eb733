"""How much of an untrusted file is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ..parameters import Parameters, count


@final
@dataclass(frozen=True, kw_only=True)
class Limits(Parameters):
    """The most that is read of one file; a file that claims more is refused before it fills the memory.

    Parameters
    ----------
    spikes, units : int
        In all populations of the file together.
    samples : int
        Values of all signals together.
    text_bytes : int
        Of one text that the file holds, such as its provenance.
    """

    spikes: int = count(200_000_000)
    units: int = count(1_000_000)
    samples: int = count(1_000_000_000)
    text_bytes: int = count(64_000_000)
