"""What is recorded of a simulation, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any, Literal, Protocol, final

import numpy as np
from numpy.typing import NDArray

from ..data import Result, Signal, SpikeTrains
from ..errors import UnknownNameError
from ..parameters import Parameters, number
from ._check import check_cells, check_inside, check_name
from ._clock import Clock
from ._network import Network

Chunk = Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]


@final
@dataclass(frozen=True)
class Probe(Parameters):
    """Record a variable of some cells.

    Parameters
    ----------
    population : str
    variable : str
        A state variable (``"v_soma"``) or an input (``"g_dendrite"``, uS) of the cell model.
    cells : sequence of int
    every_ms : float
        Sampling period, a whole number of steps.
    """

    population: str
    variable: str
    cells: tuple[int, ...]
    every_ms: float = number(0.1, above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("population", "variable"):
            check_name(getattr(self, name), f"Probe.{name}")
        object.__setattr__(self, "cells", check_cells(self.cells, f"Probe({self.key}).cells"))

    @property
    def key(self) -> str:
        """Name of the recorded signal."""
        return f"{self.population}.{self.variable}"


class Sink(Protocol):
    """Takes what a simulation records, chunk by chunk.

    A sink that goes on with an interrupted recording is given to `simulate` open, beside the state of its
    checkpoint; `open` is not called again then.
    """

    def open(self, layout: Mapping[str, Any]) -> None:
        """Get ready.

        `layout` has ``populations`` {name: size}, ``annotations`` {name: {key: one value a unit}},
        ``signals`` {key: {rate_hz, units, channels, t_start_s}}, ``t_start_s``, ``dt_ms`` and ``provenance``.
        """

    def write(self, spikes: Chunk, signals: Mapping[str, NDArray[Any]], time_s: float) -> None:
        """Append a chunk: units and times (s) of spikes, samples (samples, channels)."""

    def checkpoint(self, state: Mapping[str, NDArray[Any]], time_s: float) -> None:
        """Keep all that is needed to go on from here."""

    def close(self, status: str) -> None:
        """Finish; `status` is ``"complete"`` or ``"interrupted"``."""


@final
class MemorySink:
    """Keeps everything in memory."""

    def __init__(self) -> None:
        self._layout: Mapping[str, Any] = {}
        self._spikes: dict[str, list[Any]] = {}
        self._signals: dict[str, list[Any]] = {}
        self._time_s, self._status = 0.0, "interrupted"

    def open(self, layout: Mapping[str, Any]) -> None:
        """Get ready."""
        self._layout = layout
        self._spikes = {name: [] for name in layout["populations"]}
        self._signals = {key: [] for key in layout["signals"]}

    def write(self, spikes: Chunk, signals: Mapping[str, NDArray[Any]], time_s: float) -> None:
        """Append a chunk."""
        for name, events in spikes.items():
            self._spikes[name].append(events)
        for key, samples in signals.items():
            self._signals[key].append(samples)
        self._time_s = time_s

    def checkpoint(self, state: Mapping[str, NDArray[Any]], time_s: float) -> None:
        """Do nothing: memory does not outlive the run."""

    def close(self, status: str) -> None:
        """Finish."""
        self._status = status

    def result(self) -> Result:
        """All that was written, as a Result."""
        spikes = {
            name: SpikeTrains.from_events(
                np.concatenate([units for units, _ in chunks] or [np.empty(0, np.int64)]),
                np.concatenate([times for _, times in chunks] or [np.empty(0)]),
                self._layout["populations"][name],
                self._time_s,
                self._layout["t_start_s"],
                annotations=self._layout["annotations"].get(name, {}),
                name=name,
            )
            for name, chunks in self._spikes.items()
        }
        signals = {
            key: Signal(
                np.concatenate(chunks),
                about["rate_hz"],
                about["units"],
                about["t_start_s"],
                key,
                tuple(about["channels"]),
            )
            for key, chunks in self._signals.items()
            if chunks and (about := self._layout["signals"][key])
        }
        status: Literal["complete", "interrupted"] = (
            "complete" if self._status == "complete" else "interrupted"
        )
        return Result(spikes, signals, dict(self._layout["provenance"]), status)


@final
class ProbePlan:
    """The probes of one population, as the kernel samples them: all at one common period."""

    def __init__(self, probes: list[Probe], network: Network, clock: Clock, lanes: int) -> None:
        self.probes = probes
        self.periods = [clock.steps(p.every_ms, f"Probe({p.key}).every_ms") for p in probes]
        self.every = gcd(*self.periods) if probes else 1
        rows = [row for probe in probes for row in _rows(probe, network, lanes)]
        order = sorted(range(len(rows)), key=lambda i: rows[i][0])
        blocks = -(-network.size(probes[0].population) // lanes) if probes else 0
        self.starts = np.searchsorted(np.array([rows[i][0] for i in order]), np.arange(blocks + 1)).astype(
            np.int64
        )
        self.table = np.array([rows[i][1:] for i in order], dtype=np.int64).reshape(-1, 2)
        self._place = np.argsort(order)  # where each asked-for row lies among the sorted ones

    def layout(self, clock: Clock, first_step: int) -> dict[str, dict[str, Any]]:
        """Return what a sink wants to know of each signal, recorded from `first_step` on."""
        return {
            probe.key: {
                "rate_hz": 1e3 / (period * clock.dt_ms),
                "units": _unit(probe.variable),
                "channels": list(probe.cells),
                "t_start_s": -(-first_step // period) * period * clock.dt_s,
            }
            for probe, period in zip(self.probes, self.periods, strict=True)
        }

    def take(self, samples: NDArray[Any], first_step: int, steps: int) -> dict[str, NDArray[Any]]:
        """Return the samples of a window by signal."""
        first = -(-first_step // self.every)  # sample of the run that lies in row 0
        stop = -(-(first_step + steps) // self.every)
        taken, column = {}, 0
        for probe, period in zip(self.probes, self.periods, strict=True):
            columns = self._place[column : column + len(probe.cells)]
            stride = period // self.every
            taken[probe.key] = samples[-first % stride : stop - first : stride, columns]
            column += len(probe.cells)
        return taken


def _rows(probe: Probe, network: Network, lanes: int) -> list[tuple[int, int, int]]:
    populations = network.populations
    if probe.population not in populations:
        raise UnknownNameError("Probe.population", probe.population, populations)
    cells = populations[probe.population].cells
    state, inputs = cells.State._fields, cells.Inputs._fields  # type: ignore[attr-defined]
    if probe.variable not in state + inputs:
        raise UnknownNameError(f"Probe({probe.population}).variable", probe.variable, state + inputs)
    check_inside(probe.cells, cells.n, f"Probe({probe.key}).cells")
    kind, row = (
        (0, state.index(probe.variable)) if probe.variable in state else (1, inputs.index(probe.variable))
    )
    return [(cell // lanes, kind, row * lanes + cell % lanes) for cell in probe.cells]


def _unit(variable: str) -> str:
    return {"v": "mV", "g": "uS", "ge": "nA", "i": "nA"}.get(variable.split("_", maxsplit=1)[0], "")
