"""Streams: constant memory, killed at any moment, resumed, on a full disk."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from myoloop.errors import OutputError, ParameterError, UnknownNameError, UnreadableFileError
from myoloop.io import HDF5Stream, describe, read_spikes, read_stream

LAYOUT = {
    "populations": {"MN": 50, "odd/name": 2},
    "signals": {
        "MN.v": {"rate_hz": 1000.0, "units": "mV", "channels": [0, 7]},
        "force": {"rate_hz": 1000.0, "units": "N", "channels": [], "dtype": "float32"},
    },
    "annotations": {"MN": {"threshold": np.linspace(0, 1, 50)}},
    "dt_ms": 0.025,
    "provenance": {"seed": 3},
}


def window(k: int):
    """What a toy run records in window k of 0.1 s."""
    rng = np.random.default_rng(k)
    n = int(rng.integers(0, 400))
    times = k / 10 + rng.uniform(0, 0.1, n)
    spikes = {"MN": (rng.integers(0, 50, n), times)}
    if k % 3 == 0:
        spikes["odd/name"] = (np.array([1]), np.array([k / 10]))
    return spikes, {"MN.v": rng.normal(size=(100, 2)), "force": np.full(100, k, dtype=np.float32)}


def go_on(stream: HDF5Stream, first: int, windows: int, every: int = 7) -> None:
    for k in range(first, windows):
        stream.write(*window(k), (k + 1) / 10)
        if k % every == every - 1:
            stream.checkpoint({"window": np.array(k + 1), "v": np.arange(20_000.0) + k}, (k + 1) / 10)


def run(path: Path, windows: int, **about) -> HDF5Stream:
    stream = HDF5Stream(path, **about)
    stream.open(LAYOUT)
    go_on(stream, 0, windows)
    return stream


def check_prefix(path: Path) -> int:
    """Windows that the file holds; they must be exactly the first ones of the run."""
    found = read_stream(path)
    windows = round(found.spikes["MN"].t_stop_s * 10)
    parts = [window(k) for k in range(windows)]
    units = np.concatenate([s["MN"][0] for s, _ in parts])
    times = np.concatenate([s["MN"][1] for s, _ in parts])
    order = np.lexsort((times, units))
    np.testing.assert_array_equal(found.spikes["MN"].times_s, times[order])
    np.testing.assert_array_equal(found.spikes["MN"].units, units[order])
    np.testing.assert_array_equal(found.signals["MN.v"].values, np.concatenate([v["MN.v"] for _, v in parts]))
    assert len(found.signals["force"]) == 100 * windows
    assert len(found.spikes["odd/name"].times_s) == (windows + 2) // 3
    return windows


def test_whole_run(tmp_path, same):
    path = tmp_path / "run.h5"
    run(path, 30).close("complete")
    assert check_prefix(path) == 30
    found = read_stream(path)
    assert (found.status, found.warnings) == ("complete", ())
    assert found.provenance == {"seed": 3}
    assert found.signals["MN.v"].channels == (0, 7)
    assert found.signals["force"].values.shape == (3000,)
    assert found.signals["force"].values.dtype == np.float32
    np.testing.assert_array_equal(found.spikes["MN"].annotations["threshold"], np.linspace(0, 1, 50))
    assert len(read_spikes(path, population="MN")) == 50
    summary = describe(path)
    assert (summary.format, summary.status, summary.t_stop_s) == ("stream", "complete", 3.0)
    assert summary.populations["MN"].n_spikes == len(found.spikes["MN"].times_s)
    with h5py.File(path) as file:  # anybody's HDF5 tools open it
        assert file["spikes/MN/time_s"].shape == (summary.populations["MN"].n_spikes,)


def test_reading_while_it_is_written(tmp_path):
    path = tmp_path / "run.h5"
    stream = run(path, 5, flush_every_s=0)
    assert check_prefix(path) == 5
    assert read_stream(path).status == "interrupted"
    go_on(stream, 5, 8)
    assert check_prefix(path) == 8
    stream.close("interrupted")
    assert read_stream(path).warnings == ("the run was interrupted at 0.8 s",)


def test_context_manager_closes(tmp_path):
    with pytest.raises(ZeroDivisionError), HDF5Stream(tmp_path / "x.h5") as stream:
        stream.open(LAYOUT)
        stream.write(*window(0), 0.1)
        raise ZeroDivisionError
    assert read_stream(tmp_path / "x.h5").status == "interrupted"
    stream.close("complete")  # nothing happens
    assert read_stream(tmp_path / "x.h5").status == "interrupted"


def test_resume_is_as_if_nothing_had_happened(tmp_path, same):
    whole, broken = tmp_path / "whole.h5", tmp_path / "broken.h5"
    run(whole, 40).close("complete")
    run(broken, 25).close("interrupted")
    stream, state, layout = HDF5Stream.resume(broken)
    assert (stream.time_s, int(state["window"]), layout["dt_ms"]) == (2.1, 21, 0.025)
    assert check_prefix(broken) == 21
    go_on(stream, 21, 40)
    stream.close("complete")
    same(read_stream(whole), read_stream(broken))
    with pytest.raises(OutputError, match="complete"):
        HDF5Stream.resume(broken)


def _victim(path: str, resume: bool) -> None:
    if resume:
        stream, state, _ = HDF5Stream.resume(path, flush_every_s=0)
        go_on(stream, int(state["window"]), 100_000)
    else:
        run(Path(path), 100_000, flush_every_s=0)


def kill_at_random(path: Path, delays: list[float]) -> list[int]:
    """Kill the writer again and again, resuming each time; windows that were there after each."""
    held = []
    checkpoint = path.with_name(path.name + ".checkpoint.npz")
    for delay in delays:
        child = multiprocessing.get_context("fork").Process(target=_victim, args=(str(path), bool(held)))
        child.start()
        while not held and not checkpoint.exists() and child.is_alive():
            time.sleep(0.001)
        time.sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        assert child.exitcode == -signal.SIGKILL
        held.append(check_prefix(path))
    return held


def test_killed_at_random_moments(tmp_path):
    chance = random.Random(1)
    held = kill_at_random(tmp_path / "run.h5", [chance.uniform(0, 0.15) for _ in range(10)])
    assert max(held) > 3  # how far it gets depends on the machine; some of the kills must come after a write
    stream, state, _ = HDF5Stream.resume(tmp_path / "run.h5")
    go_on(stream, int(state["window"]), max(held) + 10)
    stream.close("complete")
    assert check_prefix(tmp_path / "run.h5") == max(held) + 10


@pytest.mark.slow
def test_killed_many_times(tmp_path):
    chance = random.Random()
    for n in range(15):
        kill_at_random(tmp_path / f"run{n}.h5", [chance.uniform(0, 0.3) for _ in range(20)])


FULL = """
    import resource, signal, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    import test_io_stream as toy
    from myoloop.errors import OutputError
    from myoloop.io import HDF5Stream, write_nwb, read_stream
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12_000_000, 12_000_000))
    path = Path(sys.argv[1])
    stream = HDF5Stream(path, flush_every_s=0)
    stream.open(toy.LAYOUT)
    try:
        toy.go_on(stream, 0, 100_000)
    except OutputError as error:
        print(error)
    stream.close("complete")
    found = read_stream(path)
    try:
        for n in range(20):
            write_nwb(path.with_name(f"{n}.nwb"), spikes=found.spikes, signals=found.signals, description="x")
            found.signals.update({f"{n} {k}": s for k, s in list(found.signals.items())})
    except OutputError as error:
        print(error)
