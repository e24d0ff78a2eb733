"""Force thresholds, discharge rates and their variability."""

import numpy as np
import pytest

from myoloop.analysis import (
    discharge_rates,
    discharge_variability,
    force_cv,
    force_thresholds,
    instantaneous_rates,
)
from myoloop.data import Signal, SpikeTrains
from myoloop.errors import ParameterError

RAMP = Signal(np.linspace(0.0, 100.0, 1001), 100.0, "N")  # 10 N/s for 10 s


def trains(*times, t_stop_s=10.0):
    return SpikeTrains.from_trains(times, t_stop_s)


def test_thresholds_on_a_ramp_are_exact_between_samples():
    found = force_thresholds(trains([1.2345, 3.0, 7.77777], [2.0, 2.5]), RAMP, mvc=200.0)
    assert found.recruitment == pytest.approx([12.345, 20.0], rel=1e-12)
    assert found.derecruitment == pytest.approx([77.7777, 25.0], rel=1e-12)
    assert found.recruitment_percent_mvc == pytest.approx([6.1725, 10.0], rel=1e-12)
    assert found.derecruitment_percent_mvc == pytest.approx([38.88885, 12.5], rel=1e-12)
    assert found.units == "N"


def test_thresholds_over_several_discharges_are_means():
    found = force_thresholds(trains([1.0, 2.0, 6.0, 7.0], [5.0]), RAMP, discharges=2)
    assert found.recruitment[0] == pytest.approx(15.0)
    assert found.derecruitment[0] == pytest.approx(65.0)
    assert np.isnan(found.recruitment[1])
    assert found.recruitment_percent_mvc is None


def test_a_force_that_starts_later_keeps_its_own_clock():
    late = Signal(RAMP.values, 100.0, "N", t_start_s=2.0)
    assert force_thresholds(trains([3.0]), late).recruitment == pytest.approx([10.0])


def test_a_silent_unit_has_no_threshold():
    found = force_thresholds(trains([], [1.0]), RAMP)
    assert np.isnan(found.recruitment[0])
    assert found.recruitment[1] == found.derecruitment[1] == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("force", "options", "match"),
    [
        (Signal(np.ones(500), 100.0), {}, "0 to 5 s are given, and there is a spike at 9 s"),
        (Signal(np.ones((1000, 2)), 100.0), {}, "one channel"),
        (np.ones(1000), {}, "give a Signal"),
        (RAMP, {"mvc": 0.0}, "force_thresholds.mvc"),
        (RAMP, {"mvc": np.nan}, "force_thresholds.mvc"),
        (RAMP, {"discharges": 0}, "force_thresholds.discharges"),
    ],
)
def test_what_gives_no_threshold_is_refused(force, options, match):
    with pytest.raises(ParameterError, match=match):
        force_thresholds(trains([1.0, 9.0]), force, **options)


def test_no_unit_is_refused():
    with pytest.raises(ParameterError, match="no unit"):
        force_thresholds(SpikeTrains.from_trains([], 1.0), RAMP)
    with pytest.raises(ParameterError, match="give SpikeTrains"):
        discharge_rates([[1.0, 2.0]])


def test_force_cv_is_that_of_a_sample():
    assert force_cv(Signal([9.0, 10.0, 11.0], 1.0)) == pytest.approx(0.1)
    with pytest.raises(ParameterError, match="mean of 0"):
        force_cv(Signal([-1.0, 1.0], 1.0))
    with pytest.raises(ParameterError, match="1 samples"):
        force_cv(Signal([1.0], 1.0))


def test_instantaneous_rates_stand_at_the_discharge_that_ends_the_interval():
    first, silent, twice = instantaneous_rates(trains([1.0, 1.1, 1.3], [], [2.0, 2.0, 2.5]))
    assert first.times_s == pytest.approx([1.1, 1.3])
    assert first.rate_pps == pytest.approx([10.0, 5.0])
    assert len(silent) == 0
    assert twice.rate_pps == pytest.approx([2.0])


