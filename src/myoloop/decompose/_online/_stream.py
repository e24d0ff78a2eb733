"""From prepared signals, piece by piece, to discharges."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from ._kernels import cancel, filtered
from ._model import Model

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]

MARGIN = 256  # samples at rest before the first
LIKELY = 0.5


@final
class Tail:
    """The last samples of signals that grow: column 0 of `data` is sample `begin`, `end` is the next one."""

    def __init__(self, rows: int, keep: int) -> None:
        self.keep = max(keep, MARGIN)
        self.data = np.zeros((rows, 4 * self.keep), np.float32)
        self.begin, self.end = -MARGIN, 0

    def push(self, block: Float32Array) -> None:
        """Put new samples at the end; at least `keep` of those before stay."""
        new = block.shape[1]
        used = self.end - self.begin
        if used + new > self.data.shape[1]:
            stay = min(used, self.keep)
            data = self.data
            if stay + new > data.shape[1]:
                data = np.zeros((len(data), stay + 2 * new), np.float32)
            data[:, :stay] = self.data[:, used - stay : used].copy()
            self.data, self.begin = data, self.end - stay
            used = stay
        self.data[:, used : used + new] = block
        self.end += new

    def part(self, first: int, stop: int) -> Float32Array:
        """Samples from `first` up to `stop`."""
        return self.data[:, first - self.begin : stop - self.begin]


@final
class Stream:
    """Sources and discharges of a stream of prepared signals.

    What is decided about a sample depends on the samples up to a fixed time after it, never on how the
    signals are cut into pieces.

    Parameters
    ----------
    model : Model
        Read at every step, so that it may change in between; its detectors are changed by every step.
    passes : int
        Passes of the late filters, each of which takes out what the one before found, the first what the
        early filters found; 0: the early filters decide.
    history : int
        Samples of the signals to be kept.
    """

    def __init__(self, model: Model, *, passes: int, history: int = 0) -> None:
        self.model, self.passes = model, passes
        early, late = model.detectors
        self.detectors = [early, *((late if k == 0 else late.copy()) for k in range(passes))]
        extent, units = model.extent, len(model)
        self.distance = early.distance
        reach = 3 * (extent.length + extent.lags) + 2 * (passes + 2) * self.distance
        reach += passes * (self._latest(0) + self._latest(1) - extent.response_first)
        self.x = Tail(model.templates.shape[1], max(history, reach))
        self.sources = [Tail(units, reach) for _ in self.detectors]
        self.active = np.ones(units, dtype=bool)
        self._events: list[FloatArray] = [np.empty((0, 4))] * passes  # as far as they still matter
        self._decided, self._clean = [0] * (passes + 1), [0] * (passes + 1)

    @property
    def behind(self) -> int:
        """Samples by which decisions lag behind the signals."""
        total = self.model.extent.ahead + self.distance
        for k in range(self.passes):
            total += self._latest(min(k, 1)) - self.model.extent.response_first + self.distance
        return total

    @property
    def cleaned(self) -> int:
        """First sample of the last sources that still holds other units."""
        return self._clean[-1]

    def step(self, x: Float32Array, pace: float = 0.0) -> FloatArray:
        """Take some samples; likely discharges of all units: unit, sample, probability, height.

        Those of units that are not active are among them.
        """
        model, paces = self.model, pace * self.active.astype(np.float64)
        self.x.push(x)
        self._filter()
        found = self._decide(0, self._ready - self.distance, paces)
        weight = np.square(model.trust)
        for k in range(self.passes):
            found[:, 2] *= np.where(self.active, weight, 0.0)[found[:, 0].astype(np.int64)]
            self._take_out(k, found)
            found = self._decide(k + 1, self._clean[k + 1] - self.distance, paces)
            weight = np.ones(len(model))
        return found

    @property
    def _ready(self) -> int:
        """First sample of the sources that cannot be computed yet."""
        return self.x.end - self.model.extent.ahead

    def _latest(self, late: int) -> int:
        return max(0, int(self.model.shifts(late).max(initial=0)))

    def _filter(self) -> None:
        """All sources as far as the signals reach."""
        begin, units = self.sources[0].end, len(self.model)
        if self._ready <= begin:
            return
        weights = np.concatenate(self.model.weights) if self.passes else self.model.weights[0]
        out = np.empty((len(weights), self._ready - begin), np.float32)
        filtered(weights, self.x.data, begin + self.model.extent.filter_first - self.x.begin, out)
        for k, source in enumerate(self.sources):
            source.push(out[units:] if k else out[:units])

    def _take_out(self, k: int, found: FloatArray) -> None:
        """Take what stage `k` found out of the sources of the next one."""
        model, source = self.model, self.sources[k + 1]
        events = np.concatenate([self._events[k], found])
        first = model.extent.response_first
        done, clean = self._clean[k + 1], self._decided[k] - self._latest(min(k, 1)) + first
        cancel(source.data, source.begin, done, clean, events[:, :3], model.responses, first)
        self._clean[k + 1] = max(clean, done)
        self._events[k] = events[events[:, 1] + first + model.responses.shape[2] > self._clean[k + 1]]

    def _decide(self, k: int, stop: int, paces: FloatArray) -> FloatArray:
        source, first = self.sources[k], self._decided[k]
        found = self.detectors[k].decide(source.data, source.begin, first, stop, paces)
        self._decided[k] = max(first, stop)
        if len(found):
            found[:, 1] -= self.model.shifts(min(k, 1))[found[:, 0].astype(np.int64)]
        return found
