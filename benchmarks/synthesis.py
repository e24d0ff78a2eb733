"""Speed and memory of the synthesis of EMG: ``python benchmarks/synthesis.py``.

Each case runs in a process of its own, on one thread. Times are the best of a few turns after compiling;
memory is the greatest resident set of the process, the recording itself included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

RATE_HZ = 2048.0
SAMPLES = 41  # 20 ms
CASES: dict[str, dict[str, Any]] = {
    "10 s, 64 channels, 100 units": {"seconds": 10, "channels": 64, "units": 100},
    "the same, jitter of 8 variations": {"seconds": 10, "channels": 64, "units": 100, "variations": 8},
    "the same, along 9 knots": {"seconds": 10, "channels": 64, "units": 100, "knots": 9},
    "the same, blocks of 1 ms": {"seconds": 10, "channels": 64, "units": 100, "block": 2},
    "the same, with noise": {"seconds": 10, "channels": 64, "units": 100, "noise": True},
    "60 s, 256 channels, 100 units": {"seconds": 60, "channels": 256, "units": 100},
    "60 s, 256 channels, 500 units": {"seconds": 60, "channels": 256, "units": 500},
    "60 s, 256 channels, 500 units, with noise": {
        "seconds": 60, "channels": 256, "units": 500, "noise": True,
    },
}  # fmt: skip
GOAL_S, GOAL_GIB = 1.0, 2.0  # of the first case, and of those of 60 s


def potentials(units: int, channels: int, shift_ms: float = 0.0) -> Any:
    """Potentials with spectra like those of surface EMG."""
    from myoloop.data import ActionPotentials

    rng = np.random.default_rng(0)
    values = np.empty((units, channels, SAMPLES), dtype=np.float32)
    times_ms = np.arange(SAMPLES) * 1e3 / RATE_HZ
    for unit in range(units):
        centre = rng.uniform(8, 12, (channels, 1)) + shift_ms
        x = (times_ms - centre) / 1.2
        values[unit] = 100 * (1 - x**2) * np.exp(-(x**2) / 2)
    return ActionPotentials(values, RATE_HZ)


def measure(case: dict[str, Any], repeats: int) -> dict[str, float]:
    """Run one case in this process."""
    from myoloop.data import Signal, SpikeTrains
    from myoloop.data._path import ActionPotentialPath
    from myoloop.emg._noise._noise import Noise
    from myoloop.emg._noise._parts import ColouredNoise, Mains, WhiteNoise
    from myoloop.emg._synthesis._jitter import DischargeJitter
    from myoloop.emg._synthesis._synthesis import Synthesis

    seconds, units, channels = case["seconds"], case["units"], case["channels"]
    rng = np.random.default_rng(1)
    spikes = SpikeTrains.from_trains(
        [np.sort(rng.uniform(0, seconds, 15 * seconds)) for _ in range(units)], seconds
    )
    action, jitter, noise = potentials(units, channels), None, None
    if "knots" in case:
        knots = np.linspace(0, 1, case["knots"])
        path = tuple(potentials(units, channels, shift) for shift in knots)
        action = ActionPotentialPath(knots, path, Signal(np.linspace(0, 1, 101), 10.0))
    if "variations" in case:
        sketch = rng.standard_normal((units, case["variations"], channels, 1)) * action.values_uV[:, None]
        jitter = DischargeJitter.of_sketch(sketch, RATE_HZ)
    if case.get("noise"):
        noise = Noise(parts=(WhiteNoise(rms_uV=3), ColouredNoise(rms_uV=3), Mains(amplitudes_uV=(2, 0, 1))))
    block = case.get("block", 4096)

    def run() -> float:
        begun = time.process_time()
        synthesis = Synthesis(action, spikes, jitter, seed=1)
        state = noise.start(channels, RATE_HZ, 1) if noise else None
        out = np.empty((channels, synthesis.samples), dtype=np.float32)
        while synthesis.samples_done < synthesis.samples:
            first = synthesis.samples_done
            n = min(block, synthesis.samples - first)
            part = synthesis.step(n)
            out[:, first : first + n] = (state.add_to(part) if state else part).T
        return time.process_time() - begun

    first = run()
    times = [run() for _ in range(repeats)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"first_cpu_s": first, "cpu_s": min(times), "peak_GiB": peak, "spikes": len(spikes.times_s)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASES, help="run this one here and print JSON")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measure(CASES[given.case], given.repeats)))
        return
    print(f"{'':44}{'CPU s':>8}{'first':>8}{'GiB':>7}{'spikes':>9}")
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    met = True
    for number, (name, case) in enumerate(CASES.items()):
        command = [sys.executable, __file__, "--case", name, "--repeats", str(given.repeats)]
        done = subprocess.run(command, env=os.environ | one, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        print(
            f"{name:44}{found['cpu_s']:8.3f}{found['first_cpu_s']:8.2f}{found['peak_GiB']:7.2f}{found['spikes']:9}"
        )
        met &= number > 0 or found["cpu_s"] < GOAL_S
        met &= case["seconds"] < 60 or found["peak_GiB"] < GOAL_GIB
    print(f"goals ({GOAL_S:g} s, {GOAL_GIB:g} GiB) {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
