"""Spike-triggered averages and conduction velocities."""

import numpy as np
import pytest

from myoloop.analysis import conduction_velocity, spike_triggered_average, unit_conduction_velocities
from myoloop.data import ActionPotentials, Electrodes, Recording, SpikeTrains
from myoloop.errors import ParameterError

RATE_HZ = 2048.0
ROWS, COLUMNS, PITCH_MM = 9, 3, 8.0


def grid(rows=ROWS, columns=COLUMNS, pitch_mm=PITCH_MM):
    row, column = np.divmod(np.arange(rows * columns), columns)
    position = np.stack([column * 8.0, 0.0 * row, row * 8.0], axis=1)
    place = np.stack([row, column], axis=1)
    return Electrodes(position, place=place, pitch_mm=pitch_mm)


def recorded(potential, spikes, samples, half):
    """Noise-free recording of one potential, shape (channels, 2 half), at each discharge."""
    values = np.zeros((len(potential), samples))
    for at in np.rint(spikes * RATE_HZ).astype(int):
        values[:, at - half : at + half] += potential
    return values


HALF = 51  # of 50 ms at 2048 Hz
POTENTIAL = np.random.default_rng(0).standard_normal((4, 2 * HALF))
SPIKES = np.arange(1, 18) * 0.11 + np.random.default_rng(1).uniform(0, 0.03, 17)
ONE = SpikeTrains.from_trains([SPIKES], 2.1)
VALUES = recorded(POTENTIAL, SPIKES, 4300, HALF)


def test_the_average_of_a_single_unit_without_noise_is_its_potential():
    found = spike_triggered_average(Recording(VALUES, RATE_HZ), ONE)
    assert np.allclose(found.values_uV[0], POTENTIAL, atol=1e-12)
    assert found.t_start_s == -HALF / RATE_HZ
    assert found.channels == ("E1", "E2", "E3", "E4")


def test_the_average_is_the_mean_of_the_windows():
    noisy = VALUES + np.random.default_rng(2).standard_normal(VALUES.shape)
    found = spike_triggered_average(Recording(noisy, RATE_HZ), ONE, 20.0, discharges=5)
    at = np.rint(SPIKES[:5] * RATE_HZ).astype(int)
    assert np.allclose(found.values_uV[0], np.mean([noisy[:, k - 20 : k + 20] for k in at], axis=0))


def test_a_recording_that_starts_later_keeps_its_own_clock():
    late = Recording(VALUES[:, 300:], RATE_HZ, t_start_s=300 / RATE_HZ)
    assert np.allclose(spike_triggered_average(late, ONE).values_uV[0], POTENTIAL, atol=1e-12)


def test_discharges_without_a_whole_window_are_left_out():
    early = SpikeTrains.from_trains([np.concatenate([[0.001], SPIKES, [2.0999]])], 2.1)
    found = spike_triggered_average(Recording(VALUES, RATE_HZ), early)
    assert np.allclose(found.values_uV[0], POTENTIAL, atol=1e-12)


def test_missing_samples_are_left_out_channel_by_channel():
    holed = VALUES.copy()
    holed[1, 100:600] = np.nan
    found = spike_triggered_average(Recording(holed, RATE_HZ), ONE)
    assert np.allclose(found.values_uV[0], POTENTIAL, atol=1e-12)
    holed[1] = np.nan
    with pytest.raises(ParameterError, match="channel E2 is NaN around all discharges of unit 0"):
        spike_triggered_average(Recording(holed, RATE_HZ), ONE)


