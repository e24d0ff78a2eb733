"""Streams are named by a seed and a path, and independent of one another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myoloop.errors import ParameterError
from myoloop.random import Streams

PATHS = st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=3).map(tuple)


def test_a_stream_is_the_same_in_every_release():
    assert Streams(1).child("IN", 17).key == np.uint64(0xD52A24E476F9F2BC)
    assert Streams(1).child("IN", 17).generator().integers(2**62) == 3407320977438394647


def test_children_of_children_are_named_by_the_whole_path():
    assert Streams(1).child("a").child("b") == Streams(1).child("a", "b")
    assert Streams(1).child("a", "b").key == Streams(1, ("a", "b")).key


@given(st.integers(0, 2**70), st.integers(0, 2**70), PATHS, PATHS)
def test_streams_of_another_name_or_seed_have_another_key(seed, other, path, other_path):
    same = (seed, path) == (other, other_path)
    assert (Streams(seed, path).key == Streams(other, other_path).key) == same


def test_a_text_and_a_number_are_different_names():
    assert Streams(1).child("1").key != Streams(1).child(1).key


def test_a_generator_begins_anew_each_time():
    stream = Streams(5).child("x")
    np.testing.assert_array_equal(stream.generator().random(10), stream.generator().random(10))


def test_numpy_and_python_seeds_are_the_same():
    assert Streams(np.int64(7)).key == Streams(7).key


def test_neighbouring_streams_are_not_correlated():
    draws = np.array([Streams(0).child("x", unit).generator().normal(size=2000) for unit in range(20)])
    correlation = np.corrcoef(draws) - np.eye(20)
    assert np.abs(correlation).max() < 5 / np.sqrt(2000)


@pytest.mark.parametrize("seed", [-1, 1.0, "1", None, True, float("nan")])
def test_a_seed_that_is_no_whole_number_from_0_is_refused(seed):
    with pytest.raises(ParameterError, match=r"^seed: .*; give "):
        Streams(seed)
