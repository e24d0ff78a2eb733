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
        Read at every step, so that it may change in between; the models of heights and intervals are
        changed by it.
    late : bool
        Whether the late filters decide; else the early ones do, sooner.
    history : int
        Samples of the signals to be kept.
    """

    def __init__(self, model: Model, *, late: bool, history: int = 0) -> None:
        self.model, self.late = model, late
        extent, units = model.extent, len(model)
        self.distance = model.detectors[0].distance
        reach = extent.length + extent.lags + 4 * self.distance + 2 * extent.lags
        self.x = Tail(model.templates.shape[1], max(history, reach))
        self.sources = Tail(units, reach), Tail(units, reach)
        self.active = np.ones(units, dtype=bool)
        self.events: FloatArray = np.empty((0, 4))  # of the early filters, as far as they still matter
        self._decided = [0, 0]
        self._clean = 0
        self._latest_shift = max(0, int(model.shifts(0).max(initial=0)))

    @property
    def behind(self) -> int:
        """Samples by which decisions lag behind the signals."""
        early = self.model.extent.ahead + self.distance
        if not self.late:
            return early
        return early + self._latest_shift - self.model.extent.response_first + self.distance

    @property
    def cleaned(self) -> int:
        """First sample of the late sources that still holds other units."""
        return self._clean

    def step(self, x: Float32Array, pace: float = 0.0) -> FloatArray:
        """Take some samples; likely discharges of all units: unit, sample, probability, height.

        Those of units that are not active are among them.
        """
        model, paces = self.model, pace * self.active.astype(np.float64)
        self.x.push(x)
        begin = self.sources[0].end
        raw = np.empty((2 * len(model) if self.late else len(model), max(0, self._ready - begin)), np.float32)
        if raw.shape[1]:
            weights = np.concatenate(model.weights) if self.late else model.weights[0]
            filtered(weights, self.x.data, begin + model.extent.filter_first - self.x.begin, raw)
            self.sources[0].push(raw[: len(model)])
            if self.late:
                self.sources[1].push(raw[len(model) :])
        found = self._decide(0, self._ready - self.distance, paces)
        if not self.late:
            return found
        unit = found[:, 0].astype(np.int64)
        found[:, 2] *= np.where(self.active, np.square(model.trust), 0.0)[unit]
        self.events = np.concatenate([self.events, found])
        clean = self._decided[0] - self._latest_shift + model.extent.response_first
        source = self.sources[1]
        cancel(
            source.data, source.begin, self._clean, clean, self.events[:, :3],
            model.responses, model.extent.response_first,
        )  # fmt: skip
        self._clean = max(clean, self._clean)
        reach = model.extent.response_first + model.responses.shape[2]
        self.events = self.events[self.events[:, 1] + reach > self._clean]
        return self._decide(1, self._clean - self.distance, paces)

    @property
    def _ready(self) -> int:
        """First sample of the sources that cannot be computed yet."""
        return self.x.end - self.model.extent.ahead

    def _decide(self, late: int, stop: int, paces: FloatArray) -> FloatArray:
        source, first = self.sources[late], self._decided[late]
        found = self.model.detectors[late].decide(source.data, source.begin, first, stop, paces)
        self._decided[late] = max(first, stop)
        if len(found):
            found[:, 1] -= self.model.shifts(late)[found[:, 0].astype(np.int64)]
        return found
