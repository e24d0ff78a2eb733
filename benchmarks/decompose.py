"""Decomposition: units, agreement, CPU time, memory: ``myoloop bench decompose`` or this file.

Each part runs in a process of its own, on one thread, after a short decomposition that loads and compiles
what is needed. CPU seconds are those of `fit`, preprocessing included.

- *real*: a recording of 64 channels with reference units of the amplifier's vendor (labels, not truth),
  over some seeds, in the standard and the quality mode. *Sure* units have at least 20 spikes, SIL >= .9 and
  CoV of ISI < .3; *twice* are units of which another one has 30 % of the spikes. A reference is found where
  a unit is matched to it (one to one, F1 >= .3); its rate of agreement (RoA) is 0 where it is not. A unit
  *reproduces* where more than half of the other seeds have a unit that agrees with it by F1 > .9.
- *simulated*: five muscles at 20 dB and 30 % MVC, 30 s of 64 channels, beside the upper bound.
- *memory*: the greatest resident set of a process that reads a simulated recording and decomposes it.

``--peer-python`` names an interpreter with openhdemg (GPL-3.0; never a dependency of ours), which then
decomposes the real recording too (minutes).
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
RECORDING = "otb_vastus_lateralis_64ch.mat"
PARTS = ("real", "simulated", "memory")
SURE_SPIKES, SURE_SIL, SURE_COV, SAME_F1 = 20, 0.9, 0.3, 0.9
# CPU-s, mean rate of agreement, and sure units (standard) or units that reproduce (quality).
GOALS = {"standard": (4.0, 0.93, 11), "quality": (12.0, 0.935, 14)}
SIMULATED_GOAL_S = 8.0
# Rows and columns of the grid, its pitch in mm, s, and the goal in GiB.
LARGE: dict[str, tuple[int, float, float, float]] = {
    "64 channels, 10 minutes": (8, 5.0, 600.0, 8.0),
    "256 channels, 60 s": (16, 2.5, 60.0, 12.0),
}


def cpu(work: Any) -> tuple[float, Any]:
    """CPU seconds of a call, and what it gives."""
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def warm_up(recording: Any) -> None:
    """Compile and load what a decomposition needs."""
    from myoloop.decompose import ConvolutiveBSS

    begin = recording.t_start_s + recording.duration_s / 2
    ConvolutiveBSS(rounds=1, starts=8, least_sil=0.5, candidate_sil=0.5).fit(
        recording.between(begin, begin + 4)
    )


# --- A real recording


def data_file(given: Path | None) -> Path:
    """The recording that was named, else the one in the folder of MYOLOOP_DATA."""
    folder = os.environ.get("MYOLOOP_DATA") or HERE.parents[1] / "shared" / "data"
    return given or Path(folder) / RECORDING


def against(found: Any, references: Any) -> list[float]:
    """Rate of agreement of each reference with the unit that is matched to it; 0 where there is none."""
    from myoloop.decompose import match_trains

    matching = match_trains(found, references)
    roa = [0.0] * len(references)
    for unit, reference in matching.pairs:
        roa[int(reference)] = float(matching.roa[unit, reference])
    return roa


def reproducing(trains: Sequence[Any]) -> list[int]:
    """For each seed, how many of its units more than half of the other seeds have too."""
    from myoloop.decompose import match_trains

    counts = []
    for k, own in enumerate(trains):
        others = [other for j, other in enumerate(trains) if j != k]
        seen = sum(
            (match_trains(own, other).f1.max(axis=1, initial=0.0) > SAME_F1).astype(int) for other in others
        )
        counts.append(int((seen > len(others) / 2).sum()) if others else 0)
    return counts


def real(file: Path, seeds: int) -> dict[str, Any]:
    """Both modes over the seeds."""
    from myoloop.decompose import ConvolutiveBSS
    from myoloop.io import read_recording, read_spikes

    recording, references = read_recording(file), read_spikes(file)
    warm_up(recording)
    results: dict[str, Any] = {}
    for mode, make in (("standard", ConvolutiveBSS), ("quality", ConvolutiveBSS.quality)):
        print(f"{file.name}, {mode} mode")
        columns = f"{'seed':>6}{'CPU-s':>8}{'units':>7}{'sure':>6}{'flagged':>9}{'twice':>7}"
        print(f"{columns}  RoA of each reference, mean")
        rows, trains = [], []
        for seed in range(seeds):
            row, spikes = one_seed(make(seed=seed), recording, references)
            rows.append(row)
            trains.append(spikes)
            counts = f"{row['units']:7}{row['sure']:6}{row['flagged']:9}{row['duplicates']:7}"
            each = " ".join(f"{value:.3f}" for value in row["roa"])
            print(f"{seed:6}{row['cpu_s']:8.2f}{counts}  {each}  {row['roa_mean']:.3f}", flush=True)
        results[mode] = {"seeds": rows, "reproducing": reproducing(trains)}
        summary(mode, results[mode])
    return results


def one_seed(method: Any, recording: Any, references: Any) -> tuple[dict[str, Any], Any]:
    """Numbers of one decomposition, and its trains."""
    import numpy as np

    from myoloop.decompose import duplicates

    seconds, _ = cpu(lambda: method.fit(recording))
    quality, spikes = method.decomposition_.quality, method.spikes_
    sure = (spikes.counts >= SURE_SPIKES) & (quality.sil >= SURE_SIL) & (quality.cov_isi < SURE_COV)
    roa = against(spikes, references)
    row = {
        "cpu_s": seconds,
        "units": len(spikes),
        "sure": int(np.sum(sure)),
        "flagged": sum(bool(flag) for flag in quality.flag),
        "roa": roa,
        "roa_mean": float(np.mean(roa)),
        "duplicates": len(duplicates(spikes)),
    }
    return row, spikes


def summary(mode: str, found: dict[str, Any]) -> None:
    """The goals of a mode, and whether they were reached."""
    rows, again = found["seeds"], found["reproducing"]
    goal_s, goal_roa, goal_units = GOALS[mode]
    seconds = [row["cpu_s"] for row in rows]
    roa = [row["roa_mean"] for row in rows]
    every = sum(all(value > 0 for value in row["roa"]) for row in rows)
    print(f"  units that reproduce: {' '.join(map(str, again))}")
    say(
        f"CPU-s: median {statistics.median(seconds):.2f}, most {max(seconds):.2f}",
        statistics.median(seconds) <= goal_s,
        f"{goal_s:g}",
    )
    say(
        f"mean RoA: {statistics.mean(roa):.4f}, least of a seed {min(roa):.4f}",
        statistics.mean(roa) >= goal_roa,
        f"{goal_roa:g}",
    )
    if mode == "standard":
        say(f"all references on {every} of {len(rows)} seeds", every >= 0.9 * len(rows), "9 of 10")
        least = min(row["sure"] for row in rows)
        say(f"sure units: at least {least}", least >= goal_units, f"{goal_units}")
    else:
        say(f"units that reproduce: at least {min(again)}", min(again) >= goal_units, f"{goal_units}")


def say(what: str, reached: bool, goal: str) -> None:
    """A line with the verdict."""
    print(f"  {what:66}{'reached' if reached else 'MISSED'} ({goal})", flush=True)


# --- Simulated muscles


def simulated() -> dict[str, Any]:
    """The centre of the study's conditions, each muscle."""
    from myoloop.data import silent
    from myoloop.studies import STUDIES

    changes = {"conditions": "centre", "intramuscular": "none"}
    metrics = STUDIES["decompose-benchmark"](silent, changes=changes).metrics
    columns = f"{'found':>7}{'accepted':>10}{'good':>6}{'bound':>7}{'CPU-s':>8}"
    print(f"{'20 dB, 30 % MVC, 30 s, 64 channels':36}{columns}")
    for found in metrics["conditions"].values():
        counts = f"{found['units']:7}{found['accepted']:10}{found['good']:6}{found['upper_bound_units']:7}"
        print(f"{found['muscle']:36}{counts}{found['cpu_s']:8.2f}")
    at = metrics["reference"]
    say(f"good units over the bound, least: {at['least_margin']:+d}", at["least_margin"] >= 0, "0")
    say(f"precision: {at['precision'] or 0:.3f}", (at["precision"] or 0) >= 0.95, "0.95")
    say(f"mean F1 of the accepted: {at['f1_mean'] or 0:.4f}", (at["f1_mean"] or 0) >= 0.98, "0.98")
    seconds = max(found["cpu_s"] for found in metrics["conditions"].values())
    say(f"CPU-s: most {seconds:.2f}", seconds <= SIMULATED_GOAL_S, f"{SIMULATED_GOAL_S:g}")
    return dict(metrics)


