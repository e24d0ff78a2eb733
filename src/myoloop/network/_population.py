"""A population at run time: its cells, synapses and inputs laid out for the kernels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ..kernels import Neuron
from ..kernels._advance import advance_kernels, post
from ..kernels._layout import CONDUCTANCE, CURRENT, JUMP, Fields, Fired, Ports, Probes, Work, new_control
from ..kernels._rows import LANES, aligned_zeros
from ..kernels._team import Team
from ._check import ANY, check_drive, check_inside
from ._clock import Clock
from ._currents import CurrentInjection
from ._kernels import collect, deliver
from ._network import Population
from ._plasticity import Events
from ._projection import Projection
from ._rates import Sampler
from ._record import ProbePlan
from ._synapses import Synapse

Array = NDArray[Any]
_PARTS_PER_THREAD = 8  # into which a window's work is divided, so that nobody waits long for the last


@final
class PopulationRun:
    """Cells in blocks of LANES, with a ring of windows in which arriving spikes wait."""

    def __init__(
        self, population: Population, incoming: list[Projection], clock: Clock, dtype: np.dtype[Any]
    ) -> None:
        self.name, self.cells, self.n = population.name, population.cells, population.n
        self.blocks = -(-self.n // LANES)
        self.dtype, self._clock = dtype, clock
        self._state = self._lay_out(self.cells.initial(clock.dt_ms))
        self._constants = self._lay_out(self.cells.constants(clock.dt_ms))
        self._port_of = _ports(incoming, self.cells)

    def prepare(
        self,
        window_steps: int,
        longest_delay: int,
        currents: list[CurrentInjection],
        plan: ProbePlan,
        threads: int,
    ) -> None:
        """Get the buffers and the kernel, once the length of a window is known."""
        # A window is read before anything is delivered, so its slot may take what comes a ring later.
        self.steps, self.slots = window_steps, longest_delay // window_steps + 1
        keys = list(dict.fromkeys(self._port_of.values()))
        self._ports = Ports(
            np.array([_table_row(self.cells, *key) for key in keys], dtype=np.int64).reshape(-1, 3),
            np.array([_numbers(key[0], self._clock) for key in keys], dtype=self.dtype).reshape(-1, 9),
            aligned_zeros(len(keys) * self.blocks * 2 * LANES, self.dtype),
            aligned_zeros(len(keys) * self.slots * self.blocks * self.steps * LANES, self.dtype),
        )
        self._port_index = {name: keys.index(key) for name, key in self._port_of.items()}
        self._injected = _Injected([_Current(current, self, self._clock) for current in currents], self)
        self._plan = plan
        starts = plan.starts if plan.probes else np.zeros(self.blocks + 1, dtype=np.int64)
        samples = np.zeros((self.steps // plan.every + 1, len(plan.table)), self.dtype)
        self._probes = Probes(starts, plan.table, plan.every, samples)
        room = self.blocks * self.steps * LANES
        self._fired = Fired(np.zeros(self.blocks, np.int64), np.zeros(room, np.int32), np.zeros(room))
        self._get_kernel(threads)

    def set_inputs(self, first_step: int, drives: Mapping[str | None, Any]) -> None:
        """Say which window comes, and its currents (nA) by site, None for the model's first."""
        words = self._words
        words[0], words[3] = first_step, first_step // self.steps % self.slots
        words[5] = self._injected.fill(first_step, drives)

    def begin(self) -> None:
        """Begin the window. Helper threads set about it; every `begin` needs its `finish`."""
        post(self._arguments[0], self._words)
        if self._team is not None:
            self._team.wake()

    def finish(self, first_step: int) -> tuple[Events, NDArray[np.int64]]:
        """Go through the window; return the spikes and at which step of the window each is emitted."""
        self._lead(*self._arguments)
        units, times_s, ahead = collect(*self._fired, self.steps, self.n, first_step, self._clock.dt_s)
        return Events(units, times_s), ahead

    def samples(self, first_step: int) -> dict[str, Array]:
        """Return what the probes took in the window just done."""
        return self._plan.take(self._probes.samples, first_step, self.steps) if self._plan.probes else {}

    def receive(
        self,
        projection: str,
        units: Array,
        ahead: Array,
        factors: Array,
        first_step: int,
        synapses: tuple[Array, ...],
    ) -> None:
        """Let spikes that were emitted in the window arrive through the synapses of a projection."""
        slot = first_step // self.steps % self.slots
        shape = self._port_index[projection], self.slots, self.blocks, self.steps
        deliver(units, ahead, factors, slot, shape, synapses, self._ports.arrivals)

    def check(self, time_s: float) -> None:
        """Refuse to go on with voltages that are no longer numbers."""
        if not np.all(np.isfinite(self._state)):
            raise ParameterError(
                f"Population({self.name})",
                f"its state is no longer finite at {time_s:g} s",
                "take a shorter dt_ms, or smaller weights and currents",
            )

    def flat_targets(self, units: NDArray[np.int64]) -> NDArray[np.int32]:
        """Offset of each unit in a step's row of `arrivals`, whose blocks lie a window apart."""
        offsets = units // LANES * (self.steps * LANES) + units % LANES
        return offsets.astype(np.int32)

    def arrays(self) -> dict[str, Array]:
        """All that changes while the simulation runs."""
        return {"cells": self._state, "synapses": self._ports.state, "arrivals": self._ports.arrivals}

    def covers(self, duration_s: float) -> None:
        """Refuse sampled currents that are shorter than the run."""
        self._injected.covers(duration_s)

    def input_row(self, site: str | None, field: str) -> int:
        """Row of the input that takes current at a site."""
        return _current_row(self.cells, site, field)

    def _get_kernel(self, threads: int) -> None:
        """Get the compiled loop, its arguments, and the threads that help with it."""
        parts = 1 if threads == 1 else min(self.blocks, _PARTS_PER_THREAD * threads)
        # A `Window`, word by word, and the numbers of parts and threads.
        self._words = np.array([0, self.steps, self.blocks, 0, self.slots, 0, parts, threads], dtype=np.int64)
        self._lead, serve = advance_kernels(type(self.cells), self.dtype)
        work = Work(
            self.dtype.type(self._clock.dt_ms),
            self._state,
            self._constants,
            self._ports,
            self._injected.fields,
            self._probes,
            self._fired,
        )
        self._arguments = (new_control(parts), self._words, work)
        helpers = [partial(serve, rank, *self._arguments) for rank in range(1, threads)]
        self._team = Team(helpers) if parts > 1 else None

    def _lay_out(self, values: Any) -> Array:
        """Rows of a named tuple as flat (blocks, rows, LANES); the last block is filled up."""
        padded = np.empty((len(values), self.blocks * LANES), self.dtype)
        for row, value in enumerate(values):
            padded[row, : self.n] = value
            padded[row, self.n :] = padded[row, self.n - 1]
        shaped = padded.reshape(len(values), self.blocks, LANES).transpose(1, 0, 2)
        flat = aligned_zeros(padded.size, self.dtype)
        flat[:] = shaped.reshape(-1)
        return flat


