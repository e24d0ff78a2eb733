"""The loop over windows: one call of `step` is one window, and a batch run is that call repeated."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import Progress, silent
from ..errors import ParameterError, UnknownNameError
from ..kernels._rows import LANES
from ..kernels._team import check_threads
from ..random import Streams
from ._check import check_kind, check_sequence
from ._clock import Clock
from ._kernels import emission_steps
from ._link import NO_DELAY, Link
from ._network import Network
from ._plasticity import Events, PlantOutput, Tick
from ._population import PopulationRun
from ._rates import Sampler
from ._record import Probe, ProbePlan
from ._sources import Source

_LONGEST_WINDOW = 10**5  # steps: the inputs of a window lie in memory
_REPORT_S = 0.1  # wall time between two calls of the progress callback
_DTYPES: dict[str, np.dtype[Any]] = {"single": np.dtype(np.float32), "double": np.dtype(np.float64)}


@final
class Simulation:
    """A network in time.

    Parameters
    ----------
    network : Network
    dt_ms : float
        Step of the integration; 0.05 is twice as fast and errs by up to 0.5 % in rate below 75 Hz.
    seed : int
        Same seed, same bits, whatever `threads`.
    precision : {"single", "double"}
    threads : int
        That work on the largest population. They are kept awake between windows, so give no more than
        the processor has to spare.
    window_ms : float, optional
        Spikes are exchanged, and the loop is closed, once in a window; at most the shortest delay.
        Default the shortest delay or 1 ms, whichever is less.
    record : sequence of Probe
        Variables to be sampled; `samples` gives them window by window.
    progress : Progress
        Told of the simulated time a few times a second.
    until_s : float
        Where the loop is going to end, if that is known, for the progress callback.
    """

    def __init__(
        self,
        network: Network,
        *,
        dt_ms: float = 0.025,
        seed: int = 0,
        precision: str = "single",
        threads: int = 1,
        window_ms: float | None = None,
        record: Sequence[Probe] = (),
        progress: Progress = silent,
        until_s: float = 0.0,
    ) -> None:
        check_kind(network, Network, "Simulation.network", "give a Network")
        record = check_sequence(record, Probe, "Simulation.record", "give a list of Probe")
        self.network, self.clock = network, Clock(dt_ms=dt_ms)
        if not isinstance(precision, str) or precision not in _DTYPES:
            raise UnknownNameError("Simulation.precision", precision, _DTYPES)
        self.precision, self._dtype, self._rng = precision, _DTYPES[precision], Streams(seed)
        self.threads = check_threads(threads)
        self.populations = {
            name: PopulationRun(
                population,
                [p for p in network.projections if p.post == name],
                self.clock,
                self._dtype,
            )
            for name, population in network.populations.items()
        }
        self._links = [Link(p, network, self.clock, self._rng.child(p.name)) for p in network.projections]
        self.window_steps = _window_steps(self.clock, window_ms, self._links)
        self.plans = _plans(record, network, self.clock)
        largest = max(self.populations.values(), key=lambda run: run.n, default=None)
        for name, run in self.populations.items():
            longest = max((link.longest_delay for link in self._links if link.post == name), default=0)
            currents = [c for c in network.currents if c.population == name]
            helped = self.threads if run is largest else 1  # one team of threads, not to stand in its own way
            run.prepare(self.window_steps, longest, currents, self.plans[name], helped)
        for link in self._links:
            link.aim(self.populations[link.post], self._rng.child(link.name, "plasticity"))
        self._sources = [
            _SourceRun(source, self.clock, self.window_steps, self._rng.child(name))
            for name, source in network.sources.items()
        ]
        self._names = [node.name for node in network.nodes]
        self._plants = {
            name: plant.start(self._rng.child("plant", name)) for name, plant in network.plants.items()
        }
        self._outputs = {name: PlantOutput() for name in network.plants}
        self._step = 0
        self._reporter = Reporter(progress, until_s)

    @property
    def window_s(self) -> float:
        """Length of a window."""
        return self.window_steps * self.clock.dt_s

    @property
    def seed(self) -> int:
        """Seed of all random streams."""
        return int(self._rng.seed)

    @property
    def step_count(self) -> int:
        """Integration steps done so far."""
        return self._step

    @property
    def time_s(self) -> float:
        """Simulated time so far."""
        return self._step * self.clock.dt_s

    def step(self, drive: Mapping[str, Any] | None = None, signals: Mapping[str, Any] | None = None) -> Tick:
        """Go through one window.

        Parameters
        ----------
        drive : mapping, optional
            For this window: the rate (pps) of a source, one number or one for each unit, in place of its
            own; or a current (nA) into a population, added to what it receives. ``"MN"`` means the
            model's first site, ``"MN.i_soma"`` a certain one.
        signals : mapping, optional
            What plasticity rules and plants are to be told, e.g. a reward.

        Returns
        -------
        Tick
            The window's spikes.
        """
        first = self._step
        drives, told = self._inputs(drive, signals)
        spikes: dict[str, Events] = {}
        ahead: dict[str, NDArray[np.int64]] = {}
        for name, run in self.populations.items():
            run.set_inputs(first, drives.get(name, {}))
        for run in self.populations.values():
            run.begin()
        try:  # the sources fire while helper threads are at work on the cells
            for source in self._sources:
                rate = drives.get(source.name, {}).get(None)
                spikes[source.name], ahead[source.name] = source.emit(first, rate)
        finally:
            for name, run in self.populations.items():
                spikes[name], ahead[name] = run.finish(first)
        for link in self._links:
            link.deliver(spikes[link.pre], ahead[link.pre], first)
        self._step += self.window_steps
        tick = Tick(first * self.clock.dt_s, self.time_s, spikes, told)
        for link in self._links:
            link.learn(tick)
        for name, plant in self.network.plants.items():
            self._plants[name], self._outputs[name] = plant.step(self._plants[name], tick)
        self._reporter.tell(self.time_s)
        return tick

    def samples(self) -> dict[str, NDArray[Any]]:
        """What the probes took in the window just done, by ``"population.variable"``.

        Each has shape (samples, cells), in the unit of the variable.
        """
        first = self._step - self.window_steps
        if first < 0:
            raise ParameterError("Simulation.samples", "no window is done", "call step first")
        taken: dict[str, NDArray[Any]] = {}
        for run in self.populations.values():
            taken.update(run.samples(first))
        return taken

    def covers(self, duration_s: float) -> None:
        """Refuse sampled rates and currents that are shorter than a run of `duration_s`."""
        for source in self._sources:
            if source.sampler is not None:
                source.sampler.covers(duration_s)
        for run in self.populations.values():
            run.covers(duration_s)

    def state(self) -> dict[str, NDArray[Any]]:
        """Copy of all that changes in time: enough to go on from here in another process."""
        return {key: np.array(value) for key, value in self._arrays().items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go back (or on) to a state that `state` gave for the same network and options."""
        mine = self._own_arrays()
        check_kind(state, Mapping, "Simulation.restore", "give what `state` returned")
        fits = all(key in state and np.shape(state[key]) == array.shape for key, array in mine.items())
        if not fits or not np.array_equal(state["about"], mine["about"]):
            raise ParameterError(
                "Simulation.restore",
                "the state belongs to another network, seed, step or precision",
                "build the simulation with the very parameters of the interrupted run",
            )
        for key, array in mine.items():
            array[...] = state[key]
        self._step = int(state["step"][0])
        for name in self._plants:
            self._plants[name], self._outputs[name] = _unpack_plant(f"plant/{name}/", state)
        for link in self._links:
            link.restore(state)

    def check(self) -> None:
        """Raise ParameterError if a cell's state is no longer finite."""
        for run in self.populations.values():
            run.check(self.time_s)

    def _inputs(
        self, drive: Mapping[str, Any] | None, signals: Mapping[str, Any] | None
    ) -> tuple[dict[str, dict[str | None, Any]], dict[str, Any]]:
        """Return the drives (by node and site) and signals of a window: the plants' and, above them, ours."""
        drives: dict[str, Any] = {}
        told: dict[str, Any] = {}
        for plant, output in self._outputs.items():
            for key, value in output.drives.items():
                if key in drives:
                    raise ParameterError(
                        f"Plant({plant}).drives[{key!r}]", "another plant drives it too", "let one drive it"
                    )
                drives[key] = value
            told.update(output.signals)
        drives.update(drive or {})
        told.update(signals or {})
        by_node: dict[str, dict[str | None, Any]] = {}
        for key, value in drives.items():
            name, _, site = key.partition(".")
            if name not in self._names or (site and (name in self.network.sources or site[:2] != "i_")):
                raise UnknownNameError("drive", key, self._names)
            by_node.setdefault(name, {})[site[2:] or None] = value
        return by_node, told

    def _arrays(self) -> dict[str, NDArray[Any]]:
        """All that changes in time."""
        arrays = self._own_arrays()
        for link in self._links:
            arrays |= link.rule_arrays()
        for name, state in self._plants.items():
            arrays |= _pack_plant(f"plant/{name}/", state, self._outputs[name])
        return arrays

    def _own_arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays of the engine itself: their names and shapes do not change while it runs."""
        arrays: dict[str, NDArray[Any]] = {
            "about": np.frombuffer(self._about.encode(), dtype=np.uint8).copy(),
            "step": np.array([self._step], dtype=np.int64),
        }
        for name, run in self.populations.items():
            arrays |= {f"population/{name}/{key}": value for key, value in run.arrays().items()}
        for source in self._sources:
            arrays |= {f"source/{source.name}/{key}": value for key, value in source.state.items()}
        for link in self._links:
            arrays |= link.weight_arrays()
        return arrays

    @cached_property
    def _about(self) -> str:
        """To what a state belongs."""
        options = f"{self.seed} {self.clock.dt_ms!r} {self.precision} {self.window_steps}"
        return f"{self.network.fingerprint()} {options}"


@final
class Reporter:
    """Tells a progress callback of the simulated time, a few times a second."""

    def __init__(self, progress: Progress, until_s: float) -> None:
        self._progress, self._until_s, self._told = progress, until_s, 0.0

    def tell(self, time_s: float) -> None:
        """Call it if the last call is long enough ago, or the end is reached."""
        now = time.perf_counter()
        if now - self._told > _REPORT_S or time_s == self._until_s:
            self._told = now
            self._progress("simulate", time_s, max(self._until_s, time_s))


@final
class _SourceRun:
    """A source at run time."""

    def __init__(self, source: Source, clock: Clock, steps: int, rng: Streams) -> None:
        self.name, self._source, self._clock, self._steps = source.name, source, clock, steps
        self.state = source.start(rng)
        self.sampler: Sampler | None = source.sampler(clock.dt_ms, steps)

    def emit(self, first_step: int, override: Any) -> tuple[Events, NDArray[np.int64]]:
        """Spikes of a window and the step of the window at which each is emitted."""
        course = None
        if self.sampler is not None:
            sampler = self.sampler
            course = sampler.window(first_step) if override is None else sampler.window_of(override)
        elif override is not None:
            raise ParameterError(f"drive[{self.name!r}]", "this source has no rate", "leave it out")
        dt = self._clock.dt_ms
        units, times_s = self._source.emit(self.state, first_step, self._steps, dt, course)
        return Events(units, times_s), emission_steps(times_s, self._clock.dt_s, first_step, self._steps)


def _window_steps(clock: Clock, window_ms: float | None, links: list[Link]) -> int:
    shortest = min(links, key=lambda link: link.shortest_delay, default=None)
    limit = shortest.shortest_delay if shortest else NO_DELAY
    if window_ms is None:
        return max(1, min(limit, int(1.0 / clock.dt_ms + 1e-9)))
    steps = clock.steps(window_ms, "Simulation.window_ms")
    if steps < 1:
        raise ParameterError(
            "Simulation.window_ms", f"{window_ms!r} was given", f"give at least {clock.dt_ms:g} ms"
        )
    if steps > _LONGEST_WINDOW:
        raise ParameterError(
            "Simulation.window_ms",
            f"{window_ms!r} was given",
            f"give at most {_LONGEST_WINDOW * clock.dt_ms:g} ms",
        )
    if shortest is not None and steps > limit:
        raise ParameterError(
            f"Projection {shortest.name}.delay_ms",
            f"{limit * clock.dt_ms:g} ms is below one window of {steps * clock.dt_ms:g} ms",
            "give a longer delay or a shorter window_ms",
        )
    return steps


def _plans(record: Sequence[Probe], network: Network, clock: Clock) -> dict[str, ProbePlan]:
    keys = [probe.key for probe in record]
    for probe in record:
        if probe.population not in network.populations:
            raise UnknownNameError("Probe.population", probe.population, network.populations)
        if keys.count(probe.key) > 1:
            raise ParameterError("record", f"{probe.key} appears twice", "name all its cells in one Probe")
    return {
        name: ProbePlan([p for p in record if p.population == name], network, clock, LANES)
        for name in network.populations
    }


def _pack_plant(prefix: str, state: Mapping[str, Any], output: PlantOutput) -> dict[str, NDArray[Any]]:
    packed = {f"{prefix}state/{key}": np.asarray(value) for key, value in state.items()}
    packed |= {f"{prefix}drives/{key}": np.asarray(value) for key, value in output.drives.items()}
    return packed | {f"{prefix}signals/{key}": np.asarray(v) for key, v in output.signals.items()}


def _unpack_plant(
    prefix: str, state: Mapping[str, NDArray[Any]]
) -> tuple[dict[str, NDArray[Any]], PlantOutput]:
    parts: dict[str, dict[str, NDArray[Any]]] = {"state": {}, "drives": {}, "signals": {}}
    for key, value in state.items():
        if key.startswith(prefix):
            kind, name = key[len(prefix) :].split("/", 1)
            parts[kind][name] = np.array(value)
    return parts["state"], PlantOutput(parts["drives"], parts["signals"])
