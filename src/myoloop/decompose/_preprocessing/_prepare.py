"""From a recording to signals that can be separated: band-passed, of unit variance, without bad channels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...data import Progress, Recording, silent
from ...errors import ParameterError
from ...parameters import Parameters, choice, count, number
from ...random import Streams
from .._threads import one_thread
from ._bad_channels import BadChannelLimits, neighbours_on_grid, rows_of, suspicious, without_signal
from ._band import FourierBand
from ._live import LiveFilter
from ._mains import remove_mains

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

SHORTEST_S = 1.0
INTRAMUSCULAR_HZ = 200.0
"""Bands for electrodes on the skin begin below this."""
BLOCK = 2**13
"""Samples that the causal filter takes at a time."""


@final
@dataclass(frozen=True, eq=False)
class Prepared:
    """What the separation works on.

    Parameters
    ----------
    values : ndarray of float32, shape (kept channels, samples)
        Band-passed, each channel divided by its scale.
    rate_hz : float
        Of the values; the recording's over a whole factor.
    t_start_s : float
        Time of the first sample.
    kept : ndarray of int, shape (kept channels,)
        Which channels of the recording these are.
    scale_uV : ndarray, shape (kept channels,)
        Standard deviation of each channel after the band-pass.
    bad : dict of str to str
        Name of each bad channel, and why it is bad.
    notes : tuple of str
        What a reader ought to know.
    filter : mapping
        How the values were made: all that `LiveFilter` needs beside `kept` and `scale_uV`, by name.
    """

    values: Float32Array
    rate_hz: float
    t_start_s: float
    kept: NDArray[np.int64]
    scale_uV: FloatArray
    bad: dict[str, str]
    notes: tuple[str, ...] = ()
    filter: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lines_hz(self) -> tuple[float, ...]:
        """Mains lines that were removed."""
        return tuple(self.filter.get("lines_hz", ()))

    def live(self) -> LiveFilter:
        """The causal filter for live use, with the same channels, scales and mains lines."""
        return LiveFilter(kept=self.kept, scale_uV=self.scale_uV, **self.filter)


@final
@dataclass(frozen=True, kw_only=True)
class Preprocessing(Parameters):
    """Band-pass, removal of mains, bad channels, resampling, unit variance.

    Parameters
    ----------
    low_hz, high_hz : float
        Band-pass, gain 1/2 at both. `high_hz` is limited to what the sampling rate allows, with a note.
    mains_hz : float, optional
        Frequency of the mains; None finds 50 or 60 Hz by itself, 0 leaves the mains where it is. Only lines
        that stand out of the spectrum are removed, from recordings of at least 2 s.
    working_rate_hz : float, optional
        The recording is resampled to its rate over the largest whole factor that leaves this much. None:
        2000 Hz, or 20/9 of `high_hz` where that is more.
    bad_channels : str
        ``"drop"`` leaves bad channels out; ``"noise"`` puts white noise in their place, so that the shape
        stays; ``"keep"`` only names those that hold a signal. None is ever set to zero: that would leave the
        covariance without full rank.
    limits : BadChannelLimits
        What makes a channel bad.
    least_channels : int
        Good channels that are needed.
    seed : int
        Of the noise in place of bad channels.
    """

    low_hz: float = number(20.0, above=0)
    high_hz: float = number(900.0, above=0)
    mains_hz: float | None = number(None, at_least=0, optional=True)
    working_rate_hz: float | None = number(None, above=0, optional=True)
    bad_channels: str = choice("drop", ("drop", "noise", "keep"))
    limits: BadChannelLimits = BadChannelLimits()  # noqa: RUF009
    least_channels: int = count(4)
    seed: int = count(0, at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low_hz < self.high_hz:
            raise ParameterError(
                "Preprocessing.low_hz",
                f"{self.low_hz:g} Hz with high_hz = {self.high_hz:g} Hz",
                "give less than high_hz",
            )
        if self.mains_hz is not None and 0 < self.mains_hz < 10:
            raise ParameterError(
                "Preprocessing.mains_hz",
                f"{self.mains_hz:g} Hz was given",
                "give 50 or 60 Hz, None to find it, or 0 to leave it",
            )

    @classmethod
    def surface(cls) -> Preprocessing:
        """For electrodes on the skin: 20 to 900 Hz."""
        return cls()

    @classmethod
    def intramuscular(cls) -> Preprocessing:
        """For electrodes in the muscle: 300 to 4400 Hz, where the sampling rate holds so much."""
        return cls(low_hz=300.0, high_hz=4400.0)

    @one_thread()
    def prepare(self, recording: Recording, progress: Progress = silent, *, causal: bool = False) -> Prepared:
        """Prepared signals of a recording.

        Parameters
        ----------
        recording : Recording
        progress : Progress
        causal : bool
            Make the values with the filter for live use (see `LiveFilter`), so that what is learned from them
            holds online. Bad channels and mains lines are found without it.

        Raises
        ------
        ParameterError
            For a recording that is too short, sampled too slowly for the band, has gaps in most channels, or
            has too few good channels.
        """
        plan = _Plan.of(self, recording)
        none, reasons = without_signal(recording, self.limits)
        keep = self.bad_channels == "keep"
        rows = np.array(
            [i for i in range(len(recording)) if i not in none and (keep or i not in reasons)], dtype=np.int64
        )
        self._check_enough(recording, none | reasons, len(rows))
        values = plan.filtered(recording, rows, progress)
        lines, power = remove_mains(values, plan.rate_out_hz, self.mains_hz, self.low_hz, plan.high_hz)
        names = [recording.channels[i] for i in rows]
        grid = plan.neighbours(recording, rows)
        for i, reason in suspicious(values, names, power, grid, self.limits).items():
            reasons.setdefault(int(rows[i]), reason)
        bad = dict(sorted((none | reasons).items()))
        good = np.array([i not in bad for i in rows], dtype=bool)
        self._check_enough(recording, bad, len(rows) if keep else int(good.sum()))
        if not keep and not good.all():
            rows, values = rows[good], values[good]
        scale = _scaled(values)
        kept, replaced = rows, []
        if self.bad_channels == "noise" and bad:
            kept = np.arange(len(recording))
            replaced = [(i, recording.channels[i]) for i in bad]
            values, scale = self._filled(values, scale, rows, len(kept), replaced)
        made = {**plan.made(lines), "replaced": tuple(replaced), "seed": self.seed}
        named = {recording.channels[i]: why for i, why in bad.items()}
        notes = plan.notes(lines)
        out = Prepared(values, plan.rate_out_hz, recording.t_start_s, kept, scale, named, notes, made)
        return _causal(out, recording, None) if causal else out

    @one_thread()
    def prepare_as(
        self,
        recording: Recording,
        kept: ArrayLike,
        scale_uV: ArrayLike,  # noqa: N803
        progress: Progress = silent,
        *,
        causal: bool = False,
    ) -> Prepared:
        """Another recording of the same channels, prepared with the same scales.

        Parameters
        ----------
        recording : Recording
        kept : array-like of int, shape (kept channels,)
        scale_uV : array-like, shape (kept channels,)
        progress : Progress
        causal : bool
            See `prepare`.

        Raises
        ------
        ParameterError
            Where the recording lacks a channel, or a channel in use lacks samples.
        """
        rows, scale = np.array(kept, dtype=np.int64), np.array(scale_uV, dtype=np.float64)
        if rows.size == 0 or rows.max() >= len(recording):
            raise ParameterError(
                "Preprocessing.prepare_as",
                f"channel {rows.max(initial=-1)} of a recording with {len(recording)} channels",
                "give a recording with the channels that the filters were learned on",
            )
        plan = _Plan.of(self, recording)
        for i in rows:
            if np.isnan(recording.values_uV[i].sum(dtype=np.float64)):
                raise ParameterError(
                    "Recording.values_uV",
                    f"NaN in channel {recording.channels[i]}, which the filters use",
                    "cut the recording where the channel is whole, or learn filters without it",
                )
        values = plan.filtered(recording, rows, progress)
        lines, _ = remove_mains(values, plan.rate_out_hz, self.mains_hz, self.low_hz, plan.high_hz)
        values /= scale[:, None].astype(np.float32)
        made = {**plan.made(lines), "replaced": (), "seed": self.seed}
        out = Prepared(
            values, plan.rate_out_hz, recording.t_start_s, rows, scale, {}, plan.notes(lines), made
        )
        return _causal(out, recording, scale) if causal else out

    def _filled(
        self, values: Float32Array, scale: FloatArray, rows: NDArray[np.int64], n: int, replaced: list[Any]
    ) -> tuple[Float32Array, FloatArray]:
        """All channels, with noise in place of those that are not in `rows`."""
        whole = np.empty((n, values.shape[1]), np.float32)
        scales = np.full(n, np.median(scale))
        whole[rows], scales[rows] = values, scale
        for i, name in replaced:
            generator = Streams(self.seed).child("bad channel", name).generator()
            whole[i] = generator.standard_normal(values.shape[1], dtype=np.float32)
        return whole, scales

    def _check_enough(self, recording: Recording, bad: dict[int, str], good: int) -> None:
        if good >= self.least_channels:
            return
        listed = [f"{recording.channels[i]}: {why}" for i, why in sorted(bad.items())[:8]]
        more = f" and {len(bad) - 8} more" if len(bad) > 8 else ""
        reasons = f" ({'; '.join(listed)}{more})" if listed else ""
        raise ParameterError(
            "Preprocessing.least_channels",
            f"{good} good of {len(recording)} channels where {self.least_channels} are needed{reasons}",
            "mend the channels, set limits that let them pass, or ask for fewer",
        )


@one_thread()
def find_bad_channels(recording: Recording, preprocessing: Preprocessing | None = None) -> dict[str, str]:
    """Name of each bad channel, and why it is bad.

    Parameters
    ----------
    recording : Recording
    preprocessing : Preprocessing, optional
        Its band, and the limits. None: that for the kind of electrodes.

    Raises
    ------
    ParameterError
        As `Preprocessing.prepare`, but for too few good channels.
    """
    inside = recording.electrodes is not None and recording.electrodes.intramuscular
    chosen = preprocessing or (Preprocessing.intramuscular() if inside else Preprocessing.surface())
    plan = _Plan.of(chosen, recording)
    none, reasons = without_signal(recording, chosen.limits)
    rows = np.array([i for i in range(len(recording)) if i not in none and i not in reasons], dtype=np.int64)
    if len(rows):
        values = plan.filtered(recording, rows, silent)
        power = remove_mains(values, plan.rate_out_hz, chosen.mains_hz, chosen.low_hz, plan.high_hz)[1]
        grid = plan.neighbours(recording, rows)
        found = suspicious(values, [recording.channels[i] for i in rows], power, grid, chosen.limits)
        reasons |= {int(rows[i]): why for i, why in found.items()}
    return {recording.channels[i]: why for i, why in sorted((none | reasons).items())}


@final
@dataclass(frozen=True)
class _Plan:
    """Band and resampling for one recording."""

    rate_hz: float
    factor: int
    low_hz: float
    high_hz: float
    wanted_hz: float

    @classmethod
    def of(cls, asked: Preprocessing, recording: Recording) -> _Plan:
        rate = recording.rate_hz
        shortest = max(SHORTEST_S, 4 / asked.low_hz)
        if recording.duration_s < shortest:
            raise ParameterError(
                "Recording.values_uV",
                f"{recording.values_uV.shape[1]} samples at {rate:g} Hz are {recording.duration_s:.3g} s",
                f"give at least {shortest:g} s, or check the sampling rate",
            )
        working = asked.working_rate_hz or max(2000.0, asked.high_hz * 20 / 9)
        factor = max(1, int(rate / working + 1e-9))
        high = min(asked.high_hz, 0.475 * rate / factor)
        if high < asked.high_hz and high < 3 * asked.low_hz:
            raise ParameterError(
                "Preprocessing.low_hz",
                f"a sampling rate of {rate / factor:g} Hz holds nothing above {high:g} Hz, where "
                f"{asked.low_hz:g} to {asked.high_hz:g} Hz are wanted",
                "check the sampling rate of the recording, or give a band below half of it",
            )
        return cls(rate, factor, asked.low_hz, high, asked.high_hz)

    @property
    def rate_out_hz(self) -> float:
        return self.rate_hz / self.factor

    def filtered(self, recording: Recording, rows: NDArray[np.int64], progress: Progress) -> Float32Array:
        """Some channels band-passed, shape (rows, samples out)."""
        samples = recording.values_uV.shape[1]
        edges = 0.5 * self.low_hz, 0.1 * self.high_hz
        band = FourierBand(samples, self.rate_hz, self.low_hz, self.high_hz, *edges, self.factor)

        def channels() -> Iterator[NDArray[Any]]:
            for done, (_, row) in enumerate(rows_of(recording.values_uV, rows)):
                progress("filter", done, len(rows), "channels")
                yield row
            progress("filter", len(rows), len(rows), "channels")

        values = np.empty((len(rows), band.samples_out), np.float32)
        band.filtered(channels(), values)
        return values

    def neighbours(self, recording: Recording, rows: NDArray[np.int64]) -> list[NDArray[np.int64]] | None:
        """See `neighbours_on_grid`; without electrodes, the band tells whether they are in the muscle."""
        if recording.electrodes is None and self.low_hz >= INTRAMUSCULAR_HZ:
            return None
        return neighbours_on_grid(recording.electrodes, rows)

    def made(self, lines: tuple[float, ...]) -> dict[str, Any]:
        """Arguments of the corresponding `LiveFilter`."""
        return {
            "rate_hz": self.rate_hz,
            "low_hz": self.low_hz,
            "high_hz": self.high_hz,
            "factor": self.factor,
            "lines_hz": lines,
        }

    def notes(self, lines: tuple[float, ...]) -> tuple[str, ...]:
        notes = []
        if self.high_hz < self.wanted_hz:
            wanted = f"{self.wanted_hz:g} Hz as asked" if self.factor == 1 else f"{self.wanted_hz:g} Hz"
            notes.append(f"band-pass up to {self.high_hz:g} Hz instead of {wanted}: limited by the rate")
        if self.factor > 1:
            notes.append(f"resampled from {self.rate_hz:g} to {self.rate_out_hz:g} Hz")
        if lines:
            notes.append(f"mains removed at {', '.join(f'{hz:.1f}' for hz in lines)} Hz")
        return tuple(notes)


def _scaled(values: Float32Array) -> FloatArray:
    """Divide each channel by its standard deviation in place, and return that."""
    mean = np.array([row.mean() for row in values], dtype=np.float64)
    square = np.array([np.dot(row, row) for row in values], dtype=np.float64) / values.shape[1]
    scale = np.sqrt(square - mean**2)
    values /= scale[:, None].astype(np.float32)
    return np.asarray(scale)


def _causal(prepared: Prepared, recording: Recording, scale: FloatArray | None) -> Prepared:
    """The same channels through the causal filter; scaled to unit variance where no scale is given."""
    first = prepared.scale_uV if scale is None else scale
    live = LiveFilter(kept=prepared.kept, scale_uV=first, **prepared.filter)
    values, done = prepared.values, 0  # in place: two of them are too much for a long recording
    for start in range(0, recording.values_uV.shape[1], BLOCK):
        block = live.process(recording.values_uV[:, start : start + BLOCK])
        values[:, done : done + block.shape[1]] = block
        done += block.shape[1]
    if scale is None:
        noise = [i for i, _ in prepared.filter["replaced"]]
        real = np.delete(np.arange(len(values)), noise)
        ratio = np.ones(len(values))
        ratio[real] = [np.std(values[i], dtype=np.float64) for i in real]
        values /= ratio[:, None].astype(np.float32)
        first = first * ratio
        first[noise] = np.median(first[real])
    return replace(prepared, values=values, scale_uV=first)
