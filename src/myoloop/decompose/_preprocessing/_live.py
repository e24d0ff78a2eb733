"""The causal band-pass: block by block for live use, and over a whole recording to calibrate for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal

from ...errors import ParameterError, shown
from ...random import Streams
from ._kernels import advance

ORDER = 4
NOTCH_WIDTH_HZ = 1.0
STOP_DB = 50.0


@final
class LiveFilter:
    """Prepares EMG block by block, as it comes.

    A Butterworth band-pass of order 4 and a notch at each mains line, as second-order sections whose state
    goes from block to block: any cut into blocks gives the same bits. Where samples are left out, an elliptic
    low-pass (-50 dB) stands before. The state begins at rest at the first sample, so that an offset of the
    amplifier leaves no step.

    Parameters
    ----------
    rate_hz : float
        Sampling rate of the blocks.
    low_hz, high_hz : float
        Band-pass; -3 dB at both.
    kept : array-like of int, shape (kept channels,)
        Which channels of a block are used.
    scale_uV : array-like, shape (kept channels,)
        What each is divided by.
    factor : int
        Keep one sample of so many.
    lines_hz : tuple of float
        Mains lines to be removed.
    replaced : sequence of (int, str)
        Places in `kept` that hold noise of unit variance instead, each with the name of its stream.
    seed : int
        Of that noise.

    Notes
    -----
    A filter that looks only back delays, and does so differently at each frequency: filters for sources must
    be learned on a recording that went through the same (`Preprocessing.prepare` with ``causal=True``).
    """

    def __init__(
        self,
        *,
        rate_hz: float,
        low_hz: float,
        high_hz: float,
        kept: ArrayLike,
        scale_uV: ArrayLike,  # noqa: N803
        factor: int = 1,
        lines_hz: tuple[float, ...] = (),
        replaced: Sequence[tuple[int, str]] = (),
        seed: int = 0,
    ) -> None:
        self.rate_hz, self.factor = rate_hz, factor
        self.kept = np.array(kept, dtype=np.int64)
        self.scale_uV = np.array(scale_uV, dtype=np.float64)
        if self.kept.ndim != 1 or self.kept.shape != self.scale_uV.shape or len(self.kept) == 0:
            raise ParameterError(
                "LiveFilter.scale_uV",
                f"{self.scale_uV.size} scales for {self.kept.size} channels",
                "give one for each kept channel",
            )
        if not np.all(np.isfinite(self.scale_uV) & (self.scale_uV > 0)) or np.any(self.kept < 0):
            raise ParameterError("LiveFilter.scale_uV", "a scale of 0 or below", "give scales above 0")
        if isinstance(factor, bool) or not isinstance(factor, int) or factor < 1:
            raise ParameterError(
                "LiveFilter.factor", f"{shown(factor)} was given", "give a whole number from 1"
            )
        if not 0 < low_hz < high_hz < 0.5 * rate_hz / factor:
            raise ParameterError(
                "LiveFilter.high_hz",
                f"{low_hz:g} to {high_hz:g} Hz at a rate of {rate_hz / factor:g} Hz",
                "give a band below half the rate",
            )
        self.sections = sections(rate_hz, low_hz, high_hz, factor, lines_hz)
        self._replaced, self._seed = {int(i): name for i, name in replaced}, seed
        self._used = np.delete(self.kept, list(self._replaced))
        self.reset()

    def reset(self) -> None:
        """Forget all that has passed."""
        self._state: NDArray[np.float64] | None = None
        self._phase = 0
        stream = Streams(self._seed).child("bad channel")
        self._noise = {i: stream.child(name).generator() for i, name in self._replaced.items()}

    def process(self, block_uV: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """The prepared block.

        Parameters
        ----------
        block_uV : array-like, shape (channels, samples)
            All channels of the recording, also those that are not kept.

        Returns
        -------
        ndarray of float32, shape (kept channels, samples)
            With fewer samples where the rate is reduced: those that fall due.

        Raises
        ------
        ParameterError
            For another number of channels, or samples that are not finite; the state stays as it was.
        """
        block = self._checked(block_uV)
        due = max(0, -(-(block.shape[1] - (-self._phase % self.factor)) // self.factor))
        out = np.empty((len(self.kept), due), np.float32)
        if block.shape[1] == 0:
            return out
        if self._state is None:
            self._state = self._at_rest(block[self.kept, 0].astype(np.float64))
        self._phase = advance(
            block, self.kept, self.sections, self._state, 1 / self.scale_uV, self._phase, self.factor, out
        )
        for i, generator in self._noise.items():
            out[i] = generator.standard_normal(due, dtype=np.float32)
        return out

    def _checked(self, given: Any) -> NDArray[Any]:
        block: NDArray[Any] = np.asarray(given)
        if block.ndim != 2 or len(block) <= self.kept.max() or block.dtype.kind not in "iuf":
            raise ParameterError(
                "LiveFilter.process",
                f"{block.dtype} of shape {block.shape} with channel {self.kept.max()} in use",
                "give (channels, samples) with all channels of the recording",
            )
        if block.dtype not in (np.float32, np.float64):
            block = block.astype(np.float64)
        block = np.ascontiguousarray(block)
        if not np.isfinite(block[self._used].sum(dtype=np.float64)):
            raise ParameterError(
                "LiveFilter.process", "NaN or infinite samples in a channel in use", "leave the channel out"
            )
        return block

    def _at_rest(self, first: NDArray[np.float64]) -> NDArray[np.float64]:
        """State of the sections after a constant input, shape (sections, 2, kept channels)."""
        first = np.where(np.isfinite(first), first, 0.0)
        return np.asarray(signal.sosfilt_zi(self.sections)[:, :, None] * first)


def sections(
    rate_hz: float, low_hz: float, high_hz: float, factor: int, lines_hz: tuple[float, ...]
) -> NDArray[np.float64]:
    """Second-order sections of the causal filter, shape (sections, 6)."""
    parts = [
        signal.butter(ORDER, low_hz, "highpass", fs=rate_hz, output="sos"),
        signal.butter(ORDER, high_hz, "lowpass", fs=rate_hz, output="sos"),
    ]
    if factor > 1:
        alias_hz = rate_hz / factor - high_hz  # what would come to lie within the band
        order, corner = signal.ellipord(high_hz, alias_hz, 0.5, STOP_DB, fs=rate_hz)
        parts.append(signal.ellip(order, 0.5, STOP_DB, corner, fs=rate_hz, output="sos"))
    parts += [signal.tf2sos(*signal.iirnotch(hz, hz / NOTCH_WIDTH_HZ, fs=rate_hz)) for hz in lines_hz]
    return np.ascontiguousarray(np.concatenate(parts))
