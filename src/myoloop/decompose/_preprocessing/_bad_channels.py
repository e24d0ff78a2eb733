"""Channels that cannot be used, each with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...data import Electrodes, Recording
from ...errors import ParameterError
from ...parameters import Parameters, number
from ._kernels import at_limits, held_and_wrapped

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

HOLD_S = 0.05
"""A run of equal samples longer than this is no signal."""
LOOKED_AT = 2**16
"""Samples, spread over the recording, that correlations are computed from."""
PIECES = 16
ROWS = 16
"""Channels that are copied at a time."""


@final
@dataclass(frozen=True, kw_only=True)
class BadChannelLimits(Parameters):
    """What makes a channel bad.

    Parameters
    ----------
    flat_share : float
        Share of the samples that may lie in constant runs of 50 ms or more, beyond the median channel
    clipped_share : float
        Share of the samples that may lie at the limits of the range.
    duplicate_correlation : float
        Two channels that correlate more are one signal; the later one is bad.
    mains_share : float
        Share of the power that may be mains, where most other channels have far less.
    deviation : float
        Robust standard deviations that the logarithm of the variance may lie away from its neighbours'.
    neighbour_correlation : float
        Least correlation with the neighbours, where channels in general correlate with theirs.
    """

    flat_share: float = number(0.05, at_least=0, at_most=1)
    clipped_share: float = number(0.002, at_least=0, at_most=1)
    duplicate_correlation: float = number(0.9999, above=0, at_most=1)
    mains_share: float = number(0.9, above=0, at_most=1)
    deviation: float = number(6.0, above=0)
    neighbour_correlation: float = number(0.3, at_least=0, below=1)


def without_signal(recording: Recording, limits: BadChannelLimits) -> tuple[dict[int, str], dict[int, str]]:
    """Channels that are bad by their raw samples.

    Returns those that hold nothing to be filtered (marked bad, NaN, flat), and those that hold a spoilt
    signal (clipped, wrapped around, flat in part).

    Raises
    ------
    ParameterError
        Where samples are missing in most channels at a time.
    """
    values, hold = recording.values_uV, max(3, round(HOLD_S * recording.rate_hz))
    assert recording.bad is not None
    none: dict[int, str] = {}
    spoilt: dict[int, str] = {}
    held_share: dict[int, float] = {}
    missing: list[int] = []
    for i, row in rows_of(values, np.arange(len(values))):
        low, high = row.min(), row.max()
        if recording.bad[i]:
            none[i] = "marked bad"
        elif np.isnan(low):
            none[i] = f"NaN in {_percent(np.count_nonzero(np.isnan(row)) / row.size)} of the samples"
            missing.append(i)
        elif low == high:
            none[i] = "flat"
        else:
            held, wraps = held_and_wrapped(row, hold, high - low)
            held_share[i] = held / row.size
            reason = "wraps around (integer overflow)" if wraps >= 3 else _clipped(row, low, high, limits)
            if reason:
                spoilt[i] = reason
    _check_gaps(recording, missing)
    usual = float(np.median(list(held_share.values()))) if held_share else 0.0
    for i, share in held_share.items():
        if share > usual + limits.flat_share:
            spoilt.setdefault(i, f"flat for {_percent(share)} of the time")
    return none, spoilt


def rows_of(values: NDArray[Any], chosen: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Index and contiguous samples of each chosen channel, also where `values` holds sample after sample."""
    for first in range(0, len(chosen), ROWS):
        some = chosen[first : first + ROWS]
        contiguous = values.strides[1] == values.itemsize
        block = values if contiguous else np.ascontiguousarray(values[some])
        for k, i in enumerate(some):
            yield int(i), block[i if contiguous else k]


def _clipped(row: NDArray[np.floating], low: float, high: float, limits: BadChannelLimits) -> str | None:
    mean = float(row.mean(dtype=np.float64))
    sd, span = float(np.sqrt(np.mean((row - mean) ** 2, dtype=np.float64))), high - low
    # A limit of the amplifier lies away from the mean; the rest value of a one-sided signal does not.
    top = high - 1e-6 * span if high - mean > 0.9 * sd else np.inf
    bottom = low + 1e-6 * span if mean - low > 0.9 * sd else -np.inf
    reached, near = at_limits(row, top, bottom, 0.03 * span)
    share = reached / row.size
    if share > limits.clipped_share and reached > near:
        return f"clipped ({_percent(share)} of the samples at the limits)"
    return None


def _check_gaps(recording: Recording, missing: list[int]) -> None:
    """Refuse a recording whose channels have gaps in common."""
    assert recording.bad is not None
    holes = [np.isnan(recording.values_uV[i]) for i in missing]
    holes = [hole for hole in holes if not hole.all()]
    if 2 * len(holes) <= np.count_nonzero(~recording.bad):
        return
    gap = np.sum(holes, axis=0) > 0.5 * len(holes)
    if not gap.any():
        return
    edges = np.flatnonzero(np.diff(np.concatenate([[True], gap, [True]]).astype(np.int8)))
    whole = edges.reshape(-1, 2)  # begin and end of each part without a gap
    begins, ends = recording.t_start_s + whole.T / recording.rate_hz
    first = recording.t_start_s + int(np.argmax(gap)) / recording.rate_hz
    longest = int(np.argmax(ends - begins)) if len(whole) else 0
    best = f"recording.between({begins[longest]:.6g}, {ends[longest]:.6g})" if len(whole) else "another part"
    raise ParameterError(
        "Recording.values_uV",
        f"{np.count_nonzero(gap)} samples from {first:.6g} s on are missing (NaN) in most channels",
        f"cut the recording there: the longest part without a gap is {best}",
    )


