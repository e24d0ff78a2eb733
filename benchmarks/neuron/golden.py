"""Write ``tests/data/neuron_golden.npz``: what NEURON says, for the engine's tests.

Run with ``python benchmarks/neuron/golden.py`` after ``build.py``. All is float64, the
mechanisms are those as usually written (exact exponential gates), ``secondorder = 2``,
dt 0.025 ms, V = 0 and steady-state gates at t = 0. Cell numbers are 0-based positions
in the pool of ``parameters.thresholds(800)``.

Keys
----
neuron_version : str
    The NEURON that made the file.
dt_ms : float
    The step.
cells : int (n_cells,)
    Pool positions of the cells on current steps: 0 and 400.
step_cell, step_amp_na, step_onset_ms, step_dur_ms : (n_runs,)
    Pool position, amplitude, onset and duration of the somatic current step
    of every run.
step_stop_ms : float
    Length of these runs.
spikes_indptr : int (n_runs + 1,), spike_times_ms : float
    Spike times of run i are ``spike_times_ms[spikes_indptr[i]:spikes_indptr[i + 1]]``.
reference_shift_us, pade_shift_us : float (n_runs,)
    Largest difference of the spike times to ``reference.py`` with exact gates, and
    with Pade(3,3) gates: no engine with Pade gates can be expected to agree better.
pade_times_ms : float
    Spike times of ``reference.py`` with Pade(3,3) gates, laid out as `spike_times_ms`
    (NEURON with the lean mechanisms agrees to 1e-7 us): the sharp test of such an engine.
trace_run : int; trace_soma_mv, trace_dend_mv : float (2001,)
    V at every grid point n * dt, n = 0 ... 2000, of that run (50 ms).
last_cell, last_amp_na, last_count : int, float, int
    Pool position 799 on the same kind of step: only its number of spikes.
net_seed, net_duration_ms : int, float
    Arguments of ``input.watanabe_input`` that rebuild the network's input.
net_counts : int (800,)
    Spikes of every cell of the network.
net_input_sha256 : str
    Of the input's ``spike_steps`` and ``targets`` (little-endian int64, in this
    order), to tell a different input from a different engine.
net_first_ms : float (n,); net_first_cell : int (n,)
    The network's first 500 spikes as NEURON detects them, i.e. at grid points:
    the first t_n with V >= 50 mV.

Spike times are upward crossings of 50 mV, linear in V between grid points: for
V[n] < 50 <= V[n + 1], t = (n + (50 - V[n]) / (V[n + 1] - V[n])) dt.

Which steps were chosen, and why
--------------------------------
A cell that fires regularly on a fixed grid either locks its intervals to multiples
of the step (or of half, third ... of it) or drifts through the grid. Locked runs forget rounding
errors: NEURON and ``reference.py`` agree to 3e-7 us here. Drifting runs amplify the last bit
(NEURON's mechanisms differentiate currents numerically) until the difference is a fraction
of the step, up to 250 us after 2 s; this is no error of either. The runs stored here are
locked ones; ``pade_shift_us`` (0.01-0.3 us) shows the same for a change of 1e-6 in the gates.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import reference
from input import NetworkInput, watanabe_input
from model import build_cell, build_network, crossings, load, run_step
from parameters import DT_MS, FloatArray, IntArray, motor_neurons, thresholds

TARGET = Path(__file__).resolve().parents[2] / "tests" / "data" / "neuron_golden.npz"
ONSET_MS, DUR_MS, STOP_MS = 10.0, 1980.0, 2000.0
STEPS_NA: dict[int, tuple[float, ...]] = {0: (6.75, 11.75, 16.5), 400: (12.5, 15.75, 19.75)}
LAST_CELL, LAST_AMP_NA = 799, 22.0
TRACE_STEPS = 2000
NET_SEED, NET_DURATION_MS = 20150, 1000.0


def input_hash(net: NetworkInput) -> str:
    """SHA-256 of the input's spikes and targets."""
    data = net.spike_steps.astype("<i8").tobytes() + net.targets.astype("<i8").tobytes()
    return hashlib.sha256(data).hexdigest()


def reference_steps(growth: reference.Growth) -> reference.Run:
    """All stored current steps at once, by the NumPy reference."""
    cells = np.array([c for c, amps in STEPS_NA.items() for _ in amps])
    amps = np.array([a for values in STEPS_NA.values() for a in values])
    first, last = round(ONSET_MS / DT_MS), round((ONSET_MS + DUR_MS) / DT_MS)
    return reference.simulate(
        motor_neurons(thresholds()[cells]),
        round(STOP_MS / DT_MS),
        current=lambda n: amps if first <= n < last else 0.0,
        growth=growth,
    )


