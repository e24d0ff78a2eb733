"""EDF (16 bits) and BDF (24 bits), by way of edfio: whole numbers between the extremes of each channel."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..errors import MyoloopError, ParameterError
from ._files import need, refuse
from ._hdf5 import refuse_damaged
from ._limits import Limits

PADDING = "BAD_ACQ_SKIP"  # the word of MNE-Python for what was appended to fill the last data record
BYTES = {".edf": 2, ".bdf": 3}  # of a sample
_MEND = "use an intact copy"
_DECIMALS = 6  # of a duration below 10 s that fits the 8 characters of the header
_MOST_RECORD_S = 1.0
_LEAST_RECORD_S = 1e-4  # edfio would write less as 5e-05
_MOST_RECORD_BYTES = 15_000_000  # above, common readers refuse
_LONGEST_RECORD_S = 99_999_999
_RATE_ERROR = 1e-6
_SMALLEST_RANGE_UV = 1e-3
_MOST_SIGNALS = 9998


@final
@dataclass(frozen=True)
class Records:
    """Division of samples into data records: samples in each, its duration, their number, the filling."""

    samples: int
    duration_s: float
    count: int
    padding: int

    @property
    def rate_hz(self) -> float:
        """The sampling rate as the header says it."""
        return self.samples / self.duration_s


def records(rate_hz: float, n_samples: int, record_bytes: int) -> Records:
    """Data records for samples of `record_bytes` bytes (of all channels together).

    The header has 8 characters for the duration of a record, and all records are of one size. Best is
    the longest record of up to 1 s whose duration can be said exactly and that divides the samples,
    next the shortest that can be said, with a last record that is filled up. For a rate of which no
    duration can be said (1259.2593 Hz) it is the record that comes nearest, within 1e-6.
    """
    most = max(1, min(math.ceil(rate_hz * _MOST_RECORD_S), _MOST_RECORD_BYTES // record_bytes))
    rate = Fraction(rate_hz).limit_denominator(10**6)
    if rate == 0:
        raise _no_words(rate_hz)
    step = rate.numerator // math.gcd(rate.numerator, 10**_DECIMALS * rate.denominator)
    step *= math.ceil(_LEAST_RECORD_S * rate_hz / step)
    if float(rate) == rate_hz and step <= most:
        size = max((m for m in range(step, most + 1, step) if n_samples % m == 0), default=step)
        duration = float(size / rate)
    else:
        sizes = np.arange(most // 2 + 1, most + 1)
        durations = np.maximum(np.round(sizes / rate_hz, _DECIMALS), _LEAST_RECORD_S)
        best = int(np.argmin(np.abs(sizes / durations / rate_hz - 1)))
        size, duration = int(sizes[best]), float(durations[best])
    if duration > _LONGEST_RECORD_S or not abs(size / duration / rate_hz - 1) < _RATE_ERROR:
        raise _no_words(rate_hz)
    count = -(-n_samples // size)
    return Records(size, duration, count, count * size - n_samples)


def _no_words(rate_hz: float) -> ParameterError:
    return ParameterError(
        "Recording.rate_hz", f"EDF has no words for {rate_hz!r} Hz", "resample, or write NWB"
    )


def write_edf(path: Path, values: NDArray[Any], rate_hz: float, labels: list[str]) -> tuple[Records, float]:
    """Write finite samples in uV; the ending says in which format.

    Returns
    -------
    Records
    float
        Largest error of a sample in uV: half of the step, and rounding, of the channel where that is most.
    """
    edfio = need("edfio", "write_bids", "bids")
    bits24 = path.suffix == ".bdf"
    plan = records(rate_hz, values.shape[1], BYTES[path.suffix] * len(values))
    make = edfio.BdfSignal if bits24 else edfio.EdfSignal
    top = 2**23 - 1 if bits24 else 2**15 - 1
    clock = _clock(plan)
    signals, error_uV = [], 0.0
    for label, channel in zip(labels, values, strict=True):
        low, high = _extremes(label, channel)
        full = np.pad(channel.astype(np.float64), (0, plan.padding), mode="edge")
        signals.append(
            make(full, clock, label=label, physical_dimension="uV", physical_range=(low, high),
                 digital_range=(-top - 1, top))
        )  # fmt: skip
        said = signals[-1].physical_range
        half = (said.max - said.min) / (2 * top + 1) / 2
        rounding = 8 * float(np.finfo(float).eps) * max(abs(said.min), abs(said.max))
        error_uV = max(error_uV, half * (1 + 1e-9) + rounding)
    notes = None
    if plan.padding:
        begin = values.shape[1] / rate_hz
        notes = [edfio.EdfAnnotation(begin, plan.padding / rate_hz, PADDING)]
    whole = (edfio.Bdf if bits24 else edfio.Edf)(
        signals, data_record_duration=plan.duration_s, annotations=notes
    )
    whole.write(path)
    return plan, error_uV


def _clock(plan: Records) -> float:
    """Rate with which edfio, which divides floats, arrives at the right number of records."""
    total, exact = plan.samples * plan.count, Decimal(str(plan.duration_s)) * plan.count
    rate = plan.rate_hz
    for candidate in (rate, math.nextafter(rate, 0), math.nextafter(rate, math.inf)):
        if Decimal(str(round(total / candidate, 12))) == exact:
            return candidate
    return rate


def _extremes(label: str, channel: NDArray[Any]) -> tuple[float, float]:
    """Range of a channel in uV, outwards to what 8 characters can say."""
    low = _fitting(label, float(channel.min()), ROUND_FLOOR)
    high = _fitting(label, max(float(channel.max()), low + _SMALLEST_RANGE_UV), ROUND_CEILING)
    return low, high


def _fitting(label: str, value: float, rounding: str) -> float:
    for places in (4, 3, 2, 1, 0):
        rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=rounding)
        if len(str(rounded)) <= 8:
            return float(rounded)
    raise ParameterError(
        "Recording.values_uV",
        f"{value:g} uV on channel {label!r}, more than the header of EDF can say",
        "give uV, or write NWB",
    )


@final
@dataclass(frozen=True)
class Header:
    """What an EDF or BDF file says of itself; samples in a record for each signal, annotations included."""

    n_records: int
    record_s: float
    samples: tuple[int, ...]
    labels: tuple[str, ...]
    dimensions: tuple[str, ...]

    @property
    def ordinary(self) -> list[int]:
        """Indices of the signals that are no annotations."""
        return [
            i for i, label in enumerate(self.labels) if label not in ("EDF Annotations", "BDF Annotations")
        ]


def edf_header(path: Path, limits: Limits) -> Header:
    """Header of a file, which must be of the size that it says; raises UnreadableFileError."""
    each, size = BYTES[path.suffix.lower()], path.stat().st_size
    with path.open("rb") as file:
        fixed = file.read(256)
        if fixed[:8] != (b"\xffBIOSEMI" if each == 3 else b"0       "):
            refuse(path, f"does not begin like {path.suffix[1:].upper()}", _MEND)
        n_signals = _number(path, fixed[252:256], "number of signals", 1, _MOST_SIGNALS)
        rest = file.read(256 * n_signals)
    if len(rest) < 256 * n_signals:
        refuse(path, "truncated: its header is not whole", _MEND)
    if fixed[192:197] in (b"EDF+D", b"BDF+D"):
        refuse(path, "a recording with gaps (EDF+D)", "give a continuous one")
    _number(path, fixed[184:192], "size of its header", 256 * (n_signals + 1), 256 * (n_signals + 1))
    n_records = _number(path, fixed[236:244], "number of records", 1, 10**8)
    record_s = _float(path, fixed[244:252], "duration of a record")
    column = rest[216 * n_signals : 224 * n_signals]
    counts = tuple(
        _number(path, column[8 * i : 8 * i + 8], f"samples of signal {i + 1}", 1, 10**8)
        for i in range(n_signals)
    )
    said = 256 * (n_signals + 1) + each * n_records * sum(counts)
    if said != size:
        what = "truncated" if size < said else "damaged"
        refuse(path, f"{what}: it says that it has {said} bytes, and has {size}", _MEND)
    if n_records * sum(counts) > limits.samples:
        refuse(path, f"{n_records * sum(counts)} samples", "raise Limits.samples if that is right")
    names = tuple(_text(rest[16 * i : 16 * i + 16]) for i in range(n_signals))
    units = rest[96 * n_signals : 104 * n_signals]
    return Header(
        n_records, record_s, counts, names, tuple(_text(units[8 * i : 8 * i + 8]) for i in range(n_signals))
    )


def edf_samples(path: Path) -> Callable[[int], NDArray[np.float64]]:
    """Function that gives the samples of an ordinary signal, by its index among these."""
    edfio = need("edfio", "read_bids", "bids")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # it warns of what is damaged and goes on
            whole: Any = (edfio.read_bdf if path.suffix.lower() == ".bdf" else edfio.read_edf)(path)

        def samples(index: int) -> NDArray[np.float64]:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    found: NDArray[np.float64] = whole.signals[index].data
                    if not np.all(np.isfinite(found)):
                        raise ValueError("its physical range is not finite")
                    return found
                except Exception as error:
                    refuse_damaged(path, f"signal {index + 1}: {error}", error)
                    raise

        return samples
    except MyoloopError:
        raise
    except Exception as error:  # it raises nearly every class there is
        refuse_damaged(path, str(error) or type(error).__name__, error)
        raise


def _text(field: bytes) -> str:
    return field.decode("latin-1").strip()


def _number(path: Path, field: bytes, what: str, least: int, most: int) -> int:
    text = _text(field)
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        refuse(path, f"the {what} is {text[:20]!r}", _MEND)
    return int(text)


def _float(path: Path, field: bytes, what: str) -> float:
    try:
        value = float(_text(field))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        refuse(path, f"the {what} is {_text(field)[:20]!r}", _MEND)
    return value
