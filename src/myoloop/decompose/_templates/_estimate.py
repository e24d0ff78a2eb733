"""Action potentials of the units of a recording."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import ActionPotentials, Recording, SpikeTrains
from ...errors import ParameterError
from ...units import to_float
from ._joint import RIDGE, joint_templates, subtract

Float32Array = NDArray[np.float32]


def estimate_action_potentials(
    recording: Recording,
    spikes: SpikeTrains,
    before_ms: float = 12.0,
    after_ms: float = 16.0,
    *,
    ridge: float = RIDGE,
) -> ActionPotentials:
    """Action potentials by joint least squares over all trains: overlapping discharges are told apart.

    A constant offset of each channel is estimated with them. Drifts are not: band-pass a recording first.

    Parameters
    ----------
    recording : Recording
        Every sample is used; no channel may hold NaN.
    spikes : SpikeTrains
        Discharges within the recording, at the nearest sample; each unit with one at least.
    before_ms, after_ms : float
        Extent of an action potential before and after its discharge; the potential of the sample
        `after_ms` itself is part of it.
    ridge : float
        See `joint_templates`.

    Returns
    -------
    ActionPotentials
        In uV, on the channels of the recording.

    Raises
    ------
    ParameterError
        For NaN, a unit without spikes, or spikes outside the recording.
    """
    x, trains, first, length = _prepared(recording, spikes, before_ms, after_ms)
    if not trains:
        raise ParameterError("estimate_action_potentials.spikes", "no units were given", "give one or more")
    templates = _beside_offset(x, trains, first, length, ridge)
    return ActionPotentials(
        templates, recording.rate_hz, t_start_s=first / recording.rate_hz, channels=recording.channels
    )


def explained_variance(
    recording: Recording,
    spikes: SpikeTrains,
    before_ms: float = 12.0,
    after_ms: float = 16.0,
    *,
    ridge: float = RIDGE,
) -> float:
    """Share of the variance of the signals that the units explain: ``1 - var(residual) / var(signal)``.

    Variances are summed over the channels. The residual is what is left after the action potentials of
    all units (`estimate_action_potentials`) are subtracted at each discharge. Estimating them takes up
    some of the noise too: about units x samples of an action potential over samples of the recording.

    Parameters
    ----------
    recording, spikes, before_ms, after_ms, ridge
        As for `estimate_action_potentials`; without any unit 0 is explained.

    Returns
    -------
    float
    """
    x, trains, first, length = _prepared(recording, spikes, before_ms, after_ms)
    power = float(np.var(x, axis=1, dtype=np.float64).sum())
    if power == 0:
        raise ParameterError(
            "explained_variance.recording", "every channel is constant", "give a recording with a signal"
        )
    rest = subtract(x, trains, _beside_offset(x, trains, first, length, ridge), first)
    return 1.0 - float(np.var(rest, axis=1, dtype=np.float64).sum()) / power


def _beside_offset(x: Float32Array, trains: Any, first: int, length: int, ridge: float) -> Float32Array:
    """Templates fitted together with an offset of each channel (Frisch-Waugh-Lovell).

    The templates of a constant and what they leave of it come from one more channel of ones; the offset
    of a channel is its projection on that rest.
    """
    ones = np.ones((1, x.shape[1]), np.float32)
    both = joint_templates(np.concatenate([x, ones]), trains, first, length, ridge)
    rest = subtract(ones, trains, both[:, -1:], first)[0].astype(np.float64)
    power = float(rest @ rest)
    if power < 1e-6 * len(rest):  # the units explain any constant: it is theirs
        return both[:, :-1]
    offset = (x @ rest / power).astype(np.float32)
    return np.asarray(both[:, :-1] - offset[:, None] * both[:, -1:])


def spike_samples(spikes: SpikeTrains, rate_hz: float, t_start_s: float = 0.0) -> list[NDArray[np.int64]]:
    """Nearest sample of each spike, one array for each unit."""
    return [np.rint((train - t_start_s) * rate_hz).astype(np.int64) for train in spikes]


def _prepared(recording: Recording, spikes: SpikeTrains, before_ms: Any, after_ms: Any) -> Any:
    before, after = (
        _extent(value, f"estimate_action_potentials.{name}")
        for name, value in (("before_ms", before_ms), ("after_ms", after_ms))
    )
    rate = recording.rate_hz
    first = -math.floor(before * 1e-3 * rate + 1e-6)
    length = math.floor(after * 1e-3 * rate + 1e-6) - first + 1
    values = recording.values_uV
    missing = ~np.isfinite(values).all(axis=1)
    if missing.any():
        names = ", ".join(np.array(recording.channels)[missing][:5])
        raise ParameterError(
            "estimate_action_potentials.recording", f"NaN on {names}", "leave these channels out (`select`)"
        )
    x = (values - values.mean(axis=1, keepdims=True, dtype=np.float64)).astype(np.float32)
    return x, spike_samples(spikes, rate, recording.t_start_s), first, length


def _extent(value: Any, field: str) -> float:
    extent = to_float(value, "ms", field)
    if not isinstance(extent, float) or not 0 <= extent <= 1000:
        raise ParameterError(field, f"{value!r} was given", "give 0 to 1000 ms")
    return extent
