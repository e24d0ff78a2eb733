"""The differentiable form equals the plain sum, converges to it, and its gradients are its slopes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from learn_reference import disc_nodes, normal_nodes, unit_potential
from reference_conductors import Cylinder, disc

from myoloop.data import Disc, Electrodes, PointContact, Rectangle
from myoloop.emg import (
    Amplifier,
    DifferentiableEMG,
    LayeredCylinder,
    MuscleFibres,
    Rosenfalck,
    UnitParameters,
    action_potentials,
    units_of,
)
from myoloop.errors import MissingDependencyError, MyoloopWarning, ParameterError

jax = pytest.importorskip("jax", reason="the extra `learn` (JAX) is not installed")
jnp = jax.numpy

HAND = LayeredCylinder(muscle_mm=6.91, fat_mm=0.3, skin_mm=1.29)
ARM = LayeredCylinder(muscle_mm=14.0, fat_mm=1.5, skin_mm=1.0, bone_mm=5.0, skin_S_per_m=0.2)
PLAIN = {
    "hand": (HAND, Cylinder(6.91, 0.09, 0.4, ((7.21, 0.0407), (8.5, 4.88e-4)))),
    "arm": (ARM, Cylinder(14.0, 0.09, 0.4, ((15.5, 0.0407), (16.5, 0.2)), bone_mm=5.0, bone=0.02)),
}
PLACES = ((0.0, -8.0), (0.3, 3.0), (1.1, 11.0))  # across and along, in mm / radius and mm

UNITS = UnitParameters(
    depth_mm=np.array([3.9, 4.9, 3.6]),
    angle_rad=np.array([0.2, -1.0, 2.5]),
    innervation_zone_mm=np.array([1.0, -2.5, 0.0]),
    velocity_m_per_s=np.array([4.0, 3.1, 5.2]),
    tendon_mm=np.array([[-17.0, 19.0], [-20.0, 16.0], [-18.0, 18.0]]),
    spread_mm=np.array([0.5, 0.8, 0.0]),
    endplate_spread_mm=np.array([1.5, 1.8, 0.0]),
    tendon_spread_mm=np.array([1.0, 0.3, 0.0]),
    fibres=np.array([300.0, 800.0, 1.0]),
    diameter_um=np.array([50.0, 55.0, 46.0]),
)


def contacts(body, shape=Disc(radius_mm=1.0), places=PLACES):
    angle, z = np.array(places).T
    return Electrodes(body.on_skin(angle * body.radius_mm, z), shape)


def model(body=HAND, electrodes=None, **settings):
    return DifferentiableEMG(
        body, electrodes or contacts(body), **{"window_s": 0.03, "reach_mm": 34.0, **settings}
    )


def double(emg, units=UNITS):
    with jax.enable_x64(True):
        return np.asarray(emg.action_potentials(units))


def errors(found, wanted):
    """Relative L2 error of each unit."""
    difference = (found - wanted).reshape(len(found), -1)
    return np.linalg.norm(difference, axis=1) / np.linalg.norm(wanted.reshape(len(found), -1), axis=1)


def one(units, i):
    return UnitParameters(*(leaf[i] for leaf in units))


def scalar(weights, emg):
    return lambda units: jnp.vdot(emg.action_potentials(units), weights)


# ---- Equal to the plain sum


@pytest.fixture(scope="module", params=PLAIN)
def plain(request):
    body, reference = PLAIN[request.param]
    t = model(body).times_s * 1e3
    values = [
        unit_potential(t, one(UNITS, i), reference, disc(1.0), PLACES, 34.0, 50 if body is ARM else 38)
        for i in range(3)
    ]
    return body, np.array(values)


def test_it_equals_the_plain_sum_within_3e_3_at_the_default_grid(plain):
    body, wanted = plain
    single = model(body).action_potentials(UNITS)
    assert single.dtype == jnp.float32
    assert errors(np.asarray(single), wanted).max() < 3e-3
    assert errors(double(model(body)), wanted).max() < 1e-3


def test_it_converges_to_the_plain_sum_and_keeps_its_tolerance(plain):
    body, wanted = plain
    found = [errors(double(model(body, tolerance=tol)), wanted).max() for tol in (1e-2, 1e-5)]
    assert np.all(np.array(found) < [1e-2, 1e-5])
    assert np.all(np.diff(found) < 0)


@pytest.mark.parametrize("length", [1.0, 0.4])
def test_it_equals_the_fast_engine_with_the_fibres_of_a_quadrature(length):
    shape = Rosenfalck(length_mm=length)
    units, wanted = fibres_of(UNITS, HAND)
    fast = action_potentials(wanted, HAND, contacts(HAND), shape=shape)
    emg = model(window_s=0.04, shape=shape)
    found = np.asarray(emg.action_potentials(units))
    n = min(fast.values_uV.shape[2], emg.n_samples)
    assert fast.t_start_s == pytest.approx(emg.t_start_s)
    assert errors(found[..., :n], fast.values_uV[..., :n]).max() < 3e-3


def fibres_of(units, body):
    """Fibres on a quadrature over territories and endplates, each as thick as its weight."""
    rows = []
    for i in range(len(units.depth_mm)):
        unit = one(units, i)
        radius, angle, share = disc_nodes(
            body.radius_mm - unit.depth_mm, unit.angle_rad, unit.spread_mm, 4, 10
        )
        offset, weight = normal_nodes(unit.endplate_spread_mm, 7)
        shift, part = normal_nodes(unit.tendon_spread_mm, 5)
        area = np.einsum("r,e,t->ret", share, weight, part) * unit.fibres * unit.diameter_um**2
        radius, angle = radius[:, None, None], angle[:, None, None]
        endplate = unit.innervation_zone_mm + offset[:, None]
        columns = [radius * np.sin(angle), radius * np.cos(angle), np.sqrt(area), endplate]
        columns += [i, *(end + shift for end in unit.tendon_mm), unit.velocity_m_per_s]
        rows.append(np.stack([column.ravel() for column in np.broadcast_arrays(*columns)]))
    x, y, diameter, endplate, unit, low, high, velocity = np.concatenate(rows, axis=1)
    tendon = np.stack([low, high], axis=1)
    fibres = MuscleFibres(x, y, diameter, unit.astype(int), endplate, tendon, velocity, len(rows))
    return units, fibres


# ---- Gradients


def test_gradients_equal_finite_differences_in_every_parameter():
    emg = model()
    with jax.enable_x64(True):
        weights = np.random.default_rng(1).normal(size=(3, 3, emg.n_samples))
        names = ("spread_mm", "endplate_spread_mm", "tendon_spread_mm")
        units = UNITS._replace(**{name: getattr(UNITS, name) + 0.3 for name in names})
        value = scalar(weights, emg)
        slopes = jax.grad(value)(units)
        for name in units._fields:
            leaf = getattr(units, name)
            wanted = np.zeros_like(leaf)
            for i in np.ndindex(leaf.shape):
                step = 1e-3 * max(1.0, abs(leaf[i]))

                def at(steps, i=i, step=step, leaf=leaf, name=name):
                    moved = leaf.copy()
                    moved[i] += steps * step
                    return float(value(units._replace(**{name: moved})))

                wanted[i] = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
            error = np.linalg.norm(getattr(slopes, name) - wanted) / np.linalg.norm(wanted)
            assert error < 1e-6, name


def test_gradients_in_single_precision_equal_those_in_double():
    emg = model()
    weights = np.random.default_rng(2).normal(size=(3, 3, emg.n_samples)).astype(np.float32)
    single = jax.grad(scalar(weights, emg))(UNITS)
    with jax.enable_x64(True):
        exact = jax.grad(scalar(weights, emg))(UNITS)
    for name in UNITS._fields:
        a, b = np.asarray(getattr(single, name)), np.asarray(getattr(exact, name))
        assert np.linalg.norm(a - b) < 1e-3 * np.linalg.norm(b) + 1e-6, name


def test_gradients_are_finite_on_the_axis_and_without_any_spread():
    emg = model()
    units = UNITS._replace(
        depth_mm=HAND.radius_mm, spread_mm=0.0, endplate_spread_mm=0.0, tendon_spread_mm=0.0
    )
    slopes = jax.grad(lambda u: jnp.sum(emg.action_potentials(u) ** 2))(jax.tree.map(jnp.asarray, units))
    assert all(np.all(np.isfinite(leaf)) for leaf in slopes)


def test_a_unit_is_found_again_from_its_action_potential():
    """Gauss-Newton steps from a guess millimetres away; conductor and electrodes are known."""
    emg = model(tolerance=1e-2)
    truth = one(UNITS, 0)
    names = ("depth_mm", "angle_rad", "innervation_zone_mm", "velocity_m_per_s", "fibres")
    start = np.array([3.7, 0.1, 2.0, 4.3, 200.0])
    with jax.enable_x64(True):
        recorded = emg.action_potentials(truth).ravel()

        def misfit(x):
            return (
                emg.action_potentials(truth._replace(**dict(zip(names, x, strict=True)))).ravel() - recorded
            )

        slope, x = jax.jit(jax.jacfwd(misfit)), start
        for _ in range(12):
            x = x - np.linalg.lstsq(np.asarray(slope(x)), np.asarray(misfit(x)))[0]
    np.testing.assert_allclose(x, [getattr(truth, name) for name in names], rtol=1e-6, atol=1e-6)


# ---- Invariances


def test_turning_and_shifting_everything_changes_nothing():
    turned = UNITS._replace(
        angle_rad=UNITS.angle_rad + 0.7,
        innervation_zone_mm=UNITS.innervation_zone_mm + 250.0,
        tendon_mm=UNITS.tendon_mm + 250.0,
    )
    places = tuple((angle + 0.7, z + 250.0) for angle, z in PLACES)
    there = model(electrodes=contacts(HAND, places=places))
    assert errors(double(there, turned), double(model())).max() < 1e-10


def test_window_and_sampling_rate_change_nothing():
    wanted = double(model())
    longer = double(model(window_s=0.07))[..., : wanted.shape[2]]
    assert errors(longer, wanted).max() < 2e-3
    twice = model(rate_hz=4096.0)
    mine, theirs = np.round(model().times_s * 4096), np.round(twice.times_s * 4096)
    _, at, other = np.intersect1d(mine, theirs, return_indices=True)
    assert len(at) > 50
    assert errors(double(twice)[..., other], wanted[..., at]).max() < 2e-3


def test_the_amplitude_is_that_of_all_the_fibres():
    twice = UNITS._replace(fibres=2 * UNITS.fibres, diameter_um=3 * UNITS.diameter_um)
    assert errors(double(model(), twice), 18 * double(model())).max() < 1e-12


def test_channels_are_what_the_derivation_makes_of_the_contacts():
    matrix = np.array([[1.0, -1.0, 0.0], [1.0, -2.0, 1.0]])
    derived = double(model(electrodes=contacts(HAND).derived(matrix)))
    np.testing.assert_allclose(derived, np.einsum("ce,uet->uct", matrix, double(model())), atol=1e-9)


def test_contacts_of_different_shapes_keep_their_order():
    shapes = (Disc(radius_mm=1.0), Rectangle(across_mm=1, along_mm=5, angle_deg=30.0), PointContact())
    mixed = double(model(electrodes=contacts(HAND, shapes)))
    for i, shape in enumerate(shapes):
        alone = double(model(electrodes=contacts(HAND, shape, PLACES[i : i + 1])))
        assert errors(mixed[:, i : i + 1], alone).max() < 1e-4


# ---- Use


def test_it_composes_with_jit_and_vmap_and_takes_numbers_for_all_units():
    emg = model()
    plainly = np.asarray(emg.action_potentials(UNITS))
    np.testing.assert_allclose(jax.jit(emg.action_potentials)(UNITS), plainly, rtol=1e-4, atol=0.1)
    stack = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), UNITS)
    np.testing.assert_allclose(jax.vmap(emg.action_potentials)(stack)[1], plainly, rtol=1e-4, atol=0.1)
    few = UNITS._replace(tendon_mm=[-18.0, 18.0], velocity_m_per_s=4.0, spread_mm=0.2)
    assert emg.action_potentials(few).shape == (3, 3, emg.n_samples)
    assert len(emg.times_s) == emg.n_samples
    assert emg.times_s[0] == emg.t_start_s < 0


def test_the_moments_of_fibres_are_the_units_they_were_made_of():
    units, fibres = fibres_of(UNITS, HAND)
    found = units_of(fibres, HAND)
    for name in ("depth_mm", "angle_rad", "innervation_zone_mm", "velocity_m_per_s", "tendon_mm"):
        np.testing.assert_allclose(getattr(found, name), getattr(units, name), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.spread_mm, units.spread_mm, atol=1e-7)
    np.testing.assert_allclose(found.endplate_spread_mm, units.endplate_spread_mm, atol=1e-7)
    np.testing.assert_allclose(found.tendon_spread_mm, units.tendon_spread_mm, atol=1e-7)
    np.testing.assert_allclose(found.fibres * found.diameter_um**2, units.fibres * units.diameter_um**2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depth_mm", 1.0),
        ("depth_mm", 9.0),
        ("angle_rad", np.nan),
        ("innervation_zone_mm", 30.0),
        ("velocity_m_per_s", 0.0),
        ("velocity_m_per_s", 1.0),
        ("tendon_mm", np.array([-40.0, 20.0])),
        ("tendon_mm", 3.0),
        ("spread_mm", -0.1),
        ("endplate_spread_mm", 9.0),
        ("tendon_spread_mm", -1.0),
        ("fibres", 0.0),
        ("diameter_um", np.inf),
    ],
)
def test_a_wrong_unit_is_refused_by_name(name, value):
    with pytest.raises(ParameterError, match=rf"UnitParameters\.{name}: "):
        model().check(UNITS._replace(**{name: value}))
    if name != "tendon_mm":
        with pytest.raises(ParameterError, match=rf"UnitParameters\.{name}: "):
            model().action_potentials(UNITS._replace(**{name: value}))


def test_a_territory_that_reaches_beyond_the_muscle_is_pointed_out():
    with pytest.warns(MyoloopWarning, match=r"1 of 3 territories reach up to 0\.3 mm beyond"):
        model().check(UNITS._replace(depth_mm=np.array([2.29, 4.9, 3.6])))


def test_fields_that_do_not_fit_each_other_are_refused():
    with pytest.raises(ParameterError, match="depth_mm"):
        model().check(UNITS._replace(depth_mm=np.ones(2)))


@pytest.mark.parametrize("settings", [{"window_s": 0.0}, {"reach_mm": -1.0}, {"tolerance": 0.5}])
def test_wrong_settings_are_refused(settings):
    with pytest.raises(ParameterError, match=f"DifferentiableEMG.{next(iter(settings))}"):
        model(**settings)


def test_a_low_rate_and_contacts_off_the_skin_are_refused():
    with pytest.raises(ParameterError, match="rate_hz"):
        model(amplifier=Amplifier(low_pass_hz=2000.0))
    with pytest.raises(ParameterError, match="off the skin"):
        model(electrodes=Electrodes(np.array([[0.0, 7.0, 0.0]])))


def test_without_jax_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(MissingDependencyError, match="learn"):
        model()
