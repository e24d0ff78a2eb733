import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myoloop.data import ContactCloud, Disc, PointContact, Rectangle
from myoloop.emg._electrodes._figures import draw_electrodes
from myoloop.emg._electrodes._grids import SurfaceGrid
from myoloop.errors import MyoloopError, ParameterError
from myoloop.viz import draw


class Skin:
    """A round skin of that radius, or a flat one at y = 3 mm; only what a grid asks of a conductor."""

    def __init__(self, radius_mm=None):
        self.radius_mm = radius_mm

    def check_electrodes(self, electrodes):
        pass

    def on_skin(self, across_mm, along_mm):
        if self.radius_mm is None:
            return np.stack([across_mm, np.full_like(across_mm, 3.0), along_mm], axis=1)
        angle, c = across_mm / self.radius_mm, self.radius_mm
        return np.stack([c * np.sin(angle), c * np.cos(angle), along_mm], axis=1)


FLAT, LIMB = Skin(), Skin(radius_mm=30.0)


def test_rows_go_along_the_fibres_and_columns_across():
    grid = SurfaceGrid(rows=3, columns=2, pitch_mm=4.0, column_pitch_mm=6.0).on(FLAT)
    np.testing.assert_allclose(grid.position_mm[:, 2], [-4, -4, 0, 0, 4, 4])
    np.testing.assert_allclose(grid.position_mm[:, 0], [-3, 3, -3, 3, -3, 3])
    np.testing.assert_allclose(grid.position_mm[:, 1], 3.0)
    assert grid.names == ("R01C01", "R01C02", "R02C01", "R02C02", "R03C01", "R03C02")
    assert grid.place.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]
    assert grid.pitch_mm == 4.0 and not grid.intramuscular


def test_usual_grids():
    large, small = SurfaceGrid.grid_13x5(), SurfaceGrid.grid_13x5(4)
    assert (large.n_contacts, large.pitch_mm, small.pitch_mm) == (64, 8.0, 4.0)
    assert len(large.on(LIMB)) == 64 and "R01C01" not in large.on(LIMB).names
    assert len(large.replace(derivation="bipolar").on(LIMB)) == 59
    assert len(SurfaceGrid.grid_8x8().on(LIMB)) == 64 == len(SurfaceGrid().on(LIMB))
    assert SurfaceGrid() == SurfaceGrid.grid_8x8()
    assert SurfaceGrid.grid_8x8(missing=((7, 7),)).n_contacts == 63
    bars = SurfaceGrid.linear_array(8, pitch_mm="0.5 cm").on(LIMB)
    assert len(bars) == 7 and bars.n_contacts == 8 and bars.pitch_mm == 5.0
    pair = SurfaceGrid.pair(along_mm=10).on(FLAT)
    assert pair.names == ("R01C01-R02C01",)
    np.testing.assert_allclose(pair.position_mm[:, 2], [0, 20])
    np.testing.assert_allclose(pair.channel_position_mm, [[0, 3, 10]])


@given(st.floats(-360, 360), st.floats(-50, 50), st.floats(-50, 50), st.floats(4, 12), st.floats(20.0, 200.0))
def test_a_bent_grid_keeps_its_distances_on_the_skin(rotation, across, along, pitch, radius):
    spec = SurfaceGrid(
        rows=4, columns=3, pitch_mm=pitch, rotation_deg=rotation, across_mm=across, along_mm=along
    )
    limb, flat = spec.on(Skin(radius_mm=radius)).position_mm, spec.on(FLAT).position_mm
    np.testing.assert_allclose(np.hypot(limb[:, 0], limb[:, 1]), radius)
    np.testing.assert_allclose(limb[:, 2], flat[:, 2])
    arc = np.arctan2(limb[:, 0], limb[:, 1]) * radius
    turn = 2 * np.pi * radius
    np.testing.assert_allclose(
        (arc - flat[:, 0] + turn / 2) % turn, turn / 2, atol=1e-7
    )  # equal up to whole turns
    # No more than chords shrink: the limb bends the grid, and never stretches it.
    chord = np.linalg.norm(limb[:, None] - limb, axis=2)
    plane = np.linalg.norm(flat[:, None] - flat, axis=2)
    assert np.all(chord <= plane + 1e-9)
    np.testing.assert_allclose(flat.mean(axis=0), [across, 3, along], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(flat[3] - flat[0]), pitch)


