import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myoloop.data import Signal
from myoloop.errors import ParameterError
from myoloop.muscle import FuglevandPool, _kernels

REGULAR = FuglevandPool(isi_cv=0.0)


def same(a, b):
    return np.array_equal(a.times_s, b.times_s) and np.array_equal(a.starts, b.starts)


def test_rates_follow_the_equations():
    pool = FuglevandPool(n=120, recruitment_range=30)
    rte = np.exp(np.arange(1, 121) * np.log(30) / 120)
    np.testing.assert_allclose(pool.threshold_excitations, rte)
    np.testing.assert_allclose(pool.peak_rates_pps, 45 - 10 * rte / rte[-1])
    assert pool.maximum_excitation == pytest.approx(30 + (35 - 8) / 1)
    rates = pool.rates_pps([0.0, 0.3, 1.0])
    assert rates.shape == (3, 120) and np.all(rates[0] == 0)
    np.testing.assert_allclose(rates[2], pool.peak_rates_pps)
    e = 0.3 * 57
    np.testing.assert_allclose(
        rates[1], np.where(e >= rte, np.minimum(e - rte + 8, pool.peak_rates_pps), 0.0)
    )


@pytest.mark.parametrize("recruitment_range", [2.0, 5.0, 30.0, 100.0])
def test_every_unit_is_at_its_peak_at_maximal_excitation(recruitment_range):
    pool = FuglevandPool(recruitment_range=recruitment_range)
    np.testing.assert_allclose(pool.rates_pps(1.0), pool.peak_rates_pps)
    assert np.any(pool.rates_pps(0.99) < pool.peak_rates_pps - 1e-6)


@pytest.mark.parametrize("excitation", [0.1, 0.5, 1.0])
def test_regular_firing_is_regular_at_the_rate(excitation):
    spikes = REGULAR.spikes(excitation, 3.0, seed=1)
    rates = REGULAR.rates_pps(excitation)
    assert np.array_equal(spikes.active, rates > 0)
    np.testing.assert_allclose(spikes.rates_pps()[spikes.active], rates[rates > 0], rtol=1e-9)
    assert np.nanmax(spikes.isi_cv()) < 1e-9
    first = np.array([train[0] for train in spikes if len(train)]) * rates[rates > 0]
    assert first.min() >= 0 and first.max() <= 1 and np.ptp(first) > 0.5  # not in step


@pytest.mark.parametrize("cv", [0.1, 0.2, 0.3])
def test_interval_variability(cv):
    pool = FuglevandPool(isi_cv=cv)
    spikes = pool.spikes(0.6, 60.0, seed=2)
    assert np.nanmean(spikes.isi_cv()) == pytest.approx(cv, rel=0.03)
    rates = pool.rates_pps(0.6)
    np.testing.assert_allclose(spikes.rates_pps()[spikes.active], rates[rates > 0], rtol=0.03)
    each = [np.diff(train) * rate for train, rate in zip(spikes, rates) if len(train) > 1]
    relative = np.concatenate(each)
    assert relative.min() > 0.09
    assert relative.mean() == pytest.approx(1, abs=0.003)
    skewness = np.mean((relative - relative.mean()) ** 3) / relative.std() ** 3
    assert abs(skewness) < 0.03
    assert abs(np.corrcoef(np.hstack([[i[:-1], i[1:]] for i in each]))[0, 1]) < 0.01


def test_a_unit_fires_at_recruitment_and_stops_at_derecruitment():
    def triangle(t_s):
        return 1 - np.abs(t_s - 2) / 2

    spikes = REGULAR.spikes(triangle, 4.0, seed=1)
    threshold = spikes.annotations["recruitment_threshold"]
    np.testing.assert_allclose([train[0] for train in spikes], 2 * threshold, atol=1e-9)
    last = np.array([train[-1] for train in spikes])
    assert np.all(last <= 4 - 2 * threshold) and np.all(last > 4 - 2 * threshold - 0.13)


