"""EMG-BIDS that is damaged, hostile, at odds with itself, or simply of others."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from emg_recordings import gaps, whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myoloop.errors import MyoloopWarning, UnreadableFileError
from myoloop.io import Limits, describe, read_bids, write_bids


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name.replace("_emg.bdf", ending))


# -- what is missing or at odds ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "message"),
    [("_emg.json", "_emg.json"), ("_events.tsv", "_events.tsv"), ("_recording-force_physio.tsv.gz", "force")],
)
def test_missing_files_are_named(tmp_path, ending, message):
    path = write_bids(tmp_path, whole(), task="x")
    beside(path, ending).unlink()
    with pytest.raises(UnreadableFileError, match=message):
        read_bids(path, isolated=False)


def test_missing_electrodes_and_description(tmp_path):
    path = write_bids(tmp_path, whole(), task="x")
    beside(path, "_electrodes.tsv").unlink()
    with pytest.raises(UnreadableFileError, match=r"_electrodes\.tsv"):
        read_bids(path)
    (tmp_path / "dataset_description.json").unlink()
    for where in (path, tmp_path):
        with pytest.raises(UnreadableFileError, match=r"dataset_description\.json"):
            read_bids(where)


def test_without_its_sourcedata_the_truth_is_what_the_events_say(tmp_path):
    path = write_bids(tmp_path, whole(), task="x")
    shutil.rmtree(tmp_path / "sourcedata")
    with pytest.warns(MyoloopWarning, match="truth"):
        found = read_bids(path)
    np.testing.assert_array_equal(found.truth.spikes[2], whole().truth.spikes[2])
    assert found.truth.action_potentials is None


def test_header_and_tables_must_agree(tmp_path):
    path = write_bids(tmp_path, whole(), task="x")
    table = beside(path, "_channels.tsv")
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:-1]))
    with pytest.raises(UnreadableFileError, match=r"_channels\.tsv: 11 channels.*12"):
        read_bids(path, isolated=False)
    table.write_text("".join(lines))
    about = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(about | {"SamplingFrequency": 1024}))
    with pytest.raises(UnreadableFileError, match=r"1024 Hz.*2048 Hz"):
        read_bids(path, isolated=False)


@pytest.mark.parametrize("cut", [10, 300, 3500, -1, -1000])
def test_truncated_data(tmp_path, cut):
    path = write_bids(tmp_path, whole(), task="x")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UnreadableFileError, match=r"truncated|not whole") as caught:
        read_bids(path, isolated=False)
    assert path.name in str(caught.value)


def test_limits(tmp_path):
    path = write_bids(tmp_path, whole(), task="x")
    for limits in (Limits(samples=100), Limits(spikes=2), Limits(units=2), Limits(text_bytes=20)):
        with pytest.raises(UnreadableFileError, match="Limits"):
            read_bids(path, isolated=False, limits=limits)


DEEP = "[" * 100_000
SIDECARS = [
    "",
    "[]",
    DEEP,
    '{"SamplingFrequency": "fast"}',
    '{"SamplingFrequency": [1]}',
    "\xff",
    "{",
    "null",
]


@pytest.mark.parametrize("text", SIDECARS, ids=range(len(SIDECARS)))
def test_hostile_sidecars(tmp_path, text):
    path = write_bids(tmp_path, whole(), task="x")
    path.with_suffix(".json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UnreadableFileError, match=r"_emg\.json"):
        read_bids(path, isolated=False)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("samples", 10**9),
        ("samples", "x"),
        ("t_start_s", "0"),
        ("t_start_s", 1e300),
        ("dtype", "|O"),
        ("dtype", "nonsense"),
        ("electrodes", {"shapes": []}),
        ("electrodes", 3),
        ("auxiliary", [{"label": "../../x"}]),
        ("auxiliary", 5),
        ("about", 5),
        ("truth", 5),
        ("truth", {"about": {}, "action_potentials": {"rate_hz": -1}}),
    ],
)
def test_descriptions_that_lie(tmp_path, key, value):
    path = write_bids(tmp_path, whole(), task="x")
    about = json.loads(path.with_suffix(".json").read_text())
    about["Myoloop"][key] = value
    path.with_suffix(".json").write_text(json.dumps(about))
    with pytest.raises(UnreadableFileError, match="sub-01_task-x"):
        read_bids(path, isolated=False)


@pytest.mark.parametrize(
    ("ending", "text", "message"),
    [
        ("_events.tsv", "onset\tduration\tunit_id\nx\t0\t1\n", "line 2: the onset"),
        ("_events.tsv", "onset\tduration\tunit_id\n0.1\t0\t-1\n", "line 2: unit_id"),
        ("_events.tsv", "onset\tduration\tunit_id\n0.1\t0\t" + "9" * 5000 + "\n", "line 2: unit_id"),
        ("_events.tsv", "onset\tduration\tunit_id\n0.1\t0\t99\n", "unit"),
        ("_events.tsv", "onset\tduration\tunit_id\nnan\t0\t1\n", "nan"),
        ("_events.tsv", "onset\tduration\n0.1\t0\n", "unit_id"),
        ("_events.tsv", "onset\tduration\tunit_id\n0.1\t0\n", "line 2: 2 cells"),
        ("_events.tsv", "", "empty"),
        ("_events.tsv", "onset\tonset\tduration\n", "twice"),
        ("_channels.tsv", "name\ttype\n", "units"),
        ("_channels.tsv", "name\ttype\tunits\n" + "a\tEMG\tparsec\n" * 12, "parsec"),
        ("_channels.tsv", "name\ttype\tunits\n" + "a\tMISC\tuV\n" * 12, "no channel of type EMG"),
    ],
)
def test_hostile_tables(tmp_path, ending, text, message):
    path = write_bids(tmp_path, whole(), task="x")
    beside(path, ending).write_text(text)
    with pytest.raises(UnreadableFileError, match=message):
        read_bids(path, isolated=False)


def test_a_bomb_of_samples(tmp_path):
    path = write_bids(tmp_path, whole(), task="x")
    beside(path, "_recording-force_physio.tsv.gz").write_bytes(gzip.compress(b"0\n" * 10**6))
    with pytest.raises(UnreadableFileError, match="values"):
        read_bids(path, isolated=False, limits=Limits(samples=100_000))
    beside(path, "_recording-force_physio.tsv.gz").write_bytes(gzip.compress(b"0" * 10**6))
    with pytest.raises(UnreadableFileError, match="damaged"):
        read_bids(path, isolated=False)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("dataset") / "d"
    write_bids(root, gaps(whole(samples=300)), task="x", missing="mark")
    return root


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.integers(0, 100),
    places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=20),
    early=st.booleans(),
    cut=st.none() | st.floats(0, 1),
)
def test_damaged_files(tmp_path, dataset, which, places, early, cut):
    root = tmp_path / "d"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(dataset, root)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    target = files[which % len(files)]
    harmed = bytearray(target.read_bytes())
    for place, value in places:
        span = min(len(harmed), 4000) if early else len(harmed)
        harmed[min(int(place * span), len(harmed) - 1)] = value
    target.write_bytes(bytes(harmed if cut is None else harmed[: int(cut * len(harmed))]))
    for look in (read_bids, describe):
        try:
            found = look(root)
        except UnreadableFileError as error:
            assert str(root) in str(error)
        else:
            assert look is describe or found.values_uV.shape[0] > 0


# -- datasets of others -------------------------------------------------------------------------


def foreign(root: Path, *, channels: str | None, sidecar_at_root: bool = False) -> Path:
    """Two EMG channels in mV and a force, as others write them."""
    edfio = pytest.importorskip("edfio")
    folder = root / "sub-7" / "emg"
    folder.mkdir(parents=True)
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.11.0"}')
    ramp = np.linspace(-1, 1, 1000)
    signals = [
        edfio.EdfSignal(ramp, 1000.0, label="EMG1", physical_dimension="mV"),
        edfio.EdfSignal(2 * ramp, 1000.0, label="EMG2", physical_dimension="mV"),
        edfio.EdfSignal(ramp[::10], 100.0, label="Force", physical_dimension="N"),
    ]
    path = folder / "sub-7_task-grip_emg.edf"
    edfio.Edf(signals).write(path)
    about = {"SamplingFrequency": 1000, "TaskName": "grip", "EMGReference": "wrist"}
    place = root / "task-grip_emg.json" if sidecar_at_root else path.with_suffix(".json")
    place.write_text(json.dumps(about))
    if channels is not None:
        (folder / "sub-7_task-grip_channels.tsv").write_text(channels)
    return path


@pytest.mark.parametrize("sidecar_at_root", [True, False])
def test_dataset_of_others(tmp_path, sidecar_at_root):
    channels = "name\ttype\tunits\tstatus\nEMG1\tEMG\tmV\tgood\nEMG2\tEMG\tmV\tbad\nForce\tMISC\tN\tgood\n"
    path = foreign(tmp_path, channels=channels, sidecar_at_root=sidecar_at_root)
    (path.parent / "sub-7_task-grip_events.tsv").write_text(
        "onset\tduration\tunit_id\n0.5\t0\t2\n0.1\t0\t2\n"
    )
    found = read_bids(path)
    np.testing.assert_allclose(found.values_uV[1], 2e3 * np.linspace(-1, 1, 1000), atol=0.1)
    assert (found.channels, found.bad.tolist()) == (("EMG1", "EMG2"), [False, True])
    assert (found.auxiliary[0].name, found.auxiliary[0].units, found.auxiliary[0].rate_hz) == (
        "Force", "N", 100.0,
    )  # fmt: skip
    assert found.truth.spikes[2].tolist() == [0.1, 0.5]
    assert found.about["EMGReference"] == "wrist"
    assert found.electrodes is None


def test_dataset_of_others_with_electrodes(tmp_path):
    path = foreign(
        tmp_path,
        channels="name\ttype\tunits\tsignal_electrode\treference\n"
        "EMG1\tEMG\tmV\ta\tb\nEMG2\tEMG\tmV\tb\tR\nForce\tMISC\tN\tn/a\tn/a\n",
    )
    (path.parent / "sub-7_electrodes.tsv").write_text("name\tx\ty\na\t1\t0\nb\t2\t0.5\n")
    (path.parent / "sub-7_coordsystem.json").write_text('{"EMGCoordinateUnits": "cm"}')
    found = read_bids(path)
    np.testing.assert_allclose(found.electrodes.position_mm, [[10, 0, 0], [20, 5, 0]])
    assert found.electrodes.matrix.tolist() == [[1, -1], [0, 1]]
    (path.parent / "sub-7_electrodes.tsv").write_text("name\tx\ty\na\tleft\t0\nb\t2\t0.5\n")
    with pytest.raises(UnreadableFileError, match=r"_electrodes\.tsv.*left"):
        read_bids(path)


def test_dataset_of_others_without_channels(tmp_path):
    found = read_bids(foreign(tmp_path, channels=None))
    assert (found.channels, [s.name for s in found.auxiliary]) == (("EMG1", "EMG2"), ["Force"])


def test_channels_in_another_order(tmp_path):
    channels = "name\ttype\tunits\nForce\tMISC\tN\nEMG2\tEMG\tmV\nEMG1\tEMG\tmV\n"
    found = read_bids(foreign(tmp_path, channels=channels))
    assert found.channels == ("EMG1", "EMG2")
    assert found.values_uV[1].max() == pytest.approx(2000, rel=1e-3)
