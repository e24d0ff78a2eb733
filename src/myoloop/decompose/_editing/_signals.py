"""The prepared signals of the recording that is edited, and new filters from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ...data import Recording
from ...errors import ParameterError
from ...random import Streams
from .._decomposition import Decomposition
from .._preprocessing._prepare import Preprocessing
from .._separation._candidates import detected
from .._separation._ends import with_soft_ends
from .._separation._extended import ExtendedSignal
from .._separation._refine import once_more
from .._separation._whitening import Whitening
from .._templates import joint_templates, subtract

Train = NDArray[np.int64]
Float32Array = NDArray[np.float32]

FEWEST = 4
"""Spikes that a filter is made of."""
_RIDGE, _BEFORE_MS, _AFTER_MS = 3e-5, 12.0, 16.0  # where the decomposition does not tell


@final
class Refiltered(NamedTuple):
    """A new filter, as `SeparationFilters` holds it, the source, and the spikes that stand out of it."""

    source: Float32Array
    detected: Train
    weights: Float32Array
    centroids: NDArray[np.float64]


@final
class Signals:
    """Prepared as the decomposition says, once they are needed."""

    def __init__(self, decomposition: Decomposition, recording: Recording) -> None:
        self.filters, self.recording = decomposition.filters, recording
        said = decomposition.parameters
        self.ridge = _number(said, "ridge", _RIDGE, most=1.0)
        window = ("before_ms", _BEFORE_MS), ("after_ms", _AFTER_MS)
        ms = [_number(said, name, usual, most=1000.0) for name, usual in window]
        before, after = (round(1e-3 * extent * self.filters.rate_hz) for extent in ms)
        self.first, self.length = -before, before + after
        about = said.get("preprocessing")
        self._mains_hz = about.get("mains_hz") if isinstance(about, Mapping) else None
        _check(decomposition, recording)

    @cached_property
    def x(self) -> Float32Array:
        """The signals, shape (kept channels, samples)."""
        made = self.filters.preprocessing
        noise = {int(place): str(name) for place, name in made.get("replaced", ())}
        real = [i for i in range(len(self.filters.kept)) if i not in noise]
        method = Preprocessing(
            low_hz=made.get("low_hz", 20.0),
            high_hz=made.get("high_hz", 900.0),
            working_rate_hz=self.filters.rate_hz,
            mains_hz=self._mains_hz if made.get("lines_hz") else 0.0,
        )
        kept, scale = self.filters.kept[real], self.filters.scale_uV[real]
        prepared = method.prepare_as(self.recording, kept, scale)
        if not noise:
            return with_soft_ends(prepared).values
        whole = np.empty((len(self.filters.kept), prepared.values.shape[1]), np.float32)
        whole[real] = prepared.values
        for place, name in noise.items():
            generator = Streams(int(made.get("seed", 0))).child("bad channel", name).generator()
            whole[place] = generator.standard_normal(whole.shape[1], dtype=np.float32)
        return with_soft_ends(replace(prepared, values=whole)).values

    @cached_property
    def _whole(self) -> tuple[ExtendedSignal, Whitening]:
        signal = ExtendedSignal(self.x, self.filters.lags)
        return signal, Whitening(signal.covariance(), self.ridge)

    def refiltered(self, spikes: Train, chosen: Train, others: list[Train], field: str) -> Refiltered:
        """A filter from the mean of the signals at the `chosen` spikes, ``C^-1 mean x``.

        The source is that of the signals less all `others`; each second of it is filtered without its own
        spikes (see `once_more`), so that no spike vouches for itself.

        Parameters
        ----------
        spikes : ndarray of int
            All spikes of the unit.
        chosen : ndarray of int
            Those that make the filter.
        others : list of int arrays
            Trains of the units that are peeled off.
        field : str
            What an error names.
        """
        signal, whitening = self._whole
        fold = signal.fold_of(chosen)
        if len(chosen) < FEWEST or len(np.unique(fold)) < 2:
            raise ParameterError(
                field,
                f"{len(chosen)} spikes in {len(np.unique(fold))} of 4 parts of the recording make no filter",
                f"take a longer span, with {FEWEST} spikes or more",
            )
        rate_hz = self.filters.rate_hz
        plain = once_more(signal, whitening, [chosen], rate_hz)
        high = float(np.sqrt(max(plain.centroids[0, 1], np.finfo(np.float32).tiny)))
        others = [train for train in others if len(train)]
        if others:
            signal, whitening = self._alone(spikes, others)
        means = signal.means_without_fold([chosen], signal.first, signal.lags)
        crossed = whitening.filters(means[0])[None]
        source = signal.crossed_sources(crossed)
        found = detected(plain.weights, source, rate_hz, steady=True)
        weights = (plain.weights[0] / np.float32(high)).astype(np.float32)
        return Refiltered(source[0], found.spikes[0], weights, plain.centroids[0] / high**2)

    def _alone(self, spikes: Train, others: list[Train]) -> tuple[ExtendedSignal, Whitening]:
        """The signals less the other units, and the covariance of what the unit itself leaves of them.

        A unit's own power in the covariance would weigh down its action potential and leave the errors of
        its mean.
        """
        trains, lags = [spikes, *others], self.filters.lags
        templates = self.templates(trains)
        rest = subtract(self.x, trains, templates, self.first)
        whitening = Whitening(ExtendedSignal(rest, lags).covariance(), self.ridge)
        return ExtendedSignal(subtract(self.x, others, templates[1:], self.first), lags), whitening

    def templates(self, trains: list[Train]) -> Float32Array:
        """Action potentials of units in the prepared signals, shape (units, channels, samples)."""
        return joint_templates(self.x, trains, self.first, self.length)


def _number(said: Mapping[str, Any], name: str, usual: float, most: float) -> float:
    given = said.get(name)
    right = isinstance(given, int | float) and not isinstance(given, bool) and 0 < given <= most
    return float(given) if right and given is not None else usual


def _check(decomposition: Decomposition, recording: Recording) -> None:
    """That the recording can be the one that was decomposed."""
    spikes, filters = decomposition.spikes, decomposition.filters
    samples = decomposition.sources.shape[1]
    wrong = ""
    if int(filters.kept.max(initial=-1)) >= len(recording):
        wrong = f"{len(recording)} channels where the filters use channel {int(filters.kept.max()) + 1}"
    elif abs(recording.t_start_s - spikes.t_start_s) > 0.5 / recording.rate_hz:
        wrong = f"it begins at {recording.t_start_s:g} s, the spikes at {spikes.t_start_s:g} s"
    elif abs(recording.duration_s * filters.rate_hz - samples) >= 1 + 1e-6 * samples:
        wrong = f"{recording.duration_s:g} s where the sources have {samples / filters.rate_hz:g} s"
    if wrong:
        raise ParameterError("EditSession.recording", wrong, "give the recording that was decomposed")
