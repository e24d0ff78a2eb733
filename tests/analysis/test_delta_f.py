"""Delta F of pairs of units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trains import regular

from myoloop.analysis import DeltaFCriteria, SmoothedRates, delta_f, smoothed_rates
from myoloop.data import SpikeTrains
from myoloop.errors import ParameterError

TIMES = np.arange(0.0, 20.0 + 1e-9, 0.01)


def triangle(lowest, highest):
    """A rate that rises in a line for 10 s and falls back for 10 s."""
    return lambda t: lowest + (highest - lowest) * (1.0 - np.abs(t - 10.0) / 10.0)


def ramp(begin, end, control=(6.0, 16.0), test=(6.0, 12.0)):
    """A control unit over the whole ramp, and a test unit from `begin` to `end`, with known rates."""
    spikes = SpikeTrains.from_trains([[0.0, 10.0, 20.0], [begin, 0.5 * (begin + end), end]], 20.0)
    values = np.array([triangle(*control)(TIMES), triangle(*test)(TIMES)])
    values[1, (begin > TIMES) | (end < TIMES)] = np.nan
    return spikes, SmoothedRates(values, 100.0)


def test_delta_f_of_straight_rates_is_exact():
    spikes, rates = ramp(4.0, 18.5)
    found = delta_f(spikes, rates)
    assert (found.control.tolist(), found.test.tolist()) == ([0], [1])
    assert found.delta_f_pps == pytest.approx([10.0 - 7.5], abs=1e-9)
    assert found.correlation == pytest.approx([1.0])
    assert found.recruitment_gap_s == pytest.approx([4.0])
    assert found.modulation_pps == pytest.approx([16.0 - 7.5])
    assert found.control_fall_pps == pytest.approx([4.0])
    assert found.normalised == pytest.approx([2.5 / 4.0])
    assert found.accepted.all()
    assert not found.truncated.any()
    assert np.isnan(found.unit_delta_f_pps[0])
    assert found.unit_delta_f_pps[1] == found.delta_f_pps[0]


@given(begin=st.floats(1.5, 8.0), end=st.floats(11.0, 19.9))
@settings(max_examples=40, deadline=None)
def test_delta_f_is_exact_wherever_the_test_unit_starts_and_stops(begin, end):
    found = delta_f(*ramp(begin, end))
    expected = triangle(6.0, 16.0)(begin) - triangle(6.0, 16.0)(end)
    assert found.delta_f_pps == pytest.approx([expected], abs=1e-9)


def test_without_hysteresis_delta_f_is_zero():
    assert delta_f(*ramp(5.0, 15.0)).delta_f_pps == pytest.approx([0.0], abs=1e-9)


def test_it_is_found_from_spikes_alone():
    """Quintic fits of rates that follow a parabola, which they can."""

    def rate_of(t):
        return 6.0 + 10.0 * (1.0 - ((t - 10.0) / 10.0) ** 2)

    begin, end = 3.0, 18.0
    trains = [regular(rate_of, 0.0, 20.0), regular(lambda t: 0.7 * rate_of(t), begin, end)]
    spikes = SpikeTrains.from_trains(trains, 20.0)
    found = delta_f(spikes, smoothed_rates(spikes))
    assert found.accepted.all()
    assert found.delta_f_pps == pytest.approx([rate_of(begin) - rate_of(trains[1][-1])], abs=0.05)


def test_the_mean_is_over_the_accepted_control_units():
    begin, end = 4.0, 18.5
    spikes = SpikeTrains.from_trains([[0.0, 20.0], [1.0, 20.0], [begin, end], [begin - 0.5, 20.0]], 20.0)
    values = np.array([triangle(6, 16)(TIMES), triangle(5, 9)(TIMES), triangle(6, 12)(TIMES), 0 * TIMES + 9])
    found = delta_f(spikes, SmoothedRates(values, 100.0))
    mine = found.test == 2
    assert found.control[mine].tolist() == [0, 1, 3]
    assert found.accepted[mine].tolist() == [True, True, False]
    assert found.unit_delta_f_pps[2] == pytest.approx(np.mean([2.5, 1.0]))


@pytest.mark.parametrize(
    ("case", "criteria"),
    [
        (ramp(0.5, 18.0), DeltaFCriteria()),
        (ramp(4.0, 18.0, control=(10.0, 10.4)), DeltaFCriteria()),
        (ramp(4.0, 18.0, test=(12.0, 6.0)), DeltaFCriteria()),
        (ramp(4.0, 18.0), DeltaFCriteria(min_recruitment_gap_s=4.1)),
        (ramp(4.0, 18.0), DeltaFCriteria(min_modulation_pps=9.0)),
    ],
    ids=["recruited together", "saturated", "opposite rates", "gap asked", "modulation asked"],
)
def test_a_pair_that_fails_a_criterion_is_not_accepted(case, criteria):
    found = delta_f(*case, criteria)
    assert np.isfinite(found.delta_f_pps).all()
    assert not found.accepted.any()
    assert np.isnan(found.unit_delta_f_pps).all()


def test_the_last_rate_is_taken_of_a_control_unit_that_stops_first():
    spikes = SpikeTrains.from_trains([[0.0, 17.0], [4.0, 19.0]], 20.0)
    values = np.array([triangle(6, 16)(TIMES), triangle(6, 12)(TIMES)])
    values[0, TIMES > 17.0 + 1e-9] = np.nan
    found = delta_f(spikes, SmoothedRates(values, 100.0))
    assert found.truncated.all()
    assert found.delta_f_pps == pytest.approx([10.0 - 9.0])


def test_units_that_are_never_active_together_have_none():
    spikes = SpikeTrains.from_trains([[0.0, 5.0], [6.0, 9.0], [], [3.0]], 20.0)
    found = delta_f(spikes, SmoothedRates(np.ones((4, len(TIMES))), 100.0))
    assert len(found) == 1
    assert np.isnan(found.delta_f_pps).all()
    assert not found.accepted.any()


def test_one_unit_makes_no_pair():
    found = delta_f(SpikeTrains.from_trains([[1.0, 2.0]], 20.0), SmoothedRates(np.ones((1, 2001)), 100.0))
    assert len(found) == 0
    assert np.isnan(found.unit_delta_f_pps).all()


def test_rates_of_other_units_are_refused():
    spikes, rates = ramp(4.0, 18.0)
    with pytest.raises(ParameterError, match="2 units for the trains of 1"):
        delta_f(spikes.select([0]), rates)
    with pytest.raises(ParameterError, match="smoothed_rates"):
        delta_f(spikes, rates.values_pps)
    with pytest.raises(ParameterError, match=r"DeltaFCriteria\.min_r2"):
        DeltaFCriteria(min_r2=1.5)
