"""Online decomposition and tracking: ``myoloop bench online`` or ``python benchmarks/online.py``.

*cost*: CPU ms for blocks of 100 ms (205 samples) of 64 channels and 20 units on one thread, everything from
the raw block to the spikes included. *agreement*: filters learned on the first half of a plateau, rate of
agreement with the offline decomposition on the second half, for two simulated muscles (20 dB) and, where
the folder MYOLOOP_DATA holds it, the recording of a vastus lateralis; *sure* are the units that the offline
decomposition does not flag. *drift*: electrodes that slide 6 mm in 4 of 5 minutes, along or across the
fibres; units whose rate of agreement with the truth is .8 or more in the last minute.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
HERE = Path(__file__).resolve().parent
BLOCK, UNITS = 205, 20
GOALS_MS = {"fixed": 2.0, "fixed, one pass": None, "early filters only": None, "adaptive": 5.0}
PASSES = {"fixed": 2, "fixed, one pass": 1, "early filters only": 0, "adaptive": 2}
MUSCLES = ("first_dorsal_interosseous", "tibialis_anterior")
REAL = "otb_vastus_lateralis_64ch.mat"


def simulated(muscle: str, duration_s: float, slide: tuple[float, float] | None = None) -> Any:
    """30 % MVC under an 8 x 8 grid at 20 dB; `slide` in mm across and along, all but 30 s at both ends."""
    import numpy as np

    from myoloop.data import Signal, silent
    from myoloop.emg import PRESETS, SurfaceGrid
    from myoloop.studies._array_contraction import ArrayStudy, contract

    anatomy = PRESETS[muscle]()
    emg = anatomy.surface(anatomy.thresholds(), SurfaceGrid.grid_8x8(5.0), seed=1)
    study = ArrayStudy(units=anatomy.units, target_percent_mvc=30.0, ramp_s=3.0, plateau_s=duration_s - 3.0)
    spikes = contract(study, anatomy.ratio, 1, silent).spikes
    path = None
    if slide is not None:
        length = float(np.hypot(*slide))
        share = np.clip((np.arange(duration_s + 1) - 30.0) / (duration_s - 60.0), 0.0, 1.0)
        shift = Signal(length * (share - 0.5), 1.0, "mm")
        path = emg.path(shift, direction=(slide[0] / length, slide[1] / length), spacing_mm=1.0)
    return emg.record(spikes, path=path, snr_db=20.0, seed=1)


def part(known: Any, begin_s: float, end_s: float, units: Any) -> Any:
    """Some units of a decomposition, in a part of its time."""
    import numpy as np

    from myoloop.decompose import UnitQuality

    index = np.arange(len(known))[np.asarray(units)]
    low, high = (round((at - known.spikes.t_start_s) * known.rate_hz) for at in (begin_s, end_s))
    quality = known.quality
    chosen = {
        name: getattr(quality, name)[index] for name in ("sil", "pnr_db", "cov_isi", "rate_pps", "short_isi")
    }
    return replace(
        known,
        spikes=known.spikes.between(begin_s, end_s).select(index),
        sources=known.sources[index, low:high],
        filters=known.filters.select(index),
        quality=UnitQuality(**chosen, flag=tuple(quality.flag[i] for i in index)),
        action_potentials=None,
    )


def blocks(recording: Any) -> Iterator[Any]:
    """Consecutive blocks of 100 ms."""
    for begin in range(0, recording.values_uV.shape[1], BLOCK):
        yield recording.values_uV[:, begin : begin + BLOCK]


def run(online: Any, recording: Any) -> Any:
    """CPU ms of each block."""
    import numpy as np

    online.reset(recording.t_start_s)
    spent = []
    for block in blocks(recording):
        begun = time.process_time()
        online.process(block)
        spent.append(1e3 * (time.process_time() - begun))
    online.finish()
    return np.array(spent)


def cost() -> dict[str, Any]:
    """Time of a block."""
    import numpy as np

    from myoloop.decompose import ConvolutiveBSS
    from myoloop.decompose._online._decomposer import OnlineDecomposer

    recording = simulated(MUSCLES[0], 60.0)
    calibration = recording.between(4.0, 30.0)
    known = ConvolutiveBSS(seed=0).fit(calibration).decomposition_
    known = part(known, 4.0, 30.0, list(range(UNITS)))
    print(f"{len(known)} units x {len(recording)} channels, blocks of {BLOCK} samples, CPU ms")
    print(f"{'':22}{'mean':>8}{'median':>8}{'p99':>8}{'worst':>8}  goal (mean)")
    results = {}
    for name, goal in GOALS_MS.items():
        online = OnlineDecomposer(adapt=name == "adaptive", passes=PASSES[name])
        online.fit(calibration, known)
        run(online, recording.between(4.0, 12.0))
        spent = run(online, recording.between(4.0, 60.0))
        numbers = [spent.mean(), np.median(spent), np.percentile(spent, 99), spent.max()]
        row = dict(zip(("mean", "median", "p99", "worst"), map(float, numbers), strict=True))
        row |= {"latency_ms": 1e3 * online.latency_s_}
        verdict = "" if goal is None else f"{'reached' if row['mean'] <= goal else 'MISSED'} ({goal:g} ms)"
        print(f"{name:22}" + "".join(f"{v:8.2f}" for v in numbers) + f"  {verdict}", flush=True)
        results[name] = row
    late, one, early = (results[name]["latency_ms"] for name in list(GOALS_MS)[:3])
    print(f"latency {late:.0f} ms, with one pass {one:.0f} ms, with early filters only {early:.0f} ms")
    return results


def agreement() -> dict[str, Any]:
    """Online against offline on a plateau."""
    import numpy as np

    from myoloop.decompose import ConvolutiveBSS, match_trains
    from myoloop.decompose._online._decomposer import OnlineDecomposer
    from myoloop.io import read_recording

    scenes: list[tuple[str, Any, tuple[float, float, float]]] = [
        (muscle, simulated(muscle, 30.0), (4.0, 16.0, 30.0)) for muscle in MUSCLES
    ]
    real = Path(os.environ.get("MYOLOOP_DATA", HERE.parent.parent / "shared" / "data")) / REAL
    if real.is_file():
        scenes.append(("vastus lateralis, real", read_recording(real), (8.0, 17.0, 26.0)))
    print(
        f"\n{'rate of agreement with the offline result':44}{'units':>7}{'mean':>7}{'median':>8}{'>= .8':>7}"
    )
    results = {}
    for name, recording, (begin_s, middle_s, end_s) in scenes:
        offline = ConvolutiveBSS(seed=0).fit(recording).decomposition_
        counts = (offline.spikes.between(*span).counts for span in ((begin_s, middle_s), (middle_s, end_s)))
        chosen = np.minimum(*counts) >= 20
        calibration = recording.between(begin_s, middle_s)
        for mode in ("fixed", "adaptive"):
            online = OnlineDecomposer(adapt=mode == "adaptive")
            online.fit(calibration, part(offline, begin_s, middle_s, chosen))
            rest = recording.between(middle_s, end_s)
            run(online, rest)
            reference = offline.spikes.select(chosen).between(middle_s, end_s)
            roa = np.diag(match_trains(online.spikes(), reference).roa)
            row = {"units": len(roa), "mean": float(roa.mean()), "median": float(np.median(roa))}
            sure = roa[np.array([not flag for flag in offline.quality.flag])[chosen]]
            row |= {"good": int(np.sum(roa >= 0.8)), "sure": len(sure), "sure_mean": float(sure.mean())}
            verdict = "reached (.95)" if row["mean"] >= 0.95 else "MISSED (.95)"
            text = f"{row['units']:7}{row['mean']:7.3f}{row['median']:8.3f}{row['good']:7}"
            text += f"{row['sure']:6}{row['sure_mean']:7.3f}  {verdict}"
            print(f"{name + ', ' + mode:44}{text}", flush=True)
            results[f"{name}, {mode}"] = row
    return results


def drift(minutes: float) -> dict[str, Any]:
    """Units that are held while electrodes slide."""
    from myoloop.decompose import ConvolutiveBSS
    from myoloop.decompose._online._decomposer import OnlineDecomposer
    from myoloop.decompose._online._tracking import TrackingDecomposer

    end_s = 60.0 * minutes
    title = f"units held in the last of {minutes:g} minutes"
    print(f"\n{title:44}{'of':>5}{'held':>6}{'RoA':>7}{'lost':>6}{'CPU s':>8}")
    results = {}
    for name, slide in (("6 mm along", (0.0, 6.0)), ("6 mm across", (6.0, 0.0))):
        recording = simulated(MUSCLES[0], end_s, slide)
        calibration = recording.between(4.0, 30.0)
        method = ConvolutiveBSS(seed=0).fit(calibration)
        for mode in ("fixed", "adaptive", "tracking"):
            begun = time.process_time()
            if mode == "tracking":
                tracker = TrackingDecomposer(method=ConvolutiveBSS(seed=0), calibration_s=(4.0, 30.0))
                found, lost = tracker.fit(recording).spikes_, int((~tracker.held_[-1]).sum())
            else:
                online = OnlineDecomposer(adapt=mode == "adaptive").fit(calibration, method)
                run(online, recording.between(4.0, end_s))
                found, lost = online.spikes(), int((~online.state.active).sum())
            roa = held(found, recording.truth.spikes, (4.0, 30.0), (end_s - 60.0, end_s))
            row = {"units": len(roa), "held": int((roa >= 0.8).sum()), "roa": float(roa.mean()), "lost": lost}
            row["cpu_s"] = time.process_time() - begun
            text = f"{row['units']:5}{row['held']:6}{row['roa']:7.3f}{row['lost']:6}{row['cpu_s']:8.1f}"
            print(f"{name + ', ' + mode:44}{text}", flush=True)
            results[f"{name}, {mode}"] = row
    return results


def held(found: Any, truth: Any, first: tuple[float, float], last: tuple[float, float]) -> Any:
    """Rate of agreement of each unit in `last` with the true unit that it was in `first`."""
    import numpy as np

    from myoloop.decompose import match_trains

    known = match_trains(found.between(*first), truth.between(*first))
    roa = match_trains(found.between(*last), truth.between(*last)).roa
    out = np.zeros(len(found))
    for i, j in known.pairs:
        out[i] = roa[i, j]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("cost", "agreement", "drift"), help="this part alone")
    parser.add_argument("--minutes", type=float, default=5.0, help="length of the drift")
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    given = parser.parse_args()
    parts = {"cost": cost, "agreement": agreement, "drift": lambda: drift(given.minutes)}
    results = {name: part() for name, part in parts.items() if given.only in (None, name)}
    if given.out:
        given.out.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    main()
