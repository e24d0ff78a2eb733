"""The engine's inner loop: advance blocks of cells through one window of steps.

A population lies in memory as blocks of LANES cells, each variable a row of its block. One call takes a
population through a window: synaptic conductances and injected currents are laid out step by step,
then the cells of a block, still in cache, go through all steps. Blocks are independent of one another,
so the result does not depend on the number of threads.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit

from . import _math  # noqa: F401  names the compiled form of `exp`
from ._atomic import atomic_add, atomic_load, atomic_store, relax
from ._cache import enable_cache
from ._layout import (
    CLAIMS,
    CONDUCTANCE,
    DONE,
    JUMP,
    PARTS,
    THREADS,
    TURN,
    Window,
)
from ._neuron import Neuron
from ._precision import compile_function
from ._rows import ALIGNMENT, LANES, gather, load, positive_lanes, scatter, store
from ._vectors import wide_vectors

PATIENCE = 30_000  # how often `serve` looks in vain before it returns: a fraction of a millisecond
QUIET = 1e-25  # below this a synaptic state is set to 0, before it gets denormal and slow


@njit(cache=True, nogil=True)
def post(control: Any, words: Any) -> None:
    """Begin the window that `words` describes: from now on its parts may be taken."""
    atomic_store(control, DONE, 0)
    for part in range(words[PARTS]):
        atomic_store(control, CLAIMS + part, 0)
    atomic_add(control, TURN, 1)


@cache
def advance_kernels(model: type[Neuron], dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """Compiled ``lead(control, words, work)`` and ``serve(rank, control, words, work)``.

    `lead` takes a population through the window that was posted and returns when it is done; from the
    posting on any number of threads may run `serve`, which takes parts of the work as they come and
    returns after a while without any. The work is a set of runs of blocks, each taken by whoever is free,
    so nobody waits for a thread that sleeps, and the result does not depend on who took what.

    The arguments are `control` (see `new_control`), `words` (a `Window`, numbers of parts and threads) and
    the population's `Work`.
    """
    advance_blocks = _blocks_kernel(model, dtype)

    def take_parts(
        rank: Any,
        control: Any,
        words: Any,
        work: Any,
    ) -> None:
        # Each thread begins at a place of its own, so that it finds the same blocks in its cache.
        parts, begin = words[PARTS], rank * words[PARTS] // words[THREADS]
        for k in range(parts):
            part = (begin + k) % parts
            if atomic_load(control, CLAIMS + part) == 0 and atomic_add(control, CLAIMS + part, 1) == 0:
                window = Window(words[0], words[1], words[2], words[3], words[4], words[5])
                first, last = part * window.blocks // parts, (part + 1) * window.blocks // parts
                advance_blocks(first, last, window, work)
                atomic_add(control, DONE, 1)

    take = compile_function(take_parts, dtype, nogil=True)

    def lead(
        control: Any,
        words: Any,
        work: Any,
    ) -> None:
        take(0, control, words, work)
        while atomic_load(control, DONE) < words[PARTS]:
            relax()

    def serve(
        rank: Any,
        control: Any,
        words: Any,
        work: Any,
    ) -> None:
        idle, turn = 0, 0
        while idle < PATIENCE:
            idle += 1
            relax()
            if atomic_load(control, TURN) != turn:
                idle, turn = 0, atomic_load(control, TURN)
                take(rank, control, words, work)

    compiled = tuple(compile_function(kernel, dtype, nogil=True) for kernel in (lead, serve))
    for kernel in compiled:
        enable_cache(kernel, model.step, dtype.char, model.State, model.Constants, model.Inputs)
    return compiled


@cache
def _blocks_kernel(model: type[Neuron], dtype: np.dtype[Any]) -> Any:
    n_state, n_inputs = len(model.State._fields), len(model.Inputs._fields)  # type: ignore[attr-defined]
    real = dtype.type
    advance_cells = _cells_kernel(model, dtype)

    def advance_blocks(
        first: Any,
        last: Any,
        window: Any,
        work: Any,
    ) -> None:
        dt, state, constants, ports, fields, probes, fired = work
        inputs = aligned(np.zeros(window.steps * n_inputs * LANES + ALIGNMENT, real))
        scratch = aligned(np.empty(window.steps * LANES + ALIGNMENT, real))
        jumps = any_jumps(ports)
        for block in range(first, last):
            clear_inputs(window, ports, fields, inputs, n_inputs)
            add_synapses(block, window, ports, inputs, n_inputs, scratch)
            add_fields(block, window, fields, inputs, n_inputs)
            state_at = block * n_state * LANES
            sample_due = first_sample(window, probes, block)
            k = 0
            while k < window.steps:  # as many steps at once as samples and jumps allow
                if k == sample_due:
                    take_samples(block, k, state, state_at, inputs, k * n_inputs * LANES, probes)
                    sample_due += probes.every
                if jumps:
                    add_jumps(block, window, k, ports, state, state_at)
                stop = k + 1 if jumps else min(sample_due, window.steps)
                advance_cells(block, k, stop, dt, state, constants, inputs, scratch, 0)
                k = stop
            find_spikes(block, window, scratch, fired)

    kernel = compile_function(advance_blocks, dtype, nogil=True)
    enable_cache(kernel, model.step, dtype.char, model.State, model.Constants, model.Inputs)
    return kernel


@cache
def _cells_kernel(model: type[Neuron], dtype: np.dtype[Any]) -> Any:
    """Compiled loop over steps and the cells of a block; a function of its own so that it vectorises."""
    step, state_type, constants_type, inputs_type = (
        model.step,
        model.State,
        model.Constants,
        model.Inputs,
    )
    n_state, n_constants, n_inputs = (
        len(t._fields)  # type: ignore[attr-defined]
        for t in (state_type, constants_type, inputs_type)
    )

    def advance_cells(
        block: Any,
        start: Any,
        stop: Any,
        dt: Any,
        state: Any,
        constants: Any,
        inputs: Any,
        crossings: Any,
        crossings_at: Any,
    ) -> None:
        wide_vectors()
        state_at = block * n_state * LANES
        constants_at = block * n_constants * LANES
        for k in range(start, stop):
            inputs_at = k * n_inputs * LANES
            crossed_at = crossings_at + k * LANES
            for lane in range(LANES):
                x = gather(state_type, state, state_at + lane)
                c = gather(constants_type, constants, constants_at + lane)
                u = gather(inputs_type, inputs, inputs_at + lane)
                x, crossing = step(x, c, u, dt)
                scatter(state, state_at + lane, x)
                store(crossings, crossed_at + lane, crossing)

    return compile_function(advance_cells, dtype, nogil=True, no_cpython_wrapper=True)


def aligned(room: Any) -> Any:
    """Return what of an array begins at a cache line; it must have ALIGNMENT items to spare."""
    return room[-room.ctypes.data % ALIGNMENT // room.itemsize :]


def clear_inputs(window: Any, ports: Any, fields: Any, inputs: Any, n_inputs: Any) -> None:
    """Set the rows of the inputs that ports and fields write to 0; the others are never written."""
    for port in range(len(ports.table)):
        kind, row, row_e = ports.table[port]
        if kind != JUMP:
            clear_row(window, inputs, row, n_inputs)
        if kind == CONDUCTANCE:
            clear_row(window, inputs, row_e, n_inputs)
    for field in range(window.fields):
        clear_row(window, inputs, fields.table[field, 0], n_inputs)


def clear_row(window: Any, inputs: Any, row: Any, n_inputs: Any) -> None:
    """Set one row of the inputs to 0 at every step."""
    for k in range(window.steps):
        for lane in range(LANES):
            store(inputs, (k * n_inputs + row) * LANES + lane, 0.0)


def add_synapses(block: Any, window: Any, ports: Any, inputs: Any, n_inputs: Any, scratch: Any) -> None:
    """Sum up the conductance (or current) of every port, step by step, into the inputs."""
    for port in range(len(ports.table)):
        kind, row, row_e = ports.table[port]
        if kind != JUMP:
            advance_port(block, window, ports, port, scratch)
            add_scaled(window, inputs, row, n_inputs, scratch, 1.0)
        if kind == CONDUCTANCE:
            add_scaled(window, inputs, row_e, n_inputs, scratch, ports.numbers[port, 0])


def advance_port(block: Any, window: Any, ports: Any, port: Any, out: Any) -> None:
    """Conductance (or current) of a port at each step, and its state moved on.

    Every kinetics is a linear system of two variables with the exact propagator p over a step:
    x += b * arrivals; out = c . x; x = p x.
    """
    arrivals, state, q = ports.arrivals, ports.state, ports.numbers[port]
    b0, b1, c0, c1 = q[1], q[2], q[7], q[8]
    p00, p01, p10, p11 = q[3], q[4], q[5], q[6]
    at = (port * window.blocks + block) * 2 * LANES
    arrivals_at = arrivals_offset(port, block, window)
    for k in range(window.steps):
        for lane in range(LANES):
            arrived = arrivals_at + k * LANES + lane
            arriving = load(arrivals, arrived)
            store(arrivals, arrived, 0.0)
            x0 = load(state, at + lane) + b0 * arriving
            x1 = load(state, at + LANES + lane) + b1 * arriving
            store(state, at + lane, p00 * x0 + p01 * x1)
            store(state, at + LANES + lane, p10 * x0 + p11 * x1)
            store(out, k * LANES + lane, c0 * x0 + c1 * x1)
    for i in range(2 * LANES):
        x0 = load(state, at + i)
        store(state, at + i, 0.0 if abs(x0) < QUIET else x0)


def add_scaled(window: Any, inputs: Any, row: Any, n_inputs: Any, values: Any, factor: Any) -> None:
    """Add the values of each step, times `factor`, to one row of the inputs."""
    for k in range(window.steps):
        to = (k * n_inputs + row) * LANES
        for lane in range(LANES):
            increase(inputs, to + lane, factor * load(values, k * LANES + lane))


def increase(array: Any, index: Any, amount: Any) -> None:
    """``array[index] += amount`` for an index that is not negative."""
    store(array, index, load(array, index) + amount)


def add_fields(block: Any, window: Any, fields: Any, inputs: Any, n_inputs: Any) -> None:
    """Add injected currents and conductances to the inputs."""
    for field in range(window.fields):
        row, columns, offset = fields.table[field]
        for k in range(window.steps):
            to = (k * n_inputs + row) * LANES
            source = offset + k * columns
            for lane in range(LANES):
                column = block * LANES + lane if columns > 1 else 0
                increase(inputs, to + lane, load(fields.values, source + column))


def find_spikes(block: Any, window: Any, crossings: Any, fired: Any) -> None:
    """List what the cells' steps returned of spikes."""
    at = block * window.steps * LANES
    found = 0
    for k in range(window.steps):
        lanes = positive_lanes(crossings, k * LANES)
        lane = 0
        while lanes != 0:
            if lanes & 1 != 0:
                store(fired.lanes, at + found, np.int32(lane))
                store(fired.steps, at + found, k + np.float64(load(crossings, k * LANES + lane)))
                found += 1
            lanes >>= 1
            lane += 1
    store(fired.counts, block, found)


