"""Writing a recording with its decomposition for openhdemg."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data import Recording, Signal
from ..errors import ParameterError, UnknownNameError
from ..units import to_float
from ._files import replacing

if TYPE_CHECKING:
    from ..decompose import Decomposition

FloatArray = NDArray[np.float64]

_OWNER = "write_openhdemg"
_LEVEL = 4  # of gzip, as openhdemg writes


def write_openhdemg(
    path: str | os.PathLike[str],
    recording: Recording,
    decomposition: Decomposition,
    *,
    reference: str | None = None,
    pitch_mm: float | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a recording and its decomposition as a JSON file that openhdemg's `emg_from_json` reads.

    The EMG is in uV, at the rate of the recording, its channels in their order; where the sources have
    another rate they are interpolated. `ACCURACY` holds the silhouettes. What openhdemg has no place for
    (filters, action potentials, names, the history) is left out: `write_decomposition` keeps it.

    Parameters
    ----------
    path : path
        Its ending should be ``.json``; it is compressed nonetheless, as openhdemg expects.
    recording : Recording
        The one that was decomposed.
    decomposition : Decomposition
    reference : str, optional
        Name of the auxiliary signal that becomes `REF_SIGNAL`; None: the only one, if there is any.
        openhdemg takes it as per cent of the maximal force.
    pitch_mm : float, optional
        Distance between electrodes; None: that of the recording's electrodes.
    overwrite : bool

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        Another recording; several auxiliary signals and none chosen; no distance between electrodes.
    UnknownNameError
        An auxiliary signal that is not there.
    OutputError
        The file exists already, or cannot be written.
    """
    _check_same(recording, decomposition)
    pitch = _pitch(recording, pitch_mm)
    force = _reference(recording, reference)
    pulses = _pulses(recording, decomposition)
    samples, units = recording.values_uV.shape[1], len(decomposition)
    with (
        replacing(path, overwrite=overwrite) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile(Path(path).name, "wb", _LEVEL, raw, mtime=0) as packed,
    ):
        out: Any = packed
        out.write(b"{")
        _text(out, "SOURCE", "CUSTOMCSV", first=True)
        _text(out, "FILENAME", Path(path).name)
        _table(out, "RAW_SIGNAL", len(recording), _rows(recording.values_uV.T), samples)
        _table(out, "REF_SIGNAL", 1, () if force is None else _rows(force[:, None]), samples)
        _table(out, "ACCURACY", 1, _rows(decomposition.quality.sil[:, None]), units)
        _table(out, "IPTS", units, _rows(_sources(recording, decomposition).T), samples)
        _text(out, "MUPULSES", [train.tolist() for train in pulses])
        _text(out, "FSAMP", recording.rate_hz)
        _text(out, "IED", pitch)
        _text(out, "EMG_LENGTH", samples)
        _text(out, "NUMBER_OF_MUS", units)
        _table(out, "BINARY_MUS_FIRING", units, _zeros_and_ones(pulses, samples), samples)
        _table(out, "EXTRAS", 1, (), 0)
        out.write(b"}")
    return Path(path)


def _text(out: IO[bytes], name: str, value: Any, *, first: bool = False) -> None:
    """A value, as JSON text within JSON text."""
    out.write(f"{'' if first else ', '}{json.dumps(name)}: {json.dumps(json.dumps(value))}".encode())


def _table(out: IO[bytes], name: str, columns: int, rows: Iterable[str], length: int) -> None:
    """A table in the layout "split" of pandas, row after row: never all of it in memory as text.

    Its values are numbers, so that only the quotes of its keys need a backslash within the outer text.
    """
    parts = iter(rows)
    begin = next(parts, None)
    index = "" if begin is None else ",".join(map(str, range(length)))
    named = ",".join(map(str, range(columns)))
    out.write(
        f', "{name}": "{{\\"columns\\":[{named}],\\"index\\":[{index}],\\"data\\":[{begin or ""}'.encode()
    )
    for row in parts:
        out.write(b"," + row.encode())
    out.write(b']}"')


def _rows(values: NDArray[Any]) -> Iterator[str]:
    """Rows of numbers, with as many digits as they have; NaN becomes null."""
    digits = "%.9g" if values.dtype == np.float32 else "%.17g"
    form = "[" + ",".join([digits] * values.shape[1]) + "]"
    for row in values:
        line = form % tuple(row.tolist())
        if "n" in line:
            line = "[" + ",".join(digits % v if np.isfinite(v) else "null" for v in row.tolist()) + "]"
        yield line


