"""EMG from action potentials and spikes, in consecutive blocks."""

from __future__ import annotations

import math
import warnings
from functools import cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...data import ActionPotentialPath, ActionPotentials, Progress, SpikeTrains, as_spike_trains, silent
from ...errors import MyoloopWarning, ParameterError, shown
from ...random import Streams
from ._jitter import DischargeJitter
from ._taps import TAPS, delay_error, delay_taps

Block = NDArray[np.float32]

_WARN_ABOVE = 1e-2
_BLOCK = 4096  # samples of a step of the batch form; any gives the same bits


@cache
def _compiled() -> Any:
    """Return the module that needs Numba, at the first step."""
    from . import _kernels as _synthesis_kernels

    return _synthesis_kernels


@final
class Synthesis:
    """EMG of given spikes: the sum of what each discharge adds to each channel.

    Discharges lie at any time between samples. Each adds its unit's potential delayed by band-limited
    interpolation over 16 samples, whose greatest error is 1e-4 up to .29 of the sampling rate (594 Hz at
    2048 Hz) and 6e-4 up to .35; one on a sample adds the potential itself. Blocks of any sizes give the
    same samples, bit by bit.

    Memory: ``4 knots units (1 + P) channels samples`` bytes for a table of potentials (knots of a path, P
    variations of the jitter; 31 MB for 500 units, 256 channels and 60 samples without either), 20 bytes a
    spike, and a block.

    Parameters
    ----------
    potentials : ActionPotentials or ActionPotentialPath
        Well below the Nyquist frequency (their low-pass at .3 of the rate or less), near 0 at their ends.
        The EMG has their rate.
    spikes : SpikeTrains, neo.Block, neo.Segment or list of neo.SpikeTrain
        Of units 0, 1, ... of `potentials`, as many as these or fewer. Sample 0 is at their `t_start_s`.
        Discharges before it are not known, so the first potential's length holds less than it should.
    jitter : DischargeJitter, or a tuple of them, one for each knot of the path, optional
        Of one for all knots the same variations are taken along the path.
    seed : int
        Of the jitter; what a discharge draws depends on its unit and its number in that unit's train.

    Raises
    ------
    ParameterError
        More units than potentials, or jitter of another shape.

    Warns
    -----
    MyoloopWarning
        Potentials so close to the Nyquist frequency that interpolation errs by more than 1 %.
    """

    def __init__(
        self,
        potentials: ActionPotentials | ActionPotentialPath,
        spikes: Any,
        jitter: DischargeJitter | tuple[DischargeJitter, ...] | None = None,
        seed: int = 0,
    ) -> None:
        self._path: ActionPotentialPath | None = None
        if isinstance(potentials, ActionPotentialPath):
            self._path, sources = potentials, potentials.potentials
        else:
            sources = (potentials,)
        jitters = _for_each_knot(jitter, sources)
        self._first = sources[0]
        self._units = len(sources[0])
        self._variations = jitters[0].variations_uV.shape[1] if jitters else 0
        self._key = Streams(seed).child("emg", "jitter").key
        _check_band(sources[0])
        self._table = _table(sources, jitters)
        _, length, channels = self._table.shape
        self._scratch = np.zeros((length + 2 * (TAPS - 1), channels), dtype=np.float32)
        trains = as_spike_trains(spikes)
        self._t_start_s, self._next = trains.t_start_s, 0
        self._unit = self._number = np.empty(0, dtype=np.int64)
        self._time = np.empty(0)
        self._count = np.zeros(self._units, dtype=np.int64)
        self._known_s = trains.t_start_s
        self.extend(trains)

    @property
    def rate_hz(self) -> float:
        """Sampling rate."""
        return self._first.rate_hz

    @property
    def t_start_s(self) -> float:
        """Time of sample 0."""
        return self._t_start_s

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self._table.shape[2])

    @property
    def samples_done(self) -> int:
        """Number of samples given so far."""
        return self._next

    @property
    def samples(self) -> int:
        """Number of samples before the end of the spikes known so far."""
        return max(0, math.ceil((self._known_s - self._t_start_s) * self.rate_hz - 1e-6))

    @property
    def samples_settled(self) -> int:
        """Number of samples that no later spike can change.

        Less than `samples` by half the width of the interpolator, 8 samples, and by what potentials
        that begin before their discharge reach back.
        """
        begin = (self._known_s - self._t_start_s + self._first.t_start_s) * self.rate_hz
        return max(0, min(self.samples, math.floor(begin) - TAPS // 2 + 1))

    def extend(self, spikes: Any) -> None:
        """Add the spikes of the next window of time, in a closed loop.

        Parameters
        ----------
        spikes : SpikeTrains
            Beginning where those known so far end.

        Raises
        ------
        ParameterError
            A gap or an overlap, more units than potentials, or samples given already that these spikes
            could have changed (see `samples_settled`).
        """
        trains = as_spike_trains(spikes)
        self._check_window(trains)
        unit, count = trains.units, np.zeros(self._units, dtype=np.int64)
        count[: len(trains)] = trains.counts
        number = np.arange(len(unit)) - trains.starts[unit] + self._count[unit]
        pending = self._begins(self._time)[0] + self._length > self._next
        units = np.concatenate([self._unit[pending], unit])
        order = np.argsort(units, kind="stable")
        self._unit = units[order]
        self._number = np.concatenate([self._number[pending], number])[order]
        self._time = np.concatenate([self._time[pending], trains.times_s])[order]
        self._count = self._count + count
        self._known_s = trains.t_stop_s
        self._start, self._fraction = self._begins(self._time)
        self._unit_starts = np.searchsorted(self._unit, np.arange(self._units + 1)).astype(np.int64)
        self._cursor = self._unit_starts[:-1].copy()

    def step(self, n_samples: int) -> Block:
        """Return the next samples.

        Parameters
        ----------
        n_samples : int
            From 1 to ``samples - samples_done``.

        Returns
        -------
        ndarray of float32, shape (n_samples, channels)
            In uV.
        """
        left = self.samples - self._next
        whole = isinstance(n_samples, int | np.integer) and not isinstance(n_samples, bool)
        if not whole or not 1 <= n_samples <= left:
            raise ParameterError(
                "Synthesis.step.n_samples",
                f"{shown(n_samples)} was given, the spikes known so far leave {left}",
                "give 1 to that many, or extend the spikes first",
            )
        out = np.zeros((n_samples, self.channels), dtype=np.float32)
        stop = self._next + int(n_samples)
        kernels = _compiled()
        counts = kernels.overlapping(
            self._start, self._unit_starts, self._cursor, self._length, self._next, stop
        )
        chosen = np.repeat(self._cursor - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        if len(chosen):
            rows, weights = self._terms(chosen)
            taps = delay_taps(self._fraction[chosen])
            kernels.add_discharges(
                out, self._next, self._start[chosen], taps, rows, weights, self._table, self._scratch
            )
        self._next = stop
        return out

    @property
    def _length(self) -> int:
        """Samples of a delayed potential."""
        return int(self._table.shape[1]) + TAPS - 1

    def _begins(self, times_s: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Sample at which each delayed potential begins, and the fraction of its delay."""
        place = ((times_s - self._t_start_s) + self._first.t_start_s) * self.rate_hz
        near = np.rint(place)
        place = np.where(np.abs(place - near) < 1e-9 * (1.0 + np.abs(near)), near, place)  # on a sample
        whole = np.floor(place)
        return whole.astype(np.int64) - (TAPS // 2 - 1), place - whole

    def _terms(self, chosen: NDArray[np.int64]) -> tuple[NDArray[np.int64], Block]:
        """Rows of the table that each discharge draws on, and their weights."""
        unit = self._unit[chosen]
        first, knot_weights = np.zeros(len(chosen), dtype=np.int64), np.ones((len(chosen), 1))
        if self._path:
            first, knot_weights = self._path.weights(self._path.coordinate_at(unit, self._time[chosen]))
        parts = 1 + self._variations
        part_weights = np.ones((len(chosen), parts))
        if self._variations:
            normals = np.empty((len(chosen), 2 * -(-self._variations // 2)))
            _compiled().draw_normals(self._key, unit, self._number[chosen], normals)
            part_weights[:, 1:] = normals[:, : self._variations] / np.sqrt(self._variations)
        knots = first[:, None] + np.arange(knot_weights.shape[1])
        rows = ((knots * self._units + unit[:, None]) * parts)[:, :, None] + np.arange(parts)
        weights = knot_weights[:, :, None] * part_weights[:, None, :]
        flat = len(chosen), -1
        return rows.reshape(flat), weights.reshape(flat).astype(np.float32)

    def _check_window(self, trains: SpikeTrains) -> None:
        if len(trains) > self._units:
            raise ParameterError(
                "Synthesis.spikes",
                f"{len(trains)} units were given, but potentials of {self._units} units",
                "give potentials of every unit, or select units of the spikes",
            )
        if abs(trains.t_start_s - self._known_s) > 1e-9:
            raise ParameterError(
                "Synthesis.extend.spikes",
                f"they begin at {trains.t_start_s:.9g} s, those before end at {self._known_s:.9g} s",
                "give consecutive windows",
            )
        if self._next > self.samples_settled:
            raise ParameterError(
                "Synthesis.extend.spikes",
                f"they may change samples from {self.samples_settled} on, and {self._next} were given",
                "take no more than samples_settled before extending",
            )


def synthesise(
    potentials: ActionPotentials | ActionPotentialPath,
    spikes: Any,
    jitter: DischargeJitter | tuple[DischargeJitter, ...] | None = None,
    seed: int = 0,
    *,
    progress: Progress = silent,
) -> Block:
    """EMG of all spikes at once; see `Synthesis`.

    Returns
    -------
    ndarray of float32, shape (channels, samples)
        In uV; samples from ``spikes.t_start_s`` to before ``spikes.t_stop_s``.
    """
    synthesis = Synthesis(potentials, spikes, jitter, seed)
    out = np.empty((synthesis.channels, synthesis.samples), dtype=np.float32)
    for first in range(0, synthesis.samples, _BLOCK):
        n = min(_BLOCK, synthesis.samples - first)
        out[:, first : first + n] = synthesis.step(n).T
        progress("EMG", (first + n) / synthesis.rate_hz, synthesis.samples / synthesis.rate_hz)
    return out


def _for_each_knot(
    jitter: DischargeJitter | tuple[DischargeJitter, ...] | None, sources: tuple[ActionPotentials, ...]
) -> tuple[DischargeJitter, ...]:
    if jitter is None:
        return ()
    given = (jitter,) * len(sources) if isinstance(jitter, DischargeJitter) else tuple(jitter)
    if len(given) != len(sources):
        raise ParameterError(
            "Synthesis.jitter", f"{len(given)} for {len(sources)} knots", "give one for all or for each knot"
        )
    for one, source in zip(given, sources, strict=True):
        one.check(source)
        if one.variations_uV.shape[1] != given[0].variations_uV.shape[1]:
            raise ParameterError(
                "Synthesis.jitter", "knots differ in the number of variations", "give as many at each"
            )
    return given


def _table(sources: tuple[ActionPotentials, ...], jitters: tuple[DischargeJitter, ...]) -> Block:
    """Potentials and their variations, shape (knots x units x (1 + variations), samples, channels)."""
    units, channels, samples = sources[0].values_uV.shape
    variations = jitters[0].variations_uV.shape[1] if jitters else 0
    table = np.empty((len(sources), units, 1 + variations, samples, channels), dtype=np.float32)
    for k, source in enumerate(sources):
        mean = jitters[k].mean(source) if jitters else source.values_uV
        table[k, :, 0] = mean.transpose(0, 2, 1)
        if jitters:
            table[k, :, 1:] = jitters[k].variations_uV.transpose(0, 1, 3, 2)
    return table.reshape(-1, samples, channels)


def _check_band(potentials: ActionPotentials) -> None:
    errors = delay_error(potentials.values_uV)
    worst = int(np.argmax(errors))
    if errors[worst] > _WARN_ABOVE:
        warnings.warn(
            f"action potentials of {np.sum(errors > _WARN_ABOVE)} units are too close to the Nyquist "
            f"frequency of {potentials.rate_hz / 2:g} Hz, or cut at their ends: discharges between samples "
            f"err by up to {100 * errors[worst]:.2g} % of the peak (unit {worst}); low-pass them, or raise "
            "the rate",
            MyoloopWarning,
            stacklevel=3,
        )