"""


def test_full_disk(tmp_path):
    path = tmp_path / "run.h5"
    code = textwrap.dedent(FULL)
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), here],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert "run.h5: the disk is full; make room" in said[0]
    assert "what was flushed up to" in said[0]
    assert ".nwb: the disk is full" in said[1]
    windows = check_prefix(path)
    assert windows > 20
    assert f"{windows / 10:g} s" in said[0]
    assert read_stream(path).status == "interrupted"
    stream, state, _ = HDF5Stream.resume(path)
    go_on(stream, int(state["window"]), windows + 5)
    stream.close("complete")
    assert check_prefix(path) == windows + 5
    assert not list(tmp_path.glob(".*"))


def test_no_room_to_resume_loses_nothing(tmp_path, monkeypatch):
    path = tmp_path / "run.h5"
    run(path, 10).close("interrupted")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(OutputError, match=r"run.h5: the disk is full.*its checkpoint are as they were"):
            HDF5Stream.resume(path)
        with pytest.raises(OutputError, match=r"disk is full"):
            HDF5Stream(tmp_path / "new.h5").open(LAYOUT)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.h5", "run.h5.checkpoint.npz"]


def test_existing_file(tmp_path):
    path = tmp_path / "run.h5"
    run(path, 10).close("complete")
    with pytest.raises(OutputError, match="exists already"):
        HDF5Stream(path).open(LAYOUT)
    assert check_prefix(path) == 10
    stream = HDF5Stream(path, overwrite=True)
    stream.open(LAYOUT)
    assert not path.with_name("run.h5.checkpoint.npz").exists()
    with pytest.raises(OutputError, match="open already"):
        stream.open(LAYOUT)
    stream.close("interrupted")
    with pytest.raises(UnreadableFileError, match="before the first flush"):
        read_stream(path)
    with pytest.raises(UnreadableFileError, match="no checkpoint"):
        HDF5Stream.resume(path)


def test_checkpoint_of_another_run(tmp_path):
    run(tmp_path / "a.h5", 10).close("interrupted")
    run(tmp_path / "b.h5", 10).close("interrupted")
    (tmp_path / "b.h5.checkpoint.npz").replace(tmp_path / "a.h5.checkpoint.npz")
    with pytest.raises(UnreadableFileError, match="another stream"):
        HDF5Stream.resume(tmp_path / "a.h5")
    (tmp_path / "a.h5.checkpoint.npz").write_bytes(b"PK oops")
    with pytest.raises(UnreadableFileError, match="damaged"):
        HDF5Stream.resume(tmp_path / "a.h5")


def test_what_does_not_fit_is_refused(tmp_path):
    stream = HDF5Stream(tmp_path / "x.h5")
    with pytest.raises(OutputError, match="not open"):
        stream.write({}, {}, 0.1)
    stream.open(LAYOUT)
    events = np.array([1]), np.array([0.05])
    wrong = [
        (({"Mn": events}, {}, 0.1), UnknownNameError, "MN"),
        (({}, {"MN.u": np.zeros((1, 2))}, 0.1), UnknownNameError, "MN.v"),
        (({"MN": (np.array([50]), np.array([0.05]))}, {}, 0.1), ParameterError, "0 to 49"),
        (({"MN": (np.array([1]), np.array([0.2]))}, {}, 0.1), ParameterError, "0.1 s"),
        (({"MN": (np.array([1]), np.array([np.nan]))}, {}, 0.1), ParameterError, "nan"),
        (({"MN": (np.array([1, 2]), np.array([0.05]))}, {}, 0.1), ParameterError, "one of each"),
        (({}, {"MN.v": np.zeros((5, 3))}, 0.1), ParameterError, r"\(samples, 2\)"),
        (({}, {"MN.v": np.full((5, 2), np.nan)}, 0.1), ParameterError, "diverged"),
        (({}, {}, -1.0), ParameterError, "ascend"),
    ]
    for arguments, error, message in wrong:
        with pytest.raises(error, match=message):
            stream.write(*arguments)
    stream.write({"MN": events}, {}, 0.1)
    with pytest.raises(ParameterError, match="objects"):
        stream.checkpoint({"x": np.array([object()])}, 0.1)
    with pytest.raises(ParameterError, match=r"rows up to 0.1 s"):
        stream.checkpoint({}, 0.2)
    with pytest.raises(UnknownNameError, match="complete"):
        stream.close("done")
    stream.close("complete")
    assert len(read_stream(tmp_path / "x.h5").spikes["MN"].times_s) == 1


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"populations": {"MN": 0}},
        {"signals": {"v": {"rate_hz": 0}}},
        {"signals": {"v": {"rate_hz": 1, "dtype": "int16"}}},
        {"populations": {"MN": 2}, "annotations": {"MN": {"x": np.zeros(3)}}},
    ],
)
def test_bad_layout(tmp_path, layout):
    with pytest.raises(ParameterError, match="layout"):
        HDF5Stream(tmp_path / "x.h5").open(layout)
    assert not list(tmp_path.iterdir())


def test_memory_does_not_grow(tmp_path):
    stream = HDF5Stream(tmp_path / "x.h5", flush_every_s=1e9)
    stream.open({"populations": {"MN": 10}, "signals": {"v": {"rate_hz": 1e5, "channels": list(range(10))}}})
    samples = np.zeros((10_000, 10))

    def write(first: int, last: int) -> None:
        for k in range(first, last):
            stream.write({"MN": (np.array([1]), np.array([k / 10]))}, {"v": samples}, (k + 1) / 10)

    write(0, 50)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write(50, 250)  # 160 MB
    stream.close("complete")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000
    assert (tmp_path / "x.h5").stat().st_size > 190_000_000


def test_run_that_begins_later(tmp_path):
    path = tmp_path / "x.h5"
    with HDF5Stream(path) as stream:
        stream.open({"populations": {"MN": 2}, "t_start_s": 5.0})
        with pytest.raises(ParameterError, match="5 to 6 s"):
            stream.write({"MN": (np.array([1]), np.array([4.0]))}, {}, 6.0)
        stream.write({"MN": (np.array([1]), np.array([5.5]))}, {}, 6.0)
        stream.checkpoint({"x": np.ones(1)}, 6.0 + 1e-12)
    trains = read_stream(path).spikes["MN"]
    assert (trains.t_start_s, trains.t_stop_s, trains[1].tolist()) == (5.0, 6.0, [5.5])
