"""Adaptive filters through a whole recording, from a calibration forward and backward in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...data import Progress
from ._adapt import Adaptation, Adapter, behind_of, history_of
from ._filters import Extent
from ._model import Model
from ._stream import LIKELY, Stream

_PASSES = 2

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class Followed:
    """What adaptive filters find.

    Parameters
    ----------
    spikes : list of ndarray of int
        Samples of the discharges of each unit, while it was held.
    sources : ndarray of float32, shape (units, samples)
        Of the late filters, as they were at each time; a discharge has its peak at its own sample.
    held : ndarray of bool, shape (units, samples // step)
        Whether each unit was held in each step.
    step : int
        In samples.
    """

    spikes: list[IntArray]
    sources: Float32Array
    held: NDArray[np.bool_]
    step: int

    @classmethod
    def nothing(cls, units: int, samples: int) -> Followed:
        """Of units that do not fire."""
        return cls(
            [np.empty(0, np.int64)] * units,
            np.zeros((units, samples), np.float32),
            np.ones((units, 1), bool),
            max(samples, 1),
        )


def followed(
    x: Float32Array,
    calibration: Float32Array,
    spikes: Sequence[IntArray],
    first: int | None,
    rate_hz: float,
    extent: Extent,
    ridge: float,
    adaptation: Adaptation,
    progress: Progress,
) -> Followed:
    """Follow units through `x` (channels, samples).

    Parameters
    ----------
    x, calibration : ndarray of float32
        Prepared signals, and those in which the `spikes` are known.
    spikes : sequence of ndarray of int
        Samples of the calibration.
    first : int, optional
        Where the calibration begins in `x`; None: it is not part of it.
    """
    samples, length = x.shape[1], calibration.shape[1]
    start = 0 if first is None else first
    ahead = _through(
        x[:, start:], Model.learned(calibration, spikes, rate_hz, extent, ridge), rate_hz, adaptation,
        lambda done: progress("follow", start + done, samples, "samples"),
    )  # fmt: skip
    if first is None or first == 0:
        return ahead
    turned = [length - 1 - train[::-1] for train in spikes]
    mirrored = Extent(-(extent.first + extent.length - 1), extent.length, extent.lags)
    model = Model.learned(np.ascontiguousarray(calibration[:, ::-1]), turned, rate_hz, mirrored, ridge)
    end = first + length
    back = _through(
        x[:, :end][:, ::-1], model, rate_hz, adaptation,
        lambda done: progress("follow back", done, end, "samples"),
    )  # fmt: skip
    return _joined(back, ahead, first + length // 2, first, end, samples)


def _joined(back: Followed, ahead: Followed, seam: int, first: int, end: int, samples: int) -> Followed:
    """Backward before the seam, forward after it."""
    spikes = []
    for earlier, later in zip(back.spikes, ahead.spikes, strict=True):
        before, after = np.sort(end - 1 - earlier), later + first
        spikes.append(np.concatenate([before[before < seam], after[after >= seam]]))
    sources = np.empty((len(spikes), samples), np.float32)
    sources[:, :seam] = back.sources[:, ::-1][:, :seam]
    sources[:, seam:] = ahead.sources[:, seam - first :]
    step = ahead.step
    at = np.arange(max(1, samples // step)) * step + step // 2
    early = np.clip((end - 1 - at) // step, 0, back.held.shape[1] - 1)
    late = np.clip((at - first) // step, 0, ahead.held.shape[1] - 1)
    held = np.where(at < seam, back.held[:, early], ahead.held[:, late])
    return Followed(spikes, sources, held, step)


def _through(
    x: Float32Array, model: Model, rate_hz: float, adaptation: Adaptation, progress: Callable[[int], None]
) -> Followed:
    """Forward through `x`."""
    probe = Stream(model, passes=_PASSES)
    stream = Stream(model, passes=_PASSES, history=history_of(behind_of(probe), adaptation, rate_hz))
    adapter = Adapter(stream, rate_hz, adaptation)
    samples, period = x.shape[1], adapter.period
    flush = stream.behind + extent_of(model)
    sources = np.zeros((len(model), samples), np.float32)
    found, held = [np.empty((0, 4))], []
    for begin in range(0, samples, period):
        part = x[:, begin : begin + period]
        at, pieces = stream.cleaned, [np.ascontiguousarray(part)]
        if part.shape[1] < period or begin + period >= samples:
            pieces.append(np.zeros((len(part), flush), np.float32))
        held.append(stream.active.copy())
        for piece in pieces:
            new = stream.step(piece, adaptation.pace)
            new = new[stream.active[new[:, 0].astype(np.int64)] & (new[:, 2] > LIKELY)]
            found.append(new)
            adapter.note(new)
        _collect(stream, at, sources)
        if len(pieces) == 1:
            adapter.update()
        progress(min(begin + period, samples))
    events = np.concatenate(found)
    inside = (events[:, 1] >= 0) & (events[:, 1] < samples)
    events = events[inside]
    trains = [np.unique(events[events[:, 0] == u, 1]).astype(np.int64) for u in range(len(model))]
    return Followed(trains, sources, np.array(held).T, period)


def extent_of(model: Model) -> int:
    """Samples by which a discharge may come before or after its peaks."""
    return int(np.abs(model.shifts(1)).max(initial=0)) + 1


def _collect(stream: Stream, at: int, sources: Float32Array) -> None:
    """Copy the samples of the late sources that were finished since `at` to where their discharges are."""
    shifts = stream.model.shifts(1)
    new = stream.sources[1].part(at, stream.cleaned)
    for u, shift in enumerate(shifts):
        low = max(0, shift - at)
        begin = at - shift + low
        stop = min(sources.shape[1], at - shift + new.shape[1])
        if stop > begin:
            sources[u, begin:stop] = new[u, low : low + stop - begin]
