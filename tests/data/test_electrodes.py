import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myoloop.data import ContactCloud, Disc, Electrodes, PointContact, Rectangle
from myoloop.errors import MyoloopError, ParameterError

CONTACTS = [
    PointContact(),
    Disc(radius_mm=0.7),
    Rectangle(across_mm=3.0, along_mm=1.0),
    Rectangle(across_mm=3.0, along_mm=1.0, angle_deg=25.0),
]
THREE = np.array([[0.0, 10, 0], [5, 10, 0], [0, 10, 5]])


# ---- contacts


@pytest.mark.parametrize("contact", CONTACTS)
def test_nodes_average_as_the_transform_does(contact):
    """The mean of a long wave over the contact is its transform: two ways to the same number."""
    points, weights = contact.nodes()
    assert weights.sum() == pytest.approx(1) and np.all(points[:, 1] == 0)
    for across, along in ((0.0, 0.0), (0.4, 0.0), (0.0, 0.4), (0.3, 0.2), (0.3, -0.2)):
        mean = weights @ np.exp(1j * (across * points[:, 0] + along * points[:, 2]))
        assert contact.transform(np.float64(across), np.float64(along)) == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize("contact", CONTACTS)
@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, -45.0])
def test_a_rotated_contact_is_seen_in_a_rotated_frame(contact, angle):
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    k = np.random.default_rng(0).standard_normal((20, 2))
    turned = k @ np.array([[c, s], [-s, c]])
    np.testing.assert_allclose(
        contact.rotated(angle).transform(*turned.T), contact.transform(*k.T), atol=1e-12
    )


@pytest.mark.parametrize("contact", CONTACTS)
def test_outlines_enclose_the_nodes(contact):
    rim, nodes = contact.outline(), contact.nodes()[0]
    for direction in np.random.default_rng(1).standard_normal((20, 3)):
        assert (rim @ direction).max() >= (nodes @ direction).max() - 1e-12


@given(st.floats(-4, 4), st.floats(-4, 4))
def test_overlap(across, along):
    """Against the plain meaning: some point of the one lies within the other."""
    contact = Rectangle(across_mm=3.0, along_mm=1.0, angle_deg=25.0)
    c, s = np.cos(np.radians(25)), np.sin(np.radians(25))
    own = np.stack(np.meshgrid(np.linspace(-1.499, 1.499, 41), np.linspace(-0.499, 0.499, 21)), axis=-1)
    shifted = own + np.array([c * across + s * along, c * along - s * across])
    hit = np.any(np.all(np.abs(shifted) < (1.5, 0.5), axis=-1))
    if hit:
        assert contact.overlaps(across, along)
    if contact.overlaps(across * 1.1, along * 1.1):  # not only by a hair
        assert hit
    disc = Disc(radius_mm=1.0)
    assert disc.overlaps(across, along) == (across**2 + along**2 < 4)
    assert PointContact().overlaps(0, 0) and not PointContact().overlaps(1e-9, 0)


def test_a_cloud():
    cloud = ContactCloud(offset_mm=[[0, 0, 0], [0, 1, 0]], weight=[0.25, 0.75])
    points, weights = cloud.nodes()
    assert points.shape == (2, 3) and weights.sum() == 1 and not cloud.is_flat
    assert cloud == ContactCloud(offset_mm=[[0, 0, 0], [0, 1, 0]], weight=[0.25, 0.75])
    assert cloud != ContactCloud(offset_mm=[[0, 0, 0], [0, 2, 0]], weight=[0.25, 0.75])
    assert cloud != PointContact() and len({cloud, cloud}) == 1
    with pytest.raises(ParameterError, match=r"^Electrodes\.contact: .* no place on the skin"):
        cloud.transform(np.zeros(1), np.zeros(1))


