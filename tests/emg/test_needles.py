import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myoloop.emg._electrodes._figures import draw_electrodes
from myoloop.emg._electrodes._filters import bipolar, laplacian
from myoloop.emg._electrodes._needles import ConcentricNeedle, FineWire, IntramuscularElectrode, ThinFilmArray
from myoloop.errors import MyoloopError, ParameterError

KINDS = [FineWire, ConcentricNeedle, ThinFilmArray]


class Skin:
    """A round skin of 40 mm, or a flat one at y = 3 mm; only what electrodes ask of a conductor."""

    def __init__(self, radius_mm=None):
        self.c = radius_mm

    def on_skin(self, across_mm, along_mm):
        if self.c is None:
            return np.stack([across_mm, np.full_like(across_mm, 3.0), along_mm], axis=1)
        angle = across_mm / self.c
        return np.stack([self.c * np.sin(angle), self.c * np.cos(angle), along_mm], axis=1)


FLAT, LIMB = Skin(), Skin(40.0)


def nodes(electrodes, contact):
    offsets, weights = electrodes.shapes[contact].nodes()
    return electrodes.position_mm[contact] + offsets, weights


def mean_inverse_distance(electrodes, contact, source):
    points, weights = nodes(electrodes, contact)
    return np.sum(weights / np.linalg.norm(points - source, axis=1))


# ---- where they are


@pytest.mark.parametrize("kind", KINDS)
def test_upright_it_goes_straight_in(kind):
    at_depth = kind(depth_mm=25.0, along_mm=7.0, across_mm=0.0)
    for skin, y in ((FLAT, 3.0), (LIMB, 40.0)):
        electrodes = at_depth.on(skin)
        assert electrodes.intramuscular
        every = np.concatenate([nodes(electrodes, i)[0] for i in range(electrodes.n_contacts)])
        assert every[:, 1].min() >= y - 25.5 and every[:, 1].max() <= y + 1e-6
        np.testing.assert_allclose(every[:, 2].mean(), 7.0, atol=0.3)
        np.testing.assert_allclose(every[:, 0].mean(), 0.0, atol=0.3)


def test_on_a_round_limb_it_points_at_the_axis():
    core = ConcentricNeedle(across_mm=20.0, depth_mm=10.0).on(LIMB).position_mm[0]
    angle = 20.0 / 40.0
    np.testing.assert_allclose(core, [30 * np.sin(angle), 30 * np.cos(angle), 0], atol=1e-9)


def test_tilts_lean_the_tip_along_and_across():
    site = ThinFilmArray(rows=5, tilt_along_deg=30.0, depth_mm=10.0).on(FLAT).position_mm
    np.testing.assert_allclose(site[0], [0, 3 - 10 * np.cos(np.pi / 6), 5.0], atol=1e-9)
    across = ThinFilmArray(rows=5, tilt_across_deg=30.0, depth_mm=10.0).on(FLAT).position_mm
    np.testing.assert_allclose(across[0], [5.0, 3 - 10 * np.cos(np.pi / 6), 0], atol=1e-9)
    # Rows go back towards the skin along the shaft.
    np.testing.assert_allclose(site[4] - site[0], [0, 2 * np.cos(np.pi / 6), -1.0], atol=1e-9)


@given(st.floats(-89, 89), st.floats(-89, 89), st.floats(-720, 720), st.floats(-60, 60))
def test_it_stays_a_rigid_body(along, across, spin, entry):
    turned = {"tilt_along_deg": along, "tilt_across_deg": across, "spin_deg": spin, "across_mm": entry}
    spec = ThinFilmArray(rows=3, columns=2, pitch_mm=1.0, depth_mm=10.0)
    every = [
        np.concatenate([nodes(electrodes, i)[0] for i in range(6)])
        for electrodes in (
            spec.on(FLAT),
            spec.replace(**turned).on(LIMB),
            spec.replace(**turned).at([1, -9, 2]),
        )
    ]
    distances = [np.linalg.norm(points[:, None] - points, axis=2) for points in every]
    np.testing.assert_allclose(distances[1], distances[0], atol=1e-8)
    np.testing.assert_allclose(distances[2], distances[0], atol=1e-8)
    # Not mirrored either.
    volume = [np.linalg.det(points[[8, 16, 9]] - points[0]) for points in every]
    np.testing.assert_allclose(volume[1:], volume[0], atol=1e-8)


