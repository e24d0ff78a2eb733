"""Spike trains keep every unit, refuse what cannot be, and come from Neo without loss."""

from __future__ import annotations

import neo
import numpy as np
import pytest
import quantities as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myoloop.data import SpikeTrains, as_spike_trains
from myoloop.errors import MyoloopError, ParameterError

TRAINS = SpikeTrains.from_trains(
    [[0.1, 0.3, 0.7], [], [0.2, 0.4]], 1.0, annotations={"rt": np.array([1.0, 2.0, 3.0])}, name="MN"
)
TIMES = st.lists(st.floats(0, 1), max_size=8).map(sorted)


def test_silent_units_are_kept_in_their_places():
    assert len(TRAINS) == 3
    assert [list(train) for train in TRAINS] == [[0.1, 0.3, 0.7], [], [0.2, 0.4]]
    np.testing.assert_array_equal(TRAINS.counts, [3, 0, 2])
    np.testing.assert_array_equal(TRAINS.active, [True, False, True])
    np.testing.assert_array_equal(TRAINS.units, [0, 0, 0, 2, 2])
    np.testing.assert_array_equal(TRAINS[-1], TRAINS[2])
    with pytest.raises(IndexError, match="unit 3 of 3"):
        _ = TRAINS[3]


@given(st.lists(TIMES, max_size=5))
def test_events_in_any_order_give_the_same_trains(trains):
    whole = SpikeTrains.from_trains(trains, 1.0)
    order = np.random.default_rng(0).permutation(len(whole.times_s))
    again = SpikeTrains.from_events(whole.units[order], whole.times_s[order], len(whole), 1.0)
    np.testing.assert_array_equal(again.times_s, whole.times_s)
    np.testing.assert_array_equal(again.starts, whole.starts)


@given(st.lists(TIMES, min_size=1, max_size=5), st.floats(0, 0.5), st.floats(0.6, 1.0))
def test_a_part_of_the_time_holds_the_spikes_of_that_time(trains, start, stop):
    part = SpikeTrains.from_trains(trains, 1.0).between(start, stop)
    for train, cut in zip(trains, part, strict=True):
        np.testing.assert_array_equal(cut, [t for t in train if start <= t < stop])
    assert (part.t_start_s, part.t_stop_s) == (start, stop)


def test_selected_units_keep_their_annotations():
    for chosen in ([2, 0], np.array([2, 0])):
        part = TRAINS.select(chosen)
        assert [list(train) for train in part] == [[0.2, 0.4], [0.1, 0.3, 0.7]]
        np.testing.assert_array_equal(part.annotations["rt"], [3.0, 1.0])
    assert len(TRAINS.select(TRAINS.active)) == 2


def test_rates_and_variation_are_those_of_the_intervals():
    np.testing.assert_allclose(TRAINS.rates_pps(), [1 / 0.3, np.nan, 5.0])
    expected = np.std([0.2, 0.4], ddof=1) / 0.3
    np.testing.assert_allclose(TRAINS.isi_cv(), [expected, np.nan, np.nan])


def test_bins_hold_every_spike_once():
    np.testing.assert_array_equal(TRAINS.binned(0.25), [2, 2, 1, 0])
    grid = SpikeTrains.from_trains([np.arange(10) * 0.1], 1.0)
    np.testing.assert_array_equal(grid.binned(0.1), np.ones(10))


