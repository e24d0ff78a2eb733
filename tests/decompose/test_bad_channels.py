"""Bad channels are found, each with its reason, and good ones are left alone."""

import re
from functools import cache

import numpy as np
import pytest
from scipy import fft
from test_preprocessing import RATE, mains

from myoloop.data import Electrodes, Recording, SpikeTrains
from myoloop.decompose._preprocessing._bad_channels import BadChannelLimits
from myoloop.decompose._preprocessing._prepare import Preprocessing, find_bad_channels
from myoloop.emg import SurfaceGrid, bipolar, extensor_digitorum
from myoloop.errors import ParameterError
from myoloop.muscle import recruitment_thresholds

ROWS, COLUMNS, SAMPLES = 8, 4, 4 * 2048
PLACE = np.array([(row, column) for column in range(COLUMNS) for row in range(ROWS)])
POSITION = np.column_stack([8.0 * PLACE[:, 1], np.zeros(len(PLACE)), 8.0 * PLACE[:, 0]])
GRID = Electrodes(POSITION, place=PLACE, pitch_mm=8.0)


@cache
def on_a_grid(seed=0, noise_uV=2.0):
    """EMG of travelling sources at random places: neighbours are alike, distant channels are not."""
    rng = np.random.default_rng(seed)
    t = np.arange(-40, 41) / RATE
    length = fft.next_fast_len(SAMPLES + len(t), real=True)
    spectrum = np.zeros((len(PLACE), length // 2 + 1), complex)
    for _ in range(20):
        spot = rng.uniform([-1, -1], [ROWS, COLUMNS])
        away = np.hypot(*(PLACE - spot).T * 8.0)
        delay = np.abs(PLACE[:, 0] - spot[0]) * 8.0 / 4000.0
        u = (t[None] - delay[:, None]) / 4e-3
        shape = 60 / (1 + (away[:, None] / 20) ** 2) * (1 - u**2) * np.exp(-0.5 * u**2)
        train = np.zeros(SAMPLES)
        times = np.cumsum(rng.normal(0.1, 0.012, 60)) * RATE
        train[times[times < SAMPLES].astype(int)] = 1
        spectrum += fft.rfft(train, length) * fft.rfft(shape, length)
    noise = noise_uV * rng.standard_normal((len(PLACE), SAMPLES))
    return fft.irfft(spectrum, length)[:, :SAMPLES] + noise


CLEAN = on_a_grid()
SD = CLEAN.std()


def found(values, electrodes=GRID, rate=RATE, **changes):
    return find_bad_channels(Recording(values, rate, electrodes, **changes))


def spoilt(channel, samples):
    values = CLEAN.copy()
    values[channel] = samples
    return values


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise_uV", [0.0, 2.0, 6.0])
@pytest.mark.parametrize("place", [True, False])
def test_no_channel_of_clean_emg_is_bad(seed, noise_uV, place):
    values = on_a_grid(seed, noise_uV)
    assert found(values, GRID if place else None) == {}
    assert found(values.astype(np.float32), GRID if place else None) == {}
    assert found(np.round(values / 0.5) * 0.5, GRID if place else None) == {}  # in steps of a converter


def test_no_channel_of_differences_is_bad():
    """Over an endplate, differences resemble their neighbours little."""
    derived = bipolar(GRID)
    assert found(derived.matrix @ CLEAN, derived) == {}
    assert found(derived.matrix @ CLEAN, None) == {}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A forearm muscle: the grid reaches beyond it, so that channels differ by 20 dB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYOLOOP_CACHE", str(tmp_path_factory.mktemp("tables")))
        thresholds = recruitment_thresholds(4, ratio=30)
        emg = extensor_digitorum().surface(thresholds, SurfaceGrid.grid_13x5(), seed=1)
        rng = np.random.default_rng(0)
        trains = [np.cumsum(rng.normal(0.09, 0.012, 80)) for _ in range(4)]
        spikes = SpikeTrains.from_trains([train[train < 6.0] for train in trains], 6.0)
        return emg.record(spikes), emg.record(spikes, snr_db=20.0, seed=1)


def test_no_channel_of_a_simulated_muscle_is_bad(simulated):
    for recording in simulated:
        assert find_bad_channels(recording) == {}
        assert find_bad_channels(Recording(recording.values_uV, recording.rate_hz)) == {}


def test_intramuscular_channels_need_not_resemble_each_other():
    rng = np.random.default_rng(3)
    gains = np.array([1, 3, 0.5, 2, 6, 1.5])[:, None]
    values = 50 * gains * rng.standard_normal((6, 20480)) * (1 + np.sin(np.arange(20480) / 900)) / 2
    inside = Electrodes(
        np.column_stack([np.zeros(6), np.zeros(6), np.arange(6.0)]),
        place=np.column_stack([np.arange(6), np.zeros(6, int)]),
        intramuscular=True,
    )
    assert found(values, inside, rate=10240.0) == {}
    assert found(values, None, rate=10240.0) == {}


def test_silence_at_the_beginning_is_not_a_fault():
    values = CLEAN.copy()
    values[:, :3000] = 0.0
    assert found(values) == {}


# What is bad.


def broken_channels():
    rng = np.random.default_rng(7)
    row = CLEAN[9]
    wrapped = (row * 200 + 25000 + 20000 * np.sin(np.arange(SAMPLES) / 1500)).astype(np.int64)
    nan = row.copy()
    nan[100:125] = np.nan
    part = row.copy()
    part[5000:6500] = 3.0
    return {
        "flat": (np.full(SAMPLES, 12.0), "flat"),
        "zero": (np.zeros(SAMPLES), "flat"),
        "part": (part, "flat for 18 % of the time"),
        "nan": (nan, "NaN in 0.31 %"),
        "all nan": (np.full(SAMPLES, np.nan), "NaN in 100 %"),
        "clipped": (np.clip(row, -1.5 * row.std(), 1.5 * row.std()), "clipped"),
        "clipped above": (np.clip(row, -np.inf, 1.2 * row.std()) + 40, "clipped"),
        "wrapped": (((wrapped + 2**15) % 2**16 - 2**15) * 0.005, "integer overflow"),
        "copy": (CLEAN[2], "a duplicate of E03"),
        "turned copy": (-2 * CLEAN[2] + 7, "a duplicate of E03"),
        "mains": (row + 12 * SD * mains(SAMPLES, 50.0), "of its power is mains"),
        "loud": (row + 30 * SD * rng.standard_normal(SAMPLES), "dB louder"),
        "dead": (0.01 * SD * rng.standard_normal(SAMPLES), "dB weaker|correlates"),
        "noise": (SD * rng.standard_normal(SAMPLES), "correlates by only"),
    }


BROKEN = broken_channels()


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("place", [True, False])
def test_each_kind_of_bad_channel_is_found_alone(kind, place):
    samples, reason = BROKEN[kind]
    bad = found(spoilt(9, samples), GRID if place else None)
    assert list(bad) == [GRID.names[9] if place else "E10"]
    assert re.search(reason, bad["E10"])


def test_many_bad_channels_at_once():
    values = CLEAN.copy()
    for channel, (samples, _) in zip((4, 5, 9, 13, 21, 31), list(BROKEN.values())[-6:], strict=True):
        values[channel] = samples
    assert set(found(values)) == {"E05", "E06", "E10", "E14", "E22", "E32"}


def test_a_channel_of_the_other_polarity_is_good():
    assert found(spoilt(9, -CLEAN[9])) == {}


def test_a_few_clipped_samples_and_a_step_are_no_fault():
    row = CLEAN[9].copy()
    row[[100, 101, 102]] = row.max() * 3  # an artefact that reaches the limit
    row[5000:] += 500  # an electrode that jumps once
    assert "E10" not in {k for k, v in found(spoilt(9, row)).items() if "clip" in v or "wrap" in v}


def test_mains_in_all_channels_is_removed_and_spoils_none():
    line = 12 * SD * mains(SAMPLES, 50.0)
    assert found(CLEAN + line) == {}
    assert found(CLEAN + line * np.linspace(0.3, 2, len(CLEAN))[:, None]) == {}


def test_channels_marked_bad_are_left_out_with_that_reason():
    marked = np.zeros(len(PLACE), bool)
    marked[[3, 8]] = True
    recording = Recording(spoilt(8, np.nan), RATE, GRID, bad=marked)
    assert find_bad_channels(recording) == {"E04": "marked bad", "E09": "marked bad"}
    for mode, kept in (("drop", 30), ("keep", 30), ("noise", 32)):
        assert len(Preprocessing(bad_channels=mode).prepare(recording).kept) == kept


# What becomes of them.


def test_bad_channels_are_dropped_and_the_rest_is_as_without_them():
    recording = Recording(spoilt(9, BROKEN["loud"][0]), RATE, GRID)
    prepared = Preprocessing().prepare(recording)
    rest = np.delete(np.arange(32), 9)
    assert prepared.kept.tolist() == rest.tolist()
    assert list(prepared.bad) == ["E10"]
    alone = Preprocessing().prepare(recording.select(rest))
    assert np.array_equal(alone.values, prepared.values)
    assert np.array_equal(alone.scale_uV, prepared.scale_uV)


def test_noise_takes_their_place_so_that_the_covariance_keeps_its_rank():
    values = spoilt(9, 0.0)
    values[20] = np.nan
    recording = Recording(values, RATE, GRID)
    one, two, other = (Preprocessing(bad_channels="noise", seed=s).prepare(recording) for s in (1, 1, 2))
    assert one.kept.tolist() == list(range(32))
    assert list(one.bad) == ["E10", "E21"]
    assert np.array_equal(one.values, two.values)
    assert not np.array_equal(one.values[9], other.values[9])
    assert np.array_equal(np.delete(one.values, [9, 20], 0), np.delete(other.values, [9, 20], 0))
    correlation = np.corrcoef(one.values)
    assert np.abs(np.delete(correlation[9], 9)).max() < 0.05
    assert one.values[9].std() == pytest.approx(1, abs=0.02)
    assert one.scale_uV[9] == np.median(np.delete(one.scale_uV, [9, 20]))
    assert np.linalg.matrix_rank(correlation) == 32


def test_keep_only_names_those_that_hold_a_signal():
    values = spoilt(9, BROKEN["noise"][0])
    values[20], values[5] = 0.0, BROKEN["clipped"][0]
    prepared = Preprocessing(bad_channels="keep").prepare(Recording(values, RATE, GRID))
    assert set(prepared.bad) == {"E06", "E10", "E21"}
    assert prepared.kept.tolist() == np.delete(np.arange(32), 20).tolist()


def test_too_few_good_channels_are_an_error_that_gives_the_reasons():
    values = CLEAN[:5].copy()
    values[1], values[3] = 0.0, np.nan
    with pytest.raises(ParameterError, match=r"3 good of 5 channels where 4 .*E2: flat; E4: NaN"):
        Preprocessing().prepare(Recording(values, RATE))
    assert len(Preprocessing(least_channels=3).prepare(Recording(values, RATE)).kept) == 3
    with pytest.raises(ParameterError, match="0 good of 5"):
        Preprocessing().prepare(Recording(np.zeros((5, SAMPLES)), RATE))
    assert len(find_bad_channels(Recording(np.zeros((5, SAMPLES)), RATE))) == 5


def test_a_gap_in_all_channels_says_where_to_cut():
    values = CLEAN.copy()
    values[:, 2048:3072] = np.nan
    values[:, 6144] = np.nan
    recording = Recording(values, RATE, GRID, t_start_s=10.0)
    with pytest.raises(ParameterError, match=r"1025 samples from 11 s on") as caught:
        Preprocessing().prepare(recording)
    assert "recording.between(11.5, 13)" in str(caught.value)
    assert Preprocessing().prepare(recording.between(11.5, 13)).bad == {}
    values[7], values[8] = np.nan, CLEAN[8]  # one that never was there, and one without the gap
    with pytest.raises(ParameterError, match="in most channels"):
        Preprocessing().prepare(Recording(values, RATE, GRID))


def test_limits_can_be_set():
    halved = CLEAN.copy()
    halved[9] = np.clip(halved[9], -1.5 * halved[9].std(), np.inf)
    recording = Recording(halved, RATE, GRID)
    assert list(find_bad_channels(recording)) == ["E10"]
    assert find_bad_channels(recording, Preprocessing(limits=BadChannelLimits(clipped_share=0.5))) == {}
    with pytest.raises(ParameterError, match="flat_share"):
        BadChannelLimits(flat_share=2)
