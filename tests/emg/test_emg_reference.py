"""What must be true of the reference itself, before anything is tested against it."""

from functools import partial

import numpy as np
import pytest
from reference import (
    ARM,
    FIRST_DORSAL_INTEROSSEOUS,
    GOLDEN,
    LAYERS,
    Cylinder,
    Planar,
    branch_nodes,
    cylinder_kernel,
    cylinder_kernel_derivative,
    cylinder_modes,
    disc,
    golden,
    infinite_kernel,
    infinite_kernel_derivative,
    planar_kernel,
    planar_kernel_derivative,
    single_fibre_potential,
    single_fibre_potential_by_parts,
    source_current,
)
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from scipy.special import j0

Y = np.linspace(0, 20, 41)
SMALL = Cylinder(6.0, 0.1, 0.4, ((7.5, 0.04), (9.0, 0.02)))


def gap(a, b):
    """Relative L2 difference over the last axis, the largest."""
    return np.max(np.linalg.norm(a - b, axis=-1) / np.linalg.norm(b, axis=-1))


# ---- Modes of the cylinder


@pytest.mark.parametrize(
    ("body", "source_mm", "n", "k", "volts"),
    [  # solved once with the same boundary conditions in 40 digits
        (FIRST_DORSAL_INTEROSSEOUS, 5.5, 0, 0.001, 16508632.01791884),
        (FIRST_DORSAL_INTEROSSEOUS, 5.5, 0, 0.3, 193.09733033168446),
        (FIRST_DORSAL_INTEROSSEOUS, 5.5, 3, 2.0, 0.017473979045526906),
        (FIRST_DORSAL_INTEROSSEOUS, 5.5, 39, 0.05, 5.1479996898600153e-6),
        (FIRST_DORSAL_INTEROSSEOUS, 5.5, 40, 1.5, 7.5966917537694577e-7),
        (FIRST_DORSAL_INTEROSSEOUS, 5.5, 150, 0.02, 1.4056298140686351e-27),
        (ARM, 40.0, 0, 0.001, 339950.10394917448),
        (ARM, 40.0, 1, 0.01, 893.02338240625537),
        (ARM, 40.0, 3, 2.0, 1.3961350774102387e-14),
        (ARM, 40.0, 41, 6.0, 3.768083313504323e-43),
        (ARM, 40.0, 150, 0.02, 8.2870268034662282e-16),
        (ARM, 40.0, 150, 4.0, 5.3283771863955339e-33),
    ],
)
def test_modes_against_many_digits(body, source_mm, n, k, volts):
    assert cylinder_modes(n, k, source_mm, body)[0] == pytest.approx(volts, rel=1e-12)


@pytest.mark.parametrize("n", [0, 1, 4])
@pytest.mark.parametrize("k", [0.02, 0.2])
def test_modes_against_an_integrated_equation(n, k):
    """Shooting from the axis to the skin knows nothing of Bessel functions (but loses digits as k grows)."""
    body = Cylinder(45.0, 0.09, 0.4, ((49.0, 0.0407), (50.5, 1.0)), bone_mm=10.0, bone=0.02)
    bounds = [(1e-3, 10.0, 0.02, 0.02), (10.0, 38.0, 0.09, 0.4), (38.0, 45.0, 0.09, 0.4)]
    bounds += [(45.0, 49.0, 0.0407, 0.0407), (49.0, 50.5, 1.0, 1.0)]

    def march(state, pieces):
        for inner, outer, across, along in pieces:
            across, along = across * 1e-3, along * 1e-3

            def slope(rho, s, across=across, along=along):
                return [s[1] / (across * rho), (across * n**2 / rho + along * k**2 * rho) * s[0]]

            state = solve_ivp(slope, (inner, outer), state, method="DOP853", rtol=1e-11, atol=1e-20).y[:, -1]
        return state

    regular = march([1.0, 0.02e-3 * n], bounds)  # potential and outward flux, rho sigma dphi/drho
    beyond = march([0.0, -1 / (2 * np.pi)], bounds[2:])  # the unit current enters at 38 mm
    expected = beyond[0] - beyond[1] / regular[1] * regular[0]
    assert cylinder_modes(n, k, 38.0, body)[0] == pytest.approx(expected, rel=1e-6)


