"""All units together once more, in windows in which they stand still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...data import Progress
from .._kernels import silhouette_of, spikes_of
from .._separation._intervals import steady_train
from ._detector import PAUSE_S, REFRACTORY_S
from ._filters import Extent
from ._follow import Followed
from ._model import Seen

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_FEWEST = 10


@final
@dataclass(frozen=True, eq=False)
class Windows:
    """Units over the whole recording, and what they look like in each window.

    Parameters
    ----------
    spikes : list of ndarray of int
    sources : ndarray of float32, shape (units, samples)
    middles : ndarray, shape (windows,)
        In samples.
    templates : ndarray of float32, shape (windows, units, channels, length)
        Where a unit has too few spikes, that of the nearest window in which it has enough.
    silhouettes : ndarray, shape (windows, units)
    held : ndarray of bool, shape (windows, units)
    first : int
        Lag of a template's first sample.
    """

    spikes: list[IntArray]
    sources: Float32Array
    middles: FloatArray
    templates: Float32Array
    silhouettes: FloatArray
    held: NDArray[np.bool_]
    first: int

    def among(self, places: Sequence[int], units: int) -> Windows:
        """The same as some of more units; the others are never held."""
        if len(places) == units:
            return self
        spikes = [np.empty(0, np.int64)] * units
        for place, train in zip(places, self.spikes, strict=True):
            spikes[place] = train
        count, _, channels, length = self.templates.shape
        index = list(places)
        sources = np.zeros((units, self.sources.shape[1]), np.float32)
        templates = np.zeros((count, units, channels, length), np.float32)
        silhouettes, held = np.full((count, units), np.nan), np.zeros((count, units), bool)
        sources[index], templates[:, index] = self.sources, self.templates
        silhouettes[:, index], held[:, index] = self.silhouettes, self.held
        return Windows(spikes, sources, self.middles, templates, silhouettes, held, self.first)


def seen_in_windows(
    x: Float32Array,
    rough: Followed,
    rate_hz: float,
    extent: Extent,
    ridge: float,
    window: int,
    least_sil: float,
    progress: Progress,
) -> Windows:
    """Look for the units again, window by window, beginning with where adaptive filters found them."""
    samples, units = x.shape[1], len(rough.spikes)
    begins, length = window_starts(samples, window)
    sources, parts = rough.sources.copy(), [[np.empty(0, np.int64)] for _ in range(units)]
    silhouettes = np.full((len(begins), units), np.nan)
    held = np.zeros((len(begins), units), bool)
    templates = np.full((len(begins), units, len(x), extent.length), np.nan, np.float32)
    for w, begin in enumerate(begins):
        progress("look again", w, len(begins), "windows")
        low = 0 if w == 0 else (begins[w - 1] + length + begin) // 2
        high = samples if w + 1 == len(begins) else (begin + length + begins[w + 1]) // 2
        edge = extent.length
        inside = [t[(t >= begin + edge) & (t < begin + length - edge)] - begin for t in rough.spikes]
        chosen = [u for u in range(units) if len(inside[u]) >= _FEWEST]
        again = _again(x[:, begin : begin + length], [inside[u] for u in chosen], rate_hz, extent, ridge)
        at = (begin + length // 2) // rough.step
        for u in range(units):
            near = rough.held[u, max(0, min(at, rough.held.shape[1] - 1))]
            held[w, u] = bool(near)
            train = rough.spikes[u]
            if u in chosen:
                better, source, template, sil = again[chosen.index(u)]
                templates[w, u], silhouettes[w, u] = template, sil
                if sil >= least_sil:
                    train = better + begin
                    sources[u, low:high] = source[low - begin : high - begin]
            parts[u].append(train[(train >= low) & (train < high)])
    progress("look again", len(begins), len(begins), "windows")
    distance = round(REFRACTORY_S * rate_hz)
    spikes = [apart(np.concatenate(pieces), distance) for pieces in parts]
    middles = np.asarray(begins) + 0.5 * length
    sources, templates = scaled(sources, spikes), filled(templates)
    return Windows(spikes, sources, middles, templates, silhouettes, held, extent.first)


def _again(
    x: Float32Array, spikes: list[IntArray], rate_hz: float, extent: Extent, ridge: float
) -> list[tuple[IntArray, Float32Array, Float32Array, float]]:
    """Discharges, source, template and silhouette of each unit in one window."""
    if not spikes:
        return []
    distance, pause = round(REFRACTORY_S * rate_hz), round(PAUSE_S * rate_hz)
    seen = Seen.through(x, spikes, extent, ridge)
    out = []
    for u, source in enumerate(seen.sources[1]):
        shift = int(extent.shift(seen.delays[1][u]))
        train = steady_train(source, spikes_of(source, distance)[0], distance, pause)
        sil = silhouette_of(source, train, distance)[2]
        train = train - shift
        train = train[(train >= 0) & (train < x.shape[1])]
        out.append((train, np.roll(source, -shift), seen.templates[u], float(sil)))
    return out


def window_starts(samples: int, window: int) -> tuple[list[int], int]:
    """Beginnings of windows that overlap by about a half and cover all samples, and their length."""
    length = min(window, samples)
    count = 1 if length == samples else 1 + int(np.ceil(2 * (samples - length) / length))
    return [round(k * (samples - length) / max(count - 1, 1)) for k in range(count)], length


def apart(train: IntArray, distance: int) -> IntArray:
    """Ascending discharges, without the later one of two that are nearer than `distance`."""
    train = np.sort(train)
    kept = np.ones(len(train), dtype=bool)
    last = -distance
    for i, at in enumerate(train):
        kept[i] = at - last >= distance
        last = at if kept[i] else last
    return train[kept]


def scaled(sources: Float32Array, spikes: list[IntArray]) -> Float32Array:
    """Sources whose spikes have a mean of 1."""
    for source, train in zip(sources, spikes, strict=True):
        mean = float(source[train].mean()) if len(train) else 1.0
        if mean > 0:
            np.divide(source, np.float32(mean), out=source)
    return sources


def filled(templates: Float32Array) -> Float32Array:
    """Templates that are not known (NaN) taken from the nearest window where they are, else 0."""
    windows = np.arange(len(templates))
    for u in range(templates.shape[1]):
        known = windows[~np.isnan(templates[:, u, 0, 0])]
        if len(known) == 0:
            templates[:, u] = 0.0
            continue
        nearest = known[np.argmin(np.abs(windows[:, None] - known[None]), axis=1)]
        templates[:, u] = templates[nearest, u]
    return templates
