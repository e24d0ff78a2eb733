"""Online use: the same spikes for any cut into blocks, agreement, adaptation, bad input, plain forms."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from online_scene import CHANNELS, RATE_HZ, recorded

from myoloop.data import Recording, SpikeTrains
from myoloop.decompose import ConvolutiveBSS, match_trains, score
from myoloop.decompose._kernels import peaks_of
from myoloop.decompose._online._adapt import Adaptation
from myoloop.decompose._online._decomposer import OnlineDecomposer
from myoloop.decompose._online._filters import lag_products, unit_filters, whitening_of
from myoloop.decompose._online._kernels import cancel, filtered, hazard, is_peak
from myoloop.errors import ParameterError

QUICK = Adaptation(period_s=0.5, memory_s=6, memory_spikes=60)
NEW = recorded(8, seed=5)


@functools.cache
def calibrated():
    recording = recorded(10)
    return recording, ConvolutiveBSS(seed=0, rounds=1, starts=32, joint_passes=1).fit(recording)


@pytest.fixture(scope="module")
def calibration():
    return calibrated()[0]


@pytest.fixture(scope="module")
def known():
    return calibrated()[1]


def online(calibration, known, **options):
    return OnlineDecomposer(adaptation=QUICK, **options).fit(calibration, known)


@functools.cache
def in_one_piece(adapt, passes):
    found = online(*calibrated(), adapt=adapt, passes=passes)
    return found, in_blocks(found, NEW.values_uV, [])


def in_blocks(found, values, cuts):
    pieces = [found.process(block) for block in np.split(values, sorted(cuts), axis=1)] + [found.finish()]
    names = "units", "times_s", "probability"
    columns = [np.concatenate([getattr(piece, name) for piece in pieces]) for name in names]
    order = np.lexsort(columns[:2])  # within a block they are in order of time, between blocks nearly so
    return [column[order] for column in columns]


def agreement(found, truth, begin, end):
    """Rate of agreement of each true unit's best match."""
    matching = match_trains(found.between(begin, end), truth.between(begin, end))
    return [matching.roa[i, j] for i, j in matching.pairs]


# --- what comes out ---------------------------------------------------------------------------------


def test_units_are_found_in_new_signals_where_they_fire(calibration, known):
    found = online(calibration, known)
    found.process(NEW.values_uV)
    result = score(found.spikes(), NEW.truth.spikes)
    assert result.good == len(known.spikes_) >= 3
    assert result.roa_mean > 0.97
    assert found.unit_ids_ == known.decomposition_.unit_ids
    assert found.spikes().annotations["unit_id"].tolist() == list(found.unit_ids_)


@pytest.mark.parametrize("passes", [2, 1, 0])
def test_discharges_have_the_times_of_the_offline_result(calibration, known, passes):
    """Though the causal filter delays, and each unit's filter fires at a delay of its own."""
    found = online(calibration, known, passes=passes)
    found.process(calibration.values_uV)
    matching = match_trains(found.spikes(), known.spikes_)
    assert np.array_equal(matching.pairs, np.stack([np.arange(len(known.spikes_))] * 2, axis=1))
    assert np.all(np.diag(matching.roa) > 0.95)
    assert np.all(np.abs(np.diag(matching.lag_ms)) <= 0.5)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, NEW.values_uV.shape[1]), max_size=30), st.booleans(), st.integers(0, 2))
def test_any_cut_into_blocks_gives_the_same_bits(cuts, adapt, passes):
    found, whole = in_one_piece(adapt, passes)
    for a, b in zip(in_blocks(found.reset(), NEW.values_uV, cuts), whole, strict=True):
        assert np.array_equal(a, b)


def test_blocks_of_an_odd_length_give_the_same_bits(calibration, known):
    found = online(calibration, known, adapt=True)
    whole = in_blocks(found, NEW.values_uV, [])
    cut = in_blocks(found.reset(), NEW.values_uV, range(37, NEW.values_uV.shape[1], 37))
    assert len(whole[0]) > 100
    for a, b in zip(cut, whole, strict=True):
        assert np.array_equal(a, b)


