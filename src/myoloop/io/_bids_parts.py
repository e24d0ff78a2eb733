"""Beside the samples of a BIDS recording: events, auxiliary signals, and true action potentials."""

from __future__ import annotations

import gzip
import itertools
import re
import zlib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentialPath, GroundTruth, Recording, Signal
from ..errors import MyoloopError
from ..parameters import plain
from ._about_potentials import PathValues, path_values
from ._assemble import about_pool
from ._files import refuse
from ._folder import OutputFolder
from ._hdf5 import numbers, opened, text
from ._json import dumps, loads
from ._limits import Limits
from ._shield import shielded

DISCHARGE, MISSING = "discharge", "missing"
# Columns of the events and what the sidecar says of them; BIDS itself defines those without a word.
EVENT_COLUMNS: dict[str, dict[str, Any] | None] = {
    "onset": None,
    "duration": None,
    "trial_type": {
        "Description": "Kind of the event.",
        "Levels": {DISCHARGE: "discharge of a motor unit", MISSING: "samples that were not recorded"},
    },
    "sample": {"Description": "Index of the nearest sample of the data file, from 0."},
    "unit_id": {"Description": "Index of the motor unit in its pool, from 0."},
    "channel": None,
    "description": {"Description": "The event in words."},
}
_LINE = 4096
_LINES_AT_ONCE = 100_000
_MEND = "use an intact copy"


def missing_spans(recording: Recording) -> list[tuple[int, int, int]]:
    """Channel, first and one past the last sample of each stretch of NaN."""
    found = []
    for channel, values in enumerate(recording.values_uV):
        gone = np.isnan(values)
        if gone.any():
            edges = np.flatnonzero(np.diff(np.concatenate([[False], gone, [False]])))
            found += [(channel, int(a), int(b)) for a, b in edges.reshape(-1, 2)]
    return found


def event_rows(
    recording: Recording, spans: Sequence[tuple[int, int, int]], columns: Sequence[str]
) -> list[list[Any]]:
    """Rows of the events in the order of time: discharges, and what was not recorded."""
    rows: list[tuple[float, dict[str, Any]]] = []
    rate, n_samples = recording.rate_hz, recording.values_uV.shape[1]
    if recording.truth is not None:
        spikes = recording.truth.spikes
        units = spikes.units
        for at in np.lexsort((units, spikes.times_s)):
            time = float(spikes.times_s[at])
            sample = round((time - recording.t_start_s) * rate)
            row = {
                "onset": _onset(time, recording.t_start_s),
                "duration": 0,
                "trial_type": DISCHARGE,
                "sample": sample if 0 <= sample < n_samples else None,
                "unit_id": int(units[at]),
                "description": "discharge of a motor unit",
            }
            rows.append((time - recording.t_start_s, row))
    for channel, first, end in spans:
        row = {
            "onset": first / rate,
            "duration": (end - first) / rate,
            "trial_type": MISSING,
            "sample": first,
            "channel": recording.channels[channel],
            "description": "not recorded, 0 in the data file",
        }
        rows.append((first / rate, row))
    if spans:
        rows.sort(key=lambda pair: pair[0])
    return [[row.get(column) for column in columns] for _, row in rows]


def _onset(time_s: float, t_start_s: float) -> Any:
    """Time from the first sample, with the decimals that make it exact when the start is added again."""
    if t_start_s == 0:
        return time_s
    return f"{Decimal(repr(time_s)) - Decimal(repr(t_start_s)):f}"


def onset_times(path: Path, onsets: Sequence[str], t_start_s: float) -> NDArray[np.float64]:
    """Undo `_onset`; raises UnreadableFileError."""
    start, times = Decimal(repr(t_start_s)), np.empty(len(onsets))
    for row, onset in enumerate(onsets):
        try:
            if len(onset) > 60:
                raise ValueError
            times[row] = float(onset) if t_start_s == 0 else float(Decimal(onset) + start)
        except (ValueError, InvalidOperation):
            refuse(path, f"line {row + 2}: the onset is {onset[:40]!r}", "give a time in s")
    return times


