import itertools
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myoloop.data import SpikeTrains
from myoloop.errors import ParameterError
from myoloop.muscle import (
    FuglevandForce,
    FuglevandPool,
    _kernels,
    recruitment_thresholds,
    twitch_gain,
)

N = 800
MODEL = FuglevandForce(recruitment_thresholds(N, ratio=100))


@pytest.fixture(scope="module")
def partial():
    """671 of 800 units, 15 s, slow to fast modulation."""
    pool = FuglevandPool(n=N, thresholds=MODEL.thresholds * 100)
    spikes = pool.spikes(lambda t_s: 0.25 + 0.15 * np.sin(t_s), 15.0, seed=1)
    keep = np.arange(N) < 671
    trains = [train if k else [] for train, k in zip(spikes, keep)]
    return SpikeTrains.from_trains(trains, 15.0, annotations=spikes.annotations)


def direct(model, spikes, times_s):
    """The definition: the sum of all twitches, each with its gain; shape (times, n)."""
    force = np.zeros((len(times_s), len(spikes)))
    for u, train in enumerate(spikes):
        contraction_s = model.contractions_ms[u] / 1000
        gains = twitch_gain(contraction_s / np.diff(train, prepend=-np.inf))
        for time_s, gain in zip(train, gains):
            since = np.maximum(times_s - time_s, 0) / contraction_s
            force[:, u] += model.peaks[u] * gain * since * np.exp(1 - since)
    return force


def random_spikes(rng, n, duration_s, rate_pps=20.0, start_s=0.0):
    counts = rng.poisson(rate_pps * duration_s, n)
    trains = [np.sort(rng.uniform(start_s, start_s + duration_s, count)) for count in counts]
    return SpikeTrains.from_trains(trains, start_s + duration_s, start_s)


def few(n=5):
    return FuglevandForce(recruitment_thresholds(n, ratio=30))


# The recursion


def test_equals_the_sum_of_twitches():
    model, spikes = few(), random_spikes(np.random.default_rng(0), 5, 2.0, start_s=-0.5)
    each = model.force(spikes, 777.0, per_unit=True)
    expected = direct(model, spikes, each.times_s)
    np.testing.assert_allclose(each.values, expected, atol=1e-9 * expected.max())
    total = model.force(spikes, 777.0)
    np.testing.assert_allclose(total.values, expected.sum(axis=1), atol=1e-9 * expected.max())
    assert total.t_start_s == -0.5 and len(total) == (2 * 777) and each.channels == (0, 1, 2, 3, 4)


def test_equals_the_plain_recursion_for_spikes_on_samples():
    rate, model = 1000.0, few(1)
    train = np.array([100, 150, 170, 400, 410]) / rate
    force = model.force(SpikeTrains.from_trains([train], 1.0), rate).values
    contraction_s = model.contractions_ms[0] / 1000
    period = 1 / (rate * contraction_s)
    gains = twitch_gain(contraction_s / np.diff(train, prepend=-np.inf))
    impulses, f = np.zeros(1000), np.zeros(1000)
    impulses[np.round(train * rate).astype(int)] = model.peaks[0] * gains
    for n in range(2, 1000):
        f[n] = 2 * np.exp(-period) * f[n - 1] - np.exp(-2 * period) * f[n - 2]
        f[n] += period * np.exp(1 - period) * impulses[n - 1]
    np.testing.assert_allclose(force, f, atol=1e-9 * f.max())


def test_compiled_kernel_agrees_with_plain_python():
    model, spikes = few(3), random_spikes(np.random.default_rng(1), 3, 0.3)
    totals = []
    for kernel in (_kernels.twitch, _kernels.twitch_plain):
        total, each = np.zeros(300), np.zeros((3, 300))
        state = [np.full(3, -np.inf), np.zeros(3), np.zeros(3)]
        kernel(
            spikes.times_s,
            spikes.starts[:-1].copy(),
            spikes.starts[1:],
            0.3,
            0.0,
            1000.0,
            0,
            300,
            model.peaks,
            model.contractions_ms / 1000,
            *state,
            total,
            each,
        )
        totals.append((total, each, *state))
    for a, b in zip(*totals):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_discharge_at_any_time_enters_exactly():
    model = few(1)
    for offset in (0.0, 1e-9, 0.25e-3, 0.999999e-3):
        spikes = SpikeTrains.from_trains([[0.1 + offset]], 0.5)
        force = model.force(spikes, 1000)
        expected = direct(model, spikes, force.times_s)[:, 0]
        np.testing.assert_allclose(force.values, expected, atol=1e-9)


def test_two_discharges_at_once_and_a_spike_at_the_very_end():
    model = few(1)
    one = model.force(SpikeTrains.from_trains([[0.1, 1.0]], 1.0), 1000)
    two = model.force(SpikeTrains.from_trains([[0.1, 0.1, 1.0]], 1.0), 1000)
    np.testing.assert_array_equal(one.values, two.values)


def test_long_silence_ends_in_exact_zero_not_in_denormals():
    model = few(1)
    force = model.force(SpikeTrains.from_trains([[0.0]], 100.0), 100)
    assert force.values[-1] == 0 and force.values[50] > 0


