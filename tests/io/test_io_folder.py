"""The folder of a study."""

from __future__ import annotations

import errno
import json

import numpy as np
import pytest

from myoloop.errors import OutputError, ParameterError
from myoloop.io import OutputFolder


def test_files(tmp_path):
    folder = OutputFolder(tmp_path / "a" / "out")
    folder.write_json(
        "metrics.json", {"a": np.float64("nan"), "b": [np.int64(1), 2.5], "c": np.array([1.0, np.inf])}
    )
    folder.write_table("tables/summary.tsv", ["name", "value"], [("a\tb", 0.1), ("n", None), ("ok", True)])
    with folder.file("figures/x.png") as path:
        path.write_bytes(b"png")
        assert path.suffix == ".png"
    assert json.loads((folder.root / "metrics.json").read_text()) == {
        "a": None,
        "b": [1, 2.5],
        "c": [1.0, None],
    }
    table = (folder.root / "tables/summary.tsv").read_text()
    assert table == "name\tvalue\na b\t0.1\nn\tn/a\nok\ttrue\n"
    assert folder.written == ("metrics.json", "tables/summary.tsv", "figures/x.png")
    assert sorted(p.name for p in folder.root.rglob("*") if p.is_file()) == [
        "metrics.json",
        "summary.tsv",
        "x.png",
    ]


def test_existing_folder(tmp_path):
    OutputFolder(tmp_path)  # empty
    (tmp_path / "kept").write_text("x")
    with pytest.raises(OutputError, match=r"not empty.*--out.*--overwrite"):
        OutputFolder(tmp_path)
    folder = OutputFolder(tmp_path, overwrite=True)
    folder.write_text("kept", "y")
    assert (tmp_path / "kept").read_text() == "y"
    with pytest.raises(OutputError, match="is a file"):
        OutputFolder(tmp_path / "kept")


def test_full_disk_says_what_is_kept(tmp_path):
    folder = OutputFolder(tmp_path)
    folder.write_text("a.txt", "a")
    folder.write_text("b.txt", "old")
    message = r"b.txt: the disk is full; make room.*; a.txt, b.txt in .* are kept"
    with pytest.raises(OutputError, match=message), folder.file("b.txt") as path:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (tmp_path / "b.txt").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_nothing_of_a_file_that_failed(tmp_path):
    folder = OutputFolder(tmp_path)
    with pytest.raises(ZeroDivisionError), folder.file("x") as path:
        path.write_text("half")
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "..", "../x", "/etc/x", "."])
def test_names_stay_inside(tmp_path, name):
    with pytest.raises(ParameterError, match="inside the folder"):
        OutputFolder(tmp_path).write_text(name, "x")


def test_ragged_table(tmp_path):
    with pytest.raises(ParameterError, match="row 1"):
        OutputFolder(tmp_path).write_table("x.tsv", ["a"], [[1], [1, 2]])
