"""The same units in several recordings of one session, by their action potentials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ...data import ActionPotentials, SpikeTrains
from ...errors import ParameterError, shown
from ...parameters import Parameters, choice, count, number
from .._decomposition import Decomposition
from .._threads import one_thread
from ._correlation import correlated, whitened, without_common

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_WORTH_A_LOOK = 0.6  # correlation before whitening, below which a pair is left out


@final
@dataclass(frozen=True, kw_only=True)
class TrackingRule(Parameters):
    """When two units are the same.

    Parameters
    ----------
    minimum : float
        Normalised cross-correlation of the action potentials, over channels and lags.
    size_ratio : float
        Norm of the smaller potential over that of the larger; 0 lets sizes differ at will. Electrodes
        that stay in place see a unit in the same size.
    max_lag_ms : float
        Largest difference of the moments at which two decompositions place the same discharge.
    channels : str
        ``"whitened"`` takes the average of the channels out and weighs down what other units have in common;
        ``"average"`` does the first only; ``"plain"`` takes the potentials as they are, which on
        monopolar channels makes units alike that are not the same.
    least_channels : int
        Channels, by name, that two recordings must have in common.
    """

    minimum: float = number(0.8, above=0, at_most=1)
    size_ratio: float = number(0.75, at_least=0, at_most=1)
    max_lag_ms: float = number(15.0, at_least=0, at_most=1000)
    channels: str = choice("whitened", ("whitened", "average", "plain"))
    least_channels: int = count(4)


@final
@dataclass(frozen=True, eq=False)
class UnitMap:
    """Which unit of each recording is which.

    Parameters
    ----------
    index : ndarray of int, shape (units, recordings)
        Index of the unit in the decomposition of each recording; -1 where it was not found.
    xcc : ndarray, shape (units, recordings)
        Cross-correlation with the same unit of an earlier recording, the best of several; NaN where it
        was not found, and where it was found first.
    lag_s : ndarray, shape (units, recordings)
        What is added to the spike times so that discharges stand where the first recording with that
        unit has them; NaN where it was not found.
    unit_ids : tuple of tuple of str
        Names of the units of each recording.
    rule : TrackingRule
    """

    index: IntArray
    xcc: FloatArray
    lag_s: FloatArray
    unit_ids: tuple[tuple[str, ...], ...]
    rule: TrackingRule

    def __len__(self) -> int:
        """Number of different units."""
        return len(self.index)

    def __repr__(self) -> str:
        return f"UnitMap({len(self)} units in {len(self.unit_ids)} recordings, {len(self.common)} in all)"

    @property
    def recordings(self) -> IntArray:
        """In how many recordings each unit was found, shape (units,)."""
        return np.asarray((self.index >= 0).sum(axis=1))

    @property
    def common(self) -> IntArray:
        """Units that were found in every recording."""
        return np.flatnonzero((self.index >= 0).all(axis=1))

    def pairs(self, a: int = 0, b: int = 1) -> tuple[tuple[str, str, float], ...]:
        """Name in recording a, name in recording b and the cross-correlation of each unit that both have.

        The cross-correlation is that of `xcc` for b: with b's best likeness among the earlier recordings.
        """
        count = len(self.unit_ids)
        if not (0 <= a < b < count):
            raise ParameterError("UnitMap.pairs", f"{a} and {b} of {count} recordings", "give a before b")
        both = np.flatnonzero((self.index[:, a] >= 0) & (self.index[:, b] >= 0))
        first, second = self.unit_ids[a], self.unit_ids[b]
        return tuple((first[self.index[u, a]], second[self.index[u, b]], float(self.xcc[u, b])) for u in both)

    def joined(
        self, decompositions: Sequence[Decomposition], *, start_s: Sequence[float] | None = None
    ) -> SpikeTrains:
        """All units over all recordings, as one.

        Spike times are moved by `lag_s`; what then lies before the first recording or after the last is
        left out. A unit is silent in a recording in which it was not found: the annotation
        ``recordings`` counts those in which it was, ``unit_id`` is a new name.

        Parameters
        ----------
        decompositions : sequence of Decomposition
            Those of which the map was made.
        start_s : sequence of float, optional
            When each recording begins, in the time of the first. None: one right after the other.
        """
        given = tuple(one.unit_ids for one in decompositions)
        if given != self.unit_ids:
            raise ParameterError(
                "UnitMap.joined.decompositions", "other units than the map has", "give those it was made of"
            )
        parts = [one.spikes for one in decompositions]
        starts = _starts(parts, start_s)
        begin, end = starts[0], starts[-1] + parts[-1].duration_s
        trains = []
        for units, lags in zip(self.index, self.lag_s, strict=True):
            found = [
                part[int(u)] - part.t_start_s + start + lag
                for part, u, start, lag in zip(parts, units, starts, lags, strict=True)
                if u >= 0
            ]
            times = np.sort(np.concatenate(found))
            trains.append(times[(times >= begin) & (times <= end)])
        width = max(2, len(str(len(self))))
        names = np.array([f"MU{u + 1:0{width}d}" for u in range(len(self))], dtype=np.str_)
        about = {"unit_id": names, "recordings": self.recordings}
        return SpikeTrains.from_trains(trains, end, begin, annotations=about, name="motor units")


def track_units(a: Decomposition, b: Decomposition, **rule: Any) -> UnitMap:
    """The same units in two recordings; see `merge_across`."""
    return merge_across([a, b], **rule)


@one_thread()
def merge_across(decompositions: Sequence[Decomposition], **rule: Any) -> UnitMap:
    """The same units in several recordings of one session, by their action potentials.

    Two units are compared by the normalised cross-correlation of their action potentials over all
    channels that both recordings have, by name, and over lags. One recording after the other is compared
    with all before it, and each of its units given to one unit at most, for the largest sum of
    cross-correlations (Hungarian method), pairs below `minimum` excluded.

    Parameters
    ----------
    decompositions : sequence of Decomposition
        Two or more, with action potentials, of the same electrodes in the same place.
    **rule
        Fields of `TrackingRule`.

    Returns
    -------
    UnitMap

    Raises
    ------
    ParameterError
        Action potentials are missing, have different sampling rates (resample the recordings first), or
        too few channels in common.

    References
    ----------
    Martinez-Valdes, Negro, Laine, Falla, Mayer, Farina (2017), J Physiol 595:1479 (tracking by the two-
    dimensional cross-correlation, at .8 or more)
    """
    chosen: TrackingRule = TrackingRule().replace(**rule)
    parts = [_potentials(one, at) for at, one in enumerate(decompositions)]
    if len(parts) < 2:
        raise ParameterError("merge_across.decompositions", f"{len(parts)} was given", "give two or more")
    index = np.arange(len(decompositions[0]))[:, None]
    xcc = np.full(index.shape, np.nan)
    lag = np.zeros(index.shape)
    for k in range(1, len(parts)):
        index, xcc, lag = _one_more(parts, k, index, xcc, lag, chosen)
    return UnitMap(index, xcc, lag, tuple(one.unit_ids for one in decompositions), chosen)


def _one_more(
    parts: list[ActionPotentials | None],
    k: int,
    index: IntArray,
    xcc: FloatArray,
    lag: FloatArray,
    rule: TrackingRule,
) -> tuple[IntArray, FloatArray, FloatArray]:
    """The map with one column more, that of recording k."""
    latest = parts[k]
    n_new = 0 if latest is None else len(latest)
    gain, shift = np.zeros((len(index), n_new)), np.zeros((len(index), n_new))
    for earlier in range(k):
        known = parts[earlier]
        rows = np.flatnonzero(index[:, earlier] >= 0)
        if known is None or latest is None or len(rows) == 0:
            continue
        likeness, lags_s = _alike(known, latest, rule, (earlier, k))
        likeness, lags_s = (one[index[rows, earlier]] for one in (likeness, lags_s))
        better = likeness > gain[rows]
        gain[rows] = np.where(better, likeness, gain[rows])
        shift[rows] = np.where(better, lags_s + lag[rows, earlier][:, None], shift[rows])
    gain[gain < rule.minimum] = 0.0
    units, found = linear_sum_assignment(gain, maximize=True)
    real = gain[units, found] > 0
    units, found = units[real], found[real]
    new = np.setdiff1d(np.arange(n_new), found)
    wider = ((0, len(new)), (0, 1))
    index = np.pad(index, wider, constant_values=-1)
    xcc, lag = (np.pad(one, wider, constant_values=np.nan) for one in (xcc, lag))
    index[units, k], xcc[units, k], lag[units, k] = found, gain[units, found], shift[units, found]
    if len(new):
        index[-len(new) :, k], lag[-len(new) :, k] = new, 0.0
    return index, xcc, lag


def _alike(
    a: ActionPotentials, b: ActionPotentials, rule: TrackingRule, which: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    """Cross-correlation of each unit of a with each of b, 0 where it is out of the question; and lags."""
    if abs(a.rate_hz - b.rate_hz) > 1e-6 * a.rate_hz:
        raise ParameterError(
            "merge_across.decompositions",
            f"action potentials at {a.rate_hz:g} and {b.rate_hz:g} Hz (recordings {which[0]}, {which[1]})",
            "resample the recordings to one rate and decompose them again",
        )
    names = [name for name in a.channels if name in set(b.channels)]
    if len(names) < rule.least_channels:
        raise ParameterError(
            "merge_across.decompositions",
            f"recordings {which[0]} and {which[1]} have {len(names)} channels in common",
            f"give recordings of the same electrodes, with {rule.least_channels} channels or more",
        )
    first, second = (part.values_uV[:, [part.channels.index(n) for n in names]] for part in (a, b))
    if rule.channels == "plain" or len(names) == 1:
        first, second = (one.astype(np.float64) for one in (first, second))
    else:
        first, second = without_common(first), without_common(second)
    most = round(rule.max_lag_ms * 1e-3 * a.rate_hz)
    values, lags = correlated(first, second, most)
    sizes = [np.sqrt(np.einsum("uct,uct->u", one, one)) for one in (first, second)]
    smaller, larger = (f(sizes[0][:, None], sizes[1]) for f in (np.minimum, np.maximum))
    values = np.where(smaller >= rule.size_ratio * larger, values, 0.0)
    if rule.channels == "whitened":
        pairs = np.argwhere(values >= min(_WORTH_A_LOOK, rule.minimum))
        values = np.zeros_like(values)
        at = tuple(pairs.T)
        values[at], lags[at] = whitened(first, second, pairs, most)
    return values, lags / a.rate_hz + (b.t_start_s - a.t_start_s)


def _potentials(decomposition: Decomposition, at: int) -> ActionPotentials | None:
    found = decomposition.action_potentials
    if found is None and len(decomposition):
        raise ParameterError(
            "merge_across.decompositions",
            f"number {at} has no action potentials",
            "estimate them (estimate_action_potentials) and put them in with dataclasses.replace",
        )
    return found


def _starts(parts: Sequence[SpikeTrains], start_s: Sequence[float] | None) -> FloatArray:
    lengths = np.array([part.duration_s for part in parts])
    if start_s is None:
        return np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    starts = np.array([float(start) for start in start_s])
    overlap = any(b < a + n - 1e-9 for (a, b), n in zip(pairwise(starts), lengths, strict=False))
    if len(starts) != len(parts) or not np.all(np.isfinite(starts)) or overlap:
        raise ParameterError(
            "UnitMap.joined.start_s",
            f"{shown(start_s)} for recordings of {shown(lengths.tolist())} s",
            "give the begin of each, none before the end of the one before it",
        )
    return starts
