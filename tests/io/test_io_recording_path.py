"""Recordings whose action potentials change over time, to every format and back."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest
from emg_recordings import assert_same_but_samples, assert_same_recording, bare, truth, whole

from myoloop.data import ActionPotentialPath, ActionPotentials, GroundTruth, Recording, Signal
from myoloop.errors import MyoloopWarning, UnreadableFileError
from myoloop.io import (
    describe,
    read_bids,
    read_recording,
    recording_from_neo,
    recording_to_neo,
    write_bids,
    write_recording,
)

KNOTS = np.array([-1.3, 0.1, np.pi, 4.0])


def path_of(n_units: int, n_channels: int, coordinate: Signal, dtypes) -> ActionPotentialPath:
    rng = np.random.default_rng(8)
    names = tuple(f"E{i + 1:02d}" for i in range(n_channels))
    potentials = [
        ActionPotentials(rng.normal(size=(n_units, n_channels, 17)).astype(dtype), 1000 / 3, -0.004, names)
        for dtype in dtypes
    ]
    return ActionPotentialPath(KNOTS, tuple(potentials), coordinate)


def shared() -> Recording:
    """Electrodes that move: one coordinate for all."""
    shift = Signal(np.linspace(-1.3, 4, 31), 10 / 3, "mm", 0.2, "shift", about={"direction": [0, 1]})
    moving = path_of(4, 12, shift, [np.float32] * 4)
    return replace(whole(), truth=replace(truth(12), path=moving))


def of_each() -> Recording:
    """A factor for each unit, in single precision; knots of both precisions; no potentials at the start."""
    values = np.random.default_rng(3).uniform(-1, 4, (2, 4)).astype(np.float32)
    factor = Signal(values, 0.5, channels=(0, 1, 2, "last"))
    moving = path_of(4, 12, factor, [np.float32, np.float64, np.float64, np.float32])
    return replace(whole(), truth=GroundTruth(truth(12).spikes, None, moving))


def of_one() -> Recording:
    """A column of one, which is not the same as none."""
    shift = Signal(np.zeros((3, 1)), 1.0, "mm")
    return replace(whole(), truth=GroundTruth(truth(12).spikes, None, path_of(4, 12, shift, [float] * 4)))


MAKERS = [shared, of_each, of_one]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_nwb(tmp_path, make, same_spikes):
    path = write_recording(tmp_path / "x.nwb", make())
    assert_same_recording(make(), read_recording(path), same_spikes)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_bids(tmp_path, make, same_spikes):
    path = write_bids(tmp_path / "x", make(), task="ramp")
    assert_same_but_samples(make(), read_bids(path), same_spikes)
    assert describe(path)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_neo(make, same_spikes):
    assert_same_recording(make(), recording_from_neo(recording_to_neo(make())), same_spikes)


def test_others_read_it(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    moving = shared().truth.path
    path = write_recording(tmp_path / "x.nwb", shared())
    assert not pynwb.validate(path=str(path))
    with pynwb.NWBHDF5IO(str(path), "r") as file:
        tables = file.read().processing["action_potential_path"]
        knots = tables["knots"]
        np.testing.assert_array_equal(knots["coordinate"][:], KNOTS)
        np.testing.assert_array_equal(knots["waveforms_uV"][2], moving.potentials[2].values_uV)
        np.testing.assert_array_equal(tables["coordinate"]["value"][:], moving.coordinate.values)
    inspector = pytest.importorskip("nwbinspector")
    for make in MAKERS:
        file = write_recording(tmp_path / f"{make.__name__}.nwb", make())
        found = list(inspector.inspect_nwbfile(nwbfile_path=str(file)))
        assert not [m for m in found if m.importance.name != "BEST_PRACTICE_SUGGESTION"]


def test_neo_says_what_is_where():
    signals = {s.name: s for s in recording_to_neo(shared()).segments[0].analogsignals}
    found = signals["action potentials along the path"].array_annotations
    of_unit = (found["unit_index"] == 3) & (found["coordinate"] == KNOTS[1])
    np.testing.assert_array_equal(
        signals["action potentials along the path"].magnitude[:, of_unit].T,
        shared().truth.path.potentials[1].values_uV[3],
    )
    assert str(signals["coordinate of the path"].dimensionality) == "mm"


def test_the_identifier_knows_the_path(tmp_path):
    found = []
    for number, scale in enumerate((1.0, 0.5)):
        given = shared()
        moved = replace(given.truth.path.coordinate, values=given.truth.path.coordinate.values * scale)
        moving = replace(given.truth.path, coordinate=moved)
        path = write_recording(
            tmp_path / f"{number}.nwb", replace(given, truth=replace(given.truth, path=moving))
        )
        with h5py.File(path) as file:
            found.append(file["identifier"][()])
    assert found[0] != found[1]


def test_a_lost_path_is_named(tmp_path):
    path = write_recording(tmp_path / "x.nwb", shared())
    with h5py.File(path, "r+") as file:
        del file["processing/action_potential_path/knots"]
    with pytest.raises(UnreadableFileError, match="the path of its action potentials is not there"):
        read_recording(path)
    block = recording_to_neo(shared())
    signals = block.segments[0].analogsignals
    signals[:] = [s for s in signals if s.name != "coordinate of the path"]
    with pytest.raises(UnreadableFileError, match="the path of its action potentials is not there"):
        recording_from_neo(block)


@pytest.mark.parametrize("damage", ["knots", "coordinate", "shape"])
def test_a_damaged_path_is_refused(tmp_path, damage):
    path = write_bids(tmp_path, shared(), task="x")
    with h5py.File(tmp_path / "sourcedata/sub-01/emg/sub-01_task-x_truth.h5", "r+") as file:
        group = file["path"]
        name = "coordinate" if damage == "coordinate" else "action_potentials_uV"
        values = group[name][()]
        del group[name]
        cut = {"knots": values[:3], "coordinate": values * 9, "shape": values[..., 0]}[damage]
        group.create_dataset(name, data=cut)
    with pytest.raises(UnreadableFileError):
        read_bids(path)


def test_without_its_truth_file_a_dataset_reads_on(tmp_path):
    path = write_bids(tmp_path, shared(), task="x")
    (tmp_path / "sourcedata/sub-01/emg/sub-01_task-x_truth.h5").unlink()
    with pytest.warns(MyoloopWarning, match="action potentials"):
        back = read_bids(path, isolated=False)
    assert back.truth.path is None
    assert back.truth.spikes.counts.sum() == truth(12).spikes.counts.sum()


def test_files_from_before_there_were_paths(same_spikes):
    import json

    block = recording_to_neo(whole())
    about = json.loads(block.annotations["recording"])
    del about["truth"]["path"]
    block.annotations["recording"] = json.dumps(about)
    assert_same_recording(whole(), recording_from_neo(block), same_spikes)


@pytest.mark.parametrize("name", ["EMG", "action potentials", "coordinate of the path"])
def test_auxiliary_signals_may_have_any_name(tmp_path, name, same_spikes):
    given = replace(bare(), auxiliary=(Signal(np.arange(5.0), 2.0, name=name),))
    assert_same_recording(given, recording_from_neo(recording_to_neo(given)), same_spikes)
    back = read_recording(write_recording(tmp_path / "x.nwb", given))
    assert_same_recording(given, back, same_spikes)