def test_recruitment_right_after_derecruitment_keeps_an_interval():
    def flicker(t_s):
        return 0.3 + 0.02 * np.sign(np.sin(2 * np.pi * 50 * t_s))

    spikes = REGULAR.spikes(flicker, 4.0, seed=1)
    shortest = min(np.diff(train).min() for train in spikes if len(train) > 1)
    assert shortest > 0.9 / 45


def test_same_seed_same_spikes_other_seed_others():
    pool = FuglevandPool(n=20)
    assert same(pool.spikes(0.5, 2.0, seed=1), pool.spikes(0.5, 2.0, seed=1))
    assert not same(pool.spikes(0.5, 2.0, seed=1), pool.spikes(0.5, 2.0, seed=2))


def test_adding_a_unit_changes_no_other_units_draws():
    thresholds = np.geomspace(1, 30, 10)
    few = FuglevandPool(n=10, thresholds=thresholds)
    many = FuglevandPool(n=11, thresholds=[*thresholds, 3.0])
    a, b = few.spikes(0.7, 3.0, seed=5), many.spikes(0.7, 3.0, seed=5)
    assert same(a, b.select(range(10)))
    assert len(b[10]) > 10


def test_excitation_given_in_three_ways():
    def levels(t_s):
        return 0.4 + 0.2 * np.sin(t_s)

    signal = Signal(levels(np.arange(3001) / 1000), 1000)
    pool = FuglevandPool(n=30)
    assert same(pool.spikes(levels, 3.0, seed=1), pool.spikes(signal, 3.0, seed=1))
    assert same(pool.spikes(lambda t_s: 0.5, 1.0, seed=1), pool.spikes(0.5, 1.0, seed=1))
    coarse = pool.spikes(levels, 3.0, seed=1, rate_hz=500)
    assert np.abs(coarse.rates_pps() - pool.spikes(levels, 3.0, seed=1).rates_pps()).max() < 0.2


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(0, 1000))
def test_steps_of_any_length_give_the_same(lengths, seed):
    pool, total = FuglevandPool(n=12), sum(lengths)
    levels = 0.5 + 0.4 * np.sin(np.arange(1, total + 1) / 100)
    whole_state, whole = pool.step(pool.start(seed=seed, excitation=0.5), levels)
    state, trains = pool.start(seed=seed, excitation=0.5), [[] for _ in range(12)]
    for part in np.split(levels, np.cumsum(lengths)[:-1]):
        state, spikes = pool.step(state, part)
        for unit, times in enumerate(spikes):
            trains[unit].extend(times)
    assert all(np.array_equal(a, b) for a, b in zip(trains, whole))
    assert np.array_equal(state.phase, whole_state.phase) and state.samples == total


def test_step_leaves_its_state_alone():
    pool = FuglevandPool(n=5)
    state = pool.start(seed=1)
    before = dataclasses.replace(state, phase=state.phase.copy(), draws=state.draws.copy())
    first, second = pool.step(state, [0.5] * 50)[1], pool.step(state, [0.5] * 50)[1]
    assert same(first, second)
    assert np.array_equal(before.phase, state.phase) and np.array_equal(before.draws, state.draws)


def test_compiled_kernel_agrees_with_plain_python():
    pool = FuglevandPool(n=6)
    levels = 0.5 + 0.5 * np.sin(np.arange(400) / 30)
    results = []
    for kernel in (_kernels.fire, _kernels.fire_plain):
        phase, target, draws = np.zeros(6), np.zeros(6), np.zeros(6, dtype=np.int64)
        times, counts = np.zeros(1000), np.zeros(6, dtype=np.int64)
        count = kernel(
            pool.start(seed=3).key,
            0.0,
            levels * pool.maximum_excitation,
            0.001,
            0,
            pool.threshold_excitations,
            pool.peak_rates_pps,
            1.0,
            8.0,
            0.2,
            3.9,
            phase,
            target,
            draws,
            times,
            counts,
        )
        results.append((count, counts, times[:count], phase))
    assert results[0][0] == results[1][0] > 20
    for a, b in zip(results[0][1:], results[1][1:]):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_one_unit():
    pool = FuglevandPool(n=1)
    spikes = pool.spikes(0.9, 1.0, seed=1)
    assert len(spikes) == 1 and len(spikes[0]) > 20