def test_at_puts_the_site_at_the_point():
    point = [1.0, -4.0, 9.0]
    np.testing.assert_allclose(ConcentricNeedle().at(point).position_mm[0], point)
    np.testing.assert_allclose(ThinFilmArray(tilt_along_deg=20).at(point).position_mm[0], point)
    wire = FineWire(tilt_across_deg=20).at(point)
    tip = np.array([np.sin(np.radians(20)), -np.cos(np.radians(20)), 0.0])
    np.testing.assert_allclose(wire.position_mm[0], point - 0.5 * tip)
    np.testing.assert_allclose(wire.position_mm[1] - wire.position_mm[0], -2.0 * tip)
    for bad in (None, 3.0, [1, 2], [1, 2, np.nan], [[1, 2, 3]], "abc", [1, 2, "x"]):
        with pytest.raises(ParameterError, match=r"^FineWire\.at: "):
            FineWire().at(bad)


def test_spin_turns_the_face():
    across, along = (ConcentricNeedle(spin_deg=a).at([0, 0, 0]) for a in (0.0, 90.0))
    n = [np.linalg.eigh(np.cov(nodes(e, 0)[0].T))[1][:, 0] for e in (across, along)]  # normal of the core
    # At right angles to the bevel: mostly to the side, by 15 degrees to the tip.
    np.testing.assert_allclose(
        n[0] * np.sign(n[0][0]), [np.cos(np.pi / 12), -np.sin(np.pi / 12), 0], atol=1e-9
    )
    np.testing.assert_allclose(
        n[1] * np.sign(n[1][2]), [0, -np.sin(np.pi / 12), np.cos(np.pi / 12)], atol=1e-9
    )


# ---- what they are


def test_the_standard_concentric_needle():
    needle = ConcentricNeedle()
    assert needle.core_area_mm2 == pytest.approx(0.07, rel=0.03)
    electrodes = needle.at([0, 0, 0])
    points, weights = nodes(electrodes, 0)
    spread = np.sqrt(np.linalg.eigvalsh((points * weights[:, None]).T @ points))
    # Variance over an ellipse is a quarter of the squared half axis.
    np.testing.assert_allclose(2 * 2 * spread, [0, 0.15, 0.15 / np.sin(np.pi / 12)], atol=1e-7)
    assert electrodes.matrix.tolist() == [[1, -1]] and electrodes.names == ("CORE-CANNULA",)
    assert needle.replace(derivation="core").at([0, 0, 0]).matrix.tolist() == [[1, 0]]
    assert needle.replace(derivation="cannula").at([0, 0, 0]).matrix.tolist() == [[0, 1]]
    assert len(nodes(electrodes, 1)[1]) <= 24 and len(weights) <= 16


def test_a_potential_that_is_everywhere_the_same_is_not_seen():
    for electrodes in (FineWire().at([0, 0, 0]), ConcentricNeedle().at([0, 0, 0])):
        for i in range(2):
            assert nodes(electrodes, i)[1].sum() == pytest.approx(1, abs=1e-12)
        assert electrodes.matrix.sum() == 0


def test_the_wires():
    wire = FineWire(bare_mm=1.0, spacing_mm=3.0).at([0, 0, 0])
    for contact, far in ((0, 0.0), (1, 3.0)):
        points, weights = nodes(wire, contact)
        assert far < points[:, 1].min() and points[:, 1].max() < far + 1.0
        assert weights @ points[:, 1] == pytest.approx(far + 0.5)
    assert wire.names == ("W1-W2",) and len(wire) == 1
    assert FineWire(derivation="monopolar").at([0, 0, 0]).names == ("W1", "W2")
    cut = FineWire(bare_mm=0.0, diameter_um=100.0).at([0, 0, 0])
    points, weights = nodes(cut, 0)
    np.testing.assert_allclose(points[:, 1], 0, atol=1e-12)
    assert weights @ (points[:, 0] ** 2 + points[:, 2] ** 2) == pytest.approx(0.05**2 / 2)