@final
class _Current:
    """An injected current at run time."""

    def __init__(self, current: CurrentInjection, run: PopulationRun, clock: Clock) -> None:
        where = f"CurrentInjection({run.name})"
        self.row = run.input_row(current.site, f"{where}.site")
        check_inside(current.cells or (), run.n, f"{where}.cells")
        n = run.n if current.cells is None else len(current.cells)
        self.sampler = Sampler(current.course(run.n), n, clock.dt_ms, run.steps, f"{where}.current_nA")
        self.one_for_all = current.cells is None and self.sampler.columns == 1
        self._cells = slice(run.n) if current.cells is None else np.array(current.cells, dtype=np.int64)
        if self.one_for_all:
            self._cells = slice(1)

    def fill(self, values: Array, first_step: int) -> None:
        """Write the current of each step, shape (steps, 1) or (steps, all cells)."""
        values[:, self._cells] = self.sampler.window(first_step)


@final
class _Injected:
    """All injected currents of a population: its own, and those that a closed loop may give, one a site."""

    def __init__(self, currents: list[_Current], run: PopulationRun) -> None:
        self._run = run
        cells = run.blocks * LANES
        sites = sum(name.startswith("i_") for name in _inputs(run.cells))
        widths = [1 if current.one_for_all else cells for current in currents] + [cells] * sites
        starts = np.cumsum([0, *widths]) * run.steps
        values = aligned_zeros(int(starts[-1]), run.dtype)
        rows = [(c.row, width, at) for c, width, at in zip(currents, widths, starts, strict=False)]
        self.fields = Fields(np.array([*rows, *[(0, 0, 0)] * sites], dtype=np.int64).reshape(-1, 3), values)
        self._drives_at = starts[len(currents) : -1].tolist()
        self._currents = []
        for current, width, at in zip(currents, widths, starts, strict=False):
            view = values[at : at + run.steps * width].reshape(run.steps, width)
            current.fill(view, 0)
            if not current.sampler.is_constant:
                self._currents.append((current, view))
        self._samplers = [current.sampler for current in currents]

    def fill(self, first_step: int, drives: Mapping[str | None, Any]) -> int:
        """Write the currents of a window into `fields`; return how many rows of its table are in use."""
        for current, view in self._currents:
            current.fill(view, first_step)
        used = len(self._samplers)
        if len(drives) > len(self._drives_at):
            raise ParameterError(
                f"drive[{self._run.name!r}]", f"{len(drives)} currents were given", "give one for each site"
            )
        for (site, value), at in zip(drives.items(), self._drives_at, strict=False):
            field = f"drive[{self._run.name + (f'.i_{site}' if site else '')!r}]"
            drive = check_drive(value, self._run.n, field, ANY, "nA")
            one_for_all = isinstance(drive, float | int)
            width = 1 if one_for_all else self._run.blocks * LANES
            self.fields.table[used] = self._run.input_row(site, field), width, at
            values = self.fields.values[at:][: self._run.steps * width].reshape(self._run.steps, width)
            values[:, : 1 if one_for_all else self._run.n] = drive
            used += 1
        return used

    def covers(self, duration_s: float) -> None:
        """Refuse sampled currents that are shorter than the run."""
        for sampler in self._samplers:
            sampler.covers(duration_s)