def test_a_large_limb_is_flat():
    spec = SurfaceGrid.grid_13x5(rotation_deg=20)
    huge = spec.on(Skin(radius_mm=1e8)).position_mm - [0, 1e8, 0]
    np.testing.assert_allclose(huge, spec.on(FLAT).position_mm - [0, 3, 0], atol=1e-5)


def test_rotation_goes_from_across_towards_along_and_takes_rectangles_with_it():
    spec = SurfaceGrid(rows=1, columns=2, pitch_mm=10, contact=Rectangle(across_mm=4.0, along_mm=1.0))
    quarter = spec.replace(rotation_deg=90).on(FLAT)
    np.testing.assert_allclose(quarter.position_mm, [[0, 3, -5], [0, 3, 5]], atol=1e-12)
    assert quarter.shapes[0].angle_deg == 90
    offsets, _ = quarter.shapes[0].nodes()
    assert np.ptp(offsets[:, 2]) > 3 and np.ptp(offsets[:, 0]) < 1
    k = np.array([0.4])
    np.testing.assert_allclose(
        quarter.shapes[0].transform(k, 0 * k), spec.on(FLAT).shapes[0].transform(0 * k, k)
    )
    # The whole sheet turns as one body: offsets of the nodes follow the offsets of the contacts.
    turned = spec.replace(rotation_deg=33).on(FLAT)
    direction = turned.position_mm[1] - turned.position_mm[0]
    nodes = turned.shapes[0].nodes()[0]
    long_axis = nodes[np.argmax(np.linalg.norm(nodes, axis=1))]
    np.testing.assert_allclose(direction / 10, [np.cos(np.radians(33)), 0, np.sin(np.radians(33))])
    inertia = np.linalg.eigh(nodes.T @ nodes)[1][:, -1]
    assert abs(inertia @ direction) == pytest.approx(10, rel=1e-9) and np.any(long_axis)
    assert SurfaceGrid(rotation_deg=33).on(FLAT).shapes[0] == SurfaceGrid().contact


def test_a_grid_does_not_go_round_the_limb_twice():
    columns, limb = 20, Skin(radius_mm=40.0)
    around = 2 * np.pi * 40.0 / columns
    ring = SurfaceGrid(rows=1, columns=columns, pitch_mm=around)
    band = ring.on(limb).position_mm
    gaps = np.linalg.norm(band - np.roll(band, 1, axis=0), axis=1)
    np.testing.assert_allclose(gaps, gaps[0])  # closed: each contact has two neighbours at the same distance
    with pytest.raises(ParameterError, match=r"^SurfaceGrid\.column_pitch_mm: .* round the whole limb"):
        ring.replace(columns=columns + 1).on(limb)
    with pytest.raises(ParameterError, match="round the whole limb"):
        ring.replace(columns=50).on(limb)
    ring.replace(columns=50).on(FLAT)
    ring.replace(rows=50, columns=1).on(limb)


BAD = [
    ("rows", {"rows": 0}),
    ("rows", {"rows": 1.5}),
    ("columns", {"columns": -3}),
    ("columns", {"columns": True}),
    ("rows", {"rows": 10**6, "columns": 10**6}),
    ("pitch_mm", {"pitch_mm": 0}),
    ("pitch_mm", {"pitch_mm": -8}),
    ("pitch_mm", {"pitch_mm": np.nan}),
    ("pitch_mm", {"pitch_mm": "8 s"}),
    ("pitch_mm", {"pitch_mm": [8, 8]}),
    ("column_pitch_mm", {"column_pitch_mm": -1}),
    ("across_mm", {"across_mm": np.inf}),
    ("along_mm", {"along_mm": None}),
    ("rotation_deg", {"rotation_deg": np.nan}),
    ("contact", {"contact": "disc"}),
    ("contact", {"contact": 1.0}),
    ("contact", {"contact": ContactCloud(offset_mm=np.zeros((1, 3)), weight=[1.0])}),
    ("contact", {"contact": Disc(radius_mm=5.1)}),
    ("contact", {"contact": Rectangle(across_mm=11.0, along_mm=1.0)}),
    ("contact", {"contact": Rectangle(across_mm=14.2, along_mm=1.0, angle_deg=45)}),
    ("missing", {"missing": ((8, 0),)}),
    ("missing", {"missing": ((-1, 0),)}),
    ("missing", {"missing": (1, 2, 3)}),
    ("missing", {"missing": ((0.5, 1),)}),
    ("missing", {"missing": "corner"}),
    ("missing", {"missing": None}),
    ("missing", {"missing": ((0, 0), (1,))}),
    ("missing", {"rows": 1, "columns": 1, "missing": ((0, 0),)}),
    ("derivation", {"derivation": "tripolar"}),
    ("derivation", {"derivation": None}),
]