def test_no_discharge_comes_later_than_the_latency(calibration, known):
    for passes in (2, 1, 0):
        found = online(calibration, known, passes=passes)
        late = []
        for k in range(0, NEW.values_uV.shape[1], 41):
            block = NEW.values_uV[:, k : k + 41]
            spikes = found.process(block)
            late += [(k + block.shape[1]) / RATE_HZ - t for t in spikes.times_s]
        assert np.min(late) > 0
        assert np.max(late) <= found.latency_s_ + 41 / RATE_HZ
        assert np.max(late) > found.latency_s_ - 0.02  # it is no idle promise


def test_what_comes_later_changes_no_discharge(calibration, known):
    found = online(calibration, known, adapt=True)
    first = found.process(NEW.values_uV[:, :8000])
    changed = NEW.values_uV.copy()
    changed[:, 8000:] *= -3
    again = found.reset().process(changed)
    assert np.array_equal(again.times_s[: len(first)], first.times_s)


def test_state_reset_and_the_time_of_the_stream(calibration, known):
    found = online(calibration, known)
    assert np.isnan(found.state.last_s).all()
    found.process(NEW.values_uV)
    before = found.spikes()
    assert found.state.time_s == pytest.approx(8.0)
    assert found.state.last_s == pytest.approx([train[-1] for train in before])
    assert found.state.active.all() and np.all(found.state.silhouettes > 0.8)
    found.reset(t_start_s=100.0)
    assert len(found.spikes().times_s) == 0
    found.process(NEW.values_uV)
    np.testing.assert_allclose(found.spikes().times_s, 100.0 + before.times_s)


def test_peeling_finds_more_of_what_is_there(calibration, known):
    noisy = recorded(8, seed=5, noise_uV=12.0)
    roa = {}
    for passes in (2, 1, 0):
        found = online(calibration, known, passes=passes)
        found.process(noisy.values_uV)
        roa[passes] = np.mean(agreement(found.spikes(), noisy.truth.spikes, 0, 8))
    assert roa[2] >= roa[0]


# --- adaptation -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drifting():
    """Potentials wander by two electrodes in 14 s, then stand still."""
    return recorded(18, shift=lambda s: 2.0 * min(1.0, s / 14), seed=7)


def test_adaptation_holds_units_that_fixed_filters_lose(calibration, known, drifting):
    truth, held = drifting.truth.spikes, {}
    for adapt in (False, True):
        found = online(calibration, known, adapt=adapt)
        found.process(drifting.values_uV)
        held[adapt] = sum(r >= 0.8 for r in agreement(found.spikes(), truth, 14, 18))
    assert held[True] == len(known.spikes_)
    assert held[False] <= len(known.spikes_) // 2


def test_partial_fit_learns_what_process_does_not(calibration, known, drifting):
    found = online(calibration, known)
    before = found.filters_[1].copy()
    found.process(drifting.values_uV)
    assert np.array_equal(found.filters_[1], before)
    assert found.reset().partial_fit(drifting.values_uV) is found
    assert not np.allclose(found.filters_[1], before, atol=1e-3 * np.abs(before).max())
    learning = online(calibration, known, adapt=True)
    learning.process(drifting.values_uV)
    assert np.array_equal(learning.spikes().times_s, found.spikes().times_s)


def test_templates_come_to_those_of_the_moved_units(calibration, known, drifting):
    """Nearer to the potentials at the end than to those at the beginning."""
    from online_scene import shapes

    found = online(calibration, known, adapt=True)
    found.process(drifting.values_uV)
    found.finish()
    now = found.action_potentials_.peak_to_peak_uV
    begin, end = (np.ptp(shapes(s), axis=2) for s in (0.0, 2.0))
    matching = match_trains(found.spikes(), drifting.truth.spikes)
    for i, j in matching.pairs:
        assert np.linalg.norm(now[i] - end[j]) < 0.5 * np.linalg.norm(now[i] - begin[j])


def test_nothing_runs_away_in_silence(calibration, known):
    """Noise alone gives no units, and after it the units are there again."""
    rng = np.random.default_rng(3)
    silence = 4.0 * rng.standard_normal((CHANNELS, round(12 * RATE_HZ)))
    found = online(calibration, known, adapt=True)
    found.process(NEW.values_uV)
    quiet = found.process(silence)
    assert len(quiet) < 12 * len(known.spikes_) * 0.3  # fewer than one in three seconds
    begin = found.state.time_s
    found.process(recorded(8, seed=9).values_uV)
    after = SpikeTrains.from_trains([train[train >= begin] - begin for train in found.spikes()], 8)
    matching = match_trains(after, recorded(8, seed=9).truth.spikes)
    assert sum(matching.roa[i, j] >= 0.8 for i, j in matching.pairs) == len(known.spikes_)


