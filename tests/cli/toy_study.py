"""A study of a fraction of a second."""

import warnings
from dataclasses import dataclass

import numpy as np

from myoloop.data import Figure, Line, Panel, Raster, Signal, SpikeTrains
from myoloop.errors import MyoloopWarning, ParameterError
from myoloop.parameters import Parameters, choice, count, number
from myoloop.studies import AtLeast, Claim, Study, StudyResult, Table, Within


@dataclass(frozen=True, kw_only=True)
class Cell(Parameters):
    threshold_mV: float = number(10.0, above=0, help="where it fires")


@dataclass(frozen=True, kw_only=True)
class Toy(Parameters):
    duration_s: float = number(4.0, above=0, help="simulated time")
    spacing_mm: float = number(8.0, above=0, help="between electrodes")
    units: int = count(5, help="motor units")
    weights_uS: object = number(0.5, per_unit=True)
    mode: str = choice("regular", ("regular", "random", "fail", "bug", "interrupt", "warn", "bad figure"))
    largest_N: object = number(None, optional=True)
    plot: bool = True
    phases_s: tuple[float, ...] = (1.0, 2.0)
    cell: Cell = Cell()


def run(params: Toy, seed: int, progress, threads: int) -> StudyResult:
    for k in range(11):
        progress("simulate", params.duration_s * k / 10, params.duration_s)
    if params.mode == "fail":
        raise ParameterError("Toy.mode", "it fails", "take another")
    if params.mode == "bug":
        raise RuntimeError("a bug")
    if params.mode == "interrupt":
        raise KeyboardInterrupt
    if params.mode == "warn":
        warnings.warn("mind the gap", MyoloopWarning, stacklevel=1)
    times = np.sort(np.random.default_rng(seed).random((params.units, 10)) * params.duration_s)
    spikes = SpikeTrains.from_trains(list(times), params.duration_s)
    x = np.linspace(0, params.duration_s, 100)
    y = x[:-1] if params.mode == "bad figure" else np.sin(x)
    force = Signal(np.sin(x), 100 / params.duration_s, "N", name="force")
    return StudyResult(
        {"force_mean": float(seed), "active_units": params.units, "wall_s": {"total": 0.1}},
        (
            Figure(
                "force", (Panel((Line(x, y, "force"),), "time (s)", "force (N)"), Panel((Raster(spikes),)))
            ),
        ),
        (Table("Force by phase", ("phase", "mean (N)"), (("first", 1.0), ("second", float("nan")))),),
        {"MN": spikes},
        {"force": force},
        ("This is a toy.",),
    )


CLAIMS = (
    Claim("mean force (N)", "Nobody (2026), Fig. 1", 1.0, Within(relative=0.1), lambda m: m["force_mean"]),
    Claim("active units", "Nobody (2026), p. 2", 1.0, AtLeast(), lambda m: m["active_units"]),
)

TOY = Study("toy", "A toy", "Nobody (2026)", Toy(), {"duration_s": 0.5}, CLAIMS, run)
