"""Kernels of the volume conductors, against the reference and its golden numbers."""

import numpy as np
import pytest
from reference import (
    ARM,
    FIRST_DORSAL_INTEROSSEOUS,
    GOLDEN,
    GOLDEN_CYLINDERS,
    GOLDEN_LAYERS,
    GOLDEN_Y_MM,
    LAYERS,
    infinite_kernel_derivative,
)

from myoloop.data import Disc, Electrodes, PointContact, Rectangle
from myoloop.emg import InfiniteMedium, LayeredCylinder, PlanarLayers
from myoloop.emg._conductors._table import Frequencies, kernel_table
from myoloop.errors import ParameterError


def cylinder(body):
    outer = [body.muscle_mm, *(radius for radius, _ in body.layers)]
    return LayeredCylinder(
        bone_mm=body.bone_mm,
        muscle_mm=body.muscle_mm,
        fat_mm=outer[1] - outer[0],
        skin_mm=outer[2] - outer[1],
        muscle_radial_S_per_m=0.09,
        muscle_axial_S_per_m=0.4,
        fat_S_per_m=body.layers[0][1],
        skin_S_per_m=body.layers[1][1],
        bone_S_per_m=0.02,
    )


FDI, LIMB = cylinder(FIRST_DORSAL_INTEROSSEOUS), cylinder(ARM)
PLANE = PlanarLayers(
    fat_mm=LAYERS.layers[0][0],
    skin_mm=LAYERS.layers[1][0],
    fat_S_per_m=LAYERS.layers[0][1],
    skin_S_per_m=LAYERS.layers[1][1],
)
BODIES = {"first_dorsal_interosseous": FDI, "arm": LIMB, "layers": PLANE}
CONTACTS = {"point": PointContact(), "disc": Disc(radius_mm=1.0)}


def gap(a, b):
    """Relative L2 difference over the last axis, the largest."""
    return np.max(np.linalg.norm(a - b, axis=-1) / np.linalg.norm(b, axis=-1))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MYOLOOP_CACHE", str(tmp_path_factory.getbasetemp() / "tables"))


def places(name):
    """Depths and distances across of the golden numbers."""
    if name in GOLDEN_LAYERS:
        _, depths, offsets = GOLDEN_LAYERS[name]
        return np.array(depths) + PLANE.cover_mm, np.array(offsets)
    _, radii, angles = GOLDEN_CYLINDERS[name]
    body = BODIES[name]
    return body.radius_mm - np.array(radii), np.array(angles) * body.radius_mm


@pytest.mark.parametrize("contact", CONTACTS)
@pytest.mark.parametrize("name", BODIES)
def test_the_direct_evaluation_agrees_with_the_reference(name, contact):
    body, expected = BODIES[name], np.load(GOLDEN)[f"{name}_{contact}"]
    found = body.derivative(*places(name), GOLDEN_Y_MM, CONTACTS[contact], body.frequencies(150.0))
    assert gap(found, expected) < 1e-4  # of truncated frequencies; most are far closer
    assert np.median(np.linalg.norm(found - expected, axis=-1) / np.linalg.norm(expected, axis=-1)) < 1e-5


@pytest.mark.parametrize("name", BODIES)
def test_the_table_agrees_with_the_direct_evaluation_at_any_place(name):
    body, rng = BODIES[name], np.random.default_rng(1)
    nearest, deepest = body.depths_mm
    depth = nearest * (deepest * 0.98 / nearest) ** np.concatenate([rng.random(6), [0.0, 0.01]])
    across = np.concatenate([rng.random(5) ** 2, [0.0]]) * min(body.widest_mm, 40.0)
    table = kernel_table(body, Disc(radius_mm=1.0), 60.0, 0.5)
    along = 0.5 * np.arange(100)
    exact = body.derivative(depth, across, along, Disc(radius_mm=1.0), body.frequencies(60.0))
    for d, rows in zip(depth, exact, strict=True):
        for a, row in zip(across, rows, strict=True):
            found = interpolated(table, d, a, len(along))
            assert np.linalg.norm(found - row) < 1e-3 * np.linalg.norm(row), (d, a)


def interpolated(table, depth, across, n):
    from myoloop.emg._kernels import mix_rows

    out = np.zeros(n, dtype=np.float32)
    row, column = table.place(np.array([depth]), np.array([across]))
    mix_rows(table.values, row[0], column[0], np.empty((2, 4)), n, out)
    return out


