"""Contrast functions: what makes a source look like the train of one unit."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError, shown
from ...parameters import Parameters, number

Float32Array = NDArray[np.float32]


@runtime_checkable
class Contrast(Protocol):
    """What the fixed-point iteration climbs: ``b <- C^-1 (E[x g(s)] - E[g'(s)] C b)``."""

    @abstractmethod
    def slope(self, s: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Slope g of the contrast at the sources `s` (n, samples), and the mean of g', shape (n,).

        The sources have unit power. May overwrite `s`.
        """


@final
@dataclass(frozen=True, kw_only=True)
class Skewness(Parameters, Contrast):
    """E[s^3]: spikes stand to one side of the noise.

    References
    ----------
    Negro, Muceli, Castronovo, Holobar, Farina (2016), J Neural Eng 13:026027.
    """

    def slope(self, s: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Slope s^2; its derivative has no mean."""
        return np.square(s, out=s), np.zeros(len(s), np.float32)


@final
@dataclass(frozen=True, kw_only=True)
class BoundedSkewness(Parameters, Contrast):
    """Skewness in which no sample counts for more than `limit` standard deviations.

    With a thousand weights and a minute of signals, the filter matched to one instant is a maximum of the
    skewness, and smaller units are lost to such. A train gains from many spikes, an instant cannot.
    """

    limit: float = number(5.0, above=1)

    def slope(self, s: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Slope ``min(|s|, limit)^2``."""
        within = np.abs(s) < self.limit
        derivative = 2 * np.mean(np.where(within, s, 0), axis=1)
        return np.square(np.clip(s, -self.limit, self.limit, out=s), out=s), derivative


@final
@dataclass(frozen=True, kw_only=True)
class Kurtosis(Parameters, Contrast):
    """E[s^4]: few large values, many small ones.

    References
    ----------
    Hyvarinen, Oja (1997), Neural Comput 9:1483, Eq. 8.
    """

    def slope(self, s: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Slope s^3, with mean derivative 3 at unit power."""
        return s * s * s, np.full(len(s), 3.0, np.float32)


@final
@dataclass(frozen=True, kw_only=True)
class LogCosh(Parameters, Contrast):
    """E[log cosh s]: robust against single large values, but slow to see sparse spikes.

    References
    ----------
    Hyvarinen (1999), IEEE Trans Neural Netw 10:626.
    """

    def slope(self, s: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Slope tanh s."""
        g = np.tanh(s, out=s)
        return g, np.asarray(1.0 - np.mean(np.square(g), axis=1), np.float32)


@final
@dataclass(frozen=True, kw_only=True)
class Power(Parameters, Contrast):
    """``E[sign(s) |s|^exponent]``: the larger the exponent, the more the largest spikes count.

    References
    ----------
    Grison, Clarke, Muceli, Ibanez, Kundu, Farina (2024), IEEE Trans Biomed Eng (swarm-contrastive
    decomposition).
    """

    exponent: float = number(3.0, at_least=2)

    def slope(self, s: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Slope ``|s|^(exponent - 1)``."""
        g = np.abs(s) ** np.float32(self.exponent - 1)
        slope = np.sign(s) * np.abs(s) ** np.float32(self.exponent - 2)
        return g, np.asarray((self.exponent - 1) * np.mean(slope, axis=1), np.float32)


@final
@dataclass(frozen=True)
class Swarm(Contrast):
    """Several contrasts in turn over the sources: each start is climbed with one of them.

    Parameters
    ----------
    members : tuple of Contrast
    """

    members: tuple[Contrast, ...] = tuple(Power(exponent=e) for e in (2.5, 3.0, 3.5, 4.0, 5.0, 6.0))

    def __post_init__(self) -> None:
        right = all(isinstance(one, Contrast) and not isinstance(one, type) for one in self.members)
        if not self.members or not right:
            raise ParameterError("Swarm.members", shown(self.members), "give a tuple of contrasts")

    def slope(self, s: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Slope of each source's own contrast."""
        g, derivative = np.empty_like(s), np.empty(len(s), np.float32)
        for i, member in enumerate(self.members):
            turn: Any = slice(i, None, len(self.members))
            g[turn], derivative[turn] = member.slope(s[turn])
        return g, derivative
