"""Action potentials against a peer: ``myoloop bench emg-peer`` or ``python benchmarks/emg_peer.py``.

The peer is MyoGen (``pip install myogen``, AGPL-3.0; never a dependency of ours), which computes the
potential of each fibre in the layered cylinder of Farina et al. (2004) on its own. It is timed on a few
fibres with its own default resolution, once with the system of its layers to be solved (the first fibre of
a unit) and then with that handed on, as it does within a unit; whole muscles are extrapolated from that.
Ours computes all fibres of the same geometry. Both run in this one go, in processes of their own, on one
thread, one after the other in turns; the ratio means something on a shared machine, times alone do not.

MyoGen needs Python 3.12. Where it is not importable here, name an interpreter that has it:
``python benchmarks/emg_peer.py --peer-python ~/peer/bin/python``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from emg import FIBRES, ONE_THREAD, UNITS, run_case

NOT_INSTALLED = 3
OURS = {"unit": "potentials, regular 8 x 8 grid", "fibre": "potentials, regular, a velocity a fibre"}
# One muscle for both: see emg.py.
MUSCLE_MM, FAT_MM, SKIN_MM, HALF_MM = 6.91, 0.3, 1.29, 16.0
ROWS, PITCH_MM, CONTACT_MM, RATE_HZ, VELOCITY = 8, 4.0, 0.5, 2048.0, 4.2
CONDUCTIVITY = {"sig_muscle_rho": 0.09, "sig_muscle_z": 0.4, "sig_fat": 0.0407, "sig_skin": 4.88e-4}


def peer(fibres: int, points: int, angles: int) -> dict[str, Any]:
    """Time MyoGen in this process; needs nothing of ours."""
    try:
        found = version("myogen")
    except PackageNotFoundError:
        print("not installed", file=sys.stderr)
        raise SystemExit(NOT_INSTALLED) from None
    import inspect
    import warnings

    warnings.simplefilter("ignore")
    import numpy as np
    import quantities as pq
    from myogen.simulator.core.emg.electrodes import SurfaceElectrodeArray
    from myogen.simulator.core.emg.surface.simulate_fiber import simulate_fiber_v2

    radius = MUSCLE_MM + FAT_MM + SKIN_MM
    grid = SurfaceElectrodeArray(
        num_rows=ROWS,
        num_cols=ROWS,
        inter_electrode_distance__mm=PITCH_MM * pq.mm,
        electrode_radius__mm=CONTACT_MM * pq.mm,
        bending_radius__mm=radius * pq.mm,
    )

    # Releases differ in this argument.
    known = inspect.signature(simulate_fiber_v2).parameters
    length = {"fiber_length__mm": 2 * HALF_MM} if "fiber_length__mm" in known else {}

    def one(depth_mm: float, solved: tuple[Any, Any]) -> tuple[float, tuple[Any, Any], Any]:
        begun = time.process_time()
        potential, *kept = simulate_fiber_v2(
            Fs=1e-3 * RATE_HZ,
            v=VELOCITY,
            N=points,
            M=angles,
            r=radius,
            r_bone=0.0,
            th_fat=FAT_MM,
            th_skin=SKIN_MM,
            R=MUSCLE_MM - depth_mm,
            L1=HALF_MM,
            L2=HALF_MM,
            zi=0.0,
            electrode_array=grid,
            **CONDUCTIVITY,
            A_matrix=solved[0],
            B_incomplete=solved[1],
            use_gpu=False,
            **length,
        )
        return time.process_time() - begun, (kept[0], kept[1]), potential

    compiling, *_ = one(1.0, (None, None))
    first, solved, potential = one(1.0, (None, None))
    times = [one(depth, solved)[0] for depth in np.linspace(0.5, MUSCLE_MM - 0.5, fibres)]
    return {
        "version": found,
        "compile_s": compiling,
        "first_s": first,
        "fibre_s": statistics.median(times),
        "finite": bool(np.all(np.isfinite(potential))),
    }


def run_peer(python: str, arguments: argparse.Namespace) -> dict[str, Any] | str:
    """Time the peer in a process of its own; a text says why it could not be timed."""
    command = [python, __file__, "--as-peer", "--fibres", str(arguments.fibres)]
    command += ["--points", str(arguments.points), "--angles", str(arguments.angles)]
    done = subprocess.run(command, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=False)
    if done.returncode == NOT_INSTALLED:
        return "not installed: pip install myogen (Python 3.12), then --peer-python its interpreter"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peer")
    parser.add_argument("--fibres", type=int, default=5, help="fibres of the peer that are timed")
    parser.add_argument("--points", type=int, default=256, help="the peer's samples in time and along")
    parser.add_argument("--angles", type=int, default=32, help="the peer's samples around")
    parser.add_argument("--repeats", type=int, default=3, help="turns")
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    parser.add_argument("--as-peer", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.as_peer:
        print(json.dumps(peer(given.fibres, given.points, given.angles)))
        return
    ours: dict[str, list[float]] = {key: [] for key in OURS}
    theirs: list[dict[str, Any]] = []
    absent = ""
    for _ in range(given.repeats):
        for key, case in OURS.items():
            ours[key].append(run_case(case, 1, False)["warm_s"])
        found = absent or run_peer(given.peer_python, given)
        if isinstance(found, str):
            absent = found
        else:
            theirs.append(found)
    results = report(ours, theirs, absent)
    if given.out:
        given.out.write_text(json.dumps(results, indent=2) + "\n")


def report(ours: dict[str, list[float]], theirs: list[dict[str, Any]], absent: str) -> dict[str, Any]:
    """Print the comparison; everything in CPU seconds."""
    results: dict[str, Any] = {f"ours_{key}_s": statistics.median(times) for key, times in ours.items()}
    print(f"{FIBRES} fibres of {UNITS} units, {ROWS} x {ROWS} grid, {RATE_HZ:g} Hz, one thread, CPU time")
    for key in OURS:
        total = results[f"ours_{key}_s"]
        each_ms = 1e3 * total / FIBRES
        print(f"ours, a velocity a {key:8}{total:10.2f} s in all, measured ({each_ms:.3f} ms a fibre)")
    if absent:
        print(f"MyoGen: {absent}")
        return results | {"absent": absent}
    first, fibre = (statistics.median(run[key] for run in theirs) for key in ("first_s", "fibre_s"))
    total = UNITS * (first - fibre) + FIBRES * fibre
    results |= {"peer": theirs[0]["version"], "first_s": first, "fibre_s": fibre, "peer_s": total}
    name = f"MyoGen {theirs[0]['version']}"
    print(f"{name}: {first:.2f} s for the first fibre of a unit, {fibre:.3f} s for others")
    print(f"MyoGen, extrapolated {total:14.0f} s in all = {total / 3600:.1f} CPU-h")
    for key in OURS:
        print(f"MyoGen / ours, a velocity a {key}: {total / results[f'ours_{key}_s']:.0f}")
    if not all(run["finite"] for run in theirs):
        print("MyoGen's potentials were not all finite in this geometry")
    return results


if __name__ == "__main__":
    main()
