"""What a motor unit must be for the differentiable form to hold."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import MyoloopWarning, ParameterError

if TYPE_CHECKING:
    from ._model import DifferentiableEMG, UnitParameters


def check_units(model: DifferentiableEMG, units: UnitParameters) -> None:
    """Raise a ParameterError that names the first wrong unit; warn of territories beyond the muscle."""
    given = units._replace(**{name: np.asarray(leaf, dtype=float) for name, leaf in units._asdict().items()})
    for name, values in given._asdict().items():
        _refuse(f"UnitParameters.{name}", ~np.isfinite(values), values, "give finite numbers")
    for name in ("velocity_m_per_s", "fibres", "diameter_um"):
        values = getattr(given, name)
        _refuse(f"UnitParameters.{name}", values <= 0, values, "give numbers above 0")
    for name in ("spread_mm", "endplate_spread_mm", "tendon_spread_mm"):
        values = getattr(given, name)
        _refuse(f"UnitParameters.{name}", values < 0, values, "give numbers of at least 0")
    _check_place(model, given)
    _check_ends(model, given)


def _check_place(model: DifferentiableEMG, units: UnitParameters) -> None:
    nearest, deepest = model.conductor.depths_mm
    depth = units.depth_mm
    _refuse(
        "UnitParameters.depth_mm",
        (depth < nearest) | (depth > deepest),
        depth,
        f"the muscle lies {nearest:g} to {deepest:g} mm below the skin",
    )
    beyond = 2 * units.spread_mm - (depth - nearest)
    if model.conductor.bone_mm > 0:
        beyond = np.maximum(beyond, 2 * units.spread_mm - (deepest - depth))
    if np.any(beyond > 1e-6):
        warnings.warn(
            f"UnitParameters.spread_mm: {np.count_nonzero(beyond > 1e-6)} of {len(beyond)} territories reach "
            f"up to {beyond.max():.2g} mm beyond the muscle, whose potentials are continued there; real ones "
            "end at its surface, so expect errors of tens of percent, or give smaller or deeper territories",
            MyoloopWarning,
            stacklevel=4,
        )


def _check_ends(model: DifferentiableEMG, units: UnitParameters) -> None:
    zone, (low, high) = units.innervation_zone_mm, units.tendon_mm.T
    _refuse(
        "UnitParameters.innervation_zone_mm",
        (zone <= low) | (zone >= high),
        zone,
        "give one between the tendons",
    )
    z = model.electrodes.position_mm[:, 2]
    margin = 3 * units.tendon_spread_mm
    far = np.maximum(z.max() - low, high - z.min()) + margin
    _refuse(
        "UnitParameters.tendon_mm",
        far > model.reach_mm,
        units.tendon_mm,
        f"they are up to {far.max():g} mm from a contact: give DifferentiableEMG a reach_mm of that",
    )
    half = np.maximum(high - zone, zone - low)
    either = np.hypot(units.endplate_spread_mm, units.tendon_spread_mm)
    _refuse(
        "UnitParameters.endplate_spread_mm",
        2 * either > np.minimum(high - zone, zone - low),
        units.endplate_spread_mm,
        "with tendon_spread_mm, give at most half the distance to the nearer tendon",
    )
    # Behind the front, 10 mm pass until the source is below 1 % of its greatest value.
    lasts_ms = (half + 3 * either + 10.0) / units.velocity_m_per_s
    end_ms = 1e3 * model.times_s[-1]
    _refuse(
        "UnitParameters.velocity_m_per_s",
        lasts_ms > end_ms,
        units.velocity_m_per_s,
        f"potentials last up to {lasts_ms.max():.0f} ms, the window ends at {end_ms:.0f}: lengthen window_s",
    )


def _refuse(field: str, wrong: Any, values: Any, mend: str) -> None:
    wrong = np.asarray(wrong)
    if wrong.any():
        unit = int(np.argmax(wrong.reshape(len(wrong), -1).any(axis=1)))
        raise ParameterError(field, f"unit {unit} has {values[unit]}", mend)
