"""How a stream lies in HDF5: what its writer and its reader agree on.

``/layout`` holds JSON (populations, signals, provenance, the stream's identity); ``/spikes/<pool>/unit``
and ``time_s``, and ``/signals/<key>``, grow row by row; ``/committed`` is written last: each of its rows
says up to which simulated time the data are complete and how many rows of each dataset that takes, with
a check sum, so that a row that was half written when the process died is told from a whole one.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ._json import pack

STREAM_FORMAT = "myoloop-stream"
SPIKE_CHUNK = 16_384
_SIGNAL_CHUNK_VALUES = 65_536


@final
@dataclass(frozen=True)
class Column:
    """A dataset that grows: its path in the file, type, and shape of a row."""

    path: str
    dtype: str
    row: tuple[int, ...]
    chunk_rows: int

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return int(np.dtype(self.dtype).itemsize * np.prod(self.row, dtype=int))


def columns(layout: Mapping[str, Any]) -> tuple[Column, ...]:
    """All growing datasets of a layout, in the order in which `/committed` counts them."""
    found = []
    for name in layout["populations"]:
        found.append(Column(f"spikes/{_safe(name)}/unit", "<i8", (), SPIKE_CHUNK))
        found.append(Column(f"spikes/{_safe(name)}/time_s", "<f8", (), SPIKE_CHUNK))
    for key, about in layout["signals"].items():
        width = max(1, len(about["channels"]))
        rows = max(1, _SIGNAL_CHUNK_VALUES // width)
        found.append(Column(f"signals/{_safe(key)}", about["dtype"], (width,), rows))
    return tuple(found)


def check_layout(given: Mapping[str, Any]) -> dict[str, Any]:
    """Layout with all its entries, in plain values; raises ParameterError."""
    populations = {str(name): int(n) for name, n in given.get("populations", {}).items()}
    if any(n < 1 for n in populations.values()):
        raise ParameterError("HDF5Stream.layout", f"populations {populations}", "give each at least one unit")
    signals = {str(key): _signal(str(key), about) for key, about in given.get("signals", {}).items()}
    if not populations and not signals:
        raise ParameterError("HDF5Stream.layout", "nothing to record", "name a population or a signal")
    annotations = {
        str(name): {str(k): pack(f"HDF5Stream.layout[{k!r}]", v) for k, v in about.items()}
        for name, about in given.get("annotations", {}).items()
    }
    for name, about in annotations.items():
        if any(packed["shape"][:1] != [populations.get(name)] for packed in about.values()):
            raise ParameterError(
                "HDF5Stream.layout", f"annotations of {name!r} do not fit its units", "give one value a unit"
            )
    start = float(given.get("t_start_s", 0.0))
    if not np.isfinite(start):
        raise ParameterError("HDF5Stream.layout", f"t_start_s is {start:g}", "give a finite time in s")
    known = {"populations", "signals", "annotations", "t_start_s"}
    more = {str(key): value for key, value in given.items() if key not in known}
    return {
        **more,
        "t_start_s": start,
        "populations": populations,
        "signals": signals,
        "annotations": annotations,
    }


def _signal(key: str, about: Mapping[str, Any]) -> dict[str, Any]:
    dtype = np.dtype(about.get("dtype", "<f8")).newbyteorder("<")
    rate = float(about["rate_hz"])
    if dtype.kind != "f" or dtype.itemsize not in (4, 8) or not (np.isfinite(rate) and rate > 0):
        raise ParameterError(
            f"HDF5Stream.layout[{key!r}]",
            f"{dtype} at {rate:g} Hz",
            "give float32 or float64 and a rate above 0",
        )
    return {
        "rate_hz": rate,
        "units": str(about.get("units", "")),
        "channels": list(about.get("channels", ())),
        "t_start_s": float(about.get("t_start_s", 0.0)),
        "name": str(about.get("name", key)),
        "dtype": dtype.str,
    }


def _safe(name: str) -> str:
    """Name as a link name in HDF5, where slashes and lone dots have a meaning."""
    safe = quote(name, safe=" ()+,=@")
    return safe if safe.strip(".") else f"%{safe}"


def commit_type(n_columns: int) -> np.dtype[Any]:
    """Row of `/committed`."""
    return np.dtype([("time_s", "<f8"), ("rows", "<i8", (n_columns,)), ("check", "<u4")])


def commit_row(n_columns: int, time_s: float, rows: list[int]) -> NDArray[Any]:
    """A row of `/committed` with its check sum."""
    row = np.zeros(1, dtype=commit_type(n_columns))
    row["time_s"], row["rows"] = time_s, rows
    row["check"] = check_sum(row[0])
    return row


def check_sum(row: Any) -> int:
    """Check sum of a row of `/committed`; never that of a row of zeros."""
    return zlib.crc32(np.float64(row["time_s"]).tobytes() + np.asarray(row["rows"], "<i8").tobytes(), 0x5EED)
