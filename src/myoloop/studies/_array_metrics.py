"""Numbers and claims that the studies of electrode arrays share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Progress, Recording
from ..emg import EMG, Anatomy, Noise
from . import _array_checks as checks
from ._array_contraction import ArrayStudy, Contraction
from ._base import AtMost, Claim, Tolerance

_BLOCKS_S = 1.0  # of EMG that is made in blocks of several sizes
_PARTS = 3


def summary(values: NDArray[Any]) -> dict[str, float]:
    """Median, least and greatest value."""
    return {"median": float(np.median(values)), "min": float(np.min(values)), "max": float(np.max(values))}


def spread_units(units: Sequence[int] | NDArray[np.int64], n: int) -> list[int]:
    """Some `n` units of those given, from the first to the last."""
    return [int(units[k]) for k in np.unique(np.linspace(0, len(units) - 1, n).astype(int))]


def finished(recording: Recording, contraction: Contraction, anatomy: Anatomy) -> Recording:
    """The recording with the force beside it."""
    about = {"muscle": anatomy.name, "task": "ramp"}
    return replace(recording, auxiliary=(contraction.force,), about=about)


def numerics(
    params: ArrayStudy,
    emg: EMG,
    contraction: Contraction,
    noise: Noise | None,
    seed: int,
    step_change: Callable[[EMG], float],
    progress: Progress,
) -> dict[str, Any]:
    """How far potentials and EMG depend on numerical steps, and differ from the direct evaluation."""
    units = np.array(spread_units(range(params.units), params.checked_units))
    some = replace(emg, fibres=emg.fibres.select(units))
    change = {
        "spatial_step": step_change(some),
        "sampling_rate": checks.rate_change(some),
        "units": checks.unit_change(emg, some, units),
    }
    progress("checks", 1, _PARTS, "checks")
    begin = params.settled_s[0]
    spikes = contraction.spikes.between(begin, min(begin + _BLOCKS_S, params.duration_s))
    blocks = checks.differing_samples(emg, spikes, noise, seed)
    progress("checks", 2, _PARTS, "checks")
    compared = spread_units(range(params.units), params.direct_units)
    alike = replace(emg, fibres=checks.with_unit_velocities(emg.fibres))
    direct = checks.direct_error(alike, compared, params.direct_fibres)
    together = params.direct_units * params.direct_fibres
    by_fibre = checks.direct_error(emg, compared[-1:], together)
    progress("checks", 3, _PARTS, "checks")
    return {
        "amplitude_change": change,
        "samples_changed_by_blocks": blocks,
        "direct_error": {
            "velocity_per_unit": float(direct.max()),
            "velocity_per_fibre": float(by_fibre.max()),
        },
        "direct_error_by_unit": {
            str(unit): float(error) for unit, error in zip(compared, direct, strict=True)
        },
    }


def claim(name: str, source: str, published: float, tolerance: Tolerance, *path: str) -> Claim:
    """A claim on one number of the metrics."""

    def look(metrics: Mapping[str, Any]) -> float:
        value: Any = metrics
        for key in path:
            value = value[key]
        return float(value)

    return Claim(name, source, published, tolerance, look)


_STEPS = {
    "spatial_step": "spatial step",
    "sampling_rate": "sampling rate",
    "units": "number of units simulated",
}

NUMERIC_CLAIMS = (
    *(
        claim(
            f"Change of amplitudes with the {name}",
            "a numerical step; at most 1 %",
            0.01,
            AtMost(),
            *("amplitude_change", key),
        )
        for key, name in _STEPS.items()
    ),
    claim("Samples changed by the size of blocks", "bit by bit", 0.0, AtMost(), "samples_changed_by_blocks"),
    *(
        claim(
            f"Fast form against direct evaluation, velocity per {kind}, worst unit (relative L2)",
            "direct evaluation of the fibres nearest to the electrodes",
            bound,
            AtMost(),
            *("direct_error", f"velocity_per_{kind}"),
        )
        for kind, bound in (("unit", 1e-3), ("fibre", 5e-3))
    ),
)
