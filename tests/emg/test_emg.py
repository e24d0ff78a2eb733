"""From fibres and spikes to a recording."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_action_potentials import FDI, GRID, each_alone, gap, scattered

from myoloop.data import Electrodes, Signal, SpikeTrains
from myoloop.emg import (
    EMG,
    Amplifier,
    BadChannels,
    ColouredNoise,
    InfiniteMedium,
    Noise,
    PlanarLayers,
    WhiteNoise,
    bipolar,
    synthesise,
    velocity_drift,
)
from myoloop.errors import ParameterError, UnknownNameError

UNITS = 4


@pytest.fixture(scope="module")
def emg(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYOLOOP_CACHE", str(tmp_path_factory.mktemp("tables")))
        made = EMG(fibres=scattered(80, UNITS), conductor=FDI, electrodes=GRID.on(FDI))
        return made.prepare()


@pytest.fixture
def spikes():
    rng = np.random.default_rng(5)
    return SpikeTrains.from_trains([np.sort(rng.uniform(0, 3, 30)) for _ in range(UNITS)], 3.0)


def test_the_recording_carries_its_truth(emg, spikes):
    recording = emg.record(spikes)
    assert recording.values_uV.shape == (12, 3 * 2048)
    assert recording.electrodes is emg.electrodes
    assert recording.channels == emg.electrodes.names
    truth = recording.truth
    assert truth.spikes is spikes
    assert truth.action_potentials is emg.action_potentials
    assert truth.about["emg"]["conductor"]["muscle_mm"] == FDI.muscle_mm
    assert np.array_equal(synthesise(truth.action_potentials, truth.spikes), recording.values_uV)


def test_one_discharge_leaves_the_action_potential(emg):
    recording = emg.record(SpikeTrains.from_trains([[], [0.5], [], []], 1.0))
    potentials = emg.action_potentials
    first = 1024 + round(potentials.t_start_s * 2048)
    n = potentials.values_uV.shape[2]
    assert gap(recording.values_uV[:, first : first + n], potentials.values_uV[1]) < 1e-6
    assert not recording.values_uV[:, : first - 20].any()


def test_blocks_of_any_length_give_the_same_samples(emg, spikes):
    noise = Noise(parts=(WhiteNoise(rms_uV=3.0), ColouredNoise(rms_uV=2.0, exponent=1.0)))
    options = {"noise": noise, "snr_db": 15.0, "bad": BadChannels(dead=(3,), noisy=(5,)), "seed": 4}
    whole = emg.record(spikes, **options)
    for block_s in (0.01, 0.37, 5.0):
        pieces = np.concatenate(list(emg.blocks(spikes, block_s=block_s, **options)))
        assert np.array_equal(pieces.T, whole.values_uV)
    assert list(np.flatnonzero(whole.bad)) == [3, 5]


def test_noise_is_as_far_below_the_signal_as_asked(emg, spikes):
    clean = emg.record(spikes).values_uV
    noisy = emg.record(spikes, snr_db=12.0, seed=1).values_uV
    assert 20 * np.log10(clean.std() / (noisy - clean).std()) == pytest.approx(12.0, abs=0.15)
    other = emg.record(spikes, snr_db=12.0, seed=2).values_uV
    assert not np.array_equal(noisy, other)
    assert np.array_equal(noisy, emg.record(spikes, snr_db=12.0, seed=1).values_uV)


def test_jitter_varies_discharges_as_delays_of_each_fibre_would(emg):
    """To first order the variance is sd^2 times the sum over fibres of the squared slopes."""
    jittering = emg.replace(jitter_us=40.0, variations=64)
    n, period = 300, 205
    train = (100 + period * np.arange(n)) / 2048  # on samples, so that only jitter tells discharges apart
    first = np.round(train * 2048).astype(int) - 20
    ratios = []
    for unit in range(UNITS):
        trains = [train if u == unit else [] for u in range(UNITS)]
        recording = jittering.record(SpikeTrains.from_trains(trains, n * 0.1002))
        windows = np.stack([recording.values_uV[:, i : i + 80] for i in first])
        trains[unit] = train[:1]
        plain = emg.record(SpikeTrains.from_trains(trains, 0.2)).values_uV[:, first[0] : first[0] + 80]
        assert gap(windows.mean(axis=0), plain) < 0.02
        alone = each_alone(emg.fibres.select([unit]))
        single = EMG(fibres=alone, conductor=FDI, electrodes=emg.electrodes).action_potentials.values_uV
        slopes = np.fft.irfft(2j * np.pi * np.fft.rfftfreq(256, 1 / 2048) * np.fft.rfft(single, 256), 256)
        ratios.append(windows.var(axis=0).sum() / ((40e-6) ** 2 * np.sum(slopes**2)))
    # 64 variations estimate the power of a unit with an SD of up to .18, the mean of four of .09.
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.25)


def test_electrodes_that_move_see_what_they_see_at_each_place(emg):
    shift = Signal(np.linspace(0.0, 4.0, 41), 10.0, "mm")
    path = emg.path(shift)
    times = np.array([0.3, 2.05, 3.9])
    recording = emg.record(SpikeTrains.from_trains([times, [], [], []], 4.1), path=path)
    n = emg.action_potentials.values_uV.shape[2] - 20
    for t in times:
        there = emg.moved(along_mm=t).record(SpikeTrains.from_trains([[t], [], [], []], 4.1))
        first = round((t + emg.action_potentials.t_start_s) * 2048)
        part = slice(first, first + n)
        assert gap(recording.values_uV[:, part], there.values_uV[:, part]) < 2e-3
    assert recording.truth.path is path


def test_a_grid_that_slides_around_the_limb_stays_on_the_skin(emg):
    moved = emg.moved(across_mm=7.0, along_mm=-3.0)
    FDI.check_electrodes(moved.electrodes)
    steps = moved.electrodes.position_mm - emg.electrodes.position_mm
    assert np.allclose(steps[:, 2], -3.0)
    across = FDI.across_mm(*moved.electrodes.position_mm[:, :2].T)
    assert np.allclose(across - FDI.across_mm(*emg.electrodes.position_mm[:, :2].T), 7.0)


def test_fatigue_slows_the_potentials(emg):
    factor = Signal(np.linspace(1.0, 0.7, 101), 10.0)
    path = velocity_drift(emg.action_potentials, factor)
    train = np.array([0.1, 9.8])
    recording = emg.record(SpikeTrains.from_trains([train, [], [], []], 10.0), path=path)

    def mean_frequency(t):
        first = round((t - 0.004) * 2048)
        power = np.abs(np.fft.rfft(recording.values_uV[:, first : first + 100], 1024)) ** 2
        return np.sum(power * np.fft.rfftfreq(1024, 1 / 2048)) / np.sum(power)

    assert mean_frequency(9.8) / mean_frequency(0.1) == pytest.approx(0.7, abs=0.04)


def test_derived_channels_are_the_derivation_of_the_recording(emg, spikes):
    derived = emg.replace(electrodes=bipolar(emg.electrodes)).record(spikes).values_uV
    whole = emg.record(spikes).values_uV
    assert gap(derived, bipolar(emg.electrodes).matrix @ whole) < 1e-5


def test_progress_is_told(emg, spikes):
    told = []
    emg.record(spikes, progress=lambda stage, done, total, unit="s": told.append((done, total)))
    assert told[-1] == (3.0, 3.0)
    told.clear()
    fresh = EMG(fibres=emg.fibres, conductor=FDI, electrodes=emg.electrodes)
    fresh.prepare(lambda stage, done, total, unit="s": told.append((done, total)))
    assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"conductor": PlanarLayers(fat_mm=1, skin_mm=1)}, ParameterError, "outside the muscle"),
        ({"conductor": InfiniteMedium()}, ParameterError, "on a skin"),
        ({"electrodes": Electrodes([[0.0, 2.0, 0.0]])}, ParameterError, "off the skin"),
        ({"electrodes": GRID}, ParameterError, r"EMG\.electrodes"),
        ({"fibres": None}, ParameterError, r"EMG\.fibres"),
        ({"rate_hz": 500.0}, ParameterError, "rate_hz"),
        ({"rate_hz": -1.0}, ParameterError, "EMG.rate_hz"),
        ({"amplifier": Amplifier(low_pass_hz=3000.0)}, ParameterError, "cannot hold"),
        ({"jitter_us": -2.0}, ParameterError, "EMG.jitter_us"),
        ({"fibers": 1}, UnknownNameError, "fibres"),
    ],
)
def test_what_cannot_be_is_refused_at_once(emg, change, error, words):
    with pytest.raises(error, match=words):
        emg.replace(**change)


def test_spikes_that_do_not_fit_are_refused(emg):
    five = SpikeTrains.from_trains([[0.1]] * 5, 1.0)
    with pytest.raises(ParameterError, match="5 units were given"):
        emg.record(five)
    with pytest.raises(ParameterError):
        emg.record(SpikeTrains.from_trains([[np.nan]], 1.0))
    with pytest.raises(ParameterError, match=r"EMG\.path\.shift"):
        emg.path(Signal(np.zeros(3), 1.0, "s"))


DIGEST = """
import hashlib
from test_action_potentials import FDI, GRID, scattered
from myoloop.data import SpikeTrains
from myoloop.emg import EMG
emg = EMG(fibres=scattered(300, 3, spread=0.05), conductor=FDI, electrodes=GRID.on(FDI))
made = emg.record(SpikeTrains.from_trains([[0.1, 0.2], [0.15], [0.12]], 0.3), snr_db=10.0, seed=1)
print(hashlib.sha256(made.values_uV.tobytes()).hexdigest())
"""


def test_the_number_of_threads_changes_no_bit(tmp_path):
    """Tables are products of matrices, which libraries share out among threads."""
    digests = set()
    for threads in ("1", "2"):
        env = os.environ | {"OPENBLAS_NUM_THREADS": threads, "MYOLOOP_CACHE": str(tmp_path / threads)}
        here = Path(__file__).parent
        run = subprocess.run(
            [sys.executable, "-c", DIGEST], cwd=here, env=env, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout)
    assert len(digests) == 1
