"""What the physics of EMG demands of any model, measured on the model that the studies of arrays use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..analysis import conduction_velocity
from ..data import ActionPotentials, Electrodes, PointContact, Progress, SpikeTrains
from ..emg import (
    EMG,
    Anatomy,
    InfiniteMedium,
    LayeredCylinder,
    MuscleFibres,
    Noise,
    SurfaceGrid,
    VolumeConductor,
    action_potentials,
    bipolar,
    direct_action_potentials,
)
from ..emg._conductors._table import Frequencies
from ..emg._potentials._sum import default_amplifier

FloatArray = NDArray[np.float64]

VELOCITIES = (3.0, 4.0, 5.0, 6.0)
HALF_MM = 100.0  # from endplate to tendon of the long fibres
PITCH_MM = 4.0
_ROWS = 4
_FINE_HZ = 60_000.0  # at which peaks are looked for
_EXTRA_MM = 0.1  # an extra contact at this distance makes the grid along the fibre as fine


@final
@dataclass(frozen=True, eq=False)
class Velocities:
    """Conduction velocities in m/s, set and estimated, shape (units,).

    `long` is of fibres of 2 x 100 mm and `own` of the muscle's own fibres, all of a unit alike; `mixed` is of
    long fibres with velocities of their own; `at` has the estimate that is farthest off for each velocity
    to which all units were set.
    """

    set_m_per_s: FloatArray
    long: FloatArray
    mixed: FloatArray
    own: FloatArray
    at: dict[str, float]


def velocities(emg: EMG, anatomy: Anatomy, units: NDArray[np.int64], progress: Progress) -> Velocities:
    """Estimate velocities with three single differentials halfway from the endplates to the tendons.

    The long fibres are those of the muscle, with tendons further away.
    """
    muscle, own = anatomy.muscle, emg.fibres.select(units)
    half = (muscle.upper_tendon_mm - muscle.lower_tendon_mm) / 2
    fibres = replace(own, tendon_mm=own.tendon_mm + (HALF_MM - half) * np.array([-1.0, 1.0]))
    electrodes = _column(emg.conductor, _ROWS, muscle.endplate_mm + HALF_MM / 2)
    runs = 3 + len(VELOCITIES)
    mixed = _estimated(fibres, emg.conductor, electrodes)
    progress("velocities", 1, runs, "runs")
    long = _estimated(with_unit_velocities(fibres), emg.conductor, electrodes)
    progress("velocities", 2, runs, "runs")
    between = _column(emg.conductor, 3, (muscle.endplate_mm + muscle.upper_tendon_mm) / 2)
    short = _estimated(with_unit_velocities(own), emg.conductor, between)
    progress("velocities", 3, runs, "runs")
    at = {}
    for done, v in enumerate(VELOCITIES, start=4):
        alike = replace(fibres, velocity_m_per_s=np.full(len(fibres), v))
        found = _estimated(alike, emg.conductor, electrodes)
        at[f"{v:g}"] = float(found[np.argmax(np.abs(found - v))])
        progress("velocities", done, runs, "runs")
    return Velocities(_unit_velocities(fibres), long, mixed, short, at)


def single_fibre_velocities(
    conductor: VolumeConductor, nearest_mm: float, half_mm: float
) -> list[tuple[float, float]]:
    """Depth below the skin, and estimate, of fibres with central endplates that conduct at 4 m/s."""
    depth = nearest_mm + np.array([0.5, 1.5, 2.5, 3.5, 4.5])
    fibres = _single_fibres(conductor, depth, half_mm)
    found = _estimated(fibres, conductor, _column(conductor, 3, half_mm / 2))
    return list(zip(depth.tolist(), found.tolist(), strict=True))


def amplitude_against_depth(
    conductor: VolumeConductor, depths_mm: tuple[float, float], half_mm: float
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Peak-to-peak amplitude of single fibres on the largest channel of a column above them.

    Parameters
    ----------
    conductor : VolumeConductor
    depths_mm : tuple of float
        Least and greatest depth below the skin.
    half_mm : float
        From endplate to tendon.

    Returns
    -------
    depth_mm : ndarray, shape (depths,)
    amplitude_uV : dict of ndarray, shape (depths,)
    """
    depth = np.geomspace(*depths_mm, 14)
    electrodes = _column(conductor, 13, 0.0)
    monopolar = action_potentials(_single_fibres(conductor, depth, half_mm), conductor, electrodes)
    pairs = bipolar(electrodes).matrix @ monopolar.values_uV
    return depth, {
        "monopolar": monopolar.peak_to_peak_uV.max(axis=1),
        "bipolar": np.ptp(pairs, axis=2).max(axis=1),
    }