def test_progress_reaches_the_end():
    seen = []
    FuglevandPool(n=2).spikes(
        0.5, 2.5, seed=1, progress=lambda stage, done, total, unit="s": seen.append(done / total)
    )
    assert len(seen) == 3 and seen == sorted(seen) and seen[-1] == 1


@given(
    n=st.integers(1, 50),
    recruitment_range=st.floats(1.01, 1000),
    rate_gain_pps=st.floats(0.01, 10),
    minimum_rate_pps=st.floats(1, 20),
    first_peak_rate_pps=st.floats(1, 100),
    peak_rate_span_pps=st.floats(0, 50),
    isi_cv=st.floats(0, 0.3),
)
def test_any_pool_is_refused_or_sound(**fields):
    try:
        pool = FuglevandPool(**fields)
    except ParameterError as error:
        assert error.field == "FuglevandPool.peak_rate_span_pps"
        assert fields["first_peak_rate_pps"] - fields["peak_rate_span_pps"] < fields["minimum_rate_pps"]
        return
    assert np.all(pool.peak_rates_pps >= pool.minimum_rate_pps - 1e-9)
    np.testing.assert_allclose(pool.rates_pps(1.0), pool.peak_rates_pps)


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(FuglevandPool) if f.name != "n"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, "no number"])
def test_bad_parameters(name, value):
    with pytest.raises(ParameterError, match=rf"^FuglevandPool\.{name}: "):
        FuglevandPool(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"excitation": 30}, "excitation"),
        ({"excitation": -0.1}, "excitation"),
        ({"excitation": float("nan")}, "excitation"),
        ({"excitation": "much"}, "excitation"),
        ({"excitation": lambda t_s: 1.5 * np.ones_like(t_s)}, "excitation"),
        ({"excitation": lambda t_s: np.ones(3)}, "excitation"),
        ({"excitation": np.ones(1000)}, "excitation"),
        ({"excitation": Signal(np.full(999, 0.5), 1000)}, "excitation"),
        ({"excitation": Signal(np.full(3000, 0.5), 1000, t_start_s=0.5)}, "excitation"),
        ({"excitation": Signal(np.full((3000, 2), 0.5), 1000)}, "excitation"),
        ({"duration_s": 0.0}, "duration_s"),
        ({"duration_s": "3 mm"}, "duration_s"),
        ({"rate_hz": -1.0}, "rate_hz"),
    ],
)
def test_bad_runs(arguments, field):
    with pytest.raises(ParameterError, match=rf"^FuglevandPool\.spikes\.{field}: "):
        FuglevandPool(n=3).spikes(**({"excitation": 0.5, "duration_s": 1.0, "seed": 1} | arguments))


def test_bad_steps_and_lengths():
    pool = FuglevandPool(n=3)
    state = pool.start(seed=1)
    for bad in ([], [0.5, 2.0], np.zeros((2, 2))):
        with pytest.raises(ParameterError, match=r"^FuglevandPool\.step\.excitation: "):
            pool.step(state, bad)
    with pytest.raises(ParameterError, match=r"^FuglevandPool\.thresholds: 2 were given for n 3"):
        FuglevandPool(n=3, thresholds=[1.0, 2.0])


def test_quantities():
    import quantities as pq

    pool = FuglevandPool(n=3, minimum_rate_pps=0.008 * pq.kHz)
    assert pool.minimum_rate_pps == pytest.approx(8)
    assert pool.spikes(0.5, 1500 * pq.ms, seed=1).t_stop_s == 1.5
