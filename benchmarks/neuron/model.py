"""The motor neurons in NEURON: one cell, or the Watanabe network.

Two flavours of the same cell: mechanisms as usually written (``lean=False``) or
lean ones (``lean=True``). In both a cell is a soma and a dendrite of one segment
each, coupled by NEURON's own axial resistance. Voltages are relative to rest, the step is
fixed (0.025 ms) and ``secondorder = 2``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from build import DEFAULT_FOLDER, library
from input import NetworkInput
from parameters import (
    CM_UF_CM2,
    DT_MS,
    E_CA_MV,
    E_K_MV,
    E_NA_MV,
    E_SYN_MV,
    GAMMA,
    RA_OHM_CM,
    TAU_DECAY_MS,
    TAU_RISE_MS,
    THRESHOLD_MV,
    FloatArray,
    IntArray,
    motor_neurons,
    thresholds,
)


class NotReadyError(RuntimeError):
    """NEURON is not installed, or the mechanisms are not built."""


def load(peer: str, folder: Path = DEFAULT_FOLDER) -> Any:
    """Import NEURON with the mechanisms of one peer (once in a process).

    Parameters
    ----------
    peer : str
        A key of ``build.PEERS``.
    folder : Path
        Where ``build.py`` put the libraries.

    Returns
    -------
    object
        The interpreter ``neuron.h``, set to the fixed second-order step.
    """
    try:
        from neuron import h
    except ImportError as error:
        raise NotReadyError("NEURON is not installed: uv sync --group bench") from error
    path = library(peer, folder)
    if not path.exists():
        raise NotReadyError(f"{path} is missing: run benchmarks/neuron/build.py first")
    if not hasattr(h, "SpikeReplay"):
        h.nrn_load_dll(str(path))
    h.load_file("stdrun.hoc")
    h.dt = DT_MS
    h.steps_per_ms = 1.0 / DT_MS
    h.secondorder = 2
    return h


@dataclass
class Cell:
    """One motor neuron: its sections and its one point process for input."""

    soma: Any
    dend: Any
    synapse: Any
    keep: list[Any] = field(default_factory=list)


def build_cell(h: Any, rt: float, lean: bool = False) -> Cell:
    """Build a motor neuron with recruitment threshold `rt`.

    Parameters
    ----------
    h : object
        From `load`.
    rt : float
        Recruitment threshold, dimensionless.
    lean : bool
        Use the lean mechanisms.

    Returns
    -------
    Cell
        Its ``synapse`` takes NetCons whose weight is in uS.
    """
    p = {k: float(v[0]) for k, v in vars(motor_neurons(rt)).items()}
    soma, dend = h.Section(name="soma"), h.Section(name="dend")
    soma.L = soma.diam = p["soma_diam"]
    dend.L, dend.diam = p["dend_length"], p["dend_diam"]
    for section in (soma, dend):
        section.nseg, section.Ra, section.cm = 1, RA_OHM_CM, CM_UF_CM2
    dend.connect(soma(1.0), 0.0)
    soma.insert("mnlean" if lean else "mnsoma")
    mech = getattr(soma(0.5), "mnlean" if lean else "mnsoma")
    for name in ("gna", "gnap", "gkf", "gks", "beta_r"):
        setattr(mech, name, p[name])
    mech.gl = p["gl_soma"]
    synapse = _lean_dendrite(h, dend, p) if lean else _usual_dendrite(h, soma, dend, p)
    return Cell(soma, dend, synapse)


def _usual_dendrite(h: Any, soma: Any, dend: Any, p: dict[str, float]) -> Any:
    """Insert the calcium channel and NEURON's own double exponential synapse."""
    soma.ena, soma.ek = E_NA_MV, E_K_MV
    dend.insert("mncal")
    dend.eca = E_CA_MV
    mech = dend(0.5).mncal
    mech.gca, mech.gamma, mech.gl = p["gca"], GAMMA, p["gl_dend"]
    mech.vtraub, mech.taul = p["v_traub"], p["tau_l"]
    synapse = h.Exp2Syn(dend(0.5))
    synapse.tau1, synapse.tau2, synapse.e = TAU_RISE_MS, TAU_DECAY_MS, E_SYN_MV
    return synapse


