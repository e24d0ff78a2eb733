"""The upper bound: filters built from the true action potentials."""

import dataclasses

import numpy as np
import pytest
from scipy import signal as sps

from myoloop.data import ActionPotentialPath, ActionPotentials, GroundTruth, Recording, Signal, SpikeTrains
from myoloop.decompose._bound import prepared_potentials, upper_bound
from myoloop.decompose._preprocessing._prepare import Preprocessing
from myoloop.errors import ParameterError

RATE_HZ, STOP_S, CHANNELS = 2048.0, 12.0, 16
BEFORE = 10  # samples of a potential before its discharge


def potentials(units, rate_hz=RATE_HZ, seed=0):
    """Potentials that travel along the channels, each unit with its own velocity, width and size."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(0.03 * rate_hz))[None] / rate_hz * 1e3
    values = []
    for unit in range(units):
        delay = 5 + rng.uniform(0.2, 0.8) * np.abs(np.arange(CHANNELS)[:, None] - rng.uniform(3, 12))
        z = (times - delay) / rng.uniform(0.8, 1.6)
        weight = np.exp(-0.5 * ((np.arange(CHANNELS)[:, None] - rng.uniform(0, 15)) / 4) ** 2)
        values.append((20 + 15 * unit) * weight * (1 - z**2) * np.exp(-(z**2) / 2))
    return ActionPotentials(np.array(values, np.float32), rate_hz, -BEFORE / RATE_HZ)


def simulated(units=6, noise_uV=3.0, rate_hz=RATE_HZ, seed=0):
    rng = np.random.default_rng(seed)
    shapes = potentials(units, rate_hz, seed)
    onset = round(shapes.t_start_s * rate_hz)
    n = round(STOP_S * rate_hz)
    trains, values = [], noise_uV * rng.standard_normal((CHANNELS, n + 2000))
    for unit in range(units):
        times = np.cumsum(rng.normal(1, 0.15, 300) / (8 + unit))
        at = np.rint(times[times < STOP_S - 0.1] * rate_hz).astype(int)
        trains.append(at / rate_hz)
        for s in at:
            begin = max(0, s + onset)
            values[:, begin : begin + shapes.values_uV.shape[2]] += shapes.values_uV[unit]
    spikes = SpikeTrains.from_trains(trains, STOP_S)
    return Recording(
        values[:, :n].astype(np.float32), rate_hz, truth=GroundTruth(spikes, shapes), channels=shapes.channels
    )


def test_all_units_are_found_where_noise_is_low():
    result = upper_bound(simulated())
    assert (result.truth, result.good) == (6, 6)
    assert result.f1_mean > 0.99
    # The discharge, not the peak of a delayed source, is what is reported.
    np.testing.assert_allclose([pair.lag_ms for pair in result.pairs], 0, atol=0.5)


def test_noise_lowers_it():
    good = [upper_bound(simulated(noise_uV=level)).good for level in (3.0, 60.0, 1000.0)]
    assert good[0] == 6
    assert good == sorted(good, reverse=True)
    assert good[2] == 0


def test_the_true_potentials_are_what_finds_the_units():
    """With the potentials of other units in their place, hardly anything is found."""
    given = simulated(noise_uV=20.0)
    wrong = potentials(6, seed=9).values_uV
    shuffled = dataclasses.replace(given.truth.action_potentials, values_uV=np.roll(wrong, 7, axis=1))
    other = dataclasses.replace(given, truth=dataclasses.replace(given.truth, action_potentials=shuffled))
    assert upper_bound(other).good < upper_bound(given).good


def test_units_and_gains_of_the_channels_do_not_matter():
    given, gain = simulated(noise_uV=20.0), np.linspace(0.5, 3, CHANNELS, dtype=np.float32)[:, None]
    shapes = given.truth.action_potentials
    scaled = Recording(
        given.values_uV * gain,
        RATE_HZ,
        truth=GroundTruth(given.truth.spikes, dataclasses.replace(shapes, values_uV=shapes.values_uV * gain)),
    )
    keep = Preprocessing(bad_channels="keep")
    one, other = (upper_bound(r, preprocessing=keep) for r in (given, scaled))
    assert one.metrics() == pytest.approx(other.metrics(), abs=0.01)


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_potentials_pass_the_preparation_of_the_signals(factor):
    """A recording of single discharges, prepared, shows the prepared potentials."""
    rate, units = factor * RATE_HZ, 2
    shapes = potentials(units, rate)
    onset, n = round(shapes.t_start_s * rate), round(6 * rate)
    values = 1e-3 * np.random.default_rng(0).standard_normal((CHANNELS, n)).astype(np.float32)
    spikes = factor * np.array([3000, 8000])
    for unit, s in enumerate(spikes):
        values[:, s + onset : s + onset + shapes.values_uV.shape[2]] += shapes.values_uV[unit]
    method = Preprocessing(bad_channels="keep", mains_hz=0)
    prepared = method.prepare(Recording(values, rate))
    assert prepared.rate_hz == RATE_HZ
    windows, begin = prepared_potentials(shapes, prepared, method)
    for unit, s in enumerate(spikes // factor):
        shown = prepared.values[:, s + begin : s + begin + windows.shape[2]]
        np.testing.assert_allclose(windows[unit], shown, atol=5e-3 * np.abs(shown).max())
        # Without margins wide enough, more than this would be cut off.
        power = np.sum(prepared.values[:, s - 1500 : s + 1500] ** 2)
        assert np.sum(windows[unit] ** 2) > 0.95 * power


def test_mains_in_the_recording_do_not_touch_the_potentials():
    given = simulated()
    hum = 30 * np.sin(2 * np.pi * 50 * given.times_s).astype(np.float32)
    assert upper_bound(dataclasses.replace(given, values_uV=given.values_uV + hum)).good == 6


def test_a_bad_channel_in_place_of_which_is_noise():
    given = simulated()
    values = given.values_uV.copy()
    values[5] = 0.0
    spoilt = dataclasses.replace(given, values_uV=values)
    for mode in ("drop", "noise"):
        assert upper_bound(spoilt, preprocessing=Preprocessing(bad_channels=mode)).good == 6


def test_units_with_few_spikes_are_left_out():
    given = simulated()
    trains = [train[:15] if unit == 2 else train for unit, train in enumerate(given.truth.spikes)]
    fewer = dataclasses.replace(given.truth, spikes=SpikeTrains.from_trains(trains, STOP_S))
    result = upper_bound(dataclasses.replace(given, truth=fewer))
    assert result.truth == 5


def test_what_is_missing_is_said():
    given = simulated(units=2)
    with pytest.raises(ParameterError, match="no true action potentials"):
        upper_bound(dataclasses.replace(given, truth=None))
    shapes = given.truth.action_potentials
    path = ActionPotentialPath(np.array([0.0, 1.0]), (shapes, shapes), Signal(np.zeros(10), 1.0))
    with pytest.raises(ParameterError, match="change over time"):
        upper_bound(dataclasses.replace(given, truth=dataclasses.replace(given.truth, path=path)))
    slower = ActionPotentials(sps.decimate(shapes.values_uV, 2, axis=2), RATE_HZ / 2)
    with pytest.raises(ParameterError, match="1024 Hz, signals at 2048 Hz"):
        upper_bound(
            dataclasses.replace(given, truth=dataclasses.replace(given.truth, action_potentials=slower))
        )