def log_log_fit(x: FloatArray, y: FloatArray) -> dict[str, float]:
    """Slope of the straight line through the logarithms, its offset, and R2."""
    slope, offset = np.polyfit(np.log(x), np.log(y), 1)
    return {
        "slope": float(slope),
        "offset": float(offset),
        "r2": float(np.corrcoef(np.log(x), np.log(y))[0, 1] ** 2),
    }


def rate_change(emg: EMG, factor: int = 3) -> float:
    """Largest change of a peak-to-peak amplitude, over the unit's largest, at a higher sampling rate."""
    faster = replace(emg, rate_hz=factor * emg.rate_hz)
    return _change(peaks_uV(faster.action_potentials), peaks_uV(emg.action_potentials))


def unit_change(emg: EMG, some: EMG, units: NDArray[np.int64]) -> float:
    """The same of `units` that are simulated without the others, as `some`."""
    whole = emg.action_potentials.peak_to_peak_uV[units]
    return _change(some.action_potentials.peak_to_peak_uV, whole)


def table_step_change(emg: EMG) -> float:
    """The same at a finer spatial step: one more contact close to another asks for it."""
    electrodes = emg.electrodes
    extra = electrodes.position_mm[:1] + np.array([0.0, 0.0, _EXTRA_MM])
    finer = Electrodes(np.concatenate([electrodes.position_mm, extra]), electrodes.shapes[0])
    found = replace(emg, electrodes=finer).action_potentials.peak_to_peak_uV[:, :-1]
    return _change(found, emg.action_potentials.peak_to_peak_uV)


def differing_samples(emg: EMG, spikes: SpikeTrains, noise: Noise | None, seed: int) -> int:
    """Number of samples of noisy EMG that depend on the size of the blocks in which it is made."""
    whole, *others = (
        np.concatenate(list(emg.blocks(spikes, block_s=block_s, noise=noise, seed=seed)))
        for block_s in (spikes.duration_s, 1.0, 0.037)
    )
    return int(sum(np.sum(whole.view(np.int32) != other.view(np.int32)) for other in others))


def direct_error(emg: EMG, units: Sequence[int], fibres: int) -> FloatArray:
    """Relative L2 difference of fast form and direct evaluation, of a few `fibres` of each of `units`."""
    chosen = few_fibres(emg.fibres, emg.electrodes, units, fibres)
    fast = replace(emg, fibres=chosen).action_potentials
    direct = direct_action_potentials(
        chosen, emg.conductor, emg.electrodes, emg.rate_hz, shape=emg.shape, amplifier=emg.amplifier
    )
    gap = (fast.values_uV - direct.values_uV).reshape(len(units), -1)
    return np.asarray(
        np.linalg.norm(gap, axis=1) / np.linalg.norm(direct.values_uV.reshape(len(units), -1), axis=1)
    )


def direct_step_change(emg: EMG, units: Sequence[int], fibres: int, cell_mm: float) -> float:
    """Change of amplitudes from the fast form's spatial step to a direct evaluation with a finer one."""
    chosen = few_fibres(emg.fibres, emg.electrodes, units, fibres)
    fast = replace(emg, fibres=chosen).action_potentials
    fine = direct_action_potentials(
        chosen,
        emg.conductor,
        emg.electrodes,
        emg.rate_hz,
        shape=emg.shape,
        amplifier=emg.amplifier,
        cell_mm=cell_mm,
    )
    return _change(fast.peak_to_peak_uV, fine.peak_to_peak_uV)


