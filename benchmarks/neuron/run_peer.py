"""Time one peer on a given network input, single-threaded.

``python benchmarks/neuron/run_peer.py --peer coreneuron-lean --input input.npz
--duration-ms 1000 --out out.json``

The clock runs over the simulation only: after building and initialising. CoreNEURON
copies the model at every call from Python; what a call of a single step costs is
measured first and subtracted. Exit code 3: NEURON is not installed or not built.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from build import DEFAULT_FOLDER, PEERS, library
from input import load_input
from model import Network, NotReadyError, build_network, load

NOT_READY = 3


@dataclass
class Clock:
    """CPU and wall time of a piece of work in seconds."""

    cpu_s: float
    wall_s: float


def timed_solve(network: Network, until_ms: float) -> Clock:
    """Advance the network to `until_ms` and say what it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    network.context.psolve(until_ms)
    return Clock(time.process_time() - cpu, time.perf_counter() - wall)


def enable_coreneuron(h: Any, mechanisms: Path) -> None:
    """Hand later calls of psolve to CoreNEURON on the CPU.

    Parameters
    ----------
    h : object
        From ``model.load``.
    mechanisms : Path
        NEURON's library of mechanisms; CoreNEURON's lies beside it.
    """
    from neuron import coreneuron

    # Without this CoreNEURON looks in the working directory, then in the wheel.
    os.environ["CORENEURONLIB"] = str(mechanisms.with_name("libcorenrnmech" + mechanisms.suffix))
    coreneuron.enable = True
    coreneuron.gpu = False
    coreneuron.verbose = 0
    h.CVode().cache_efficient(1)


def measure(peer: str, path: Path, duration_ms: float, folder: Path) -> dict[str, Any]:
    """Run one peer.

    Parameters
    ----------
    peer : str
        A key of ``build.PEERS``.
    path : Path
        The npz of a `NetworkInput`.
    duration_ms : float
        Simulated time in ms, at most that of the input.
    folder : Path
        Where the mechanisms were built.

    Returns
    -------
    dict
        What goes into the JSON file.
    """
    net = load_input(path)
    steps = round(duration_ms / net.dt_ms)
    if not 2 <= steps <= net.n_steps:
        raise SystemExit(
            f"--duration-ms must lie within the input's {net.n_steps * net.dt_ms:g} ms, got {duration_ms:g}"
        )
    # CoreNEURON would start idle threads that spin; OpenMP reads this when it is loaded.
    os.environ["OMP_NUM_THREADS"] = "1"
    h = load(peer, folder)
    core = peer.startswith("coreneuron")
    network = build_network(h, net, lean=peer.endswith("lean"))
    if core:
        enable_coreneuron(h, library(peer, folder))
    h.finitialize(0.0)
    # The single first step: in CoreNEURON nearly all of it is the copying.
    first = timed_solve(network, net.dt_ms)
    rest = timed_solve(network, steps * net.dt_ms)
    start = first if core else Clock(0.0, 0.0)
    counts = network.counts()
    cpu_s, wall_s = rest.cpu_s - start.cpu_s, rest.wall_s - start.wall_s
    neuron_steps = net.n_cells * (steps - 1)
    return {
        "peer": peer,
        "version": str(h.nrnversion(0)),
        "cells": net.n_cells,
        "steps": steps,
        "ns_per_neuron_step": cpu_s / neuron_steps * 1e9,
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "copy_cpu_s": start.cpu_s,
        "spikes_total": int(counts.sum()),
        "counts_checksum": int(np.dot(counts, np.arange(1, net.n_cells + 1))),
        "rate_pps": float(counts.sum() / net.n_cells / duration_ms * 1e3),
    }


def main() -> int:
    """Parse the command line, run, write the JSON."""
    parser = argparse.ArgumentParser(description="Time a NEURON peer on a given network input.")
    parser.add_argument("--peer", choices=list(PEERS), required=True)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--duration-ms", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--build", type=Path, default=DEFAULT_FOLDER)
    arguments = parser.parse_args()
    try:
        result = measure(arguments.peer, arguments.input, arguments.duration_ms, arguments.build)
    except NotReadyError as error:
        print(error, file=sys.stderr)
        return NOT_READY
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
