"""Speed of the engine against its peers: ``myoloop bench`` or ``python benchmarks/engine.py``.

The same network (800 two-compartment motor neurons, 1200 sources) and the very same input spikes are run
by this package and by whatever peers are installed, in one go, single-threaded, one after the other in
turns; the table gives medians of CPU time of the simulation alone, after building and compiling. Ratios
in one run mean something on a shared machine, times alone do not.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
NEURON = HERE / "neuron"
PEERS = ("coreneuron-lean", "neuron-lean", "neuron-native", "neuron")
OURS = {
    "myoloop single": ("single", 1),
    "myoloop double": ("double", 1),
    "myoloop single, 2 threads": ("single", 2),
}
# What the engine is meant to reach: (ours, peer, how many times faster).
GOALS = (
    ("myoloop single", "coreneuron-lean", 10.0),
    ("myoloop double", "coreneuron-lean", 6.0),
    ("myoloop single", "neuron", 35.0),
)


def run_ours(
    path: Path, duration_ms: float, precision: str, threads: int, start_at: float = 0.0
) -> dict[str, Any]:
    """Run the network of an input file with this package, not before the wall-clock time `start_at`."""
    from scipy.sparse import csr_array

    from myoloop import muscle, network, neurons
    from myoloop.data import SpikeTrains

    given = _neuron_module("input").load_input(path)
    spikes = SpikeTrains(
        given.spike_steps * given.dt_ms * 1e-3, given.spike_indptr, given.n_steps * given.dt_ms * 1e-3
    )
    shape = given.n_sources, given.n_cells
    wiring = csr_array((np.ones(len(given.targets)), given.targets, given.target_indptr), shape=shape)
    cells = neurons.TwoCompartmentMotorNeuron.pool(muscle.recruitment_thresholds(given.n_cells, 100))
    net = network.Network(
        [network.ReplaySource("IN", spikes=spikes), network.Population("MN", cells)],
        [
            network.Projection(
                "IN",
                "MN",
                network.from_matrix(wiring),
                weight_uS=given.weight_us,
                delay_ms=given.delay_steps * given.dt_ms,
            )
        ],
    )
    network.Simulation(net, dt_ms=given.dt_ms, precision=precision, threads=threads).step()  # compiles
    simulation = network.Simulation(net, dt_ms=given.dt_ms, precision=precision, threads=threads)
    windows = round(duration_ms * 1e-3 / simulation.window_s)
    time.sleep(max(0.0, start_at - time.time()))
    cpu, wall = time.process_time(), time.perf_counter()
    ticks = [simulation.step() for _ in range(windows)]
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    counts = sum(tick.counts("MN", given.n_cells) for tick in ticks)
    steps = windows * simulation.window_steps
    return {
        "ns_per_neuron_step": cpu / (given.n_cells * steps) * 1e9,
        "cpu_s": cpu,
        "wall_s": wall,
        "spikes_total": int(np.sum(counts)),
    }


def pair_bound(path: Path, duration_ms: float, alone_s: float) -> float:
    """Return how much more two independent single-thread processes do in a time than one.

    That is what the machine gives to two threads at best: processors may share a core or its memory.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        start_at = time.time() + 20.0
        both = [pool.submit(run_ours, path, duration_ms, "single", 1, start_at) for _ in range(2)]
        return sum(alone_s / run.result()["wall_s"] for run in both)


