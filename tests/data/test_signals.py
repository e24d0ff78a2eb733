"""Signals know their rate and unit, and hold finite numbers only."""

from __future__ import annotations

import numpy as np
import pytest
import quantities as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myoloop.data import Signal, provenance, thin
from myoloop.errors import MyoloopError, ParameterError

SIGNAL = Signal(np.arange(10.0), 100.0, "mV", 0.5, "v", (), {"cell": 3})


def test_times_follow_from_start_and_rate():
    np.testing.assert_allclose(SIGNAL.times_s, 0.5 + np.arange(10) / 100)
    assert SIGNAL.duration_s == pytest.approx(0.1)
    assert len(SIGNAL) == 10


@given(st.integers(0, 8), st.integers(1, 9))
def test_a_part_holds_the_samples_of_its_time(first, length):
    start, stop = 0.5 + first / 100, 0.5 + (first + length) / 100
    part = SIGNAL.between(start, stop)
    np.testing.assert_array_equal(part.values, SIGNAL.values[first : first + length])
    assert part.t_start_s == pytest.approx(start)
    assert (part.units, part.name, part.about) == ("mV", "v", {"cell": 3})


def test_a_part_without_samples_is_refused():
    with pytest.raises(
        ParameterError, match=r"^Signal\.between: 2 to 3 s holds no sample; ask for a part of 0.5 to"
    ):
        SIGNAL.between(2.0, 3.0)


@pytest.mark.parametrize(
    ("given_", "kept"), [(np.float32, np.float32), (np.float64, np.float64), (int, np.float64)]
)
def test_single_precision_is_kept_and_other_numbers_become_double(given_, kept):
    assert Signal(np.arange(3).astype(given_), 10.0).values.dtype == kept


def test_a_rate_may_be_a_quantity():
    assert Signal([1.0], 2 * pq.kHz).rate_hz == 2000.0
    assert Signal([1.0], "2 kHz", t_start_s="5 ms").t_start_s == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (([1.0, np.nan], 10.0), "values"),
        (([np.inf], 10.0), "values"),
        ((np.zeros((2, 2, 2)), 10.0), "values"),
        ((3.0, 10.0), "values"),
        ((["a"], 10.0), "values"),
        (([1j], 10.0), "values"),
        (([[1.0], [2.0, 3.0]], 10.0), "values"),
        (([1.0], 0.0), "rate_hz"),
        (([1.0], -1.0), "rate_hz"),
        (([1.0], np.nan), "rate_hz"),
        (([1.0], 3 * pq.mV), "rate_hz"),
        (([1.0], [1.0, 2.0]), "rate_hz"),
        (([1.0], 10.0, "mV", np.nan), "t_start_s"),
        ((np.zeros((3, 2)), 10.0, "", 0.0, "", ("a",)), "channels"),
    ],
)
def test_what_is_no_signal_is_refused(arguments, field):
    with pytest.raises(ParameterError, match=rf"^Signal\.{field}: "):
        Signal(*arguments)


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.lists(st.floats(), max_size=3),
    st.sampled_from([np.array(["a"]), np.array([1j]), object(), {}, 3 * pq.mV, 10**400]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["values", "rate_hz", "t_start_s"]), junk)
def test_junk_gives_a_valid_signal_or_a_myoloop_error(field, value):
    try:
        signal = Signal(**{"values": [0.1], "rate_hz": 10.0, **{field: value}})
    except MyoloopError:
        return
    assert np.all(np.isfinite(signal.values))
    assert signal.rate_hz > 0


def test_thinning_keeps_at_most_so_many_samples_in_step():
    x, y = np.arange(10_001), np.arange(10_001) * 2
    a, b = thin(x, y, most=1000)
    assert len(a) == len(b) <= 1000
    np.testing.assert_array_equal(b, 2 * a)
    np.testing.assert_array_equal(thin(x, most=20_000)[0], x)


def test_provenance_names_seed_versions_and_machine_but_no_host():
    about = provenance({"a": 1}, 7, duration_s=2.0)
    assert (about["parameters"], about["seed"], about["duration_s"]) == ({"a": 1}, 7, 2.0)
    assert about["versions"]["numpy"] == np.__version__
    assert set(about["machine"]) == {"system", "release", "architecture", "byte_order", "cpus"}