def test_source_and_point_within_the_muscle_can_be_exchanged():
    n, k = np.arange(0, 60, 3)[:, None], np.array([0.01, 0.2, 3.0])
    there = cylinder_modes(n, k, 41.0, ARM, detect_mm=33.0)
    back = cylinder_modes(n, k, 33.0, ARM, detect_mm=41.0)
    np.testing.assert_allclose(there, back, rtol=1e-9)


def test_potential_is_continuous_where_layers_meet():
    bare = Cylinder(6.0, 0.1, 0.4)
    n, k = np.arange(5)[:, None], np.array([0.1, 1.0])
    np.testing.assert_allclose(
        cylinder_modes(n, k, 4.0, bare), cylinder_modes(n, k, 4.0, bare, detect_mm=6.0), rtol=1e-12
    )


# ---- Kernels of the cylinder


def test_derivative_is_the_slope_of_the_kernel():
    y, step = np.array([0.0, 0.7, 3.0, 11.0]), 1e-3
    near = np.concatenate([y - 2 * step, y - step, y + step, y + 2 * step])
    g = cylinder_kernel(near, 5.0, 0.4, SMALL, disc(0.8))[0][0, 0].reshape(4, -1)
    r = cylinder_kernel_derivative(y, 5.0, 0.4, SMALL, disc(0.8))[0][0, 0]
    np.testing.assert_allclose((g[0] - 8 * g[1] + 8 * g[2] - g[3]) / (12 * step), r, rtol=1e-7, atol=1e-7)


def test_all_current_flows_along_the_cylinder_far_away():
    y = np.array([200.0, -200.0])
    r = cylinder_kernel_derivative(y, [3.0, 1.0], [0.0, 2.0], SMALL)[0]
    np.testing.assert_allclose(r, np.broadcast_to([-0.5, 0.5], r.shape) / SMALL.axial_conductance, rtol=1e-10)
    g = cylinder_kernel(y, 3.0, 1.0, SMALL, disc(1.0))[0]
    np.testing.assert_allclose(g + np.abs(y) / (2 * SMALL.axial_conductance), 0, atol=1e-8 * np.abs(g).max())


def test_bone_of_muscle_is_no_bone():
    whole = Cylinder(6.0, 0.1, 0.1, SMALL.layers)
    with_bone = Cylinder(6.0, 0.1, 0.1, SMALL.layers, bone_mm=2.0, bone=0.1)
    assert gap(*(cylinder_kernel_derivative(Y, [5.0, 3.0], 0.5, b)[0] for b in (with_bone, whole))) < 1e-11


def test_layers_without_contrast_are_muscle():
    whole = Cylinder(9.0, 0.1, 0.1)
    layered = Cylinder(6.0, 0.1, 0.1, ((7.5, 0.1), (9.0, 0.1)))
    assert gap(*(cylinder_kernel_derivative(Y, [5.0, 3.0], 0.5, b)[0] for b in (layered, whole))) < 1e-11


def test_bone_that_insulates_raises_the_potential_and_one_that_conducts_lowers_it():
    bones = [Cylinder(45.0, 0.09, 0.4, ARM.layers, bone_mm=10.0, bone=s) for s in (1e-6, 0.09, 10.0)]
    slopes = [-cylinder_kernel_derivative([100.0], 15.0, 0.0, b)[0].item() for b in bones]
    assert slopes[0] > slopes[1] > slopes[2]


