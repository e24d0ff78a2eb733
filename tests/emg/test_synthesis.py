"""EMG is the sum of what every discharge adds, wherever between samples it lies."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myoloop.data import ActionPotentials, SpikeTrains
from myoloop.emg._synthesis import _kernels as kernels
from myoloop.emg._synthesis._jitter import DischargeJitter
from myoloop.emg._synthesis._synthesis import Synthesis, synthesise
from myoloop.emg._synthesis._taps import TAPS, delay_error, delay_taps
from myoloop.errors import MyoloopWarning, ParameterError

RATE = 2048.0
SAMPLES = 60


def shapes(times_s, centre_s, width_s, size=100.0):
    """Second derivatives of Gaussians: spectra that peak at 1/(2 pi width) times the root of 2."""
    x = (times_s - centre_s) / width_s
    return size * (1 - x**2) * np.exp(-(x**2) / 2)


def potentials(units=3, channels=4, begin_s=0.0, width_s=0.0012, rate=RATE, samples=SAMPLES):
    rng = np.random.default_rng(5)
    times = begin_s + np.arange(samples) / rate
    middle = begin_s + samples / rate / 2
    centre = middle + rng.uniform(-0.003, 0.003, (units, channels, 1))
    size = rng.uniform(20, 200, (units, channels, 1))
    return ActionPotentials(shapes(times, centre, width_s, size), rate, begin_s)


def trains(units=3, seconds=2.0, begin_s=0.0, rate_pps=20.0, seed=0):
    rng = np.random.default_rng(seed)
    each = [np.sort(rng.uniform(begin_s, begin_s + seconds, int(rate_pps * seconds))) for _ in range(units)]
    return SpikeTrains.from_trains(each, begin_s + seconds, begin_s)


def plain(action, spikes, samples):
    """What is meant: each discharge adds the sinc-interpolated potential of its unit."""
    out = np.zeros((action.values_uV.shape[1], samples))
    grid = spikes.t_start_s + np.arange(samples) / action.rate_hz
    for unit, train in enumerate(spikes):
        for spike in train:
            place = (grid[:, None] - spike - action.times_s) * action.rate_hz
            out += (np.sinc(place) @ action.values_uV[unit].T).T
    return out


def in_blocks(synthesis, sizes):
    parts = []
    while synthesis.samples_done < synthesis.samples:
        n = min(sizes[len(parts) % len(sizes)], synthesis.samples - synthesis.samples_done)
        parts.append(synthesis.step(n))
    return np.concatenate(parts).T


@pytest.mark.parametrize("begin_s", [0.0, -0.0101, 0.003])
def test_equals_the_plain_form(begin_s):
    action, spikes = potentials(begin_s=begin_s), trains(begin_s=1.5, seconds=0.5)
    seen = synthesise(action, spikes)
    assert seen.dtype == np.float32
    assert seen.shape == (4, int(0.5 * RATE))
    wanted = plain(action, spikes, seen.shape[1])
    assert np.abs(seen - wanted).max() < 2e-4 * np.abs(action.values_uV).max()


@pytest.mark.parametrize("frequency", [0.05, 0.1, 0.2, 0.25, 0.3, 0.35])
def test_delay_errs_by_less_than_a_thousandth(frequency):
    fraction = np.linspace(0, 1, 101)
    offsets = TAPS // 2 - np.arange(TAPS)
    gain = delay_taps(fraction).astype(float) @ np.exp(-2j * np.pi * frequency * offsets)
    bound = {0.3: 1.5e-4, 0.35: 6e-4}.get(frequency, 1e-4)
    assert np.abs(gain - np.exp(-2j * np.pi * frequency * fraction)).max() < bound


def test_a_discharge_on_a_sample_adds_the_potential_itself_and_its_energy():
    action = potentials(units=1)
    spikes = SpikeTrains.from_trains([[300 / RATE]], 1.0)
    seen = synthesise(action, spikes)
    wanted = np.zeros_like(seen)
    wanted[:, 300 : 300 + SAMPLES] = action.values_uV[0]
    assert np.allclose(seen, wanted, atol=1e-4)
    late = synthesise(action, SpikeTrains.from_trains([[300.37 / RATE]], 1.0))
    energy = np.sum(action.values_uV[0] ** 2, axis=1)
    assert np.sum(late.astype(float) ** 2, axis=1) == pytest.approx(energy, rel=1e-4)


def test_a_fraction_of_a_sample_is_kept_to_a_microsecond():
    action = potentials(units=1, channels=1)
    frequency = np.fft.rfftfreq(512, 1 / RATE)
    band = (frequency > 50) & (frequency < 300)

    def phase(at_s):
        seen = synthesise(action, SpikeTrains.from_trains([[at_s]], 0.25))[0]
        return np.fft.rfft(seen)[band]

    zero = phase(64 / RATE)
    for part in (0.1, 0.5, 0.93):
        turn = np.angle(phase((64 + part) / RATE) / zero)
        delays_s = -turn / (2 * np.pi * frequency[band])
        assert delays_s == pytest.approx(part / RATE, abs=1e-6)


def test_two_trains_add_up():
    action = potentials(units=1)
    one, two = trains(1, seed=1), trains(1, seed=2)
    both = SpikeTrains.from_trains([np.sort(np.concatenate([one[0], two[0]]))], 2.0)
    together = synthesise(action, one) + synthesise(action, two)
    assert np.allclose(synthesise(action, both), together, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=6), st.sampled_from([0.0, -0.01]), st.booleans())
def test_blocks_of_any_size_give_the_same_bits(sizes, begin_s, jittered):
    action, spikes = potentials(begin_s=begin_s), trains(seconds=0.7)
    jitter = some_jitter(action) if jittered else None
    whole = synthesise(action, spikes, jitter, seed=4)
    assert np.array_equal(in_blocks(Synthesis(action, spikes, jitter, seed=4), sizes), whole)


@pytest.mark.parametrize("begin_s", [0.0, -0.01])
@pytest.mark.parametrize("jittered", [False, True])
def test_spikes_that_arrive_window_by_window_give_the_same_bits(begin_s, jittered):
    action, spikes = potentials(begin_s=begin_s), trains(seconds=2.0)
    jitter = some_jitter(action) if jittered else None
    whole = synthesise(action, spikes, jitter, seed=4)
    edges = np.linspace(0, 2, 41)
    live = Synthesis(action, spikes.between(0.0, edges[1]), jitter, seed=4)
    parts = []
    for a, b in itertools.pairwise(edges[1:]):
        if live.samples_settled > live.samples_done:
            parts.append(live.step(live.samples_settled - live.samples_done))
        live.extend(spikes.between(a, b))
    parts.append(live.step(live.samples - live.samples_done))
    assert np.array_equal(np.concatenate(parts).T, whole)


def test_silent_or_fewer_units_than_potentials_are_welcome():
    action = potentials(units=3)
    one = SpikeTrains.from_trains([trains(1)[0]], 2.0)
    padded = SpikeTrains.from_trains([trains(1)[0], [], []], 2.0)
    assert np.array_equal(synthesise(action, one), synthesise(action, padded))
    assert not synthesise(action, SpikeTrains.from_trains([[]], 1.0)).any()


def test_refusals_name_what_is_wrong():
    action = potentials(units=3)
    with pytest.raises(ParameterError, match="5 units were given, but potentials of 3 units"):
        Synthesis(action, trains(5))
    synthesis = Synthesis(action, trains(3, seconds=1.0))
    for wrong in (0, -1, 2.5, True, 10_000):
        with pytest.raises(ParameterError, match="leave 2048"):
            synthesis.step(wrong)
    with pytest.raises(ParameterError, match="begin at 3 s, those before end at 1 s"):
        synthesis.extend(trains(3, begin_s=3.0))
    synthesis.step(2048)
    with pytest.raises(ParameterError, match="may change samples from 2041 on"):
        synthesis.extend(trains(3, begin_s=1.0))
    with pytest.raises(ParameterError, match=r"DischargeJitter\.variations_uV"):
        Synthesis(action, trains(3), some_jitter(potentials(units=2)))
    with pytest.raises(ParameterError, match="NaN"):
        DischargeJitter(variations_uV=np.full((1, 1, 1, 5), np.nan))
    with pytest.raises(ParameterError, match="sd_us"):
        DischargeJitter(sd_us=0.0, variations_uV=np.ones((1, 1, 1, 5)))


def test_potentials_near_the_nyquist_frequency_are_warned_of():
    action = potentials(width_s=0.00018)
    error = delay_error(action.values_uV).max()
    assert error > 0.01
    with pytest.warns(MyoloopWarning, match="Nyquist"):
        Synthesis(action, trains())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Synthesis(potentials(), trains())


def test_predicted_error_of_a_delay_is_the_one_seen():
    action = potentials(units=1, channels=3, width_s=0.00025)
    grid = action.times_s - 0.5 / RATE
    seen = np.sinc((grid[:, None] - action.times_s) * RATE) @ action.values_uV[0].T  # exact
    taps = delay_taps(np.array([0.5]))[0].astype(float)
    padded = np.pad(action.values_uV[0], ((0, 0), (TAPS, TAPS)))
    ours = [np.convolve(row, taps[::-1])[TAPS + TAPS // 2 - 1 :][:SAMPLES] for row in padded]
    error = np.abs(np.array(ours) - seen.T).max() / np.abs(action.values_uV).max()
    assert delay_error(action.values_uV)[0] == pytest.approx(error, rel=0.05)


def test_compiled_loops_equal_their_plain_source():
    rng = np.random.default_rng(0)
    table = rng.standard_normal((5, 12, 3)).astype(np.float32)
    start = np.sort(rng.integers(-20, 60, 9))
    taps = rng.standard_normal((9, TAPS)).astype(np.float32)
    for terms in (1, 4):
        rows = rng.integers(0, 5, (9, terms))
        weights = np.ones((9, 1)) if terms == 1 else rng.standard_normal((9, terms))
        made = []
        for add in (kernels.add_discharges, kernels.add_discharges_plain):
            out = np.zeros((50, 3), dtype=np.float32)
            scratch = np.zeros((12 + 2 * (TAPS - 1), 3), dtype=np.float32)
            add(out, 2, start, taps, rows, weights.astype(np.float32), table, scratch)
            made.append(out)
        assert np.allclose(*made, atol=1e-4)


# Jitter: explicit fibres, whose own potentials are known.
FIBRES = 40
FAST = 4096.0


def fibre_potentials(delays_s):
    rng = np.random.default_rng(2)
    times = np.arange(100) / FAST
    centre = 0.012 + 0.0015 * rng.standard_normal((FIBRES, 1))
    size = np.exp(0.3 * rng.standard_normal((FIBRES, 1)))
    x = (times - centre - np.reshape(delays_s, (-1, 1))) / 0.0006
    return -size * x * np.exp(-(x**2) / 2)  # peak of the spectrum at 265 Hz


def brute_force(sd_us, n, seed=0):
    rng = np.random.default_rng(seed)
    return np.array([fibre_potentials(rng.normal(0, sd_us * 1e-6, FIBRES)).sum(0) for _ in range(n)])


def sketched(variations, sd_us, seed=0):
    weights = np.random.default_rng(seed).standard_normal((variations, FIBRES))
    fibres = fibre_potentials(np.zeros(FIBRES))
    action = ActionPotentials(fibres.sum(0)[None, None], FAST)
    sketch = (weights @ fibres)[None, :, None, :]
    return action, DischargeJitter.of_sketch(sketch, FAST, sd_us)


def some_jitter(action):
    rng = np.random.default_rng(7)
    units, channels, _ = action.values_uV.shape
    spread = rng.standard_normal((units, 5, channels, 1)) * action.values_uV[:, None]
    return DischargeJitter.of_sketch(spread, action.rate_hz, 35.0)


def exact_sketch(sd_us):
    """One variation a fibre, with weights such that (1/P) sum B B^T is the sum over fibres."""
    fibres = fibre_potentials(np.zeros(FIBRES))
    action = ActionPotentials(fibres.sum(0)[None, None], FAST)
    return action, DischargeJitter.of_sketch(np.sqrt(FIBRES) * fibres[None, :, None, :], FAST, sd_us)


def by_chance(covariance, draws):
    """Expected distance (Frobenius) of the covariance of so many normal draws from the true one."""
    return np.sqrt((np.sum(covariance**2) + np.trace(covariance) ** 2) / draws)


def covariance_of(jitter):
    b = jitter.variations_uV[0, :, 0].astype(float)
    return b.T @ b / len(b)


def test_first_order_covariance_and_mean_are_those_of_jittered_fibres():
    waves = brute_force(35.0, 8_000)
    action, jitter = exact_sketch(35.0)
    covariance, seen = covariance_of(jitter), np.cov(waves.T)
    assert np.linalg.norm(covariance - seen) < 2 * by_chance(seen, len(waves))
    assert np.trace(covariance) == pytest.approx(np.trace(seen), rel=0.02)
    standard_error = np.sqrt(np.diag(seen).max() / len(waves))
    assert np.abs(jitter.mean(action)[0, 0] - waves.mean(0)).max() < 5 * standard_error


def errors_of_first_order(sd_us):
    """Relative errors of covariance, power and mean, each fibre's delay integrated by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    each = np.array([fibre_potentials(np.full(FIBRES, x * sd_us * 1e-6)) for x in nodes])
    means = np.einsum("k,kft->ft", weights, each)
    exact = np.einsum("k,kft,kfs->ts", weights, each - means, each - means)
    action, jitter = exact_sketch(sd_us)
    seen, mean = covariance_of(jitter), means.sum(0)
    return (
        np.linalg.norm(seen - exact) / np.linalg.norm(exact),
        abs(np.trace(seen) / np.trace(exact) - 1),
        np.abs(jitter.mean(action)[0, 0] - mean).max() / np.abs(mean).max(),
    )


