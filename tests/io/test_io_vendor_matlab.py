"""MATLAB files as such, of version 5 and 7.3: what is read is what was written."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import eye_array
from vendor_files import cell, save73

from myoloop.io import Limits
from myoloop.io._vendor._mat5 import load_5, variables_5
from myoloop.io._vendor._mat73 import load_73, variables_73


def same_value(found, given) -> None:
    """What was read is what was written, in the form that both versions of MATLAB files share."""
    if isinstance(given, dict):
        assert found.keys() == given.keys()
        for key, value in given.items():
            same_value(found[key], value)
    elif isinstance(given, str):
        assert found == given
    elif given.dtype == object:
        assert found.shape == given.shape
        for place in np.ndindex(*given.shape):
            same_value(found[place], given[place])
    else:
        assert given.size == found.size == 0 or found.shape == given.shape
        np.testing.assert_array_equal(found.ravel(), given.ravel())
        assert given.dtype.kind != "f" or found.size == 0 or found.dtype == given.dtype


@pytest.mark.parametrize("how", ["plain", "compressed", "7.3"])
def test_values_of_matlab_files(tmp_path, how):
    rng = np.random.default_rng(4)
    numbers = {
        kind: (100 * rng.normal(size=(3, 4))).astype(kind)
        for kind in ("f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")
    }
    content = numbers | {
        "cube": rng.normal(size=(2, 3, 4)),
        "nothing": np.zeros((0, 0)),
        "text": "GR08MM1305 µV",
        "none": "",
        "cells": cell(np.eye(2), "a", cell("b", np.zeros((0, 0))), np.ones((1, 1)), shape=(2, 2)),
        "struct": {"a": np.eye(3), "b": {"c": cell("x", "yz")}, "long_name_of_a_field": np.ones((1, 5))},
    }
    path = tmp_path / "a.mat"
    if how == "7.3":
        save73(path, content)
        assert set(variables_73(path, Limits())) == set(content)
        found = load_73(path, Limits(), set(content), ())
    else:
        savemat(path, content, do_compression=how == "compressed")
        assert variables_5(path) == list(content)
        found = load_5(path, Limits(), set(content), ())
    for name, value in content.items():
        same_value(found[name], value)


def test_only_what_is_asked_for_is_read(tmp_path):
    content = {"a": np.eye(3), "b": {"data": np.ones((2, 5)), "more": np.ones((1, 2))}}
    savemat(tmp_path / "5.mat", content, do_compression=True)
    save73(tmp_path / "7.mat", content)
    for name, load in (("5.mat", load_5), ("7.mat", load_73)):
        found = load(tmp_path / name, Limits(), {"b"}, {"data"})
        assert found.keys() == {"b"}
        assert found["b"]["data"].shape == (2, 5) and found["b"]["data"].strides == (0, 0)
        np.testing.assert_array_equal(found["b"]["more"], [[1, 1]])


def test_matlab_text_of_several_rows_and_what_is_no_plain_array(tmp_path):
    rows = {"rows": np.array(["ab", "cd"]), "complex": np.eye(2) * 1j, "sparse": eye_array(3)}
    savemat(tmp_path / "a.mat", rows | {"last": np.ones((1, 1))})
    assert variables_5(tmp_path / "a.mat") == ["rows", "last"]
    found = load_5(tmp_path / "a.mat", Limits(), {"rows", "last"}, ())
    assert found["rows"] == "ab\ncd"
    savemat(tmp_path / "b.mat", {"cells": cell(np.eye(2) * 1j, eye_array(3), np.ones((1, 1)))})
    inside = load_5(tmp_path / "b.mat", Limits(), {"cells"}, ())["cells"]
    assert inside[0, 0] is None and inside[0, 1] is None and inside[0, 2] == 1
