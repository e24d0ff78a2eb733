"""What an online decomposition gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class OnlineSpikes:
    """Discharges that a block completed, in order of time.

    Iterating gives pairs of unit and time.

    Parameters
    ----------
    units : ndarray of int, shape (n,)
        Index of the unit.
    times_s : ndarray, shape (n,)
        Time of the discharge; may lie in an earlier block (see `OnlineDecomposer.latency_s`).
    probability : ndarray, shape (n,)
        How sure each one is, above .5.
    """

    units: IntArray
    times_s: FloatArray
    probability: FloatArray

    def __len__(self) -> int:
        """Number of discharges."""
        return len(self.units)

    def __iter__(self) -> Iterator[tuple[int, float]]:
        return zip(self.units.tolist(), self.times_s.tolist(), strict=True)


@final
@dataclass(frozen=True, eq=False)
class OnlineState:
    """Where an online decomposition stands.

    Parameters
    ----------
    time_s : float
        End of the samples taken so far.
    active : ndarray of bool, shape (units,)
        Units that are reported; the others are lost.
    silhouettes : ndarray, shape (units,)
        Of the last fifty or so discharges of each unit.
    last_s : ndarray, shape (units,)
        Time of the last discharge of each unit, NaN before the first.
    dropped : tuple of int
        Channels that were dropped on the way.
    """

    time_s: float
    active: NDArray[np.bool_]
    silhouettes: FloatArray
    last_s: FloatArray
    dropped: tuple[int, ...]