def test_a_unit_that_disappears_is_not_made_up(calibration, known):
    """It stops while the others go on: hardly any of what is left is taken for it."""
    gone = recorded(16, silent=((4, 4.0, 16.0),), seed=11)
    found = online(calibration, known, adapt=True)
    found.process(gone.values_uV)
    matching = match_trains(found.spikes(), recorded(16, seed=11).truth.spikes)
    unit = next(int(i) for i, j in matching.pairs if j == 4)
    train = found.spikes()[unit]
    assert np.sum(train < 4.0) > 40
    assert np.sum(train > 4.1) < 8


def test_an_artefact_does_not_spoil_the_filters(calibration, known):
    values = NEW.values_uV.copy()
    values[:, 6000:7000] += 5000 * np.sin(np.arange(1000) / 3)[None]
    found = online(calibration, known, adapt=True)
    found.process(values)
    roa = agreement(found.spikes(), NEW.truth.spikes, 5, 8)
    assert sum(r >= 0.9 for r in roa) == len(known.spikes_)


# --- bad input --------------------------------------------------------------------------------------


def test_a_block_without_samples_is_nothing(calibration, known):
    found = online(calibration, known)
    assert len(found.process(np.empty((CHANNELS, 0)))) == 0
    assert found.state.time_s == 0


@pytest.mark.parametrize(
    "block", [np.zeros((CHANNELS - 1, 10)), np.zeros((CHANNELS + 1, 10)), np.zeros(10), [["a"]]]
)
def test_another_number_of_channels_is_refused(calibration, known, block):
    found = online(calibration, known)
    with pytest.raises(ParameterError, match=r"OnlineDecomposer\.block_uV"):
        found.process(block)


def test_nan_is_refused_and_the_state_stays(calibration, known):
    found = online(calibration, known)
    whole = found.process(NEW.values_uV)
    found.reset()
    one = found.process(NEW.values_uV[:, :7000])
    broken = NEW.values_uV[:, 7000:7100].copy()
    broken[3, 50] = np.nan
    with pytest.raises(ParameterError, match="channel 3"):
        found.process(broken)
    two = found.process(NEW.values_uV[:, 7000:])
    assert np.array_equal(np.concatenate([one.times_s, two.times_s]), whole.times_s)


def test_channels_with_nan_can_be_dropped_and_the_units_stay(calibration, known):
    values = NEW.values_uV.copy()
    values[[3, 10], 4000:] = np.nan
    found = online(calibration, known, bad_samples="drop")
    with pytest.warns(UserWarning, match="channel 3, 10"):
        found.process(values[:, :4100])
    found.process(values[:, 4100:])
    assert found.state.dropped == (3, 10)
    roa = agreement(found.spikes(), NEW.truth.spikes, 2.5, 8)
    assert sum(r >= 0.8 for r in roa) >= len(known.spikes_) - 1
    assert not found.filters_[0][:, [3, 10]].any()
    with pytest.raises(ParameterError, match="no channel is left"):
        found.drop_channels(range(CHANNELS))


def test_the_wrong_recording_or_none_is_refused(calibration, known):
    with pytest.raises(ParameterError, match=r"OnlineDecomposer\.recording"):
        online(NEW, known)
    with pytest.raises(ParameterError, match="call fit first"):
        OnlineDecomposer().process(NEW.values_uV)
    with pytest.raises(ParameterError, match="call fit first"):
        online(calibration, ConvolutiveBSS())


def test_without_units_there_is_nothing_to_look_for():
    noise = Recording(np.random.default_rng(0).standard_normal((8, 8192)), RATE_HZ)
    nothing = ConvolutiveBSS(rounds=1, starts=4).fit(noise)
    assert len(nothing.spikes_) == 0
    with pytest.raises(ParameterError, match=r"OnlineDecomposer\.known"):
        OnlineDecomposer().fit(noise, nothing)


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match=r"Adaptation\.period_s"):
        Adaptation(period_s=0)
    with pytest.raises(ParameterError, match=r"OnlineDecomposer\.adaptation"):
        OnlineDecomposer(adaptation=3)
    assert OnlineDecomposer(passes=0).get_params()["passes"] == 0