def any_jumps(ports: Any) -> bool:
    """Whether a port is a delta synapse."""
    found = False
    for port in range(len(ports.table)):
        found = found or ports.table[port, 0] == JUMP
    return found


def add_jumps(block: Any, window: Any, k: Any, ports: Any, state: Any, state_at: Any) -> None:
    """Delta synapses: arrivals move the voltage at once."""
    for port in range(len(ports.table)):
        if ports.table[port, 0] == JUMP:
            at = arrivals_offset(port, block, window) + k * LANES
            to = state_at + ports.table[port, 1] * LANES
            for lane in range(LANES):
                increase(state, to + lane, load(ports.arrivals, at + lane))
                store(ports.arrivals, at + lane, 0.0)


def first_sample(window: Any, probes: Any, block: Any) -> Any:
    """Step of the window before which the first sample is due; beyond the window if none is."""
    if probes.starts[block] == probes.starts[block + 1]:
        return window.steps
    return -window.first_step % probes.every


def take_samples(
    block: Any,
    k: Any,
    state: Any,
    state_at: Any,
    inputs: Any,
    inputs_at: Any,
    probes: Any,
) -> None:
    """Copy the probed variables of a block, as they are before step k."""
    sample = k // probes.every
    for probe in range(probes.starts[block], probes.starts[block + 1]):
        if probes.table[probe, 0] == 0:
            probes.samples[sample, probe] = state[state_at + probes.table[probe, 1]]
        else:
            probes.samples[sample, probe] = inputs[inputs_at + probes.table[probe, 1]]


def arrivals_offset(port: Any, block: Any, window: Any) -> Any:
    """Where in `Ports.arrivals` the window's first step of a block begins."""
    return ((port * window.slots + window.slot) * window.blocks + block) * window.steps * LANES