# Invariances


def test_sampling_rate_does_not_matter(partial):
    forces = {rate: MODEL.force(partial, rate) for rate in (1000, 1024, 2000, 2048, 5000, 10000)}
    reference = forces[10000]
    for rate, force in forces.items():
        if 10000 % rate == 0:  # the same instants
            shared = reference.values[:: 10000 // rate]
            np.testing.assert_allclose(force.values, shared, atol=1e-9 * shared.max())
        interpolated = np.interp(force.times_s, reference.times_s, reference.values)
        assert np.abs(force.values - interpolated).max() < 1e-4 * reference.values.max()
        assert force.values.mean() == pytest.approx(reference.values.mean(), rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.001, 1.999), max_size=8, unique=True),
    st.sampled_from([100.0, 999.5, 2048.0]),
    st.integers(0, 2**32),
)
def test_any_windows_of_time_give_the_same(edges, rate_hz, seed):
    model, spikes = few(), random_spikes(np.random.default_rng(seed), 5, 2.0)
    whole = model.force(spikes, rate_hz).values
    state, parts = model.start(rate_hz=rate_hz), []
    bounds = [0.0, *sorted(edges), 2.0]
    for start, stop in itertools.pairwise(bounds):
        state, force = model.step(state, spikes.between(start, stop))
        parts.append(force.values)
        if len(force):
            assert start - 1e-6 <= force.t_start_s < stop
    together = np.concatenate(parts)
    assert together.shape == whole.shape
    np.testing.assert_allclose(together, whole, atol=1e-9 * whole.max())


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(1, 39), max_size=5))
def test_any_batches_of_units_give_the_same(cuts):
    model, spikes = few(40), random_spikes(np.random.default_rng(3), 40, 1.0)
    whole = model.force(spikes, 1000).values
    parts = np.split(np.arange(40), sorted(cuts))
    total = sum(model.force(spikes.select(part), 1000, units=part).values for part in parts)
    np.testing.assert_allclose(total, whole, atol=1e-9 * whole.max())


def test_a_silent_unit_changes_nothing():
    spikes = random_spikes(np.random.default_rng(3), 5, 1.0)
    trains = [train if u != 2 else [] for u, train in enumerate(spikes)]
    each = few().force(SpikeTrains.from_trains(trains, 1.0), 1000, per_unit=True)
    full = few().force(spikes, 1000, per_unit=True)
    assert np.all(each.values[:, 2] == 0)
    np.testing.assert_array_equal(np.delete(each.values, 2, 1), np.delete(full.values, 2, 1))


def test_a_pool_of_which_some_fired_keeps_thresholds_and_indices(partial):
    active = np.flatnonzero(partial.active)
    assert 0 < len(active) <= 671
    whole = MODEL.force(partial)
    only_active = MODEL.force(partial.select(active), units=active)
    np.testing.assert_allclose(only_active.values, whole.values, rtol=1e-12)
    statistics = MODEL.statistics(partial, whole)
    assert (statistics.units, statistics.active_units) == (800, len(active))
    assert statistics.recruitment_ratio == pytest.approx(100)
    assert statistics.twitch_force_range == pytest.approx((100 ** (1 / 800), 100))
    assert statistics.contraction_time_range_ms == pytest.approx((30, 90 * 3 ** (-1 / 800)))
    assert statistics.force_cv == pytest.approx(whole.values.std() / whole.values.mean())
    assert statistics.mean_percent_mvc == pytest.approx(100 * whole.values.mean() / MODEL.maximum_force())


def test_memory_stays_under_100_mb_beyond_the_spikes(partial):
    MODEL.force(partial.between(0, 1))  # compiled
    tracemalloc.start()
    force = MODEL.force(partial, 2048)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(force) == 30720 and peak < 10e6


def test_progress_reaches_the_end(partial):
    seen = []
    MODEL.force(partial, 1000, progress=lambda stage, done, total, unit="s": seen.append((done, total)))
    assert len(seen) >= 10 and seen == sorted(seen) and seen[-1] == (15.0, 15.0)


# Inputs


def test_neo_equals_spike_trains():
    import neo
    import quantities as pq

    spikes = random_spikes(np.random.default_rng(5), 4, 1.0)
    segment = neo.Segment()
    for train in spikes:
        segment.spiketrains.append(neo.SpikeTrain(1000 * train * pq.ms, t_stop=1 * pq.s))
    block = neo.Block()
    block.segments.append(segment)
    expected = few(4).force(spikes, 1000).values
    for given_as in (segment, block):
        np.testing.assert_allclose(few(4).force(given_as, 1000).values, expected, rtol=1e-9)


def test_neo_trains_of_some_units_are_placed_by_their_index():
    import neo
    import quantities as pq

    spikes = random_spikes(np.random.default_rng(5), 6, 1.0)
    chosen = [4, 1]
    segment = neo.Segment()
    for u in chosen:
        segment.spiketrains.append(neo.SpikeTrain(spikes[u] * pq.s, t_stop=1 * pq.s, unit_index=u))
    expected = few(6).force(spikes.select(chosen), 1000, units=chosen).values
    np.testing.assert_allclose(few(6).force(segment, 1000).values, expected, rtol=1e-9)