def largest_shift_us(a: FloatArray, b: FloatArray) -> float:
    """Largest difference of two spike trains in us; infinite if the counts differ."""
    return float(np.abs(a - b).max() * 1e3) if len(a) == len(b) else float("inf")


def current_steps(h: Any) -> dict[str, Any]:
    """Run the current steps in NEURON and compare them with the reference."""
    rt = thresholds()
    trains: list[FloatArray] = []
    traces: tuple[FloatArray, FloatArray] | None = None
    for cell, amps in STEPS_NA.items():
        for amp in amps:
            v = run_step(h, build_cell(h, rt[cell]), amp, ONSET_MS, DUR_MS, STOP_MS)
            trains.append(crossings(v[0]))
            traces = traces or (v[0][: TRACE_STEPS + 1], v[1][: TRACE_STEPS + 1])
    assert traces is not None
    exact = reference_steps(reference.exact_growth)
    pade = reference_steps(reference.pade_growth)
    v_last = run_step(h, build_cell(h, rt[LAST_CELL]), LAST_AMP_NA, ONSET_MS, DUR_MS, STOP_MS)[0]
    n = len(trains)
    return {
        "cells": np.array(list(STEPS_NA)),
        "step_cell": np.array([c for c, amps in STEPS_NA.items() for _ in amps]),
        "step_amp_na": np.array([a for amps in STEPS_NA.values() for a in amps]),
        "step_onset_ms": np.full(n, ONSET_MS),
        "step_dur_ms": np.full(n, DUR_MS),
        "step_stop_ms": STOP_MS,
        "spikes_indptr": np.cumsum([0] + [len(t) for t in trains]),
        "spike_times_ms": np.concatenate(trains),
        "reference_shift_us": [largest_shift_us(t, exact.times(i)) for i, t in enumerate(trains)],
        "pade_shift_us": [largest_shift_us(t, pade.times(i)) for i, t in enumerate(trains)],
        "pade_times_ms": np.concatenate([pade.times(i) for i in range(n)]),
        "trace_run": 0,
        "trace_soma_mv": traces[0],
        "trace_dend_mv": traces[1],
        "last_cell": LAST_CELL,
        "last_amp_na": LAST_AMP_NA,
        "last_count": len(crossings(v_last)),
    }


def reference_network(net: NetworkInput) -> tuple[IntArray, FloatArray]:
    """Spike counts and all spike times (ms, sorted) of the NumPy reference."""
    arrivals = net.arrivals()
    run = reference.simulate(
        motor_neurons(thresholds(net.n_cells)),
        net.n_steps,
        arrivals=lambda n: net.weight_us * arrivals[n],
    )
    return run.counts(net.n_cells), np.sort(np.array(run.spike_times_ms))


def network(h: Any) -> dict[str, Any]:
    """Run the Watanabe network in NEURON and compare it with the reference."""
    net = watanabe_input(NET_SEED, NET_DURATION_MS)
    built = build_network(h, net)
    h.finitialize(0.0)
    built.context.psolve(NET_DURATION_MS)
    counts = built.counts()
    times, gids = np.array(built.spike_times), np.array(built.spike_gids, dtype=np.int64)
    order = np.lexsort((gids, times))
    expected, expected_times = reference_network(net)
    print(
        f"network: {counts.sum()} spikes in NEURON, {expected.sum()} in the reference; "
        f"{np.count_nonzero(counts != expected)} cells differ in count"
    )
    if counts.sum() == expected.sum():
        late = (times[order] - expected_times) / DT_MS
        print(f"NEURON reports a spike {late.min():.3f} to {late.max():.3f} steps after the crossing")
    return {
        "net_seed": NET_SEED,
        "net_duration_ms": NET_DURATION_MS,
        "net_counts": counts.astype(np.int64),
        "net_input_sha256": input_hash(net),
        "net_first_ms": times[order][:500],
        "net_first_cell": gids[order][:500],
    }


def main() -> None:
    """Make the file and print how well the reference agrees."""
    h = load("neuron")
    import neuron

    result = {"neuron_version": neuron.__version__, "dt_ms": DT_MS, **current_steps(h)}
    for key in ("step_cell", "step_amp_na", "reference_shift_us", "pade_shift_us"):
        print(key, result[key])
    result |= network(h)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(TARGET, **result)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