# --- Memory


def simulate_large(name: str, folder: Path) -> None:
    """Leave a recording of the first dorsal interosseous in a folder."""
    import numpy as np

    from myoloop.data import silent
    from myoloop.emg import SurfaceGrid, first_dorsal_interosseous
    from myoloop.studies._array_contraction import ArrayStudy, contract

    rows, pitch, seconds, _ = LARGE[name]
    anatomy = first_dorsal_interosseous()
    task = ArrayStudy(units=anatomy.units, ramp_s=3.0, plateau_s=seconds - 3.0)
    spikes = contract(task, anatomy.ratio, 1, silent, anatomy.thresholds()).spikes
    grid = SurfaceGrid(rows=rows, columns=rows, pitch_mm=pitch)
    recording = anatomy.surface(anatomy.thresholds(), grid, seed=1).record(spikes, snr_db=20.0, seed=1)
    np.save(folder / "emg.npy", recording.values_uV)
    np.savez(folder / "truth.npz", times_s=spikes.times_s, starts=spikes.starts, stop_s=spikes.t_stop_s)


def decompose_large(name: str, folder: Path) -> dict[str, Any]:
    """Decompose what was left there."""
    import numpy as np

    from myoloop.data import Recording, SpikeTrains
    from myoloop.decompose import ConvolutiveBSS, score

    recording = Recording(np.load(folder / "emg.npy"), 2048.0)
    warm_up(recording)
    seconds, method = cpu(lambda: ConvolutiveBSS().fit(recording))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    kept = np.load(folder / "truth.npz")
    truth = SpikeTrains(kept["times_s"], kept["starts"], float(kept["stop_s"]))
    agreement = score(method.spikes_, truth)
    goal = LARGE[name][3]
    size = recording.values_uV.nbytes / 2**30
    say(f"{name}: {peak:.2f} GiB ({size:.2f} of EMG), {seconds:.1f} CPU-s", peak <= goal, f"{goal:g} GiB")
    print(f"  {len(method.spikes_)} units, {agreement.good} with F1 >= 0.9", flush=True)
    return {"peak_GiB": peak, "recording_GiB": size, "cpu_s": seconds, **agreement.metrics()}


