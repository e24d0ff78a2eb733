"""The presets: ranges that recordings of each muscle show, from anatomy and conductivity alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from myoloop import emg
from myoloop.emg import Anatomy, ConcentricNeedle, SurfaceGrid, bipolar
from myoloop.emg._presets._anatomy import SKINS
from myoloop.errors import UnknownNameError
from myoloop.muscle import FuglevandPool

NAMES = (
    "first_dorsal_interosseous",
    "tibialis_anterior",
    "biceps_brachii",
    "extensor_digitorum",
    "flexor_digitorum_superficialis",
)
UNITS = 40
# Prepared skin, largest channel, uV peak to peak, of the median and of the 95 % quantile of units: monopolar,
# single differential (4 mm on the hand, else 8 mm); Hz of the single differential EMG: peak and median of the
# spectrum. The upper ends of large muscles were measured on a vastus lateralis (8 mm, prepared skin, five
# units); medians are the mean +- 2 SD of Krivickas et al. 1998, J Clin Neurophysiol 15:138 (tibialis anterior
# 116 +- 20 Hz, biceps 90 +- 18 Hz). No spectrum of the first dorsal interosseous is claimed.
LARGE: dict[str, tuple[float, float]] = {"monopolar": (20, 900), "single": (10, 600), "peak": (50, 150)}
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "first_dorsal_interosseous": {"monopolar": (100, 3000), "single": (30, 1500)},
    "tibialis_anterior": LARGE | {"median": (76, 156)},
    "biceps_brachii": LARGE | {"median": (54, 126)},
    "extensor_digitorum": LARGE,
    "flexor_digitorum_superficialis": LARGE,
}


def preset(name: str, skin: str = "prepared", **changes: Any) -> Anatomy:
    made: Anatomy = getattr(emg, name)(skin, **changes)
    return made


def sparse(anatomy: Anatomy, units: int = UNITS) -> Anatomy:
    """The same with fewer units, each of as many fibres as before and as wide a territory."""
    muscle = anatomy.muscle
    fibres = muscle.n_fibres or muscle.fibre_density_per_mm2 * muscle.section.area_mm2
    fewer = muscle.replace(n_fibres=round(fibres * units / anatomy.units))
    return anatomy.replace(units=units, muscle=fewer)


def grid_of(name: str) -> SurfaceGrid:
    if name == "first_dorsal_interosseous":
        return SurfaceGrid(rows=9, columns=5, pitch_mm=4.0)
    return SurfaceGrid.grid_13x5(8.0)


def sizes(values: Any) -> Any:
    return np.ptp(np.asarray(values, dtype=float), axis=2).max(axis=1)


def spectrum(values: Any, rate_hz: float) -> tuple[float, float]:
    """Peak of the mean spectrum, smoothed over 14 Hz, and median frequency of the median channel."""
    from scipy.signal import welch

    frequency, power = welch(values, rate_hz, nperseg=1024)
    band = (frequency >= 20) & (frequency <= 500)
    frequency, power = frequency[band], power[:, band]
    share = np.cumsum(power, axis=1) / power.sum(axis=1, keepdims=True)
    median = np.median([frequency[np.searchsorted(row, 0.5)] for row in share])
    smooth = np.convolve(power.mean(axis=0), np.ones(7) / 7, "same")
    return float(frequency[smooth.argmax()]), float(median)


@pytest.mark.parametrize("name", NAMES)
def test_surface_potentials_and_spectra_are_in_the_ranges_of_recordings(name: str) -> None:
    anatomy = sparse(preset(name))
    made = anatomy.surface(anatomy.thresholds(), grid_of(name), seed=1)
    differences = bipolar(made.electrodes).matrix
    values = made.action_potentials.values_uV
    pool = FuglevandPool(n=UNITS, recruitment_range=anatomy.ratio)
    recording = made.record(pool.spikes(0.37, 4.0, seed=1)).values_uV[:, 2048:]  # about 30 % of the force
    peak, median = spectrum(differences @ recording, 2048.0)
    found = {
        "monopolar": np.quantile(sizes(values), [0.5, 0.95]),
        "single": np.quantile(sizes(np.einsum("dc,uct->udt", differences, values)), [0.5, 0.95]),
        "peak": np.array([peak]),
        "median": np.array([median]),
    }
    for quantity, (low, high) in RANGES[name].items():
        assert found[quantity].min() >= low, (quantity, found)
        assert found[quantity].max() <= high, (quantity, found)


@pytest.mark.parametrize("name", NAMES)
def test_needle_potentials_are_tenths_of_mV_to_mV_near_fibres(name: str) -> None:
    anatomy = sparse(preset(name))
    _, _, bottom, top = anatomy.muscle.section.bounds_mm
    depth = float(anatomy.conductor.radius_mm - (bottom + top) / 2)  # type: ignore[attr-defined]
    needle = ConcentricNeedle(depth_mm=depth, along_mm=anatomy.muscle.upper_tendon_mm / 2)
    pool = anatomy.thresholds()
    fibres = anatomy.fibres(pool, seed=1)
    x, y, _ = needle.on(anatomy.conductor).position_mm[0]
    units = np.unique(fibres.unit[np.hypot(fibres.x_mm - x, fibres.y_mm - y) < 0.5])
    assert len(units) >= 2
    found = sizes(anatomy.intramuscular(pool, needle, only=units, seed=1).action_potentials.values_uV)
    assert 100 <= np.median(found) <= 5000, found
    assert found.max() <= 10_000, found


@pytest.mark.parametrize("name", NAMES)
def test_each_number_has_a_source_and_the_muscle_lies_under_the_middle_of_a_grid(name: str) -> None:
    anatomy = preset(name)
    assert anatomy.sources and all(len(source) > 5 for source in anatomy.sources.values())
    left, right, bottom, top = anatomy.muscle.section.bounds_mm
    assert left == pytest.approx(-right)
    assert 0 < bottom < top < anatomy.conductor.muscle_mm  # type: ignore[attr-defined]
    outline = anatomy.muscle.section.outline_mm()
    assert np.hypot(*outline.T).max() < anatomy.conductor.muscle_mm  # type: ignore[attr-defined]
    assert np.hypot(*outline.T).min() > anatomy.conductor.bone_mm  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_skins_by_name(name: str) -> None:
    for skin, conductivity in SKINS.items():
        assert preset(name, skin).conductor.skin_S_per_m == conductivity  # type: ignore[attr-defined]
    with pytest.raises(UnknownNameError, match=rf"{name}\.skin.*wet"):
        preset(name, "wet")


def test_dry_skin_raises_potentials_and_fat_lowers_them() -> None:
    """Lowery et al. 2002, IEEE Trans Biomed Eng 49:446."""
    grid = SurfaceGrid(rows=5, columns=3, pitch_mm=8.0)

    def typical(anatomy: Anatomy) -> float:
        few = sparse(anatomy, 40)
        made = few.surface(few.thresholds(), grid, seed=1)
        return float(np.median(sizes(made.action_potentials.values_uV)))

    normal = typical(preset("extensor_digitorum"))
    assert typical(preset("extensor_digitorum", "dry")) > 1.5 * normal
    assert typical(preset("extensor_digitorum", fat_mm=8.0)) < 0.7 * normal


def test_chosen_units_are_those_of_the_whole_pool() -> None:
    anatomy = preset("first_dorsal_interosseous")
    grid = SurfaceGrid(rows=2, columns=1, pitch_mm=8.0)
    pool, only = anatomy.thresholds(), [100, 3, 50]
    some = anatomy.surface(pool, grid, only=only, seed=2)
    fibres = anatomy.fibres(pool, seed=2)
    assert len(fibres) == 40_500
    assert fibres.n_units == anatomy.units == 120
    for number, unit in enumerate(only):
        mine, whole = some.fibres.unit == number, fibres.unit == unit
        assert np.array_equal(some.fibres.x_mm[mine], fibres.x_mm[whole])
        assert np.array_equal(some.fibres.velocity_m_per_s[mine], fibres.velocity_m_per_s[whole])
    assert some.action_potentials.values_uV.shape[0] == 3


def test_thresholds_of_the_pool() -> None:
    thresholds = preset("tibialis_anterior").thresholds()
    assert len(thresholds) == 445
    assert thresholds[-1] == 1.0
    assert thresholds[-1] / thresholds[0] == pytest.approx(30.0)
    assert np.ptp(np.diff(np.log(thresholds))) < 1e-9


def test_fewer_thresholds_make_larger_units() -> None:
    anatomy = preset("first_dorsal_interosseous")
    few = anatomy.fibres(np.geomspace(1 / 30, 1, 30), seed=1)
    whole = anatomy.fibres(anatomy.thresholds(), seed=1)
    assert len(few) == len(whole)
    assert few.fibres_per_unit.mean() == pytest.approx(4 * whole.fibres_per_unit.mean())


def test_one_tissue_conducts_alike_on_the_skin_and_within_the_muscle() -> None:
    for name in NAMES:
        anatomy = preset(name)
        body, medium = anatomy.conductor, anatomy.medium
        assert medium.radial_S_per_m == body.muscle_radial_S_per_m  # type: ignore[attr-defined]
        assert medium.axial_S_per_m == body.muscle_axial_S_per_m  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_small_pools(name: str) -> None:
    """A few units decomposed from a recording share the whole muscle."""
    anatomy = preset(name)
    few = anatomy.replace(muscle=anatomy.muscle.replace(n_fibres=2000))
    assert few.fibres(np.geomspace(0.1, 1, 12), seed=1).n_units == 12
    assert few.fibres([1.0], seed=1).n_units == 1
