"""Noise of a recording: the sum of its parts, at a level or a ratio to the signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...data import SpikeTrains
from ...errors import ParameterError, shown
from ...parameters import Parameters, number
from ...random import Streams
from ._base import FloatArray, NoisePart, Stretch, whole_number
from ._parts import GainDrift


@final
@dataclass(frozen=True, kw_only=True)
class Noise(Parameters):
    """What a recording holds beside EMG: independent parts that add up, and a drift of gains.

    Parameters
    ----------
    parts : tuple of NoisePart
        Each draws from a stream of its own kind and number among that kind, so adding a part of another
        kind changes no other part.
    gain : GainDrift, optional
        Multiplies the EMG, not the noise.

    Examples
    --------
    >>> from myoloop.emg import Mains, Noise, WhiteNoise
    >>> noise = Noise(parts=(WhiteNoise(rms_uV=5.0), Mains(amplitudes_uV=(3.0, 0.0, 1.0))))
    >>> block = noise.start(n_channels=64, rate_hz=2048, seed=1).step(512)
    """

    parts: tuple[NoisePart, ...] = ()
    gain: GainDrift | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        parts = tuple(self.parts) if isinstance(self.parts, list | tuple) else (self.parts,)
        for part in parts:
            if not isinstance(part, NoisePart):
                raise ParameterError("Noise.parts", f"{shown(part)} was given", "give WhiteNoise, Mains, ...")
        if self.gain is not None and not isinstance(self.gain, GainDrift):
            raise ParameterError("Noise.gain", f"{shown(self.gain)} was given", "give a GainDrift or None")
        object.__setattr__(self, "parts", parts)

    @property
    def rms_uV(self) -> float:
        """Expected root mean square of a channel, over all frequencies."""
        return float(np.sqrt(sum(part.power_uV2 for part in self.parts)))

    def psd(self, frequency_hz: FloatArray, rate_hz: float) -> FloatArray:
        """One-sided power spectral density of a channel in uV**2/Hz, without the lines of mains."""
        return np.asarray(
            sum((p.psd(frequency_hz, rate_hz) for p in self.parts), np.zeros(np.shape(frequency_hz)))
        )

    def scaled(self, factor: float) -> Noise:
        """All parts `factor` times as large; gains as they are."""
        wanted = _number(factor, "Noise.scaled.factor", at_least=0.0)
        return Noise(parts=tuple(part.scaled(wanted) for part in self.parts), gain=self.gain)

    def at_snr(self, clean_rms: float, snr_db: float) -> Noise:
        """Return the noise scaled to a signal-to-noise ratio.

        The ratio is 20 log10(c/n): c the rms of the clean EMG over all channels together and over the
        time the muscle is active (`active_samples`, `RmsWhileActive`), n this noise's *expected* rms.
        What one recording holds differs by chance: little for white noise, much for slow wander.

        Parameters
        ----------
        clean_rms : float
            c in uV, above 0.
        snr_db : float

        Raises
        ------
        ParameterError
            Noise without power.
        """
        if not self.rms_uV > 0:
            raise ParameterError(
                "Noise.parts", "they have no power to scale", "add a part with an rms above 0"
            )
        return self.scaled(scale_for_snr(clean_rms, snr_db) / self.rms_uV)

    def start(self, n_channels: int, rate_hz: float, seed: int) -> NoiseState:
        """Return the noise set going, for `NoiseState.step`."""
        return NoiseState(self, n_channels, rate_hz, seed)


@final
class NoiseState:
    """Noise that goes on from block to block; the sizes of blocks change no bit.

    Made by `Noise.start`. Holds 4096 samples of each channel and part, and filters' pasts.
    """

    def __init__(self, noise: Noise, n_channels: int, rate_hz: float, seed: int) -> None:
        rate_hz = _number(rate_hz, "Noise.start.rate_hz", above=0.0)
        self._channels = whole_number(n_channels, "Noise.start.n_channels")
        rng = Streams(seed).child("emg", "noise")
        seen: dict[str, int] = {}
        self._parts = []
        for part in noise.parts:
            kind = type(part).__name__
            seen[kind] = seen.get(kind, -1) + 1
            draw = part.blocks(self._channels, rate_hz, rng.child(kind, seen[kind]))
            self._parts.append(Stretch(draw, self._channels))
        self._gain = None
        if noise.gain is not None:
            draw = noise.gain.blocks(self._channels, rate_hz, rng.child("GainDrift"))
            self._gain = Stretch(draw, self._channels)

    def step(self, n_samples: int) -> NDArray[np.float32]:
        """Return the next samples of noise, shape (n_samples, channels), in uV."""
        samples = whole_number(n_samples, "NoiseState.step.n_samples")
        return self.add_to(np.zeros((samples, self._channels), dtype=np.float32))

    def add_to(self, block: NDArray[Any]) -> NDArray[np.float32]:
        """Return a block of clean EMG with its gains and noise; goes on by as many samples.

        Parameters
        ----------
        block : ndarray, shape (samples, channels)
            In uV; left as it is.
        """
        if np.ndim(block) != 2 or np.shape(block)[1] != self._channels:
            raise ParameterError(
                "NoiseState.add_to.block",
                f"shape {np.shape(block)} for {self._channels} channels",
                "give (samples, channels)",
            )
        out = np.array(block, dtype=np.float64)
        if self._gain is not None:
            out *= self._gain.step(len(out))
        for part in self._parts:
            out += part.step(len(out))
        return out.astype(np.float32)


def scale_for_snr(clean_rms: float, snr_db: float) -> float:
    """Rms in uV of the noise that lies `snr_db` below a clean rms in uV: c 10**(-snr/20)."""
    clean = _number(clean_rms, "scale_for_snr.clean_rms", above=0.0)
    return float(clean * 10.0 ** (-_number(snr_db, "scale_for_snr.snr_db") / 20.0))


def active_samples(
    spikes: SpikeTrains, rate_hz: float, first: int, n_samples: int, within_s: float = 0.1
) -> NDArray[np.bool_]:
    """Which samples count as the muscle being active.

    Those within `within_s` before or after a discharge of any unit: .1 s bridges the intervals of a unit
    that fires at 5 pps or more.

    Parameters
    ----------
    spikes : SpikeTrains
        Sample 0 is at their `t_start_s`.
    rate_hz : float
    first, n_samples : int
        The block of samples that is asked about.
    within_s : float

    Returns
    -------
    ndarray of bool, shape (n_samples,)
    """
    reach = _number(within_s, "active_samples.within_s", above=0.0)
    times = np.sort(spikes.times_s)
    at = spikes.t_start_s + (first + np.arange(n_samples)) / rate_hz
    padded = np.concatenate([[-np.inf], times, [np.inf]])
    after = np.searchsorted(times, at, side="left")  # index in `padded` of the last discharge before
    return np.asarray(np.minimum(at - padded[after], padded[after + 1] - at) <= reach)


@final
class RmsWhileActive:
    """Rms of clean EMG over all channels and active samples, gathered block by block."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, block: NDArray[Any], active: NDArray[np.bool_]) -> None:
        """Take in a block, shape (samples, channels), and which of its samples are active."""
        if np.ndim(block) != 2 or np.shape(active) != np.shape(block)[:1]:
            raise ParameterError(
                "RmsWhileActive.add.active",
                f"shape {np.shape(active)} for a block of shape {np.shape(block)}",
                "give one value a sample",
            )
        chosen = np.asarray(block, dtype=np.float64)[active]
        self._sum += float(np.sum(chosen**2))
        self._count += chosen.size

    @property
    def rms_uV(self) -> float:
        """Rms so far."""
        if self._count == 0:
            raise ParameterError(
                "RmsWhileActive", "no active sample was given", "give spikes within the blocks"
            )
        return float(np.sqrt(self._sum / self._count))


def _number(value: Any, field: str, **bounds: Any) -> float:
    return float(number(**bounds).metadata["check"](value, None, field))