def test_the_first_order_errs_by_the_square_of_the_jitter():
    found = {sd: errors_of_first_order(sd) for sd in (17.5, 35.0, 70.0, 140.0, 280.0)}
    covariance = {sd: errors[0] for sd, errors in found.items()}
    assert covariance[35.0] / covariance[17.5] == pytest.approx(4, rel=0.05)
    assert covariance[70.0] / covariance[35.0] == pytest.approx(4, rel=0.05)
    assert covariance[35.0] < 0.003  # what the documentation says
    assert covariance[140.0] < 0.035
    assert covariance[280.0] < 0.1
    assert all(errors[2] < 1e-4 for errors in found.values())
    # Smoothed as they are, variations have the exact power to the fourth order.
    assert found[35.0][1] < 1e-4
    assert found[140.0][1] < 2e-3


def test_random_sketches_are_unbiased():
    wanted = covariance_of(exact_sketch(35.0)[1])
    total = sum(covariance_of(sketched(8, 35.0, seed)[1]) for seed in range(200)) / 200
    assert np.linalg.norm(total - wanted) < 2 * by_chance(wanted, 8 * 200)


def test_discharges_vary_with_the_covariance_of_the_variations():
    action, jitter = sketched(8, 35.0)
    n, apart = 6000, 128
    spikes = SpikeTrains.from_trains([np.arange(n) * apart / FAST], n * apart / FAST)
    waves = synthesise(action, spikes, jitter, seed=1)[0].reshape(n, apart)[:, :100].astype(float)
    wanted = covariance_of(jitter)
    assert np.linalg.norm(np.cov(waves.T) - wanted) < 2 * by_chance(wanted, n)
    assert np.abs(waves.mean(0) - jitter.mean(action)[0, 0]).max() < 5 * np.sqrt(np.diag(wanted).max() / n)
    follow = np.corrcoef(waves[:-1, 50], waves[1:, 50])[0, 1]
    assert abs(follow) < 5 / np.sqrt(n)


def test_jitter_of_a_unit_does_not_depend_on_others_nor_on_channels():
    action = potentials(units=3)
    jitter, spikes = some_jitter(action), trains(3)
    fewer = ActionPotentials(action.values_uV[:2], RATE)
    jitter_of_fewer = jitter.replace(variations_uV=jitter.variations_uV[:2])
    alone = SpikeTrains.from_trains([spikes[0], spikes[1], []], 2.0)
    wanted = synthesise(action, alone, jitter, seed=3)
    assert np.array_equal(synthesise(fewer, spikes.select([0, 1]), jitter_of_fewer, seed=3), wanted)
    assert not np.array_equal(synthesise(action, alone, jitter, seed=4), wanted)