def _lean_dendrite(h: Any, dend: Any, p: dict[str, float]) -> Any:
    """Insert the one point process that holds all of the dendrite."""
    synapse = h.DendLean(dend(0.5))
    to_us = 1e-2 * float(dend(0.5).area())
    synapse.gca, synapse.gl = GAMMA * p["gca"] * to_us, p["gl_dend"] * to_us
    synapse.vtraub, synapse.taul = p["v_traub"], p["tau_l"]
    synapse.tau1, synapse.tau2 = TAU_RISE_MS, TAU_DECAY_MS
    return synapse


def coupling(cell: Cell) -> float:
    """NEURON's axial conductance in uS between the two compartment centres.

    ``ri()`` of the dendrite's centre is half the dendrite's resistance; the other half
    of the way, from the soma's centre to its end, is ``ri()`` of the soma's end.
    """
    return 1.0 / (float(cell.dend(0.5).ri()) + float(cell.soma(1.0).ri()))


def run_step(
    h: Any, cell: Cell, amp_na: float, onset_ms: float, dur_ms: float, stop_ms: float
) -> tuple[FloatArray, FloatArray]:
    """Run one cell on a somatic current step.

    Parameters
    ----------
    h : object
        From `load`.
    cell : Cell
        The cell.
    amp_na, onset_ms, dur_ms : float
        The step of current: nA, ms, ms.
    stop_ms : float
        End of the run in ms.

    Returns
    -------
    soma, dend : ndarray of float64
        Voltages in mV at every grid point from t = 0.
    """
    clamp = h.IClamp(cell.soma(0.5))
    clamp.amp, clamp.delay, clamp.dur = amp_na, onset_ms, dur_ms
    soma = h.Vector().record(cell.soma(0.5)._ref_v)
    dend = h.Vector().record(cell.dend(0.5)._ref_v)
    h.finitialize(0.0)
    for _ in range(round(stop_ms / DT_MS)):
        h.fadvance()
    return np.array(soma), np.array(dend)


def crossings(v: FloatArray, dt: float = DT_MS) -> FloatArray:
    """Times in ms of the upward crossings of 50 mV, linear between grid points."""
    n = np.flatnonzero((v[:-1] < THRESHOLD_MV) & (v[1:] >= THRESHOLD_MV))
    return (n + (THRESHOLD_MV - v[n]) / (v[n + 1] - v[n])) * dt


@dataclass
class Network:
    """The cells, sources and connections; spikes collect in the two vectors."""

    cells: list[Cell]
    context: Any
    spike_times: Any
    spike_gids: Any
    keep: list[Any]

    def counts(self) -> IntArray:
        """Spikes of every cell so far."""
        gids = np.array(self.spike_gids, dtype=np.int64)
        return np.bincount(gids, minlength=len(self.cells)).astype(np.int64)


def build_network(h: Any, net: NetworkInput, lean: bool = False) -> Network:
    """Build the Watanabe network with the given input.

    Parameters
    ----------
    h : object
        From `load`.
    net : NetworkInput
        Spike trains of the sources and their connections.
    lean : bool
        Use the lean mechanisms.

    Returns
    -------
    Network
        Ready for ``context.psolve``.
    """
    cells = [build_cell(h, float(rt), lean) for rt in thresholds(net.n_cells)]
    context = h.ParallelContext()
    keep: list[Any] = []
    for gid, cell in enumerate(cells):
        context.set_gid2node(gid, context.id())
        detector = h.NetCon(cell.soma(0.5)._ref_v, None, sec=cell.soma)
        detector.threshold = THRESHOLD_MV
        context.cell(gid, detector)
        keep.append(detector)
    delay = net.delay_steps * net.dt_ms
    for s in range(net.n_sources):
        steps = net.spike_steps[net.spike_indptr[s] : net.spike_indptr[s + 1]]
        source = h.SpikeReplay()
        source.play(h.Vector(steps * net.dt_ms))
        keep.append(source)
        for c in net.targets[net.target_indptr[s] : net.target_indptr[s + 1]]:
            connection = h.NetCon(source, cells[c].synapse, 0.0, delay, net.weight_us)
            keep.append(connection)
    times, gids = h.Vector(), h.Vector()
    context.spike_record(-1, times, gids)
    context.set_maxstep(10.0)
    return Network(cells, context, times, gids, keep)
