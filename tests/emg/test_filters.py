import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myoloop.data import Electrodes
from myoloop.emg._electrodes import _filters as filters
from myoloop.errors import ParameterError


def flat(rows, columns, missing=(), pitch=8.0):
    place = np.array([(r, c) for r in range(rows) for c in range(columns) if (r, c) not in missing])
    position = np.stack([place[:, 1] * pitch, np.zeros(len(place)), place[:, 0] * pitch], axis=1)
    return filters.monopolar(Electrodes(position, place=place, pitch_mm=pitch))


def applied(electrodes, field):
    return electrodes.matrix @ field(*electrodes.position_mm.T)


def constant(x, y, z):
    return np.full(x.shape, 3.7)


def gradient(x, y, z):
    return 1.5 * x - 0.3 * z + 2


DIFFERENTIAL = [
    filters.bipolar,
    filters.double_differential,
    filters.laplacian,
    filters.inverse_binomial,
    filters.common_average,
]


@pytest.mark.parametrize("derive", DIFFERENTIAL)
@pytest.mark.parametrize("missing", [(), ((0, 0),), ((3, 2), (7, 4))])
def test_what_is_everywhere_the_same_is_not_seen(derive, missing):
    np.testing.assert_allclose(applied(derive(flat(13, 5, missing)), constant), 0, atol=1e-12)


@pytest.mark.parametrize("derive", [filters.double_differential, filters.laplacian, filters.inverse_binomial])
def test_second_differences_do_not_see_a_gradient(derive):
    np.testing.assert_allclose(applied(derive(flat(13, 5, ((6, 2),))), gradient), 0, atol=1e-12)


def test_curvature_is_seen():
    grid = flat(9, 9, pitch=2.0)
    along = filters.double_differential(grid)
    np.testing.assert_allclose(applied(along, lambda x, y, z: z**2), -2 * 4.0)
    np.testing.assert_allclose(applied(along, lambda x, y, z: x**2), 0, atol=1e-10)
    across = filters.double_differential(grid, across=True)
    np.testing.assert_allclose(applied(across, lambda x, y, z: x**2), -2 * 4.0)
    np.testing.assert_allclose(
        applied(filters.laplacian(grid), lambda x, y, z: x**2 + 3 * z**2), -2 * (4.0 + 12.0)
    )
    # A harmonic field is invisible to the Laplacian, and to the binomial filter up to fourth order.
    np.testing.assert_allclose(applied(filters.laplacian(grid), lambda x, y, z: x * z), 0, atol=1e-10)


def test_bipolar_is_the_contact_minus_the_next_one_along_the_fibres():
    grid = flat(4, 3)
    along = filters.bipolar(grid)
    assert along.names[0] == "R01C01-R02C01"
    np.testing.assert_allclose(applied(along, lambda x, y, z: z), -8.0)
    np.testing.assert_allclose(applied(along, lambda x, y, z: x), 0.0)
    across = filters.bipolar(grid, across=True)
    assert across.names[0] == "R01C01-R01C02"
    np.testing.assert_allclose(applied(across, lambda x, y, z: x), -8.0)
    two = filters.bipolar(grid, step=2)
    assert two.names[0] == "R01C01-R03C01" and len(two) == 6
    np.testing.assert_allclose(applied(two, lambda x, y, z: z), -16.0)
    # The channel lies between its contacts.
    np.testing.assert_allclose(along.channel_position_mm[0], [0, 0, 4])


COUNTS = {
    # rows, columns, missing: bipolar, double differential, Laplacian, binomial
    (13, 5, ((0, 0),)): (59, 54, 33, 32),
    (13, 5, ()): (60, 55, 33, 33),
    (8, 8, ()): (56, 48, 36, 36),
    (8, 8, ((3, 3),)): (54, 45, 31, 27),
    (3, 3, ()): (6, 3, 1, 1),
}


@pytest.mark.parametrize(("layout", "counts"), COUNTS.items())
def test_number_of_channels(layout, counts):
    grid = flat(*layout)
    derive = (filters.bipolar, filters.double_differential, filters.laplacian, filters.inverse_binomial)
    assert tuple(len(one(grid)) for one in derive) == counts
    assert len(filters.common_average(grid)) == grid.n_contacts == len(filters.monopolar(grid))