# --- plain forms of the kernels ---------------------------------------------------------------------


def test_filter_bank_is_the_plain_sum():
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal((7, 3, 5)).astype("f4"), rng.standard_normal((3, 40)).astype("f4")
    out = np.empty((7, 20), np.float32)
    filtered(w, x, 4, out)
    plain = [[np.sum(w[n] * x[:, 4 + t : 9 + t]) for t in range(20)] for n in range(7)]
    np.testing.assert_allclose(out, plain, rtol=1e-4, atol=1e-5)


def test_peaks_are_those_of_the_separation():
    rng = np.random.default_rng(1)
    source = np.round(rng.standard_normal(600), 1).astype(np.float32)  # with equal neighbours
    padded = np.pad(source, 6)
    mine = [t for t in range(600) if is_peak(padded, t + 6, 5)]
    assert mine == peaks_of(source, 5).tolist()


def test_cancelling_takes_out_the_responses_of_others():
    rng = np.random.default_rng(2)
    responses = rng.standard_normal((2, 2, 4)).astype("f4")
    source = np.zeros((2, 30), np.float32)
    cancel(source, 10, 12, 38, np.array([[0, 20, 0.5], [1, 37, 1.0]]), responses, -2)
    plain = np.zeros((2, 30))
    plain[1, 8:12] -= 0.5 * responses[1, 0]
    plain[0, 25:28] -= responses[0, 1, :3]  # the last sample lies beyond what was asked for
    np.testing.assert_allclose(source, plain, rtol=1e-6)


def test_the_hazard_is_that_of_its_density():
    """Share of trains that survive, by the integral of the hazard, is 1 less the integral of the density."""
    local, spread, longest = 200.0, 0.2, 512
    d = np.arange(1, longest)
    h = np.array([hazard(float(k), local, spread, longest) for k in d])
    left = np.exp(-np.cumsum(h))
    median = d[np.argmax(left < 0.5)]
    assert abs(median - local) < 6
    assert left[100] > 0.9 and left[320] < 0.1
    assert hazard(longest, local, spread, longest) < h[60:].max() / 10


def test_lag_products_are_means_and_add_up():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((3, 5000)).astype("f4")
    plain = np.stack([x[:, :-9] @ np.roll(x, -k, axis=1)[:, :-9].T / 4991 for k in range(4)])
    np.testing.assert_allclose(lag_products(x, 4, 0), plain, atol=5e-3)
    # Pieces that overlap by the taper weigh every sample alike.
    taper, step = 100, 1200
    pieces = [lag_products(x[:, k : k + step + taper], 4, taper) for k in range(0, 3600, step)]
    ones = lag_products(np.ones((1, 3700), np.float32), 1, taper)
    assert ones[0, 0, 0] == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(np.mean(pieces, axis=0), plain, atol=0.08)


def test_filters_answer_their_own_template_with_one_and_the_rest_least():
    rng = np.random.default_rng(5)
    x = (rng.standard_normal((4, 4)) @ rng.standard_normal((4, 6000))).astype("f4")
    x += rng.standard_normal(x.shape).astype("f4")
    dead = np.array([False, False, True, False])
    whitening = whitening_of(lag_products(x, 3, 0), 1e-6, dead)
    windows = rng.standard_normal((2, 4, 3)).astype("f4")
    windows[:, dead] = 0
    filters = unit_filters(windows, whitening)
    np.testing.assert_allclose(np.einsum("ncl,ncl->n", filters, windows), 1, rtol=1e-5)
    assert not filters[:, dead].any()
    lagged = np.stack([x[c, lag : 5990 + lag] for c in (0, 1, 3) for lag in range(3)])
    covariance = np.cov(lagged)
    m = windows[:, ~dead].reshape(2, -1).T
    solved = np.linalg.solve(covariance, m)
    plain = (solved / np.einsum("in,in->n", solved, m)).T
    np.testing.assert_allclose(filters[:, ~dead].reshape(2, -1), plain, rtol=0.1, atol=0.05)