# --- A peer


def peer(file: Path, iterations: int) -> dict[str, Any]:
    """Decompose with openhdemg in this process; needs nothing of ours."""
    import warnings
    from importlib.metadata import PackageNotFoundError, version

    warnings.simplefilter("ignore")
    try:
        found = version("openhdemg")
    except PackageNotFoundError:
        return {"absent": "openhdemg is not installed there: pip install --pre openhdemg"}
    from openhdemg import library

    if not hasattr(library, "EMGDecomposer"):
        return {"absent": f"openhdemg {found} cannot decompose: pip install --pre openhdemg"}
    recording = library.emg_from_otb(filepath=str(file))
    method = library.EMGDecomposer()
    method.decomposition_parameters.n_iterations = iterations
    seconds, result = cpu(lambda: method.run_decomposition(recording))
    rate = float(result["FSAMP"])
    trains = [[float(sample) / rate for sample in train] for train in result["MUPULSES"]]
    return {"version": found, "cpu_s": seconds, "iterations": iterations, "trains_s": trains}


def show_peer(file: Path, found: dict[str, Any], ours_s: float | None) -> None:
    """Print what the peer found, and the ratio of CPU times."""
    if "absent" in found:
        print(found["absent"])
        return
    import numpy as np

    from myoloop.data import SpikeTrains
    from myoloop.io import read_spikes

    references = read_spikes(file)
    begin, end = references.t_start_s, references.t_stop_s
    trains = [np.array(train) + begin for train in found.pop("trains_s")]
    roa = against(SpikeTrains.from_trains(trains, end, begin), references)
    found |= {"units": len(trains), "roa": roa, "roa_mean": float(np.mean(roa))}
    each = " ".join(f"{value:.3f}" for value in roa)
    print(
        f"openhdemg {found['version']}, {found['iterations']} iterations: {found['cpu_s']:.0f} CPU-s, "
        f"{len(trains)} units, RoA {each}, mean {found['roa_mean']:.3f}"
    )
    if ours_s:
        print(f"openhdemg / ours, standard mode, CPU time: {found['cpu_s'] / ours_s:.0f}")


