"""Peaks, their two classes, and what is measured on trains: the compiled loops against plain ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myoloop.decompose import silhouette
from myoloop.decompose._kernels import (
    add_at,
    coincidences,
    isi_variation,
    peaks_of,
    responses_of,
    silhouette_of,
    snippet_sum,
    spikes_of,
    two_means,
)

quick = settings(max_examples=60, deadline=None)
levels = st.lists(st.integers(-3, 6), min_size=0, max_size=60)
values = st.lists(st.floats(0, 100, width=32), min_size=6, max_size=80)
trains = st.lists(st.integers(0, 400), max_size=40, unique=True)


def plain_peaks(source, distance):
    """Above 0, larger than all before and no smaller than all after, within the distance."""
    return [
        t
        for t in range(len(source))
        if source[t] > 0
        and all(source[max(0, t - distance) : t] < source[t])
        and all(source[t + 1 : t + 1 + distance] <= source[t])
    ]


@quick
@given(levels, st.integers(0, 12))
def test_peaks_are_the_largest_on_both_sides_and_the_first_of_equal_ones(source, distance):
    source = np.array(source, np.float64)
    assert peaks_of(source, distance).tolist() == plain_peaks(source, distance)


def test_peaks_of_noise():
    source = np.random.default_rng(0).standard_normal(3000)
    assert peaks_of(source, 20).tolist() == plain_peaks(source, 20)


@pytest.mark.parametrize("distance", [1, 20])
def test_two_peaks_are_further_apart_than_the_distance(distance):
    peaks = peaks_of(np.random.default_rng(1).standard_normal(5000).astype(np.float32), distance)
    assert np.diff(peaks).min() > distance


def test_nothing_has_no_peaks_and_not_a_number_is_none():
    assert peaks_of(np.zeros(50), 5).tolist() == []
    assert peaks_of(np.empty(0), 5).tolist() == []
    assert peaks_of(np.full(50, np.nan), 5).tolist() == []
    assert peaks_of(-np.ones(50), 5).tolist() == []


def exhaustive(heights):
    """The best of all divisions of the sorted values: within-class sum of squares, and the centroids."""
    ordered = np.sort(heights).astype(float)
    k = np.arange(1, len(ordered))
    low, high = np.cumsum(ordered)[:-1] / k, np.cumsum(ordered[::-1])[-2::-1] / (len(ordered) - k)
    cost = np.sum(ordered**2) - k * low**2 - (len(ordered) - k) * high**2
    best = int(np.argmin(cost))
    return cost[best], [low[best], high[best]]


@quick
@given(
    st.lists(st.floats(0, 1), min_size=6, max_size=40),
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.floats(12, 100),
)
def test_two_classes_that_stand_apart_are_told_apart_at_best(low, high, distance):
    """Low ones in the majority, as noise is."""
    heights = np.array(low + [h + distance for h in high[: len(low) - 1]])
    threshold, *centroids = two_means(heights, 100)
    np.testing.assert_allclose(centroids, exhaustive(heights)[1], atol=1e-9)
    assert 1 < threshold < distance


@quick
@given(values)
def test_two_means_end_where_each_value_is_in_the_nearer_class(heights):
    heights = np.array(heights, np.float64)
    threshold, low, high = two_means(heights, 1000)
    assert threshold == pytest.approx(0.5 * (low + high))
    below, above = heights[heights <= threshold], heights[heights > threshold]
    if len(below) and len(above):
        assert low == pytest.approx(below.mean(), abs=1e-9)
        assert high == pytest.approx(above.mean(), abs=1e-9)
        assert exhaustive(heights)[0] <= np.sum((below - low) ** 2) + np.sum((above - high) ** 2) + 1e-6


def test_two_means_of_equal_values_have_one_class():
    threshold, low, high = two_means(np.full(10, 3.0), 100)
    assert threshold == low == high == 3.0


def noisy_train(seed=0, samples=20_000, height=8.0, noise=1.0, every=170):
    rng = np.random.default_rng(seed)
    source = noise * rng.standard_normal(samples)
    spikes = np.arange(every, samples - every, every) + rng.integers(-20, 21, (samples - 1) // every - 1)
    source[spikes] += height
    return source.astype(np.float32), spikes


def test_spikes_are_the_peaks_in_the_higher_class_of_squares():
    source, train = noisy_train(height=20.0)
    spikes, low, high, sil = spikes_of(source, 20)
    np.testing.assert_array_equal(spikes, train)
    heights = np.square(source[peaks_of(source, 20)].astype(float))
    np.testing.assert_allclose([low, high], exhaustive(heights)[1], rtol=1e-5)
    assert sil == pytest.approx(silhouette(source, spikes, rate_hz=2000.0), rel=1e-5)


@pytest.mark.parametrize("height", [3.0, 5.0, 8.0, 20.0])
def test_silhouette_is_that_of_the_metrics(height):
    source, _ = noisy_train(2, height=height)
    spikes, low, high, sil = spikes_of(source, 20)
    again = silhouette_of(source, spikes, 20)
    np.testing.assert_allclose(again, [low, high, sil], rtol=1e-5)
    assert sil == pytest.approx(silhouette(source, spikes, rate_hz=2000.0), rel=1e-5)
    some = spikes[::2]  # the rest is background now
    assert silhouette_of(source, some, 20)[2] == pytest.approx(
        silhouette(source, some, rate_hz=2000.0), rel=1e-5
    )


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e6])
def test_detection_knows_no_scale(scale):
    source, _ = noisy_train(3)
    plain, scaled = spikes_of(source, 20), spikes_of(source * np.float32(scale), 20)
    np.testing.assert_array_equal(plain[0], scaled[0])
    assert plain[3] == pytest.approx(scaled[3], rel=1e-4)


@pytest.mark.parametrize(
    "source", [np.zeros(100), np.eye(1, 100, 50)[0], -np.ones(100), np.empty(0), np.full(100, np.nan)]
)
def test_a_source_without_two_peaks_has_no_spikes(source):
    spikes, low, high, sil = spikes_of(source.astype(np.float32), 10)
    assert len(spikes) == 0
    assert low == high == sil == 0


def test_silhouette_needs_spikes_and_a_background():
    source, spikes = noisy_train()
    assert silhouette_of(source, spikes[:0], 20) == (0.0, 0.0, 0.0)
    assert silhouette_of(source, peaks_of(source, 20), 20) == (0.0, 0.0, 0.0)


@quick
@given(trains, st.integers(1, 100))
def test_variation_of_intervals_is_that_of_those_within_the_limit(train, longest):
    train = np.sort(np.array(train, np.int64))
    intervals = np.diff(train)
    intervals = intervals[intervals <= longest]
    found = isi_variation(train, longest)
    if len(intervals) < 3:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(np.std(intervals, ddof=1) / intervals.mean(), abs=1e-7)


@quick
@given(trains, trains, st.integers(0, 60), st.integers(0, 4))
def test_coincidences_are_the_most_at_one_lag(a, b, max_lag, tolerance):
    a, b = (np.sort(np.array(train, np.int64)) for train in (a, b))
    lags = [int(t - s) for s in a for t in b if abs(t - s) <= max_lag]
    totals = {lag: sum(abs(d - lag) <= tolerance for d in lags) for lag in range(-max_lag, max_lag + 1)}
    number, lag = coincidences(a, b, max_lag, tolerance)
    assert number == max(totals.values())
    assert totals[lag] == number
    best = [at for at, total in totals.items() if total == number]
    assert lags.count(lag) == max(lags.count(at) for at in best)


def test_coincidences_find_a_shifted_train():
    train = np.cumsum(np.random.default_rng(0).integers(100, 200, 50))
    assert coincidences(train, train + 37, 100, 2) == (50, 37)
    assert coincidences(train + 37, train, 100, 2) == (50, -37)
    assert coincidences(train, train[:0], 100, 2)[0] == 0


def test_responses_are_added_at_spikes_and_cut_off_at_the_ends():
    source, spikes = np.zeros(50, np.float32), np.array([0, 3, 20, 21, 49])
    response = np.arange(1.0, 8.0, dtype=np.float32)
    for begin in (-9, -3, 0, 2):
        plain = np.zeros(90)
        for s in spikes:
            plain[20 + s + begin : 27 + s + begin] += response
        source[:] = 0
        add_at(source, spikes, response, begin)
        np.testing.assert_array_equal(source, plain[20:70])


@pytest.mark.parametrize(("lags", "length"), [(1, 1), (4, 9), (9, 4)])
def test_responses_of_filters_are_their_outputs_on_the_templates(lags, length):
    rng = np.random.default_rng(0)
    templates = rng.standard_normal((2, 3, length)).astype(np.float32)
    weights = rng.standard_normal((4, 3, lags)).astype(np.float32)
    out = np.zeros((4, 2, length + lags - 1), np.float32)
    responses_of(templates, weights, out)
    for i, w in enumerate(weights):
        for j, template in enumerate(templates):
            plain = sum(np.correlate(row, w[c], "full") for c, row in enumerate(template))
            np.testing.assert_allclose(out[i, j], plain, atol=1e-5)


@pytest.mark.parametrize("first", [-4, 0, 3])
def test_sums_of_snippets_leave_out_those_that_are_cut(first):
    x = np.random.default_rng(0).standard_normal((3, 40)).astype(np.float32)
    spikes = np.array([0, 3, 4, 20, 33, 34, 39, 60])
    out = np.ones((3, 6), np.float32)
    whole = [s for s in spikes if s + first >= 0 and s + first + 6 <= 40]
    assert snippet_sum(x, spikes, first, out) == len(whole)
    plain = 1 + sum(x[:, s + first : s + first + 6].astype(float) for s in whole)
    np.testing.assert_allclose(out, plain, atol=1e-5)
