"""Action potentials by joint least squares."""

import numpy as np
import pytest

from myoloop.data import Recording, SpikeTrains
from myoloop.decompose._templates import (
    estimate_action_potentials,
    explained_variance,
    joint_templates,
    subtract,
)
from myoloop.errors import ParameterError

CHANNELS, SAMPLES, LENGTH, FIRST = 3, 1500, 9, -4


def scene(seed=0, units=4, spikes=60):
    """Trains with many overlaps, borders included, and the templates that their signals are made of."""
    rng = np.random.default_rng(seed)
    trains = [np.unique(rng.integers(0, SAMPLES, spikes)) for _ in range(units)]
    trains[0] = np.unique(np.concatenate([[0, 1, SAMPLES - 1], trains[0]]))
    templates = rng.standard_normal((units, CHANNELS, LENGTH)).astype(np.float32)
    return trains, templates


def design(trains):
    """The plain design matrix: a column for each unit and lag."""
    matrix = np.zeros((SAMPLES, len(trains) * LENGTH))
    for u, train in enumerate(trains):
        for s in train:
            for k in range(LENGTH):
                if 0 <= s + FIRST + k < SAMPLES:
                    matrix[s + FIRST + k, u * LENGTH + k] += 1
    return matrix


def synthesized(trains, templates):
    flat = templates.transpose(0, 2, 1).reshape(-1, CHANNELS)
    return (design(trains) @ flat).T.astype(np.float32)


def test_templates_of_a_noise_free_sum_are_recovered_where_averages_fail():
    trains, templates = scene()
    x = synthesized(trains, templates)
    found = joint_templates(x, trains, FIRST, LENGTH)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, templates, atol=2e-5)
    inside = [t[(t + FIRST >= 0) & (t + FIRST + LENGTH <= SAMPLES)] for t in trains]
    average = np.stack([np.mean([x[:, s + FIRST : s + FIRST + LENGTH] for s in t], axis=0) for t in inside])
    assert np.abs(average - templates).max() > 0.5


def test_it_is_the_least_squares_solution_with_noise_too():
    trains, templates = scene(1)
    x = synthesized(trains, templates)
    x += np.random.default_rng(2).standard_normal(x.shape).astype(np.float32)
    plain, *_ = np.linalg.lstsq(design(trains), x.T.astype(np.float64), rcond=None)
    expected = plain.reshape(len(trains), LENGTH, CHANNELS).transpose(0, 2, 1)
    np.testing.assert_allclose(joint_templates(x, trains, FIRST, LENGTH), expected, atol=2e-5)


def test_ridge_is_relative_to_the_count_of_each_unit():
    trains, templates = scene(3)
    x, matrix = synthesized(trains, templates), design(trains)
    penalty = np.repeat([0.1 * len(t) for t in trains], LENGTH)
    plain = np.linalg.solve(matrix.T @ matrix + np.diag(penalty), matrix.T @ x.T)
    expected = plain.reshape(len(trains), LENGTH, CHANNELS).transpose(0, 2, 1)
    np.testing.assert_allclose(joint_templates(x, trains, FIRST, LENGTH, ridge=0.1), expected, atol=2e-5)


def test_subtraction_is_the_sum_of_all_discharges_and_keeps_its_input():
    trains, templates = scene(4)
    x = np.random.default_rng(5).standard_normal((CHANNELS, SAMPLES)).astype(np.float32)
    before = x.copy()
    rest = subtract(x, trains, templates, FIRST)
    np.testing.assert_allclose(rest, x - synthesized(trains, templates), atol=1e-5)
    assert rest.dtype == np.float32
    assert np.array_equal(x, before)


def test_two_trains_that_always_fire_together_share_their_template():
    trains, templates = scene(6, units=1)
    x = synthesized(trains, templates)
    found = joint_templates(x, [trains[0], trains[0]], FIRST, LENGTH)
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)
    np.testing.assert_allclose(found.sum(axis=0), templates[0], atol=1e-4)


def test_order_of_units_and_of_channels_does_not_matter():
    trains, templates = scene(7)
    x = synthesized(trains, templates)
    found = joint_templates(x, trains, FIRST, LENGTH)
    turned = joint_templates(x[::-1], trains[::-1], FIRST, LENGTH)
    np.testing.assert_allclose(turned[::-1, ::-1], found, atol=2e-5)


def test_no_unit_gives_no_template():
    x = np.ones((CHANNELS, SAMPLES), np.float32)
    assert joint_templates(x, [], FIRST, LENGTH).shape == (0, CHANNELS, LENGTH)
    assert np.array_equal(subtract(x, [], np.empty((0, CHANNELS, LENGTH), np.float32), FIRST), x)


@pytest.mark.parametrize(
    ("trains", "words"),
    [
        ([np.array([], dtype=np.int64)], "no spike"),
        ([np.array([SAMPLES + 50])], "away"),
        ([np.array([-50, 3])], "away"),
        ([np.array([7, 3])], "not in order"),
        ([np.array([3])] * 3000, "unknowns"),
    ],
)
def test_trains_that_cannot_be_used_are_refused(trains, words):
    with pytest.raises(ParameterError, match=words):
        joint_templates(np.ones((CHANNELS, SAMPLES), np.float32), trains, FIRST, LENGTH)


def recording(seed=8, noise=0.0, offset=0.0):
    trains, templates = scene(seed)
    x = synthesized(trains, templates) + offset
    x = x + noise * np.random.default_rng(seed).standard_normal(x.shape)
    rate, start = 1000.0, 2.0
    spikes = SpikeTrains.from_trains([start + t / rate for t in trains], start + SAMPLES / rate, start)
    return Recording(x, rate, t_start_s=start), spikes, templates


@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_action_potentials_of_a_recording_are_recovered_beside_an_offset(offset):
    given, spikes, templates = recording(offset=offset)
    found = estimate_action_potentials(given, spikes, before_ms=4, after_ms=4)
    assert (found.rate_hz, found.t_start_s) == (1000.0, -0.004)
    assert found.channels == given.channels
    np.testing.assert_allclose(found.values_uV, templates, atol=1e-4)


def test_explained_variance_of_a_sum_and_of_noise():
    given, spikes, _ = recording()
    assert explained_variance(given, spikes, 4, 4) == pytest.approx(1, abs=1e-6)
    none = SpikeTrains.from_trains([], 3.5, 2.0)
    assert explained_variance(given, none) == 0.0
    noisy, spikes, _ = recording(noise=30.0)
    unknowns = len(spikes) * LENGTH
    assert explained_variance(noisy, spikes, 4, 4) == pytest.approx(unknowns / SAMPLES, abs=0.02)


def test_explained_variance_does_not_depend_on_an_offset():
    still, spikes, _ = recording(noise=0.5)
    shifted, _, _ = recording(noise=0.5, offset=300.0)
    assert explained_variance(shifted, spikes, 4, 4) == pytest.approx(
        explained_variance(still, spikes, 4, 4), abs=1e-5
    )


def test_missing_samples_and_silent_units_are_refused():
    given, spikes, _ = recording()
    values = given.values_uV.copy()
    values[1, 5] = np.nan
    with pytest.raises(ParameterError, match="NaN on E2"):
        estimate_action_potentials(Recording(values, 1000.0, t_start_s=2.0), spikes)
    silent = SpikeTrains.from_trains([[]], 3.5, 2.0)
    with pytest.raises(ParameterError, match="unit 0 has no spike"):
        estimate_action_potentials(given, silent)
    with pytest.raises(ParameterError, match="constant"):
        explained_variance(Recording(np.ones((2, 1500)), 1000.0, t_start_s=2.0), spikes)
