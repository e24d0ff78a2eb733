"""Fatigue: action potentials whose conduction velocity drifts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...data import ActionPotentialPath, ActionPotentials, Signal
from ...errors import ParameterError
from ._jitter import DischargeJitter
from ._taps import TAPS, delay_taps

_STEP = 0.015  # between knots, in the logarithm of the factor
_MOST_BYTES = 2**30


def velocity_drift(potentials: ActionPotentials, factor: Signal) -> ActionPotentialPath:
    """Potentials of units whose conduction velocities change over time, as in fatigue.

    In the forward model the place of a fibre's source at time t after the discharge is v t and its shape
    in space is fixed, so a factor g of all velocities of a unit turns its potential Phi(t) into Phi(g t),
    exactly: same amplitude, stretched in time. That is what is done here, at knots 1.5 % apart, between
    which the path interpolates; for a potential that comes 15 ms after the discharge the error is below
    5e-4 of its peak. What is neglected: an amplifier's or filter's own response in Phi is stretched along
    with it, and a source that lengthens in space is not described; give an `ActionPotentialPath` of newly
    computed potentials for these.

    Parameters
    ----------
    potentials : ActionPotentials
        At a factor of 1.
    factor : Signal
        Velocity over that of `potentials`; shape (samples,), or (samples, units) where each has its own.

    Returns
    -------
    ActionPotentialPath
        Its length in time is that of the slowest.

    Raises
    ------
    ParameterError
        A factor not above 0, or a range of factors whose knots would take more than 1 GiB.
    """
    values = np.asarray(factor.values, dtype=np.float64)
    if values.size == 0 or not values.min() > 0:
        raise ParameterError(
            "velocity_drift.factor",
            f"{values.min():g} was given" if values.size else "no sample was given",
            "give factors above 0, 1 for no change",
        )
    low, high = float(values.min()), float(values.max())
    cells = max(3, int(np.ceil(np.log(high / low) / _STEP)))
    if high - low < 1e-9 * high:
        low, high, cells = low * (1 - 1e-6), high * (1 + 1e-6), 1
    knots = np.geomspace(low, high, cells + 1)
    knots[0], knots[-1] = low, high
    rate, begin = potentials.rate_hz, potentials.t_start_s
    end = begin + (potentials.values_uV.shape[2] - 1) / rate
    first = int(np.floor(min(begin / low, begin / high) * rate)) - TAPS // 2
    last = int(np.ceil(max(end / low, end / high) * rate)) + TAPS // 2
    units, channels, _ = potentials.values_uV.shape
    needed = 4 * units * channels * (last - first + 1) * len(knots)
    if needed > _MOST_BYTES:
        raise ParameterError(
            "velocity_drift.factor",
            f"{low:g} to {high:g} needs {len(knots)} knots and {needed / 2**30:.1f} GiB",
            "give a smaller range, fewer units or channels, or a lower rate",
        )
    times = np.arange(first, last + 1) / rate
    stretched = tuple(
        ActionPotentials(_at(potentials, times * g), rate, first / rate, potentials.channels) for g in knots
    )
    return ActionPotentialPath(knots, stretched, factor)


def _at(potentials: ActionPotentials, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """Potentials at any times after the discharge, 0 outside their window; (units, channels, times)."""
    values = potentials.values_uV
    place = (times_s - potentials.t_start_s) * potentials.rate_hz
    last = np.ceil(place - 1e-9).astype(np.int64)  # a delay of `last - place` brings this sample there
    taps = delay_taps(last - place)
    matrix = np.zeros((values.shape[2], len(times_s)), dtype=np.float32)
    for k in range(TAPS):
        source = last - TAPS // 2 + k
        inside = (source >= 0) & (source < values.shape[2])
        matrix[source[inside], np.flatnonzero(inside)] += taps[inside, k]
    return np.asarray(values.astype(np.float32, copy=False) @ matrix)


def drifting_jitter(
    jitter: DischargeJitter, potentials: ActionPotentials, path: ActionPotentialPath
) -> tuple[DischargeJitter, ...]:
    """Jitter along a `velocity_drift`: at a factor g the variations B(t) become g B(g t).

    Parameters
    ----------
    jitter : DischargeJitter
        At a factor of 1.
    potentials : ActionPotentials
        Those it belongs to.
    path : ActionPotentialPath
        What `velocity_drift` made of them.

    Returns
    -------
    tuple of DischargeJitter
        One for each knot; takes as many times the memory of `path` as there are variations.
    """
    jitter.check(potentials)
    units, variations, channels, samples = jitter.variations_uV.shape
    flat = jitter.variations_uV.reshape(units * variations, channels, samples)
    flat_potentials = ActionPotentials(flat, potentials.rate_hz, potentials.t_start_s)
    times = path.potentials[0].times_s
    shape = units, variations, channels, len(times)
    return tuple(
        jitter.replace(variations_uV=g * _at(flat_potentials, times * g).reshape(shape)) for g in path.knots
    )