@pytest.mark.parametrize(
    ("field", "offset", "weight"),
    [
        ("offset_mm", [[0, 0]], [1]),
        ("offset_mm", [[0, 0, np.nan]], [1]),
        ("offset_mm", "abc", [1]),
        ("offset_mm", [], []),
        ("offset_mm", [[0, 0, 0], [1]], [1]),
        ("weight", [[0, 0, 0]], [0.9]),
        ("weight", [[0, 0, 0]], [np.nan]),
        ("weight", [[0, 0, 0]], ["x"]),
        ("weight", [[0, 0, 0]], None),
        ("weight", [[0, 0, 0]], [0.5, 0.5]),
    ],
)
def test_a_bad_cloud_is_refused(field, offset, weight):
    with pytest.raises(ParameterError, match=rf"^ContactCloud\.{field}: "):
        ContactCloud(offset_mm=offset, weight=weight)


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf, "x", None, [1, 2]])
def test_bad_sizes_are_refused(bad):
    for make in (lambda: Disc(radius_mm=bad), lambda: Rectangle(across_mm=1, along_mm=bad)):
        with pytest.raises(ParameterError, match=r"^(Disc\.radius|Rectangle\.along)_mm: "):
            make()


# ---- electrodes


def test_monopolar_by_default():
    electrodes = Electrodes(THREE)
    assert electrodes.names == ("E1", "E2", "E3") and len(electrodes) == electrodes.n_contacts == 3
    np.testing.assert_array_equal(electrodes.matrix, np.eye(3))
    np.testing.assert_array_equal(electrodes.channel_position_mm, THREE)
    assert electrodes.shapes == (PointContact(),) * 3
    shapes = (Disc(radius_mm=1), Disc(radius_mm=2), PointContact())
    assert Electrodes(THREE, shapes).shapes == shapes


def test_filters_are_applied_one_upon_another():
    electrodes = Electrodes(THREE).derived([[1, -1, 0], [0, 1, -1]], ("a", "b")).derived([[1, -1]], ("c",))
    assert electrodes.matrix.tolist() == [[1, -2, 1]] and electrodes.names == ("c",)
    np.testing.assert_allclose(electrodes.channel_position_mm, [THREE.mean(axis=0)])


def test_select():
    electrodes = Electrodes(THREE, place=[[0, 0], [0, 1], [1, 0]])
    chosen = electrodes.select([2, 0])
    assert chosen.names == ("E3", "E1") and chosen.n_contacts == 3
    assert electrodes.select(1).matrix.tolist() == [[0, 1, 0]]
    for bad in ([3], [-1], [0, 0], [0.5], [], "a", None, [[0]], [True, False, True]):
        with pytest.raises(ParameterError, match=r"^Electrodes\.select: "):
            electrodes.select(bad)


def test_what_is_given_is_copied_and_kept():
    position = THREE.copy()
    electrodes = Electrodes(position, place=np.array([[0, 0], [0, 1], [1, 0]]))
    position[:] = 0
    np.testing.assert_array_equal(electrodes.position_mm, THREE)
    for array in (electrodes.position_mm, electrodes.matrix, electrodes.place):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_joined():
    one = Electrodes(THREE, Disc(radius_mm=1.0), place=[[0, 0], [0, 1], [1, 0]], pitch_mm=5.0)
    other = Electrodes(THREE + 50, place=[[2, 3], [2, 4], [3, 3]], pitch_mm=5.0).derived(
        [[1, -1, 0]], ("E1-E2",)
    )
    both = Electrodes.joined(one, other)
    assert both.names == ("A-E1", "A-E2", "A-E3", "B-E1-E2") and both.n_contacts == 6
    np.testing.assert_array_equal(both.matrix[3], [0, 0, 0, 1, -1, 0])
    np.testing.assert_array_equal(both.matrix[:3, :3], np.eye(3))
    assert both.place.tolist() == [[0, 0], [0, 1], [1, 0], [2, 3], [2, 4], [3, 3]]
    assert both.pitch_mm == 5.0 and both.shapes[0] == Disc(radius_mm=1.0)
    again = Electrodes.joined(one, one, one)
    assert again.place[:, 1].tolist() == [0, 1, 0, 3, 4, 3, 6, 7, 6]
    assert Electrodes.joined(one, Electrodes(THREE)).place is None
    assert Electrodes.joined(one, Electrodes(THREE)).pitch_mm is None
    within = Electrodes(THREE, intramuscular=True)
    assert Electrodes.joined(within, within).intramuscular
    for bad in ((), (one, within), (one, "x"), (one,) * 27):
        with pytest.raises(ParameterError, match=r"^Electrodes\.joined: "):
            Electrodes.joined(*bad)


