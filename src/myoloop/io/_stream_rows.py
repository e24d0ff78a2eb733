"""Check that what a simulation wants to append is what it announced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, UnknownNameError
from ._stream_layout import Column

Spikes = Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
ROUNDING_S = 1e-9  # of a time at the very end of a window


def checked_rows(
    layout: Mapping[str, Any],
    columns: Sequence[Column],
    spikes: Spikes,
    signals: Mapping[str, NDArray[Any]],
    time_s: float,
) -> dict[str, NDArray[Any]]:
    """Copies of the rows for each column (by path) that gets some; raises ParameterError."""
    rows: dict[str, NDArray[Any]] = {}
    pools, keys = list(layout["populations"]), list(layout["signals"])
    for name, (units, times) in spikes.items():
        if name not in pools:
            raise UnknownNameError("HDF5Stream.spikes", name, pools)
        span = float(layout["t_start_s"]), time_s
        owner, when = _events(name, layout["populations"][name], units, times, span)
        if len(owner):
            place = 2 * pools.index(name)
            rows[columns[place].path], rows[columns[place + 1].path] = owner, when
    for key, given in signals.items():
        if key not in keys:
            raise UnknownNameError("HDF5Stream.signals", key, keys)
        column = columns[2 * len(pools) + keys.index(key)]
        values = _samples(key, column, given)
        if len(values):
            rows[column.path] = values
    return rows


def _events(
    name: str, n_units: int, units: NDArray[Any], times: NDArray[Any], span: tuple[float, float]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    field = f"HDF5Stream.spikes[{name!r}]"
    owner, when = np.array(units, dtype=np.int64), np.array(times, dtype=np.float64)
    if owner.shape != when.shape or owner.ndim != 1:
        raise ParameterError(field, f"{owner.shape} units, {when.shape} times", "give one of each")
    if len(owner) and (owner.min() < 0 or owner.max() >= n_units):
        raise ParameterError(
            field, f"units {owner.min()} to {owner.max()}", f"give indices from 0 to {n_units - 1}"
        )
    begin, end = span
    if len(when) and not (when.min() >= begin and when.max() <= end + ROUNDING_S):
        raise ParameterError(
            field,
            f"spikes from {when.min():g} to {when.max():g} s",
            f"give times from {begin:g} to {end:g} s",
        )
    return owner, when


def _samples(key: str, column: Column, given: NDArray[Any]) -> NDArray[Any]:
    field = f"HDF5Stream.signals[{key!r}]"
    values = np.array(given, dtype=column.dtype)
    values = values[:, np.newaxis] if values.ndim == 1 else values
    if values.shape[1:] != column.row:
        raise ParameterError(field, f"shape {values.shape}", f"give (samples, {column.row[0]})")
    if not np.all(np.isfinite(values)):
        raise ParameterError(field, "NaN or infinite values", "find out where the run diverged")
    return values
