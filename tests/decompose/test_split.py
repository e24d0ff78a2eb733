"""Two units in one train are told apart; one unit is left whole."""

import numpy as np
import pytest
from toy_mixture import RATE_HZ, mixed, mixture, wavelets

from myoloop.decompose._separation._extended import ExtendedSignal
from myoloop.decompose._separation._split import halves_of
from myoloop.decompose._separation._whitening import Whitening

LAGS = 24


def rest_of(x, train, first=-15, length=30):
    """The signals less the mean about the spikes of a train."""
    inside = train[(train + first >= 0) & (train + first + length <= x.shape[1])]
    mean = np.mean([x[:, s + first : s + first + length] for s in inside], axis=0)
    return x - mixed([train], mean[None].astype(np.float32), x.shape[1], first)


def divided(x, train):
    signal = ExtendedSignal(rest_of(x, train), LAGS)
    return halves_of(signal, Whitening(signal.covariance(), 3e-5), train, RATE_HZ)


@pytest.mark.parametrize("seed", range(3))
def test_two_units_in_one_train_are_told_apart(seed):
    x, trains, _ = mixture(seed=seed, snr_db=15)
    parts = divided(x, np.sort(np.concatenate(trains[:2])))
    for train in trains[:2]:
        shared = max(len(np.intersect1d(train, part)) / max(len(train), len(part)) for part in parts or ())
        assert shared > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_one_unit_is_left_whole(seed):
    x, trains, _ = mixture(seed=seed, snr_db=15)
    assert divided(x, trains[0]) is None


def test_one_unit_whose_potential_changes_is_left_whole():
    """Two kinds of discharges alone make no two units: both parts must be steadier than the whole."""
    x, trains, _ = mixture(seed=4, snr_db=15)
    rng = np.random.default_rng(4)
    other = wavelets(rng, 1, len(x))[0]
    odd = trains[0][rng.random(len(trains[0])) < 0.4]
    assert divided(x + mixed([odd], other[None], x.shape[1], -15), trains[0]) is None


@pytest.mark.parametrize("count", [0, 3, 39])
def test_short_trains_are_left_whole(count):
    x, trains, _ = mixture(seed=5, duration_s=6.0)
    train = np.sort(np.concatenate(trains[:2]))[:count]
    signal = ExtendedSignal(x, LAGS)
    assert halves_of(signal, Whitening(signal.covariance(), 3e-5), train, RATE_HZ) is None
