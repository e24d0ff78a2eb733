"""Speed and memory of the EMG of a whole muscle: ``myoloop bench emg`` or ``python benchmarks/emg.py``.

52,500 fibres of 100 motor units in a cylinder of 6.91 mm under 0.3 mm of fat and 1.29 mm of skin. Each case
runs in a process of its own, on one thread, with an empty folder for tables. CPU seconds: *compile* is the
first call of a tiny muscle (with ``--compile`` the compiled code of earlier runs is not used either); *cold*
is the first call, which makes the tables; *warm* is the median of the calls after it. Memory is the greatest
resident set of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
FIBRES, UNITS = 52_500, 100
# What is run, with what, and the goal: CPU seconds when warm, or GiB.
CASES: dict[str, dict[str, Any]] = {
    "potentials, regular 8 x 8 grid": {"what": "potentials", "goal_s": 2.0},
    "potentials, regular, a velocity a fibre": {"what": "potentials", "velocity": "fibre", "goal_s": 2.0},
    "potentials, arbitrary 8 x 8 grid": {"what": "potentials", "rotation": 17.0, "goal_s": 8.0},
    "potentials, arbitrary, a velocity a fibre": {
        "what": "potentials", "rotation": 17.0, "velocity": "fibre", "goal_s": 8.0,
    },
    "potentials, 40 contacts in the muscle": {"what": "potentials", "inside": True},
    "10 s of 64 channels": {"what": "record", "seconds": 10, "goal_s": 1.0},
    "10 s of 64 channels, 2 kinds of noise": {"what": "record", "seconds": 10, "noise": True},
    "60 s of 256 channels": {"what": "record", "seconds": 60, "rows": 16, "goal_GiB": 2.0},
    "60 s of 256 channels, with noise": {
        "what": "record", "seconds": 60, "rows": 16, "noise": True, "goal_GiB": 2.0,
    },
    "60 s of 256 channels, in blocks": {"what": "blocks", "seconds": 60, "rows": 16, "goal_GiB": 2.0},
}  # fmt: skip


def muscle(case: dict[str, Any], fibres: int = FIBRES, units: int = UNITS) -> Any:
    """The muscle of a case, as keyword arguments of `EMG`."""
    from myoloop.emg import Circle, InfiniteMedium, LayeredCylinder, Muscle, SurfaceGrid, ThinFilmArray
    from myoloop.muscle import recruitment_thresholds

    anatomy = Muscle(
        Circle(6.91),
        n_fibres=fibres,
        lower_tendon_mm=-16.0,
        upper_tendon_mm=16.0,
        velocity=case.get("velocity", "unit"),
    )
    body = LayeredCylinder(muscle_mm=case.get("muscle_mm", 6.91), fat_mm=0.3, skin_mm=1.29)
    rows = case.get("rows", 8)
    if case.get("inside"):
        film = ThinFilmArray(depth_mm=24.0, tilt_along_deg=50.0, along_mm=-5.0)
        electrodes, conductor = film.on(body), InfiniteMedium()
    else:
        grid = SurfaceGrid(
            rows=rows, columns=rows, pitch_mm=32.0 / rows, rotation_deg=case.get("rotation", 0.0)
        )
        electrodes, conductor = grid.on(body), body
    thresholds = recruitment_thresholds(units, ratio=100)
    return {
        "fibres": anatomy.fibres(thresholds, seed=1),
        "conductor": conductor,
        "electrodes": electrodes,
    }


def measure(case: dict[str, Any], repeats: int) -> dict[str, Any]:
    """Run one case in this process."""
    import numpy as np

    from myoloop.emg import EMG

    tiny = muscle(case | {"rows": 2, "muscle_mm": 8.0}, 400, 4)  # shares no table with the case
    compiling = cpu(lambda: EMG(**tiny).prepare())
    given = muscle(case)
    if case["what"] == "potentials":
        run: Callable[[], Any] = lambda: EMG(**given).prepare()  # noqa: E731
    else:
        emg, spikes, noise = EMG(**given).prepare(), firing(case["seconds"]), sound(case)
        if case["what"] == "record":
            run = lambda: emg.record(spikes, noise=noise, seed=1)  # noqa: E731
        else:
            run = lambda: [float(np.abs(b).max()) for b in emg.blocks(spikes, noise=noise, seed=1)]  # noqa: E731
    cold = cpu(run)
    return {
        "compile_s": compiling,
        "cold_s": cold,
        "warm_s": statistics.median(cpu(run) for _ in range(repeats)),
        "peak_GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def firing(seconds: float) -> Any:
    """100 units at 15 discharges a second."""
    import numpy as np

    from myoloop.data import SpikeTrains

    rng = np.random.default_rng(1)
    trains = [np.sort(rng.uniform(0, seconds, 15 * seconds)) for _ in range(UNITS)]
    return SpikeTrains.from_trains(trains, seconds)


def sound(case: dict[str, Any]) -> Any:
    """White and pink noise, if the case has any."""
    from myoloop.emg import ColouredNoise, Noise, WhiteNoise

    return Noise(parts=(WhiteNoise(rms_uV=3), ColouredNoise(rms_uV=3))) if case.get("noise") else None


def cpu(work: Callable[[], Any]) -> float:
    """CPU seconds of a call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def run_case(name: str, repeats: int, compile_anew: bool) -> dict[str, Any]:
    """Run a case in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        surroundings = os.environ | ONE_THREAD | {"MYOLOOP_CACHE": str(Path(folder, "tables"))}
        if compile_anew:
            surroundings["NUMBA_CACHE_DIR"] = str(Path(folder, "compiled"))
        command = [sys.executable, __file__, "--case", name, "--repeats", str(repeats)]
        done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def verdict(case: dict[str, Any], found: dict[str, Any]) -> str:
    """Whether the goal of a case was reached."""
    for key, value, unit in (
        ("goal_s", found["warm_s"], "s"), ("goal_GiB", found["peak_GiB"], "GiB"),
    ):  # fmt: skip
        if key in case:
            return f"{'reached' if value <= case[key] else 'MISSED'} ({case[key]:g} {unit})"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASES, help="run this one here and print JSON")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="measure compilation too (some minutes)")
    parser.add_argument("--parts", action="store_true", help="then muscle.py and synthesis.py")
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measure(CASES[given.case], given.repeats)))
        return
    print(f"{FIBRES} fibres, {UNITS} units, one thread, CPU seconds (median of {given.repeats} when warm)")
    print(f"{'':46}{'compile':>9}{'cold':>8}{'warm':>8}{'GiB':>7}  goal")
    results = {}
    for name, case in CASES.items():
        if given.only not in name:
            continue
        found = results[name] = run_case(name, given.repeats, given.compile)
        times = f"{found['compile_s']:9.2f}{found['cold_s']:8.2f}{found['warm_s']:8.2f}"
        print(f"{name:46}{times}{found['peak_GiB']:7.2f}  {verdict(case, found)}", flush=True)
    if given.parts:
        for script in ("muscle.py", "synthesis.py"):
            subprocess.run([sys.executable, str(HERE / script)], env=os.environ | ONE_THREAD, check=True)
    if given.out:
        given.out.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
