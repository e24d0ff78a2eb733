"""Motor-unit action potentials against the reference, and what must not change them."""

from dataclasses import replace

import numpy as np
import pytest
from reference import (
    ARM,
    FIRST_DORSAL_INTEROSSEOUS,
    LAYERS,
    cylinder_kernel,
    disc,
    infinite_kernel,
    planar_kernel,
    single_fibre_potential,
)
from scipy.interpolate import CubicSpline
from test_conductors import FDI, LIMB, PLANE

from myoloop.analysis import conduction_velocity
from myoloop.data import Disc, Electrodes, PointContact
from myoloop.emg import (
    Amplifier,
    InfiniteMedium,
    MuscleFibres,
    Rosenfalck,
    SurfaceGrid,
    action_potentials,
    bipolar,
    direct_action_potentials,
)
from myoloop.emg._conductors import _tabulated
from myoloop.errors import ParameterError

OVERSAMPLING, PADDING = 16, 64
CONTACT = Disc(radius_mm=1.0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MYOLOOP_CACHE", str(tmp_path_factory.getbasetemp() / "tables"))


def bundle(x, y, *, unit=None, velocity=4.0, endplate=0.0, tendons=(-16.0, 16.0), diameter=50.0):
    """Fibres at the places x, y; the other values are shared or one a fibre."""
    x, y = np.broadcast_arrays(np.atleast_1d(x), np.atleast_1d(y))
    n = len(x)
    unit = np.arange(n) if unit is None else np.asarray(unit)
    return MuscleFibres(
        x,
        y,
        np.broadcast_to(diameter, n),
        unit,
        np.broadcast_to(endplate, n),
        np.broadcast_to(tendons, (n, 2)),
        np.broadcast_to(velocity, n),
        int(unit.max()) + 1,
    )


def low_passed(values, rate_hz, amplifier):
    spectrum = np.fft.rfft(values) * amplifier.gain(np.fft.rfftfreq(len(values), 1 / rate_hz))
    return np.fft.irfft(spectrum, len(values))


def slow_potential(fibres, electrodes, potentials, kernel, amplifier):
    """The potential of one unit by the reference: fibre by fibre, contact by contact.

    `kernel` gives g of a fibre and a contact as a function of distance along.
    """
    rate, n = potentials.rate_hz * OVERSAMPLING, potentials.values_uV.shape[2]
    times = potentials.t_start_s - PADDING / potentials.rate_hz
    times = times + np.arange((n + 2 * PADDING) * OVERSAMPLING) / rate
    out = np.zeros((electrodes.n_contacts, len(times)))
    live = times > 0
    for f in range(len(fibres)):
        z = fibres.endplate_mm[f]
        halves = fibres.tendon_mm[f, 1] - z, z - fibres.tendon_mm[f, 0]
        for c, place in enumerate(electrodes.position_mm):
            out[c, live] += single_fibre_potential(
                1e3 * times[live],
                fibres.velocity_m_per_s[f],
                z,
                halves,
                fibres.diameter_um[f],
                kernel(f, c),
                place[2],
                step_mm=0.05,
            )[0]
    filtered = np.array([low_passed(one, rate, amplifier) for one in out])
    return filtered[:, PADDING * OVERSAMPLING : (PADDING + n) * OVERSAMPLING : OVERSAMPLING]


Y = np.arange(0.0, 60.0, 0.1)


def even(values):
    return CubicSpline(np.concatenate([-Y[:0:-1], Y]), np.concatenate([values[:0:-1], values]))


def gap(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def cylinder_case(body, reference):
    fibres = bundle(
        [2.0, -1.0], np.array([0.6, 0.98]) * (body.muscle_mm - 3), unit=[0, 0], velocity=4.3,
        endplate=[0.4, -1.3], tendons=[[-16.2, 15.1], [-15.0, 17.3]], diameter=[40, 55],
    )  # fmt: skip

    def kernel(f, c, electrodes):
        x, y = fibres.x_mm[f], fibres.y_mm[f]
        a, b, _ = electrodes.position_mm[c]
        angle = np.arctan2(x, y) - np.arctan2(a, b)
        return even(cylinder_kernel(Y, np.hypot(x, y), angle, reference, disc(1.0), tol=1e-7)[0].ravel())

    return fibres, kernel


def planar_case():
    fibres = bundle(
        [2.0, -1.0], [-3.0, -4.5], unit=[0, 0], velocity=3.7, endplate=[0.4, -1.3],
        tendons=[[-20.2, 25.1], [-21.0, 27.3]],
    )  # fmt: skip

    def kernel(f, c, electrodes):
        lateral = fibres.x_mm[f] - electrodes.position_mm[c, 0]
        return even(planar_kernel(Y, -fibres.y_mm[f], lateral, LAYERS, disc(1.0), tol=1e-5)[0].ravel())

    return fibres, kernel


@pytest.mark.parametrize(
    ("body", "case"),
    [
        (FDI, lambda: cylinder_case(FDI, FIRST_DORSAL_INTEROSSEOUS)),
        (LIMB, lambda: cylinder_case(LIMB, ARM)),
        pytest.param(PLANE, planar_case, marks=pytest.mark.slow),
    ],
    ids=["first dorsal interosseous", "arm with a bone", "plane"],
)
def test_a_unit_on_the_skin_agrees_with_the_reference(body, case):
    fibres, kernel = case()
    across, along = np.array([0.0, -2.0]), np.array([9.3, 1.1])
    electrodes = Electrodes(body.on_skin(across, along), CONTACT)
    found = action_potentials(fibres, body, electrodes)
    slow = slow_potential(fibres, electrodes, found, lambda f, c: kernel(f, c, electrodes), Amplifier())
    assert gap(found.values_uV[0], slow) < 1e-3


@pytest.mark.parametrize("distance", [0.01, 0.12, 0.35, 1.1, 4.0])
@pytest.mark.parametrize("z", [9.7, 0.2, 16.1])
def test_a_fibre_near_a_contact_within_the_muscle_agrees_with_the_reference(distance, z):
    medium = InfiniteMedium()
    fibres = bundle(0.3, -0.2, endplate=0.13, tendons=(-16.3, 15.6))
    electrodes = Electrodes([[0.3 + distance, -0.2, z]], intramuscular=True)
    amplifier = Amplifier(low_pass_hz=2800.0)
    found = action_potentials(fibres, medium, electrodes, 10240.0)

    def kernel(f, c):
        return lambda y: infinite_kernel(y, max(distance, 0.05), medium.radial_S_per_m, medium.axial_S_per_m)

    slow = slow_potential(fibres, electrodes, found, kernel, amplifier)
    assert gap(found.values_uV[0], slow) < 1e-3


def scattered(n, units, *, spread=0.0, seed=3, half=16.0):
    rng = np.random.default_rng(seed)
    radius, angle = 6.9 * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    unit = np.sort(rng.integers(0, units, n))
    unit[:units] = np.sort(np.arange(units))
    velocity = rng.normal(4.2, 0.3, units)[unit] * np.exp(spread * rng.standard_normal(n))
    return bundle(
        radius * np.sin(angle),
        radius * np.cos(angle),
        unit=np.sort(unit),
        velocity=velocity,
        endplate=rng.normal(0, 2, n),
        tendons=np.stack([-half + rng.normal(0, 1, n), half + rng.normal(0, 1, n)], axis=1),
        diameter=rng.uniform(30, 70, n),
    )


GRID = SurfaceGrid(rows=4, columns=3, pitch_mm=4.0)


def each_alone(fibres):
    """The same fibres, every one a unit."""
    return replace(fibres, unit=np.arange(len(fibres)), n_units=len(fibres))


@pytest.mark.parametrize("spread", [0.0, 0.06])
def test_a_unit_is_the_sum_of_its_fibres(spread):
    """With velocities of their own, fibres share sums to within half a percent of velocity."""
    fibres, electrodes = scattered(150, 2, spread=spread), GRID.on(FDI)
    together = action_potentials(fibres, FDI, electrodes)
    alone = action_potentials(each_alone(fibres), FDI, electrodes)
    for unit in range(2):
        total = alone.values_uV[fibres.unit == unit].sum(axis=0)
        assert gap(together.values_uV[unit], total) < (5e-3 if spread else 1e-5)


def test_amplitudes_do_not_depend_on_the_sampling_rate():
    fibres, electrodes = scattered(60, 3), GRID.on(FDI)
    slow, fast = (action_potentials(fibres, FDI, electrodes, rate) for rate in (2048.0, 16384.0))
    first = round((slow.t_start_s - fast.t_start_s) * 16384)
    skip = max(0, -(first // 8))
    common = fast.values_uV[:, :, first + 8 * skip :: 8]
    n = min(common.shape[2], slow.values_uV.shape[2] - skip)
    assert gap(slow.values_uV[:, :, skip : skip + n], common[:, :, :n]) < 1e-4
    assert np.abs(slow.values_uV[:, :, skip + n :]).max(initial=0) < 1e-3 * np.abs(common).max()


def test_amplitudes_do_not_depend_on_the_step_along_the_fibres(monkeypatch):
    fibres, electrodes = scattered(60, 3), GRID.on(FDI)
    usual = action_potentials(fibres, FDI, electrodes)
    monkeypatch.setattr(_tabulated, "_RESOLVED", 20.0)
    finer = action_potentials(fibres, FDI, electrodes)
    assert not np.array_equal(usual.values_uV, finer.values_uV)
    assert gap(usual.values_uV, finer.values_uV) < 1e-3


def test_amplitudes_do_not_depend_on_the_other_units():
    fibres, electrodes = scattered(90, 5), GRID.on(FDI)
    whole = action_potentials(fibres, FDI, electrodes)
    some = action_potentials(fibres.select([4, 1]), FDI, electrodes)
    n = min(whole.values_uV.shape[2], some.values_uV.shape[2])
    assert whole.t_start_s == some.t_start_s
    for place, unit in enumerate([4, 1]):
        assert gap(some.values_uV[place, :, :n], whole.values_uV[unit, :, :n]) < 1e-4


def test_amplitudes_do_not_depend_on_the_other_contacts_or_their_order():
    fibres, electrodes = scattered(40, 2), GRID.on(FDI)
    whole = action_potentials(fibres, FDI, electrodes)
    chosen = [7, 2, 10]
    some = Electrodes(electrodes.position_mm[chosen], electrodes.shapes[0])
    assert gap(action_potentials(fibres, FDI, some).values_uV, whole.values_uV[:, chosen]) < 1e-4


def test_a_turned_grid_senses_what_its_contacts_sense_one_by_one():
    fibres, electrodes = scattered(30, 1), replace(GRID, rotation_deg=27.0).on(FDI)
    whole = action_potentials(fibres, FDI, electrodes)
    for c in (0, 5, 11):
        one = Electrodes(electrodes.position_mm[[c]], electrodes.shapes[0])
        assert gap(action_potentials(fibres, FDI, one).values_uV[:, 0], whole.values_uV[:, c]) < 1e-4


def test_the_potential_is_linear_in_the_weights_and_in_the_derivation():
    fibres, electrodes = scattered(40, 2), GRID.on(FDI)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, len(fibres)))
    both, first, second = (
        action_potentials(fibres, FDI, electrodes, weights=w).values_uV for w in (a + b, a, b)
    )
    assert gap(first + second, both) < 1e-5
    derived = action_potentials(fibres, FDI, bipolar(electrodes)).values_uV
    monopolar = action_potentials(fibres, FDI, electrodes).values_uV
    assert np.allclose(bipolar(electrodes).matrix @ monopolar, derived, atol=1e-4 * np.abs(monopolar).max())


def test_thicker_fibres_give_more_by_their_section():
    thin, thick = (action_potentials(bundle(0, 4, diameter=d), FDI, GRID.on(FDI)).values_uV for d in (40, 80))
    assert np.allclose(thick, 4 * thin, rtol=1e-4, atol=1e-6 * np.abs(thick).max())


def test_before_and_long_after_the_discharge_there_is_nothing():
    potentials = action_potentials(scattered(60, 3), FDI, GRID.on(FDI))
    peak = np.abs(potentials.values_uV).max()
    assert np.abs(potentials.values_uV[:, :, 0]).max() < 1e-3 * peak
    assert np.abs(potentials.values_uV[:, :, -1]).max() < 1e-3 * peak


@pytest.mark.parametrize("body", [FDI, PLANE], ids=["cylinder", "plane"])
@pytest.mark.parametrize("velocity", [3.0, 4.0, 5.0, 6.0])
def test_the_array_sees_the_velocity_that_was_set(velocity, body):
    """Between endplate and tendon, away from both."""
    y = 4.0 if body is FDI else -3.0
    fibres = bundle([0.0, 1.0], [y, y], unit=[0, 0], velocity=velocity, tendons=(-70.0, 70.0))
    electrodes = SurfaceGrid(rows=6, columns=1, pitch_mm=5.0, along_mm=35.0).on(body)
    potentials = action_potentials(fibres, body, electrodes)
    for channels in (electrodes, bipolar(electrodes)):
        seen = (channels.matrix @ potentials.values_uV)[0]
        assert conduction_velocity(seen, 2048.0, 5.0) == pytest.approx(velocity, rel=0.02)
        assert conduction_velocity(seen[::-1], 2048.0, 5.0) == pytest.approx(-velocity, rel=0.02)


def test_amplitude_falls_with_depth_as_a_power_and_faster_for_bipolar_channels():
    """Of the travelling wave, the negative peak (Roeleveld et al. 1997, Acta Physiol Scand 160:175).

    Peak to peak, monopolar potentials of deep fibres are those of the ends, which hardly fall.
    """
    depth = np.geomspace(5.0, 22.0, 10)
    fibres = bundle(np.zeros(10), PLANE.cover_mm - depth, tendons=(-60.0, 60.0))
    electrodes = SurfaceGrid(rows=2, columns=1, pitch_mm=10.0, along_mm=30.0).on(PLANE)
    potentials = action_potentials(fibres, PLANE, electrodes)
    slopes = []
    for values in (potentials.values_uV[:, 0], (bipolar(electrodes).matrix @ potentials.values_uV)[:, 0]):
        size = np.log(-values.min(axis=1))
        slope, start = np.polyfit(np.log(depth), size, 1)
        left = size - slope * np.log(depth) - start
        assert 1 - left.var() / size.var() > 0.98
        slopes.append(slope)
    assert slopes[1] < slopes[0] - 0.2
    assert slopes[0] < -0.5


@pytest.mark.parametrize("length", [1.0, 0.3])
def test_rosenfalck_is_what_its_spectrum_says_and_carries_no_net_potential(length):
    shape = Rosenfalck(length_mm=length)
    w = np.linspace(0, 60, 200001)
    for q in (0.0, 0.3, 2.0):
        integral = np.trapezoid(shape.gradient(w) * np.exp(-1j * q * w), w)
        assert integral == pytest.approx(shape.spectrum(np.array(q)), abs=1e-6)
    assert np.all(shape.gradient(np.array([-1.0, 0.0])) == 0)
    beyond = np.abs(shape.gradient(np.linspace(shape.extent_mm, 60, 100))).max()
    assert beyond < 1e-4 * np.abs(shape.gradient(w)).max()


@pytest.mark.parametrize(("length", "peak_hz"), [(1.0, 500), (0.3, 1500)])
def test_the_spectral_peak_of_a_fibre_close_by_is_where_the_docs_say(length, peak_hz):
    near = Electrodes([[0.05, 0.0, 30.0]], intramuscular=True)
    options = {"shape": Rosenfalck(length_mm=length), "amplifier": Amplifier(low_pass_hz=1e4)}
    fibre = bundle(0.0, 0.0, tendons=(-60.0, 60.0), diameter=55.0)
    values = action_potentials(fibre, InfiniteMedium(), near, 1e5, **options).values_uV[0, 0]
    power = np.abs(np.fft.rfft(values, 1 << 16))
    assert power.argmax() * 1e5 / (1 << 16) == pytest.approx(peak_hz, rel=0.05)


def test_a_shorter_action_potential_agrees_with_the_direct_evaluation():
    fibres, electrodes, shape = scattered(6, 2), GRID.on(FDI), Rosenfalck(length_mm=0.3)
    found = action_potentials(fibres, FDI, electrodes, shape=shape).values_uV
    slow = direct_action_potentials(fibres, FDI, electrodes, shape=shape, cell_mm=0.1).values_uV
    assert gap(found, slow) < 1e-3
    assert gap(found, action_potentials(fibres, FDI, electrodes).values_uV[:, :, : found.shape[2]]) > 0.3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rate_hz": 1000.0}, "cannot hold action potentials"),
        ({"rate_hz": np.nan}, "cannot hold action potentials"),
        ({"weights": np.ones(3)}, "weights"),
        ({"weights": np.full(20, np.nan)}, "weights"),
        ({"electrodes": Electrodes([[0.0, 3.0, 0.0]])}, "off the skin"),
        ({"fibres": bundle(0.0, 6.95)}, "fibre 0 at"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    arguments = {"fibres": scattered(20, 2), "conductor": FDI, "electrodes": GRID.on(FDI)} | change
    with pytest.raises(ParameterError, match=words):
        action_potentials(**arguments)


def test_a_contact_beyond_the_table_is_refused():
    far = Electrodes(PLANE.on_skin(np.array([90.0]), np.zeros(1)))
    with pytest.raises(ParameterError, match="90 mm across from a fibre"):
        action_potentials(bundle(0.0, -3.0), PLANE, far)


def test_a_unit_without_fibres_is_refused_by_name():
    with pytest.raises(ParameterError, match="1 of 3 units have no fibre, unit 1"):
        bundle([0.0, 1.0], [0.0, 0.0], unit=[0, 2])


def test_point_contacts_and_mixtures_of_shapes_have_their_own_tables():
    fibres, places = scattered(20, 1), GRID.on(FDI).position_mm[:3]
    shapes = PointContact(), Disc(radius_mm=2.0), PointContact()
    mixed = action_potentials(fibres, FDI, Electrodes(places, shapes)).values_uV[0]
    for c, shape in enumerate(shapes):
        alone = action_potentials(fibres, FDI, Electrodes(places[[c]], shape)).values_uV[0, 0]
        assert gap(mixed[c], alone) < 1e-4