def test_channels_are_named_after_their_middle():
    grid = flat(3, 3)
    assert filters.laplacian(grid).names == ("NDD-R02C02",)
    assert filters.inverse_binomial(grid).names == ("IB2-R02C02",)
    assert filters.double_differential(grid).names == ("DD-R02C01", "DD-R02C02", "DD-R02C03")
    assert filters.double_differential(grid, across=True).names == ("DD-R01C02", "DD-R02C02", "DD-R03C02")
    assert filters.common_average(grid).names[0] == "R01C01-MEAN"
    assert filters.spatial_filter(grid, np.eye(2)).names[0] == "F-R01C01"


def test_a_channel_left_out_counts_as_missing():
    grid = flat(3, 3)
    kept = grid.select([i for i in range(9) if i != 4])
    assert len(filters.bipolar(kept)) == 4
    np.testing.assert_allclose(applied(filters.bipolar(kept), constant), 0)
    with pytest.raises(ParameterError, match=r"^laplacian\.electrodes: none of the 8 contacts"):
        filters.laplacian(kept)
    # A channel of the remaining ones never uses the one left out.
    assert not np.any(filters.common_average(kept).matrix[:, 4])


def test_the_double_differential_is_the_difference_of_single_ones():
    grid = flat(6, 1)
    single = filters.bipolar(grid)
    twice = single.derived(-np.eye(5)[:-1] + np.eye(5)[1:])
    np.testing.assert_array_equal(twice.matrix, filters.double_differential(grid).matrix)


@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=6),
    st.integers(0, 2**31),
)
def test_a_mask_is_a_sum_over_the_places_under_it(rows, columns, missing, seed):
    rng = np.random.default_rng(seed)
    mask = rng.integers(-2, 3, (rows, columns)).astype(float)
    if not np.any(mask):
        return
    grid = flat(5, 5, missing)
    value = np.full((5, 5), np.nan)
    field = rng.standard_normal(len(grid))
    value[grid.place[:, 0], grid.place[:, 1]] = field
    used = np.argwhere(mask)
    expected = []
    for r in range(-5, 5):
        for c in range(-5, 5):
            under = used + np.array([r, c])
            if np.any(under < 0) or np.any(under >= 5):
                continue
            total = np.sum(mask[tuple(used.T)] * value[tuple(under.T)])
            expected += [] if np.isnan(total) else [total]
    if not expected:
        with pytest.raises(ParameterError, match=r"^spatial_filter\.electrodes: none of"):
            filters.spatial_filter(grid, mask)
        return
    got = filters.spatial_filter(grid, mask).matrix @ field
    np.testing.assert_allclose(np.sort(got), np.sort(expected), atol=1e-12)


@pytest.mark.parametrize(
    "mask", [[], [1.0], [[0.0, 0.0]], [[np.nan]], [[np.inf, 1]], [[1, 2], [1]], "abc", None, [[[1.0]]]]
)
def test_a_bad_mask_is_refused(mask):
    with pytest.raises(ParameterError, match=r"^spatial_filter\.mask: "):
        filters.spatial_filter(flat(3, 3), mask)


def test_what_cannot_be_filtered():
    bare = Electrodes(np.eye(3))
    with pytest.raises(ParameterError, match=r"^bipolar\.electrodes: contacts without rows and columns"):
        filters.bipolar(bare)
    assert len(filters.common_average(bare)) == 3 and filters.monopolar(bare).names[0] == "E1"
    with pytest.raises(ParameterError, match=r"^laplacian\.electrodes: channels that are not monopolar"):
        filters.laplacian(filters.bipolar(flat(4, 4)))
    with pytest.raises(ParameterError, match=r"^bipolar\.electrodes: none of the 3 contacts"):
        filters.bipolar(flat(1, 3))
    with pytest.raises(ParameterError, match=r"^common_average\.electrodes: 1 channel"):
        filters.common_average(flat(1, 1))
    for step in (0, -1, 1.5, True, "2", None, np.nan):
        with pytest.raises(ParameterError, match=r"^bipolar\.step: "):
            filters.bipolar(flat(4, 4), step=step)