def test_kernel_scales_with_length_and_conductivity():
    body = Cylinder(
        18.0, 0.2, 0.8, ((22.5, 0.08), (27.0, 0.04))
    )  # three times as large, twice the conductivity
    small = cylinder_kernel_derivative(Y, 5.0, 0.5, SMALL, disc(0.5))[0]
    np.testing.assert_allclose(
        cylinder_kernel_derivative(3 * Y, 15.0, 0.5, body, disc(1.5))[0] * 9 * 2, small, rtol=1e-9, atol=1e-9
    )


def test_kernel_against_the_midpoint_rule():
    """Another inversion: a periodic medium of alternating sources, whose images are far away."""
    step, y = 2 * np.pi / 400, np.linspace(0.5, 30, 60)
    k, n = (np.arange(int(8 / step)) + 0.5) * step, np.arange(60)
    modes = np.concatenate(
        [cylinder_modes(n[:, None], part, 5.0, SMALL)[..., 0] for part in np.array_split(k, 8)], 1
    )
    sums = np.cos(0.6 * n) * np.where(n == 0, 1, 2) @ modes
    expected = -(sums * k * step) @ np.sin(np.outer(k, y)) / np.pi
    assert gap(cylinder_kernel_derivative(y, 5.0, 0.6, SMALL)[0][0, 0], expected) < 1e-9


def test_contact_is_a_mean_over_its_points():
    """The transform J0(k a) is that of a ring; the sum over the ring's points needs no transform."""
    angles = np.arange(16) * 2 * np.pi / 16
    y = np.array([1.0, 4.0])
    ring = cylinder_kernel_derivative(y, 4.0, 0.3, SMALL, lambda u, v: j0(0.6 * np.hypot(u, v)))[0][0, 0]
    shifted = (y[:, None] + 0.6 * np.sin(angles)).ravel()
    points = cylinder_kernel_derivative(shifted, 4.0, 0.3 + 0.6 * np.cos(angles) / 9.0, SMALL)[0][0]
    mean = np.mean([points[i].reshape(2, 16)[:, i] for i in range(16)], axis=0)
    np.testing.assert_allclose(mean, ring, rtol=1e-8)


def test_contact_without_symmetry_sees_what_its_points_see():
    """A contact of two points, across and along, so that r is not odd and the angle's sign matters."""
    y = np.array([-2.0, 1.0])
    across, along = 0.9, 0.7
    both = cylinder_kernel_derivative(y, 4.0, 0.3, SMALL, lambda u, v: np.cos(u * across + v * along))[0][
        0, 0
    ]
    one = cylinder_kernel_derivative(y + along, 4.0, 0.3 + across / 9, SMALL)[0][0, 0]
    other = cylinder_kernel_derivative(y - along, 4.0, 0.3 - across / 9, SMALL)[0][0, 0]
    np.testing.assert_allclose((one + other) / 2, both, rtol=1e-9)


# ---- Cylinder, planar layers and infinite medium are limits of one another


@pytest.mark.parametrize("axial", [0.1, 0.5])
def test_large_cylinder_doubles_the_infinite_medium(axial):
    depth, y = 8.0, np.linspace(0, 20, 41)
    twice = 2 * infinite_kernel_derivative(y, depth, 0.1, axial)
    errors = [
        gap(cylinder_kernel_derivative(y, radius - depth, 0.0, Cylinder(radius, 0.1, axial))[0][0, 0], twice)
        for radius in (50.0, 200.0)
    ]
    assert errors[1] < 0.02
    assert errors[1] < errors[0] / 3


def test_large_cylinder_doubles_a_line_source():
    """A whole fibre 60 mm long, seen from the insulated surface."""
    depth, t_ms, radius = 5.0, np.linspace(0.5, 12, 24), 200.0
    body = Cylinder(radius, 0.1, 0.5)
    nodes = branch_nodes(30.0, 30.0, 0.25)
    current = source_current(nodes, t_ms, 4.0, 55.0)
    assert np.all(np.abs(current.sum(axis=1)) < 1e-14 * np.abs(current).max())
    g = cylinder_kernel(10.0 - nodes, radius - depth, 0.0, body)[0][0, 0]
    twice = 2 * infinite_kernel(10.0 - nodes, depth, 0.1, 0.5)
    assert gap(current @ g, current @ twice) < 0.02