def test_rates_of_a_train_by_hand():
    intervals = np.array([0.2, 0.1, 0.1, 0.125, 0.125, 0.125, 0.25, 0.5])
    train = 1.0 + np.concatenate([[0.0], np.cumsum(intervals)])
    found = discharge_rates(
        trains(train), plateau_s=(train[3] - 0.01, train[6] + 0.01), discharges=3, plateau_intervals=2
    )
    assert found.recruitment_pps == pytest.approx([7.5])
    assert found.derecruitment_pps == pytest.approx([3.0])
    assert found.plateau_pps == pytest.approx([8.0])
    assert found.plateau_start_pps == pytest.approx([8.0])
    assert found.plateau_end_pps == pytest.approx([8.0])
    assert found.all_pps == pytest.approx([np.mean(1.0 / intervals)])


def test_the_mean_rate_is_never_below_that_of_the_mean_interval():
    rng = np.random.default_rng(0)
    spikes = trains(*(np.sort(rng.uniform(0, 10, 60)) for _ in range(5)))
    assert np.all(discharge_rates(spikes).all_pps > spikes.rates_pps())


def test_rates_outside_the_range_are_left_out_first():
    train = np.cumsum([1.0, 0.1, 0.1, 0.01, 0.1, 2.0, 0.1])
    found = discharge_rates(trains(train), discharges=3, rate_range_pps=(1.0, 50.0))
    assert found.all_pps == found.recruitment_pps == pytest.approx([10.0])
    steady = discharge_variability(trains(train), discharges=3, rate_range_pps=(1.0, 50.0))
    assert steady.all == pytest.approx([0.0], abs=1e-9)


def test_too_few_discharges_give_nan():
    found = discharge_rates(trains([], [1.0], [1.0, 1.5]), plateau_s=(0.0, 10.0))
    assert np.isnan(found.all_pps[:2]).all()
    assert found.all_pps[2] == found.plateau_pps[2] == pytest.approx(2.0)
    assert np.isnan(found.recruitment_pps).all()
    assert np.isnan(found.plateau_start_pps).all()
    spread = discharge_variability(trains([], [1.0], [1.0, 1.5]))
    assert np.isnan(spread.all).all()


def test_without_a_plateau_there_is_no_rate_on_it():
    spikes = trains(np.arange(1.0, 9.0, 0.1))
    assert np.isnan(discharge_rates(spikes).plateau_pps).all()
    assert np.isnan(discharge_variability(spikes).plateau).all()


def test_variability_agrees_with_the_trains_own():
    rng = np.random.default_rng(1)
    spikes = trains(*(np.cumsum(rng.normal(0.1, 0.015, 80)) for _ in range(3)))
    found = discharge_variability(spikes, plateau_s=(0.0, 10.0))
    assert found.all == pytest.approx(spikes.isi_cv(), rel=1e-12)
    assert found.plateau == pytest.approx(found.all)
    rates = discharge_variability(spikes, of="rate").all
    assert rates == pytest.approx(
        [np.std(1 / np.diff(one), ddof=1) / np.mean(1 / np.diff(one)) for one in spikes]
    )


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"plateau_s": (5.0, 2.0)}, "plateau_s.*lower one first"),
        ({"plateau_s": 3.0}, "plateau_s"),
        ({"plateau_s": (np.nan, 2.0)}, "plateau_s"),
        ({"rate_range_pps": (30.0, 4.0)}, "rate_range_pps"),
        ({"discharges": 1}, "discharges"),
    ],
)
def test_options_out_of_range_are_refused(options, match):
    with pytest.raises(ParameterError, match=match):
        discharge_rates(trains([1.0, 2.0]), **options)
    with pytest.raises(ParameterError, match=match):
        discharge_variability(trains([1.0, 2.0]), **options)


def test_an_unknown_kind_of_variability_is_refused():
    with pytest.raises(LookupError, match="interval"):
        discharge_variability(trains([1.0, 2.0]), of="intervals")
