"""Detection that knows that units fire steadily: exact, a gain for steady trains, no harm to others."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myoloop.decompose._kernels import peaks_of, spikes_of
from myoloop.decompose._separation._intervals import steady_train
from myoloop.decompose._separation._kernels import best_chain

RATE_HZ, DISTANCE, PAUSE = 2048, 20, 512
SAMPLES = 60 * RATE_HZ


def objective(chain, times, gain, local, spread, pause, missed, anywhere):
    """Gains and log densities of the intervals; the first member, and one after a pause, lie anywhere."""
    total = sum(gain[i] for i in chain) + np.log(anywhere / pause)
    for before, i in pairwise(chain):
        d = float(times[i] - times[before])
        density = anywhere / pause
        if d <= pause:
            for share, centre in ((1.0, local[i]), (missed, 2 * local[i])):
                z = np.log(d / centre) / spread
                density += share * np.exp(-0.5 * z**2) / (d * spread * np.sqrt(2 * np.pi))
        total += np.log(density)
    return total


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(0, 2**31), st.sampled_from([0.12, 0.4]), st.sampled_from([60, 200]))
def test_the_chain_is_the_best_of_all_subsets(n, seed, spread, pause):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.choice(400, n, replace=False))
    gain, local = rng.normal(0, 8, n), rng.uniform(30, 60, n)
    about = times, gain, local, spread, pause, 0.03, 0.002
    every = (chain for k in range(1, n + 1) for chain in combinations(range(n), k))
    best = max(objective(chain, *about) for chain in every)
    found = best_chain(*about).tolist()
    assert found == sorted(found)
    assert objective(found, *about) == pytest.approx(best, abs=1e-9)


def train_of(rng, cov, rate_pps=None, samples=SAMPLES):
    """A gamma renewal process, no interval below the refractory distance."""
    mean = RATE_HZ / (rate_pps or rng.uniform(8, 15))
    intervals = rng.gamma(1 / cov**2, mean * cov**2, 4 * samples // RATE_HZ * 15)
    times = np.cumsum(np.maximum(np.rint(intervals), DISTANCE + 1).astype(np.int64))
    return times[times < samples - 10]


def source_of(rng, train, height, samples=SAMPLES):
    """Unit white noise, and spikes whose heights vary by 8 %."""
    source = rng.standard_normal(samples)
    source[train] += height * (1 + 0.08 * rng.standard_normal(len(train)))
    return source.astype(np.float32)


def steadied(source):
    two = spikes_of(source, DISTANCE)[0]
    return two, steady_train(source, two, DISTANCE, PAUSE)


def f1(found, true):
    near = np.abs(found[:, None] - true).min(axis=1) <= 1
    return 2 * near.sum() / (len(found) + len(true))


def variation(train):
    intervals = np.diff(train)
    intervals = intervals[intervals <= PAUSE]
    return intervals.std(ddof=1) / intervals.mean()


def test_a_missed_spike_is_recovered_and_a_false_one_between_two_dropped():
    rng = np.random.default_rng(0)
    train = train_of(rng, 0.08, 10)
    source = source_of(rng, train, 12.0)
    low, middle = train[50], (train[80] + train[81]) // 2
    source[low], source[middle] = 6.5, 9.0  # too low for two classes, and high enough for them
    two, steady = steadied(source)
    assert low not in two
    assert middle in two
    np.testing.assert_array_equal(steady, train)


@pytest.mark.parametrize("height", [4.0, 6.0, 10.0])
@pytest.mark.parametrize("cov", [0.1, 0.3, 1.0])
def test_spikes_are_peaks_in_order_and_apart(cov, height):
    rng = np.random.default_rng(1)
    source = source_of(rng, train_of(rng, cov), height)
    _, steady = steadied(source)
    assert np.isin(steady, peaks_of(source, DISTANCE)).all()
    assert np.diff(steady).min() > DISTANCE


def test_none_is_invented_where_there_is_no_peak():
    """A missed spike without any trace in the source stays missing, and so does a pause."""
    rng = np.random.default_rng(2)
    train = train_of(rng, 0.1, 10)
    kept = np.delete(train, [30, 60, *range(100, 120)])
    _, steady = steadied(source_of(rng, kept, 15.0))
    np.testing.assert_array_equal(steady, kept)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_the_scale_of_the_source_is_of_no_matter(scale):
    rng = np.random.default_rng(3)
    source = source_of(rng, train_of(rng, 0.2), 6.0)
    np.testing.assert_array_equal(steadied(source)[1], steadied(np.float32(scale) * source)[1])


@pytest.mark.parametrize("height", [5.0, 7.0, 10.0])
@pytest.mark.parametrize("cov", [0.05, 0.1, 0.2, 0.3])
def test_steady_trains_gain(cov, height):
    rng = np.random.default_rng(4)
    for _ in range(3):
        train = train_of(rng, cov)
        two, steady = steadied(source_of(rng, train, height))
        assert f1(steady, train) > f1(two, train)


@pytest.mark.parametrize("height", [5.0, 7.0, 10.0])
@pytest.mark.parametrize("cov", [0.5, 1.0])
def test_irregular_trains_take_no_harm(cov, height):
    """Poisson trains too, though the prior is wrong for them."""
    rng = np.random.default_rng(5)
    for _ in range(3):
        train = train_of(rng, cov)
        two, steady = steadied(source_of(rng, train, height))
        assert f1(steady, train) >= f1(two, train) - 0.01


@pytest.mark.parametrize("height", [5.0, 6.0, 7.0, 10.0])
@pytest.mark.parametrize("cov", [0.05, 0.1, 0.15, 0.2, 0.3])
def test_intervals_do_not_look_steadier_than_they_are(cov, height):
    """A prior for steady trains might pull their variation down: not for the trains that units have."""
    rng = np.random.default_rng(6)
    for _ in range(3):
        train = train_of(rng, cov)
        _, steady = steadied(source_of(rng, train, height))
        assert variation(steady) > variation(train) - 0.03


@pytest.mark.parametrize(("height", "most"), [(6.0, 0.08), (7.0, 0.05), (10.0, 0.03)])
@pytest.mark.parametrize("cov", [0.5, 1.0])
def test_nor_do_those_of_irregular_trains_where_spikes_stand_out(cov, height, most):
    rng = np.random.default_rng(7)
    for _ in range(3):
        train = train_of(rng, cov)
        _, steady = steadied(source_of(rng, train, height))
        assert variation(steady) > variation(train) - most


def test_clear_doublets_are_kept_beyond_the_refractory_distance():
    rng = np.random.default_rng(8)
    train = train_of(rng, 0.1, 9)
    firsts = train[rng.choice(len(train) - 1, 25, replace=False)]
    seconds = firsts + rng.integers(DISTANCE + 1, 25, 25)  # 10-12 ms
    both = np.sort(np.concatenate([train, seconds]))
    _, steady = steadied(source_of(rng, both, 14.0))
    np.testing.assert_array_equal(steady, both)


def test_of_a_doublet_within_the_refractory_distance_one_is_left():
    rng = np.random.default_rng(9)
    train = train_of(rng, 0.1, 9)
    firsts = train[rng.choice(len(train) - 1, 25, replace=False)]
    both = np.sort(np.concatenate([train, firsts + rng.integers(10, 19, 25)]))  # 5-9 ms
    _, steady = steadied(source_of(rng, both, 14.0))
    assert len(steady) == len(train)
    assert np.isin(steady, both).all()


@pytest.mark.parametrize("spikes", [0, 1, 5, 10])
def test_few_spikes_are_left_as_they_are(spikes):
    source = np.random.default_rng(10).standard_normal(5000).astype(np.float32)
    few = peaks_of(source, DISTANCE)[:spikes]
    assert steady_train(source, few, DISTANCE, PAUSE) is few


def test_a_rate_that_changes_is_followed():
    """From 8 to 20 pulses a second and back, in 60 s: intervals are compared with their neighbours'."""
    rng = np.random.default_rng(11)
    times, train = 0.0, []
    while times < SAMPLES - 10:
        train.append(round(times))
        rate = 14 - 6 * np.cos(2 * np.pi * times / SAMPLES)
        times += RATE_HZ / rate * (1 + 0.1 * rng.standard_normal())
    train = np.array(train[1:])
    two, steady = steadied(source_of(rng, train, 6.0))
    assert f1(steady, train) > 0.97 > f1(two, train)