def write_physio(
    out: OutputFolder, stem: str, task: str, number: int, signal: Signal, t_start_s: float
) -> dict[str, Any]:
    """Write an auxiliary signal; return what BIDS has no word for."""
    label = re.sub(r"[^0-9A-Za-z]", "", signal.name) or "auxiliary"
    names = [name for name in out.written if name.endswith("_physio.json")]
    if f"{stem}_recording-{label}_physio.json" in names:
        label += f"x{number + 1}"
    values = signal.values.reshape(len(signal), -1)
    columns = [f"{label}{i + 1}" for i in range(values.shape[1])] if values.shape[1] > 1 else [label]
    name = f"{stem}_recording-{label}_physio"
    with (
        out.file(f"{name}.tsv.gz") as path,
        path.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as file,
    ):
        for begin in range(0, len(values), _LINES_AT_ONCE):
            block = values[begin : begin + _LINES_AT_ONCE].tolist()
            file.write("".join("\t".join(map(repr, row)) + "\n" for row in block).encode())
    out.write_json(
        f"{name}.json",
        {
            "TaskName": task,
            "SamplingFrequency": signal.rate_hz,
            "StartTime": signal.t_start_s - t_start_s,
            "Columns": columns,
            "PhysioType": "generic",
            **{c: {"Description": signal.name or c, "Units": signal.units or "n/a"} for c in columns},
        },
    )
    return {
        "label": label,
        "flat": signal.values.ndim == 1,
        "dtype": signal.values.dtype.str,
        "rate_hz": signal.rate_hz,
        "t_start_s": signal.t_start_s,
        "units": signal.units,
        "name": signal.name,
        "channels": plain(signal.channels),
        "about": plain(signal.about),
    }


def read_physio(path: Path, n_columns: int, limits: Limits) -> NDArray[np.float64]:
    """Values of a compressed table without header, shape (samples, columns)."""
    blocks, rows = [], 0
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            lines = iter(lambda: file.readline(_LINE), "")
            while block := list(itertools.islice(lines, _LINES_AT_ONCE)):
                rows += len(block)
                if max(map(len, block)) == _LINE:
                    raise ValueError(f"a line of more than {_LINE} characters")
                if rows * n_columns > limits.samples:
                    refuse(path, f"more than {limits.samples} values", "raise Limits.samples")
                table = np.loadtxt(block, delimiter="\t", ndmin=2, comments=None)
                if table.shape != (len(block), n_columns):
                    refuse(path, f"{table.shape[1]} columns, where {n_columns} are announced", _MEND)
                blocks.append(table)
    except MyoloopError:
        raise
    except (EOFError, ValueError, UnicodeDecodeError, zlib.error, OSError) as error:
        refuse(path, f"truncated or damaged ({str(error)[:100]})", _MEND)
    if not blocks:
        refuse(path, "holds no samples", _MEND)
    return np.concatenate(blocks)


def write_truth(out: OutputFolder, name: str, truth: GroundTruth) -> None:
    """Write what the events do not say: the pool, the action potentials, and how these change."""
    about = {"format": 1, "pool": about_pool(truth.spikes.name, truth.spikes)}
    with out.file(name) as path, shielded(path) as file:
        coded = np.frombuffer(dumps(about).encode(), dtype=np.uint8)
        file.create_dataset("about", data=coded).attrs["description"] = "JSON in UTF-8"
        if truth.action_potentials is not None:
            found = truth.action_potentials
            data = file.create_dataset("action_potentials_uV", data=found.values_uV)
            data.attrs["description"] = "what a discharge adds: units x channels x samples, in uV"
            data.attrs["rate_hz"], data.attrs["t_start_s"] = found.rate_hz, found.t_start_s
        if truth.path is not None:
            _write_path(file, truth.path)


def _write_path(file: Any, path: ActionPotentialPath) -> None:
    said = path.coordinate
    waveforms, coordinate = path_values(path)
    group = file.create_group("path")
    data = group.create_dataset("action_potentials_uV", data=waveforms)
    data.attrs["description"] = "at each knot: knots x units x channels x samples, in uV"
    data.attrs["rate_hz"], data.attrs["t_start_s"] = path.rate_hz, path.t_start_s
    group.create_dataset("knots", data=path.knots).attrs["description"] = "coordinate of each"
    data = group.create_dataset("coordinate", data=coordinate)
    data.attrs["description"] = "over time: samples, or samples x units"
    data.attrs["rate_hz"], data.attrs["t_start_s"] = said.rate_hz, said.t_start_s
    data.attrs["units"] = said.units


def read_pool(path: Path, limits: Limits) -> Mapping[str, Any]:
    """Description of the pool alone."""
    with opened(path) as file:
        about = loads(path, text(path, file, "about", limits) or "")
    if not isinstance(about.get("pool"), dict):
        refuse(path, "its description is damaged", _MEND)
    pool: Mapping[str, Any] = about["pool"]
    return pool


def read_truth(
    path: Path, limits: Limits
) -> tuple[Mapping[str, Any], NDArray[Any] | None, PathValues | None]:
    """Description of the pool; the action potentials and how they change, if there are any."""
    with opened(path) as file:
        values, *path_parts = (
            numbers(path, file, name, limits.samples, "samples")
            for name in ("action_potentials_uV", "path/action_potentials_uV", "path/coordinate")
        )
    waveforms, coordinate = path_parts
    moving = None if waveforms is None or coordinate is None else (waveforms, coordinate)
    return read_pool(path, limits), values, moving
