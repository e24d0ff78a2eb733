"""Coherence, common input, common drive and principal components of units with a known input."""

import numpy as np
import pytest
from scipy.signal import coherence as scipy_coherence
from scipy.signal import csd
from trains import poisson, renewal

from myoloop.analysis import (
    Coherence,
    CoherenceSettings,
    FluctuationSettings,
    coherence_limit,
    common_components,
    common_drive,
    common_input,
    cumulative_spike_train,
    intramuscular_coherence,
    pooled_coherence,
    signal_coherence,
)
from myoloop.data import Signal, SpikeTrains
from myoloop.errors import ParameterError
from myoloop.random import Streams


def beta(t):
    return 12.0 * (1.0 + 0.5 * np.sin(2 * np.pi * 20.0 * t))


INDEPENDENT = poisson(lambda t: 12.0, 20, 120.0, 3)
COMMON = poisson(beta, 20, 120.0, 4)


def independent_pair(seed):
    return intramuscular_coherence(poisson(lambda t: 15.0, 4, 60.0, seed), splits=1, seed=seed)


def test_a_common_input_of_20_hz_is_seen_at_20_hz_alone():
    found = intramuscular_coherence(COMMON, splits=20)
    peak = found.frequency_hz[np.argmax(found.coherence)]
    near = np.abs(found.frequency_hz - 20.0) <= 1.0  # the Hann window leaks to both neighbours
    assert peak == 20.0
    assert found.coherence[near].min() > 3 * found.limit
    assert found.coherence[~near].max() < found.limit


def test_independent_trains_exceed_the_limit_as_often_as_it_says():
    over = [
        intramuscular_coherence(poisson(lambda t: 15.0, 4, 60.0, seed), splits=1, seed=seed)
        for seed in range(40)
    ]
    share = np.mean([one.coherence > one.limit for one in over])
    assert share == pytest.approx(0.05, abs=0.01)  # three standard errors of 4000 values


def test_pooling_over_divisions_lowers_what_independent_trains_give():
    one, many = (intramuscular_coherence(INDEPENDENT, splits=splits) for splits in (1, 100))
    assert many.coherence.mean() < 0.6 * one.coherence.mean()
    assert np.mean(many.coherence > many.limit) <= 0.02


@pytest.mark.parametrize("overlap", [0.0, 0.5])
def test_one_division_of_two_units_is_what_welch_gives(overlap):
    pair = COMMON.select([0, 1])
    found = intramuscular_coherence(pair, CoherenceSettings(overlap=overlap), splits=1)
    first, second = (cumulative_spike_train(pair.select([k])).values for k in (0, 1))
    frequency, expected = scipy_coherence(first, second, 1000.0, "hann", 1000, round(1000 * overlap))
    shown = (frequency > 0) & (frequency <= 100)
    assert np.allclose(found.frequency_hz, frequency[shown])
    assert np.allclose(found.coherence, expected[shown], atol=1e-10)


def test_pooled_spectra_are_the_sums_over_all_divisions():
    units, size, splits = COMMON.select(range(5)), 2, 7
    counts = np.array([cumulative_spike_train(units.select([k])).values for k in range(5)])
    rng = Streams(9).child("coherence", size).generator()
    sums = np.zeros((3, 501), dtype=complex)
    for _ in range(splits):
        order = rng.permutation(5)
        x, y = counts[order[:size]].sum(axis=0), counts[order[size : 2 * size]].sum(axis=0)
        sums += [csd(a, b, 1000.0, "hann", 1000, 0)[1] for a, b in ((x, y), (x, x), (y, y))]
    expected = np.abs(sums[0]) ** 2 / (sums[1] * sums[2]).real
    found = intramuscular_coherence(units, splits=splits, seed=9)
    assert np.allclose(found.coherence, expected[1:101], atol=1e-10)


def test_the_limit_follows_the_number_of_segments():
    assert coherence_limit(100) == pytest.approx(1 - 0.05 ** (1 / 99), rel=1e-12)
    assert coherence_limit(2, 0.95) == pytest.approx(0.95)
    found = intramuscular_coherence(INDEPENDENT)
    assert found.segments == 120
    assert found.limit == pytest.approx(coherence_limit(120))
    with pytest.raises(ParameterError, match="more than 1"):
        coherence_limit(1)


def test_overlapping_segments_count_less_than_their_number():
    """Of a Hann window at half overlap neighbours share a sixth (Welch 1967)."""
    found = intramuscular_coherence(INDEPENDENT, CoherenceSettings(overlap=0.5))
    count = 239
    assert found.segments == pytest.approx(count / (1 + 2 * (count - 1) / count / 36), rel=1e-3)


