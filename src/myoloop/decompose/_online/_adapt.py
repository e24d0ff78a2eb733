"""Following units whose action potentials change, without running away from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ...parameters import Parameters, count, number
from .._kernels import coincidences, snippet_sum
from .._templates import subtract
from ._filters import lag_products
from ._kernels import HIGH, SPIKE_MEAN
from ._model import TAPER
from ._stream import LIKELY, Stream

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MARGIN = 8
_TOO_LOUD = 10.0  # power over the usual one, beyond which it is no EMG
_FIRING = 3  # discharges of one unit at least, else nothing is learned
_COINCIDENT = 0.5
_FEWEST = 20


@final
@dataclass(frozen=True, kw_only=True)
class Adaptation(Parameters):
    """How quickly filters follow the signals, and when a unit is given up.

    Parameters
    ----------
    period_s : float
        Time between two updates; the early and the late filters take turns.
    memory_s : float
        Time constant with which the covariances forget.
    memory_spikes : int
        Number of discharges with which a template forgets.
    pace : float
        Share by which one discharge moves the model of its unit's heights.
    sure : float
        Least probability of a discharge from which the template learns.
    lost_sil : float
        A unit whose running silhouette falls below this is lost: it is no longer reported.
    found_sil : float
        A lost unit is reported again when its silhouette is above this, at nearly its old height.
    """

    period_s: float = number(1.0, above=0.05, at_most=60)
    memory_s: float = number(20.0, above=0)
    memory_spikes: int = count(250)
    pace: float = number(0.005, at_least=0, below=1)
    sure: float = number(0.9, at_least=0.5, below=1)
    lost_sil: float = number(0.7, at_most=1)
    found_sil: float = number(0.85, at_most=1)


@final
class Adapter:
    """Renews the model of a stream at regular times.

    Templates move towards what is left at their discharges when all units are subtracted, so that units
    that fire together do not mix. Covariances forget, but while no unit fires, or in artefacts, nothing is
    learned. A unit that is no longer clear, or that has become another's double, is set aside, and nothing
    is learned from it until it is clear again.

    Parameters
    ----------
    stream : Stream
        With a history of `history` samples or more.
    rate_hz : float
    settings : Adaptation
    """

    def __init__(self, stream: Stream, rate_hz: float, settings: Adaptation) -> None:
        self.stream, self.settings, self.rate_hz = stream, settings, rate_hz
        self.period = period_of(settings, rate_hz)
        self._behind = behind_of(stream)
        self._turn = 0
        self._found: FloatArray = np.empty((0, 4))
        self._power = float(np.trace(stream.model.products[0][0]))

    def note(self, found: FloatArray) -> None:
        """Remember discharges that the stream found."""
        self._found = np.concatenate([self._found, found[found[:, 2] > LIKELY]])

    def update(self) -> None:
        """Renew the model; to be called when the stream has taken a whole number of periods."""
        stop = self.stream.x.end - self._behind
        begin = stop - self.period - TAPER
        self.forget()
        if begin < 0:
            return
        self._judge(stop)
        model, late = self.stream.model, self._turn % 2 if self.stream.passes else 0
        self._turn += 1
        x = self.stream.x.part(begin, stop)
        trains = self._trains(begin, stop, 0.0)
        rest = subtract(x, trains, model.templates, model.extent.first)
        power = float(np.square(x).mean(axis=1).sum())
        if power > _TOO_LOUD * self._power or max(map(len, trains)) < _FIRING:
            return
        self._learn(rest, begin, stop)
        seen = rest if late else x
        share = self.settings.period_s * (2 if self.stream.passes else 1) / self.settings.memory_s
        self._power += share * (power - self._power)
        model.blend(late, lag_products(seen, model.extent.lags, TAPER), -np.expm1(-share))
        try:
            model.renew(late)
        except ParameterError:  # a covariance without inverse: the filters stay until it has one
            return

    def forget(self) -> None:
        """Leave a period out."""
        self._found = self._found[self._found[:, 1] > self.stream.x.end - self._behind - self._remembered]

    @property
    def _remembered(self) -> int:
        return self.period + round(10 * self.rate_hz)

    def _trains(self, begin: int, stop: int, least: float) -> list[IntArray]:
        """Discharges of each active unit that reach into a stretch, from its beginning."""
        extent = self.stream.model.extent
        unit, at = self._found[:, 0], self._found[:, 1]
        inside = (at + extent.first + extent.length > begin) & (at + extent.first < stop)
        inside &= self._found[:, 2] > least
        return [
            np.sort(at[inside & (unit == u)]).astype(np.int64) - begin if active else np.empty(0, np.int64)
            for u, active in enumerate(self.stream.active)
        ]

    def _learn(self, rest: Float32Array, begin: int, stop: int) -> None:
        """Move the templates."""
        model, half = self.stream.model, TAPER // 2
        for u, train in enumerate(self._trains(begin, stop, self.settings.sure)):
            mine = train[(train >= half) & (train < stop - begin - half)]
            mean = np.zeros(model.templates.shape[1:], np.float32)
            number = snippet_sum(rest, mine, model.extent.first, mean)
            if number:
                share = -np.expm1(-number / self.settings.memory_spikes) / number
                model.templates[u] += np.float32(share) * mean

    def _judge(self, stop: int) -> None:
        """Set units aside, and take them back."""
        detector, active = self.stream.detectors[-1], self.stream.active
        sil = detector.silhouettes
        usual = detector.heights[:, SPIKE_MEAN]
        high = np.sqrt(np.maximum(detector.squares[:, HIGH], 0.0))
        back = ~active & (sil > self.settings.found_sil) & (high > 0.8 * usual)
        active &= ~(sil < self.settings.lost_sil)
        active |= back
        recent = self._found[self._found[:, 1] <= stop]
        trains = [np.sort(recent[recent[:, 0] == u, 1]).astype(np.int64) for u in range(len(active))]
        for u, v in self._doubles(trains):
            active[u if sil[u] < sil[v] else v] = False

    def _doubles(self, trains: list[IntArray]) -> list[tuple[int, int]]:
        """Pairs of active units that fire together."""
        lag, near = round(0.005 * self.rate_hz), round(0.0005 * self.rate_hz)
        units = [u for u in np.flatnonzero(self.stream.active) if len(trains[u]) >= _FEWEST]
        pairs = []
        for i, u in enumerate(units):
            for v in units[:i]:
                shared, _ = coincidences(trains[u], trains[v], lag, near)
                if shared > _COINCIDENT * max(len(trains[u]), len(trains[v])):
                    pairs.append((int(u), int(v)))
        return pairs


def period_of(settings: Adaptation, rate_hz: float) -> int:
    """Samples between two updates."""
    return max(4 * TAPER, round(settings.period_s * rate_hz))


def behind_of(stream: Stream) -> int:
    """Samples at the end of the signals that no discharge yet to come can reach."""
    extent, model = stream.model.extent, stream.model
    latest = int(np.abs(model.shifts(min(stream.passes, 1))).max(initial=0))
    return stream.behind + latest + max(-extent.first, extent.length + extent.first) + _MARGIN


def history_of(stream_behind: int, settings: Adaptation, rate_hz: float) -> int:
    """Samples of the signals that an update needs."""
    return stream_behind + period_of(settings, rate_hz) + TAPER
