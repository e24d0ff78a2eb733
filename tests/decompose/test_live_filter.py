"""The causal filter: the same bits for any cut into blocks, and the same values as a plain form."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from test_preprocessing import RATE, decibels, emg_like, mains

from myoloop.data import Recording
from myoloop.decompose._preprocessing._live import LiveFilter
from myoloop.decompose._preprocessing._prepare import Preprocessing
from myoloop.errors import ParameterError
from myoloop.parameters import plain

EMG = emg_like(6, 4 * 2048, seed=3) + 400.0


def live(**changes):
    given = {"rate_hz": RATE, "low_hz": 20, "high_hz": 900, "kept": [0, 2, 5], "scale_uV": [1.0, 2.0, 4.0]}
    return LiveFilter(**(given | changes))


def in_blocks(live_filter, values, cuts):
    return np.concatenate(
        [live_filter.process(block) for block in np.split(values, sorted(cuts), axis=1)], axis=1
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, EMG.shape[1]), max_size=12),
    st.sampled_from([1, 2, 3, 5]),
    st.sampled_from([np.float32, np.float64]),
)
def test_any_cut_into_blocks_gives_the_same_bits(cuts, factor, dtype):
    values = EMG.astype(dtype)
    options = {"factor": factor, "high_hz": 150, "lines_hz": (50.0,), "replaced": ((1, "E3"),)}
    whole = live(**options).process(values)
    assert whole.shape == (3, -(-EMG.shape[1] // factor))
    assert np.array_equal(in_blocks(live(**options), values, cuts), whole)


def test_single_samples_give_the_same_bits():
    assert np.array_equal(in_blocks(live(), EMG[:, :500], range(1, 500)), live().process(EMG[:, :500]))


def test_it_is_a_butterworth_filter_that_begins_at_rest():
    sos = np.concatenate(
        [
            signal.butter(4, 20, "highpass", fs=RATE, output="sos"),
            signal.butter(4, 900, "lowpass", fs=RATE, output="sos"),
        ]
    )
    rows = EMG[[0, 2, 5]]
    plain_form = signal.sosfilt(sos, rows - rows[:, :1], axis=1) / np.array([[1.0], [2.0], [4.0]])
    assert np.allclose(live().process(EMG), plain_form, atol=1e-4)


def test_what_comes_later_changes_nothing_before():
    changed = EMG.copy()
    changed[:, 3000:] *= -5
    assert np.array_equal(live().process(changed)[:, :3000], live().process(EMG)[:, :3000])


@pytest.mark.parametrize("factor", [2, 5])
def test_what_would_fold_back_into_the_band_is_weak(factor):
    rate = 2048.0 * factor
    t = np.arange(int(4 * rate)) / rate
    for hz in (2048.0 - 900, 2048.0 - 500, 2048.0):
        out = live(rate_hz=rate, factor=factor).process(np.tile(np.sin(2 * np.pi * hz * t), (6, 1)))
        assert np.sqrt(2) * out[0, 2048:].std() < 10 ** (-45 / 20)
    inside = live(rate_hz=rate, factor=factor).process(np.tile(np.sin(2 * np.pi * 200 * t), (6, 1)))
    assert np.sqrt(2) * inside[0, 2048:].std() == pytest.approx(1, abs=0.06)


def test_mains_lines_are_removed_live():
    line = 1000 * mains(8 * 2048, 50.0)
    emg = emg_like(6, 8 * 2048)
    prepared = Preprocessing().prepare(Recording(emg + line, RATE), causal=True)
    assert prepared.lines_hz[:2] == pytest.approx((50, 100), abs=0.01)
    clean = LiveFilter(kept=prepared.kept, scale_uV=prepared.scale_uV, **prepared.filter).process(emg)
    late = slice(3 * 2048, None)
    noise = prepared.values[:, late] - clean[:, late]
    assert decibels(noise * prepared.scale_uV[:, None], line[late]) < -40


@pytest.mark.parametrize("mode", ["drop", "noise"])
@pytest.mark.parametrize("rate", [2048.0, 6144.0])
def test_a_causal_preparation_is_what_comes_live(mode, rate):
    emg = emg_like(7, int(3 * rate), rate_hz=rate)
    emg[4] = np.nan
    recording = Recording(emg, rate)
    prepared = Preprocessing(bad_channels=mode, seed=5).prepare(recording, causal=True)
    assert np.allclose(prepared.values.std(axis=1), 1, atol=0.03)
    came = in_blocks(prepared.live(), emg, range(205, emg.shape[1], 205))
    assert came.shape == prepared.values.shape
    assert np.allclose(came, prepared.values, atol=2e-6)
    again = Preprocessing().prepare_as(recording, [0, 1, 6], prepared.scale_uV[[0, 1, -1]], causal=True)
    assert np.allclose(again.values, prepared.values[[0, 1, -1]], atol=2e-6)


def test_causal_and_zero_phase_preparations_agree_but_for_the_delay():
    recording = Recording(EMG, RATE)
    plain_one, causal = (Preprocessing().prepare(recording, causal=c) for c in (False, True))
    assert causal.scale_uV == pytest.approx(plain_one.scale_uV, rel=0.03)
    assert causal.values.shape == plain_one.values.shape
    power = [np.abs(np.fft.rfft(p.values[0] * p.scale_uV[0])) ** 2 for p in (plain_one, causal)]
    band = slice(4 * 40, 4 * 600)  # 40 to 600 Hz
    assert power[1][band].sum() == pytest.approx(power[0][band].sum(), rel=0.03)


def test_the_filter_survives_a_file():
    emg = EMG.copy()
    emg[1] = 0
    prepared = Preprocessing(bad_channels="noise").prepare(Recording(emg, RATE), causal=True)
    read = json.loads(json.dumps(plain(dict(prepared.filter))))
    again = LiveFilter(kept=prepared.kept, scale_uV=prepared.scale_uV, **read)
    assert np.array_equal(again.process(emg), prepared.live().process(emg))


def test_reset_forgets():
    one = live()
    first = one.process(EMG[:, :777])
    one.reset()
    assert np.array_equal(one.process(EMG[:, :777]), first)


def test_bad_blocks_are_refused_and_leave_the_state_as_it_was():
    one = live()
    first = one.process(EMG[:, :300])
    broken = EMG[:, 300:400].copy()
    broken[2, 7] = np.nan
    with pytest.raises(ParameterError, match="NaN"):
        one.process(broken)
    with pytest.raises(ParameterError, match="all channels"):
        one.process(EMG[:4, 300:400])
    with pytest.raises(ParameterError, match="all channels"):
        one.process(EMG[:, 300])
    broken = EMG[:, 300:400].copy()
    broken[1] = np.nan  # not in use
    rest = one.process(broken)
    assert np.array_equal(np.concatenate([first, rest], axis=1), live().process(EMG[:, :400]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale_uV": [1.0, 2.0]},
        {"scale_uV": [1.0, 0.0, 2.0]},
        {"kept": []},
        {"high_hz": 1100},
        {"low_hz": 0},
        {"kept": [-1, 0, 1]},
        {"factor": 0},
        {"factor": 3},
    ],
)
def test_a_filter_that_cannot_be_is_refused(wrong):
    with pytest.raises(ParameterError, match="LiveFilter"):
        live(**wrong)
