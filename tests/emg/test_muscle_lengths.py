"""Along the fibres of a muscle: endplates, tendons and conduction velocities."""

import numpy as np
import pytest
from scipy import stats

from myoloop.emg._anatomy._endplates import branch_numbers, branches, endplate_sds
from myoloop.emg._anatomy._muscle import Muscle
from myoloop.emg._anatomy._sections import Circle
from myoloop.muscle import recruitment_thresholds
from myoloop.random import Streams

RT = recruitment_thresholds(100, 100)
LONG = {"lower_tendon_mm": -200.0, "upper_tendon_mm": 200.0}  # endplates are never near the ends


@pytest.fixture(scope="module")
def fibres():
    return Muscle(Circle(6.91)).fibres(RT, seed=3)


@pytest.fixture(scope="module")
def small():
    return Muscle(Circle(3.0)).fibres(recruitment_thresholds(60, 30), seed=1)


# Endplates and tendons


def test_branches_and_spreads_are_those_of_the_paper():
    rt = np.array([0.01, 0.02, 0.05, 0.3, 1.0])
    assert branch_numbers(rt).tolist() == [1, 2, 3, 4, 6]
    s = np.cumsum(rt) / rt.sum()
    assert endplate_sds(rt, 1.0) == pytest.approx(np.column_stack([1.5 + 4 * s, 0.5 + 1.5 * s]))
    assert endplate_sds(rt, 0.5) == pytest.approx(0.5 * endplate_sds(rt, 1.0))


def test_endplates_spread_as_set_where_the_fibres_are_long():
    muscle, rt = Muscle(Circle(2.5), **LONG), recruitment_thresholds(30, 100, "konstantin")
    sds, numbers = endplate_sds(rt, 1.0), branch_numbers(rt)
    of_branches, about, count = [], np.zeros(30), np.zeros(30)
    for seed in range(10):
        fibres = muscle.fibres(rt, seed=seed)
        points = np.column_stack([fibres.x_mm, fibres.y_mm])
        streams = Streams(seed).child("Muscle")
        branch, z = branches(points, fibres.unit, numbers, sds, (-196.0, 0.0, 196.0), streams)
        deviation = fibres.endplate_mm - z
        about += np.bincount(fibres.unit, weights=deviation**2)
        count += fibres.fibres_per_unit
        _, first = np.unique(fibres.unit * 100 + branch, return_index=True)
        of_branches.append(z[first] / sds[fibres.unit[first], 0])
    assert np.sqrt(about / count) / sds[:, 1] == pytest.approx(1.0, abs=0.13)
    assert np.std(np.concatenate(of_branches)) == pytest.approx(1.0, abs=0.06)
    assert np.mean(np.concatenate(of_branches)) == pytest.approx(0.0, abs=0.12)


def test_a_branch_serves_fibres_close_by(small):
    points, rt = np.column_stack([small.x_mm, small.y_mm]), small.about["thresholds"]
    branch, z = branches(
        points, small.unit, branch_numbers(rt), endplate_sds(rt, 1.0), (-9, 0, 9), Streams(0)
    )
    own = small.unit == 59
    assert len(np.unique(branch[own])) == len(np.unique(z[own])) == branch_numbers(rt)[59] == 4
    within = np.mean([points[own & (branch == b)].var(axis=0).sum() for b in range(4)])
    assert within < 0.5 * points[own].var(axis=0).sum()
    smallest = np.bincount(branch[own]).min()
    assert smallest > 0.08 * own.sum()


def test_endplates_lie_between_the_ends_and_do_not_pile_up(fibres):
    low, high = fibres.tendon_mm.T
    assert np.all(fibres.endplate_mm - low >= 1 - 1e-9)
    assert np.all(high - fibres.endplate_mm >= 1 - 1e-9)
    assert np.mean((fibres.endplate_mm - low < 1.01) | (high - fibres.endplate_mm < 1.01)) < 1e-3
    for end, mean in ((low, -16), (high, 16)):
        assert end.mean() == pytest.approx(mean, abs=0.02)
        assert end.std() == pytest.approx(stats.truncnorm(-3, 3).std(), rel=0.02)
        assert np.abs(end - mean).max() <= 3


def test_larger_units_spread_wider(fibres):
    sd = np.array([fibres.endplate_mm[fibres.unit == u].std() for u in range(100)])
    assert np.median(sd[-20:]) > 2 * np.median(sd[:20])


# Conduction velocities


def test_units_are_normal_and_larger_ones_faster():
    muscle = Muscle(Circle(2.0), n_fibres=2000)
    units = np.concatenate(
        [muscle.fibres(recruitment_thresholds(200, 5), seed=k).about["velocity_m_per_s"] for k in range(8)]
    )
    rank = np.tile(stats.norm.ppf((np.arange(200) + 0.5) / 200), 8)
    assert units.mean() == pytest.approx(4.2, abs=0.02)
    assert units.std() == pytest.approx(0.3, rel=0.04)
    assert np.corrcoef(units, rank)[0, 1] == pytest.approx(0.87, abs=0.02)
    assert stats.kstest((units - 4.2) / 0.3, "norm").pvalue > 0.01
    assert np.mean((units > 3.2) & (units < 5.0)) > 0.99  # Nishizono 1990


def test_a_unit_has_one_velocity_or_each_fibre_its_own(fibres):
    set_ = fibres.about["velocity_m_per_s"]
    assert np.array_equal(fibres.velocity_m_per_s, set_[fibres.unit])
    own = Muscle(Circle(6.91), velocity="fibre").fibres(RT, seed=3)
    assert np.array_equal(own.unit, fibres.unit)
    assert np.array_equal(own.about["velocity_m_per_s"], set_)
    for u in (0, 50, 99):
        members = own.unit == u
        slope = np.polyfit(own.diameter_um[members], own.velocity_m_per_s[members], 1)[0]
        assert slope == pytest.approx(0.05)  # Nandedkar and Stalberg 1983
        assert own.velocity_m_per_s[members].mean() == pytest.approx(set_[u])
    assert np.corrcoef(own.diameter_um, own.velocity_m_per_s)[0, 1] > 0.8
