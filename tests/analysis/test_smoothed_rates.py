"""Smoothers of discharge rates and cumulative spike trains."""

import numpy as np
import pytest
from trains import poisson, regular

from myoloop.analysis import (
    HannRate,
    PolynomialRate,
    SmoothedRates,
    SplineRate,
    cumulative_rate,
    cumulative_spike_train,
    smoothed_rates,
)
from myoloop.data import SpikeTrains
from myoloop.errors import ParameterError


def test_a_hann_window_keeps_the_number_of_discharges():
    spikes = poisson(lambda t: 8.0, 3, 20.0, 0).between(1.0, 19.0)
    spikes = SpikeTrains.from_trains(list(spikes), 20.0)
    rates = smoothed_rates(spikes, HannRate(window_s=0.4), rate_hz=1000.0)
    assert rates.values_pps.sum(axis=1) / 1000.0 == pytest.approx(spikes.counts, rel=1e-9)


def test_a_hann_window_is_what_convolution_gives():
    spikes = poisson(lambda t: 12.0, 1, 10.0, 1, dt_s=0.01)
    train = np.rint(spikes[0] * 100) / 100
    on_grid = SpikeTrains.from_trains([train], 10.0)
    binary = np.bincount(np.rint(train * 100).astype(int), minlength=1001).astype(float)
    window = 0.5 + 0.5 * np.cos(2 * np.pi * np.arange(-20, 21) / 40)
    convolved = np.convolve(binary, 100 * window / window.sum(), "same")
    assert np.allclose(smoothed_rates(on_grid, HannRate()).values_pps[0], convolved, atol=1e-9)


@pytest.mark.parametrize("smoother", [PolynomialRate(), SplineRate(), SplineRate(penalty_s3=1.0)])
def test_a_constant_rate_is_found_from_the_first_discharge_to_the_last(smoother):
    spikes = SpikeTrains.from_trains([np.arange(2.0, 8.05, 0.1), []], 10.0)
    rates = smoothed_rates(spikes, smoother)
    known = (rates.times_s >= 2.0) & (rates.times_s <= 8.0)
    assert np.allclose(rates.values_pps[0, known], 10.0, atol=1e-6)
    assert np.isnan(rates.values_pps[0, ~known]).all()
    assert np.isnan(rates.values_pps[1]).all()


@pytest.mark.parametrize("smoother", [PolynomialRate(), SplineRate()])
def test_a_rate_that_rises_and_falls_is_followed_without_delay(smoother):
    def rate_of(t):
        return 8.0 + 10.0 * (1.0 - (t / 10.0 - 1.0) ** 2)

    spikes = SpikeTrains.from_trains([regular(rate_of, 0.0, 20.0)], 20.0)
    rates = smoothed_rates(spikes, smoother)
    known = np.isfinite(rates.values_pps[0])
    assert known.mean() > 0.98
    assert np.abs(rates.values_pps[0, known] - rate_of(rates.times_s[known])).max() < 0.05


@pytest.mark.parametrize("smoother", [PolynomialRate(), SplineRate()])
def test_in_a_long_silence_the_rate_is_unknown(smoother):
    train = np.concatenate([np.arange(0.0, 4.0, 0.1), np.arange(7.0, 10.0, 0.1)])
    rates = smoothed_rates(SpikeTrains.from_trains([train], 10.0), smoother)
    inside = (rates.times_s >= 3.95) & (rates.times_s < 6.995)
    assert np.isnan(rates.values_pps[0, inside]).all()
    assert np.allclose(rates.values_pps[0, rates.times_s < 3.9], 10.0, atol=1e-6)


@pytest.mark.parametrize("smoother", [PolynomialRate(), SplineRate(), HannRate()])
@pytest.mark.parametrize("train", [[], [1.0], [1.0, 1.1], [1.0, 1.0, 1.0]])
def test_few_discharges_give_no_rate_and_no_error(smoother, train):
    rates = smoothed_rates(SpikeTrains.from_trains([train], 3.0), smoother)
    if isinstance(smoother, HannRate):
        assert rates.values_pps.sum() / 100.0 == pytest.approx(len(train), abs=1e-9)
    else:
        assert np.isnan(rates.values_pps).all()


def test_a_cumulative_train_counts_all_discharges_where_they_are():
    spikes = SpikeTrains.from_trains([[1.0005, 2.0005], [1.0005], []], 4.0, 0.5)
    train = cumulative_spike_train(spikes)
    assert train.values.sum() == 3
    assert np.flatnonzero(train.values).tolist() == [500, 1500]
    assert train.values[500] == 2
    assert train.t_start_s == 0.5


def test_the_cumulative_rate_is_the_sum_of_the_units():
    spikes = poisson(lambda t: 10.0, 4, 10.0, 2)
    whole = cumulative_rate(spikes)
    each = smoothed_rates(spikes, HannRate()).values_pps
    assert np.allclose(whole.values, each.sum(axis=0))
    assert whole.units == "pps"


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda s: smoothed_rates(s, rate_hz=0.0), "smoothed_rates.rate_hz"),
        (lambda s: smoothed_rates(s, "hann"), "give a RateSmoother"),
        (lambda s: cumulative_spike_train(s, -1.0), "cumulative_spike_train.rate_hz"),
        (lambda s: cumulative_rate(s, window_s=0.0), "cumulative_rate.window_s"),
        (lambda s: SmoothedRates(np.ones(4), 10.0), "SmoothedRates.values_pps"),
        (lambda s: SmoothedRates(np.ones((1, 4)), 0.0), "SmoothedRates.rate_hz"),
        (lambda s: HannRate(window_s=-1.0), "HannRate.window_s"),
    ],
)
def test_what_makes_no_rate_is_refused(make, match):
    with pytest.raises(ParameterError, match=match):
        make(SpikeTrains.from_trains([[0.5]], 1.0))
