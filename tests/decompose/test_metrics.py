"""Agreement of trains: every definition against its plain form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from myoloop.data import SpikeTrains
from myoloop.decompose._metrics import contest_score, duplicates, match_trains, score
from myoloop.decompose._metrics._kernels import pairs_at
from myoloop.errors import MyoloopError, ParameterError

STOP_S = 20.0


def train(rng, rate_pps=10.0, cov=0.15, stop_s=STOP_S):
    times = np.cumsum(np.maximum(rng.normal(1, cov, int(2 * rate_pps * stop_s)), 0.1) / rate_pps)
    return times[times < stop_s]


def pool(n=6, seed=0):
    rng = np.random.default_rng(seed)
    return SpikeTrains.from_trains([train(rng, 6 + 2 * k) for k in range(n)], STOP_S)


def moved(trains, shift):
    """Trains with each spike moved by ``shift(spikes)`` seconds."""
    times = [np.sort(t + shift(len(t))) for t in trains]
    return SpikeTrains.from_trains(times, STOP_S + 1, -1.0)


def most_pairs(x, y, lag, tolerance):
    """Largest one-to-one pairing, by the general algorithm for bipartite graphs."""
    if len(x) == 0 or len(y) == 0:
        return 0
    near = np.abs(x[:, None] - y - lag) <= tolerance
    return int((maximum_bipartite_matching(csr_array(near)) >= 0).sum())


@settings(deadline=None)  # the first example compiles
@given(st.lists(st.floats(0, 1), max_size=25), st.lists(st.floats(0, 1), max_size=25), st.floats(-0.3, 0.3))
def test_pairing_uses_each_spike_once_and_is_the_largest(x, y, lag):
    x, y = np.sort(np.array(x, dtype=float)), np.sort(np.array(y, dtype=float))
    apart = np.abs(np.abs(x[:, None] - y - lag) - 0.02)
    if apart.size and apart.min() < 1e-6:  # on the edge of the tolerance rounding decides
        return
    assert pairs_at(x, y, lag, 0.02) == most_pairs(x, y, lag, 0.02)


def test_matching_agrees_with_the_plain_form():
    rng = np.random.default_rng(5)
    truth = pool(5, seed=5)
    mixed = [
        np.sort(np.concatenate([rng.permutation(t)[: int(share * len(t))] + lag, train(rng, 3)]))
        for t, share, lag in zip(truth, (1.0, 0.9, 0.7, 0.5, 0.1), (0, 0.02, -0.05, 0.09, 0), strict=True)
    ]
    found = SpikeTrains.from_trains(mixed[::-1], STOP_S + 1, -1.0)
    ours = match_trains(found, truth)
    # Plain: try every lag at which a difference enters the window, stands in its middle or leaves it.
    best = np.zeros((len(found), len(truth)), dtype=int)
    for i, x in enumerate(found):
        for j, y in enumerate(truth):
            at = np.unique((x[:, None] - y).ravel()) + np.array([[-1e-3], [0], [1e-3]])
            best[i, j] = max(pairs_at(x, y, lag, 1e-3) for lag in at[np.abs(at) <= 0.1])
    agree = best > 20  # below that nothing but chance is in common, and lags compete
    assert np.all(ours.hits <= best)
    np.testing.assert_allclose(ours.hits[agree], best[agree], atol=1)  # one more of them by chance
    f1 = 2 * ours.hits / (found.counts[:, None] + truth.counts)
    np.testing.assert_allclose(ours.f1, f1)
    rows, columns = linear_sum_assignment(1 - np.where(f1 < 0.3, 0, f1))
    expected = [(i, j) for i, j in zip(rows, columns, strict=True) if f1[i, j] >= 0.3]
    assert ours.pairs.tolist() == [list(pair) for pair in expected]
    assert len(ours) == 4


def test_identical_trains_agree_fully():
    trains = pool()
    found = score(trains, trains)
    assert [(p.found, p.truth, p.f1, p.roa, p.lag_ms) for p in found.pairs] == [
        (k, k, 1.0, 1.0, pytest.approx(0, abs=1e-9)) for k in range(6)
    ]
    assert (found.found, found.truth, found.matched, found.good) == (6, 6, 6, 6)
    assert (found.f1_mean, found.roa_mean, found.unit_precision, found.unit_recall) == (1, 1, 1, 1)


@pytest.mark.parametrize("lag_ms", [50.0, -50.0, 99.9, 0.13])
def test_a_lag_is_found_to_a_part_of_a_sample(lag_ms):
    truth = pool()
    found = score(moved(truth, lambda n: np.full(n, 1e-3 * lag_ms)), truth)
    np.testing.assert_allclose([p.lag_ms for p in found.pairs], lag_ms, atol=1e-6)
    assert found.f1_mean == 1


def test_a_lag_beyond_the_largest_is_not_taken():
    truth = pool()
    assert score(moved(truth, lambda n: np.full(n, 0.12)), truth, max_lag_ms=100).good == 0
    assert score(moved(truth, lambda n: np.full(n, 0.12)), truth, max_lag_ms=130).good == 6
    fixed = score(moved(truth, lambda n: np.full(n, 5e-4)), truth, max_lag_ms=0)
    assert [p.lag_ms for p in fixed.pairs] == [0.0] * 6
    assert fixed.f1_mean == 1


def test_jitter_inside_the_tolerance_is_forgiven_and_outside_is_not():
    rng, truth = np.random.default_rng(1), pool()
    inside = score(moved(truth, lambda n: rng.uniform(-0.9e-3, 0.9e-3, n)), truth)
    assert inside.f1_mean == 1
    # Half the spikes 1.2 ms early, half late: no window of 2 ms holds both.
    outside = score(moved(truth, lambda n: np.where(np.arange(n) % 2, 1.2e-3, -1.2e-3)), truth)
    np.testing.assert_allclose([p.f1 for p in outside.pairs], 0.5, atol=0.02)
    wider = score(
        moved(truth, lambda n: np.where(np.arange(n) % 2, 1.2e-3, -1.2e-3)), truth, tolerance_ms=1.3
    )
    assert wider.f1_mean == 1


def test_differences_of_exactly_the_tolerance_count():
    truth = SpikeTrains.from_trains([np.arange(1, 15, 0.1)], STOP_S)
    times = np.arange(1, 15, 0.1) + np.where(np.arange(140) % 2, 1e-3, -1e-3)
    assert score(SpikeTrains.from_trains([times], STOP_S), truth).f1_mean == 1


@pytest.mark.parametrize("rate_hz", [1000.0, 2048.0, 10240.0])
def test_sampling_of_the_spikes_does_not_matter(rate_hz):
    truth = pool()
    found = score(moved(truth, lambda n: np.zeros(n)), truth)
    sampled = SpikeTrains.from_trains([np.rint(t * rate_hz) / rate_hz for t in truth], STOP_S)
    assert score(sampled, truth).f1_mean == found.f1_mean == 1


def test_known_numbers_of_one_pair():
    times = np.arange(1, 11) * 1.0
    truth = SpikeTrains.from_trains([times], STOP_S)
    found = SpikeTrains.from_trains([np.sort(np.concatenate([times[:8], [3.5, 5.25, 11.7, 14.2]]))], STOP_S)
    (pair,) = score(found, truth).pairs
    assert (pair.tp, pair.fp, pair.fn) == (8, 4, 2)
    assert pair.roa == pytest.approx(8 / 14)
    assert pair.f1 == pytest.approx(16 / 22)
    assert pair.f1 == pytest.approx(2 * pair.roa / (1 + pair.roa))
    assert (pair.precision, pair.recall) == (pytest.approx(8 / 12), pytest.approx(0.8))


def test_minimum_of_a_match():
    truth = SpikeTrains.from_trains([np.arange(1, 11) * 1.0], STOP_S)
    found = SpikeTrains.from_trains([np.array([1.0, 2.0, 3.0])], STOP_S)
    (pair,) = score(found, truth, minimum=6 / 13 - 1e-9).pairs
    assert pair.f1 == pytest.approx(6 / 13)
    assert score(found, truth, minimum=6 / 13 + 1e-9).matched == 0


def test_a_bad_pair_does_not_displace_a_good_one():
    # Found 0 agrees with true 0 at .35 and with true 1 at .29; found 1 with true 0 at .29 only.
    base = np.arange(100) * 0.15 + 0.5
    other, third = base + 0.037, base + 0.071
    irregular = np.random.default_rng(0).uniform(-0.02, 0.02, (3, 100))
    a, b, c = (np.sort(t + e) for t, e in zip((base, other, third), irregular, strict=True))
    found_0 = np.sort(np.concatenate([a[:35], b[:29], c[64:]]))
    found_1 = np.sort(np.concatenate([a[35:64], c[:64]]))
    found = SpikeTrains.from_trains([found_0, found_1], STOP_S)
    matching = match_trains(found, SpikeTrains.from_trains([a, b], STOP_S), minimum=0.33)
    assert matching.pairs.tolist() == [[0, 0]]


def test_trains_without_spikes_count_on_neither_side():
    truth = SpikeTrains.from_trains([np.arange(1, 9, 0.1), [], []], STOP_S)
    found = SpikeTrains.from_trains([[], np.arange(1, 9, 0.1)], STOP_S)
    result = score(found, truth)
    assert (result.found, result.truth, result.matched) == (1, 1, 1)
    assert (result.pairs[0].found, result.pairs[0].truth) == (1, 0)


def test_nothing_found_is_an_answer():
    truth, none = pool(), SpikeTrains.from_trains([], STOP_S)
    for result, matched in ((score(none, truth), (0, 6)), (score(truth, none), (6, 0))):
        assert (result.found, result.truth) == matched
        assert result.matched == 0
        assert np.isnan(result.f1_mean)
        assert np.isnan(result.roa_mean)
    assert np.isnan(score(none, truth).unit_precision)
    assert score(truth, none).unit_precision == 0
    assert "0 of 6" in str(score(none, truth))


def test_duplicates_and_precision_of_the_units():
    truth = pool()
    rng = np.random.default_rng(3)
    twice = [t + 0.01 for t in truth.select([0, 1])]
    false = train(rng, 9)
    found = SpikeTrains.from_trains([*twice, truth[0][::2], false], STOP_S + 1)
    result = score(found, truth)
    assert (result.matched, result.good, result.duplicates) == (2, 2, ("2",))
    assert result.unit_precision == 0.5
    assert result.unit_recall == pytest.approx(2 / 6)


def test_order_of_units_does_not_matter():
    truth, rng = pool(), np.random.default_rng(4)
    found = moved(truth, lambda n: rng.normal(0, 4e-4, n))
    order = [3, 0, 5, 1, 4, 2]
    plain, turned = score(found, truth), score(found.select(order), truth.select(order[::-1]))
    assert sorted(p.f1 for p in plain.pairs) == sorted(p.f1 for p in turned.pairs)
    assert plain.metrics() == pytest.approx(turned.metrics())


def test_exchanging_the_sides_transposes():
    found, truth = pool(12, seed=1), pool(9, seed=2)
    one, other = match_trains(found, truth), match_trains(truth, found)
    np.testing.assert_array_equal(one.hits, other.hits.T)
    np.testing.assert_allclose(one.lag_ms, -other.lag_ms.T, atol=1e-9)


def test_the_same_input_gives_the_same_answer():
    found, truth = pool(12, seed=1), pool(9, seed=2)
    one, other = match_trains(found, truth), match_trains(found, truth)
    assert np.array_equal(one.hits, other.hits)
    assert np.array_equal(one.lag_ms, other.lag_ms)


def test_unrelated_trains_do_not_match():
    result = score(pool(8, seed=1), pool(8, seed=2))
    assert (result.matched, result.duplicates) == (0, ())


def test_names_and_text():
    truth = pool(2)
    named = SpikeTrains.from_trains(list(truth), STOP_S, annotations={"unit_id": np.array(["MU07", "MU03"])})
    result = score(named, truth)
    assert [row["found"] for row in result.table()] == ["MU07", "MU03"]
    text = str(result)
    assert "MU07" in text
    assert "mean rate of agreement 1.000" in text
    assert repr(result) == "Score(2 of 2 units matched, 2 with F1 >= 0.9, mean RoA 1.000, 2 found)"


@pytest.mark.parametrize(
    "rule", [{"tolerance_ms": 0}, {"max_lag_ms": -1}, {"minimum": 2}, {"good_f1": 0}, {"tolerance": 1}]
)
def test_a_rule_out_of_range_is_refused(rule):
    with pytest.raises(MyoloopError, match=next(iter(rule))):
        score(pool(), pool(), **rule)


# The contest


def test_contest_points():
    truth = pool()
    half = [t[: int(0.4 * len(t))] for t in truth.select([1])]  # F1 of .57
    few = [truth[2][:9]]
    found = SpikeTrains.from_trains([truth[0], truth[0] + 0.02, *half, *few, truth[3]], STOP_S + 1)
    result = contest_score(found, truth)
    assert result.rejected == {"1": "duplicate", "3": "9 spikes"}
    share = len(half[0]) / len(truth[1])
    assert result.points == pytest.approx(2 + 2 * share / (1 + share))
    with_sil = contest_score(found, truth, sil=[0.95, 0.99, 0.9, 0.9, np.nan])
    assert with_sil.rejected == {"1": "duplicate", "3": "9 spikes", "4": "SIL nan"}
    assert with_sil.points == pytest.approx(result.points - 1)
    with pytest.raises(ParameterError, match=r"contest_score\.sil"):
        contest_score(found, truth, sil=[1.0])


def test_duplicates_are_told_by_the_longer_train():
    truth = pool(1)
    n = len(truth[0])
    trains = SpikeTrains.from_trains(
        [truth[0], truth[0][: int(0.31 * n) + 1], truth[0][: int(0.28 * n)]], STOP_S
    )
    # The third shares .28 of the first, but nearly all of the second.
    assert duplicates(trains) == [1, 2]
    assert duplicates(trains.select([0, 2])) == []
    assert duplicates(trains.select([0, 2]), share=0.25) == [1]