def test_planar_layers_without_contrast_double_the_infinite_medium():
    y, body = np.linspace(0, 20, 41), Planar(0.1, 0.1, ((3.0, 0.1), (1.0, 0.1)))
    for x in (0.0, 3.0):
        r = planar_kernel_derivative(y, 5.0, x, body)[0][0]
        assert gap(r, 2 * infinite_kernel_derivative(y, np.hypot(9.0, x), 0.1, 0.1)) < 1e-10
    g = planar_kernel(y, 5.0, 0.0, Planar(0.1, 0.5))[0][0]
    assert gap(g, 2 * infinite_kernel(y, 5.0, 0.1, 0.5)) < 1e-10


def test_planar_layers_are_the_limit_of_a_large_cylinder():
    depth, y, body = 4.0, np.linspace(0, 20, 41), LAYERS
    flat = planar_kernel_derivative(y, depth, 0.0, body, disc(1.0))[0][0]
    found = []
    for radius in (50.0, 100.0):
        layers = ((radius + 3.0, 0.0407), (radius + 4.0, 1.0))
        round_ = Cylinder(radius, 0.09, 0.4, layers)
        found.append(cylinder_kernel_derivative(y, radius - depth, 0.0, round_, disc(1.0))[0][0, 0])
    errors = gap(found[0], flat), gap(found[1], flat)
    assert errors[1] < 0.6 * errors[0]  # first order in the curvature,
    assert gap(2 * found[1] - found[0], flat) < 0.01  # so the two radii extrapolate to the plane


# ---- Source


def test_no_net_current_at_any_time():
    nodes = branch_nodes(30.0, 20.0, 0.1)
    current = source_current(nodes, np.linspace(0, 20, 81), 4.0, 55.0)
    assert np.abs(current).max() > 1e-9
    assert np.abs(current.sum(axis=1)).max() < 1e-14 * np.abs(current).max()


def test_dipole_is_what_the_extinction_leaves():
    """The dipole moment is sigma_i A [V(x - L2) - V(x - L1)], V(w) = 0.096 w^3 exp(-w) volts for w > 0."""
    nodes = branch_nodes(30.0, 20.0, 0.005)
    x = np.array([1.0, 3.0, 10.0, 19.9, 21.0, 23.0, 29.0, 31.0, 33.0, 45.0])
    current = source_current(nodes, x / 4.0, 4.0, 55.0)
    scale = 1.01e-3 * np.pi * 0.0275**2

    def above_rest(w):
        return 0.096 * np.maximum(w, 0) ** 3 * np.exp(-w)

    expected = scale * (above_rest(x - 20.0) - above_rest(x - 30.0))
    peak = scale * 0.096 * 27 * np.exp(-3)
    np.testing.assert_allclose(current @ nodes, expected, atol=1e-5 * peak)
    assert np.all(expected[:4] == 0)
    assert abs(expected[5]) > 0.99 * peak


def test_source_is_the_second_difference_of_the_membrane_potential():
    """i = sigma_i A d2V/dz2, with a kink at the endplate: what a cable of constant resistance gives."""
    nodes, step = branch_nodes(30.0, 20.0, 0.01), 0.01
    x = 12.0
    current = source_current(nodes, x / 4.0, 4.0, 55.0)[0]
    w = np.maximum(x - np.abs(nodes), 0)
    volts = 0.096 * w**3 * np.exp(-w)
    second = 1.01e-3 * np.pi * 0.0275**2 * np.diff(volts, 2) / step
    assert gap(current[1:-1], second) < 1e-3


