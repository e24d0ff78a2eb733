"""Speed and error of the differentiable forward model: ``python benchmarks/learn.py``.

Action potentials of 100 units on an 8 x 8 grid of discs, 100 samples, and the gradient of a squared error
with respect to every parameter of every unit, in single precision on one core. Times are of compiled
functions: the least of some runs, on the clock and as CPU time. The error is against the same sum in
double precision on a much finer grid, which the tests hold to a plain sum.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
# Read when JAX is first imported.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np

from myoloop.data import Disc, Electrodes
from myoloop.emg import LayeredCylinder
from myoloop.emg._learn._model import DifferentiableEMG, UnitParameters

GOALS_S = {"evaluation": 0.15, "gradient": 0.6}
GOAL_ERROR = 3e-3


def case(n_units: int) -> tuple[LayeredCylinder, Electrodes, UnitParameters]:
    """First dorsal interosseous under an 8 x 8 grid of 4 mm pitch; units all over the muscle."""
    body = LayeredCylinder(muscle_mm=6.91, fat_mm=0.3, skin_mm=1.29)
    across, along = np.meshgrid(4.0 * np.arange(8) - 14.0, 4.0 * np.arange(8) - 14.0)
    electrodes = Electrodes(body.on_skin(across.ravel(), along.ravel()), Disc(radius_mm=0.5))
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.2, 1.2, n_units)
    units = UnitParameters(
        depth_mm=rng.uniform(body.cover_mm + 2 * spread, body.radius_mm),
        angle_rad=rng.uniform(-np.pi, np.pi, n_units),
        innervation_zone_mm=rng.uniform(-3, 3, n_units),
        velocity_m_per_s=rng.uniform(3, 5.5, n_units),
        tendon_mm=np.stack([rng.uniform(-20, -15, n_units), rng.uniform(15, 20, n_units)], axis=1),
        spread_mm=spread,
        endplate_spread_mm=rng.uniform(0.5, 3, n_units),
        tendon_spread_mm=rng.uniform(0.3, 1.5, n_units),
        fibres=rng.uniform(25, 2000, n_units),
        diameter_um=rng.uniform(40, 60, n_units),
    )
    return body, electrodes, units


def timed(function: Callable[..., Any], *arguments: Any, runs: int) -> tuple[float, float, float]:
    """Seconds of the first call, then the least on the clock and the least of CPU time."""
    import jax

    spent = []
    for _ in range(runs + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        jax.block_until_ready(function(*arguments))
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
    return spent[0][0], min(w for w, _ in spent[1:]), min(c for _, c in spent[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--tolerance", type=float, nargs="*", help="default: that of the class")
    options = parser.parse_args()
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        print("JAX is not installed: pip install 'myoloop[learn]'")
        return
    body, electrodes, units = case(options.units)
    settings = {"window_s": 100 / 2048, "reach_mm": 40.0}
    with jax.enable_x64(True):
        fine = DifferentiableEMG(body, electrodes, tolerance=1e-7, **settings)
        exact = np.asarray(fine.action_potentials(units)).reshape(options.units, -1)
    single = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), units)
    for tolerance in options.tolerance or [None]:
        given = {} if tolerance is None else {"tolerance": tolerance}
        emg = DifferentiableEMG(body, electrodes, **settings, **given)
        found = np.asarray(emg.action_potentials(single))
        wanted = jnp.asarray(1.1 * found)

        def loss(x: Any, emg: Any = emg, wanted: Any = wanted) -> Any:
            return jnp.mean((emg.action_potentials(x) - wanted) ** 2)

        difference = np.linalg.norm(found.reshape(exact.shape) - exact, axis=1)
        error = (difference / np.linalg.norm(exact, axis=1)).max()
        print(f"tolerance {emg.tolerance:g}, {' x '.join(map(str, found.shape))} samples, single precision")
        print(f"  error of the worst unit  {error:.1e}  (goal {GOAL_ERROR:g})")
        functions = {"evaluation": jax.jit(emg.action_potentials), "gradient": jax.jit(jax.grad(loss))}
        for name, function in functions.items():
            first, wall, cpu = timed(function, single, runs=options.runs)
            print(
                f"  {name:<12}{wall:8.3f} s, CPU {cpu:.3f} s  (goal {GOALS_S[name]:g} s; "
                f"first call, with compilation, {first:.1f} s)"
            )


if __name__ == "__main__":
    main()
