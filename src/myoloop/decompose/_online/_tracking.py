"""Units followed through a recording in which the muscle moves under the electrodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from ...data import ActionPotentialPath, ActionPotentials, Progress, Recording, Signal, silent
from ...errors import ParameterError, shown
from ...parameters import number
from .._decomposition import Decomposition, SeparationFilters
from .._metrics import unit_quality
from .._preprocessing._prepare import Prepared
from .._separation._base import Decomposer
from .._separation._bss import ConvolutiveBSS
from .._separation._finish import trains_of
from .._threads import one_thread
from ._adapt import Adaptation
from ._filters import Extent
from ._follow import Followed, followed
from ._windows import Windows, seen_in_windows

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_EDGE_S = 0.03
_FEWEST = 10


@final
@dataclass(kw_only=True, eq=False)
class TrackingDecomposer(Decomposer):
    """Motor units of a recording in which their action potentials change, as in dynamic contractions.

    The units are found in a calibration stretch, short enough for the muscle to stand still. From there they
    are followed forward and backward in time, by the filters of online use, which adapt as they go
    (`OnlineDecomposer`, `Adaptation`). At last, window by window, all of them are looked for together
    again: action potentials by joint least squares, each unit in the signals less all others.

    A unit is held while it is clear. Where it is not, it has no spikes: see `held_`. Units that fire only
    outside the calibration are not found.

    Parameters
    ----------
    method : ConvolutiveBSS
        What finds the units in the calibration.
    calibration_s : tuple of float, optional
        Beginning and end of the calibration, in the time of the recording. None: the stretch of
        `calibration_length_s` with the most power.
    calibration_length_s : float
    adaptation : Adaptation
    window_s : float
        Windows in which action potentials are taken to stand still; each begins halfway through the last.
    least_sil : float
        A unit's spikes in a window are those found there if its silhouette is above this, else those of
        the adaptive filters.

    Attributes
    ----------
    decomposition_ : Decomposition
        Spikes and sources over the whole recording; filters and action potentials are those of the
        calibration.
    path_ : ActionPotentialPath or None
        Action potentials in the kept channels, after the band-pass, at the middle of each window; its
        coordinate is time. None where the recording is a single window.
    window_times_s_ : ndarray, shape (windows,)
        Middle of each window.
    silhouettes_ : ndarray, shape (windows, units)
        NaN where a unit has too few spikes.
    held_ : ndarray of bool, shape (windows, units)
        Whether a unit was held.

    References
    ----------
    Glaser, Holobar (2019), IEEE Trans Neural Syst Rehabil Eng 27:66 (dynamic contractions); Chen, Ma, Sheng,
    Farina, Zhu (2020), IEEE Trans Biomed Eng 67:3501 (filters that adapt).
    """

    method: ConvolutiveBSS = field(default_factory=ConvolutiveBSS)
    calibration_s: tuple[float, float] | None = None
    calibration_length_s: float = number(25.0, above=1)
    adaptation: Adaptation = field(default_factory=Adaptation)
    window_s: float = number(20.0, at_least=2)
    least_sil: float = number(0.8, at_most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, kind in (("method", ConvolutiveBSS), ("adaptation", Adaptation)):
            if not isinstance(getattr(self, name), kind):
                raise ParameterError(
                    f"TrackingDecomposer.{name}",
                    f"{shown(getattr(self, name))} was given",
                    f"give a {kind.__name__}",
                )

    @one_thread()
    def fit(self, recording: Recording, progress: Progress = silent) -> Self:
        """Find the units in the calibration and follow them through the recording.

        Raises
        ------
        ParameterError
            For a calibration outside the recording, or a recording that cannot be decomposed.
        """
        begin_s, end_s = self._calibration(recording)
        self.calibration_ = self.method.fit(recording.between(begin_s, end_s), progress).decomposition_
        filters = self.calibration_.filters
        prepared = self.method.preprocessing.prepare_as(recording, filters.kept, filters.scale_uV)
        first, stop = (round((at - recording.t_start_s) * prepared.rate_hz) for at in (begin_s, end_s))
        self._calibrated = prepared.values[:, first:stop].copy(), self._usable(stop - first)
        found = self._follow(prepared, first, progress)
        self.decomposition_ = self._given(recording, prepared, found)
        return self

    @one_thread()
    def transform(self, recording: Recording, progress: Progress = silent) -> Decomposition:
        """The units that `fit` found, followed through a recording that begins as the calibration was."""
        known = self._fitted()
        kept, scale = known.filters.kept, known.filters.scale_uV
        prepared = self.method.preprocessing.prepare_as(recording, kept, scale)
        if abs(prepared.rate_hz - known.filters.rate_hz) > 1e-6 * prepared.rate_hz:
            raise ParameterError(
                "transform.recording",
                f"{prepared.rate_hz:g} Hz after preprocessing, not {known.filters.rate_hz:g} Hz",
                "give a recording of the same sampling rate",
            )
        other = TrackingDecomposer(**self.get_params())
        other.calibration_, other._calibrated = self.calibration_, self._calibrated
        return other._given(recording, prepared, other._follow(prepared, None, progress))

    def _usable(self, samples: int) -> list[IntArray]:
        """Discharges of each unit in the calibration, none near its ends."""
        edge = round(_EDGE_S * self.calibration_.rate_hz)
        trains = [self.calibration_.spike_samples(u) for u in range(len(self.calibration_))]
        return [train[(train >= edge) & (train < samples - edge)] for train in trains]

    def _follow(self, prepared: Prepared, first: int | None, progress: Progress) -> Windows:
        """Units through the prepared signals; the calibration begins at sample `first`, or was elsewhere."""
        x, rate_hz = prepared.values, prepared.rate_hz
        calibration, trains = self._calibrated
        before, after = (round(ms * 1e-3 * rate_hz) for ms in (self.method.before_ms, self.method.after_ms))
        extent = Extent(-before, before + after, self.calibration_.filters.lags)
        usable = [u for u, train in enumerate(trains) if len(train) >= _FEWEST]
        units = [trains[u] for u in usable]
        if not units:
            rough = Followed.nothing(0, x.shape[1])
        else:
            rough = followed(
                x, calibration, units, first, rate_hz, extent, self.method.ridge, self.adaptation, progress
            )
        window = round(self.window_s * rate_hz)
        found = seen_in_windows(
            x, rough, rate_hz, extent, self.method.ridge, window, self.least_sil, progress
        )
        return found.among(usable, len(trains))

    def _given(self, recording: Recording, prepared: Prepared, found: Windows) -> Decomposition:
        """The result, and what `fit` leaves behind besides."""
        known = self.calibration_
        rate_hz = prepared.rate_hz
        self.window_times_s_ = prepared.t_start_s + found.middles / rate_hz
        self.silhouettes_, self.held_ = found.silhouettes, found.held
        self.path_ = _path(found, self.window_times_s_, prepared)
        self.spikes_ = trains_of(recording, prepared, found.spikes, known.unit_ids)
        self.sources_ = found.sources
        self.filters_: SeparationFilters = known.filters
        return Decomposition(
            self.spikes_,
            found.sources,
            known.filters,
            unit_quality(found.sources, found.spikes, rate_hz),
            known.action_potentials,
            bad=known.bad,
            parameters=self.to_dict(),
            notes=(*prepared.notes, *known.notes, *_notes(found, known.unit_ids)),
        )

    def _calibration(self, recording: Recording) -> tuple[float, float]:
        begin_s = recording.t_start_s
        end_s = begin_s + recording.duration_s
        if self.calibration_s is not None:
            first, last = (float(at) for at in self.calibration_s)
            if not begin_s - 1e-9 <= first < last <= end_s + 1e-9:
                raise ParameterError(
                    "TrackingDecomposer.calibration_s",
                    f"{first:g} to {last:g} s of a recording from {begin_s:g} to {end_s:g} s",
                    "give a part of the recording",
                )
            return max(first, begin_s), min(last, end_s)
        if recording.duration_s <= self.calibration_length_s:
            return begin_s, end_s
        at = _loudest(recording, self.calibration_length_s)
        return begin_s + at, begin_s + at + self.calibration_length_s


def _loudest(recording: Recording, length_s: float) -> float:
    """Beginning of the stretch of most power, in whole seconds of the recording."""
    rate = recording.rate_hz
    seconds = int(recording.duration_s)
    power = np.zeros(seconds)
    for k in range(seconds):
        part = np.asarray(recording.values_uV[:, round(k * rate) : round((k + 1) * rate)], dtype=np.float64)
        variance = np.var(part, axis=1)
        power[k] = np.median(variance[np.isfinite(variance)]) if np.isfinite(variance).any() else 0.0
    stretch = max(1, int(np.ceil(length_s)))
    total = np.convolve(power, np.ones(stretch), "valid")
    return float(min(int(np.argmax(total)), recording.duration_s - length_s)) if len(total) else 0.0


def _path(found: Windows, times_s: FloatArray, prepared: Prepared) -> ActionPotentialPath | None:
    if len(times_s) < 2 or len(found.spikes) == 0:
        return None
    scale = prepared.scale_uV.astype(np.float32)[:, None]
    rate_hz, start = prepared.rate_hz, found.first / prepared.rate_hz
    potentials = [ActionPotentials(one * scale, rate_hz, t_start_s=start) for one in found.templates]
    ends = np.array([times_s[0], times_s[-1]])
    over_time = Signal(ends, 1.0 / (ends[1] - ends[0]), "s", t_start_s=float(ends[0]), name="time")
    return ActionPotentialPath(times_s, tuple(potentials), over_time)


def _notes(found: Windows, ids: tuple[str, ...]) -> tuple[str, ...]:
    lost: list[Any] = [ids[u] for u in np.flatnonzero(~found.held.all(axis=0))]
    return (f"not held throughout: {', '.join(lost)}",) if lost else ()