@pytest.mark.parametrize(("rows", "columns"), [(40, 1), (64, 4), (16, 1), (1, 1)])
def test_thin_film_arrays_of_any_size(rows, columns):
    film = ThinFilmArray(rows=rows, columns=columns, depth_mm=40.0).on(LIMB)
    assert len(film) == film.n_contacts == rows * columns
    assert film.place.max(axis=0).tolist() == [rows - 1, columns - 1]
    depth = 40.0 - np.hypot(*film.position_mm[:, :2].T)
    assert np.all(np.diff(depth[::columns]) < 0)  # row 0 is the deepest
    points, weights = nodes(film, 0)
    half = np.sqrt(3 * weights @ (points - film.position_mm[0]) ** 2)  # of a uniform distribution
    np.testing.assert_allclose(sorted(half), [0, 0.02, 0.07], atol=1e-9)
    assert len({id(shape) for shape in film.shapes}) == 1
    if rows > 1:
        assert len(bipolar(film)) == (rows - 1) * columns
        direct = ThinFilmArray(rows=rows, columns=columns, depth_mm=40.0, derivation="bipolar").on(LIMB)
        np.testing.assert_array_equal(direct.matrix, bipolar(film).matrix)
    if columns > 2:
        assert len(laplacian(film)) == (rows - 2) * (columns - 2)


# ---- how good their quadratures are: the mean of 1/distance


def cylinder_mean(radius, start, length, source):
    """Mean of 1/distance over the surface of a cylinder along y: exact along it, 200 lines around it."""
    angle = np.arange(200) * np.pi / 100
    off = np.hypot(source[0] - radius * np.cos(angle), source[2] - radius * np.sin(angle))
    ends = np.array([[start + length], [start]]) - source[1]
    return np.mean(np.subtract(*np.arcsinh(ends / off))) / length


@pytest.mark.parametrize(("off_mm", "worst"), [(0.1, 0.04), (0.3, 0.01), (1.0, 0.002)])
def test_mean_over_the_cannula(off_mm, worst):
    needle = ConcentricNeedle(depth_mm=15.0).at([0, 0, 0])
    rng = np.random.default_rng(1)
    for _ in range(30):
        angle, y = rng.random() * 2 * np.pi, rng.uniform(-0.3, 3.0)
        source = np.array([(0.23 + off_mm) * np.cos(angle), y, (0.23 + off_mm) * np.sin(angle)])
        exact = cylinder_mean(0.23, 0.0, 15.0, source)
        assert mean_inverse_distance(needle, 1, source) == pytest.approx(exact, rel=worst)


@pytest.mark.parametrize(("off_mm", "worst"), [(0.1, 0.05), (0.2, 0.01), (0.5, 0.001)])
def test_mean_over_a_bare_wire(off_mm, worst):
    wire = FineWire().at([0, 0, 0])
    rng = np.random.default_rng(2)
    for _ in range(30):
        angle, y = rng.random() * 2 * np.pi, rng.uniform(-0.1, 1.1)
        source = np.array([off_mm * np.cos(angle), y, off_mm * np.sin(angle)])
        exact = cylinder_mean(0.025, 0.0, 1.0, source)
        assert mean_inverse_distance(wire, 0, source) == pytest.approx(exact, rel=worst)


GAUSS = np.polynomial.legendre.leggauss(100)


def flat_mean(electrodes, half_u, half_v, axis_u, axis_v, source, *, ellipse):
    x, w = GAUSS
    u, v = np.meshgrid(x, x, indexing="ij")
    weight = np.outer(w, w)
    if ellipse:
        v = v * np.sqrt(1 - u**2)
        weight = weight * np.sqrt(1 - u**2)
    points = electrodes.position_mm[0] + half_u * u[..., None] * axis_u + half_v * v[..., None] * axis_v
    return np.sum(weight / np.linalg.norm(points - source, axis=-1)) / weight.sum()


def test_mean_over_the_core():
    needle = ConcentricNeedle().at([0, 0, 0])
    c, s = np.cos(np.pi / 12), np.sin(np.pi / 12)
    major, minor, normal = np.array([-s, -c, 0]), np.array([0, 0, 1.0]), np.array([c, -s, 0])
    rng = np.random.default_rng(3)
    for _ in range(30):
        source = 0.1 * normal + rng.uniform(-0.5, 0.5) * major + rng.uniform(-0.3, 0.3) * minor
        exact = flat_mean(needle, 0.15 / 2 / s, 0.075, major, minor, source, ellipse=True)
        assert mean_inverse_distance(needle, 0, source) == pytest.approx(exact, rel=0.01)


