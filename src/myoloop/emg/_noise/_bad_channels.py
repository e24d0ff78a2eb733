"""Channels that do not work as they should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError, shown
from ...parameters import Parameters, number
from ...random import Streams
from ._base import BLOCK, Draw, FloatArray, Stretch, normals

_KINDS = ("dead", "noisy", "intermittent", "clipped")


@final
@dataclass(frozen=True, kw_only=True)
class BadChannels(Parameters):
    """What befalls some channels of a recording, by index. A channel may be of several kinds.

    Parameters
    ----------
    dead : tuple of int
        No contact at all: 0 throughout.
    noisy : tuple of int
        White noise is added.
    intermittent : tuple of int
        The contact comes and goes at random (exponential times); 0 while it is lost.
    clipped : tuple of int
        The amplifier saturates at plus and minus `clip_uV`.
    noise_uV : float
        Rms of what is added to noisy channels.
    contact_s, loss_s : float
        Mean time that an intermittent contact holds, and is lost.
    clip_uV : float
    """

    dead: tuple[int, ...] = ()
    noisy: tuple[int, ...] = ()
    intermittent: tuple[int, ...] = ()
    clipped: tuple[int, ...] = ()
    noise_uV: float = number(200.0, at_least=0.0, help="rms of noise on noisy channels")
    contact_s: float = number(2.0, above=0.0, help="mean time that a contact holds")
    loss_s: float = number(0.2, above=0.0, help="mean time that a contact is lost")
    clip_uV: float = number(500.0, above=0.0, help="saturation of clipped channels")

    def __post_init__(self) -> None:
        super().__post_init__()
        for kind in _KINDS:
            given = np.atleast_1d(np.asarray(getattr(self, kind)))
            if given.size == 0:
                given = given.astype(np.int64)
            if given.ndim != 1 or given.dtype.kind not in "iu" or np.any(given < 0):
                raise ParameterError(
                    f"BadChannels.{kind}", f"{shown(getattr(self, kind))} was given", "give channel indices"
                )
            object.__setattr__(self, kind, tuple(int(i) for i in given))

    def mask(self, n_channels: int) -> NDArray[np.bool_]:
        """Which channels are bad, shape (n_channels,); raises ParameterError for an index beyond."""
        bad = np.zeros(n_channels, dtype=bool)
        for kind in _KINDS:
            chosen = np.array(getattr(self, kind), dtype=np.int64)
            if np.any(chosen >= n_channels):
                raise ParameterError(
                    f"BadChannels.{kind}",
                    f"channel {chosen.max()} of {n_channels}",
                    f"give indices from 0 to {n_channels - 1}",
                )
            bad[chosen] = True
        return bad

    def start(self, n_channels: int, rate_hz: float, seed: int) -> BadChannelsState:
        """Return the state for `BadChannelsState.step`."""
        return BadChannelsState(self, n_channels, rate_hz, seed)


@final
class BadChannelsState:
    """Bad channels that go on from block to block; the sizes of blocks change no bit."""

    def __init__(self, bad: BadChannels, n_channels: int, rate_hz: float, seed: int) -> None:
        rate_hz = float(number(above=0.0).metadata["check"](rate_hz, "hz", "BadChannels.start.rate_hz"))
        self._bad, self.mask = bad, bad.mask(n_channels)
        rng = Streams(seed).child("emg", "bad channels")
        self._noise = [Stretch(normals(1, rng.child("noisy", c)), 1) for c in bad.noisy]
        self._contact = [
            Stretch(_telegraph(rng.child("contact", c), bad.contact_s * rate_hz, bad.loss_s * rate_hz), 1)
            for c in bad.intermittent
        ]

    def step(self, block: NDArray[Any]) -> NDArray[np.float32]:
        """Return the next block as the bad channels show it; shape (samples, channels), in uV."""
        if np.ndim(block) != 2 or np.shape(block)[1] != len(self.mask):
            raise ParameterError(
                "BadChannelsState.step.block",
                f"shape {np.shape(block)} for {len(self.mask)} channels",
                "give (samples, channels)",
            )
        out = np.array(block, dtype=np.float32)
        for channel, noise in zip(self._bad.noisy, self._noise, strict=True):
            out[:, channel] += self._bad.noise_uV * noise.step(len(out))[:, 0]
        for channel, contact in zip(self._bad.intermittent, self._contact, strict=True):
            out[:, channel] *= contact.step(len(out))[:, 0]
        clipped = list(self._bad.clipped)
        out[:, clipped] = np.clip(out[:, clipped], -self._bad.clip_uV, self._bad.clip_uV)
        out[:, list(self._bad.dead)] = 0.0
        return out


def _telegraph(rng: Streams, mean_on: float, mean_off: float) -> Draw:
    """Blocks of 1 and 0, each lasting an exponential time of that mean in samples; begins in balance."""
    generator = rng.generator()
    on = generator.random() < mean_on / (mean_on + mean_off)
    state: dict[str, Any] = {"on": on, "left": generator.exponential(mean_on if on else mean_off)}

    def draw() -> FloatArray:
        out = np.empty((BLOCK, 1))
        at = 0.0
        while at < BLOCK:
            stop = min(at + state["left"], float(BLOCK))
            out[int(np.ceil(at)) : int(np.ceil(stop))] = 1.0 if state["on"] else 0.0
            state["left"] -= stop - at
            at = stop
            if at < BLOCK:
                state["on"] = not state["on"]
                state["left"] = generator.exponential(mean_on if state["on"] else mean_off)
        return out

    return draw
