import numpy as np
import pytest

from myoloop.data import SpikeTrains
from myoloop.errors import ParameterError
from myoloop.muscle import (
    FuglevandForce,
    FuglevandPool,
    _kernels,
    recruitment_thresholds,
    steady_force,
    twitch_gain,
)


@pytest.mark.parametrize("n", [1, 2, 120, 800])
@pytest.mark.parametrize("ratio", [10.0, 30.0, 70.0])
def test_reduces_exactly_to_the_published_pool(n, ratio):
    i = np.arange(1, n + 1)
    peaks = np.exp(i * np.log(100) / n)
    times = 90 * peaks ** (-np.log(3) / np.log(100))
    for thresholds in (
        recruitment_thresholds(n, ratio, "fuglevand"),
        FuglevandPool(n=n, recruitment_range=ratio).recruitment_thresholds,
    ):
        model = FuglevandForce(thresholds)
        np.testing.assert_allclose(model.peaks, peaks)
        np.testing.assert_allclose(model.contractions_ms, times)


def test_largest_is_strongest_and_fastest_whatever_the_order():
    rt = recruitment_thresholds(50, 100)
    model, shuffled = FuglevandForce(rt), FuglevandForce(rt[::-1])
    assert np.all(np.diff(model.peaks) > 0) and np.all(np.diff(model.contractions_ms) < 0)
    assert model.peaks[-1] == pytest.approx(100) and model.contractions_ms[-1] == pytest.approx(30)
    np.testing.assert_array_equal(shuffled.peaks, model.peaks[::-1])


def test_gain():
    assert np.all(twitch_gain([0.0, 0.1, 0.399]) == 1)
    assert twitch_gain(0.4) == pytest.approx(1) and twitch_gain(np.inf) == 0
    x = np.linspace(0.4, 5, 50)
    np.testing.assert_allclose(twitch_gain(x), (1 - np.exp(-2 * x**3)) / x / 0.30036, rtol=1e-4)
    np.testing.assert_allclose([_kernels.gain(v) for v in x], twitch_gain(x), rtol=1e-14)
    for bad in (-1.0, [0.1, np.nan]):
        with pytest.raises(ParameterError, match=r"^twitch_gain\.x: "):
            twitch_gain(bad)


TABLE = {0.4: 1.087, 0.5: 2.002, 0.6: 3.175, 0.8: 5.80, 1.0: 7.825, 1.5: 9.04}


@pytest.mark.parametrize(("x", "expected"), TABLE.items())
@pytest.mark.parametrize("contraction_ms", [30.0, 90.0])
@pytest.mark.parametrize("rate_hz", [1000, 2048])
def test_steady_force_against_rate(x, expected, contraction_ms, rate_hz):
    interval = contraction_ms / 1000 / x
    spikes = SpikeTrains.from_trains([np.arange(0, 5, interval)], 5.0)
    force = FuglevandForce([1.0], twitch_forces=1.0, contraction_times_ms=contraction_ms).force(
        spikes, rate_hz
    )
    whole = np.floor(3 / interval) * interval
    assert force.between(5 - whole, 5).values.mean() == pytest.approx(expected, rel=0.005)
    assert steady_force(x) == pytest.approx(expected, rel=0.001)


def test_plateau():
    assert steady_force(5.0) == pytest.approx(9.05, abs=0.001)


def test_maximum_is_the_simulated_force_at_full_excitation():
    pool = FuglevandPool(isi_cv=0.0)
    model = FuglevandForce.of_pool(pool)
    force = model.force(pool.spikes(1.0, 6.0, seed=1), 1000)
    assert force.between(1, 6).values.mean() == pytest.approx(model.maximum_force(), rel=1e-3)
    assert model.percent_mvc(force).between(1, 6).values.mean() == pytest.approx(100, rel=1e-3)
    mean = model.mean_force(pool.rates_pps([0.5, 1.0]))
    assert mean.shape == (2, 120) and mean[1].sum() == pytest.approx(model.maximum_force())