def test_mean_over_a_contact_of_a_film():
    film = ThinFilmArray(rows=1).at([0, 0, 0])
    along, beside, normal = np.array([0, -1.0, 0]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0])
    rng = np.random.default_rng(4)
    for _ in range(30):
        source = 0.05 * normal + rng.uniform(-0.2, 0.2) * along + rng.uniform(-0.2, 0.2) * beside
        exact = flat_mean(film, 0.07, 0.02, along, beside, source, ellipse=False)
        assert mean_inverse_distance(film, 0, source) == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_they_can_be_drawn(kind):
    circle = [[40 * np.cos(a), 40 * np.sin(a)] for a in np.linspace(0, 6.28, 50)]
    section, side = draw_electrodes(kind(tilt_along_deg=30).on(LIMB), circle).panels
    assert (section.x_label, side.x_label) == ("x (mm)", "y (mm)")
    assert np.nanmax(side.layers[-2].y) > 3


# ---- bad input

BAD = [
    (FineWire, "depth_mm", {"depth_mm": 0}),
    (FineWire, "depth_mm", {"depth_mm": np.nan}),
    (FineWire, "bare_mm", {"bare_mm": -1}),
    (FineWire, "bare_mm", {"bare_mm": 2.0, "spacing_mm": 2.0}),
    (FineWire, "spacing_mm", {"spacing_mm": 0}),
    (FineWire, "diameter_um", {"diameter_um": "1 s"}),
    (FineWire, "tilt_along_deg", {"tilt_along_deg": 90}),
    (FineWire, "tilt_across_deg", {"tilt_across_deg": -90}),
    (FineWire, "derivation", {"derivation": "concentric"}),
    (ConcentricNeedle, "core_um", {"core_um": 500}),
    (ConcentricNeedle, "core_um", {"core_um": 0}),
    (ConcentricNeedle, "bevel_deg", {"bevel_deg": 0}),
    (ConcentricNeedle, "bevel_deg", {"bevel_deg": 91}),
    (ConcentricNeedle, "cannula_mm", {"cannula_mm": -1}),
    (ConcentricNeedle, "cannula_mm", {"cannula_mm": 16, "depth_mm": 15}),
    (ConcentricNeedle, "spin_deg", {"spin_deg": np.inf}),
    (ThinFilmArray, "rows", {"rows": 0}),
    (ThinFilmArray, "rows", {"rows": 10**5}),
    (ThinFilmArray, "columns", {"columns": 2.5}),
    (ThinFilmArray, "pitch_mm", {"pitch_mm": -0.5}),
    (ThinFilmArray, "length_um", {"length_um": 500}),
    (ThinFilmArray, "width_um", {"columns": 2, "column_pitch_mm": 0.03}),
    (ThinFilmArray, "width_um", {"width_um": np.nan}),
    (ThinFilmArray, "derivation", {"derivation": "x"}),
]


@pytest.mark.parametrize(("kind", "field", "given_"), BAD)
def test_bad_input_names_its_field(kind, field, given_):
    with pytest.raises(MyoloopError, match=rf"^{kind.__name__}\.{field}: "):
        kind(**given_)


def test_contacts_outside_the_skin_are_refused():
    with pytest.raises(ParameterError, match=r"^ThinFilmArray\.depth_mm: .* contacts reach back 19\.5 mm"):
        ThinFilmArray(depth_mm=19.0).on(LIMB)
    with pytest.raises(ParameterError, match=r"^FineWire\.depth_mm: "):
        FineWire(depth_mm=3.0).on(LIMB)
    ThinFilmArray(depth_mm=1.0).at([0, 0, 0])  # a medium without skin has no such limit


def test_the_base_is_abstract():
    with pytest.raises(TypeError):
        IntramuscularElectrode()


WHATEVER = st.one_of(st.floats(), st.integers(-10, 100), st.text(max_size=4), st.none(), st.booleans())
NAMES = [
    "across_mm",
    "along_mm",
    "depth_mm",
    "tilt_along_deg",
    "tilt_across_deg",
    "spin_deg",
    "derivation",
    "bare_mm",
    "spacing_mm",
    "diameter_um",
    "core_um",
    "cannula_um",
    "bevel_deg",
    "cannula_mm",
    "rows",
    "columns",
    "pitch_mm",
    "column_pitch_mm",
    "length_um",
    "width_um",
]


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), WHATEVER, max_size=5))
def test_any_input_gives_a_sound_electrode_or_one_clear_error(kind, given_):
    known = kind.__dataclass_fields__
    try:
        electrodes = kind(**{name: value for name, value in given_.items() if name in known}).on(LIMB)
    except MyoloopError:
        return
    assert np.all(np.isfinite(electrodes.position_mm)) and len(electrodes) >= 1
    assert all(shape.nodes()[1].sum() == pytest.approx(1) for shape in electrodes.shapes)
