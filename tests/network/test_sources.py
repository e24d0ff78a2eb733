"""Sources fire with the statistics they promise, and no unit's draws depend on another's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from myoloop.data import Signal, SpikeTrains
from myoloop.errors import ParameterError
from myoloop.network import GammaSource, Network, PoissonSource, ReplaySource, simulate


def emit(source, duration_s, seed=1, **options):
    return simulate(Network([source]), duration_s, seed=seed, **options).spikes[source.name]


def intervals(trains):
    return np.concatenate([np.diff(train) for train in trains])


def test_poisson_counts_have_the_mean_and_the_variance_of_the_rate():
    counts = emit(PoissonSource("IN", 4000, rate_pps=20.0), 2.0).counts
    assert counts.mean() == pytest.approx(40.0, abs=5 * np.sqrt(40 / 4000))
    assert counts.var(ddof=1) / counts.mean() == pytest.approx(1.0, abs=5 * np.sqrt(2 / 4000))


def test_poisson_intervals_are_exponential():
    trains = emit(PoissonSource("IN", 60, rate_pps=100.0), 4.0)
    assert stats.kstest(intervals(trains), "expon", (0.0, 0.01)).pvalue > 0.01


def test_poisson_spikes_fall_anywhere_in_a_step_and_a_window():
    phase = emit(PoissonSource("IN", 60, rate_pps=100.0), 4.0).times_s * 1e3 % 1.0
    assert stats.kstest(phase, "uniform").pvalue > 0.01


@pytest.mark.parametrize("shape", [1.0, 4.0, 145.0])
def test_gamma_intervals_have_the_cv_of_their_shape(shape):
    trains = emit(GammaSource("Ia", 40, rate_pps=50.0, shape=shape), 20.0)
    gaps = intervals(trains)
    assert gaps.mean() == pytest.approx(0.02, rel=0.01)
    assert gaps.std() / gaps.mean() == pytest.approx(1 / np.sqrt(shape), rel=0.03)
    lag = np.concatenate([np.stack([np.diff(t)[:-1], np.diff(t)[1:]]) for t in trains], axis=1)
    assert abs(np.corrcoef(lag)[0, 1]) < 0.02


@pytest.mark.parametrize("shape", [1.0, 20.0, 500.0])
def test_the_rate_is_flat_from_the_first_moment_on(shape):
    """A renewal process in equilibrium: no volley at the start, however regular the units."""
    trains = emit(GammaSource("Ia", 20_000, rate_pps=50.0, shape=shape), 0.06)
    counts = trains.binned(0.002)
    expected = 20_000 * 50.0 * 0.002
    assert stats.chisquare(counts, np.full(30, counts.sum() / 30)).pvalue > 0.01
    assert counts.mean() == pytest.approx(expected, rel=0.02)


def test_a_rate_that_varies_is_followed_by_its_integral():
    def rate(t_s):
        return 50.0 * (1.0 + np.sin(2 * np.pi * 5.0 * t_s))

    trains = emit(PoissonSource("DD", 3000, rate_pps=rate), 1.0)
    edges = np.linspace(0.0, 1.0, 51)
    integral = 50.0 * (edges - np.cos(2 * np.pi * 5.0 * edges) / (2 * np.pi * 5.0))
    expected = 3000 * np.diff(integral)
    found = np.histogram(trains.times_s, edges)[0]
    assert stats.chi2.sf(np.sum((found - expected) ** 2 / expected), 50) > 0.01


def test_a_rate_that_varies_stretches_gamma_intervals_without_changing_their_regularity():
    trains = emit(GammaSource("DD", 50, rate_pps=lambda t: 20.0 + 20.0 * t, shape=25.0), 4.0)
    operational = np.concatenate([np.diff(20.0 * t + 10.0 * t**2) for t in trains])
    assert operational.mean() == pytest.approx(1.0, rel=0.01)
    assert operational.std() == pytest.approx(0.2, rel=0.05)


def test_each_unit_may_have_its_own_rate():
    rates = np.array([0.0, 10.0, 40.0, 160.0])
    counts = emit(PoissonSource("IN", 4, rate_pps=rates), 50.0).counts
    assert counts[0] == 0
    assert np.all(np.abs(counts - 50 * rates) <= 4 * np.sqrt(50 * rates))


def test_a_function_may_give_each_unit_its_own_rate():
    counts = emit(
        PoissonSource("IN", 2, rate_pps=lambda t: np.stack([0 * t, 100 + 0 * t], axis=1)), 10.0
    ).counts
    assert counts[0] == 0
    assert counts[1] == pytest.approx(1000, abs=130)


def test_a_sampled_rate_holds_over_each_sample():
    rate = Signal(np.repeat([0.0, 200.0], 5), 10.0, "pps")
    trains = emit(PoissonSource("IN", 50, rate_pps=rate), 1.0)
    assert trains.times_s.min() > 0.5
    assert len(trains.times_s) == pytest.approx(50 * 200 * 0.5, abs=4 * np.sqrt(5000))


def test_many_spikes_in_a_window_are_all_there():
    counts = emit(PoissonSource("IN", 3, rate_pps=1e6), 0.02).counts
    np.testing.assert_allclose(counts, 20_000, atol=5 * np.sqrt(20_000))


def test_a_rate_of_zero_is_silence():
    assert emit(PoissonSource("IN", 10, rate_pps=0.0), 0.5).counts.sum() == 0


@pytest.mark.parametrize("window_ms", [0.5, 1.0, 2.0])
def test_units_are_not_shifted_by_the_window(window_ms):
    trains = emit(PoissonSource("IN", 20, rate_pps=80.0), 1.0, window_ms=window_ms)
    reference = emit(PoissonSource("IN", 20, rate_pps=80.0), 1.0, window_ms=0.25)
    np.testing.assert_allclose(trains.times_s, reference.times_s, rtol=1e-9)


@pytest.mark.parametrize("make", [PoissonSource, lambda *a, **k: GammaSource(*a, shape=10.0, **k)])
def test_adding_a_unit_changes_no_other_units_spikes(make):
    few, more = (emit(make("IN", n, rate_pps=50.0), 1.0) for n in (5, 6))
    for unit in range(5):
        np.testing.assert_array_equal(few[unit], more[unit])
    assert len(more[5]) > 0


def test_adding_a_source_changes_no_other_sources_spikes():
    first, second = PoissonSource("A", 5, rate_pps=50.0), PoissonSource("B", 5, rate_pps=50.0)
    alone = simulate(Network([first]), 1.0).spikes["A"]
    both = simulate(Network([second, first]), 1.0).spikes
    np.testing.assert_array_equal(alone.times_s, both["A"].times_s)
    assert len(both["B"].times_s) > 0
    assert not np.array_equal(both["A"].times_s[:50], both["B"].times_s[:50])


def test_another_seed_gives_other_spikes_and_the_same_seed_the_same():
    source = PoissonSource("IN", 5, rate_pps=50.0)
    one, again, other = (emit(source, 1.0, seed=s).times_s for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one[:20], other[:20])


def test_units_of_one_source_are_independent():
    trains = emit(PoissonSource("IN", 30, rate_pps=100.0), 10.0)
    counts = np.array([np.histogram(train, np.linspace(0, 10, 1001))[0] for train in trains])
    assert np.abs(np.corrcoef(counts) - np.eye(30)).max() < 5 / np.sqrt(1000)


def test_replayed_spikes_are_exactly_those_given():
    rng = np.random.default_rng(0)
    given = SpikeTrains.from_trains([np.sort(rng.uniform(0, 1, 50)), [], [0.0, 0.5, 0.5, 1.0]], 1.0)
    back = emit(ReplaySource("IN", spikes=given), 1.0)
    np.testing.assert_array_equal(back.times_s, given.times_s)
    np.testing.assert_array_equal(back.starts, given.starts)


@pytest.mark.parametrize("steps", range(1, 400, 7))
def test_a_replayed_spike_on_any_end_of_a_run_is_kept(steps):
    """steps * dt in s, worked out in whatever order, may lie beyond the end by the last bit."""
    end_s = steps * 0.025e-3 if steps % 2 else steps * 0.025 * 1e-3
    given = SpikeTrains.from_trains([[end_s]], end_s)
    back = emit(ReplaySource("IN", spikes=given), end_s, window_ms=0.025)
    assert len(back[0]) == 1
    assert back[0][0] == pytest.approx(end_s, rel=1e-12)


def test_only_what_lies_within_the_run_is_replayed():
    back = emit(ReplaySource("IN", spikes=SpikeTrains.from_trains([[0.1, 0.4, 0.9]], 1.0)), 0.5)
    np.testing.assert_array_equal(back[0], [0.1, 0.4])


def test_a_closed_loop_may_replace_a_rate_for_a_window():
    sim = Network([PoissonSource("IN", 200, rate_pps=[100.0] * 200)]).start()
    assert sum(len(sim.step({"IN": 0.0}).spikes["IN"].units) for _ in range(100)) == 0
    own = sum(len(sim.step().spikes["IN"].units) for _ in range(200))
    assert own == pytest.approx(200 * 100 * 0.2, abs=5 * np.sqrt(4000))
    each = np.repeat([0.0, 50.0], 100)
    units = np.concatenate([sim.step({"IN": each}).spikes["IN"].units for _ in range(200)])
    assert units.min() >= 100
    assert len(units) == pytest.approx(100 * 50 * 0.2, abs=5 * np.sqrt(1000))


def test_what_is_replayed_cannot_be_overridden():
    sim = Network([ReplaySource("IN", spikes=SpikeTrains.from_trains([[0.1]], 1.0))]).start()
    with pytest.raises(ParameterError, match="this source has no rate"):
        sim.step({"IN": 3.0})
