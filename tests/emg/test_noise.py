"""Noise: each part against its definition, levels and ratios, bad channels, and the fit to a baseline."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import welch

from myoloop.data import Recording, SpikeTrains
from myoloop.emg._noise._bad_channels import BadChannels
from myoloop.emg._noise._calibrate import fit_noise
from myoloop.emg._noise._noise import Noise, RmsWhileActive, active_samples, scale_for_snr
from myoloop.emg._noise._parts import (
    ColouredNoise,
    ElectrodeDrift,
    GainDrift,
    Mains,
    MotionArtefact,
    WhiteNoise,
)
from myoloop.errors import ParameterError

RATE = 2048.0
PARTS = {
    "white": WhiteNoise(rms_uV=5.0, common_share=0.3),
    "pink": ColouredNoise(rms_uV=4.0, exponent=1.0, low_hz=2.0),
    "brown": ColouredNoise(rms_uV=4.0, exponent=2.0, low_hz=5.0, common_share=0.6),
    "mains": Mains(amplitudes_uV=(4.0, 0.0, 2.0), gain_spread=0.3),
    "motion": MotionArtefact(rate_per_min=120, amplitude_uV=50.0, low_hz=2.0, high_hz=15.0),
    "drift": ElectrodeDrift(rms_uV=30.0, time_constant_s=0.5),
}
RANDOM = [name for name in PARTS if name != "mains"]


def sample(part, seconds, channels=8, seed=3, rate=RATE):
    return Noise(parts=(part,)).start(channels, rate, seed).step(int(seconds * rate))


@pytest.mark.parametrize("name", PARTS)
def test_blocks_of_any_size_give_the_same_bits(name):
    noise = Noise(parts=(PARTS[name],), gain=GainDrift(spread=0.1, time_constant_s=1.0))
    whole = noise.start(3, RATE, 1).step(12_000)
    state = noise.start(3, RATE, 1)
    sizes = [1, 4096, 5, 3000, 4097, 801]
    assert np.array_equal(np.concatenate([state.step(n) for n in sizes]), whole)


@pytest.mark.parametrize("name", PARTS)
def test_another_channel_or_part_shifts_no_draw_and_another_seed_does(name):
    part = PARTS[name]
    assert np.array_equal(sample(part, 1, channels=3), sample(part, 1, channels=5)[:, :3])
    assert not np.array_equal(sample(part, 1, seed=3), sample(part, 1, seed=4))
    extra = WhiteNoise(rms_uV=1.0) if name != "white" else ElectrodeDrift(rms_uV=1.0)
    both = Noise(parts=(extra, part)).start(3, RATE, 3).step(2048)
    alone = Noise(parts=(extra,)).start(3, RATE, 3).step(2048)
    assert np.allclose(both - alone, sample(part, 1, channels=3), atol=1e-4)


@pytest.mark.parametrize("name", RANDOM)
def test_spectrum_and_rms_are_those_defined(name):
    part = PARTS[name]
    x = sample(part, 60, channels=16).astype(float)
    frequency, seen = welch(x, RATE, nperseg=8192, axis=0)
    seen = seen.mean(axis=1)
    top = {"motion": 30.0, "drift": 900.0}.get(name, 1000.0)
    edges = np.geomspace(2.0, top, 12)
    for low, high in itertools.pairwise(edges):
        band = (frequency >= low) & (frequency < high)
        if band.sum() < 2:
            continue
        wanted = part.psd(frequency[band], RATE)
        # Standard error of the mean over bins, segments and channels; the common share counts once.
        share = getattr(part, "common_share", 0.0)
        n = band.sum() * (len(x) / 8192) / (share**2 + (1 - share) ** 2 / 16)
        kurtosis = 3.0 if name == "motion" else 1.0  # pulses of random size vary more
        assert np.mean(seen[band] / wanted) == pytest.approx(1.0, abs=5 * kurtosis / np.sqrt(n) + 0.01)
    spread = {"white": 0.005, "pink": 0.02, "brown": 0.02, "motion": 0.15, "drift": 0.05}[name]
    assert np.sqrt(np.mean(x**2)) == pytest.approx(part.rms_uV, rel=spread)


@pytest.mark.parametrize("name", RANDOM)
def test_density_integrates_to_the_square_of_the_rms(name):
    frequency = np.concatenate([[0.0], np.geomspace(1e-4, RATE / 2, 200_001)])
    power = np.trapezoid(PARTS[name].psd(frequency, RATE), frequency)
    assert power == pytest.approx(PARTS[name].rms_uV ** 2, rel=2e-4)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_coloured_noise_falls_by_its_exponent(exponent):
    psd = ColouredNoise(rms_uV=1.0, exponent=exponent, low_hz=0.5).psd(np.array([50.0, 500.0]), RATE)
    assert np.log10(psd[0] / psd[1]) == pytest.approx(exponent, abs=1e-3)


@pytest.mark.parametrize("name", ["white", "brown"])
def test_channels_correlate_by_their_common_share(name):
    x = sample(PARTS[name], 60, channels=6)
    correlation = np.corrcoef(x.T)[np.triu_indices(6, 1)]
    assert correlation.mean() == pytest.approx(PARTS[name].common_share, abs=0.03)


def test_mains_has_its_lines_and_nothing_else():
    mains = Mains(amplitudes_uV=(4.0, 0.0, 2.0), frequency_hz=50.0)
    x = sample(mains, 8, channels=2).astype(float)
    spectrum = np.abs(np.fft.rfft(x[:, 0])) * 2 / len(x)
    frequency = np.fft.rfftfreq(len(x), 1 / RATE)
    assert spectrum[frequency == 50] == pytest.approx(4.0, rel=1e-5)
    assert spectrum[frequency == 150] == pytest.approx(2.0, rel=1e-5)
    assert np.max(spectrum[(frequency != 50) & (frequency != 150)]) < 1e-4
    assert mains.rms_uV == pytest.approx(np.sqrt(np.mean(x**2)), rel=1e-5)
    gains = np.abs(sample(Mains(amplitudes_uV=(1.0,), gain_spread=0.3), 1, channels=400)).max(axis=0)
    assert np.std(np.log(gains)) == pytest.approx(0.3, abs=0.04)
    assert np.mean(gains**2) == pytest.approx(1.0, abs=0.1)


def test_mains_of_a_long_recording_stays_in_phase():
    mains = Mains(amplitudes_uV=(1.0,), frequency_hz=50.0)
    state = Noise(parts=(mains,)).start(1, RATE, 0)
    first = state.step(int(RATE))
    for _ in range(299):
        last = state.step(int(RATE))
    assert np.abs(first - last).max() < 1e-6  # whole periods later


def test_scaling_scales_every_part():
    noise = Noise(parts=tuple(PARTS.values()))
    assert noise.scaled(2.5).rms_uV == pytest.approx(2.5 * noise.rms_uV)
    x, y = (n.start(2, RATE, 0).step(3000) for n in (noise, noise.scaled(2.5)))
    assert np.allclose(2.5 * x, y, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 25.0])
def test_ratio_to_the_signal_is_the_one_asked(snr_db):
    rng = np.random.default_rng(0)
    spikes = SpikeTrains.from_trains([np.arange(1.0, 3.0, 0.1), np.arange(1.5, 4.0, 0.08)], 6.0)
    clean = np.zeros((int(6 * RATE), 16))
    active = active_samples(spikes, RATE, 0, len(clean), within_s=0.1)
    clean[active] = 40.0 * rng.standard_normal((active.sum(), 16))
    meter = RmsWhileActive()
    for first in range(0, len(clean), 1000):
        part = clean[first : first + 1000]
        meter.add(part, active_samples(spikes, RATE, first, len(part), within_s=0.1))
    c = np.sqrt(np.mean(clean[active] ** 2))
    assert meter.rms_uV == pytest.approx(c, rel=1e-12)
    noise = Noise(parts=(WhiteNoise(rms_uV=1.0), ColouredNoise(rms_uV=1.0, low_hz=10.0)))
    x = noise.at_snr(meter.rms_uV, snr_db).start(16, RATE, 1).step(len(clean)).astype(float)
    assert 20 * np.log10(c / np.sqrt(np.mean(x**2))) == pytest.approx(snr_db, abs=0.1)
    assert scale_for_snr(100.0, 20.0) == pytest.approx(10.0)


def test_active_samples_are_those_near_a_discharge():
    spikes = SpikeTrains.from_trains([[2.0], [2.15], []], 5.0, 1.0)
    active = active_samples(spikes, 100.0, 0, 400, within_s=0.1)
    times = 1.0 + np.flatnonzero(active) / 100
    assert times.min() == pytest.approx(1.9, abs=0.011)
    assert times.max() == pytest.approx(2.25, abs=0.011)
    assert np.all(np.diff(times) < 0.0101)
    parts = [active_samples(spikes, 100.0, first, 50, within_s=0.1) for first in range(0, 400, 50)]
    assert np.array_equal(np.concatenate(parts), active)
    silent = SpikeTrains.from_trains([[]], 5.0)
    assert not active_samples(silent, 100.0, 0, 50).any()
    meter = RmsWhileActive()
    meter.add(np.ones((50, 2)), np.zeros(50, dtype=bool))
    with pytest.raises(ParameterError, match="no active sample"):
        _ = meter.rms_uV


def test_gain_drift_multiplies_the_emg_and_not_the_noise():
    gain = GainDrift(spread=0.2, time_constant_s=0.2)
    ones = np.ones((int(60 * RATE), 4))
    seen = Noise(gain=gain).start(4, RATE, 1).add_to(ones)
    assert np.log(seen).std() == pytest.approx(0.2, rel=0.1)
    assert np.median(seen) == pytest.approx(1.0, abs=0.05)
    noise = Noise(parts=(WhiteNoise(rms_uV=3.0),), gain=gain)
    assert np.array_equal(
        noise.start(4, RATE, 1).step(1000), noise.replace(gain=None).start(4, RATE, 1).step(1000)
    )


def test_bad_channels_do_what_they_say_and_are_marked():
    bad = BadChannels(dead=(0,), noisy=(1, 2), intermittent=(3,), clipped=(4,), noise_uV=50.0, clip_uV=20.0)
    rng = np.random.default_rng(0)
    clean = (15.0 * rng.standard_normal((int(60 * RATE), 6))).astype(np.float32)
    state = bad.start(6, RATE, 1)
    seen = state.step(clean)
    assert state.mask.tolist() == [True] * 5 + [False]
    assert np.all(seen[:, 0] == 0)
    assert np.std((seen - clean)[:, 1:3], axis=0) == pytest.approx([50.0, 50.0], rel=0.02)
    lost = seen[:, 3] == 0
    assert lost.mean() == pytest.approx(0.2 / 2.2, abs=0.06)
    assert np.array_equal(seen[~lost, 3], clean[~lost, 3])
    assert seen[:, 4].max() == 20 and seen[:, 4].min() == -20
    assert np.array_equal(seen[:, 5], clean[:, 5])
    other = bad.start(6, RATE, 1)
    pieces = [other.step(clean[a : a + 777]) for a in range(0, len(clean), 777)]
    assert np.array_equal(np.concatenate(pieces), seen)


TRUE = Noise(
    parts=(
        WhiteNoise(rms_uV=6.0, common_share=0.2),
        ColouredNoise(rms_uV=5.0, exponent=1.4, low_hz=10.0, common_share=0.6),
        Mains(amplitudes_uV=(4.0, 0.0, 1.5), frequency_hz=49.97, gain_spread=0.2),
    )
)


@pytest.mark.parametrize("seed", range(3))
def test_fit_recovers_known_noise(seed):
    x = TRUE.start(64, RATE, seed).step(int(10 * RATE)).T
    white, coloured, mains = fit_noise(x, RATE, mains_hz=50.0).parts
    assert white.rms_uV == pytest.approx(6.0, rel=0.05)
    assert coloured.rms_uV == pytest.approx(5.0, rel=0.05)
    assert coloured.exponent == pytest.approx(1.4, abs=0.1)
    assert white.common_share == pytest.approx(0.2, abs=0.05)
    assert coloured.common_share == pytest.approx(0.6, abs=0.1)
    assert mains.frequency_hz == pytest.approx(49.97, abs=0.002)
    gains = np.exp(0.2 * np.array([_gain(seed, c) for c in range(64)]) - 0.04)
    drawn = np.sqrt(np.mean(gains**2))  # what the gains that were drawn make of the amplitudes
    beneath = TRUE.psd(50.0 * np.arange(1, 4), RATE) * 2 / 10  # mean power that noise adds to a line of 10 s
    wrong = np.array(mains.amplitudes_uV) - np.array([4.0, 0.0, 1.5]) * drawn
    assert np.all(np.abs(wrong) < 3 * np.sqrt(beneath))
    assert mains.gain_spread == pytest.approx(np.std(np.log(gains)), abs=0.02)


def _gain(seed, channel):
    from myoloop.random import Streams

    path = ("emg", "noise", "Mains", 0, "gain", channel)
    return Streams(seed).child(*path).generator().standard_normal()


def test_fit_of_one_kind_of_noise_finds_one():
    x = Noise(parts=(WhiteNoise(rms_uV=6.0),)).start(16, RATE, 0).step(int(10 * RATE)).T
    (white,) = fit_noise(x, RATE, mains_hz=50.0).parts
    assert white.rms_uV == pytest.approx(6.0, rel=0.01)
    assert white.common_share == pytest.approx(0.0, abs=0.01)
    pink = ColouredNoise(rms_uV=6.0, exponent=1.0, low_hz=10.0)
    x = Noise(parts=(pink,)).start(16, RATE, 0).step(int(10 * RATE)).T
    parts = fit_noise(x, RATE).parts
    fitted = sum((p.psd(np.array([20.0, 100.0, 500.0]), RATE) for p in parts), np.zeros(3))
    assert fitted == pytest.approx(pink.psd(np.array([20.0, 100.0, 500.0]), RATE), rel=0.1)


WHITE = np.random.default_rng(0).standard_normal((2, 9000))


@pytest.mark.parametrize(
    ("values", "given", "said"),
    [
        (WHITE[:, :2000], {"rate_hz": RATE}, "too short"),
        (np.ones((2, 9000)), {"rate_hz": RATE}, "constant"),
        (np.full((2, 9000), np.nan), {"rate_hz": RATE}, "NaN"),
        (np.ones(9000), {"rate_hz": RATE}, "channels, samples"),
        (WHITE, {}, "none was given"),
        (WHITE, {"rate_hz": RATE, "low_hz": 300.0, "high_hz": 200.0}, "larger"),
        (WHITE, {"rate_hz": RATE, "high_hz": 1024.0}, "1024 Hz"),
    ],
)
def test_fit_refuses_what_it_cannot_use(values, given, said):
    with pytest.raises(ParameterError, match=said):
        fit_noise(values, **given)


def test_fit_leaves_out_bad_channels_of_a_recording():
    x = Noise(parts=(WhiteNoise(rms_uV=6.0),)).start(4, RATE, 0).step(int(5 * RATE)).T.copy()
    x[2] *= 100
    recording = Recording(x, RATE, bad=np.array([False, False, True, False]))
    (white,) = fit_noise(recording).parts
    assert white.rms_uV == pytest.approx(6.0, rel=0.02)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: WhiteNoise(rms_uV=-1.0), "WhiteNoise.rms_uV"),
        (lambda: WhiteNoise(rms_uV=1.0, common_share=1.5), "common_share"),
        (lambda: MotionArtefact(rate_per_min=1, amplitude_uV=1, low_hz=30.0), "MotionArtefact.high_hz"),
        (lambda: Mains(amplitudes_uV=(np.nan,)), "Mains.amplitudes_uV"),
        (lambda: Mains(amplitudes_uV=()), "Mains.amplitudes_uV"),
        (lambda: sample(Mains(amplitudes_uV=(1.0,) * 30), 1), "1500 Hz was asked"),
        (lambda: sample(ColouredNoise(rms_uV=1.0, low_hz=1e-4), 1), "ElectrodeDrift"),
        (lambda: Noise(parts=(3,)), "Noise.parts"),
        (lambda: Noise().at_snr(10.0, 10.0), "no power"),
        (lambda: Noise(parts=(PARTS["white"],)).at_snr(0.0, 10.0), "clean_rms"),
        (lambda: Noise().start(0, RATE, 1), "n_channels"),
        (lambda: Noise().start(2, RATE, 1).add_to(np.zeros((5, 3))), "2 channels"),
        (lambda: Noise(parts=(PARTS["white"],)).start(2, RATE, 1).step(0), "NoiseState.step.n_samples"),
        (lambda: Noise().start(2, RATE, 1).step(2.5), "NoiseState.step.n_samples"),
        (lambda: BadChannels(dead=(-1,)), "BadChannels.dead"),
        (lambda: BadChannels(noisy=(7,)).mask(4), "channel 7 of 4"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(make, said):
    with pytest.raises(ParameterError, match=said):
        make()


def real_recording():
    folder = os.environ.get("MYOLOOP_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(folder) / "otb_vastus_lateralis_64ch.mat"
    if not path.exists():
        pytest.skip(f"no {path}; set MYOLOOP_DATA to the folder that holds it")
    from scipy.io import loadmat

    content = loadmat(path)
    return content["Data"][0, 0][:, :64].T.astype(float), float(content["SamplingFrequency"].item())


@pytest.mark.parametrize("quiet_s", [(0.0, 0.85), (31.4, 32.5)])
def test_fit_of_a_real_baseline_makes_noise_of_its_level_and_spectrum(quiet_s):
    values, rate = real_recording()
    rest = values[:, int(quiet_s[0] * rate) : int(quiet_s[1] * rate)]
    rest = rest[np.std(rest, axis=1) < 2 * np.median(np.std(rest, axis=1))]
    noise = fit_noise(rest, rate, mains_hz=50.0, low_hz=20.0, high_hz=400.0)
    made = noise.start(len(rest), rate, 1).step(int(10 * rate)).T
    assert np.sqrt(np.mean(made**2)) == pytest.approx(np.sqrt(np.mean(rest**2)), rel=0.15)

    def bands(x):
        frequency, density = welch(x, rate, nperseg=int(0.2 * rate), axis=1)
        edges = [20, 120, 220, 400]
        inside = [(frequency >= a) & (frequency < b) for a, b in itertools.pairwise(edges)]
        return np.array([density[:, band].mean() for band in inside])

    assert bands(made) == pytest.approx(bands(rest), rel=0.3)
