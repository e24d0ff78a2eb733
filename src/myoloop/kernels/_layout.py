"""How a population and a window of it lie in memory: what the engine hands to the kernels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

CONDUCTANCE, CURRENT, JUMP = 0, 1, 2  # what a port does to the cell
TURN, DONE, CLAIMS = 0, 8, 16  # where in `control`: windows begun, parts done, parts taken
PARTS, THREADS = 6, 7  # where in `words`, behind those of Window


def new_control(parts: int) -> NDArray[np.int64]:
    """Return the numbers by which threads share out the work of a population; at first there is none."""
    return np.concatenate([np.zeros(CLAIMS), np.ones(parts)]).astype(np.int64)


class Window(NamedTuple):
    """Where in time a window lies and how the population lies in memory (whole numbers)."""

    first_step: int  # of the window, counted from the beginning of the simulation
    steps: int
    blocks: int
    slot: int  # of the ring of windows in which arrivals wait
    slots: int
    fields: int  # how many rows of the table of fields are in use


class Ports(NamedTuple):
    """Synaptic ports of a population: one for each kinetics and site."""

    table: NDArray[np.int64]  # (ports, 3): kind, first and second input row (or state row for JUMP)
    numbers: NDArray[Any]  # (ports, 9): reversal; b0, b1; p00, p01, p10, p11; c0, c1
    state: NDArray[Any]  # flat (ports, blocks, 2, LANES)
    arrivals: NDArray[Any]  # flat (ports, slots, blocks, steps, LANES): summed weights


class Fields(NamedTuple):
    """Injected currents and conductances of this window."""

    table: NDArray[np.int64]  # (fields, 3): input row, columns (1 or all cells), offset in values
    values: NDArray[Any]  # flat, each field (steps, columns)


class Fired(NamedTuple):
    """Spikes of this window, block by block."""

    counts: NDArray[np.int64]  # (blocks,)
    lanes: NDArray[np.int32]  # flat (blocks, steps * LANES), the first `counts` of each block in use
    steps: NDArray[Any]  # likewise: step of the window, plus the fraction after which the cell fired


class Probes(NamedTuple):
    """Recorded variables."""

    starts: NDArray[np.int64]  # (blocks + 1,): the probes of each block
    table: NDArray[np.int64]  # (probes, 2): 0 state or 1 input, index in the block's rows
    every: int  # steps between samples
    samples: NDArray[Any]  # (samples, probes), written from row 0


class Work(NamedTuple):
    """All that belongs to a population, for as long as it runs."""

    dt: Any  # ms
    state: NDArray[Any]  # flat (blocks, rows of State, LANES)
    constants: NDArray[Any]  # flat (blocks, rows of Constants, LANES)
    ports: Ports
    fields: Fields
    probes: Probes
    fired: Fired