def _ports(incoming: list[Projection], cells: Neuron) -> dict[str, tuple[Synapse, str]]:
    """Port (kinetics, site) of each projection; projections that agree in both share one."""
    sites = list(dict.fromkeys(name.split("_", 1)[1] for name in _inputs(cells)))
    ports = {}
    for projection in incoming:
        kind = _kind(projection.synapse)
        prefix = {CONDUCTANCE: "g", CURRENT: "i", JUMP: "v"}[kind]
        names = cells.State._fields if kind == JUMP else _inputs(cells)  # type: ignore[attr-defined]
        possible = [site for site in sites if f"{prefix}_{site}" in names]
        site = projection.site or (possible[0] if possible else "")
        if site not in possible:
            raise ParameterError(
                f"Projection {projection.name}.site",
                f"{type(cells).__name__} takes no {type(projection.synapse).__name__} synapses "
                f"({projection.synapse.weight_field}) at {site or 'any site'!r}",
                f"possible are: {', '.join(possible) or 'none'}",
            )
        ports[projection.name] = (projection.synapse, site)
    return ports


def _kind(synapse: Synapse) -> int:
    return {"weight_uS": CONDUCTANCE, "weight_nA": CURRENT, "weight_mV": JUMP}[synapse.weight_field]


def _table_row(cells: Neuron, synapse: Synapse, site: str) -> tuple[int, int, int]:
    kind = _kind(synapse)
    if kind == CONDUCTANCE:
        return kind, _inputs(cells).index(f"g_{site}"), _inputs(cells).index(f"ge_{site}")
    if kind == CURRENT:
        return kind, _inputs(cells).index(f"i_{site}"), 0
    return kind, cells.State._fields.index(f"v_{site}"), 0  # type: ignore[attr-defined]


def _numbers(synapse: Synapse, clock: Clock) -> tuple[float, ...]:
    step = synapse.propagator(clock.dt_ms)
    if step is None:
        return (0.0,) * 9
    return (synapse.reversal_mV or 0.0, *step.b, *step.p, *step.c)


def _inputs(cells: Neuron) -> tuple[str, ...]:
    return cells.Inputs._fields  # type: ignore[attr-defined, no-any-return]


def _current_row(cells: Neuron, site: str | None, field: str) -> int:
    possible = [name for name in _inputs(cells) if name.startswith("i_")]
    wanted = f"i_{site}" if site else (possible[0] if possible else "")
    if wanted not in possible:
        raise ParameterError(
            field,
            f"{type(cells).__name__} takes no current at {site!r}",
            f"possible are: {', '.join(name[2:] for name in possible) or 'none'}",
        )
    return _inputs(cells).index(wanted)