def test_the_table_is_kept_on_disk_and_made_anew_where_it_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("MYOLOOP_CACHE", str(tmp_path))
    first = kernel_table(FDI, PointContact(), 30.0, 0.5)
    (file,) = tmp_path.glob("*.npy")
    wrong = np.full(first.values.shape, 7.0, dtype=np.float32)
    np.save(file, wrong)
    assert np.array_equal(kernel_table(FDI, PointContact(), 30.0, 0.5).values, wrong)  # it was read
    file.write_bytes(b"\x93NUMPY, cut off")
    assert np.array_equal(kernel_table(FDI, PointContact(), 30.0, 0.5).values, first.values)
    other = kernel_table(FDI.replace(skin_S_per_m=1.0), PointContact(), 30.0, 0.5)
    assert not np.array_equal(other.values, first.values)
    assert len(list(tmp_path.glob("*"))) == 2


def test_no_place_to_keep_tables_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MYOLOOP_CACHE", str(tmp_path / "file" / "folder"))
    assert kernel_table(FDI, PointContact(), 30.0, 0.5).values.any()


@pytest.mark.parametrize("anisotropy", [1.0, 4.0])
def test_a_large_homogeneous_cylinder_has_twice_the_potential_of_an_infinite_medium(anisotropy):
    """Insulated at its surface, where a source of the same strength is mirrored."""
    y, gaps = np.linspace(0.5, 10.0, 20), []
    for radius in (100.0, 200.0):
        body = LayeredCylinder(
            muscle_mm=radius,
            fat_mm=0.1,  # a cover there must be: a thin one that takes up nothing
            skin_mm=0.0,
            muscle_radial_S_per_m=0.1,
            muscle_axial_S_per_m=0.1 * anisotropy,
            fat_S_per_m=1e-9,
        )
        grid = Frequencies.reaching(600.0, 2.8, int(3.0 * radius), "")
        found = body.derivative(np.array([5.1]), np.zeros(1), y, PointContact(), grid)[0, 0]
        gaps.append(gap(found, 2 * infinite_kernel_derivative(y, 5.0, 0.1, 0.1 * anisotropy)))
    assert gaps[1] < 0.02
    assert gaps[1] < 0.6 * gaps[0]  # it vanishes with the curvature


def test_the_plane_is_the_limit_of_the_cylinder():
    layers = {"fat_mm": 3.0, "skin_mm": 1.0, "skin_S_per_m": 1.0}
    place = np.array([5.0, 10.0]), np.array([0.0, 5.0]), np.linspace(1, 20, 20), PointContact()
    plane = PlanarLayers(**layers)
    flat, gaps = plane.derivative(*place, plane.frequencies(100.0)), []
    for radius in (200.0, 400.0, 800.0):
        body = LayeredCylinder(muscle_mm=radius, **layers)
        grid = Frequencies.reaching(1000.0, 2.8, int(2.8 * radius), "")
        gaps.append(gap(body.derivative(*place, grid), flat))
    assert gaps[2] < 0.01
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.05)
    assert gaps[1] / gaps[2] == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("body", [FDI, LIMB])
def test_all_current_flows_along_the_cylinder_far_from_its_source(body):
    """Half of it each way: r -> -1/(2 sum of conductivity times section)."""
    radii = np.array([0, body.bone_mm, body.muscle_mm, body.muscle_mm + body.fat_mm, body.radius_mm])
    sigma = [body.bone_S_per_m, body.muscle_axial_S_per_m, body.fat_S_per_m, body.skin_S_per_m]
    conductance = 1e-3 * np.pi * np.diff(radii**2) @ sigma
    far = np.array([12.0 * body.radius_mm])
    found = body.derivative(
        np.array([2 * body.cover_mm]), np.zeros(1), far, PointContact(), body.frequencies(far[0])
    )
    assert found[0, 0, 0] == pytest.approx(-0.5 / conductance, rel=1e-3)


def test_reciprocity_of_the_kernel_in_an_infinite_medium_and_under_layers():
    """A fibre and a contact exchange their places: only their distances count, in both directions."""
    y = np.linspace(0.0, 20.0, 41)
    for body in (FDI, PLANE):
        depth, grid = np.array([1.5 * body.cover_mm]), body.frequencies(30.0)
        one = body.derivative(depth, np.array([2.0]), y, Disc(radius_mm=0.5), grid)
        other = body.derivative(depth, np.array([-2.0]), -y, Disc(radius_mm=0.5), grid)
        assert np.allclose(one, -other, rtol=1e-12, atol=1e-12 * np.abs(one).max())