def suspicious(
    values: Float32Array,
    names: list[str],
    mains_power: FloatArray,
    neighbours: list[NDArray[np.int64]] | None,
    limits: BadChannelLimits,
) -> dict[int, str]:
    """Channels that are bad by comparison with the others, by index into `values`.

    Parameters
    ----------
    values : ndarray of float32, shape (channels, samples)
        Band-passed, without mains.
    names : list of str
    mains_power : ndarray, shape (channels,)
        What was subtracted.
    neighbours : list of ndarray, or None
        Of each channel on its grid; None where channels need not resemble each other (intramuscular), an
        empty list where the places are not known.
    limits : BadChannelLimits
    """
    sample = spread(values)
    variance = np.einsum("ij,ij->i", sample, sample, dtype=np.float64) / sample.shape[1]
    if len(values) < 2 or not np.all(variance > 0):
        return {int(i): "no power in the pass-band" for i in np.flatnonzero(~(variance > 0))}
    correlation = np.abs(sample @ sample.T) / np.sqrt(np.outer(variance, variance)) / sample.shape[1]
    correlation = np.minimum(correlation, 1.0)
    np.fill_diagonal(correlation, 0.0)
    reasons: dict[int, str] = {}
    for i, j in zip(*np.nonzero(np.triu(correlation > limits.duplicate_correlation)), strict=True):
        if i not in reasons:
            reasons.setdefault(int(j), f"a duplicate of {names[i]}")
    share = mains_power / (mains_power + variance)
    usual = float(np.median(mains_power / variance))
    for i in np.flatnonzero((share > limits.mains_share) & (mains_power / variance > 10 * usual)):
        reasons.setdefault(int(i), f"{_percent(share[i])} of its power is mains")
    alike = None if neighbours is None else _likeness(correlation, neighbours)
    for i, reason in _odd_variance(np.log(variance), neighbours, alike, limits).items():
        reasons.setdefault(i, reason)
    if alike is not None and np.median(alike) > 2 * limits.neighbour_correlation:
        for i in np.flatnonzero(alike < limits.neighbour_correlation):
            reasons.setdefault(int(i), f"correlates by only {alike[i]:.2g} with its neighbours")
    return reasons


def spread(values: Float32Array) -> Float32Array:
    """`values`, or pieces of them spread over the recording where it is long."""
    n = values.shape[1]
    if n <= 1.5 * LOOKED_AT:
        return values
    length = LOOKED_AT // PIECES
    starts = np.linspace(0, n - length, PIECES).astype(int)
    return np.concatenate([values[:, start : start + length] for start in starts], axis=1)


def _likeness(correlation: NDArray[np.floating], neighbours: list[NDArray[np.int64]]) -> FloatArray:
    """Correlation with the neighbours: the upper quartile, so that a bad neighbour does not count."""
    if neighbours:
        rows = [correlation[i, near] for i, near in enumerate(neighbours)]
        return np.array([np.quantile(row, 0.75) if row.size else 1.0 for row in rows])
    best = np.sort(correlation, axis=1)[:, max(1, len(correlation) - 3) :]
    return np.asarray(best.mean(axis=1), dtype=np.float64)


def _odd_variance(
    log_variance: FloatArray,
    neighbours: list[NDArray[np.int64]] | None,
    alike: FloatArray | None,
    limits: BadChannelLimits,
) -> dict[int, str]:
    """Channels far louder than others, or far weaker without resembling their neighbours."""
    overall = np.full(len(log_variance), np.median(log_variance))
    local = overall.copy()
    for i, near in enumerate(neighbours or []):
        if near.size:
            local[i] = np.median(log_variance[near])
    away = log_variance - local
    spread_of = max(0.35, 1.4826 * float(np.median(np.abs(away - np.median(away)))))
    score = away / spread_of
    reasons = {}
    for i in range(len(log_variance)):
        decibels = 10 / np.log(10) * min(away[i], log_variance[i] - overall[i], key=abs)
        if score[i] > limits.deviation and decibels > 12:
            reasons[i] = f"{decibels:.0f} dB louder than the others"
        unlike = alike is None or alike[i] < 2 * limits.neighbour_correlation
        if score[i] < -limits.deviation and decibels < -20 and unlike:
            reasons[i] = f"{-decibels:.0f} dB weaker than the others"
    return reasons


def neighbours_on_grid(
    electrodes: Electrodes | None, chosen: NDArray[np.int64]
) -> list[NDArray[np.int64]] | None:
    """Indices of the neighbours of each chosen channel, within the chosen ones.

    None for electrodes in the muscle. An empty list where no places are known, and for channels that are
    differences of contacts: over an endplate zone their neighbours differ.
    """
    if electrodes is None:
        return []
    if electrodes.intramuscular:
        return None
    used = electrodes.matrix[chosen] != 0
    if electrodes.place is None or np.any(used.sum(axis=1) != 1):
        return []
    place = electrodes.place[used.argmax(axis=1)]
    apart = np.max(np.abs(place[:, None] - place[None]), axis=2)
    return [np.flatnonzero(row == 1) for row in apart]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
