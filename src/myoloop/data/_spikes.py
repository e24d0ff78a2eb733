"""Spike times of a population of units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError, shown
from ..units import to_float

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_MOST_UNITS = 10**9


@final
@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """Spike times of n units between `t_start_s` and `t_stop_s`.

    Units that never fired are kept: index i is always unit i of its pool. Make one with `from_trains`
    or `from_events`, which check and sort out what they are given.

    Parameters
    ----------
    times_s : ndarray, shape (spikes,)
        All spike times in s, unit after unit, ascending within each unit.
    starts : ndarray of int, shape (n + 1,)
        The spikes of unit i are ``times_s[starts[i]:starts[i + 1]]``.
    t_start_s, t_stop_s : float
        The time over which the units were observed.
    annotations : mapping of str to ndarray, shape (n,)
        What is known of each unit, e.g. its recruitment threshold.
    name : str
        Name of the population.
    """

    times_s: FloatArray
    starts: IntArray
    t_stop_s: float
    t_start_s: float = 0.0
    annotations: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        times = np.array(to_float(self.times_s, "s", "SpikeTrains.times_s")).reshape(-1)
        starts = _whole_numbers(self.starts, "SpikeTrains.starts").copy()
        begin, end = (_time(getattr(self, name), name) for name in ("t_start_s", "t_stop_s"))
        _check_layout(times, starts)
        _check_times(times, starts, begin, end)
        annotations = {key: _array(key, value) for key, value in self.annotations.items()}
        for key, value in annotations.items():
            if value.shape[:1] != (len(starts) - 1,):
                raise ParameterError(
                    f"SpikeTrains.annotations[{key!r}]",
                    f"{value.shape[:1]} values for {len(starts) - 1} units",
                    "give one value for each unit",
                )
        for array in (times, starts):
            array.flags.writeable = False
        checked: dict[str, Any] = {
            "times_s": times,
            "starts": starts,
            "t_start_s": begin,
            "t_stop_s": end,
            "annotations": annotations,
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_trains(
        cls, trains: Iterable[ArrayLike], t_stop_s: float, t_start_s: float = 0.0, **about: Any
    ) -> SpikeTrains:
        """Make spike trains from one array of ascending times (s) for each unit."""
        arrays = [np.asarray(to_float(train, "s", "SpikeTrains.times_s")).reshape(-1) for train in trains]
        starts = np.concatenate([[0], np.cumsum([len(a) for a in arrays], dtype=np.int64)])
        times = np.concatenate(arrays) if arrays else np.empty(0)
        return cls(times, starts.astype(np.int64), t_stop_s, t_start_s, **about)

    @classmethod
    def from_events(
        cls,
        units: ArrayLike,
        times_s: ArrayLike,
        n_units: int,
        t_stop_s: float,
        t_start_s: float = 0.0,
        **about: Any,
    ) -> SpikeTrains:
        """Make spike trains from events (unit index, time in s) in any order."""
        unit = _whole_numbers(units, "SpikeTrains.units")
        times = np.asarray(to_float(times_s, "s", "SpikeTrains.times_s")).reshape(-1)
        n_units = int(_whole_numbers(n_units, "SpikeTrains.n_units")[0])
        if n_units < 0 or n_units > _MOST_UNITS:
            raise ParameterError("SpikeTrains.n_units", f"{n_units} was given", "give 0 or more")
        if len(unit) != len(times):
            raise ParameterError(
                "SpikeTrains.units", f"{len(unit)} units, {len(times)} times", "give one of each"
            )
        if len(unit) and (unit.min() < 0 or unit.max() >= n_units):
            raise ParameterError(
                "SpikeTrains.units",
                f"units {unit.min()} to {unit.max()} were given for n_units {n_units}",
                "give indices from 0 to n_units - 1",
            )
        order = np.lexsort((times, unit))
        counts = np.bincount(unit, minlength=n_units)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(times[order], starts, t_stop_s, t_start_s, **about)

    def __len__(self) -> int:
        """Number of units, silent ones included."""
        return len(self.starts) - 1

    def __getitem__(self, unit: int) -> FloatArray:
        """Spike times of one unit in s."""
        if not -len(self) <= unit < len(self):
            raise IndexError(f"unit {unit} of {len(self)}")
        unit %= len(self)
        return self.times_s[self.starts[unit] : self.starts[unit + 1]]

    def __iter__(self) -> Iterator[FloatArray]:
        return (self[unit] for unit in range(len(self)))

    def __repr__(self) -> str:
        return (
            f"SpikeTrains({self.name!r}, {len(self)} units, {self.active.sum()} active, "
            f"{len(self.times_s)} spikes, {self.t_start_s:g}-{self.t_stop_s:g} s)"
        )

    @property
    def duration_s(self) -> float:
        """Length of the observation in s."""
        return self.t_stop_s - self.t_start_s

    @property
    def counts(self) -> IntArray:
        """Spikes of each unit, shape (n,)."""
        return np.diff(self.starts)

    @property
    def active(self) -> NDArray[np.bool_]:
        """Which units fired at least once, shape (n,)."""
        return self.counts > 0

    @property
    def units(self) -> IntArray:
        """Unit index of each spike in `times_s`, shape (spikes,)."""
        return np.repeat(np.arange(len(self)), self.counts)

    def select(self, units: Sequence[int] | NDArray[Any]) -> SpikeTrains:
        """The given units only (indices or a mask), in the given order."""
        index = np.asarray(units)
        chosen = np.arange(len(self))[index if index.size else index.astype(np.int64)]
        return SpikeTrains.from_trains(
            [self[int(u)] for u in chosen],
            self.t_stop_s,
            self.t_start_s,
            annotations={key: value[chosen] for key, value in self.annotations.items()},
            name=self.name,
        )

    def between(self, start_s: float, stop_s: float) -> SpikeTrains:
        """Spikes with ``start_s <= t < stop_s``; times keep their origin."""
        if not self.t_start_s <= start_s < stop_s <= self.t_stop_s + 1e-12:
            raise ParameterError(
                "SpikeTrains.between",
                f"{start_s:g} to {stop_s:g} s was asked of {self.t_start_s:g} to {self.t_stop_s:g} s",
                "ask for a part of the observed time",
            )
        inside = (self.times_s >= start_s) & (self.times_s < stop_s)
        counts = np.bincount(self.units[inside], minlength=len(self))
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return SpikeTrains(self.times_s[inside], starts, stop_s, start_s, self.annotations, self.name)

    def delayed(self, delay_s: float | FloatArray) -> SpikeTrains:
        """All spikes later by `delay_s`, one number or one for each unit; what then lies outside is cut."""
        delays = np.broadcast_to(np.asarray(delay_s, dtype=np.float64), (len(self),))
        units, times = self.units, self.times_s + np.repeat(delays, self.counts)
        inside = (times >= self.t_start_s) & (times <= self.t_stop_s)
        return SpikeTrains.from_events(
            units[inside],
            times[inside],
            len(self),
            self.t_stop_s,
            self.t_start_s,
            annotations=self.annotations,
            name=self.name,
        )

    def rates_pps(self) -> FloatArray:
        """Mean rate of each unit from its interspike intervals, NaN below two spikes; shape (n,)."""
        return _per_unit(self, lambda isi: 1.0 / isi.mean(), at_least=1)

    def isi_cv(self) -> FloatArray:
        """Coefficient of variation of each unit's interspike intervals, NaN below three spikes."""
        return _per_unit(self, lambda isi: float(np.std(isi, ddof=1) / isi.mean()), at_least=2)

    def binned(self, bin_s: float) -> IntArray:
        """Spike counts of all units together in consecutive bins of `bin_s`, shape (bins,)."""
        n_bins = int(np.floor(self.duration_s / bin_s + 1e-9))
        index = np.floor((self.times_s - self.t_start_s) / bin_s + 1e-9).astype(np.int64)
        return np.bincount(index[index < n_bins], minlength=n_bins)