def _zeros_and_ones(pulses: list[NDArray[np.int64]], samples: int) -> Iterator[str]:
    """Rows of which the columns are 1 where a unit fires."""
    firing: dict[int, list[int]] = {}
    for unit, train in enumerate(pulses):
        for at in train.tolist():
            firing.setdefault(at, []).append(unit)
    silent = ["0"] * len(pulses)
    nobody = f"[{','.join(silent)}]"
    for at in range(samples):
        if at not in firing:
            yield nobody
            continue
        row = silent.copy()
        for unit in firing[at]:
            row[unit] = "1"
        yield f"[{','.join(row)}]"


def _pulses(recording: Recording, decomposition: Decomposition) -> list[NDArray[np.int64]]:
    """Samples of the recording, from 0, at which the units fire."""
    samples = recording.values_uV.shape[1]
    pulses = [
        np.rint((train - recording.t_start_s) * recording.rate_hz).astype(np.int64)
        for train in decomposition.spikes
    ]
    last = max((int(train[-1]) for train in pulses if len(train)), default=0)
    if last >= samples:
        raise ParameterError(
            f"{_OWNER}.decomposition", f"a spike at sample {last} of {samples}", "remove that spike"
        )
    return pulses


def _sources(recording: Recording, decomposition: Decomposition) -> NDArray[Any]:
    """The sources at the samples of the recording."""
    sources, samples = decomposition.sources, recording.values_uV.shape[1]
    if sources.shape[1] == samples:
        return sources
    places = np.arange(samples) * (decomposition.rate_hz / recording.rate_hz)
    known = np.arange(sources.shape[1])
    lines = [np.interp(places, known, source).astype(np.float32) for source in sources]
    return np.array(lines, dtype=np.float32).reshape(len(sources), samples)


def _check_same(recording: Recording, decomposition: Decomposition) -> None:
    spikes = decomposition.spikes
    begins = abs(recording.t_start_s - spikes.t_start_s) < 0.5 / recording.rate_hz
    lasts = abs(recording.duration_s - spikes.duration_s) < 1 / recording.rate_hz
    if not (begins and lasts):
        raise ParameterError(
            f"{_OWNER}.recording",
            f"it has {recording.t_start_s:g} to {recording.t_start_s + recording.duration_s:g} s, the "
            f"decomposition {spikes.t_start_s:g} to {spikes.t_stop_s:g} s",
            "give the recording that was decomposed",
        )


def _pitch(recording: Recording, pitch_mm: float | None) -> float:
    if pitch_mm is None:
        pitch_mm = recording.electrodes.pitch_mm if recording.electrodes is not None else None
    if pitch_mm is None:
        raise ParameterError(
            f"{_OWNER}.pitch_mm",
            "the recording does not tell how far its electrodes are apart",
            "give pitch_mm, e.g. 8",
        )
    pitch = to_float(pitch_mm, "mm", f"{_OWNER}.pitch_mm")
    if not isinstance(pitch, float) or not 0 < pitch < np.inf:
        raise ParameterError(f"{_OWNER}.pitch_mm", f"{pitch_mm!r} was given", "give a distance above 0")
    return pitch


def _reference(recording: Recording, name: str | None) -> FloatArray | None:
    """The reference signal at the samples of the recording."""
    known = {signal.name: signal for signal in recording.auxiliary}
    if name is None:
        if not recording.auxiliary:
            return None
        if len(recording.auxiliary) > 1:
            raise ParameterError(
                f"{_OWNER}.reference",
                f"the recording has {', '.join(known)}",
                f"say which is the reference, e.g. reference={next(iter(known))!r}",
            )
        return _sampled(recording.auxiliary[0], recording)
    if name not in known:
        raise UnknownNameError(f"{_OWNER}.reference", name, known)
    return _sampled(known[name], recording)


def _sampled(signal: Signal, recording: Recording) -> FloatArray:
    """A signal at the samples of the recording, interpolated where it has others."""
    values = signal.values.reshape(len(signal), -1)
    if values.shape[1] != 1:
        raise ParameterError(
            f"{_OWNER}.reference",
            f"{signal.name} has {values.shape[1]} channels",
            "give one with one channel",
        )
    times, column = recording.times_s, values[:, 0].astype(np.float64)
    same = signal.rate_hz == recording.rate_hz and abs(signal.t_start_s - recording.t_start_s) < 1e-9
    if same and len(column) == len(times):
        return column
    before, after = signal.times_s[0] - times[0], times[-1] - signal.times_s[-1]
    if max(before, after) > 1 / signal.rate_hz:
        raise ParameterError(
            f"{_OWNER}.reference",
            f"{signal.name} is missing for {max(before, after):.3g} s at an end of the recording",
            "cut the recording to the time of the signal, or choose another signal",
        )
    return np.asarray(np.interp(times, signal.times_s, column))
