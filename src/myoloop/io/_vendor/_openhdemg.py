"""JSON files of openhdemg."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...data import SpikeTrains
from .._files import refuse
from .._limits import Limits
from ._session import UNIT_UNKNOWN, Found, Session, SessionFormat, Trace, checked_rate, trains_of

SERIES = "RAW_SIGNAL"
POOL = "MUPULSES"
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_BYTES_PER_VALUE = 24  # of a number as JSON, with its separators and a column of zeros and ones for each
_WITH_GZIP_HEADER = 31  # what zlib calls window bits
_MOST_CHANNELS = 100_000


@final
class OpenHDEMG(SessionFormat):
    """JSON files of openhdemg, compressed by gzip or not.

    Each value of the file is JSON text in itself, tables in one of the layouts of pandas. Neither the
    unit of `RAW_SIGNAL`, taken as uV, nor that of `REF_SIGNAL` is stated (openhdemg expects % MVC), and
    the grid is not named: there are no electrodes. `MUPULSES` counts samples from 0. Files of the first
    releases, a list of values, are read as well.
    """

    name = "openhdemg JSON"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file begins like one of openhdemg."""
        if head.startswith(_GZIP):
            try:
                head = zlib.decompressobj(_WITH_GZIP_HEADER).decompress(head, 512)
            except zlib.error:
                return False
        return head.lstrip()[:1] in (b"{", b"[") and b"SOURCE" in head[:512]

    def session(self, path: Path, limits: Limits, *, samples: bool) -> Session:
        """What is in the file."""
        content = _content(path, limits)
        rate = checked_rate(path, _number(content.get("FSAMP")))
        reference = _table(path, content, "REF_SIGNAL", limits)
        raw = _table(path, content, SERIES, limits)
        n_samples = len(raw) if raw is not None else int(_number(content.get("EMG_LENGTH")) or 0)
        if not 0 <= n_samples <= limits.samples:
            refuse(path, f"{n_samples} samples", "raise Limits.samples if that is right")
        traces: tuple[Trace, ...] = ()
        if reference is not None and (raw is None or len(reference) == n_samples):
            columns = reference.T
            traces = tuple(
                Trace("REF_SIGNAL" if len(columns) == 1 else f"REF_SIGNAL ({i + 1})", one)
                for i, one in enumerate(columns)
            )
        recordings = {}
        if raw is not None:
            about: dict[str, Any] = UNIT_UNKNOWN | {"source": _text(content, "SOURCE")}
            pitch = _number(content.get("IED"))
            if pitch is not None:
                about["pitch_mm"] = pitch
            recordings[SERIES] = Found(raw.T, rate, auxiliary=traces, about=about)
        pools = _pools(path, content, limits, rate, n_samples)
        stop = len(reference) / rate if reference is not None else None
        return Session(self.name, recordings, pools, tuple(trace.name for trace in traces), stop)


def _content(path: Path, limits: Limits) -> dict[str, Any]:
    """The values of the file by name, each of them decoded, but for the tables."""
    decoded = json.loads(_unpacked(path, limits))
    if isinstance(decoded, list):  # of texts, each an object of one value
        parts = [json.loads(part) if isinstance(part, str) else part for part in decoded]
        decoded = {key: value for part in parts if isinstance(part, dict) for key, value in part.items()}
    if not isinstance(decoded, dict) or "SOURCE" not in decoded:
        refuse(path, "JSON, but not of openhdemg", "give a file of save_json_emgfile")
    return decoded


def _unpacked(path: Path, limits: Limits) -> bytes:
    """The text of the file, unless it is larger than the limits allow."""
    most = _BYTES_PER_VALUE * limits.samples + limits.text_bytes
    with path.open("rb") as file:
        if not file.read(2).startswith(_GZIP):
            if path.stat().st_size > most:
                refuse(path, f"more than {most} bytes", "raise Limits.samples if that is right")
            return path.read_bytes()
        file.seek(0)
        stream, parts, total = zlib.decompressobj(_WITH_GZIP_HEADER), [], 0
        while not stream.eof and (packed := file.read(_CHUNK)):
            while packed:
                parts.append(stream.decompress(packed, _CHUNK))
                packed = stream.unconsumed_tail
                total += len(parts[-1])
                if total > most:
                    refuse(
                        path, f"unpacks to more than {most} bytes", "raise Limits.samples if that is right"
                    )
    if not stream.eof:
        refuse(path, "truncated", "use an intact copy")
    return b"".join(parts)


def _decoded(value: Any) -> Any:
    """A value that is JSON text in itself, or one that is not."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _number(value: Any) -> float | None:
    found = _decoded(value)
    right = isinstance(found, int | float) and not isinstance(found, bool) and np.isfinite(found)
    return float(found) if right else None


def _text(content: Mapping[str, Any], name: str) -> str:
    return str(_decoded(content.get(name, "")))


def _table(path: Path, content: dict[str, Any], name: str, limits: Limits) -> NDArray[np.float64] | None:
    """Rows and columns of a table, in the order of their numbers; None where it is empty."""
    found = _decoded(content.pop(name, None))
    if not isinstance(found, dict):
        return None
    if "data" in found:
        rows = found["data"]
        order = _ascending(found.get("index")), _ascending(found.get("columns"))
        values = np.array(rows, dtype=float) if rows else np.zeros((0, 0))
    else:
        rows = [[column[key] for key in sorted(column, key=int)] for _, column in _numbered(found)]
        order = None, None
        values = np.array(rows, dtype=float).T if rows else np.zeros((0, 0))
    if values.size > limits.samples:
        refuse(path, f"{values.size} values in {name}", "raise Limits.samples if that is right")
    if values.ndim != 2 or values.shape[1] > _MOST_CHANNELS:
        refuse(path, f"{name} is a table of shape {values.shape}", "use the file as openhdemg wrote it")
    for axis, sequence in enumerate(order):
        if sequence is not None and len(sequence) == values.shape[axis]:
            values = np.take(values, sequence, axis=axis)
    return values if values.size else None


def _numbered(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return sorted(found.items(), key=lambda item: int(item[0]))


def _ascending(labels: Any) -> NDArray[np.int64] | None:
    """What sorts the labels of rows or columns, unless they are sorted, or not numbers."""
    try:
        numbers = np.array(labels, dtype=float)
    except (TypeError, ValueError):
        return None
    sorts = numbers.ndim == 1 and np.any(np.diff(numbers) < 0)
    return np.argsort(numbers, kind="stable") if sorts else None


def _pools(
    path: Path, content: dict[str, Any], limits: Limits, rate_hz: float, n_samples: int
) -> dict[str, SpikeTrains]:
    pulses = _decoded(content.get(POOL))
    if not isinstance(pulses, list) or not pulses:
        return {}
    if n_samples == 0:
        refuse(
            path, "it does not tell how long the recording is", "keep EMG_LENGTH or RAW_SIGNAL in the file"
        )
    trains = [np.array(one, dtype=float) for one in pulses]
    if any(one.ndim != 1 for one in trains):
        refuse(path, "MUPULSES is not a list of samples for each unit", "use the file as openhdemg wrote it")
    accuracy = _table(path, content, "ACCURACY", limits)
    about = {}
    if accuracy is not None and accuracy.shape == (len(trains), 1):
        about["accuracy"] = accuracy[:, 0]
    return {POOL: trains_of(path, limits, trains, rate_hz, n_samples, first=0, name=POOL, annotations=about)}