def _array(key: str, value: Any) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except (TypeError, ValueError):
        raise ParameterError(
            f"SpikeTrains.annotations[{key!r}]",
            f"a {type(value).__name__} was given",
            "give one value for each unit",
        ) from None


def _per_unit(trains: SpikeTrains, statistic: Any, at_least: int) -> FloatArray:
    intervals = (np.diff(train) for train in trains)
    return np.array([statistic(i) if len(i) >= at_least else np.nan for i in intervals])


def _whole_numbers(value: ArrayLike, field: str) -> IntArray:
    """Flat array of whole numbers; raises ParameterError."""
    array = np.asarray(to_float(value, None, field) if isinstance(value, str | list | tuple) else value)
    if array.size == 0:
        return np.empty(0, dtype=np.int64)
    right = array.dtype.kind in "iu" or (array.dtype.kind == "f" and np.all(array == np.rint(array)))
    if not right or not np.all(np.abs(array) < 2.0**62):
        raise ParameterError(field, f"{shown(value)} was given", "give whole numbers")
    return array.astype(np.int64).reshape(-1)


def _time(value: Any, name: str) -> float:
    time_s = to_float(value, "s", f"SpikeTrains.{name}")
    if not isinstance(time_s, float):
        raise ParameterError(f"SpikeTrains.{name}", f"{shown(value)} was given", "give one time in s")
    return time_s


def _check_layout(times: FloatArray, starts: IntArray) -> None:
    if len(starts) < 1 or starts[0] != 0 or starts[-1] != len(times) or np.any(np.diff(starts) < 0):
        raise ParameterError(
            "SpikeTrains.starts",
            f"the starts do not divide {len(times)} spikes into units",
            "use SpikeTrains.from_trains or from_events",
        )


def _check_times(times: FloatArray, starts: IntArray, begin: float, end: float) -> None:
    if not (np.isfinite(begin) and np.isfinite(end) and begin < end):
        raise ParameterError(
            "SpikeTrains.t_stop_s", f"{begin:g} to {end:g} s was given", "give a stop after the start"
        )
    if not np.all(np.isfinite(times)):
        raise ParameterError("SpikeTrains.times_s", "NaN or infinite times", "leave them out")
    outside = (times < begin) | (times > end)
    if np.any(outside):
        raise ParameterError(
            "SpikeTrains.times_s",
            f"a spike at {times[np.argmax(outside)]:g} s lies outside {begin:g} to {end:g} s",
            "give times in s within t_start_s and t_stop_s",
        )
    descending = np.diff(times) < 0
    descending[starts[1:-1][(starts[1:-1] > 0) & (starts[1:-1] < len(times))] - 1] = False
    if np.any(descending):
        at = int(np.argmax(descending))
        unit = int(np.searchsorted(starts, at, side="right") - 1)
        raise ParameterError(
            "SpikeTrains.times_s",
            f"unit {unit} is not sorted: {times[at + 1]:g} s after {times[at]:g} s",
            "sort each unit's times, or use SpikeTrains.from_events",
        )
