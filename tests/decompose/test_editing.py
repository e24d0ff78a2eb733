"""Editing by hand: what every edit must leave true, the history, and the way back."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from small_contraction import RATE_HZ, contraction

from myoloop.data import SpikeTrains
from myoloop.decompose import ConvolutiveBSS, Decomposition, Preprocessing, score, silhouette, unit_quality
from myoloop.decompose._editing._edits import Edit
from myoloop.decompose._editing._session import EditSession
from myoloop.decompose._editing._trains import above, nearest, union, without_outliers
from myoloop.errors import ParameterError, UnknownNameError

BEGIN_S = 1.5


@pytest.fixture(scope="module")
def recording():
    return contraction(noise_uV=30.0, t_start_s=BEGIN_S)


@pytest.fixture(scope="module")
def found(recording):
    return ConvolutiveBSS(starts=32, rounds=2).fit(recording).decomposition_


@pytest.fixture
def session(found, recording):
    return EditSession(found, recording)


def with_units(found: Decomposition, trains, origins, names) -> Decomposition:
    """A decomposition with other trains (samples), each with the source of one that there is."""
    origins = np.array(origins)
    times = [found.spikes.t_start_s + np.asarray(train) / found.rate_hz for train in trains]
    spikes = SpikeTrains.from_trains(
        times, found.spikes.t_stop_s, found.spikes.t_start_s, annotations={"unit_id": np.array(names)}
    )
    sources = found.sources[origins]
    samples = [np.asarray(train, dtype=np.int64) for train in trains]
    return replace(
        found,
        spikes=spikes,
        sources=sources,
        filters=found.filters.select(origins),
        quality=unit_quality(sources, samples, found.rate_hz),
        action_potentials=None,
    )


def assert_equal(a: Decomposition, b: Decomposition) -> None:
    """To the bit."""
    assert a.unit_ids == b.unit_ids and a.history == b.history
    for x, y in zip(a.spikes, b.spikes, strict=True):
        np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(a.sources, b.sources)
    np.testing.assert_array_equal(a.filters.weights, b.filters.weights)
    np.testing.assert_array_equal(a.filters.centroids, b.filters.centroids)
    for field in fields(a.quality):
        np.testing.assert_array_equal(getattr(a.quality, field.name), getattr(b.quality, field.name))
    assert (a.action_potentials is None) == (b.action_potentials is None)
    if a.action_potentials is not None:
        np.testing.assert_array_equal(a.action_potentials.values_uV, b.action_potentials.values_uV)


def assert_consistent(result: Decomposition) -> None:
    """Sources are scaled, and the quality is that of the trains and sources."""
    samples = [result.spike_samples(u) for u in range(len(result))]
    for source, train in zip(result.sources, samples, strict=True):
        assert source[train].mean() == pytest.approx(1, abs=1e-5)
    anew = unit_quality(result.sources, samples, result.rate_hz)
    for name in ("sil", "pnr_db", "cov_isi", "rate_pps", "short_isi"):
        np.testing.assert_allclose(getattr(result.quality, name), getattr(anew, name), rtol=1e-5)
    assert result.quality.flag == anew.flag


def true_unit(found, recording, unit):
    """The true unit that a found one is, and the lag in s by which the found one is later."""
    pair = next(pair for pair in score(found.spikes, recording.truth.spikes).pairs if pair.found == unit)
    return pair.truth, 1e-3 * pair.lag_ms


def false_spikes(session, unit, truth_s):
    """Times of the spikes of a unit that are more than 2 ms off all true ones."""
    times = session.times_s(unit)
    return times[np.abs(times[:, None] - truth_s).min(axis=1) > 2e-3]


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
    session.add_spikes_above(3, 0.25)
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


def busy(session):
    """A little of everything."""
    times = session.times_s("MU01")
    session.remove_spikes("MU01", times[[4, 9, 30]])
    session.remove_spikes(1, between=(6.0, 7.0))
    session.add_spikes("MU01", times[9] + 1e-3)
    session.add_spikes_above("MU02", 0.6, between=(6.0, 7.0))
    session.remove_spikes_below(2, 0.6)
    session.recalculate_filter("MU01", between=(2.0, 14.0), detect=True)
    session.remove_outliers("MU02")
    session.merge_units("MU03", "MU04")
    session.delete_unit("MU02")
    session.recalculate_filter("MU01", peel_off=False)
    session.remove_duplicates()


def test_a_replayed_history_gives_the_same_bits(found, recording, session):
    busy(session)
    result = session.result()
    again = EditSession(found, recording)
    again.replay(json.loads(json.dumps(result.history)))
    assert_equal(again.result(), result)
    records = EditSession(found, recording)
    records.replay(Edit.from_dict(json.loads(json.dumps(edit.to_dict()))) for edit in session.edits)
    assert_equal(records.result(), result)


def test_a_session_goes_on_where_another_ended(found, recording, session):
    """In one session or in two, and replayed from the beginning."""
    session.remove_spikes("MU01", between=(4.0, 6.0))
    session.recalculate_filter("MU01")
    second = EditSession(session.result(), recording)
    for one in (session, second):
        one.add_spikes_above("MU01", 0.5, between=(4.0, 6.0))
        one.recalculate_filter("MU02")
    assert_equal(session.result(), second.result())
    assert [line.split(".")[0] for line in second.history] == ["1", "2", "3", "4"]
    again = EditSession(found, recording)
    again.replay(second.history)
    assert_equal(again.result(), second.result())
    resumed = EditSession(EditSession(found, recording).result(), recording)
    resumed.remove_spikes("MU01", between=(4.0, 6.0))
    resumed.replay(second.history)  # whose first line is done already
    assert_equal(resumed.result(), second.result())


def test_undo_and_redo(found, session):
    busy(session)
    result, lines = session.result(), session.history
    last = len(lines)
    for step in range(last, 0, -1):
        assert session.undo().number == step
        assert session.history == lines[: step - 1]
    assert session.result() is found
    with pytest.raises(ParameterError, match="nothing to undo"):
        session.undo()
    for step in range(1, last + 1):
        assert session.redo().number == step
    assert_equal(session.result(), result)
    with pytest.raises(ParameterError, match="nothing to redo"):
        session.redo()
    session.undo()
    session.delete_unit(0)
    with pytest.raises(ParameterError, match="nothing to redo"):
        session.redo()  # what was undone gave way


def test_the_history_reads_well(session):
    session.remove_spikes("MU02", between=(6.0, 7.0))
    line = session.result().history[0]
    spikes = len(session.original.spikes[1])
    assert line.startswith(f"1. remove_spikes: MU02 {spikes} -> {spikes - 10} spikes, SIL 0.9") or (
        "remove_spikes: MU02" in line
    )
    edit = Edit.parse(line)
    assert edit.parameters == {"unit": "MU02", "between": [6.0, 7.0]}
    assert str(edit) == line and edit.text in line
    odd = Edit(3, "delete_unit", {"unit": "a | {b"}, {"a | {b": (1, float("nan"))})
    assert str(Edit.parse(str(odd))) == str(odd)


@pytest.mark.parametrize("line", ["", "nothing", "1. x | {", '1. x | {"action": 3}', 7, '1 | {"a": [[[['])
def test_what_is_no_history_is_refused(session, line):
    with pytest.raises(ParameterError):
        session.replay([line])


def test_a_history_names_edits_only(session):
    with pytest.raises(UnknownNameError, match="result"):
        session.replay([Edit(1, "result")])
    with pytest.raises(UnknownNameError, match="__init__"):
        session.replay([Edit(1, "__init__", {"decomposition": 1})])
    with pytest.raises(ParameterError, match="path"):
        session.replay([Edit(1, "delete_unit", {"unit": "MU01", "path": "x"})])
    wrong = Edit(1, "remove_spikes", {"unit": "MU01", "between": [4, 5]}, {}, {"MU01": (3, 0.9)})
    with pytest.raises(ParameterError, match="edit 1: remove_spikes gave"):
        session.replay([wrong])


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
    np.testing.assert_allclose(session._signals.x, prepared.values, atol=1e-4)
    assert session.recalculate_filter(0).after["MU01"][1] > 0.9
    assert silhouette(session.source(0), found.spike_samples(0), rate_hz=found.rate_hz) > 0.9
