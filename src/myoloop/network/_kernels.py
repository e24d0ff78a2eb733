"""Compiled kernels of the network: renewal sources, spike collection and delivery."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..kernels._philox import gamma_interval, uniform_pair
from ..kernels._rows import LANES, load, store

_ROOM = 64  # spikes of a window for which room is made at first


@njit(cache=True, nogil=True)
def first_intervals(key: Any, shape: Any, ahead: Any, draws: Any) -> None:
    """Operational time to the first spike of renewal processes in equilibrium.

    The interval that covers time 0 is length-biased, gamma of shape + 1, and 0 lies anywhere in it.
    """
    for unit in range(len(ahead)):
        u, _ = uniform_pair(key, unit, 0)
        interval, draws[unit] = gamma_interval(key, unit, 1, shape + 1.0)
        ahead[unit] = u * interval * (shape + 1.0) / shape


@njit(cache=True, nogil=True)
def renew(
    key: Any, shape: Any, rates: Any, first_step: Any, dt_s: Any, ahead: Any, draws: Any
) -> tuple[Any, Any]:
    """Units and times (s) of the spikes of the window that begins at `first_step`.

    `rates` (pps) is (steps, 1) or (steps, n). `ahead`, each unit's operational time to its next spike,
    and `draws`, its next random draw, are moved on.
    """
    units, times = np.empty(_ROOM, np.int64), np.empty(_ROOM)
    steps, columns = rates.shape
    dues, passed = np.empty(len(ahead), np.int64), np.zeros(steps + 1)
    shared = columns == 1
    if shared:
        _pass(rates, 0, dt_s, passed)
    due = _select_due(ahead, passed[steps], dues) if shared else len(ahead)
    found = 0
    for i in range(due):
        unit, column = (dues[i], 0) if shared else (i, i)
        if not shared:
            _pass(rates, column, dt_s, passed)
        total = passed[steps]
        while ahead[unit] <= total:
            k = _step_of(passed, ahead[unit])
            part = (ahead[unit] - passed[k]) / (rates[k, column] * dt_s)
            if found == len(units):
                units, times = _longer(units), _longer(times)
            units[found] = unit
            times[found] = (first_step + k + min(part, 1.0)) * dt_s
            found += 1
            interval, draws[unit] = gamma_interval(key, unit, draws[unit], shape)
            ahead[unit] += interval
        ahead[unit] -= total
    return units[:found], times[:found]


@njit(cache=True)
def _pass(rates: Any, column: Any, dt_s: Any, passed: Any) -> None:
    """Work out the operational time that has passed at the beginning of each step and at the end."""
    for k in range(len(rates)):
        passed[k + 1] = passed[k] + rates[k, column] * dt_s


@njit(cache=True)
def _select_due(ahead: Any, total: Any, dues: Any) -> Any:
    """List the units that fire within `total` in `dues`, return their number, and move on the others."""
    due = 0
    for unit in range(len(ahead)):
        if ahead[unit] <= total:
            dues[due] = unit
            due += 1
        else:
            ahead[unit] -= total
    return due


@njit(cache=True, inline="always")
def _step_of(passed: Any, at: Any) -> Any:
    """Return k with ``passed[k] < at <= passed[k + 1]``, by halving."""
    low, high = 0, len(passed) - 1
    while high - low > 1:
        middle = (low + high) // 2
        beyond = passed[middle] < at
        low, high = (middle, high) if beyond else (low, middle)
    return low


@njit(cache=True, nogil=True)
def emission_steps(times: Any, dt_s: Any, first_step: Any, steps: Any) -> Any:
    """Step of the window, 0 to `steps`, at which spikes of a source at `times` (s) are emitted.

    A spike at t is emitted at the step k with (k - 1/2) dt < t <= (k + 1/2) dt.
    """
    ahead = np.empty(len(times), np.int64)
    for i in range(len(times)):
        nearest = np.int64(np.ceil(times[i] / dt_s - 0.5)) - first_step
        ahead[i] = min(max(nearest, 0), steps)
    return ahead


@njit(cache=True, nogil=True)
def collect(
    counts: Any, lanes: Any, places: Any, steps: Any, n: Any, first_step: Any, dt_s: Any
) -> tuple[Any, Any, Any]:
    """Units that fired in a window, when (s), and the step of the window at which each spike is emitted.

    `counts`, `lanes` and `places` list the spikes block by block, as `kernels._layout.Fired` says. A
    spike is emitted at the end of the step in which it falls.
    """
    room = counts.sum()
    units, times, ahead = np.empty(room, np.int64), np.empty(room), np.empty(room, np.int64)
    found = 0
    for block in range(len(counts)):
        at = block * steps * LANES
        for spike in range(at, at + counts[block]):
            unit = block * LANES + lanes[spike]
            if unit < n:  # the last block is filled up with copies of the last cell
                units[found] = unit
                times[found] = (first_step + places[spike]) * dt_s
                ahead[found] = np.int64(np.ceil(places[spike]))
                found += 1
    return units[:found], times[:found], ahead[:found]


@njit(cache=True)
def _longer(array: Any) -> Any:
    longer = np.empty(2 * len(array), array.dtype)
    longer[: len(array)] = array
    return longer


@njit(cache=True, nogil=True)
def deliver(
    units: Any, steps_ahead: Any, factors: Any, slot: Any, shape: Any, synapses: Any, arrivals: Any
) -> None:
    """Add the weights of the synapses of the units that fired to the arrivals of their targets.

    Parameters
    ----------
    units, steps_ahead : ndarray of int
        Who fired and at which step from the beginning of the window.
    factors : ndarray, shape (1,) or (events,)
        By which the weights are multiplied.
    slot : int
        Slot of the window in the ring.
    shape : tuple
        port, slots, blocks, steps of `arrivals`.
    synapses : tuple
        starts (pre + 1,), targets (flat offsets), weights (1,) or (synapses,), delays (1,) or
        (synapses,) in steps.
    arrivals : ndarray
        Flat (ports, slots, blocks, steps, LANES).
    """
    port, slots, blocks, steps = shape
    starts, targets, weights, delays = synapses
    one_delay, one_weight = len(delays) == 1, len(weights) == 1
    for event in range(len(units)):
        first, last = starts[units[event]], starts[units[event] + 1]
        factor = factors[event] if len(factors) > 1 else factors[0]
        if one_delay:
            to = _offset(steps_ahead[event] + delays[0], port, slot, slots, blocks, steps)
            if one_weight:
                weight = weights[0] * factor
                for synapse in range(first, last):
                    at = to + load(targets, synapse)
                    store(arrivals, at, load(arrivals, at) + weight)
            else:
                for synapse in range(first, last):
                    at = to + load(targets, synapse)
                    store(arrivals, at, load(arrivals, at) + load(weights, synapse) * factor)
        else:
            for synapse in range(first, last):
                to = _offset(steps_ahead[event] + delays[synapse], port, slot, slots, blocks, steps)
                arrivals[to + targets[synapse]] += (weights[0] if one_weight else weights[synapse]) * factor


@njit(cache=True, inline="always")
def _offset(ahead: Any, port: Any, slot: Any, slots: Any, blocks: Any, steps: Any) -> Any:
    window = (slot + ahead // steps) % slots
    return ((port * slots + window) * blocks * steps + ahead % steps) * LANES


@njit(cache=True)
def synapse_uniforms(key: Any, starts: Any, posts: Any) -> Any:
    """A uniform number in (0, 1) for each synapse, which depends on its two units alone."""
    uniforms = np.empty(len(posts))
    for row in range(len(starts) - 1):
        for synapse in range(starts[row], starts[row + 1]):
            uniforms[synapse], _ = uniform_pair(key, row, posts[synapse])
    return uniforms


@njit(cache=True)
def random_rows(key: Any, probability: Any, n_post: Any, starts: Any, posts: Any) -> Any:
    """Targets of each row, every one with the same probability; returns their number.

    Walks from target to target with geometric steps. Each row has its own draws, and later targets
    do not change which earlier ones are chosen.
    """
    found = 0
    log_miss = np.log1p(-probability) if probability < 1.0 else -np.inf
    for row in range(len(starts) - 1):
        starts[row] = found
        post, draw = np.int64(-1), 0
        while True:
            u, _ = uniform_pair(key, row, draw)
            draw += 1
            post += 1 + np.int64(min(np.log(u) / log_miss, 4e18))
            if post >= n_post or post < 0:
                break
            if found < len(posts):
                posts[found] = post
            found += 1
    starts[len(starts) - 1] = found
    return found
