"""A batch run: `Simulation.step` repeated, its spikes and samples recorded."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Progress, Result, provenance, silent
from ..errors import ParameterError, UnknownNameError, shown
from ..units import to_float
from ._check import check_sequence
from ._network import Network
from ._plasticity import Tick
from ._record import MemorySink, Probe, Sink
from ._simulation import Reporter, Simulation

_FLUSH_S = 0.25  # simulated time between two chunks
_LONGEST_S = 1e9


def simulate(
    network: Network,
    duration_s: Any,
    *,
    dt_ms: float = 0.025,
    seed: int = 0,
    precision: str = "single",
    threads: int = 1,
    window_ms: float | None = None,
    record: Sequence[Probe] = (),
    spikes: Sequence[str] | None = None,
    progress: Progress = silent,
    sink: Sink | None = None,
    checkpoint_every_s: float | None = None,
    resume: Mapping[str, NDArray[Any]] | None = None,
) -> Result:
    """Run a network.

    Parameters
    ----------
    network : Network
    duration_s : float
        A whole number of windows.
    dt_ms, seed, precision, threads, window_ms
        As for `Simulation`.
    record : sequence of Probe
        Voltages and conductances to be recorded.
    spikes : sequence of str, optional
        Populations and sources whose spikes are kept; default all.
    progress : Progress
        Told of the simulated time.
    sink : Sink, optional
        Where the recording goes, e.g. `io.HDF5Stream`; default memory. With a sink the result holds no
        spikes and signals: read them from it.
    checkpoint_every_s : float, optional
        Simulated time between two checkpoints, for sinks that keep them.
    resume : mapping of str to array, optional
        State of a checkpoint; the run goes on from there, bit for bit as if it had not been interrupted.
        A sink must be open then, as `io.HDF5Stream.resume` returns it.

    Returns
    -------
    Result

    Raises
    ------
    ParameterError
        A duration or drive that does not fit, a state of another network, voltages that diverge.
    UnknownNameError
        A name in `record` or `spikes` that the network has not.
    """
    begun = time.perf_counter()
    simulation = Simulation(
        network,
        dt_ms=dt_ms,
        seed=seed,
        precision=precision,
        threads=threads,
        window_ms=window_ms,
        record=record,
    )
    windows = _windows(simulation, duration_s)
    simulation.covers(windows * simulation.window_s)
    if resume is not None:
        simulation.restore(resume)
    every = _every(simulation, checkpoint_every_s)
    memory = MemorySink()
    recorder = _Recorder(simulation, sink or memory, _names(network, spikes))
    origin = _provenance(simulation, windows)
    if sink is None or resume is None:
        recorder.open(origin)
    status = "interrupted"
    reporter = Reporter(progress, windows * simulation.window_steps * simulation.clock.dt_s)
    try:
        reporter.tell(simulation.time_s)
        while simulation.step_count < windows * simulation.window_steps:
            recorder.take(simulation.step())
            reporter.tell(simulation.time_s)
            if every and simulation.step_count % (every * simulation.window_steps) == 0:
                recorder.checkpoint()
        status = "complete"
    finally:
        recorder.close(status)
    wall_s = time.perf_counter() - begun
    found = memory.result() if sink is None else Result({}, {}, origin)
    return Result(found.spikes, found.signals, {**origin, "wall_s": wall_s}, "complete")


class _Recorder:
    """Gathers windows into chunks and hands these to the sink."""

    def __init__(self, simulation: Simulation, sink: Sink, names: list[str]) -> None:
        self._simulation, self._sink, self._names = simulation, sink, names
        self._windows = max(1, round(_FLUSH_S / simulation.window_s))
        self._ticks: list[Tick] = []
        self._samples: list[dict[str, NDArray[Any]]] = []

    def open(self, origin: Mapping[str, Any]) -> None:
        simulation = self._simulation
        signals: dict[str, Any] = {}
        for plan in simulation.plans.values():
            signals |= plan.layout(simulation.clock, simulation.step_count)
        network = simulation.network
        self._sink.open(
            {
                "populations": {name: network.size(name) for name in self._names},
                "annotations": {
                    name: dict(population.annotations)
                    for name, population in network.populations.items()
                    if name in self._names and population.annotations
                },
                "signals": signals,
                "t_start_s": simulation.time_s,
                "dt_ms": simulation.clock.dt_ms,
                "provenance": dict(origin),
            }
        )

    def take(self, tick: Tick) -> None:
        self._ticks.append(tick)
        self._samples.append(self._simulation.samples())
        if len(self._ticks) >= self._windows:
            self._flush()

    def checkpoint(self) -> None:
        self._flush()
        self._sink.checkpoint(self._simulation.state(), self._simulation.time_s)

    def close(self, status: str) -> None:
        self._flush()
        self._sink.close(status)

    def _flush(self) -> None:
        if not self._ticks:
            return
        ticks, samples = self._ticks, self._samples
        self._ticks, self._samples = [], []
        self._simulation.check()
        spikes = {
            name: (
                np.concatenate([tick.spikes[name].units for tick in ticks]),
                np.concatenate([tick.spikes[name].times_s for tick in ticks]),
            )
            for name in self._names
        }
        signals = {key: np.concatenate([window[key] for window in samples]) for key in samples[0]}
        self._sink.write(spikes, signals, ticks[-1].stop_s)


def _windows(simulation: Simulation, duration_s: Any) -> int:
    duration = _time_above_0(duration_s, "simulate.duration_s")
    windows = round(duration / simulation.window_s)
    if windows < 1 or abs(windows * simulation.window_s - duration) > 1e-6 * simulation.window_s:
        raise ParameterError(
            "simulate.duration_s",
            f"{duration:g} s is not a whole number of windows of {simulation.window_s * 1e3:g} ms",
            f"give {max(windows, 1) * simulation.window_s:g} s, or another window_ms",
        )
    return windows


def _every(simulation: Simulation, checkpoint_every_s: float | None) -> int:
    if checkpoint_every_s is None:
        return 0
    every_s = _time_above_0(checkpoint_every_s, "simulate.checkpoint_every_s")
    return max(1, round(every_s / simulation.window_s))


def _time_above_0(value: Any, field: str) -> float:
    time_s = to_float(value, "s", field)
    if np.ndim(time_s) or not 0 < time_s < _LONGEST_S:
        raise ParameterError(field, f"{shown(value)} was given", "give a finite number above 0")
    return float(time_s)


def _names(network: Network, spikes: Sequence[str] | None) -> list[str]:
    known = [node.name for node in network.nodes]
    if spikes is None:
        return known
    for name in check_sequence(spikes, str, "simulate.spikes", "give a list of names, e.g. ['MN']"):
        if name not in known:
            raise UnknownNameError("simulate.spikes", name, known)
    return list(dict.fromkeys(spikes))


def _provenance(simulation: Simulation, windows: int) -> dict[str, Any]:
    return provenance(
        simulation.network.to_dict(),
        simulation.seed,
        dt_ms=simulation.clock.dt_ms,
        window_ms=simulation.window_s * 1e3,
        duration_s=windows * simulation.window_s,
        precision=simulation.precision,
    )
