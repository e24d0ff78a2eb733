"""From trains to a `Decomposition`, and back to trains in other recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import ActionPotentials, Recording, SpikeTrains
from ...errors import ParameterError
from .._decomposition import Decomposition, SeparationFilters
from .._kernels import peaks_of
from .._metrics import unit_quality
from .._preprocessing._prepare import Prepared, Preprocessing
from .._templates import joint_templates
from ._candidates import PAUSE_S, REFRACTORY_S, Train
from ._ends import with_soft_ends
from ._extended import ExtendedSignal
from ._intervals import steady_train
from ._refine import once_more
from ._whitening import Whitening

Float32Array = NDArray[np.float32]

NOTHING = "No unit was found."
_WIDER = 1.5


def decomposition_of(
    recording: Recording,
    prepared: Prepared,
    spikes: list[Train],
    sources: Float32Array,
    *,
    lags: int,
    ridge: float,
    window_ms: tuple[float, float],
    parameters: Mapping[str, Any],
) -> Decomposition:
    """Units of which trains and sources are known, with all else that belongs to them, largest first.

    Parameters
    ----------
    recording : Recording
    prepared : Prepared
    spikes : list of int arrays
        Samples of the prepared signals.
    sources : ndarray of float32, shape (units, samples)
    lags : int
    ridge : float
    window_ms : tuple of float
        Extent of an action potential before and after its spike.
    parameters : mapping
        Of the method.
    """
    potentials = _potentials(recording, prepared, spikes, window_ms)
    order = np.arange(len(spikes))
    if potentials is not None:
        order = np.argsort(-potentials.peak_to_peak_uV.max(axis=1), kind="stable")
        potentials = replace(potentials, values_uV=potentials.values_uV[order])
    spikes = [spikes[i] for i in order]
    sources = _scaled(sources[order], spikes)
    notes = (*prepared.notes, *(() if spikes else (NOTHING,)))
    return Decomposition(
        trains_of(recording, prepared, spikes),
        sources,
        filters_of(prepared, spikes, lags, ridge),
        unit_quality(sources, spikes, prepared.rate_hz),
        potentials,
        bad=prepared.bad,
        parameters=parameters,
        notes=notes,
    )


def filters_of(prepared: Prepared, spikes: list[Train], lags: int, ridge: float) -> SeparationFilters:
    """Filters that find the units in new data, where nothing is peeled off."""
    signal = ExtendedSignal(prepared.values, lags)
    weights = np.empty((0, signal.n_channels, lags), np.float32)
    centroids = np.empty((0, 2))
    if spikes:
        found = once_more(signal, Whitening(signal.covariance(), ridge), spikes, prepared.rate_hz)
        high = np.sqrt(np.maximum(found.centroids[:, 1], np.finfo(np.float32).tiny))
        weights = (found.weights / high[:, None, None]).astype(np.float32)
        centroids = found.centroids / np.square(high)[:, None]
    return SeparationFilters(
        weights, prepared.rate_hz, signal.first, prepared.kept, prepared.scale_uV, centroids, prepared.filter
    )


def found_again(known: Decomposition, recording: Recording, preprocessing: Preprocessing) -> Decomposition:
    """The units of `known` in another recording of the same electrodes, by their filters."""
    filters = known.filters
    _check_same_electrodes(known, recording)
    prepared = with_soft_ends(preprocessing.prepare_as(recording, filters.kept, filters.scale_uV))
    if abs(prepared.rate_hz - filters.rate_hz) > 1e-6 * filters.rate_hz:
        raise ParameterError(
            "transform.recording",
            f"{prepared.rate_hz:g} Hz after preprocessing, the filters are for {filters.rate_hz:g} Hz",
            "give a recording of the same sampling rate",
        )
    sources = ExtendedSignal(prepared.values, filters.lags).sources(filters.weights)
    distance, pause = (round(s * prepared.rate_hz) for s in (REFRACTORY_S, PAUSE_S))
    spikes = []
    for source, threshold in zip(sources, filters.thresholds, strict=True):
        peaks = peaks_of(source, distance)
        above = peaks[np.square(source[peaks]) > threshold]
        spikes.append(steady_train(source, above, distance, pause))
    return Decomposition(
        trains_of(recording, prepared, spikes, known.unit_ids),
        sources,
        filters,
        unit_quality(sources, spikes, prepared.rate_hz),
        bad=known.bad,
        parameters=known.parameters,
        notes=prepared.notes,
    )


def trains_of(
    recording: Recording, prepared: Prepared, spikes: list[Train], ids: tuple[str, ...] = ()
) -> SpikeTrains:
    """Spike trains in the time of the recording, with the names of the units."""
    names = ids or tuple(f"MU{i + 1:0{max(2, len(str(len(spikes))))}d}" for i in range(len(spikes)))
    begin = recording.t_start_s
    return SpikeTrains.from_trains(
        [begin + train / prepared.rate_hz for train in spikes],
        begin + recording.duration_s,
        begin,
        annotations={"unit_id": np.array(names, dtype=np.str_)},
        name="motor units",
    )


def _potentials(
    recording: Recording, prepared: Prepared, spikes: list[Train], window_ms: tuple[float, float]
) -> ActionPotentials | None:
    """By joint least squares, on the good channels, within the band: what else they hold would disturb."""
    if not spikes:
        return None
    before, after = (round(_WIDER * ms * 1e-3 * prepared.rate_hz) for ms in window_ms)
    names = [recording.channels[i] for i in prepared.kept]  # a filter may fire off centre: hence wider
    good = np.array([name not in prepared.bad for name in names], dtype=bool)
    return potentials_in_band(
        prepared.values[good],
        prepared.scale_uV[good],
        spikes,
        prepared.rate_hz,
        (-before, before + after),
        tuple(name for name, whole in zip(names, good, strict=True) if whole),
    )


def potentials_in_band(
    x: Float32Array,
    scale_uV: NDArray[np.float64],  # noqa: N803
    spikes: list[Train],
    rate_hz: float,
    span: tuple[int, int],
    channels: tuple[str, ...],
) -> ActionPotentials:
    """Action potentials by joint least squares from prepared signals; `span`: first sample and length."""
    values = joint_templates(x, spikes, *span)
    values *= scale_uV.astype(np.float32)[:, None]
    return ActionPotentials(values, rate_hz, t_start_s=span[0] / rate_hz, channels=channels)


def _scaled(sources: Float32Array, spikes: list[Train]) -> Float32Array:
    """Sources whose spikes have a mean of 1."""
    heights = [
        float(source[train].mean()) if len(train) else 1.0
        for source, train in zip(sources, spikes, strict=True)
    ]
    return np.asarray(sources / np.array(heights, np.float32)[:, None], dtype=np.float32)


def _check_same_electrodes(known: Decomposition, recording: Recording) -> None:
    needed = int(known.filters.kept.max()) + 1 if len(known.filters.kept) else 0
    if len(recording) < needed:
        raise ParameterError(
            "transform.recording",
            f"{len(recording)} channels, the filters use channel {needed}",
            "give a recording of the same electrodes",
        )
