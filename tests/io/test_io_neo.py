"""Neo blocks, NIX files, and the pickles of others."""

from __future__ import annotations

import gzip
import pickle
import sys
from pathlib import Path

import neo
import numpy as np
import pytest
import quantities as pq

from myoloop.data import as_spike_trains
from myoloop.errors import (
    MissingDependencyError,
    MyoloopWarning,
    OutputError,
    ParameterError,
    UnreadableFileError,
)
from myoloop.io import describe, from_neo, read_nix, read_spikes, to_neo, write_nix

GOLDEN = Path(__file__).parent / "golden"


def test_block_round_trip(recording, same):
    same(recording, from_neo(to_neo(recording.spikes, recording.signals, recording.provenance)))


def test_block_says_what_neo_users_look_for(pool):
    block = to_neo({"MN": pool})
    train = block.segments[0].spiketrains[3]
    assert train.annotations["unit_index"] == 3
    assert train.annotations["threshold"] == pool.annotations["threshold"][3]
    assert [len(t) for t in block.groups[0].spiketrains] == pool.counts.tolist()
    np.testing.assert_array_equal(as_spike_trains(block).times_s, pool.times_s)


def test_nix_round_trip(tmp_path, recording, same):
    pytest.importorskip("nixio")
    path = write_nix(
        tmp_path / "r.nix",
        spikes=recording.spikes,
        signals=recording.signals,
        provenance=recording.provenance,
        description="x",
    )
    same(recording, read_nix(path))
    assert len(read_spikes(path, population="MN")) == 10
    assert describe(path).populations["MN"].n_active == 8
    with neo.NixIO(str(path), "ro") as file:
        block = file.read_block()
    assert len(block.segments[0].spiketrains) == 8 + 6
    with pytest.raises(OutputError, match="exists already"):
        write_nix(path, spikes=recording.spikes)


def test_nix_without_the_extra(tmp_path, pool, monkeypatch):
    monkeypatch.setitem(sys.modules, "nixio", None)
    with pytest.raises(MissingDependencyError, match=r"myoloop\[nix\]"):
        write_nix(tmp_path / "x.nix", spikes={"MN": pool})


def block_of(*segments) -> neo.Block:
    block = neo.Block()
    for name, trains in segments:
        segment = neo.Segment(name=name)
        for times, about in trains:
            segment.spiketrains.append(neo.SpikeTrain(times * pq.ms, t_stop=2000 * pq.ms, **about))
        block.segments.append(segment)
    return block


@pytest.mark.parametrize(
    "about",
    [
        [{"unit_index": 1, "n_units": 5}, {"unit_index": 4}],
        [{"unit_id": 1}, {"unit_id": "4"}],
        [{"source_index": 1, "source_id": 11}, {"source_index": 4, "source_id": 14}],
        [{"name": "1"}, {"name": "4"}],
    ],
)
def test_index_in_the_pool(about):
    trains = from_neo(block_of(("aMN", [([5.0, 10.0], about[0]), ([7.0], about[1])]))).spikes["aMN"]
    assert [t.tolist() for t in trains] == [[], [0.005, 0.01], [], [], [0.007]]
    assert trains.t_stop_s == 2.0


def test_no_index_means_order():
    trains = from_neo(block_of((None, [([5.0], {"name": "a"}), ([7.0], {"depth": 2.0})]))).spikes["segment 0"]
    assert trains.counts.tolist() == [1, 1]


def test_annotations_of_others_travel():
    trains = from_neo(
        block_of(
            ("MN", [([5.0], {"unit_id": 2, "threshold": 0.1}), ([7.0], {"unit_id": 0, "threshold": 0.3})])
        )
    ).spikes["MN"]
    np.testing.assert_array_equal(trains.annotations["threshold"], [0.3, np.nan, 0.1])


@pytest.mark.parametrize(
    ("trains", "message"),
    [
        ([([7.0, 5.0], {})], "sort"),
        ([([5.0], {"unit_index": 1}), ([5.0], {"unit_index": 1})], "twice"),
        ([([5.0], {"unit_index": 10**9})], "Limits.units"),
    ],
)
def test_bad_trains(trains, message):
    with pytest.raises(UnreadableFileError, match=message):
        from_neo(block_of(("MN", trains)))


@pytest.fixture
def pickled(tmp_path):
    path = tmp_path / "spikes.pkl"
    block = block_of(("aMN", [([5.0], {"name": "0"}), ([7.0], {"name": "3"})]), ("IN", [([1.0], {})]))
    path.write_bytes(pickle.dumps(block))
    return path


def test_pickle_is_refused_and_never_run(tmp_path):
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"cbuiltins\nexec\n(S'raise SystemExit(7)'\ntR.")
    with pytest.raises(UnreadableFileError, match=r"allow_pickle=True.*--allow-pickle"):
        read_spikes(path)
    found = describe(path)
    assert (found.format, found.populations) == ("pickle", None)
    hidden = tmp_path / "evil.csv"
    hidden.write_bytes(pickle.dumps([1]))
    with pytest.raises(UnreadableFileError, match="allow_pickle"):
        read_spikes(hidden)


def test_pickle_on_request(pickled):
    with pytest.warns(MyoloopWarning, match="runs whatever code"):
        trains = read_spikes(pickled, allow_pickle=True, population="aMN", n_units=5)
    assert [t.tolist() for t in trains] == [[0.005], [], [], [0.007], []]
    with pytest.warns(MyoloopWarning), pytest.raises(ParameterError, match="aMN, IN"):
        read_spikes(pickled, allow_pickle=True)


@pytest.mark.parametrize("content", [pickle.dumps({"a": 1}), b"\x80\x05oops", b"garbage", b"\x78\x9c123"])
def test_pickle_of_something_else(tmp_path, content):
    path = tmp_path / "x.pkl"
    path.write_bytes(content)
    with pytest.warns(MyoloopWarning), pytest.raises(UnreadableFileError, match=r"x.pkl"):
        read_spikes(path, allow_pickle=True)


@pytest.mark.parametrize("name", ["joblib.pkl", "joblib_zlib.pkl", "joblib_gzip.pkl"])
def test_joblib_pickle(name):
    """Written by joblib 1.5 (see golden/make.py), as other simulators do."""
    with pytest.warns(MyoloopWarning):
        trains = read_spikes(GOLDEN / name, allow_pickle=True)
    assert len(trains) == 5
    np.testing.assert_array_equal(trains[4], [0.25, 0.5])
    assert trains.counts.tolist() == [1, 0, 0, 0, 2]


def test_compressed_pickle(tmp_path, pickled):
    path = tmp_path / "z.pkl"
    path.write_bytes(gzip.compress(pickled.read_bytes()))
    with pytest.warns(MyoloopWarning):
        assert len(read_spikes(path, allow_pickle=True, population="IN")) == 1
