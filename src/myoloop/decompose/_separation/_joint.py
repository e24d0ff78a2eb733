"""Leave-one-out refinement: each unit is looked for in what all the others leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from .._kernels import add_at, responses_of
from .._templates import joint_templates, subtract
from ._candidates import Candidates, Train, detected
from ._extended import ExtendedSignal
from ._split import SUSPICIOUS_COV, halves_of
from ._whitening import Whitening

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]

_DELAY_STEP = 2  # samples between the delays at which a filter may look at its template


@final
@dataclass(frozen=True)
class Window:
    """Where a template lies about its spike, in samples."""

    first: int
    length: int


@final
@dataclass(frozen=True, eq=False)
class Joint:
    """Units looked for together.

    Parameters
    ----------
    found : Candidates
        Filter and train of each, in the signals less all other units.
    sources : ndarray of float32, shape (units, samples)
    likeness : ndarray, shape (units, units)
        Largest response of the filter of one to the template of the other, over that to its own.
    lag : ndarray of int, shape (units, units)
        Where the train of the second is to be moved to fire with the filter of the first.
    halves : list
        Of each, the trains of two units that it proved to be, else None.
    """

    found: Candidates
    sources: Float32Array
    likeness: FloatArray
    lag: NDArray[np.int64]
    halves: list[tuple[Train, Train] | None]

    @classmethod
    def none(cls, x: Float32Array, lags: int) -> Joint:
        """No units."""
        nothing = np.empty((0, 0))
        sources = np.empty((0, x.shape[1]), np.float32)
        return cls(Candidates.none(len(x), lags), sources, nothing, nothing.astype(np.int64), [])

    def select(self, chosen: Any) -> Joint:
        """Some of the units (indices or a mask)."""
        index = np.arange(len(self.found))[np.asarray(chosen)]
        square = np.ix_(index, index)
        return Joint(
            self.found.select(index),
            self.sources[index],
            self.likeness[square],
            self.lag[square],
            [self.halves[i] for i in index],
        )


def peeled(x: Float32Array, spikes: list[Train], window: Window) -> tuple[Float32Array, Float32Array]:
    """Templates of all trains by joint least squares, and the signals without them."""
    templates = joint_templates(x, spikes, window.first, window.length)
    return templates, subtract(x, spikes, templates, window.first)


def leave_one_out(
    x: Float32Array, spikes: list[Train], rate_hz: float, window: Window, lags: int, ridge: float
) -> Joint:
    """Find each unit in the signals less all other units.

    One covariance serves all: that of the signals less every unit. A unit's source is its filter's
    output on this rest, plus what the filter makes of the unit's own template at its own spikes. As in
    `once_more`, no spike is seen through a filter that it helped to make.
    """
    first = window.first
    templates, rest = peeled(x, spikes, window)
    signal = ExtendedSignal(rest, lags)
    whitening = Whitening(signal.covariance(), ridge)
    weights, delay = _at_best_delay(templates, whitening, lags)
    alone = templates[:, None] + signal.means_without_fold(spikes, first, window.length)
    windows = np.stack([part[:, :, at : at + lags] for part, at in zip(alone, delay, strict=True)])
    crossed = whitening.filters(windows.reshape(-1, *windows.shape[2:])).reshape(windows.shape)
    sources = signal.crossed_sources(crossed)
    begin = first - (lags - 1) - signal.first  # of a response, relative to the spike
    for u, train in enumerate(spikes):
        fold = signal.fold_of(train)
        for k, response in enumerate(_responses(templates[u : u + 1], crossed[u])[:, 0]):
            add_at(sources[u], train[fold == k], response, begin)
    found = detected(weights, sources, rate_hz, steady=True)
    shift = first + delay - signal.first  # of what a filter fires, to the spikes that it was made of
    halves = [
        halves_of(signal, whitening, train + by, rate_hz) if cov > SUSPICIOUS_COV else None
        for train, by, cov in zip(spikes, shift, found.cov, strict=True)
    ]
    return Joint(found, sources, *_likeness(templates, weights, shift), halves)


def _likeness(
    templates: Float32Array, weights: Float32Array, shift: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Likeness and lag of `Joint`; `shift` is where each filter fires after the spikes it was made of."""
    responses = _responses(templates, weights)
    at, peaks = responses.argmax(axis=2), responses.max(axis=2).astype(np.float64)
    lag = at - np.diag(at)[:, None] + shift[:, None] - shift[None, :]
    return peaks / np.diag(peaks)[:, None], lag


def _at_best_delay(
    templates: Float32Array, whitening: Whitening, lags: int
) -> tuple[Float32Array, NDArray[np.int64]]:
    """For each template, the filter of its window of `lags` samples that stands out most."""
    units, channels, _ = templates.shape
    windows = np.lib.stride_tricks.sliding_window_view(templates, lags, axis=2)[:, :, ::_DELAY_STEP]
    places = windows.shape[2]
    flat = np.ascontiguousarray(windows.transpose(0, 2, 1, 3).reshape(units * places, channels, lags))
    solved = whitening.solve(flat)
    power = np.einsum("ncl,ncl->n", solved, flat, dtype=np.float64).reshape(units, places)
    best = np.argmax(power, axis=1)
    chosen = solved.reshape(units, places, channels, lags)[np.arange(units), best]
    scale = np.sqrt(power[np.arange(units), best])
    return np.ascontiguousarray(chosen / scale[:, None, None].astype(np.float32)), best * _DELAY_STEP


def _responses(templates: Float32Array, weights: Float32Array) -> Float32Array:
    """Of each filter to each template at all lags at which they overlap, shape (filters, templates, lags)."""
    length = templates.shape[2] + weights.shape[2] - 1
    out = np.zeros((len(weights), len(templates), length), np.float32)
    responses_of(templates, weights, out)
    return out
