"""Units looked for together: complete trains, honest silhouettes, parts put together, units kept apart."""

import numpy as np
import pytest
from toy_mixture import RATE_HZ, mixed, mixture, regular_train, wavelets

from myoloop.decompose._kernels import coincidences, silhouette_of
from myoloop.decompose._separation._candidates import best_of_each, detected
from myoloop.decompose._separation._extended import ExtendedSignal
from myoloop.decompose._separation._joint import Joint, Window, leave_one_out, peeled
from myoloop.decompose._separation._merge import parts_joined
from myoloop.decompose._separation._refine import once_more
from myoloop.decompose._separation._whitening import Whitening
from myoloop.decompose._threads import one_thread

WINDOW, LAGS, RIDGE, ALIKE = Window(-24, 49), 16, 3e-5, 0.8
UNITS, DISTANCE = 8, 20


@pytest.fixture(scope="module")
def scene():
    """Signals of unit power, and the trains in them."""
    x, trains, _ = mixture(0, UNITS, channels=16, duration_s=15.0)
    return x / x.std(axis=1, keepdims=True), trains


@pytest.fixture(scope="module")
def found(scene):
    """The units of the scene, looked for together from their true trains."""
    return together(*scene)


@one_thread()
def together(x, trains):
    return leave_one_out(x, trains, RATE_HZ, WINDOW, LAGS, RIDGE)


def agreement(found, true):
    """F1 at the best constant lag, within a sample."""
    hits, _ = coincidences(true, found, 60, 1)
    return 2 * hits / (len(found) + len(true))


def thinned(trains, share, seed=1):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.choice(t, round(share * len(t)), replace=False)) for t in trains]


def halves(trains, shifts, seed=2):
    """Each train in two parts, the second of them moved."""
    rng = np.random.default_rng(seed)
    masks = [rng.random(len(t)) < 0.5 for t in trains]
    pairs = zip(trains, masks, shifts, strict=True)
    return [part for t, mask, shift in pairs for part in (t[mask], t[~mask] + shift)]


def random_trains(count, spikes, samples, seed=3):
    rng = np.random.default_rng(seed)
    grid = np.arange(60, samples - 60, DISTANCE + 1)
    return [np.sort(rng.choice(grid, spikes, replace=False)) for _ in range(count)]


def test_whole_trains_come_back_from_parts_of_them(scene):
    x, trains = scene
    joint = together(x, thinned(trains, 0.8))
    assert all(agreement(f, t) > 0.98 for f, t in zip(joint.found.spikes, trains, strict=True))
    assert joint.sources.shape == (UNITS, x.shape[1])
    assert np.all(joint.found.sil > 0.95)


def test_and_from_trains_with_false_spikes(scene):
    x, trains = scene
    wrong = random_trains(UNITS, 40, x.shape[1])
    mixed_up = [np.union1d(t, w) for t, w in zip(thinned(trains, 0.8), wrong, strict=True)]
    found = together(x, mixed_up).found.spikes
    assert all(agreement(f, t) > 0.98 for f, t in zip(found, trains, strict=True))


def test_peeled_signals_are_those_without_the_units():
    clean, trains, templates = mixture(4, 3, channels=6, duration_s=8.0, snr_db=200.0)
    assert np.std(peeled(clean, trains, WINDOW)[1]) < 1e-3 * np.std(clean)
    found, rest = peeled(clean, trains[:2], WINDOW)
    begin = -15 - WINDOW.first  # of the templates of the mixture in those that are found
    np.testing.assert_allclose(found[:, :, begin : begin + 30], templates[:2], atol=0.25)  # a third unit
    alone = mixed(trains[2:], templates[2:], clean.shape[1], -15)
    assert np.std(rest - alone) < 0.2 * np.std(clean)


def test_the_source_of_a_unit_is_that_of_the_signals_without_the_others(scene, found):
    """One covariance of the rest serves all: the plain form removes the others, one unit at a time."""
    x, trains = scene
    templates, rest = peeled(x, trains, WINDOW)
    for u in (0, 5):
        own = mixed(trains[u : u + 1], templates[u : u + 1], x.shape[1], WINDOW.first)
        plain = ExtendedSignal(rest + own, LAGS).sources(found.found.weights[u : u + 1])[0]
        assert np.corrcoef(plain, found.sources[u])[0, 1] > 0.995


def test_trains_of_chance_do_not_vouch_for_themselves(scene):
    """A filter of a thousand weights, made of 25 spikes at random, sees them: unless made without them."""
    x, trains = scene
    chance = random_trains(5, 25, x.shape[1])
    signal = ExtendedSignal(peeled(x, trains, WINDOW)[1], 40)
    whitening = Whitening(signal.covariance(), RIDGE)
    weights = whitening.filters(signal.mean_at(chance))
    flattered = detected(weights, signal.sources(weights), RATE_HZ)
    honest = once_more(signal, whitening, chance, RATE_HZ, steady=False)
    assert np.all(honest.sil < flattered.sil)
    assert np.mean(flattered.sil) > 0.85
    seen = [
        [np.isin(t, f).mean() for t, f in zip(chance, found.spikes, strict=True)]
        for found in (flattered, honest)
    ]
    assert np.mean(seen[0]) > 0.8
    assert np.mean(seen[1]) < 0.1


