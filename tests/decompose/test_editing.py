"""Editing by hand: what every edit must leave true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from editing_cases import (
    BEGIN_S,
    assert_consistent,
    decomposed,
    false_spikes,
    recorded,
    true_unit,
    with_units,
)
from small_contraction import RATE_HZ

from myoloop.decompose import ConvolutiveBSS, Preprocessing, score, silhouette
from myoloop.decompose._editing._session import EditSession
from myoloop.decompose._editing._trains import above, nearest, union, without_outliers
from myoloop.decompose._separation._ends import with_soft_ends
from myoloop.errors import ParameterError, UnknownNameError


@pytest.fixture
def recording():
    return recorded()


@pytest.fixture
def found():
    return decomposed()


@pytest.fixture
def session(found, recording):
    return EditSession(found, recording)


def test_the_test_has_units(found, recording):
    assert len(found) >= 4
    assert score(found.spikes, recording.truth.spikes).good == len(found)


def test_a_spike_taken_out_and_put_in_again_restores_the_train(found, session):
    before = session.times_s(1)
    removed = session.remove_spikes(1, before[20])
    assert removed.before["MU02"][0] - removed.after["MU02"][0] == 1
    assert len(session.times_s("MU02")) == len(before) - 1
    session.add_spikes("MU02", before[20] + 1e-3)  # the nearest peak is where it was
    np.testing.assert_array_equal(session.times_s(1), before)
    assert session.edits[-1].after["MU02"][1] == pytest.approx(found.quality.sil[1], abs=1e-5)
    result = session.result()
    np.testing.assert_array_equal(result.spikes[1], found.spikes[1])
    assert_consistent(result)


def test_the_original_stays_as_it_is(found, recording):
    kept = [train.copy() for train in found.spikes], found.sources.copy(), found.filters.weights.copy()
    session = EditSession(found, recording)
    session.remove_spikes(0, between=(3.0, 5.0))
    session.recalculate_filter(0)
    session.delete_unit(1)
    assert session.result() is not found and len(session.result()) == len(found) - 1
    for train, old in zip(found.spikes, kept[0], strict=True):
        np.testing.assert_array_equal(train, old)
    np.testing.assert_array_equal(found.sources, kept[1])
    np.testing.assert_array_equal(found.filters.weights, kept[2])
    assert found.history == () and len(session.result().history) == 3


def test_without_an_edit_the_result_is_the_original(found, session):
    assert session.result() is found
    assert session.remove_spikes(0, between=(BEGIN_S, BEGIN_S + 1e-6)) is None
    assert session.add_spikes_above(0, 1e6) is None
    assert session.remove_spikes_below(0, 1e-6) is None
    assert session.remove_duplicates() is None
    assert session.result() is found and session.history == ()


def test_an_added_spike_snaps_to_the_nearest_peak(session):
    source, begin = session.source(0), session.original.spikes.t_start_s
    free = session.times_s(0)[10] + 0.03
    edit = session.add_spikes(0, free)
    added = np.setdiff1d(session.times_s(0), session.original.spikes[0])
    assert len(added) == 1 and abs(added[0] - free) <= 5e-3
    at = round((added[0] - begin) * RATE_HZ)
    assert source[at] == source[at - 4 : at + 5].max() > 0
    assert edit.after["MU01"][1] < edit.before["MU01"][1]  # noise is no spike


def test_a_spike_within_the_refractory_time_is_refused(session):
    time = session.times_s(0)[10]
    for wrong in (time, [time + 0.03, time + 0.004]):
        with pytest.raises(ParameterError, match=r"add_spikes.times_s.*MU01 would fire at .* within 10 ms"):
            session.add_spikes(0, wrong)
    assert session.history == ()  # nothing of two is added where one is refused
    session.add_spikes(0, time + 0.006, refractory_ms=1.0)  # a doublet
    with pytest.raises(ParameterError, match="would fire"):
        session.add_spikes(0, [time + 0.03, time + 0.03])


def test_a_spike_where_no_peak_is_near_is_refused(session):
    with pytest.raises(ParameterError, match=r"no peak of MU01 within 0\.001 ms"):
        session.add_spikes(0, session.times_s(0)[3] + 0.0303, tolerance_ms=1e-3)


def test_removing_what_is_not_there_is_refused(session):
    free = session.times_s(0)[10] + 0.03
    with pytest.raises(ParameterError, match="no spike of MU01"):
        session.remove_spikes(0, [session.times_s(0)[2], free])
    with pytest.raises(ParameterError, match="one for two times"):
        session.remove_spikes(0, session.times_s(0)[2] + np.array([0, 1e-3]))
    for both in ({}, {"times_s": free, "between": (2, 3)}):
        with pytest.raises(ParameterError, match="neither or both"):
            session.remove_spikes(0, **both)
    assert session.history == ()


def test_a_span_is_half_open(session):
    times = session.times_s(0)
    session.remove_spikes(0, between=(times[5], times[8]))
    np.testing.assert_array_equal(session.times_s(0), np.delete(times, [5, 6, 7]))


def test_spikes_of_a_span_that_are_missed_come_back_by_a_threshold(found, session):
    before, span = session.times_s(2), (5.0, 8.0)
    session.remove_spikes(2, between=span)
    session.add_spikes_above(2, 0.5, between=span)
    now = session.times_s(2)
    outside = (before < span[0]) | (before >= span[1])
    np.testing.assert_array_equal(now[(now < span[0]) | (now >= span[1])], before[outside])
    assert len(np.intersect1d(before, now)) >= 0.95 * len(before)


def test_spikes_below_a_threshold_are_removed(session):
    session.add_spikes_above(0, 0.1)
    assert np.diff(session.times_s(0)).min() >= 0.01 - 1 / RATE_HZ
    source, begin = session.source(0), session.original.spikes.t_start_s
    heights = source[np.rint((session.times_s(0) - begin) * RATE_HZ).astype(int)]
    edit = session.remove_spikes_below(0, 0.5, between=(4.0, 9.0))
    inside = (session.times_s(0) >= 4.0) & (session.times_s(0) < 9.0)
    assert edit.before["MU01"][0] - edit.after["MU01"][0] > 0
    left = session.source(0)[np.rint((session.times_s(0)[inside] - begin) * RATE_HZ).astype(int)]
    assert left.min() / left.max() >= 0.5 / heights.max()


def test_outliers_of_the_rate_lose_their_lower_spike(session):
    times = session.times_s(0)
    session.add_spikes(0, times[[10, 40]] + 0.02)
    session.remove_outliers(0)
    np.testing.assert_array_equal(session.times_s(0), times)


def test_trains_by_hand():
    source = np.zeros(1000)
    spikes = np.array([100, 200, 300, 310, 400, 500, 600, 700])
    source[spikes] = [1, 1, 0.5, 1, 1, 1, 1, 1]
    np.testing.assert_array_equal(without_outliers(source, spikes, 1000.0, 2.0), np.delete(spikes, 2))
    source[310] = 0.4
    np.testing.assert_array_equal(without_outliers(source, spikes, 1000.0, 2.0), np.delete(spikes, 3))
    source[[250, 304, 900]] = 0.3, 0.45, 0.1
    np.testing.assert_array_equal(
        above(source, np.delete(spikes, 3), 0.2, (0, 1000), 10), np.sort([*np.delete(spikes, 3), 250])
    )
    np.testing.assert_array_equal(union(np.array([50]), np.array([-5, 45, 60, 1000]), 10, 1000), [50, 60])
    index, distance = nearest(np.array([10, 20]), np.array([0.0, 14.0, 16.0, 99.0]))
    assert index.tolist() == [0, 0, 1, 1] and distance.tolist() == [10, 4, 4, 79]
    assert nearest(np.array([7]), np.array([9.0]))[1] == 2
    assert np.isinf(nearest(np.array([], int), np.array([9.0]))[1])


def test_a_filter_without_false_spikes_is_better(found, recording, session):
    """Filters from many false spikes; the false ones taken out; the filter calculated again."""
    unit, lag_s = true_unit(found, recording, 3)
    truth_s = recording.truth.spikes[unit] + lag_s
    session.add_spikes_above(3, 0.15)
    wrong = false_spikes(session, 3, truth_s)
    assert len(wrong) > 30
    session.recalculate_filter(3)
    edit = session.remove_spikes(3, wrong)
    poor = edit.after["MU04"][1]
    edit = session.recalculate_filter(3)
    assert edit.before["MU04"][1] == poor < edit.after["MU04"][1]
    assert_consistent(session.result())


def test_a_filter_finds_the_spikes_that_a_train_lacks(found, recording, session):
    unit, _ = true_unit(found, recording, 2)
    session.remove_spikes(2, between=(8.0, 17.5))
    before = score(session.result().spikes.select([2]), recording.truth.spikes.select([unit])).f1_mean
    session.recalculate_filter(2, detect=True)
    after = score(session.result().spikes.select([2]), recording.truth.spikes.select([unit])).f1_mean
    assert before < 0.7 and after > 0.97


def test_a_span_makes_the_filter(found, session, recording):
    """Spikes outside of it may be anything."""
    session.remove_spikes(1, between=(10.0, 17.5))
    session.add_spikes_above(1, 0.05, between=(12.0, 17.5))
    everywhere = session.recalculate_filter(1).after["MU02"]
    session.undo()
    session.recalculate_filter(1, between=(BEGIN_S, 10.0), detect=True)
    unit, _ = true_unit(found, recording, 1)
    assert score(session.result().spikes.select([1]), recording.truth.spikes.select([unit])).f1_mean > 0.97
    assert session.edits[-1].after["MU02"][1] > everywhere[1]


def test_peeling_off_the_others_helps(found, recording):
    quality = {}
    for peel in (False, True):
        session = EditSession(found, recording)
        for unit in session.unit_ids:
            session.recalculate_filter(unit, peel_off=peel)
        quality[peel] = session.result().quality.sil
    assert quality[True].mean() > quality[False].mean()


def test_the_filters_are_those_for_new_data(found, recording, session):
    """Weights of an unchanged train come out as the decomposition made them."""
    for unit in session.unit_ids:
        session.recalculate_filter(unit)
    result = session.result()
    np.testing.assert_allclose(result.filters.weights, found.filters.weights, rtol=2e-3, atol=1e-5)
    np.testing.assert_allclose(result.filters.centroids, found.filters.centroids, rtol=2e-3, atol=1e-4)
    shapes = [one.action_potentials.values_uV for one in (result, found)]
    np.testing.assert_allclose(*shapes, atol=1e-3)  # of the same trains


def test_too_few_spikes_make_no_filter(session):
    for part in ((BEGIN_S, BEGIN_S + 0.3), (3.0, 3.4)):
        with pytest.raises(ParameterError, match=r"recalculate_filter.between: \d spikes"):
            session.recalculate_filter(0, between=part)
    session.remove_spikes(0, between=(0, 100))
    with pytest.raises(ParameterError, match="0 spikes"):
        session.recalculate_filter(0)


@pytest.mark.parametrize("halves", ["every other", "first and second"])
def test_two_halves_become_one(found, recording, halves):
    train = found.spike_samples(1)
    one = train[::2] if halves == "every other" else train[: len(train) // 2]
    other = np.setdiff1d(train, one) + 7  # and placed otherwise in the action potential
    split = with_units(
        found,
        [found.spike_samples(0), one, other, found.spike_samples(2)],
        [0, 1, 1, 2],
        ["a", "half", "rest", "b"],
    )
    session = EditSession(split, recording)
    unit, _ = true_unit(found, recording, 1)
    true = recording.truth.spikes.select([unit])
    before = score(split.spikes.select([1]), true).f1_mean
    edit = session.merge_units("half", "rest")
    assert session.unit_ids == ("a", "half", "b")
    result = session.result()
    after = score(result.spikes.select([1]), true).f1_mean
    assert before < 0.75 and after > 0.98
    assert len(result.spikes[1]) == len(train)
    assert edit.after["half"][1] > 0.9 and "rest (" in edit.text and "removed" in edit.text
    assert_consistent(EditSession(result, recording).result())


def test_a_merged_unit_has_no_spike_twice(found, recording):
    train = found.spike_samples(1)
    split = with_units(found, [train, train[::3] + 4], [1, 1], ["a", "b"])
    session = EditSession(split, recording)
    session.merge_units(0, 1)
    np.testing.assert_array_equal(session.result().spike_samples(0), train)
    with pytest.raises(ParameterError, match="a twice"):
        session.merge_units("a", 0)


def test_duplicates_leave_the_best(found, recording):
    train = found.spike_samples(1)
    worse = np.delete(train, slice(None, None, 4))
    doubled = with_units(
        found, [worse + 3, train, found.spike_samples(0)], [1, 1, 0], ["copy", "unit", "other"]
    )
    session = EditSession(doubled, recording)
    edit = session.remove_duplicates()
    assert session.unit_ids == ("unit", "other")
    assert set(edit.before) == {"copy"} and edit.after == {}
    session.undo()
    assert session.unit_ids == ("copy", "unit", "other")


def test_units_that_are_not_there(session):
    with pytest.raises(UnknownNameError, match="MU99"):
        session.delete_unit("MU99")
    for wrong in (-1, 99, 1.5, None, True):
        with pytest.raises(ParameterError, match=r"delete_unit.unit"):
            session.delete_unit(wrong)


@pytest.mark.parametrize("between", [(3, 2), (1,), 4, "ab", (np.nan, 2), (1, 2, 3), ([1, 2], 3)])
def test_spans_that_are_none(session, between):
    with pytest.raises(ParameterError, match=r"remove_spikes.between"):
        session.remove_spikes(0, between=between)


@pytest.mark.parametrize("times", [np.nan, [], [[1.0, 2.0]], 1e6, -3.0])
def test_times_that_are_none(session, times):
    with pytest.raises(ParameterError, match=r"add_spikes.times_s"):
        session.add_spikes(0, times)


def test_another_recording_is_refused(found, recording):
    for other, word in (
        (recording.between(BEGIN_S, 12.0), "the sources have 16 s"),
        (replace(recording, t_start_s=0.0), "begins at 0 s"),
        (recording.select(range(8)), "8 channels"),
    ):
        with pytest.raises(ParameterError, match=f"EditSession.recording.*{word}"):
            EditSession(found, other)


def test_a_unit_without_spikes_has_no_action_potential(found, session):
    session.remove_spikes("MU03", between=(0.0, 100.0))
    assert np.isnan(session.edits[0].after["MU03"][1])
    with pytest.raises(ParameterError, match="MU03 without a spike"):
        session.result()
    session.delete_unit("MU03")
    result = session.result()
    assert len(result.action_potentials) == len(found) - 1
    for u in range(len(result) - 1, -1, -1):
        session.delete_unit(u)
    empty = session.result()
    assert len(empty) == 0 and empty.sources.shape == (0, found.sources.shape[1])
    assert (
        empty.action_potentials is None and empty.filters.weights.shape[1:] == found.filters.weights.shape[1:]
    )


def test_action_potentials_follow_the_trains(found, recording, session):
    session.remove_spikes(0, between=(4.0, 9.0))
    old, new = found.action_potentials, session.result().action_potentials
    assert (new.values_uV.shape, new.channels, new.t_start_s) == (
        old.values_uV.shape, old.channels, old.t_start_s,
    )  # fmt: skip
    assert not np.array_equal(old.values_uV[0], new.values_uV[0])
    norm = np.linalg.norm(old.values_uV[0])
    assert np.linalg.norm(old.values_uV[0] - new.values_uV[0]) < 0.35 * norm


def test_bad_channels_and_resampling(recording):
    """The signals are prepared again as they were, with noise in the same places."""
    fine = np.repeat(recording.values_uV, 2, axis=1)
    fine[5] = 0.0
    spoilt = replace(recording, values_uV=fine, rate_hz=2 * RATE_HZ, truth=None)
    method = ConvolutiveBSS(starts=32, rounds=1, preprocessing=Preprocessing(bad_channels="noise"))
    prepared = method.preprocessing.prepare(spoilt)
    found = method.fit(spoilt).decomposition_
    session = EditSession(found, spoilt)
    np.testing.assert_allclose(session._signals.x, with_soft_ends(prepared).values, atol=1e-4)
    assert session.recalculate_filter(0).after["MU01"][1] > 0.9
    assert silhouette(session.source(0), found.spike_samples(0), rate_hz=found.rate_hz) > 0.9