def test_arrays_cannot_be_changed_and_are_copies():
    times = np.array([0.1, 0.2])
    trains = SpikeTrains(times, np.array([0, 2]), 1.0)
    times[0] = 0.9
    assert trains.times_s[0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        trains.times_s[0] = 0.3


def test_delays_of_each_unit_move_its_spikes_and_cut_what_falls_outside():
    later = TRAINS.delayed(np.array([0.1, 0.1, 0.7]))
    np.testing.assert_allclose(later.times_s, [0.2, 0.4, 0.8, 0.9])
    np.testing.assert_array_equal(later.counts, [3, 0, 1])


def test_times_may_be_quantities():
    trains = SpikeTrains.from_trains([[100.0, 200.0] * pq.ms], 1000 * pq.ms)
    np.testing.assert_allclose(trains[0], [0.1, 0.2])
    assert trains.t_stop_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpikeTrains.from_trains([[0.2, 0.1]], 1.0), "unit 0 is not sorted: 0.1 s after 0.2 s"),
        (lambda: SpikeTrains.from_trains([[], [0.5], [0.2, 0.1]], 1.0), "unit 2 is not sorted"),
        (lambda: SpikeTrains.from_trains([[-0.1]], 1.0), "a spike at -0.1 s lies outside 0 to 1 s"),
        (lambda: SpikeTrains.from_trains([[1.1]], 1.0), "a spike at 1.1 s lies outside 0 to 1 s"),
        (lambda: SpikeTrains.from_trains([[np.nan]], 1.0), "NaN or infinite times"),
        (lambda: SpikeTrains.from_trains([["a"]], 1.0), r"not a number"),
        (lambda: SpikeTrains.from_trains([[0.1] * pq.mV], 1.0), "wrong dimension"),
        (lambda: SpikeTrains.from_trains([[0.1]], 0.0), "0 to 0 s was given; give a stop after the start"),
        (lambda: SpikeTrains.from_trains([[0.1]], np.nan), "give a stop after the start"),
        (
            lambda: SpikeTrains.from_events([0, 3], [0.1, 0.2], 3, 1.0),
            "units 0 to 3 were given for n_units 3",
        ),
        (lambda: SpikeTrains.from_events([0.5], [0.1], 3, 1.0), "give whole numbers"),
        (lambda: SpikeTrains.from_events([np.nan], [0.1], 3, 1.0), "give whole numbers"),
        (lambda: SpikeTrains.from_events([0], [0.1, 0.2], 3, 1.0), "1 units, 2 times; give one of each"),
        (lambda: SpikeTrains.from_events([], [], -1, 1.0), "-1 was given; give 0 or more"),
        (lambda: SpikeTrains([0.1], [0, 2], 1.0), "the starts do not divide 1 spikes"),
        (
            lambda: SpikeTrains([0.1], [0, 1], 1.0, annotations={"rt": [1.0, 2.0]}),
            "give one value for each unit",
        ),
        (lambda: TRAINS.between(0.5, 2.0), "ask for a part of the observed time"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ParameterError, match=rf"^SpikeTrains\.[\w\['\]]+: .*{message}"):
        make()


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(),
    st.text(max_size=4),
    st.lists(st.floats(), max_size=3),
    st.sampled_from(
        [np.array(["a"]), np.array([1j]), object(), {}, 3 * pq.mV, np.array([None]), [[1.0], [2.0, 3.0]]]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["times_s", "starts", "t_stop_s", "t_start_s"]), junk)
def test_junk_gives_valid_trains_or_a_myoloop_error(field, value):
    try:
        trains = SpikeTrains(**{"times_s": [0.1], "starts": [0, 1], "t_stop_s": 1.0, **{field: value}})
    except MyoloopError:
        return
    assert np.all(np.isfinite(trains.times_s))
    assert trains.t_start_s < trains.t_stop_s


def test_neo_blocks_segments_and_lists_become_units():
    first = neo.SpikeTrain([100, 200] * pq.ms, t_stop=1 * pq.s)
    second = neo.SpikeTrain([0.5] * pq.s, t_stop=2 * pq.s)
    block, segment = neo.Block(), neo.Segment(name="pool")
    segment.spiketrains.extend([first, second])
    block.segments.append(segment)
    for given_ in (block, segment, [first, second]):
        trains = as_spike_trains(given_)
        assert [list(np.round(train, 9)) for train in trains] == [[0.1, 0.2], [0.5]]
        assert trains.t_stop_s == pytest.approx(2.0)
    assert as_spike_trains(TRAINS) is TRAINS


def test_neo_trains_that_know_their_unit_go_to_its_place():
    trains = [
        neo.SpikeTrain([0.5] * pq.s, t_stop=1 * pq.s, unit_index=4, n_units=7),
        neo.SpikeTrain([0.2] * pq.s, t_stop=1 * pq.s, unit_index=1),
    ]
    placed = as_spike_trains(trains)
    assert len(placed) == 7
    assert (placed[4][0], placed[1][0]) == (0.5, 0.2)


@pytest.mark.parametrize("junk_", [None, 3, "x", [1.0], neo.Segment(), neo.Block(), np.zeros(3)])
def test_what_is_no_spike_train_is_refused(junk_):
    with pytest.raises(ParameterError, match=r"^spikes: "):
        as_spike_trains(junk_)
