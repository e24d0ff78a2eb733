"""What a stream needs to know of the units, learned from signals in which their discharges are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from .._kernels import add_at
from .._separation._extended import FOLDS, ExtendedSignal
from .._separation._whitening import Whitening
from .._templates import joint_templates, subtract
from ._detector import NEAR, Detector
from ._filters import Extent, good_delays, lag_products, unit_filters, whitening_of

Float32Array = NDArray[np.float32]
IntArray = NDArray[np.int64]

TAPER = 128


@final
@dataclass(eq=False)
class Model:
    """Templates, covariances, and the filters and detectors made of them.

    Two filters find each unit. The *early* one stands against everything else in the signals. What it
    finds, weighted by how sure it is, is taken out of the source of the *late* one, which therefore has to
    stand against what no unit explains only.

    Parameters
    ----------
    extent : Extent
    templates : ndarray of float32, shape (units, channels, length)
    products : tuple of ndarray, shape (lags, channels, channels)
        Lag products of the signals, and of what the units leave of them.
    delays : tuple of ndarray of int, shape (units,)
        Where the windows of the early and the late filters begin in the templates.
    weights : tuple of ndarray of float32, shape (units, channels, lags)
    responses : ndarray of float32, shape (units, units, length + lags - 1)
        Of each late filter to each template.
    detectors : tuple of Detector
    trust : ndarray, shape (units,)
        Share of the discharges that the early filters find that are right. Squared, it weighs what they
        take out of other sources: where it is low, they often fire with other units.
    dead : ndarray of bool, shape (channels,)
        Channels that are not used any more.
    ridge : float
    """

    extent: Extent
    templates: Float32Array
    products: tuple[Float32Array, Float32Array]
    delays: tuple[IntArray, IntArray]
    weights: tuple[Float32Array, Float32Array]
    responses: Float32Array
    detectors: tuple[Detector, Detector]
    trust: NDArray[np.float64]
    dead: NDArray[np.bool_]
    ridge: float

    def __len__(self) -> int:
        """Number of units."""
        return len(self.templates)

    @classmethod
    def learned(
        cls, x: Float32Array, spikes: Sequence[IntArray], rate_hz: float, extent: Extent, ridge: float
    ) -> Model:
        """From prepared signals (channels, samples) and the discharges of one unit or more, in samples.

        The heights that are to be expected are those of discharges seen through filters that they did not
        help to make.
        """
        dead = np.zeros(len(x), dtype=bool)
        seen = Seen.through(x, spikes, extent, ridge)
        delays, weights, detectors = [], [], []
        for late in (0, 1):
            at = seen.delays[late]
            trains = [train + s for train, s in zip(spikes, extent.shift(at), strict=True)]
            delays.append(at)
            weights.append(unit_filters(extent.windows(seen.templates, at), seen.whitenings[late]))
            detectors.append(Detector.calibrated(seen.sources[late], trains, rate_hz))
            if not late:
                trust = _precision(detectors[0].copy(), seen.sources[0], trains)
        return cls(
            extent, seen.templates, seen.products, (delays[0], delays[1]), (weights[0], weights[1]),
            extent.responses(weights[1], seen.templates), (detectors[0], detectors[1]), trust, dead, ridge,
        )  # fmt: skip

    def copy(self) -> Model:
        """One that goes its own way."""
        return replace(
            self,
            templates=self.templates.copy(),
            detectors=(self.detectors[0].copy(), self.detectors[1].copy()),
            dead=self.dead.copy(),
        )

    def renew(self, late: int) -> None:
        """Make the early (0) or late (1) filters anew from the templates and the covariance.

        Raises
        ------
        ParameterError
            The covariance has no inverse; nothing was changed.
        """
        whitening = whitening_of(self.products[late], self.ridge, self.dead)
        windows = self.extent.windows(self.templates, self.delays[late])
        windows[:, self.dead] = 0.0
        made = unit_filters(np.ascontiguousarray(windows), whitening)
        if late:
            self.weights = self.weights[0], made
            self.responses = self.extent.responses(made, self.templates)
        else:
            self.weights = made, self.weights[1]

    def blend(self, late: int, products: Float32Array, share: float) -> None:
        """Let new lag products count by `share`."""
        old = self.products[late]
        new = old + np.float32(share) * (products - old)
        self.products = (self.products[0], new) if late else (new, self.products[1])

    def shifts(self, late: int) -> IntArray:
        """How long after a discharge each filter fires, shape (units,)."""
        return np.asarray(self.extent.shift(self.delays[late]), dtype=np.int64)


@final
@dataclass(frozen=True, eq=False)
class Seen:
    """Signals in which the discharges are known, through filters that no discharge helped to make.

    Parameters
    ----------
    templates : ndarray of float32, shape (units, channels, length)
    products : tuple of ndarray
        See `Model`, as of `delays`.
    whitenings : tuple of Whitening
    delays : tuple of ndarray of int, shape (units,)
    sources : tuple of ndarray of float32, shape (units, samples)
        Of the early and of the late filters, the latter without all other units.
    """

    templates: Float32Array
    products: tuple[Float32Array, Float32Array]
    whitenings: tuple[Whitening, Whitening]
    delays: tuple[IntArray, IntArray]
    sources: tuple[Float32Array, Float32Array]

    @classmethod
    def through(cls, x: Float32Array, spikes: Sequence[IntArray], extent: Extent, ridge: float) -> Seen:
        """From prepared signals (channels, samples) and the discharges of one unit or more, in samples."""
        dead = np.zeros(len(x), dtype=bool)
        templates = joint_templates(x, spikes, extent.first, extent.length)
        rest = subtract(x, spikes, templates, extent.first)
        products = lag_products(x, extent.lags, TAPER), lag_products(rest, extent.lags, TAPER)
        signals = ExtendedSignal(x, extent.lags), ExtendedSignal(rest, extent.lags)
        left = signals[1].means_without_fold(list(spikes), extent.first, extent.length)
        alone = templates[:, None] + left
        whitenings, delays, sources = [], [], []
        for late, signal in enumerate(signals):
            whitening = whitening_of(products[late], ridge, dead)
            at = good_delays(templates, whitening, extent)
            windows = extent.windows(alone, at)
            crossed = unit_filters(windows.reshape(-1, *windows.shape[2:]), whitening).reshape(windows.shape)
            source = signal.crossed_sources(crossed)
            if late:
                _put_back(source, signal, spikes, templates, crossed, extent)
            whitenings.append(whitening)
            delays.append(at)
            sources.append(source)
        return cls(
            templates, products, (whitenings[0], whitenings[1]), (delays[0], delays[1]),
            (sources[0], sources[1]),
        )  # fmt: skip


def _put_back(
    sources: Float32Array,
    signal: ExtendedSignal,
    spikes: Sequence[IntArray],
    templates: Float32Array,
    crossed: Float32Array,
    extent: Extent,
) -> None:
    """Add what each filter makes of its unit's own template at its own discharges."""
    for u, train in enumerate(spikes):
        fold = signal.fold_of(train)
        responses = extent.responses(crossed[u], templates[u : u + 1])[:, 0]
        for k in range(FOLDS):
            add_at(sources[u], train[fold == k], responses[k], extent.response_first)


def _precision(detector: Detector, sources: Float32Array, trains: Sequence[IntArray]) -> NDArray[np.float64]:
    """Share of right ones among the discharges that a detector finds in sources, shape (units,)."""
    edge = detector.distance + 1
    padded = np.pad(sources, ((0, 0), (edge, edge)))
    found = detector.decide(padded, -edge, 0, sources.shape[1], np.zeros(len(trains)))
    right = np.ones(len(trains))
    for u, train in enumerate(trains):
        mine = found[found[:, 0] == u]
        near = np.zeros(len(mine), dtype=bool)
        for k in range(-NEAR, NEAR + 1):
            near |= np.isin(mine[:, 1].astype(np.int64) + k, train)
        total = mine[:, 2].sum()
        right[u] = float(mine[near, 2].sum() / total) if total > 0 else 0.0
    return right
