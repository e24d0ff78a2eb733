"""Intan files (.rhd, .rhs), by way of Neo: amplifiers become the recording, all else auxiliary signals.

Header and data in one file, and ``info.rhd`` or ``info.rhs`` beside files of signals or of channels. Layout
after the manufacturer's published data file formats, as Neo reads it; tested with files that the tests
write.

References
----------
.. [1] https://intantech.com/files/Intan_RHD2000_data_file_formats.pdf
.. [2] https://intantech.com/files/Intan_RHS2000_data_file_formats.pdf
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...data import Recording, Signal, SpikeTrains
from .._files import refuse
from .._limits import Limits
from .._summary import RecordingSummary
from ._base import Overview, VendorFormat, chosen
from ._tar import say, tell_clipped, unique

_MAGIC = {b"\x02\x27\x91\xc6": ".rhd", b"\xac\x27\x91\xd6": ".rhs"}
_AMPLIFIER = "amplif"  # "RHD2000 amplifier channel", "RHS2000 amplfier channel"
_SERIES = "EMG"
_AT_ONCE = 1 << 18


@final
class Intan(VendorFormat):
    """Reader of Intan files."""

    name = "Intan"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By its ending, or its first four bytes."""
        return path.suffix.lower() in _MAGIC.values() or head[:4] in _MAGIC

    def prepare(self) -> None:
        """Import Neo."""
        import neo.rawio  # noqa: F401

    def overview(self, path: Path, limits: Limits) -> Overview:
        """From the header and the sizes."""
        streams = _streams(path)[1]
        found = {
            name: RecordingSummary(len(one.names), one.n_samples, one.rate_hz)
            for name, one in _emg(streams).items()
        }
        beside = tuple(one.name for one in streams if not one.amplifier)
        stop = max((one.duration_s for one in found.values()), default=None)
        return Overview(self.name, found, signals=beside, t_stop_s=stop)

    def recording(self, path: Path, limits: Limits, series: str | None) -> Recording:
        """Amplifier channels in uV; auxiliary, supply, ADC and digital inputs as auxiliary signals."""
        reader, streams = _streams(path)
        total = sum(one.n_samples * len(one.names) for one in streams)
        if total > limits.samples:
            refuse(path, f"{total} samples", "raise Limits.samples if that is right")
        _, amplifier = chosen(path, _emg(streams), series)
        values, clipped = _read(reader, amplifier)
        tell_clipped(path, clipped)
        beside = [_signal(reader, one) for one in streams if not one.amplifier]
        about: dict[str, Any] = {"format": self.name}
        if clipped:
            about["clipped_samples"] = clipped
        return Recording(
            values, amplifier.rate_hz, channels=amplifier.names, auxiliary=tuple(beside), about=about
        )

    def spikes(self, path: Path, limits: Limits) -> Mapping[str, SpikeTrains]:
        """None."""
        return {}


@final
@dataclass(frozen=True)
class _Stream:
    index: int
    name: str
    names: tuple[str, ...]
    rate_hz: float
    n_samples: int
    unit: str
    gain: NDArray[np.float64]
    offset: NDArray[np.float64]

    @property
    def amplifier(self) -> bool:
        return _AMPLIFIER in self.name.lower() and "dc" not in self.name.lower()


def _signal(reader: Any, one: _Stream) -> Signal:
    values = _read(reader, one)[0]
    flat = len(values) == 1
    return Signal(
        values[0] if flat else np.ascontiguousarray(values.T),
        one.rate_hz,
        one.unit,
        name=f"{one.name} {one.names[0]}" if flat else one.name,
        channels=() if flat else one.names,
    )


def _emg(streams: Sequence[_Stream]) -> dict[str, _Stream]:
    return dict(zip((_SERIES,), (one for one in streams if one.amplifier), strict=False))


def _streams(path: Path) -> tuple[Any, list[_Stream]]:
    """Neo's reader of the file, and what it found."""
    with path.open("rb") as file:
        ending = _MAGIC.get(file.read(4))
    if ending is None:
        refuse(path, "does not begin like a file of Intan", "use an intact copy")
    if path.suffix != ending:
        refuse(path, f"ends in {path.suffix!r}, but holds {ending}", f"name it {path.stem}{ending}")
    reader = _parsed(path)
    streams = []
    for index, (name, identity) in enumerate(reader.header["signal_streams"][["name", "id"]]):
        channels = reader.header["signal_channels"]
        mine = channels[channels["stream_id"] == identity]
        unit = str(mine["units"][0])
        streams.append(
            _Stream(
                index,
                str(name) or f"stream {identity}",
                unique(str(one["name"]) or str(one["id"]) for one in mine),
                float(mine["sampling_rate"][0]),
                int(reader.get_signal_size(0, 0, index)),
                "" if unit == "a.u." else unit,
                mine["gain"].astype(np.float64),
                mine["offset"].astype(np.float64),
            )
        )
    return reader, streams


def _parsed(path: Path, whole: Path | None = None) -> Any:
    """Neo's reader with the header read; where a file ends within a block, of a copy of the whole ones."""
    from neo.core import NeoReadWriteError
    from neo.rawio import IntanRawIO

    reader = IntanRawIO(filename=str(whole or path))
    try:
        reader.parse_header()
    except NeoReadWriteError as error:
        text = " ".join(str(error).split())
        if "not continuous" in text:
            text = "its time stamps have gaps"
        refuse(path, f"damaged: {text[:120]}", "use an intact copy, or cut it at the gap")
    except ValueError as error:
        if whole is not None or "multiple of the data-type" not in str(error):
            raise
        folder = tempfile.TemporaryDirectory()
        reader = _parsed(path, _whole_blocks(path, Path(folder.name)))
        reader.kept = folder  # until nobody needs the reader
    return reader


def _whole_blocks(path: Path, folder: Path) -> Path:
    """A copy of the header and the blocks that are whole."""
    from neo.rawio import intanrawio

    header = {".rhd": intanrawio.read_rhd, ".rhs": intanrawio.read_rhs}[path.suffix]
    _, _, dtype, begin, block, _ = header(path, "header-attached")
    size, each = path.stat().st_size, np.dtype(dtype).itemsize
    count = (size - begin) // each
    if count <= 0:
        refuse(path, "truncated: holds no whole block of samples", "use an intact copy")
    say(f"{path}: truncated within a block: {count * block} samples a channel are kept")
    copy, left = folder / path.name, begin + count * each
    with path.open("rb") as source, copy.open("wb") as target:
        while left:
            left -= target.write(source.read(min(left, 1 << 24)))
    return copy


def _read(reader: Any, one: _Stream) -> tuple[NDArray[np.float32], dict[str, int]]:
    """Samples in their unit, shape (channels, samples), and how many of each amplifier are clipped."""
    values = np.empty((len(one.names), one.n_samples), np.float32)
    counts = np.zeros(len(one.names), np.int64)
    for first in range(0, one.n_samples, _AT_ONCE):
        last = min(one.n_samples, first + _AT_ONCE)
        raw = reader.get_analogsignal_chunk(
            block_index=0, seg_index=0, i_start=first, i_stop=last, stream_index=one.index
        )
        if one.amplifier:
            extremes = np.iinfo(raw.dtype)
            counts += np.count_nonzero((raw == extremes.min) | (raw == extremes.max), axis=0)
        values[:, first:last] = (raw * one.gain + one.offset).T
    clipped = {name: int(count) for name, count in zip(one.names, counts, strict=True) if count}
    return values, clipped