def test_differences_of_the_average_are_averages_of_the_differences():
    electrodes = Electrodes(np.stack([np.zeros(4), np.zeros(4), 8.0 * np.arange(4)], axis=1))
    bipolar = electrodes.derived(np.eye(4)[:3] - np.eye(4)[1:], ("A", "B", "C"))
    recording = Recording(VALUES, RATE_HZ, electrodes)
    found = spike_triggered_average(recording, ONE, electrodes=bipolar)
    assert np.allclose(found.values_uV[0], POTENTIAL[:-1] - POTENTIAL[1:], atol=1e-12)
    assert found.channels == ("A", "B", "C")
    double = bipolar.derived([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    from_bipolar = Recording(bipolar.matrix @ VALUES, RATE_HZ, bipolar)
    again = spike_triggered_average(from_bipolar, ONE, electrodes=double)
    assert np.allclose(again.values_uV[0], np.diff(POTENTIAL, 2, axis=0), atol=1e-9)
    with pytest.raises(ParameterError, match="no weighted sums of the recorded ones"):
        spike_triggered_average(from_bipolar, ONE, electrodes=electrodes)
    with pytest.raises(ParameterError, match=r"set Recording\.electrodes"):
        spike_triggered_average(Recording(VALUES, RATE_HZ), ONE, electrodes=bipolar)


def test_a_channel_that_no_difference_needs_may_be_missing():
    electrodes = Electrodes(np.stack([np.zeros(4), np.zeros(4), 8.0 * np.arange(4)], axis=1))
    first = electrodes.derived([[1.0, -1.0, 0.0, 0.0]])
    holed = VALUES.copy()
    holed[3] = np.nan
    found = spike_triggered_average(Recording(holed, RATE_HZ, electrodes), ONE, electrodes=first)
    assert np.allclose(found.values_uV[0, 0], POTENTIAL[0] - POTENTIAL[1], atol=1e-12)


@pytest.mark.parametrize(
    ("spikes", "options", "match"),
    [
        (SpikeTrains.from_trains([SPIKES, []], 2.1), {}, "unit 1 has no discharge"),
        (SpikeTrains.from_trains([[0.001]], 2.1), {}, "unit 0 has no discharge with 50 ms"),
        (ONE, {"window_ms": 5000.0}, "is 10240 of 4300 samples"),
        (ONE, {"window_ms": 0.0}, "window_ms"),
        (ONE, {"discharges": 0}, "discharges"),
    ],
)
def test_what_has_no_average_is_refused(spikes, options, match):
    with pytest.raises(ParameterError, match=match):
        spike_triggered_average(Recording(VALUES, RATE_HZ), spikes, **options)
    with pytest.raises(ParameterError, match="give a Recording"):
        spike_triggered_average(VALUES, spikes)


def pulse(t_s):
    """A smooth triphasic wave."""
    x = t_s / 1.5e-3
    return (1 - x**2) * np.exp(-(x**2) / 2)


def travelling(velocity, innervation_row=2.0, rows=ROWS, columns=COLUMNS):
    """Potential that leaves the innervation zone in both directions, the same in all columns."""
    times = (np.arange(2 * HALF) - HALF) / RATE_HZ
    distance = 1e-3 * PITCH_MM * np.abs(np.arange(rows) - innervation_row)
    values = pulse(times - 0.004 - distance[:, None] / velocity)
    return 100.0 * np.repeat(values, columns, axis=0)


@pytest.mark.parametrize("velocity", [3.1, 4.0, 5.3])
def test_the_velocity_of_delayed_copies_is_theirs(velocity):
    values = travelling(velocity, innervation_row=0.0, rows=7, columns=1)
    assert conduction_velocity(values, RATE_HZ, PITCH_MM) == pytest.approx(velocity, rel=1e-4)
    assert conduction_velocity(values[::-1], RATE_HZ, PITCH_MM) == pytest.approx(-velocity, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((np.ones((1, 50)), RATE_HZ, 8.0), "signals"),
        ((np.zeros((3, 50)), RATE_HZ, 8.0), "signals"),
        ((np.full((3, 50), np.nan), RATE_HZ, 8.0), "NaN"),
        ((np.ones((3, 50)), 0.0, 8.0), "rate_hz"),
        ((np.ones((3, 50)), RATE_HZ, -8.0), "pitch_mm"),
    ],
)
def test_what_has_no_velocity_is_refused(arguments, match):
    with pytest.raises(ParameterError, match=match):
        conduction_velocity(*arguments)


@pytest.mark.parametrize("velocity", [3.1, 4.0, 5.3])
def test_velocities_are_measured_on_the_longer_side_of_the_innervation_zone(velocity):
    values = np.stack([travelling(velocity, 2.0), travelling(velocity, 6.0)])
    found = unit_conduction_velocities(ActionPotentials(values, RATE_HZ), grid())
    assert found.velocity_m_per_s == pytest.approx([velocity, -velocity], rel=1e-3)
    assert (found.first_row.tolist(), found.last_row.tolist()) == ([2, 0], [8, 6])
    assert (found.correlation > 0.99).all()


@pytest.mark.parametrize("innervation_row", [1.2, 1.5, 1.8, 2.0, 2.3, 2.5, 2.8])
def test_the_innervation_zone_changes_the_velocity_by_little_wherever_it_lies(innervation_row):
    potentials = ActionPotentials(travelling(4.0, innervation_row)[None], RATE_HZ)
    assert unit_conduction_velocities(potentials, grid()).velocity_m_per_s == pytest.approx([4.0], rel=0.025)


def test_it_takes_the_column_where_the_potential_travels():
    rng = np.random.default_rng(3)
    values = travelling(4.0).reshape(ROWS, COLUMNS, -1).copy()
    values[:, [0, 2]] = rng.standard_normal((ROWS, 2, 2 * HALF))
    potentials = ActionPotentials(values.reshape(1, ROWS * COLUMNS, -1), RATE_HZ)
    found = unit_conduction_velocities(potentials, grid())
    assert found.column.tolist() == [1]
    assert found.velocity_m_per_s == pytest.approx([4.0], rel=1e-3)


def test_bipolar_channels_need_one_difference_less():
    electrodes = grid()
    difference = np.zeros((ROWS - 1, COLUMNS, ROWS, COLUMNS))
    for row in range(ROWS - 1):
        for column in range(COLUMNS):
            difference[row, column, row, column] = 1.0
            difference[row, column, row + 1, column] = -1.0
    bipolar = electrodes.derived(difference.reshape(-1, ROWS * COLUMNS))
    potentials = ActionPotentials((bipolar.matrix @ travelling(4.0))[None], RATE_HZ)
    found = unit_conduction_velocities(potentials, bipolar, differences=1)
    assert found.velocity_m_per_s == pytest.approx([4.0], rel=1e-3)


def test_what_does_not_travel_has_no_velocity():
    rng = np.random.default_rng(4)
    times = (np.arange(2 * HALF) - HALF) / RATE_HZ
    standing = np.repeat((1.0 + np.arange(ROWS) ** 3)[:, None] * pulse(times), COLUMNS, axis=0)
    noise = rng.standard_normal((ROWS * COLUMNS, 2 * HALF))
    potentials = ActionPotentials(np.stack([standing, noise, 0 * noise]), RATE_HZ)
    found = unit_conduction_velocities(potentials, grid(), min_correlation=0.9)
    assert np.isnan(found.velocity_m_per_s).all()
    assert (found.column == -1).all()


def test_a_missing_contact_breaks_a_column():
    electrodes = grid(columns=1)
    kept = np.array([0, 1, 2, 4, 5, 6, 7, 8])
    potentials = ActionPotentials(travelling(4.0, 1.0, columns=1)[kept][None], RATE_HZ)
    found = unit_conduction_velocities(potentials, electrodes.select(kept))
    assert (found.first_row[0], found.last_row[0]) == (4, 8)
    assert found.velocity_m_per_s == pytest.approx([4.0], rel=1e-3)


@pytest.mark.parametrize(
    ("electrodes", "options", "match"),
    [
        (Electrodes(grid().position_mm), {}, "without rows and columns"),
        (grid(rows=4), {}, "12 channels for potentials on 27"),
        (grid(pitch_mm=None), {}, "pitch_mm"),
        (grid(), {"pitch_mm": 0.0}, "pitch_mm"),
        (grid(), {"min_channels": 9}, "no column with 11 channels"),
        (grid(), {"min_channels": 1}, "min_channels"),
        (grid(), {"bounds_m_per_s": (8.0, 2.0)}, "bounds_m_per_s"),
        (grid(), {"bounds_m_per_s": (0.0, 2.0)}, "bounds_m_per_s"),
        (grid(), {"min_correlation": 2.0}, "min_correlation"),
    ],
)
def test_what_cannot_be_measured_along_the_fibres_is_refused(electrodes, options, match):
    potentials = ActionPotentials(travelling(4.0)[None], RATE_HZ)
    with pytest.raises(ParameterError, match=match):
        unit_conduction_velocities(potentials, electrodes, **options)