def test_one_unit():
    force = few(1).force(SpikeTrains.from_trains([[0.1]], 1.0), 1000)
    assert force.values.max() == pytest.approx(100, rel=1e-3)  # unit n of n is the largest
    assert FuglevandForce(0.3).n == 1


def test_no_spikes_at_all():
    spikes = SpikeTrains.from_trains([[], [], []], 1.0)
    force = few(3).force(spikes, 1000)
    assert len(force) == 1000 and not force.values.any()
    statistics = few(3).statistics(spikes, force)
    assert np.isnan(statistics.force_cv) and statistics.to_dict()["force_cv"] is None


@pytest.mark.parametrize("train", [[0.2, 0.1], [0.1, np.nan], [-0.1, 0.2], [0.5, 2.0], [np.inf]])
def test_bad_spikes_are_refused(train):
    with pytest.raises(ParameterError, match=r"^SpikeTrains\.times_s: "):
        few(1).force(SpikeTrains.from_trains([train], 1.0))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"rate_hz": 0.0}, "rate_hz"),
        ({"rate_hz": float("nan")}, "rate_hz"),
        ({"rate_hz": "1 mm"}, "rate_hz"),
        ({"spikes": SpikeTrains.from_trains([[0.1]] * 3, 1.0)}, "spikes"),
        ({"units": [0, 1, 2, 3]}, "units"),
        ({"units": [0, 1, 2, 3, 5]}, "units"),
        ({"units": [0, 1, 2, 3, 3]}, "units"),
        ({"units": [0.0, 1.0, 2.0, 3.0, 4.0]}, "units"),
    ],
)
def test_bad_requests(arguments, field):
    spikes = SpikeTrains.from_trains([[0.1]] * 5, 1.0)
    with pytest.raises(ParameterError, match=rf"^FuglevandForce\.force\.{field}: "):
        few().force(**({"spikes": spikes} | arguments))


def test_not_spikes():
    with pytest.raises(ParameterError, match=r"give SpikeTrains, a neo\.Block"):
        few().force([[0.1]])


def test_steps_must_follow_each_other():
    model = few(1)
    state = model.start(rate_hz=1000)
    with pytest.raises(ParameterError, match=r"^FuglevandForce\.step\.spikes: they begin at 0.5 s"):
        model.step(state, SpikeTrains.from_trains([[]], 1.0, 0.5))


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"thresholds": [1.0, -1.0]}, "thresholds"),
        ({"thresholds": [1.0, np.nan]}, "thresholds"),
        ({"thresholds": [0.0, 1.0]}, "thresholds"),
        ({"thresholds": []}, "thresholds"),
        ({"thresholds": [0.5, 0.5]}, "thresholds"),
        ({"twitch_range": 0.5}, "twitch_range"),
        ({"contraction_range": 0.0}, "contraction_range"),
        ({"longest_contraction_ms": "90 mm"}, "longest_contraction_ms"),
        ({"twitch_forces": [1.0, 2.0, 3.0]}, "twitch_forces"),
        ({"contraction_times_ms": [0.0, 90.0]}, "contraction_times_ms"),
        ({"peak_rate_span_pps": 45.0}, "peak_rate_span_pps"),
        ({"first_peak_rate_pps": np.inf}, "first_peak_rate_pps"),
    ],
)
def test_bad_parameters(fields, name):
    with pytest.raises(ParameterError, match=rf"^FuglevandForce\.{name}: "):
        FuglevandForce(**({"thresholds": [0.5, 1.0]} | fields))


@given(
    st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=40, unique=True),
    st.floats(1, 1e4),
    st.floats(1, 10),
)
def test_any_pool_is_sound(thresholds, twitch_range, contraction_range):
    model = FuglevandForce(thresholds, twitch_range=twitch_range, contraction_range=contraction_range)
    assert np.all(model.peaks >= 1) and model.peaks.max() == pytest.approx(twitch_range)
    assert model.contractions_ms.min() == pytest.approx(90 / contraction_range)
    assert model.maximum_force() > 0


def test_measured_twitches_take_the_place_of_the_formula():
    model = FuglevandForce([0.5, 0.5], twitch_forces=[3.0, 4.0], contraction_times_ms="0.05 s")
    np.testing.assert_array_equal(model.peaks, [3.0, 4.0])
    np.testing.assert_array_equal(model.contractions_ms, [50.0, 50.0])


def test_a_force_carries_its_model():
    force = few().force(random_spikes(np.random.default_rng(0), 5, 0.5))
    assert force.about["model"]["twitch_range"] == 100 and force.about["maximum_force"] > 0
    assert force.units == "a.u." and few().percent_mvc(force).units == "% MVC"


def test_importing_the_room_loads_neither_numba_nor_matplotlib():
    code = "import sys, myoloop.muscle; sys.exit(any(m in sys.modules for m in ('numba', 'matplotlib')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