@pytest.mark.parametrize("lengths_mm", [(30.0, 20.0), (25.13, 31.77)])
def test_plain_sum_is_of_second_order(lengths_mm):
    t_ms, kernel = np.linspace(0.2, 14, 70), partial(infinite_kernel, r_mm=2.0, sigma_r=0.063, sigma_z=0.33)
    best = single_fibre_potential(t_ms, 4.0, 2.0, lengths_mm, 55.0, kernel, 12.0)[0]
    errors = []
    for parts in (1, 16):
        nodes = branch_nodes(*lengths_mm, 0.2, parts)
        errors.append(gap(1e6 * source_current(nodes, t_ms, 4.0, 55.0) @ kernel(10.0 - nodes), best))
    assert np.log2(errors[0] / errors[1]) / 4 == pytest.approx(2, abs=0.1)


INFINITE = [
    partial(f, r_mm=1.0, sigma_r=0.063, sigma_z=0.33) for f in (infinite_kernel, infinite_kernel_derivative)
]


@pytest.mark.parametrize("electrode_mm", [2.0, 12.0, 31.0, -19.0, 40.0])
def test_integration_by_parts_gives_the_same_potential(electrode_mm):
    """At the endplate, between, at and beyond the tendons: sign, factor and units of the form by parts."""
    t_ms, fibre = np.linspace(0.1, 16, 160), (4.2, 2.0, (30.0, 20.0), 55.0)
    plain, error = single_fibre_potential(t_ms, *fibre, INFINITE[0], electrode_mm)
    assert error < 1e-4
    by_parts = single_fibre_potential_by_parts(t_ms, *fibre, INFINITE[1], electrode_mm)
    assert gap(by_parts, plain) < 1e-7


def test_integration_by_parts_in_a_layered_cylinder():
    t_ms, fibre = np.linspace(0.2, 12, 60), (4.0, 0.0, (16.0, 16.0), 50.0)
    y = np.linspace(-30, 30, 1201)
    g, r = (
        CubicSpline(y, f(y, 5.0, 0.3, SMALL, disc(0.5))[0][0, 0])
        for f in (cylinder_kernel, cylinder_kernel_derivative)
    )
    plain = single_fibre_potential(t_ms, *fibre, g, 7.0)[0]
    assert gap(single_fibre_potential_by_parts(t_ms, *fibre, r, 7.0), plain) < 1e-6


def test_potential_travels_at_the_set_velocity():
    t_ms, fibre = np.arange(4, 14, 0.02), (4.0, 0.0, (80.0, 80.0), 55.0)
    kernel = partial(infinite_kernel, r_mm=1.0, sigma_r=0.063, sigma_z=0.33)
    troughs = [t_ms[np.argmin(single_fibre_potential(t_ms, *fibre, kernel, z, 0.1)[0])] for z in (20.0, 40.0)]
    assert 20.0 / np.diff(troughs).item() == pytest.approx(4.0, rel=2e-3)


def test_potential_begins_positive_is_triphasic_and_grows_with_the_area():
    t_ms, kernel = np.arange(0, 20, 0.05), INFINITE[0]
    phi = single_fibre_potential(t_ms, 4.0, 0.0, (80.0, 80.0), 55.0, kernel, 30.0, 0.1)[0]
    trough = np.argmin(phi)
    assert 0 < phi[:trough].max() < -phi[trough]
    assert 0 < phi[trough:].max() < -phi[trough]
    thick = single_fibre_potential(t_ms, 4.0, 0.0, (80.0, 80.0), 110.0, kernel, 30.0, 0.1)[0]
    np.testing.assert_allclose(thick, 4 * phi, rtol=1e-12)


# ---- Golden numbers


def test_golden_numbers_are_converged():
    with np.load(GOLDEN) as stored:
        errors = [stored[name] for name in stored.files if name.endswith("_error")]
    assert len(errors) == 6
    assert max(e.max() for e in errors) < 1e-6


@pytest.mark.slow
def test_golden_numbers_come_out_again():
    found = golden()
    with np.load(GOLDEN) as stored:
        assert set(stored.files) == set(found)
        for name in stored.files:
            if not name.endswith("_error"):
                assert gap(found[name], stored[name]) < 1e-8, name