def test_a_rectangle_with_equal_sides_resembles_a_disc_of_its_area():
    y, depth, across = np.linspace(0, 20, 41), np.array([2.0]), np.array([0.0, 1.0])
    grid = FDI.frequencies(30.0)
    disc = FDI.derivative(depth, across, y, Disc(radius_mm=0.5), grid)
    square = Rectangle(across_mm=np.sqrt(np.pi) / 2, along_mm=np.sqrt(np.pi) / 2)
    assert gap(FDI.derivative(depth, across, y, square, grid), disc) < 5e-3
    assert gap(FDI.derivative(depth, across, y, PointContact(), grid), disc) > 2e-2


def test_a_wetter_skin_and_a_thicker_fat_lower_the_potential():
    y, grid = np.linspace(0, 20, 41), FDI.frequencies(30.0)

    def peak(body, depth):
        return np.abs(body.derivative(np.array([depth]), np.zeros(1), y, PointContact(), grid)).max()

    assert peak(FDI.replace(skin_S_per_m=1.0), 2.0) < 0.5 * peak(FDI, 2.0)
    assert peak(FDI.replace(fat_mm=3.0), 2.0 + 2.7) < 0.5 * peak(FDI, 2.0)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: LayeredCylinder(muscle_mm=-1.0, fat_mm=1, skin_mm=1), "LayeredCylinder.muscle_mm"),
        (lambda: LayeredCylinder(muscle_mm=10.0, bone_mm=12.0, fat_mm=1, skin_mm=1),
         "LayeredCylinder.bone_mm"),
        (lambda: LayeredCylinder(muscle_mm=10.0, bone_mm=-2.0, fat_mm=1, skin_mm=1),
         "LayeredCylinder.bone_mm"),
        (lambda: LayeredCylinder(muscle_mm=10.0, fat_mm=-1, skin_mm=1), "LayeredCylinder.fat_mm"),
        (lambda: LayeredCylinder(muscle_mm=10.0, fat_mm=0, skin_mm=0), "LayeredCylinder.fat_mm, skin_mm"),
        (lambda: PlanarLayers(fat_mm=1, skin_mm=1, skin_S_per_m=0), "PlanarLayers.skin_S_per_m"),
        (lambda: PlanarLayers(fat_mm=1, skin_mm=1, deepest_mm=np.nan), "PlanarLayers.deepest_mm"),
        (lambda: InfiniteMedium(radial_S_per_m=-0.1), "InfiniteMedium.radial_S_per_m"),
    ],
)  # fmt: skip
def test_bodies_that_cannot_be(make, field):
    with pytest.raises(ParameterError) as error:
        make()
    assert error.value.field == field


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        (LIMB, (0.0, 5.0, 0.0), "inside the bone"),
        (LIMB, (0.0, 45.0, 0.0), "off the skin"),
        (LIMB, (0.0, 60.0, 0.0), "off the skin"),
        (PLANE, (0.0, 3.0, 0.0), "off the skin"),
        (InfiniteMedium(), (0.0, 0.0, 0.0), "on a skin"),
    ],
)
def test_contacts_where_none_can_be(body, place, words):
    with pytest.raises(ParameterError, match=words):
        body.check_electrodes(Electrodes([place]))


@pytest.mark.parametrize(
    ("body", "place"),
    [(LIMB, (0, 9.9)), (LIMB, (0, 45.1)), (FDI, (5, 5)), (PLANE, (0, 0.1)), (PLANE, (0, -41))],
)
def test_fibres_outside_the_muscle(body, place):
    with pytest.raises(ParameterError, match="fibre 1 at"):
        inside = (0.0, 20.0) if body is LIMB else (0.0, -5.0)
        x, y = np.array([inside, place], dtype=float).T
        body.check_fibres(x, y)


@pytest.mark.parametrize("body", [FDI, LIMB, PLANE])
def test_the_skin_keeps_distances(body):
    points = body.on_skin(np.linspace(-10, 10, 2001), np.full(2001, 3.0))
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert np.allclose(steps, 0.01, rtol=1e-6)
    assert np.allclose(body.across_mm(points[:, 0], points[:, 1]), np.linspace(-10, 10, 2001))
    body.check_electrodes(Electrodes(points))


def test_an_infinite_medium_has_no_skin():
    with pytest.raises(ParameterError, match="no skin"):
        InfiniteMedium().on_skin(np.zeros(1), np.zeros(1))
