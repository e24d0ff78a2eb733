"""MATLAB files that OTBiolab and OTBiolab+ export."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ...data import SpikeTrains
from ...errors import MyoloopWarning
from .._files import refuse
from .._limits import Limits
from ._grids import grid_code, grid_electrodes
from ._mat import MatTool, cells, matrix, texts
from ._session import Found, Session, Trace, checked_rate, trains_of

_LABEL = re.compile(
    r"^(?P<what>.*?)\s*(?:\((?:MU)?(?P<number>\d{1,6})\))?\s*(?:\[(?P<unit>[^\[\]]*)\])?\s*$", re.S
)
_SOURCE = re.compile(r"source for decomposition", re.I)
_TRAIN = re.compile(r"decomposition of\s*(?P<of>.*)$", re.I | re.S)
_NOT_EMG = re.compile(
    r"acquired data|performed path|requested path|auxiliary|\bramp|buffer|quaternion|control|counter|trigger"
    r"|force|torque|load ?cell",
    re.I,
)
_TO_UV = {"uv": 1.0, "µv": 1.0, "μv": 1.0, "mv": 1e3, "v": 1e6}
_UNITS = {"%(mvc)": "% MVC", "%mvc": "% MVC", "a.u": "a.u.", "a.u.": "a.u."}


@final
class _Column(NamedTuple):
    """A column of the samples: what the file calls it, its number, its unit."""

    what: str
    number: int | None
    unit: str


@final
class _Record(NamedTuple):
    """Samples with equal sampling: shape (samples, columns)."""

    data: NDArray[Any]
    columns: list[_Column]
    t_start_s: float
    rate_hz: float


@final
class OtbMat(MatTool):
    """MATLAB files that OTBiolab and OTBiolab+ export.

    `Data` has a column for each channel, `Description` says of each what it is and its unit. Columns in
    uV, mV or V whose description names an electrode grid, and other numbered columns in uV or mV that are
    no auxiliary input, are EMG: one recording for each description. "Decomposition of ..." columns are
    spike trains (a spike where the value rises above 0, as stored: OTBiolab places them by its extension
    factor later than the sources). "Source for decomposition of ..." columns stay behind. All else is
    auxiliary, in its own unit. `Time` says when the first sample was.
    """

    name = "OTBiolab .mat"
    variables = frozenset({"Data", "Description", "SamplingFrequency", "Time", "OTBFile"})

    def wrote(self, names: frozenset[str]) -> bool:
        """Whether a file with variables of these names is from OTBiolab."""
        return {"Data", "Description", "SamplingFrequency"} <= names

    def session(self, path: Path, content: Mapping[str, Any], limits: Limits) -> Session:
        """What is in the file."""
        recordings: dict[str, Found] = {}
        pools: dict[str, SpikeTrains] = {}
        names: list[str] = []
        records = _records(path, content)
        for i, record in enumerate(records):
            suffix = f" #{i + 1}" if len(records) > 1 else ""
            emg, trains, other = _sorted_out(record.columns)
            traces = tuple(_trace(record, column) for column in other)
            names += [trace.name + suffix for trace in traces]
            for what, columns in emg.items():
                recordings[what + suffix] = _found(record, what, columns, traces)
            for what, columns in trains.items():
                pools[what + suffix] = _trains(path, limits, record, what, columns)
        stop = max(one.t_start_s + len(one.data) / one.rate_hz for one in records)
        return Session(self.name, recordings, pools, tuple(names), stop)


def _records(path: Path, content: Mapping[str, Any]) -> list[_Record]:
    """The records of the file with their columns; mostly there is one."""
    data = [matrix(one) for one in cells(content["Data"]).ravel(order="F")]
    clocks = [matrix(one) for one in cells(content.get("Time")).ravel(order="F")]
    rates = np.ravel(content["SamplingFrequency"])
    labels = [_column(one) for one in texts(content["Description"])]
    widths = [0 if one is None else one.shape[1] for one in data]
    if (
        not data
        or 0 in widths
        or len(labels) not in (sum(widths), widths[0])
        or len(set(widths)) > 1 < len(rates)
    ):
        refuse(path, f"{len(labels)} descriptions for records of {widths} channels", "export it again")
    if rates.dtype.kind not in "iuf" or len(rates) not in (1, len(data)):
        refuse(path, "it does not state its sampling frequency", "export it again")
    parts = [labels] * len(data)
    if len(labels) == sum(widths):
        ends = np.cumsum(widths)
        parts = [labels[end - width : end] for end, width in zip(ends, widths, strict=True)]
    found = []
    for i, (values, columns) in enumerate(zip(data, parts, strict=True)):
        assert values is not None
        rate = checked_rate(path, float(rates[min(i, len(rates) - 1)]))
        if len(columns) != values.shape[1]:
            refuse(path, f"{len(columns)} descriptions for {values.shape[1]} channels", "export it again")
        clock = clocks[i] if len(clocks) == len(data) else None
        found.append(_Record(values, columns, _start(path, clock, len(values), rate), rate))
    return found


def _start(path: Path, clock: NDArray[Any] | None, n_samples: int, rate_hz: float) -> float:
    """Time of the first sample."""
    if clock is None:
        return 0.0
    first, last = (float(clock.ravel()[at]) for at in (0, -1))
    if not np.isfinite(first) or clock.size != n_samples:
        refuse(path, f"{clock.size} times for {n_samples} samples", "export it again")
    if not abs(last - first - (n_samples - 1) / rate_hz) < 0.5 / rate_hz + 1e-6 * abs(last):
        warnings.warn(
            f"{path.name}: the last sample is at {last:g} s by its clock, but at "
            f"{first + (n_samples - 1) / rate_hz:g} s by its sampling frequency, which is used",
            MyoloopWarning,
            stacklevel=2,
        )
    return first


def _column(label: str) -> _Column:
    found = _LABEL.match(label)
    if found is None:
        return _Column(label, None, "")
    number = found["number"]
    return _Column(
        found["what"].strip(), None if number is None else int(number), (found["unit"] or "").strip()
    )


Groups = dict[str, list[int]]


def _sorted_out(columns: list[_Column]) -> tuple[Groups, Groups, list[int]]:
    """Columns of EMG and of spike trains, by description, and the others."""
    emg: Groups = {}
    trains: Groups = {}
    other: list[int] = []
    for i, column in enumerate(columns):
        if _SOURCE.search(column.what):
            continue
        train = _TRAIN.search(column.what)
        if train:
            trains.setdefault(train["of"].strip() or "units", []).append(i)
        elif _is_emg(column):
            emg.setdefault(column.what, []).append(i)
        else:
            other.append(i)
    return emg, trains, other


def _is_emg(column: _Column) -> bool:
    unit = column.unit.lower()
    if _NOT_EMG.search(column.what) or unit not in _TO_UV:
        return False
    return grid_code(column.what) is not None or (unit != "v" and column.number is not None)


def _found(record: _Record, what: str, columns: list[int], traces: tuple[Trace, ...]) -> Found:
    described = [record.columns[i] for i in columns]
    numbers = [one.number for one in described if one.number is not None]
    numbered = len(numbers) == len(described) == len(set(numbers))
    names = tuple(f"E{n:0{len(str(max(numbers)))}d}" for n in numbers) if numbered else ()
    gains = np.array([_TO_UV[one.unit.lower()] for one in described])
    # the columns of a recording mostly follow one another: then they need no copy
    part: Any = slice(columns[0], columns[-1] + 1)
    if columns[-1] - columns[0] + 1 != len(columns):
        part = columns
    return Found(
        record.data[:, part].T,
        record.rate_hz,
        gains,
        record.t_start_s,
        grid_electrodes(what, numbers, names) if numbered else None,
        names,
        auxiliary=traces,
        about={"series": what, "grid": grid_code(what) or "not named"},
    )


def _trace(record: _Record, column: int) -> Trace:
    what, number, unit = record.columns[column]
    name = what if number is None else f"{what} ({number})"
    return Trace(name, record.data[:, column], _UNITS.get(unit.replace(" ", "").lower(), unit))


def _trains(path: Path, limits: Limits, record: _Record, what: str, columns: list[int]) -> SpikeTrains:
    on = [record.data[:, i] > 0 for i in columns]
    pulses = [np.flatnonzero(one & ~np.concatenate([[False], one[:-1]])) for one in on]
    return trains_of(
        path,
        limits,
        pulses,
        record.rate_hz,
        len(record.data),
        first=0,
        t_start_s=record.t_start_s,
        name=what,
    )