@pytest.mark.parametrize(("field", "given_"), BAD)
def test_bad_input_names_its_field(field, given_):
    with pytest.raises(MyoloopError, match=rf"^SurfaceGrid\.{field}: "):
        SurfaceGrid(**given_)


def test_contacts_may_come_close_but_not_overlap():
    SurfaceGrid(contact=Disc(radius_mm=5.0))
    SurfaceGrid(contact=Rectangle(across_mm=10.0, along_mm=10.0))
    SurfaceGrid(contact=Rectangle(across_mm=14.0, along_mm=0.1, angle_deg=45))  # past its neighbour's end
    SurfaceGrid(rows=1, columns=1, contact=Disc(radius_mm=100.0))
    SurfaceGrid(pitch_mm=0.01, contact=PointContact())


def test_a_grid_too_small_for_its_derivation_says_so_on_the_skin():
    with pytest.raises(ParameterError, match=r"^laplacian\.electrodes: none of the 4 contacts"):
        SurfaceGrid(rows=2, columns=2, derivation="laplacian").on(FLAT)


def test_the_conductor_is_asked_whether_contacts_may_be_there():
    class Picky(Skin):
        def check_electrodes(self, electrodes):
            raise ParameterError("Electrodes.position_mm", "contact 0 is off the skin", "move it")

    with pytest.raises(ParameterError, match="off the skin"):
        SurfaceGrid().on(Picky())


WHATEVER = st.one_of(
    st.floats(), st.integers(-10, 100), st.text(max_size=4), st.none(), st.booleans(), st.lists(st.floats())
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "rows",
                "columns",
                "pitch_mm",
                "column_pitch_mm",
                "contact",
                "across_mm",
                "along_mm",
                "rotation_deg",
                "missing",
                "derivation",
            ]
        ),
        WHATEVER,
        max_size=4,
    )
)
def test_any_input_gives_a_sound_grid_or_one_clear_error(given_):
    try:
        electrodes = SurfaceGrid(**given_).on(LIMB)
    except MyoloopError:
        return
    assert np.all(np.isfinite(electrodes.position_mm)) and len(electrodes) >= 1


def test_the_picture_shows_contacts_to_scale():
    bar = Rectangle(across_mm=4.0, along_mm=1.0)
    pair = SurfaceGrid(rows=2, columns=1, pitch_mm=6.0, contact=bar, derivation="bipolar").on(FLAT)
    angle = np.linspace(0, 2 * np.pi, 60)
    figure = draw_electrodes(pair, {"muscle": np.stack([20 * np.cos(angle), 20 * np.sin(angle)], axis=1)})
    section, skin = figure.panels
    assert section.layers[0].label == "muscle"
    link, outline = skin.layers[:2]
    np.testing.assert_allclose(link.y[:2], [-3, 3])
    assert np.nanmax(outline.x) == 2.0 and np.nanmin(outline.y) == -3.5
    for panel in figure.panels:  # one scale on both axes
        assert np.ptp(panel.x_range) / np.ptp(panel.y_range) == pytest.approx(3.75 / 3.35)
    rolled = draw_electrodes(SurfaceGrid(rows=1, columns=5, pitch_mm=20.0).on(LIMB)).panels[1]
    np.testing.assert_allclose(np.ptp(rolled.layers[-1].x), 0)
    np.testing.assert_allclose(rolled.layers[-1].x, -40.0)  # the arc, not x
    assert rolled.x_label == "across the skin (mm)"
    draw(figure)


@pytest.mark.parametrize(
    "outline", [[[1, 2]], "abc", [[1, 2, 3]] * 4, [[0, 0], [1, 1], [np.nan, 0]], {"a": 3}]
)
def test_a_bad_outline_is_refused(outline):
    with pytest.raises(ParameterError, match=r"^draw_electrodes\.section_outline: "):
        draw_electrodes(SurfaceGrid().on(FLAT), outline)
