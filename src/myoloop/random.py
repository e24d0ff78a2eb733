"""Independent named streams of random numbers.

A stream is named by the seed and a path, e.g. ``Streams(1).child("IN", 17)``: what one part draws never
shifts what another draws. Compiled kernels draw from the same streams with the counter-based Philox
generator, unit by unit, so that adding a unit leaves every other unit's draws as they were.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import final

import numpy as np

from .errors import ParameterError


@final
@dataclass(frozen=True)
class Streams:
    """A named place in the tree of random streams.

    Parameters
    ----------
    seed : int
        Not negative.
    path : tuple of str or int
        Name of the stream; `child` extends it.
    """

    seed: int
    path: tuple[str | int, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | np.integer):
            raise ParameterError("seed", f"{self.seed!r} was given", "give a whole number")
        if self.seed < 0:
            raise ParameterError("seed", f"{self.seed} was given", "give 0 or more")

    def child(self, *names: str | int) -> Streams:
        """The stream of that name below this one."""
        return Streams(self.seed, (*self.path, *names))

    @property
    def key(self) -> np.uint64:
        """64-bit Philox key of this stream, for compiled kernels."""
        return np.uint64(int.from_bytes(self._digest()[:8], "little"))

    def generator(self) -> np.random.Generator:
        """NumPy generator at the beginning of this stream."""
        key = np.frombuffer(self._digest(), dtype="<u8")
        return np.random.Generator(np.random.Philox(key=key))

    def _digest(self) -> bytes:
        name = repr((int(self.seed), *self.path)).encode()
        return hashlib.blake2b(name, digest_size=16).digest()
