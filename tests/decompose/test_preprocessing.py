"""From a recording to prepared signals: the band, the mains, resampling, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest

from myoloop.data import Recording
from myoloop.decompose._preprocessing._band import FourierBand
from myoloop.decompose._preprocessing._mains import remove_mains
from myoloop.decompose._preprocessing._prepare import Preprocessing
from myoloop.errors import ParameterError, UnknownNameError

RATE = 2048.0


def emg_like(channels, samples, seed=0, rate_hz=RATE, low_hz=30.0, high_hz=300.0):
    """Noise with the spectrum of EMG, correlated between channels, SD 100 uV."""
    rng = np.random.default_rng(seed)
    hz = np.fft.rfftfreq(samples, 1 / rate_hz)
    shape = 1 / (1 + (low_hz / np.maximum(hz, 1e-9)) ** 4) / (1 + (hz / high_hz) ** 4)
    common = rng.standard_normal(samples)
    white = 0.8 * common + 0.6 * rng.standard_normal((channels, samples))
    x = np.fft.irfft(np.fft.rfft(white, axis=1) * np.sqrt(shape), samples, axis=1)
    return 100 * x / x.std(axis=1, keepdims=True)


def mains(samples, hz, rate_hz=RATE, orders=(1, 2, 3, 5)):
    t = np.arange(samples) / rate_hz
    return sum(np.sin(2 * np.pi * hz * h * t + h) / h for h in orders)


def decibels(part, whole):
    return 10 * np.log10(np.mean(np.square(part)) / np.mean(np.square(whole)))


# The band.


@pytest.mark.parametrize(
    ("hz", "gain"), [(5, 0), (14.9, 0), (20, 0.5), (25.1, 1), (200, 1), (850, 1), (900, 0.5), (960, 0)]
)
def test_the_gain_at_each_frequency(hz, gain):
    t = np.arange(20 * 2048) / RATE
    out = np.empty((1, len(t)), np.float32)
    FourierBand(len(t), RATE, 20, 900, 10, 90).filtered([np.sin(2 * np.pi * hz * t)], out)
    middle = out[0, 2048:-2048]
    assert np.sqrt(2) * middle.std() == pytest.approx(gain, abs=2e-3)


def test_the_band_pass_moves_nothing_in_time():
    x = np.zeros(4096)
    x[1500] = 1000.0
    out = np.empty((1, 4096), np.float32)
    FourierBand(4096, RATE, 20, 900, 10, 90).filtered([x], out)
    assert np.argmax(out) == 1500
    assert np.allclose(out[0, 1501:1700], out[0, 1499:1300:-1], atol=2e-3)


def test_an_offset_and_a_slope_do_not_ring_at_the_ends():
    n = 8192
    emg = emg_like(1, n)
    out, bent = np.empty((1, n), np.float32), np.empty((1, n), np.float32)
    band = FourierBand(n, RATE, 20, 900, 10, 90)
    band.filtered(emg, out)
    band.filtered(emg + 3000 + 0.5 * np.arange(n), bent)  # rises by 40 times the SD
    assert np.abs(out - bent).max() < 0.02 * out.std()


def test_resampling_is_exact_for_what_lies_in_the_band():
    n, rate = 5 * 10240, 10240.0
    t = np.arange(n) / rate
    window = np.sin(np.pi * np.arange(n) / n) ** 4
    hz, k = np.array([[[50.0], [333.0], [700.0]]]), np.arange(1.0, 5.0)[:, None, None]
    waves = np.sum(k * np.cos(2 * np.pi * hz * t + hz * k), axis=1) * window
    x = waves + 5 * np.sin(2 * np.pi * 3000 * t) * window  # would fold back to 952 Hz
    recording = Recording(x, rate, t_start_s=1.25)
    prepared = Preprocessing(mains_hz=0, limits=lenient()).prepare(recording)
    assert prepared.rate_hz == 2048.0
    assert prepared.t_start_s == 1.25
    assert prepared.values.shape == (4, n // 5)
    got = prepared.values * prepared.scale_uV[:, None]
    assert np.allclose(got, waves[:, ::5], atol=2e-5)
    assert any("2048" in note for note in prepared.notes)


def lenient():
    from myoloop.decompose._preprocessing._bad_channels import BadChannelLimits

    return BadChannelLimits(duplicate_correlation=1.0, neighbour_correlation=0.0)


@pytest.mark.parametrize(
    ("rate", "preset", "expected"),
    [
        (2048, "surface", 2048),
        (2500, "surface", 2500),
        (4000, "surface", 2000),
        (10240, "surface", 2048),
        (10240, "intramuscular", 10240),
        (30000, "intramuscular", 10000),
        (2000, "intramuscular", 2000),
    ],
)
def test_the_working_rate_is_the_rate_over_a_whole_number(rate, preset, expected):
    recording = Recording(emg_like(4, 2 * rate, rate_hz=rate, high_hz=800), rate)
    prepared = getattr(Preprocessing, preset)().prepare(recording)
    assert prepared.rate_hz == expected
    assert prepared.values.shape[1] == 2 * expected


def test_each_channel_has_unit_variance_and_its_scale_says_what_it_was():
    emg = emg_like(6, 8192) * np.array([[1], [2], [3], [4], [0.5], [1e-2]]) + 5000
    prepared = Preprocessing(limits=lenient()).prepare(Recording(emg, RATE))
    assert prepared.values.dtype == np.float32
    assert prepared.values.flags.c_contiguous
    assert np.allclose(prepared.values.std(axis=1), 1, atol=1e-4)
    assert prepared.scale_uV / emg.std(axis=1) == pytest.approx(1, abs=0.03)
    assert prepared.kept.tolist() == list(range(6))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_how_the_samples_lie_in_memory_does_not_matter(order, dtype):
    emg = emg_like(20, 5000).astype(np.float32)
    plain = Preprocessing().prepare(Recording(emg, RATE))
    other = Preprocessing().prepare(Recording(np.asarray(emg, dtype=dtype, order=order), RATE))
    assert np.allclose(plain.values, other.values, atol=1e-6)


def test_a_short_recording_of_odd_length():
    prepared = Preprocessing().prepare(Recording(emg_like(4, 2049), RATE))
    assert prepared.values.shape == (4, 2049)
    assert np.all(np.isfinite(prepared.values))


# The mains.


@pytest.mark.parametrize("base", [50.0, 49.93, 60.0, 60.07])
def test_mains_ten_times_the_emg_is_gone(base):
    emg = emg_like(8, 16384).astype(np.float32)
    line = 1000 * np.sqrt(2) * mains(16384, base)
    mixed = (emg + line).astype(np.float32)
    lines, power = remove_mains(mixed, RATE, None, 20, 900)
    assert np.allclose(lines[:4], base * np.array([1, 2, 3, 5]), atol=0.03)
    assert decibels(mixed - emg, line) < -38
    assert power == pytest.approx(np.mean(line**2), rel=0.03)


def test_mains_that_wanders_in_amplitude_and_frequency_is_reduced():
    n = 60 * 2048
    t = np.arange(n) / RATE
    phase = 2 * np.pi * 50.02 * t + 2 * np.pi * 0.01 / 0.02 * np.sin(2 * np.pi * 0.02 * t)
    line = 500 * (1 + 0.3 * np.cos(2 * np.pi * 0.05 * t)) * np.sin(phase)
    emg = emg_like(4, n).astype(np.float32)
    mixed = (emg + line).astype(np.float32)
    remove_mains(mixed, RATE, None, 20, 900)
    assert decibels(mixed - emg, line) < -30


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("seconds", [2, 4, 10])
def test_without_mains_nothing_is_touched(seed, seconds):
    emg = emg_like(16, int(seconds * RATE), seed).astype(np.float32)
    before = emg.copy()
    lines, _ = remove_mains(emg, RATE, None, 20, 900)
    changed = np.abs(emg.var(axis=1) / before.var(axis=1) - 1)
    assert changed.max() < 0.01
    assert len(lines) <= 1  # one of the many surroundings may look like a line in so short a time


def test_discharges_at_fifty_a_second_are_not_mains():
    """Regular discharges have harmonics too, but their intervals vary."""
    rng = np.random.default_rng(1)
    n = 20 * 2048
    x = np.zeros((8, n), np.float32)
    for k in range(20):
        times = np.cumsum(rng.normal(0.1, 0.012, 200))
        at = (times[times < 19.9] * RATE).astype(int)
        x[:, at] += rng.standard_normal((8, 1)).astype(np.float32) * (1 + k % 3)
    assert remove_mains(x, RATE, None, 20, 900)[0] == ()


def test_the_frequency_of_the_mains_may_be_given_or_left_alone():
    emg = emg_like(4, 16384) + 300 * mains(16384, 60.0)
    recording = Recording(emg, RATE)
    assert Preprocessing(mains_hz=0).prepare(recording).lines_hz == ()
    assert all(hz == pytest.approx(300) for hz in Preprocessing(mains_hz=50).prepare(recording).lines_hz)
    found = Preprocessing(mains_hz=60).prepare(recording)
    assert found.lines_hz[0] == pytest.approx(60.0, abs=0.02)
    assert any("mains" in note for note in found.notes)
    assert found.lines_hz == Preprocessing().prepare(recording).lines_hz


def test_mains_in_one_channel_is_removed_from_that_channel_only():
    emg = emg_like(8, 16384).astype(np.float32)
    mixed = emg.copy()
    mixed[3] += (400 * mains(16384, 50.0)).astype(np.float32)
    remove_mains(mixed, RATE, None, 20, 900)
    assert np.array_equal(np.delete(mixed, 3, axis=0), np.delete(emg, 3, axis=0))
    assert decibels(mixed[3] - emg[3], emg[3]) < -15


# What is refused.


def test_the_band_is_limited_by_a_low_rate_with_a_note():
    prepared = Preprocessing().prepare(Recording(emg_like(4, 4000, rate_hz=1000), 1000))
    assert prepared.rate_hz == 1000
    assert "475 Hz" in prepared.notes[0]


@pytest.mark.parametrize("rate", [1.0, 2.048, 30.0, 100.0])
def test_a_sampling_rate_that_cannot_be_right(rate):
    with pytest.raises(ParameterError, match="sampling rate"):
        Preprocessing().prepare(Recording(emg_like(4, 5000), rate))


@pytest.mark.parametrize("rate", [2048.0, 2.048e6])
def test_a_recording_shorter_than_a_second_or_than_the_filter(rate):
    with pytest.raises(ParameterError, match="samples at"):
        Preprocessing().prepare(Recording(emg_like(4, 2000), rate))
    with pytest.raises(ParameterError, match="at least 8 s"):
        Preprocessing(low_hz=0.5).prepare(Recording(emg_like(4, 4000), 2048.0))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"low_hz": 500, "high_hz": 400}, "low_hz"),
        ({"low_hz": 0}, "low_hz"),
        ({"mains_hz": -1}, "mains_hz"),
        ({"mains_hz": 0.05}, "mains_hz"),
    ],
)
def test_parameters_are_checked(wrong, field):
    with pytest.raises(ParameterError, match=f"Preprocessing.{field}"):
        Preprocessing(**wrong)
    with pytest.raises(UnknownNameError, match="drop"):
        Preprocessing(bad_channels="dropp")


def test_another_recording_is_prepared_alike():
    emg = emg_like(6, 3 * 2048)
    emg[2] = 7.0
    first = Preprocessing().prepare(Recording(emg, RATE))
    assert first.kept.tolist() == [0, 1, 3, 4, 5]
    again = Preprocessing().prepare_as(Recording(3 * emg, RATE), first.kept, first.scale_uV)
    assert np.allclose(again.values, 3 * first.values, atol=1e-5)
    assert np.array_equal(again.scale_uV, first.scale_uV)
    with pytest.raises(ParameterError, match="channel 5"):
        Preprocessing().prepare_as(Recording(emg[:4], RATE), first.kept, first.scale_uV)
    emg[3, 5] = np.nan
    with pytest.raises(ParameterError, match="NaN in channel E4"):
        Preprocessing().prepare_as(Recording(emg, RATE), first.kept, first.scale_uV)


def test_progress_counts_the_channels():
    seen = []
    Preprocessing().prepare(Recording(emg_like(5, 4096), RATE), lambda *told: seen.append(told))
    assert seen[-1] == ("filter", 5, 5, "channels")
    assert [done for _, done, *_ in seen] == sorted(done for _, done, *_ in seen)


def test_a_real_recording():
    from scipy.io import loadmat

    folder = Path(os.environ.get("MYOLOOP_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    path = folder / "otb_vastus_lateralis_64ch.mat"
    if not path.exists():
        pytest.skip(f"the recording {path.name} is not here; set MYOLOOP_DATA to its folder")
    samples = loadmat(path)["Data"][0, 0][:, :64].astype(float)
    prepared = Preprocessing.surface().prepare(Recording(samples.T, 2048.0))
    assert prepared.bad == {}
    assert prepared.values.shape == (64, 66560)
    assert 100 < prepared.scale_uV.min() < prepared.scale_uV.max() < 230
    left = prepared.values.copy()
    assert remove_mains(left, 2048.0, None, 20, 900)[0] == ()
