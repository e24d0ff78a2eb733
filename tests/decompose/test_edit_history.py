"""The history of an editing session: read, undone, and done again to the bit."""

from __future__ import annotations

import json
import re

import pytest
from editing_cases import assert_equal, decomposed, recorded

from myoloop.decompose._editing._edits import Edit
from myoloop.decompose._editing._session import EditSession
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
    before, after = (len(trains[1]) for trains in (session.original.spikes, session.result().spikes))
    assert re.match(
        rf"1\. remove_spikes: MU02 {before} -> {after} spikes, SIL 0\.\d{{3}} -> 0\.\d{{3}} \| {{", line
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
