"""Tracks of an archive (the channels of one adapter or sensor) as recordings and auxiliary signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...data import Recording, Signal
from .._files import refuse
from .._summary import RecordingSummary
from ._base import Overview, chosen
from ._tar import Archive, say, tell_clipped, unique

_FLOAT32_BITS = 24  # float32 holds whole numbers of so many bits

VOLTS_UV = {"uV": 1.0, "µV": 1.0, "μV": 1.0, "mV": 1e3, "V": 1e6, "nV": 1e-3}
"""uV in each unit of voltage (both letters for micro)."""


@final
@dataclass(frozen=True)
class Track:
    """Neighbouring channels with one scale.

    Parameters
    ----------
    name : str
    stream : str
        Member of the archive with its samples.
    n_channels : int
        Channels in a frame of the stream.
    kind : str
        Type of a stored sample, see `Archive.columns`.
    columns : tuple of int
        Its channels within a frame.
    channels : tuple of str
        Their names.
    rate_hz : float
    scale : tuple of float
        Of each channel: from a stored number to `unit`.
    unit : str
        ``"uV"`` for EMG.
    bits : int
        Of the converter, whose extremes count as clipped; 0 where there is none.
    series : str
        Recording that it belongs to; empty for a signal that belongs to each.
    emg : bool
    about : dict
    """

    name: str
    stream: str
    n_channels: int
    kind: str
    columns: tuple[int, ...]
    channels: tuple[str, ...]
    rate_hz: float
    scale: tuple[float, ...]
    unit: str
    bits: int = 0
    series: str = ""
    emg: bool = False
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def itemsize(self) -> int:
        """Bytes of a stored sample."""
        return int(self.kind[2:])

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """Type that holds each stored number."""
        integer = self.kind[1] == "i" and (self.itemsize <= 3 or 0 < self.bits <= _FLOAT32_BITS)
        return np.float32 if integer else np.float64

    @property
    def top(self) -> int:
        """Largest number of the converter, 0 where there is none."""
        return 2 ** (min(self.bits, 8 * self.itemsize) - 1) - 1 if self.bits else 0


def tracks_overview(archive: Archive, tracks: Sequence[Track], kind: str) -> Overview:
    """What the tracks hold, from their descriptions and the sizes of their streams."""
    frames = _frames(archive, tracks)
    recordings = {
        name: RecordingSummary(
            sum(len(one.columns) for one in emg), _length(archive, emg, frames), emg[0].rate_hz
        )
        for name, emg in _by_series(tracks).items()
    }
    beside = unique(one.name for one in tracks if not one.emg and one.stream in frames)
    stop = max((one.duration_s for one in recordings.values()), default=None)
    return Overview(kind, recordings, signals=beside, t_stop_s=stop)


def tracks_recording(
    archive: Archive, tracks: Sequence[Track], series: str | None, about: Mapping[str, Any]
) -> Recording:
    """The EMG tracks of a series as one recording, the others as auxiliary signals."""
    name, emg = chosen(archive.path, _by_series(tracks), series)
    beside = [one for one in tracks if not one.emg and one.series in ("", name)]
    frames = _frames(archive, [*emg, *beside])
    length = _length(archive, emg, frames)
    beside = [one for one in beside if one.stream in frames]
    total = length * sum(len(one.columns) for one in emg)
    total += sum(frames[one.stream] * len(one.columns) for one in beside)
    if total > archive.limits.samples:
        refuse(archive.path, f"{total} samples", "raise Limits.samples if that is right")
    names = unique(channel for one in emg for channel in one.channels)
    dtype = np.result_type(*(one.dtype for one in emg))
    values, row, clipped = np.empty((len(names), length), dtype), 0, dict[str, int]()
    for one in emg:
        raw = archive.columns(one.stream, one.n_channels, one.kind, length, one.columns)
        rows = slice(row, row + len(raw))
        clipped |= _clipped(names[rows], raw, one.top)
        np.multiply(raw, np.array(one.scale)[:, None], out=values[rows], casting="same_kind")
        row += len(raw)
    tell_clipped(archive.path, clipped)
    signals = [_signal(archive, one, frames[one.stream]) for one in beside]
    known = dict(about) | {"tracks": [{"name": one.name, **one.about} for one in emg]}
    if clipped:
        known["clipped_samples"] = clipped
    return Recording(
        values,
        emg[0].rate_hz,
        channels=names,
        auxiliary=tuple(one for one in signals if one is not None),
        about=known,
    )


def _by_series(tracks: Sequence[Track]) -> dict[str, list[Track]]:
    found = dict[str, list[Track]]()
    for one in tracks:
        if one.emg:
            found.setdefault(one.series, []).append(one)
    return found


def _frames(archive: Archive, tracks: Sequence[Track]) -> dict[str, int]:
    """Whole frames of each stream; those of auxiliary signals may be missing."""
    found = dict[str, int]()
    needed = {one.stream for one in tracks if one.emg}
    for one in tracks:
        if one.stream in found:
            continue
        frame = one.n_channels * one.itemsize
        member = archive.members.get(one.stream)
        if one.stream not in needed and (member is None or member.present < frame):
            say(f"{archive.path}: {one.name} is left out, as {one.stream} holds none of it")
            continue
        found[one.stream] = archive.frames(one.stream, frame)
    return found


def _length(archive: Archive, emg: Sequence[Track], frames: Mapping[str, int]) -> int:
    lengths = {frames[one.stream] for one in emg}
    if len(lengths) > 1:
        say(
            f"{archive.path}: its streams of EMG have from {min(lengths)} to {max(lengths)} samples each; "
            f"the first {min(lengths)} are kept"
        )
    return min(lengths)


def _clipped(names: Sequence[str], raw: NDArray[Any], top: int) -> dict[str, int]:
    if not top:
        return {}
    counts = np.count_nonzero((raw >= top) | (raw <= -top - 1), axis=1)
    return {name: int(count) for name, count in zip(names, counts, strict=True) if count}


def _signal(archive: Archive, one: Track, frames: int) -> Signal | None:
    raw = archive.columns(one.stream, one.n_channels, one.kind, frames, one.columns)
    values = np.multiply(raw, np.array(one.scale)[:, None]).astype(one.dtype).T
    if not np.all(np.isfinite(values)):
        say(f"{archive.path}: {one.name} is left out, as it has samples that are no numbers")
        return None
    flat = values.shape[1] == 1
    return Signal(
        np.ascontiguousarray(values[:, 0] if flat else values),
        one.rate_hz,
        one.unit,
        name=one.name,
        channels=() if flat else one.channels,
        about=one.about,
    )
