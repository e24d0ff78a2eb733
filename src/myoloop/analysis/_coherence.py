"""Coherence of cumulative spike trains with one another and with other signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..data import Signal, SpikeTrains
from ..errors import ParameterError
from ..parameters import Parameters, number
from ..random import Streams
from ._check import checked_count, checked_trains, one_channel
from ._cumulative import unit_counts

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@final
@dataclass(frozen=True, kw_only=True)
class CoherenceSettings(Parameters):
    """How spectra are estimated: Welch's method with a Hann window.

    Parameters
    ----------
    segment_s : float
        Length of a segment; the resolution in Hz is 1 over it.
    overlap : float
        Share of a segment that the next one repeats.
    rate_hz : float
        Sampling rate of the trains. With another signal that signal's rate is used instead.
    up_to_hz : float
        Highest frequency that is returned.
    confidence : float
        Level of the confidence limit.
    """

    segment_s: float = number(1.0, above=0)
    overlap: float = number(0.0, at_least=0, at_most=0.95)
    rate_hz: float = number(1000.0, above=0)
    up_to_hz: float = number(100.0, above=0)
    confidence: float = number(0.95, above=0, below=1)


@final
@dataclass(frozen=True, eq=False)
class Coherence:
    """Magnitude-squared coherence against frequency.

    Parameters
    ----------
    frequency_hz : ndarray, shape (frequencies,)
        Without 0.
    coherence : ndarray, shape (frequencies,)
        From 0 to 1.
    segments : float
        Independent segments; below their number where they overlap.
    confidence : float
        Level of `limit`.
    group_units : int
        Units in each of the compared trains.
    splits : int
        Divisions into groups over which the spectra were pooled.
    """

    frequency_hz: FloatArray
    coherence: FloatArray
    segments: float
    confidence: float = 0.95
    group_units: int = 0
    splits: int = 1

    @property
    def limit(self) -> float:
        """Confidence limit under independence, 1 - (1 - confidence)^(1 / (segments - 1)).

        It holds for one division into groups. Pooling over several lowers what independent trains
        give, so the limit is then on the safe side.
        """
        return coherence_limit(self.segments, self.confidence)

    @property
    def z_scores(self) -> FloatArray:
        """sqrt(2 segments) atanh(sqrt(coherence)), shape (frequencies,); no bias is taken off."""
        below_one = np.minimum(self.coherence, 1.0 - 1e-12)
        return np.asarray(np.sqrt(2.0 * self.segments) * np.arctanh(np.sqrt(below_one)))

    def band_mean(self, low_hz: float, high_hz: float) -> float:
        """Mean coherence for ``low_hz <= frequency < high_hz``; NaN where there is no frequency."""
        inside = (self.frequency_hz >= low_hz) & (self.frequency_hz < high_hz)
        return float(self.coherence[inside].mean()) if inside.any() else np.nan


def coherence_limit(segments: float, confidence: float = 0.95) -> float:
    """Coherence that independent signals exceed with a probability of 1 - confidence.

    Parameters
    ----------
    segments : float
        Independent segments, more than 1.
    confidence : float

    References
    ----------
    Rosenberg, Amjad, Breeze, Brillinger, Halliday (1989), Prog Biophys Mol Biol 53:1.
    """
    if not segments > 1:
        raise ParameterError("coherence_limit.segments", f"{segments:g} were given", "give more than 1")
    return float(1.0 - (1.0 - confidence) ** (1.0 / (segments - 1.0)))


def intramuscular_coherence(
    spikes: SpikeTrains,
    settings: CoherenceSettings | None = None,
    *,
    group_units: int | None = None,
    splits: int = 100,
    seed: int = 0,
) -> Coherence:
    """Coherence of the cumulative spike trains of two random groups of units.

    The units are divided at random into two groups, many times over; auto- and cross-spectra are summed
    over all divisions before their ratio is taken.

    Parameters
    ----------
    spikes : SpikeTrains
        Of a steady contraction. Silent units are left out.
    settings : CoherenceSettings, optional
    group_units : int, optional
        Units in each group; half of the active ones by default.
    splits : int
        Number of divisions.
    seed : int
        For the divisions.

    Returns
    -------
    Coherence

    Raises
    ------
    ParameterError
        Fewer than two active units, groups that are too large, trains shorter than two segments.

    References
    ----------
    Negro, Farina (2012), PLoS ONE 7:e44894; Castronovo, Negro, Conforto, Farina (2015), J Appl Physiol
    119:1337.
    """
    owner = "intramuscular_coherence"
    chosen = CoherenceSettings() if settings is None else settings
    spectra, frequency, segments = _unit_spectra(spikes, chosen, owner)
    size = _group_size(len(spectra), group_units, f"{owner}.group_units")
    number_of = checked_count(splits, f"{owner}.splits")
    values = _split_coherence(spectra, size, number_of, Streams(seed).child("coherence", size))
    return Coherence(frequency, values, segments, chosen.confidence, size, number_of)


def pooled_coherence(
    spikes: SpikeTrains,
    settings: CoherenceSettings | None = None,
    *,
    group_units: tuple[int, ...] | None = None,
    splits: int = 100,
    seed: int = 0,
) -> tuple[Coherence, ...]:
    """Intramuscular coherence for groups of 1, 2, ... units: what is common grows with the group.

    Parameters
    ----------
    spikes, settings, splits, seed
        As for `intramuscular_coherence`, which gives the same for the same size.
    group_units : tuple of int, optional
        Sizes of the groups; 1 to half of the active units by default.

    Returns
    -------
    tuple of Coherence
        One for each size.
    """
    owner = "pooled_coherence"
    chosen = CoherenceSettings() if settings is None else settings
    spectra, frequency, segments = _unit_spectra(spikes, chosen, owner)
    sizes = range(1, len(spectra) // 2 + 1) if group_units is None else group_units
    number_of = checked_count(splits, f"{owner}.splits")
    found = []
    for given in sizes:
        size = _group_size(len(spectra), given, f"{owner}.group_units")
        values = _split_coherence(spectra, size, number_of, Streams(seed).child("coherence", size))
        found.append(Coherence(frequency, values, segments, chosen.confidence, size, number_of))
    return tuple(found)


def signal_coherence(
    spikes: SpikeTrains, signal: Signal, settings: CoherenceSettings | None = None
) -> Coherence:
    """Coherence of the cumulative spike train of all units with another signal.

    Parameters
    ----------
    spikes : SpikeTrains
    signal : Signal
        One channel, e.g. force, EEG or the EMG of another muscle. The time that both cover is used.
    settings : CoherenceSettings, optional
        The signal's rate takes the place of `rate_hz`.

    Returns
    -------
    Coherence

    Raises
    ------
    ParameterError
        No discharge, a constant signal, or less than two segments in common.

    References
    ----------
    Halliday, Rosenberg, Amjad, Breeze, Conway, Farmer (1995), Prog Biophys Mol Biol 64:237.
    """
    owner = "signal_coherence"
    trains = checked_trains(spikes, f"{owner}.spikes")
    values = one_channel(signal, f"{owner}.signal")
    chosen = CoherenceSettings() if settings is None else settings
    rate = signal.rate_hz
    begin = max(trains.t_start_s, signal.t_start_s)
    first = int(np.ceil((begin - signal.t_start_s) * rate - 1e-6))
    stop_s = min(trains.t_stop_s, signal.t_start_s + signal.duration_s)
    last = int(np.floor((stop_s - signal.t_start_s) * rate + 1e-6))
    origin = signal.t_start_s + first / rate
    index = np.floor((trains.times_s - origin) * rate + 1e-6).astype(np.int64)
    inside = (index >= 0) & (index < last - first)
    counts = np.bincount(index[inside], minlength=max(0, last - first)).astype(np.float64)
    both = np.stack([counts, values[first:last]]) if last > first else np.empty((2, 0))
    spectra, frequency, segments = _segment_spectra(both, rate, chosen, owner)
    for row, name in ((both[0], "spikes"), (both[1], "signal")):
        if np.ptp(row) == 0:
            raise ParameterError(
                f"{owner}.{name}", "nothing changes in the common time", "give one that does"
            )
    common, other = spectra
    cross = np.mean(np.conj(common) * other, axis=0)
    power = np.mean(np.abs(common) ** 2, axis=0) * np.mean(np.abs(other) ** 2, axis=0)
    ratio = _ratio(np.abs(cross) ** 2, power)
    return Coherence(frequency, ratio, segments, chosen.confidence, int(trains.active.sum()))


def _group_size(units: int, given: int | None, field: str) -> int:
    if given is None:
        return units // 2
    size = checked_count(given, field)
    if 2 * size > units:
        raise ParameterError(
            field,
            f"two groups of {size} were asked of {units} active units",
            f"give at most {units // 2}",
        )
    return size


def _split_coherence(spectra: ComplexArray, size: int, splits: int, streams: Streams) -> FloatArray:
    """Coherence of two random groups of units, their spectra summed over the divisions.

    A spectrum is linear in the train: that of a group is the sum of those of its units.
    """
    rng = streams.generator()
    cross, first, second = 0.0, 0.0, 0.0
    for _ in range(splits):
        order = rng.permutation(len(spectra))
        x, y = spectra[order[:size]].sum(axis=0), spectra[order[size : 2 * size]].sum(axis=0)
        cross = cross + np.mean(np.conj(x) * y, axis=0)
        first = first + np.mean(np.abs(x) ** 2, axis=0)
        second = second + np.mean(np.abs(y) ** 2, axis=0)
    return _ratio(np.abs(np.asarray(cross)) ** 2, np.asarray(first * second))


def _ratio(cross: FloatArray, power: FloatArray) -> FloatArray:
    """`cross` over `power`, NaN where there is no power."""
    return np.asarray(cross / np.where(power > 0, power, np.nan))


def _unit_spectra(
    spikes: SpikeTrains, settings: CoherenceSettings, owner: str
) -> tuple[ComplexArray, FloatArray, float]:
    trains = checked_trains(spikes, f"{owner}.spikes")
    active = trains.select(trains.active)
    if len(active) < 2:
        raise ParameterError(
            f"{owner}.spikes", f"{len(active)} of {len(trains)} units discharge", "give two active units"
        )
    samples = int(np.floor(trains.duration_s * settings.rate_hz + 1e-6))
    counts = unit_counts(active, settings.rate_hz, samples)
    return _segment_spectra(counts, settings.rate_hz, settings, owner)


def _segment_spectra(
    values: FloatArray, rate_hz: float, settings: CoherenceSettings, owner: str
) -> tuple[ComplexArray, FloatArray, float]:
    """Spectra of the segments, shape (signals, segments, frequencies), frequencies, independent segments."""
    length = round(settings.segment_s * rate_hz)
    if length < 4 or settings.up_to_hz * length < rate_hz:
        raise ParameterError(
            "CoherenceSettings.segment_s",
            f"{settings.segment_s:g} s holds {length} samples and resolves no frequency up to "
            f"{settings.up_to_hz:g} Hz",
            "give longer segments",
        )
    step = max(1, length - round(settings.overlap * length))
    count = 1 + (values.shape[1] - length) // step if values.shape[1] >= length else 0
    if count < 2:
        raise ParameterError(
            f"{owner}.spikes",
            f"{values.shape[1] / rate_hz:g} s holds {count} segments of {settings.segment_s:g} s",
            "give a longer time, or shorter segments",
        )
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
    frequency = np.asarray(np.fft.rfftfreq(length, 1.0 / rate_hz), dtype=np.float64)
    shown = (frequency > 0) & (frequency <= settings.up_to_hz)
    spectra = np.empty((len(values), count, int(shown.sum())), dtype=np.complex128)
    for k in range(count):
        part = values[:, k * step : k * step + length]
        spectra[:, k] = np.fft.rfft(window * (part - part.mean(axis=1, keepdims=True)), axis=1)[:, shown]
    return spectra, frequency[shown], _independent(count, step, window)


def _independent(count: int, step: int, window: FloatArray) -> float:
    """Separate segments that give the same variance as `count` overlapping ones.

    References
    ----------
    Welch (1967), IEEE Trans Audio Electroacoust 15:70.
    """
    correction = 1.0
    for j in range(1, count):
        if j * step >= len(window):
            break
        shared = np.sum(window[: len(window) - j * step] * window[j * step :]) / np.sum(window**2)
        correction += 2.0 * (count - j) / count * shared**2
    return float(count / correction)
