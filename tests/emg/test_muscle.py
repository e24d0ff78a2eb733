"""Anatomy of a muscle: what must be true of fibres and units."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import cKDTree

from myoloop.emg._anatomy._endplates import truncated_normal
from myoloop.emg._anatomy._kernels import choose_units, choose_units_plain
from myoloop.emg._anatomy._muscle import Muscle
from myoloop.emg._anatomy._sections import Circle, Ellipse, Mask, Polygon
from myoloop.emg._anatomy._territories import (
    RADIUS2_IN_VARIANCES,
    innervation_numbers,
    place_centres,
)
from myoloop.errors import MyoloopError, ParameterError
from myoloop.muscle import recruitment_thresholds

RT = recruitment_thresholds(100, 100)


@pytest.fixture(scope="module")
def fibres():
    return Muscle(Circle(6.91)).fibres(RT, seed=3)


@pytest.fixture(scope="module")
def small():
    return Muscle(Circle(3.0)).fibres(recruitment_thresholds(60, 30), seed=1)


def share_of_equal_neighbours(fibres, reach_mm=0.08):
    pairs = cKDTree(np.column_stack([fibres.x_mm, fibres.y_mm])).query_pairs(reach_mm, output_type="ndarray")
    return np.mean(fibres.unit[pairs[:, 0]] == fibres.unit[pairs[:, 1]])


def distance_in_radii(fibres):
    centre, radius = fibres.about["territory_centre_mm"], fibres.about["territory_radius_mm"]
    x, y = centre[fibres.unit].T
    return np.hypot(fibres.x_mm - x, fibres.y_mm - y) / radius[fibres.unit]


# Fibres


def test_the_density_is_the_one_asked_for(fibres):
    assert len(fibres) == round(350 * np.pi * 6.91**2) == 52_502
    radius = np.hypot(fibres.x_mm, fibres.y_mm)
    for inner, outer in ((0.0, 2.0), (2.0, 4.0), (4.0, 6.0), (6.0, 6.91)):
        count = np.sum((radius >= inner) & (radius < outer))
        expected = 350 * np.pi * (outer**2 - inner**2)
        assert count == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("n", [1, 2, 7, 500])
@pytest.mark.parametrize(
    "section",
    [
        Circle(2.0, x_mm=50.0, y_mm=-30.0),
        Ellipse(9.0, 0.5, angle_deg=30.0),
        Polygon([[0, 0], [4, 0], [4, 1], [1, 1], [1, 3], [0, 3]]),
        Mask([[1, 0, 0, 1], [1, 0, 1, 1]], pixel_mm=2.0),
    ],
    ids=["circle", "ellipse", "polygon", "mask"],
)
def test_any_number_of_fibres_finds_place_in_any_section(n, section):
    fibres = Muscle(section, n_fibres=n).fibres([1.0], seed=n)
    assert len(fibres) == n
    assert section.contains(fibres.x_mm, fibres.y_mm).all()


def test_fibres_repel_one_another_unless_packed_at_random(small):
    def nearest(fibres):
        points = np.column_stack([fibres.x_mm, fibres.y_mm])
        return cKDTree(points).query(points, k=2)[0][:, 1]

    spacing = np.sqrt(2 / (np.sqrt(3) * 350))
    share = np.mean(nearest(small) < 0.5 * spacing)
    assert share < 6 * stats.norm.cdf(-0.5 / (0.15 * np.sqrt(2)))  # six neighbours, each displaced
    assert share < 0.2 * -np.expm1(-350 * np.pi * (0.5 * spacing) ** 2)  # of a Poisson process
    perfect = Muscle(Circle(3.0), packing_disorder=0.0).fibres([1.0, 2.0], seed=1)
    assert nearest(perfect).min() == pytest.approx(spacing, rel=0.02)


def test_diameters_are_lognormal_between_their_limits(fibres):
    low, high = np.log(np.array([20, 80]) / 50) / 0.3
    expected = stats.truncnorm(low, high, loc=np.log(50), scale=0.3)
    assert stats.kstest(np.log(fibres.diameter_um), expected.cdf).pvalue > 1e-3
    assert 20 <= fibres.diameter_um.min() < 21
    assert 79.9 < fibres.diameter_um.max() <= 80
    assert np.mean(fibres.diameter_um == 80) == 0  # nothing piles up at the limit


def test_a_spread_of_nothing_gives_one_value():
    muscle = Muscle(Circle(1.0), diameter_spread=0, tendon_sd_mm=0, endplate_spread=0, velocity_sd_m_per_s=0)
    fibres = muscle.fibres([1.0, 2.0, 4.0])
    assert fibres.diameter_um == pytest.approx(50, rel=1e-12)
    assert np.all(fibres.tendon_mm == [-16, 16])
    assert np.all(fibres.endplate_mm == 0)
    assert np.all(fibres.velocity_m_per_s == 4.2)


def test_truncated_normal_is_the_quantile_function():
    u = np.linspace(0.001, 0.999, 99)
    expected = stats.truncnorm(-0.5, 2.0, loc=1.0, scale=2.0).ppf(u)
    assert truncated_normal(u, 1.0, 2.0, 0.0, 5.0) == pytest.approx(expected, rel=1e-9)


# Units


def test_innervation_numbers_are_proportional_to_the_thresholds(fibres):
    expected = len(fibres) * RT / RT.sum()
    assert np.abs(fibres.about["innervation_number"] - expected).max() < 1
    assert np.abs(fibres.fibres_per_unit - expected).max() < 3
    slope = np.polyfit(np.log(RT), np.log(fibres.fibres_per_unit), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.01)


def test_innervation_numbers_add_up():
    rng = np.random.default_rng(0)
    for _ in range(50):
        rt = np.sort(rng.uniform(0.1, 1.0, rng.integers(1, 40)))
        n = int(rng.integers(1000, 5000))
        assert innervation_numbers(n, rt).sum() == n


def test_territories_are_proportional_to_the_thresholds(fibres):
    area = np.pi * fibres.about["territory_radius_mm"] ** 2
    assert area / area[-1] == pytest.approx(RT / RT[-1])
    assert area[-1] == pytest.approx(0.25 * np.pi * 6.91**2)


def test_fibres_lie_within_their_territory(fibres, small):
    for each in (fibres, small):
        assert np.mean(distance_in_radii(each) <= 1) >= 0.999
        assert np.sum(distance_in_radii(each) > 1) == each.about["unreached"]


def test_territories_are_gaussian_where_neighbours_play_no_part_and_many_units_overlap():
    """With all territories wide and overlapping, competition leaves the Gaussian nearly as it is."""
    muscle = Muscle(Circle(10.0), fibre_density_per_mm2=60, neighbour_avoidance=0)
    fibres = muscle.fibres(recruitment_thresholds(600, 3, "konstantin"), seed=2)
    inner = np.hypot(*fibres.about["territory_centre_mm"].T) + fibres.about["territory_radius_mm"] < 10
    variances = distance_in_radii(fibres)[inner[fibres.unit]] ** 2 * RADIUS2_IN_VARIANCES
    assert inner.sum() > 50
    assert variances.mean() == pytest.approx(2.0, rel=0.05)  # of chi-square with 2 degrees of freedom
    assert np.median(variances) == pytest.approx(2 * np.log(2), rel=0.07)


def test_neighbours_avoid_the_same_unit():
    shares = [
        share_of_equal_neighbours(Muscle(Circle(3.0), neighbour_avoidance=a).fibres(RT, seed=1))
        for a in (0.0, 0.5, 0.9, 0.99)
    ]
    assert np.all(np.diff(shares) < 0)
    assert shares[2] < 0.25 * shares[0]
    assert shares[3] < 0.1 * shares[0]


def test_centres_spread_over_the_section():
    section = Circle(6.91)
    centres = place_centres(section, 100, np.random.default_rng(0))
    assert section.contains(*centres.T).all()
    spacing = cKDTree(centres).query(centres, k=2)[0][:, 1]
    random = section.sample(100, np.random.default_rng(0))
    of_random = cKDTree(random).query(random, k=2)[0][:, 1]
    assert spacing.min() > 5 * of_random.min()
    assert spacing.std() / spacing.mean() < 0.5 * of_random.std() / of_random.mean()
    largest = centres[-10:]  # lie apart from one another
    assert cKDTree(largest).query(largest, k=2)[0][:, 1].min() > 2.0
    inner = np.hypot(*centres.T) < 6.91 / np.sqrt(2)  # half of the area
    assert 0.35 < inner.mean() < 0.65


@pytest.mark.parametrize("n", [1, 2, 5, 20, 200])
def test_pools_of_any_size_reach_all_of_the_muscle(n):
    rt = recruitment_thresholds(n, 30, "konstantin")
    fibres = Muscle(Circle(4.0)).fibres(rt, seed=n)
    assert fibres.about["unreached"] <= 0.001 * len(fibres)
    assert np.abs(fibres.fibres_per_unit - fibres.about["innervation_number"]).max() <= 3
    area = np.pi * fibres.about["territory_radius_mm"][-1] ** 2 / (np.pi * 16)
    assert (area == pytest.approx(0.25)) if n == 200 else area >= 0.25 - 1e-9


def test_the_kernel_does_what_its_plain_form_says():
    rng = np.random.default_rng(0)
    n, units = 200, 7
    first = np.arange(n + 1) * 3
    candidate = np.concatenate([rng.choice(units, 3, replace=False) for _ in range(n)])
    near_first = np.arange(n + 1) * 2
    near = np.column_stack([np.roll(np.arange(n), 1), np.roll(np.arange(n), -1)]).ravel()
    weight, share = rng.random(3 * n), np.full(units, n / units)
    states = [(np.full(n, -1), np.zeros(units, dtype=np.int64)) for _ in range(2)]
    for stiffness in (0.0, 0.1, 1.0):
        draws = rng.random(n)
        for kernel, state in zip((choose_units, choose_units_plain), states, strict=True):
            kernel(first, candidate, weight, near_first, near, draws, share, 0.1, stiffness, *state)
    assert np.array_equal(states[0][0], states[1][0])
    assert np.array_equal(states[0][1], np.bincount(states[0][0], minlength=units))


def test_the_choice_has_the_probabilities_stated():
    """One fibre between two neighbours of unit 0, all else fixed: the odds can be worked out by hand."""
    n, rng = 20_000, np.random.default_rng(1)
    unit, taken = np.array([0, -1, 0]), 0
    for draw in rng.random(n):
        state, count = unit.copy(), np.array([2, 0])
        draws = np.array([0.0, draw, 0.0])
        choose_units_plain(
            np.array([0, 1, 3, 4]),
            np.array([0, 0, 1, 0]),
            np.array([1.0, 3.0, 1.0, 1.0]),
            np.array([0, 0, 2, 2]),
            np.array([0, 2]),
            draws,
            np.array([2.0, 1.0]),
            0.5,
            0.4,
            state,
            count,
        )
        taken += state[1] == 0
    odds = 3.0 * 0.5**2 / np.exp(0.4)  # weight, two neighbours, one fibre nearer its share
    p = odds / (1 + odds)
    assert abs(taken / n - p) < 4 * np.sqrt(p * (1 - p) / n)


# Seeds


def arrays(fibres):
    names = ("x_mm", "y_mm", "diameter_um", "unit", "endplate_mm", "tendon_mm", "velocity_m_per_s")
    return {name: getattr(fibres, name) for name in names}


def test_the_same_seed_gives_the_same_bits_and_another_others(small):
    rt = recruitment_thresholds(60, 30)
    again, other = (arrays(Muscle(Circle(3.0)).fibres(rt, seed=seed)) for seed in (1, 2))
    for name, values in arrays(small).items():
        assert np.array_equal(values, again[name])
        assert not np.array_equal(values, other[name])


def test_only_the_ratios_of_thresholds_count(small):
    scaled = arrays(Muscle(Circle(3.0)).fibres(64.0 * recruitment_thresholds(60, 30), seed=1))
    assert all(np.array_equal(values, scaled[name]) for name, values in arrays(small).items())


def test_units_do_not_shift_the_fibres_nor_one_part_another(small):
    more = arrays(Muscle(Circle(3.0)).fibres(recruitment_thresholds(61, 30), seed=1))
    for name in ("x_mm", "y_mm", "diameter_um", "tendon_mm"):
        assert np.array_equal(arrays(small)[name], more[name])
    changed = Muscle(Circle(3.0), diameter_spread=0.1, endplate_spread=0.5, velocity_sd_m_per_s=0.1)
    rest = arrays(changed.fibres(recruitment_thresholds(60, 30), seed=1))
    for name in ("x_mm", "y_mm", "unit", "tendon_mm"):
        assert np.array_equal(arrays(small)[name], rest[name])


def test_about_says_where_the_fibres_come_from(small):
    about = small.about
    assert about["seed"] == 1
    assert about["muscle"]["section"] == {"model": "Circle", "radius_mm": 3.0, "x_mm": 0.0, "y_mm": 0.0}
    for name in ("thresholds", "innervation_number", "territory_radius_mm", "velocity_m_per_s", "branches"):
        assert len(about[name]) == 60
    chosen = small.select([40, 3]).select([1])
    assert chosen.about["units"].tolist() == [3]


def test_progress_is_told():
    told = []
    Muscle(Circle(1.0)).fibres([1.0, 2.0], progress=lambda *args: told.append(args))
    assert told[-1] == ("innervating fibres", 30, 30, "sweeps")


# Bad input


REFUSED = {
    "no section": (lambda: Muscle(6.91), "Muscle.section: 6.91 was given"),
    "no fibres": (lambda: Muscle(n_fibres=0), "Muscle.n_fibres: 0 was given"),
    "half a fibre": (lambda: Muscle(n_fibres=1.5), "Muscle.n_fibres: 1.5 was given"),
    "too few": (lambda: Muscle(Circle(0.01)).fibres([1.0]), "Muscle.fibre_density_per_mm2: 350 on"),
    "diameters": (lambda: Muscle(diameter_um=90.0), "Muscle.diameter_um: 90 was given with largest"),
    "short fibres": (lambda: Muscle(upper_tendon_mm=-12.0), "Muscle.upper_tendon_mm: fibres from -16 to -12"),
    "endplates outside": (lambda: Muscle(endplate_mm=14.0), "Muscle.endplate_mm: 14 was given"),
    "velocity": (lambda: Muscle(velocity="fast"), "Muscle.velocity: no 'fast'"),
    "backwards": (
        lambda: Muscle(Circle(1.0), velocity="fibre", velocity_rise_m_per_s=5.0).fibres([1.0, 2.0]),
        "Muscle.velocity_m_per_s: the slowest fibre",
    ),
    "descending": (lambda: Muscle().fibres([2.0, 1.0]), "Muscle.thresholds: unit 0 has 2, unit 1 has 1"),
    "negative": (lambda: Muscle().fibres([-1.0, 1.0]), "Muscle.thresholds: -1 was given"),
    "NaN": (lambda: Muscle().fibres([0.5, np.nan]), "Muscle.thresholds: nan was given"),
    "no unit": (lambda: Muscle().fibres([]), "Muscle.thresholds: an array of shape"),
    "a unit without fibres": (
        lambda: Muscle(Circle(1.0)).fibres(recruitment_thresholds(100, 100)),
        "Muscle.fibres: 1100 fibres in proportion .* leave .* units without any, unit 0",
    ),
    "more units than fibres": (lambda: Muscle(n_fibres=2).fibres([1.0, 1.0, 1.0]), "Muscle.fibres: 2 fibres"),
    "small territories": (
        lambda: Muscle(Circle(2.0), largest_territory=0.25).fibres([1.0, 2.0]),
        "Muscle.largest_territory: territories of 2 units, of 0.38 times",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_muscles_are_refused(make, message):
    with pytest.raises(MyoloopError, match=message):
        make()


def test_errors_are_standard_ones():
    with pytest.raises(ValueError, match=r"Muscle\.n_fibres"):
        Muscle(n_fibres=-3)
    assert issubclass(ParameterError, ValueError)