BAD = [
    ("position_mm", {"position_mm": [[1, 2]]}),
    ("position_mm", {"position_mm": []}),
    ("position_mm", {"position_mm": [[1, 2, np.nan]]}),
    ("position_mm", {"position_mm": "skin"}),
    ("position_mm", {"position_mm": [[1, 2, 3], [1]]}),
    ("position_mm", {"position_mm": None}),
    ("contact", {"contact": "disc"}),
    ("contact", {"contact": None}),
    ("contact", {"contact": (PointContact(),)}),
    ("contact", {"contact": (PointContact(), PointContact(), 3)}),
    ("derivation", {"derivation": np.eye(2)}),
    ("derivation", {"derivation": [[1, 0, np.inf]]}),
    ("derivation", {"derivation": [[0, 0, 0]]}),
    ("derivation", {"derivation": [[1, 0, 0], [1]]}),
    ("derivation", {"derivation": np.empty((0, 3))}),
    ("derivation", {"derivation": [1, 0, 0]}),
    ("names", {"names": ("a", "b")}),
    ("names", {"names": ("a", "a", "b")}),
    ("place", {"place": [[0, 0]]}),
    ("place", {"place": [[0, 0], [0, 0], [0, 1]]}),
    ("place", {"place": [[0, 0.5], [0, 1], [1, 1]]}),
    ("place", {"place": [[0, 0], [0]]}),
    ("pitch_mm", {"pitch_mm": 0}),
    ("pitch_mm", {"pitch_mm": -3}),
    ("pitch_mm", {"pitch_mm": np.nan}),
    ("pitch_mm", {"pitch_mm": "x"}),
    ("pitch_mm", {"pitch_mm": [1.0, 2.0]}),
]


@pytest.mark.parametrize(("field", "given_"), BAD)
def test_bad_electrodes_name_their_field(field, given_):
    with pytest.raises(ParameterError, match=rf"^Electrodes\.{field}: "):
        Electrodes(**({"position_mm": THREE} | given_))


def test_a_filter_whose_rows_do_not_fit_is_refused():
    electrodes = Electrodes(THREE)
    with pytest.raises(
        ParameterError, match=r"^Electrodes\.derivation: .* \(1, 2\) for 3 inputs; give rows of 3"
    ):
        electrodes.derived([[1, -1]])
    with pytest.raises(ParameterError, match=r"^Electrodes\.derivation: "):
        electrodes.derived([[1, 1, 1]]).derived([[1, 0, 0]])
    with pytest.raises(ParameterError, match=r"^Electrodes\.derivation: .*zeros only"):  # cancels out
        electrodes.derived([[1, -1, 0], [1, -1, 0]]).derived([[1, -1]])


@given(
    st.one_of(
        st.none(),
        st.text(max_size=3),
        st.lists(st.lists(st.floats(), max_size=4), max_size=4),
        st.lists(st.floats(), max_size=4),
    )
)
def test_any_matrix_gives_channels_or_one_clear_error(matrix):
    try:
        derived = Electrodes(THREE).derived(matrix)
    except MyoloopError:
        return
    assert derived.matrix.shape == (len(matrix), 3) and np.all(np.isfinite(derived.matrix))
