"""Whatever the bytes are, what comes out is a result or an error of ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myoloop.data import Signal, SpikeTrains
from myoloop.errors import MyoloopError, MyoloopWarning, ParameterError, UnreadableFileError
from myoloop.io import HDF5Stream, Limits, describe, read_spikes, to_neo, write_nix, write_nwb
from myoloop.io import _isolated as isolated

TRAINS = SpikeTrains.from_trains([[0.1, 0.2], [], [0.5]], 1.0, annotations={"x": np.arange(3.0)})
QUICK = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A small valid file of each format, as bytes."""
    folder = tmp_path_factory.mktemp("originals")
    spikes, signals = {"MN": TRAINS}, {"force": Signal(np.zeros(20), 100.0, "N")}
    write_nwb(folder / "a.nwb", spikes=spikes, signals=signals, description="x")
    write_nix(folder / "a.nix", spikes=spikes, signals=signals)
    (folder / "a.csv").write_text("unit,time_s\n0,0.1\n2,0.5\n0,0.2\n")
    with HDF5Stream(folder / "a.h5") as stream:
        stream.open({"populations": {"MN": 3}, "signals": {"v": {"rate_hz": 10, "channels": [1]}}})
        stream.write({"MN": (np.array([0, 2]), np.array([0.1, 0.5]))}, {"v": np.zeros((10, 1))}, 1.0)
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


@st.composite
def damage(draw):
    """Change some bytes, here and there or in a row, or cut the end off."""
    places = draw(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=20))
    cut = draw(st.none() | st.floats(0, 1))

    def apply(data: bytes) -> bytes:
        changed = bytearray(data)
        for place, value in places:
            changed[min(int(place * len(data)), len(data) - 1)] = value
        return bytes(changed if cut is None else changed[: int(cut * len(data))])

    return apply


@pytest.mark.parametrize("ending", [".nwb", ".nix", ".h5", ".csv"])
@QUICK
@given(harm=damage())
def test_damaged_files(tmp_path, originals, ending, harm):
    path = tmp_path / f"x{ending}"
    path.write_bytes(harm(originals[ending]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MyoloopWarning)
        try:
            trains = read_spikes(path)
            assert np.all(np.isfinite(trains.times_s))
        except MyoloopError as error:
            assert path.name in str(error) or isinstance(error, ParameterError)


@QUICK
@given(data=st.binary(max_size=200), ending=st.sampled_from([".csv", ".nwb", ".nix", ".h5", ".dat"]))
def test_any_bytes(tmp_path, data, ending):
    path = tmp_path / f"x{ending}"
    path.write_bytes(data)
    for look in (read_spikes, describe):
        try:
            look(path)
        except MyoloopError:
            continue


@QUICK
@given(
    rows=st.lists(st.tuples(st.integers(-1, 5), st.floats(-0.1, 3) | st.just(float("nan"))), max_size=12),
    n_units=st.none() | st.integers(1, 8),
)
def test_event_lists(tmp_path, rows, n_units):
    """An event list is read as it is or refused; nothing is lost or sorted between units."""
    path = tmp_path / "x.csv"
    path.write_text("unit,time_s\n" + "".join(f"{u},{t!r}\n" for u, t in rows))
    trains_of = [
        [t for u, t in rows if u == unit] for unit in range(max([u for u, _ in rows], default=-1) + 1)
    ]
    good = all(u >= 0 and t >= 0 for u, t in rows) and all(t == sorted(t) for t in trains_of)
    try:
        found = read_spikes(path, n_units=n_units, t_stop_s=4.0)
    except MyoloopError:
        assert not good or (n_units or 10) < len(trains_of)
    else:
        assert good
        assert [t.tolist() for t in found][: len(trains_of)] == trains_of
        assert len(found) == max(len(trains_of), n_units or 0)


def test_read_only_as_in_process(tmp_path, originals):
    path = tmp_path / "x.nwb"
    path.write_bytes(originals[".nwb"])
    for how in (True, False):
        with pytest.raises(ValueError, match="read-only"):
            read_spikes(path, isolated=how).times_s[0] = 1


def die():
    os.kill(os.getpid(), signal.SIGSEGV)


def eat():
    return np.ones(1 << 34).sum()


def fail():
    raise ParameterError("a.b", "wrong", "mend")


HAS_THREADS = isolated.has_threads  # before the tests' own takes its place


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("loaded", ["jax", "numpy"])
def test_threads_are_seen_also_where_python_does_not_count_them(monkeypatch, threads, loaded):
    monkeypatch.setattr("threading.active_count", lambda: threads)
    monkeypatch.setattr("sys.modules", {loaded: None})
    assert HAS_THREADS() == (threads > 1 or loaded == "jax")


@pytest.mark.parametrize("threads", [False, True])
def test_the_child_pays(tmp_path, monkeypatch, threads, originals):
    """By fork, and by a fresh process where there are threads."""
    monkeypatch.setattr(isolated, "has_threads", lambda: threads)
    path = tmp_path / "x.nwb"
    path.write_bytes(originals[".nwb"])
    assert read_spikes(path).counts.tolist() == [2, 0, 1]
    with pytest.raises(MyoloopError, match=r"Limits\.spikes"):
        read_spikes(path, limits=Limits(spikes=1))
    if not threads:  # a spawned child cannot import this test file
        with pytest.raises(UnreadableFileError, match="died"):
            isolated.read_isolated(path, die)
        with pytest.raises(UnreadableFileError, match="died"):
            isolated.read_isolated(path, eat)
        with pytest.raises(ParameterError, match=r"a\.b"):
            isolated.read_isolated(path, fail)
    else:
        with pytest.raises(UnreadableFileError, match="died"):
            isolated.read_isolated(path, partial(os._exit, 3))
    monkeypatch.setattr(isolated, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(isolated, "_BYTES_PER_S", 1e12)
    with pytest.raises(UnreadableFileError, match="within"):
        isolated.read_isolated(path, partial(time.sleep, 60))


def test_the_room_is_light():
    heavy = ["h5py", "neo", "pynwb", "nixio", "quantities", "scipy", "numba"]
    code = f"import sys, myoloop.io; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_block_of_ours_is_not_mixed_up(recording):
    from myoloop.data import as_spike_trains

    with pytest.raises(ParameterError, match="MN, IN"):
        as_spike_trains(to_neo(recording.spikes))
