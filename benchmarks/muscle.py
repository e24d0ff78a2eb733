"""Time to draw a muscle: 52,500 fibres assigned to 100 motor units, ``python benchmarks/muscle.py``.

CPU seconds of this process, the median of three runs after one that compiles.
"""

from __future__ import annotations

import argparse
import statistics
import time

from myoloop.emg import Muscle
from myoloop.muscle import recruitment_thresholds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fibres", type=int, default=52_500)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    muscle, thresholds = Muscle(n_fibres=given.fibres), recruitment_thresholds(given.units, 100)
    seconds = [_seconds(muscle, thresholds, seed) for seed in range(given.runs + 1)]
    print(f"{given.fibres} fibres, {given.units} units: {statistics.median(seconds[1:]):.2f} CPU-s")
    print(f"first run, with loading or compiling: {seconds[0]:.2f} CPU-s")


def _seconds(muscle: Muscle, thresholds: object, seed: int) -> float:
    begun = time.process_time()
    muscle.fibres(thresholds, seed=seed)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