# --- All


def child(python: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Run a part in a process of its own, which prints as it goes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "found.json")
        command = [python, __file__, *arguments, "--out", str(out)]
        done = subprocess.run(command, env=os.environ | ONE_THREAD, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)}: failed")
        found: dict[str, Any] = json.loads(out.read_text())
    return found


def run_memory(only: str | None) -> dict[str, Any]:
    """The recordings, or one of them, each made in one process and decomposed in another."""
    found = {}
    for name in [only] if only else LARGE:
        with tempfile.TemporaryDirectory() as folder:
            child(sys.executable, ["--as", "simulate", "--case", name, "--folder", folder])
            found[name] = child(sys.executable, ["--as", "large", "--case", name, "--folder", folder])
    return found


def run_all(given: argparse.Namespace) -> dict[str, Any]:
    """The parts that were asked for."""
    results: dict[str, Any] = {}
    file = data_file(given.file)
    parts = PARTS if given.part == "all" else (given.part,)
    if not file.is_file() and ("real" in parts or given.peer_python):
        print(f"real: skipped, no {file}; set MYOLOOP_DATA to the folder that holds it, or give --file")
    elif "real" in parts:
        results["real"] = child(
            sys.executable, ["--as", "real", "--file", str(file), "--seeds", str(given.seeds)]
        )
    if given.peer_python and file.is_file():
        rows = results.get("real", {}).get("standard", {}).get("seeds", [])
        ours_s = statistics.median(row["cpu_s"] for row in rows) if rows else None
        iterations = ["--peer-iterations", str(given.peer_iterations)]
        results["peer"] = child(given.peer_python, ["--as", "peer", "--file", str(file), *iterations])
        show_peer(file, results["peer"], ours_s)
    if "simulated" in parts:
        results["simulated"] = child(sys.executable, ["--as", "simulated"])
    if "memory" in parts:
        results["memory"] = run_memory(given.case)
    return results


def run_one(given: argparse.Namespace) -> dict[str, Any]:
    """One part, in this process."""
    if given.run_as == "real":
        return real(given.file, given.seeds)
    if given.run_as == "simulated":
        return simulated()
    if given.run_as == "peer":
        return peer(given.file, given.peer_iterations)
    if given.run_as == "large":
        return decompose_large(given.case, given.folder)
    simulate_large(given.case, given.folder)
    return {}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=(*PARTS, "all"), default="all")
    parser.add_argument("--seeds", "--repeats", type=int, default=10, help="seeds of the real recording")
    parser.add_argument("--file", type=Path, help=f"the real recording [{RECORDING} in MYOLOOP_DATA]")
    parser.add_argument("--peer-python", help="interpreter that has openhdemg")
    parser.add_argument("--peer-iterations", type=int, default=100, help="of openhdemg")
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    parser.add_argument("--as", dest="run_as", help=argparse.SUPPRESS)
    parser.add_argument("--case", choices=LARGE, help="one recording of memory [all]")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    results = run_one(given) if given.run_as else run_all(given)
    if given.out:
        given.out.write_text(json.dumps(results, indent=2, default=str) + "\n")


if __name__ == "__main__":
    main()