def test_z_scores_of_independent_trains_are_those_of_their_law():
    """Their squares are nearly chi-squared with two degrees of freedom: the mean is 2."""
    found = [
        intramuscular_coherence(poisson(lambda t: 15.0, 4, 60.0, seed), splits=1, seed=seed)
        for seed in range(20)
    ]
    assert np.mean([one.z_scores**2 for one in found]) == pytest.approx(2.0, rel=0.07)
    assert np.isfinite(Coherence(np.ones(1), np.ones(1), 10).z_scores).all()


def test_coherence_grows_with_the_group():
    sizes = pooled_coherence(COMMON, splits=20)
    assert [one.group_units for one in sizes] == list(range(1, 11))
    at_20 = [one.coherence[one.frequency_hz == 20.0][0] for one in sizes]
    assert np.all(np.diff(at_20) > 0)
    alone = intramuscular_coherence(COMMON, group_units=3, splits=20)
    assert np.array_equal(alone.coherence, sizes[2].coherence)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first, again, other = (intramuscular_coherence(COMMON, splits=5, seed=s).coherence for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_fit_of_the_pool_finds_the_ratio_it_was_made_with():
    ratio = 0.09
    sizes = np.arange(1, 9)
    frequency = np.arange(1.0, 11.0)
    made = [Coherence(frequency, np.full(10, (n * ratio / (1 + n * ratio)) ** 2), 60, 0.95, n) for n in sizes]
    found = common_input(made)
    assert found.proportion == pytest.approx(0.3, rel=1e-4)
    assert np.allclose(found.fitted, found.coherence, rtol=1e-3)
    with pytest.raises(ParameterError, match="1 sizes"):
        common_input(made[:1])
    with pytest.raises(ParameterError, match="band_hz"):
        common_input(made, band_hz=(50.0, 60.0))


def test_a_signal_that_drives_the_units_is_coherent_with_them_where_it_has_power():
    t = np.arange(0.0, 120.0, 1e-3)
    drive = np.sin(2 * np.pi * 20.0 * t) + 0.5 * np.random.default_rng(0).standard_normal(len(t))
    found = signal_coherence(COMMON, Signal(drive, 1000.0))
    assert found.frequency_hz[np.argmax(found.coherence)] == 20.0
    assert found.coherence.max() > 0.9
    away = np.abs(found.frequency_hz - 20.0) > 1.0
    assert np.mean(found.coherence[away] > found.limit) < 0.12


def test_only_the_common_time_of_signal_and_trains_counts():
    t = 30.0 + np.arange(0.0, 200.0, 1e-3)
    drive = Signal(np.sin(2 * np.pi * 20.0 * t) + 1e-3 * np.cos(t), 1000.0, t_start_s=30.0)
    found = signal_coherence(COMMON, drive)
    assert found.segments == 90
    assert found.coherence[found.frequency_hz == 20.0] > 0.9


@pytest.mark.parametrize(
    ("spikes", "options", "match"),
    [
        (COMMON.select([0]), {}, "two active units"),
        (SpikeTrains.from_trains([[1.0], [], []], 10.0), {}, "1 of 3 units discharge"),
        (COMMON, {"group_units": 11}, "give at most 10"),
        (COMMON, {"group_units": 0}, "group_units"),
        (COMMON, {"splits": 0}, "splits"),
        (COMMON.between(0.0, 1.5), {}, "holds 1 segments"),
        (COMMON, {"settings": CoherenceSettings(segment_s=0.002)}, "give longer segments"),
    ],
)
def test_what_gives_no_coherence_is_refused(spikes, options, match):
    with pytest.raises(ParameterError, match=match):
        intramuscular_coherence(spikes, **options)


@pytest.mark.parametrize(
    ("signal", "match"),
    [
        (Signal(np.ones(120000), 1000.0), "signal_coherence.signal: nothing changes"),
        (Signal(np.arange(5.0), 1000.0, t_start_s=119.999), "holds 0 segments"),
        (Signal(np.arange(5.0), 1000.0, t_start_s=500.0), "holds 0 segments"),
        (Signal(np.ones((10, 2)), 1000.0), "one channel"),
    ],
)
def test_a_signal_without_coherence_is_refused(signal, match):
    with pytest.raises(ParameterError, match=match):
        signal_coherence(COMMON, signal)


def test_a_silent_pool_has_no_coherence_with_a_signal():
    with pytest.raises(ParameterError, match=r"signal_coherence\.spikes"):
        signal_coherence(SpikeTrains.from_trains([[], []], 10.0), Signal(np.arange(10000.0) % 7, 1000.0))


def slow(t):
    return 1.0 + 0.25 * np.sin(2 * np.pi * 1.3 * t) + 0.2 * np.sin(2 * np.pi * 1.9 * t + 1.0)


DRIVEN = renewal(8, 60.0, 0, modulation=slow)
STEADY = renewal(8, 60.0, 1)


def test_common_drive_is_high_with_a_common_modulation_and_at_no_lag():
    found = common_drive(DRIVEN)
    assert found.index > 0.7
    pairs = np.triu_indices(8, 1)
    assert found.peak[pairs].min() > found.surrogate_limit
    assert np.abs(found.peak_lag_s[pairs]).mean() < 0.02
    assert np.isnan(np.diag(found.peak)).all()
    assert np.array_equal(found.peak[pairs], found.peak.T[pairs])


def test_without_common_modulation_the_pairs_stay_below_the_limit():
    found = common_drive(STEADY, surrogates=20)
    assert found.index < 0.35
    assert np.mean(found.peak[np.triu_indices(8, 1)] > found.surrogate_limit) < 0.2


def test_a_unit_that_follows_is_found_at_its_lag():
    one = DRIVEN.select([0])[0]
    late = one[one < 59.9] + 0.05
    pair = SpikeTrains.from_trains([one, late], 60.0)
    found = common_drive(pair, surrogates=0)
    assert found.peak_lag_s[0, 1] == pytest.approx(0.05)
    assert found.peak_lag_s[1, 0] == pytest.approx(-0.05)
    assert found.peak[0, 1] > 0.95
    assert np.isnan(found.surrogate_limit)


def test_correlation_without_lag_is_pearsons():
    settings = FluctuationSettings(edge_s=1.0)
    found = common_drive(DRIVEN, settings, segment_s=58.0, surrogates=0)
    components = common_components(DRIVEN, settings)
    by_components = components.loadings @ components.loadings.T
    centre = found.correlation[:, :, len(found.lag_s) // 2]
    assert np.allclose(by_components, centre, atol=2e-3)


def test_the_first_component_is_the_common_modulation():
    found = common_components(DRIVEN)
    truth = slow(found.times_s) - 1.0
    assert np.corrcoef(found.scores[0], truth)[0, 1] > 0.9
    assert found.explained[0] > 0.6
    assert found.explained.sum() == pytest.approx(1.0)
    assert (found.loadings[:, 0] > 0).all()
    assert common_components(STEADY).explained[0] < 0.35


def test_the_components_are_those_of_the_correlation_matrix():
    found = common_components(DRIVEN)
    spread = found.loadings @ found.loadings.T
    assert np.diag(spread) == pytest.approx(np.ones(8))
    assert np.linalg.eigvalsh(spread)[::-1] / 8 == pytest.approx(found.explained, abs=1e-9)
    inner = found.scores @ found.scores.T
    assert np.allclose(inner, np.diag(np.diag(inner)), atol=1e-6 * inner.max())


def test_a_silent_unit_has_neither_drive_nor_loadings():
    with_silent = SpikeTrains.from_trains([DRIVEN[0], [], DRIVEN[1]], 60.0)
    found = common_drive(with_silent, surrogates=2)
    assert np.isnan(found.peak[1]).all()
    assert found.index == pytest.approx(found.peak[0, 2])
    assert np.isnan(common_components(with_silent).loadings[1]).all()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"segment_s": 100.0}, "segment_s"),
        ({"max_lag_s": 6.0}, "max_lag_s"),
        ({"surrogates": -1}, "surrogates"),
        ({"confidence": 1.0}, "confidence"),
        ({"settings": FluctuationSettings(edge_s=40.0)}, "are edges"),
    ],
)
def test_options_of_common_drive_out_of_range_are_refused(options, match):
    with pytest.raises(ParameterError, match=match):
        common_drive(DRIVEN, **options)


def test_one_unit_shares_nothing():
    with pytest.raises(ParameterError, match="two active units"):
        common_drive(DRIVEN.select([0]))
    with pytest.raises(ParameterError, match="two active units"):
        common_components(SpikeTrains.from_trains([[1.0], []], 10.0))
    with pytest.raises(ParameterError, match=r"FluctuationSettings\.high_pass_hz"):
        FluctuationSettings(high_pass_hz=60.0)