def homogeneous_ratio(radius_mm: float = 400.0, depth_mm: float = 5.0) -> tuple[float, float]:
    """Amplitude of a fibre at the insulated surface of a large cylinder over that in an infinite medium.

    Returns
    -------
    ratio : float
        Of peak-to-peak amplitudes.
    error : float
        Relative L2 difference of the potential to twice that of the infinite medium.
    """
    cover = 0.1  # which takes up no current
    medium = InfiniteMedium(radial_S_per_m=0.09, axial_S_per_m=0.4)
    body = LayeredCylinder(muscle_mm=radius_mm, fat_mm=cover, skin_mm=0.0, fat_S_per_m=1e-9)
    z = np.array([0.0, 10.0, 20.0])
    zero = np.zeros(3)
    fibres = _fibres(np.array([radius_mm - depth_mm]), 40.0)
    grid = Frequencies.reaching(
        3.0 * radius_mm, 14.0 / depth_mm, round(14.0 * radius_mm / depth_mm), "radius_mm"
    )
    skin = Electrodes(body.on_skin(zero, z), PointContact())
    inside = Electrodes(
        np.stack([zero, np.full(3, radius_mm), z], axis=1), PointContact(), intramuscular=True
    )
    amplifier = default_amplifier(skin)
    bounded = direct_action_potentials(fibres, body, skin, amplifier=amplifier, frequencies=grid).values_uV[0]
    free = action_potentials(fibres, medium, inside, amplifier=amplifier).values_uV[0]
    ratio, twice = np.ptp(bounded, axis=1) / np.ptp(free, axis=1), 2.0 * free
    return (
        float(ratio[np.argmax(np.abs(ratio - 2.0))]),
        float(np.linalg.norm(bounded - twice) / np.linalg.norm(twice)),
    )


def with_unit_velocities(fibres: MuscleFibres) -> MuscleFibres:
    """The same, with one velocity for all fibres of a unit."""
    return replace(fibres, velocity_m_per_s=_unit_velocities(fibres)[fibres.unit])


def few_fibres(fibres: MuscleFibres, electrodes: Electrodes, units: Sequence[int], n: int) -> MuscleFibres:
    """The `n` fibres of each unit that are nearest to the electrodes, where errors are largest."""
    away = np.stack([fibres.x_mm, fibres.y_mm], axis=1)[:, None] - electrodes.position_mm[:, :2]
    order = np.argsort(np.linalg.norm(away, axis=2).min(axis=1), kind="stable")
    keep = np.sort(np.concatenate([order[fibres.unit[order] == unit][:n] for unit in units]))
    number = np.full(fibres.n_units, -1)
    number[list(units)] = np.arange(len(units))
    return MuscleFibres(
        fibres.x_mm[keep],
        fibres.y_mm[keep],
        fibres.diameter_um[keep],
        number[fibres.unit[keep]],
        fibres.endplate_mm[keep],
        fibres.tendon_mm[keep],
        fibres.velocity_m_per_s[keep],
        len(units),
    )


def peaks_uV(potentials: ActionPotentials) -> FloatArray:
    """Peak-to-peak amplitudes of the band-limited potentials between samples too, shape (units, channels)."""
    from scipy.signal import resample

    values = potentials.values_uV
    factor = max(1, round(_FINE_HZ / potentials.rate_hz))
    return np.asarray(np.ptp(resample(values, factor * values.shape[2], axis=2), axis=2))


def _change(found: FloatArray, expected: FloatArray) -> float:
    """Largest difference over the largest amplitude of its unit."""
    return float((np.abs(found - expected) / expected.max(axis=1, keepdims=True)).max())


def _column(conductor: VolumeConductor, rows: int, along_mm: float) -> Electrodes:
    return SurfaceGrid(rows=rows, columns=1, pitch_mm=PITCH_MM, along_mm=along_mm).on(conductor)


def _single_fibres(conductor: VolumeConductor, depth_mm: FloatArray, half_mm: float) -> MuscleFibres:
    """Fibres of 55 um below the middle of the skin, each a unit, with their endplates at z = 0."""
    top = conductor.on_skin(np.zeros(1), np.zeros(1))[0, 1]
    return _fibres(top - depth_mm, half_mm)


def _fibres(y_mm: FloatArray, half_mm: float) -> MuscleFibres:
    n = len(y_mm)
    zero, ends = np.zeros(n), np.tile([-half_mm, half_mm], (n, 1))
    return MuscleFibres(zero, y_mm, zero + 55.0, np.arange(n), zero, ends, zero + 4.0, n)


def _unit_velocities(fibres: MuscleFibres) -> FloatArray:
    """Mean velocity of each unit, weighted by area."""
    area = fibres.diameter_um**2
    weighted = np.bincount(fibres.unit, weights=area * fibres.velocity_m_per_s)
    return np.asarray(weighted / np.bincount(fibres.unit, weights=area))


def _estimated(fibres: MuscleFibres, conductor: VolumeConductor, electrodes: Electrodes) -> FloatArray:
    found = action_potentials(fibres, conductor, bipolar(electrodes))
    return np.array([conduction_velocity(values, found.rate_hz, PITCH_MM) for values in found.values_uV])
