"""Convolutive blind source separation: the method as a table of contents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from ...data import Progress, Recording, silent
from ...errors import ParameterError, shown
from ...parameters import count, number
from ...random import Streams
from .._decomposition import Decomposition
from .._preprocessing._prepare import Prepared, Preprocessing
from .._threads import one_thread
from ._base import Decomposer
from ._candidates import Candidates, Train, best_of_each, detected, without_duplicates
from ._climb import climb, random_starts
from ._contrasts import BoundedSkewness, Contrast
from ._ends import with_soft_ends
from ._extended import ExtendedSignal
from ._finish import decomposition_of, found_again
from ._joint import Joint, Window, leave_one_out, peeled
from ._merge import parts_joined
from ._refine import refined
from ._whitening import Whitening

Float32Array = NDArray[np.float32]

_WEIGHTS = 1000  # of a filter, by which the number of lags is chosen
_FEWEST_LAGS, _MOST_LAGS = 8, 48
_EMPTY_ROUNDS = 3
_FEWEST = 6  # spikes of a candidate


@final
@dataclass(kw_only=True, eq=False)
class ConvolutiveBSS(Decomposer):
    """Motor units from multichannel EMG, by blind source separation with peel-off.

    Rounds of fixed-point separation from random starts; each filter is refined by the mean of the signals
    at its spikes; all units found are then looked for together, each in the signals less all others, and
    taken out of the signals before the next round. No spike is ever judged through a filter that it
    helped to make, so that silhouettes stay honest, and trains complete.

    Parameters
    ----------
    preprocessing : Preprocessing
    contrast : Contrast
        What the fixed-point iteration climbs.
    lags : int, optional
        Length of the filters in samples; None: about 1000 weights a filter, 16 lags for 64 channels.
    rounds : int
        Most rounds of separation and peel-off; three empty ones in a row end the search.
    starts : int
        Random starts in a round.
    iterations : int
        Fixed-point iterations.
    loud_share : float
        Share of the recording, by power, on which the contrast is climbed.
    ridge : float
        Diagonal loading of the covariance, as a share of its mean eigenvalue.
    refinements : int
        Steps of refinement of a candidate.
    joint_passes : int
        Passes of joint refinement at the end.
    before_ms, after_ms : float
        Extent of an action potential about its spike.
    candidate_sil : float
        Silhouette of a candidate.
    least_sil, most_cov, least_spikes : float, float, int
        What a unit must have at last. What stays below the limits of `QualityLimits` is flagged.
    alike : float
        Two units are one where the filter of each responds to the other at least so much.
    seed : int

    Attributes
    ----------
    decomposition_ : Decomposition
    spikes_ : SpikeTrains
    sources_ : ndarray of float32, shape (units, samples)
    filters_ : SeparationFilters

    References
    ----------
    Negro, Muceli, Castronovo, Holobar, Farina (2016), J Neural Eng 13:026027; Chen, Zhou (2016), IEEE
    Trans Neural Syst Rehabil Eng 24:117 (peel-off).
    """

    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    contrast: Contrast = field(default_factory=BoundedSkewness)
    lags: int | None = None
    rounds: int = count(3)
    starts: int = count(64)
    iterations: int = count(3)
    loud_share: float = number(0.5, above=0, at_most=1)
    ridge: float = number(3e-5, above=0)
    refinements: int = count(5)
    joint_passes: int = count(2)
    before_ms: float = number(12.0, above=0)
    after_ms: float = number(16.0, above=0)
    candidate_sil: float = number(0.75, at_most=1)
    least_sil: float = number(0.83, at_most=1)
    most_cov: float = number(0.5, above=0)
    least_spikes: int = count(20, at_least=4)
    alike: float = number(0.7, above=0)
    seed: int = count(0, at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.contrast, type) or not isinstance(self.contrast, Contrast):
            raise ParameterError(
                "ConvolutiveBSS.contrast", f"{shown(self.contrast)} was given", "give e.g. Skewness()"
            )
        if not isinstance(self.preprocessing, Preprocessing):
            raise ParameterError(
                "ConvolutiveBSS.preprocessing",
                f"{shown(self.preprocessing)} was given",
                "give a Preprocessing",
            )
        if self.lags is not None and (type(self.lags) is not int or self.lags < 1):
            raise ParameterError(
                "ConvolutiveBSS.lags", f"{shown(self.lags)} was given", "give a whole number of samples"
            )

    @classmethod
    def quality(cls, **changes: Any) -> ConvolutiveBSS:
        """More rounds: more units, in less than twice the time."""
        more: dict[str, Any] = {"rounds": 5}
        return cls(**(more | changes))

    @classmethod
    def intramuscular(cls, **changes: Any) -> ConvolutiveBSS:
        """For electrodes in the muscle: 300-4400 Hz, shorter action potentials."""
        about: dict[str, Any] = {
            "preprocessing": Preprocessing.intramuscular(),
            "before_ms": 3.0,
            "after_ms": 5.0,
        }
        return cls(**(about | changes))

    def fit(self, recording: Recording, progress: Progress = silent) -> Self:
        """Find the units of a recording.

        That none is found is no error: the decomposition is empty, and its notes say so.

        Raises
        ------
        ParameterError
            For a recording that cannot be decomposed; see `Preprocessing.prepare`.
        """
        with one_thread():  # so that no bit depends on the number of threads
            prepared = with_soft_ends(self.preprocessing.prepare(recording))
            self._check_lags(prepared)
            spikes = self._search(prepared, progress)
            spikes, sources = self._settle(prepared, spikes)
            self.decomposition_ = decomposition_of(
                recording,
                prepared,
                spikes,
                sources,
                lags=self._lags(prepared),
                ridge=self.ridge,
                window_ms=(self.before_ms, self.after_ms),
                parameters=self.to_dict(),
            )
        self.spikes_ = self.decomposition_.spikes
        self.sources_ = self.decomposition_.sources
        self.filters_ = self.decomposition_.filters
        return self

    def transform(self, recording: Recording, progress: Progress = silent) -> Decomposition:
        """The units that `fit` found, in another recording of the same electrodes, by the same filters."""
        with one_thread():
            return found_again(self._fitted(), recording, self.preprocessing)

    def _search(self, prepared: Prepared, progress: Progress) -> list[Train]:
        """Trains of units, round after round in what the units found so far leave."""
        spikes: list[Train] = []
        rest, empty = prepared.values, 0
        for turn in range(self.rounds):
            progress("search", turn, self.rounds, "rounds")
            new = self._separate(prepared, rest, spikes, turn)
            known = len(spikes)
            joint = self._together(prepared, [*spikes, *new.spikes])
            spikes = parts_joined(joint, self.alike, prepared.rate_hz)
            empty = 0 if len(spikes) > known else empty + 1
            if empty == _EMPTY_ROUNDS:
                break
            if spikes and turn + 1 < self.rounds:
                _, rest = peeled(prepared.values, spikes, self._window(prepared.rate_hz))
        progress("search", self.rounds, self.rounds, "rounds")
        return spikes

    def _separate(self, prepared: Prepared, rest: Float32Array, known: list[Train], turn: int) -> Candidates:
        """Units that one round finds in `rest`, none of which is known."""
        rate_hz, rng = prepared.rate_hz, Streams(self.seed).child("starts", turn).generator()
        signal = ExtendedSignal(rest, self._lags(prepared))
        whitening = Whitening(signal.covariance(), self.ridge)
        weights = random_starts(signal, whitening, self.starts, rng)
        blocks = signal.loudest(self.loud_share)
        weights = climb(blocks, whitening, weights, self.contrast, self.iterations)
        rough = upright(weights, signal.sources(weights), rate_hz)
        rough = without_duplicates(rough.select(rough.counts >= _FEWEST), rate_hz)
        found = refined(signal, whitening, rough, rate_hz, self.refinements)
        return without_duplicates(found.select(self._acceptable(found, self.candidate_sil)), rate_hz, known)

    def _settle(self, prepared: Prepared, spikes: list[Train]) -> tuple[list[Train], Float32Array]:
        """Trains and sources after the last joint passes."""
        for _ in range(self.joint_passes - 1):
            spikes = parts_joined(self._together(prepared, spikes), self.alike, prepared.rate_hz)
        joint = self._together(prepared, spikes)
        joint = joint.select(self._acceptable(joint.found, self.least_sil))  # nobody divides them any more
        return joint.found.spikes, joint.sources

    def _together(self, prepared: Prepared, spikes: list[Train]) -> Joint:
        """All units, each in the signals less the others, without those that fade or repeat another."""
        x, rate_hz = prepared.values, prepared.rate_hz
        lags = self._lags(prepared)
        if not spikes:
            return Joint.none(x, lags)
        joint = leave_one_out(x, spikes, rate_hz, self._window(rate_hz), lags, self.ridge)
        two = np.array([halves is not None for halves in joint.halves], dtype=bool)
        joint = joint.select(self._acceptable(joint.found, self.least_sil) | two)
        return joint.select(best_of_each(joint.found, rate_hz))

    def _acceptable(self, found: Candidates, sil: float) -> NDArray[np.bool_]:
        good = (found.sil > sil) & (found.counts >= self.least_spikes) & (found.cov < self.most_cov)
        return np.asarray(good)

    def _lags(self, prepared: Prepared) -> int:
        by_rule = int(np.clip(-(-_WEIGHTS // len(prepared.values)), _FEWEST_LAGS, _MOST_LAGS))
        return min(by_rule, self._window(prepared.rate_hz).length) if self.lags is None else self.lags

    def _check_lags(self, prepared: Prepared) -> None:
        lags, longest = self._lags(prepared), self._window(prepared.rate_hz).length
        if not 1 <= lags <= longest:
            raise ParameterError(
                "ConvolutiveBSS.lags",
                f"{lags} samples, an action potential has {longest} at {prepared.rate_hz:g} Hz",
                "give fewer lags, or a longer before_ms and after_ms",
            )

    def _window(self, rate_hz: float) -> Window:
        before, after = (round(ms * 1e-3 * rate_hz) for ms in (self.before_ms, self.after_ms))
        return Window(-before, before + after)


def upright(weights: Float32Array, sources: Float32Array, rate_hz: float) -> Candidates:
    """Candidates with their spikes upwards."""
    sign = np.where(np.einsum("ns,ns,ns->n", sources, sources, sources) < 0, -1, 1).astype(np.float32)
    sources *= sign[:, None]
    return detected(weights * sign[:, None, None], sources, rate_hz)