def test_nor_do_they_beside_true_units(scene):
    x, trains = scene
    joint = together(x, [*trains, *random_trains(3, 60, x.shape[1])])
    assert np.all(joint.found.sil[:UNITS] > 0.95)
    assert np.all(joint.found.sil[UNITS:] < 0.85)
    assert np.all(joint.found.cov[UNITS:] > 0.4)


def test_two_parts_of_each_train_become_one_at_the_right_lag(scene):
    x, trains = scene
    shifts = [3, -4, 0, 5, 0, 1, -2, 7]
    joint = together(x, halves(trains, shifts))
    whole = parts_joined(joint, ALIKE, RATE_HZ)
    assert len(whole) == UNITS
    assert sorted(max(range(UNITS), key=lambda u: agreement(w, trains[u])) for w in whole) == [*range(UNITS)]
    for train in whole:
        assert max(agreement(train, t) for t in trains) > 0.98
        assert np.diff(train).min() >= DISTANCE


def test_each_part_sees_its_own_spikes_only():
    """The other part is taken out of the signals before, like any other unit."""
    x, trains, _ = mixture(1, 1, channels=6, duration_s=10.0)
    parts = halves(trains, [6])
    joint = together(x / x.std(axis=1, keepdims=True), parts)
    one, other = joint.found.spikes
    assert agreement(one, parts[0]) > 0.98
    assert agreement(other, parts[1]) > 0.98
    assert agreement(np.sort(np.concatenate([one, other + joint.lag[0, 1]])), trains[0]) > 0.98


@pytest.mark.parametrize("seed", range(2))
def test_distinct_units_are_never_joined(seed):
    x, trains, _ = mixture(10 + seed, 10, channels=12, duration_s=10.0, snr_db=15.0)
    joint = together(x, trains)
    both_ways = np.minimum(joint.likeness, joint.likeness.T)
    assert np.allclose(np.diag(joint.likeness), 1)
    assert both_ways[~np.eye(10, dtype=bool)].max() < 0.6
    assert len(parts_joined(joint, ALIKE, RATE_HZ)) == 10


def test_nor_is_a_unit_with_one_of_half_its_size():
    rng = np.random.default_rng(5)
    samples = round(20 * RATE_HZ)
    trains = [regular_train(rng, samples, rate) for rate in (9.0, 12.0)]
    templates = np.repeat(wavelets(rng, 1, 12), 2, axis=0) * np.array([1.0, 0.5], np.float32)[:, None, None]
    x = mixed(trains, templates, samples, -15)
    x += 0.05 * x.std() * rng.standard_normal(x.shape).astype(np.float32)
    joint = together(x, trains)
    assert np.minimum(joint.likeness, joint.likeness.T)[0, 1] == pytest.approx(0.5, abs=0.05)
    assert len(parts_joined(joint, ALIKE, RATE_HZ)) == 2


def test_of_duplicates_the_best_is_left(found):
    twice = found.select([*range(UNITS), *range(UNITS)])
    best = best_of_each(twice.found, RATE_HZ)
    assert sorted(best % UNITS) == [*range(UNITS)]
    assert len(best_of_each(found.found, RATE_HZ, found.found.spikes)) == 0


def test_the_order_of_the_units_is_of_no_matter(scene, found):
    x, trains = scene
    order = np.random.default_rng(0).permutation(UNITS)
    other = together(x, [trains[i] for i in order])
    for k, i in enumerate(order):
        np.testing.assert_array_equal(other.found.spikes[k], found.found.spikes[i])
    np.testing.assert_allclose(other.likeness, found.likeness[np.ix_(order, order)], atol=1e-3)


def test_silhouettes_are_those_of_the_sources(found):
    for source, spikes, sil in zip(found.sources, found.found.spikes, found.found.sil, strict=True):
        assert silhouette_of(source, spikes, DISTANCE)[2] == sil


def test_spikes_at_the_borders_do_no_harm(scene):
    x, trains = scene
    last = x.shape[1] - 1
    trains = [np.unique(np.concatenate([[0, 5], t, [last]])) for t in trains]
    joint = together(x, trains)
    assert np.all(np.isfinite(joint.sources))
    assert all(agreement(f, t) > 0.97 for f, t in zip(joint.found.spikes, trains, strict=True))


def test_no_units_are_none():
    joint = Joint.none(np.zeros((3, 100), np.float32), 16)
    assert len(joint.found) == 0
    assert joint.sources.shape == (0, 100)
    assert parts_joined(joint, ALIKE, RATE_HZ) == []
    assert len(joint.select(np.empty(0, np.int64)).found) == 0