def run_peer(peer: str, path: Path, duration_ms: float) -> dict[str, Any] | str:
    """Run a peer in a process of its own; a text says why it could not be run."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        command = [sys.executable, str(NEURON / "run_peer.py"), "--peer", peer, "--input", str(path)]
        command += ["--duration-ms", f"{duration_ms:g}", "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["failed"])[-1]
        found: dict[str, Any] = json.loads(out.read_text())
        return found


def measure(duration_ms: float, repeats: int, seed: int, peers: Sequence[str] = PEERS) -> dict[str, Any]:
    """Run all engines in turns and return their medians, ratios and absent peers."""
    runs: dict[str, list[dict[str, Any]]] = {}
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.npz"
        _neuron_module("input").watanabe_input(seed, duration_ms).save(path)
        for turn in range(repeats):
            for name, (precision, threads) in OURS.items():
                _say(f"turn {turn + 1}/{repeats}: {name}")
                if threads <= (os.cpu_count() or 1):
                    runs.setdefault(name, []).append(run_ours(path, duration_ms, precision, threads))
            for peer in peers:
                _say(f"turn {turn + 1}/{repeats}: {peer}")
                if peer not in absent:
                    found = run_peer(peer, path, duration_ms)
                    if isinstance(found, str):
                        absent[peer] = found
                    else:
                        runs.setdefault(peer, []).append(found)
        rows = {name: _median(found, duration_ms) for name, found in runs.items()}
        _say("two processes at once")
        bound = pair_bound(path, duration_ms, rows["myoloop single"]["wall_s"])
    _say("")
    return {
        "duration_ms": duration_ms,
        "repeats": repeats,
        "engines": rows,
        "absent": absent,
        "ratios": _ratios(rows),
        "two_processes": bound,
    }


def build_peers() -> None:
    """Compile the peers' mechanisms where NEURON is installed and they are not built yet."""
    if importlib.util.find_spec("neuron") is None:
        return
    build = _neuron_module("build")
    for peer in PEERS:
        if not build.library(peer).exists():
            _say(f"compiling the mechanisms of {peer}")
            try:
                build.build(peer)
            except SystemExit as failure:
                print(failure, file=sys.stderr)


def show(found: dict[str, Any]) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"800 motor neurons, {found['duration_ms'] / 1e3:g} s, median of {found['repeats']}")
    for column in ("Engine", "ns / neuron-step", "CPU (s)", "Wall (s)", "x real time", "Spikes"):
        table.add_column(column, justify="left" if column == "Engine" else "right")
    for name, row in found["engines"].items():
        table.add_row(
            name,
            f"{row['ns_per_neuron_step']:.1f}",
            f"{row['cpu_s']:.3f}",
            f"{row['wall_s']:.3f}",
            f"{row['x_real_time']:.2f}",
            str(row["spikes_total"]),
        )
    console.print(table)
    for ratio in found["ratios"]:
        mark = "reached" if ratio["ratio"] >= ratio["goal"] else "missed"
        console.print(f"{ratio['what']}: {ratio['ratio']:.2f} (goal {ratio['goal']:g}, {mark})")
    console.print(
        f"two independent processes / one, throughput: {found['two_processes']:.2f} (bound of 2 threads)"
    )
    for peer, why in found["absent"].items():
        console.print(f"{peer}: not measured ({why})")


def main() -> int:
    """Measure, print and if asked write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration-ms", type=float, default=1000.0, help="simulated time")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ours-only", action="store_true", help="leave the peers out")
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    arguments = parser.parse_args()
    if not arguments.ours_only:
        build_peers()
    peers = () if arguments.ours_only else PEERS
    found = measure(arguments.duration_ms, arguments.repeats, arguments.seed, peers)
    show(found)
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=2) + "\n")
    return 0


def _median(runs: list[dict[str, Any]], duration_ms: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        key: statistics.median(run[key] for run in runs) for key in ("ns_per_neuron_step", "cpu_s", "wall_s")
    }
    return row | {
        "x_real_time": duration_ms * 1e-3 / row["wall_s"],
        "spikes_total": runs[0]["spikes_total"],
    }


def _ratios(rows: dict[str, Any]) -> list[dict[str, Any]]:
    ratios = [
        {"what": f"{peer} / {ours}, CPU", "ratio": rows[peer]["cpu_s"] / rows[ours]["cpu_s"], "goal": goal}
        for ours, peer, goal in GOALS
        if ours in rows and peer in rows
    ]
    one, two = "myoloop single", "myoloop single, 2 threads"
    if two in rows:
        speedup = rows[one]["wall_s"] / rows[two]["wall_s"]
        ratios.append({"what": "1 thread / 2 threads, wall", "ratio": speedup, "goal": 1.6})
    ratios.append({"what": "real time, 1 thread", "ratio": rows[one]["x_real_time"], "goal": 2.5})
    return ratios


def _neuron_module(name: str) -> Any:
    """Module of the folder `neuron`, which is no package."""
    spec = importlib.util.spec_from_file_location(f"neuron_{name}", NEURON / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
