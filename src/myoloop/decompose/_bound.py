"""What a linear filter for each unit can find at best, where the true action potentials are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentials, GroundTruth, Recording, SpikeTrains
from ..errors import ParameterError
from ._kernels import spikes_of
from ._metrics._score import Score, score
from ._preprocessing._prepare import Prepared, Preprocessing
from ._separation._extended import ExtendedSignal
from ._separation._whitening import Whitening

Float32Array = NDArray[np.float32]

EXTENDED_CHANNELS = 1000
REFRACTORY_S = 0.01
GAP_S = 0.6  # between two potentials while they are filtered: longer than the band-pass rings
MARGIN_S = 0.02  # of a potential on both sides, for what the band-pass spreads
BATCH = 32


def upper_bound(
    recording: Recording,
    *,
    preprocessing: Preprocessing | None = None,
    lags: int | None = None,
    ridge: float = 3e-5,
    minimum_spikes: int = 20,
    **rule: Any,
) -> Score:
    """Score of the filters that are built from the true action potentials.

    The filter of a unit is ``C^-1 m``: C is the covariance of the prepared signals, extended by `lags`, and
    m the window of the unit's action potential, prepared likewise, at the delay with the largest
    ``m' C^-1 m`` (the squared height of its spikes over the power of its source). Spikes are the higher
    of two classes of the peaks of the squared source, as in the separation. No linear filter of the
    same length without peel-off is built on more knowledge.

    Parameters
    ----------
    recording : Recording
        Simulated, with spikes and action potentials in its truth.
    preprocessing : Preprocessing, optional
        Default: that for the kind of electrodes.
    lags : int, optional
        Length of a filter in samples of the prepared signals. Default: 1000 over the number of channels.
    ridge : float
        Loading of the covariance, as a share of its mean eigenvalue.
    minimum_spikes : int
        Units with fewer true spikes are left out.
    **rule
        Fields of `MatchingRule`, and `good_f1` of `score`.

    Returns
    -------
    Score
        Its `good` is the number of units with F1 >= .9. Each filter gives a train, also where its unit
        cannot be found, so the precision of the units says nothing here.

    Raises
    ------
    ParameterError
        Without true action potentials, or where they change over time.
    """
    truth, potentials = _truth(recording)
    chosen = np.flatnonzero(truth.spikes.counts >= minimum_spikes)
    inside = recording.electrodes is not None and recording.electrodes.intramuscular
    if len(chosen) == 0:
        return score(truth.spikes.select(chosen), truth.spikes.select(chosen), **rule)
    method = preprocessing or (Preprocessing.intramuscular() if inside else Preprocessing.surface())
    prepared = method.prepare(recording)
    length = lags or max(1, round(EXTENDED_CHANNELS / len(prepared.kept)))
    # Zeros at the end: every delayed copy is whole, so the covariance cannot have negative eigenvalues.
    signal = ExtendedSignal(np.pad(prepared.values, ((0, 0), (0, length))), length)
    whitening = Whitening(signal.covariance(), ridge)
    known = replace(potentials, values_uV=potentials.values_uV[chosen])
    templates, begin = prepared_potentials(known, prepared, method)
    filters, delays = _filters(templates, whitening, length)
    # A spike of unit u at sample s is a peak at s + begin + delay - first.
    shifts = begin + delays - signal.first
    trains = _trains(signal, filters, shifts, prepared)
    true = truth.spikes.select(chosen)
    found = SpikeTrains.from_trains(trains, true.t_stop_s, true.t_start_s, annotations=true.annotations)
    return score(found, true, **rule)


def prepared_potentials(
    potentials: ActionPotentials, prepared: Prepared, method: Preprocessing
) -> tuple[Float32Array, int]:
    """Action potentials as they are in the prepared signals.

    They are laid out one after another, with gaps, and go through the same band-pass, resampling and
    scales; mains are left alone.

    Returns
    -------
    ndarray of float32, shape (units, kept channels, samples)
        Zero where noise stands in place of a bad channel.
    int
        Sample of the first column after the discharge.
    """
    factor = round(potentials.rate_hz / prepared.rate_hz)
    units = len(potentials)
    parts = [
        _filtered(potentials.values_uV[begin : begin + BATCH], potentials.rate_hz, factor, prepared, method)
        for begin in range(0, units, BATCH)
    ]
    windows = np.concatenate(parts)
    if method.bad_channels == "noise":
        names = [potentials.channels[i] for i in prepared.kept]
        windows[:, [name in prepared.bad for name in names]] = 0.0
    # A discharge between two samples of the prepared signals is rounded, as the spikes are.
    onset = round(potentials.t_start_s * prepared.rate_hz)
    return windows, onset - round(MARGIN_S * prepared.rate_hz)


def _filtered(
    values: NDArray[Any], rate_hz: float, factor: int, prepared: Prepared, method: Preprocessing
) -> Float32Array:
    """Some potentials, filtered and resampled, with `MARGIN_S` on both sides."""
    units, channels, samples = values.shape
    gap, kept_samples = round(GAP_S * prepared.rate_hz), -(-samples // factor)
    at = gap + (gap + kept_samples) * np.arange(units)  # in samples of the prepared signals
    row = np.zeros((channels, factor * (int(at[-1]) + kept_samples + gap)), np.float32)
    for one, begin in zip(values, factor * at, strict=True):
        row[:, begin : begin + samples] = one
    unmasked = method.replace(mains_hz=0)
    filtered = unmasked.prepare_as(Recording(row, rate_hz), prepared.kept, prepared.scale_uV).values
    margin = round(MARGIN_S * prepared.rate_hz)
    return np.stack([filtered[:, k - margin : k + kept_samples + margin] for k in at])


def _truth(recording: Recording) -> tuple[GroundTruth, ActionPotentials]:
    truth = recording.truth
    if truth is None or truth.action_potentials is None:
        raise ParameterError(
            "upper_bound.recording", "it holds no true action potentials", "give a simulated recording"
        )
    if truth.path is not None:
        raise ParameterError(
            "upper_bound.recording",
            "its action potentials change over time",
            "give a recording in which they do not",
        )
    potentials = truth.action_potentials
    if not np.isclose(potentials.rate_hz, recording.rate_hz, rtol=1e-6):
        raise ParameterError(
            "upper_bound.recording",
            f"action potentials at {potentials.rate_hz:g} Hz, signals at {recording.rate_hz:g} Hz",
            "give both at one rate",
        )
    return truth, potentials


def _filters(
    templates: Float32Array, whitening: Whitening, lags: int
) -> tuple[Float32Array, NDArray[np.int64]]:
    """Filter of each unit at its best delay, and that delay (first column of its window)."""
    units, channels, samples = templates.shape
    best = np.full(units, -np.inf)
    filters = np.zeros((units, channels, lags), np.float32)
    delays = np.zeros(units, np.int64)
    for delay in range(0, samples - lags + 1, max(1, lags // 8)):
        windows = np.ascontiguousarray(templates[:, :, delay : delay + lags])
        solved = whitening.solve(windows)
        gain = np.einsum("ncl,ncl->n", solved, windows, dtype=np.float64)
        better = gain > best
        best[better], delays[better], filters[better] = gain[better], delay, solved[better]
    return filters, delays


def _trains(
    signal: ExtendedSignal, filters: Float32Array, shifts: NDArray[np.int64], prepared: Prepared
) -> list[NDArray[np.float64]]:
    """Spike times of each filter in s, of the discharge."""
    distance = round(REFRACTORY_S * prepared.rate_hz)
    trains = []
    for begin in range(0, len(filters), BATCH):
        part = slice(begin, begin + BATCH)
        sources = signal.sources(filters[part])
        for source, shift in zip(sources, shifts[part], strict=True):
            at = spikes_of(source, distance)[0] - shift
            at = at[(at >= 0) & (at < prepared.values.shape[1])]
            trains.append(prepared.t_start_s + at / prepared.rate_hz)
    return trains
