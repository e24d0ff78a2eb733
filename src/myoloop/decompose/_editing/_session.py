"""Editing by hand: every step checked, kept in a history, and undone at will."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ParameterError
from .._separation._candidates import REFRACTORY_S, Candidates, best_of_each
from .._threads import one_thread
from . import _arguments as arguments
from . import _trains as trains
from ._arguments import Span
from ._base import Session, Train
from ._correlation import best_lag
from ._edits import Edit
from ._state import UnitState

_ALIGN_MS = 12.0


@final
class EditSession(Session):
    """Edits a decomposition, which itself stays as it is.

    A unit is given by its name, or by its index among the units there are now; a span by its start and
    stop in s, the stop excluded. Every step judges the quality of the units it touches anew, stands in the
    `history`, and can be undone. A step that changes nothing gives None and leaves no trace.

    Parameters
    ----------
    decomposition : Decomposition
    recording : Recording
        The one that was decomposed.

    Raises
    ------
    ParameterError
        The recording cannot be the one that was decomposed.

    Examples
    --------
    ::

        session = EditSession(decomposition, recording)
        session.remove_spikes("MU03", between=(4.0, 4.2))
        session.add_spikes("MU03", 7.312)
        print(session.recalculate_filter("MU03").text)
        edited = session.result()
    """

    @property
    def actions(self) -> tuple[str, ...]:
        """Methods that a history may name."""
        return (
            "add_spikes",
            "add_spikes_above",
            "remove_spikes",
            "remove_spikes_below",
            "remove_outliers",
            "recalculate_filter",
            "delete_unit",
            "merge_units",
            "remove_duplicates",
        )

    @one_thread()
    def add_spikes(
        self, unit: str | int, times_s: ArrayLike, *, tolerance_ms: float = 5.0, refractory_ms: float = 10.0
    ) -> Edit | None:
        """Add a spike at the peak of the source that is nearest to each time.

        Parameters
        ----------
        unit : str or int
        times_s : float or array-like
        tolerance_ms : float
            The peak, the largest sample within 2 ms on both sides and above 0, may be so far away.
        refractory_ms : float
            Least distance between two spikes. The detection never puts two nearer than 10 ms; give less
            for a doublet.

        Raises
        ------
        ParameterError
            A time without a peak near it, or whose peak is within the refractory time of another
            spike; nothing is added then.
        """
        field = "EditSession.add_spikes"
        one, given = self._unit(unit, "add_spikes"), self._times(times_s, "add_spikes")
        tolerance = arguments.positive(tolerance_ms, "ms", f"{field}.tolerance_ms")
        refractory = arguments.positive(refractory_ms, "ms", f"{field}.refractory_ms")
        wanted = (given - self._begin_s) * self._rate_hz
        peaks = trains.candidates(one.source, self._rate_hz)
        index, distance = trains.nearest(peaks, wanted)
        if distance.max() > tolerance * 1e-3 * self._rate_hz:
            far = int(np.argmax(distance))
            raise ParameterError(
                f"{field}.times_s",
                f"no peak of {one.name} within {tolerance:g} ms of {given[far]:.4f} s",
                "give the time of a peak, or a larger tolerance_ms",
            )
        spikes = np.sort(np.concatenate([one.spikes, peaks[index]]))
        self._check_distances(one, spikes, refractory)
        about = {"times_s": given, "tolerance_ms": tolerance, "refractory_ms": refractory}
        return self._retrained(one, spikes, "add_spikes", about)

    @one_thread()
    def add_spikes_above(
        self,
        unit: str | int,
        threshold: float,
        *,
        between: Span | None = None,
        refractory_ms: float = 10.0,
    ) -> Edit | None:
        """Add all peaks of the source above a threshold.

        Parameters
        ----------
        unit : str or int
        threshold : float
            The mean of the spikes there are is 1.
        between : tuple of float, optional
            Start and stop in s; None: the whole recording.
        refractory_ms : float
            Of two peaks nearer than this the higher counts; a peak nearer to a spike that is there is
            left out.
        """
        one, part = self._unit(unit, "add_spikes_above"), self._span(between, "add_spikes_above")
        high = arguments.positive(threshold, None, "EditSession.add_spikes_above.threshold")
        refractory = arguments.positive(refractory_ms, "ms", "EditSession.add_spikes_above.refractory_ms")
        distance = max(1, round(refractory * 1e-3 * self._rate_hz))
        spikes = trains.above(one.source, one.spikes, high, self._samples(part), distance)
        about = {"threshold": high, "between": part, "refractory_ms": refractory}
        return self._retrained(one, spikes, "add_spikes_above", about)

    @one_thread()
    def remove_spikes(
        self,
        unit: str | int,
        times_s: ArrayLike | None = None,
        *,
        between: Span | None = None,
        tolerance_ms: float = 5.0,
    ) -> Edit | None:
        """Remove the spikes nearest to some times, or all of a span.

        Parameters
        ----------
        unit : str or int
        times_s : float or array-like, optional
        between : tuple of float, optional
            Start and stop in s, in place of times.
        tolerance_ms : float
            A spike may be so far from the time that is given for it.

        Raises
        ------
        ParameterError
            A time without a spike near it, or two of them with the same; nothing is removed then.
        """
        field = "EditSession.remove_spikes"
        one = self._unit(unit, "remove_spikes")
        if (times_s is None) == (between is None):
            raise ParameterError(f"{field}.times_s", "neither or both of times_s and between", "give one")
        tolerance = arguments.positive(tolerance_ms, "ms", f"{field}.tolerance_ms")
        if times_s is None:
            part = self._span(between, "remove_spikes")
            first, last = self._samples(part)
            left = one.spikes[(one.spikes < first) | (one.spikes >= last)]
            return self._retrained(one, left, "remove_spikes", {"between": part})
        given = self._times(times_s, "remove_spikes")
        index, distance = trains.nearest(one.spikes, (given - self._begin_s) * self._rate_hz)
        far = int(np.argmax(distance))
        if distance[far] > tolerance * 1e-3 * self._rate_hz or len(np.unique(index)) < len(index):
            raise ParameterError(
                f"{field}.times_s",
                f"no spike of {one.name} within {tolerance:g} ms of {given[far]:.4f} s, or one for two times",
                "give the times of its spikes, each once",
            )
        about = {"times_s": given, "tolerance_ms": tolerance}
        return self._retrained(one, np.delete(one.spikes, index), "remove_spikes", about)

    @one_thread()
    def remove_spikes_below(
        self, unit: str | int, threshold: float, *, between: Span | None = None
    ) -> Edit | None:
        """Remove all spikes lower than a threshold, of which 1 is the mean of all; see `add_spikes_above`."""
        one, part = self._unit(unit, "remove_spikes_below"), self._span(between, "remove_spikes_below")
        low = arguments.positive(threshold, None, "EditSession.remove_spikes_below.threshold")
        first, last = self._samples(part)
        spikes = one.spikes
        gone = (spikes >= first) & (spikes < last) & (one.source[spikes] < low)
        about = {"threshold": low, "between": part}
        return self._retrained(one, spikes[~gone], "remove_spikes_below", about)

    @one_thread()
    def remove_outliers(self, unit: str | int, *, deviations: float = 3.0) -> Edit | None:
        """Remove the lower of two spikes wherever the discharge rate is far above the usual one.

        Parameters
        ----------
        unit : str or int
        deviations : float
            Far is so many standard deviations above the mean of the discharge rates, intervals
            above 250 ms left out.

        References
        ----------
        Avrillon, Hug, Baker, Gibbs, Farina (2024), J Electromyogr Kinesiol 77:102886
        """
        one = self._unit(unit, "remove_outliers")
        wide = arguments.positive(deviations, None, "EditSession.remove_outliers.deviations")
        spikes = trains.without_outliers(one.source, one.spikes, self._rate_hz, wide)
        return self._retrained(one, spikes, "remove_outliers", {"deviations": wide})

    @one_thread()
    def recalculate_filter(
        self, unit: str | int, *, between: Span | None = None, peel_off: bool = True, detect: bool = False
    ) -> Edit:
        """A new filter ``b = C^-1 mean x(spikes)``, and its source.

        The source is filtered such that no spike is seen through a filter that it helped to make.
        The filter for new data is changed with it, from signals of which nothing is peeled off.

        Parameters
        ----------
        unit : str or int
        between : tuple of float, optional
            Only spikes of this span make the filter, e.g. where the train is beyond doubt; the source is
            new everywhere.
        peel_off : bool
            The source is that of the signals less all other units. Remove duplicates of the unit first:
            they would take it away.
        detect : bool
            Take the spikes that stand out of the new source. Otherwise the train stays as it is.

        Raises
        ------
        ParameterError
            Too few spikes for a filter.
        """
        one, part = self._unit(unit, "recalculate_filter"), self._span(between, "recalculate_filter")
        field = "EditSession.recalculate_filter"
        peel, anew = (
            arguments.switch(value, f"{field}.{name}")
            for name, value in (("peel_off", peel_off), ("detect", detect))
        )
        first, last = self._samples(part)
        chosen = one.spikes[(one.spikes >= first) & (one.spikes < last)]
        others = [other.spikes for other in self._units if other is not one] if peel else []
        new = self._signals.refiltered(one.spikes, chosen, others, f"{field}.between")
        filtered = one.changed(
            new.detected if anew else one.spikes,
            self._rate_hz,
            source=new.source,
            weights=new.weights,
            centroids=new.centroids,
        )
        about = {"unit": one.name, "between": part, "peel_off": peel, "detect": anew}
        return self._step("recalculate_filter", about, self._with(one, filtered))

    @one_thread()
    def delete_unit(self, unit: str | int) -> Edit:
        """Delete a unit."""
        one = self._unit(unit, "delete_unit")
        return self._step("delete_unit", {"unit": one.name}, self._with(one, None))

    @one_thread()
    def merge_units(self, a: str | int, b: str | int, *, detect: bool = False) -> Edit:
        """Make one unit of two; it keeps the name of the first.

        The second is moved to where its action potential is most like that of the first (by up to 12
        ms). Spikes of it within 10 ms of one of the first are left out. The filter is calculated from all
        spikes, other units peeled off.

        Parameters
        ----------
        a, b : str or int
        detect : bool
            Take the spikes that stand out of the new source, rather than those of both.

        Raises
        ------
        ParameterError
            Twice the same unit, or too few spikes.
        """
        field = "EditSession.merge_units"
        one, other = self._unit(a, "merge_units", "a"), self._unit(b, "merge_units", "b")
        anew = arguments.switch(detect, f"{field}.detect")
        if one is other:
            raise ParameterError(f"{field}.b", f"{one.name} twice", "give two units")
        if min(len(one.spikes), len(other.spikes)) == 0:
            raise ParameterError(f"{field}.b", "a unit without spikes", "delete it")
        rate_hz = self._rate_hz
        rest = [u.spikes for u in self._units if u not in (one, other) and len(u.spikes)]
        first, second = self._signals.templates([one.spikes, other.spikes, *rest])[:2]
        lag = best_lag(first, second, round(_ALIGN_MS * 1e-3 * rate_hz))
        distance = round(REFRACTORY_S * rate_hz)
        spikes = trains.union(one.spikes, other.spikes + lag, distance, len(one.source))
        new = self._signals.refiltered(spikes, spikes, rest, f"{field}.a")
        merged = one.changed(
            new.detected if anew else spikes,
            rate_hz,
            source=new.source,
            weights=new.weights,
            centroids=new.centroids,
        )
        units = tuple(merged if u is one else u for u in self._units if u is not other)
        return self._step("merge_units", {"a": one.name, "b": other.name, "detect": anew}, units)

    @one_thread()
    def remove_duplicates(self) -> Edit | None:
        """Keep one unit of those that fire together.

        Two are the same where their trains coincide within 1 ms, at one lag, in 30 % of the spikes of the
        shorter one. The one with the best silhouette, less for irregular trains, is kept.
        """
        units = self._units
        found = Candidates(
            np.empty((len(units), 0, 0), np.float32),
            [unit.spikes for unit in units],
            np.empty((len(units), 2)),
            np.array([np.nan_to_num(unit.quality.sil[0], nan=-1.0) for unit in units]),
            np.array([unit.quality.cov_isi[0] for unit in units]),
        )
        silent = [i for i, unit in enumerate(units) if len(unit.spikes) == 0]
        kept = {*best_of_each(found, self._rate_hz).tolist(), *silent}
        if len(kept) == len(units):
            return None
        left = tuple(unit for i, unit in enumerate(units) if i in kept)
        return self._step("remove_duplicates", {}, left)

    def _times(self, times_s: ArrayLike, method: str) -> NDArray[np.float64]:
        spikes = self.original.spikes
        return arguments.times(times_s, spikes.t_start_s, spikes.t_stop_s, f"EditSession.{method}.times_s")

    def _check_distances(self, unit: UnitState, spikes: Train, refractory_ms: float) -> None:
        """Refuse added spikes that are too near to others."""
        added = ~np.isin(spikes, unit.spikes) | (np.diff(spikes, prepend=-1) == 0)
        distance = refractory_ms * 1e-3 * self._rate_hz
        near = (np.diff(spikes) < distance) & (added[1:] | added[:-1])
        if near.any():
            first = int(np.argmax(near))
            a, b = self._begin_s + spikes[first : first + 2] / self._rate_hz
            raise ParameterError(
                "EditSession.add_spikes.times_s",
                f"{unit.name} would fire at {a:.4f} and {b:.4f} s, within {refractory_ms:g} ms",
                "remove the other spike first, or give a shorter refractory_ms",
            )
