"""Recordings as NWB, there and back, and what others make of them."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest
from emg_recordings import assert_same_recording, bare, derived, gaps, whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myoloop.data import Contact, Electrodes, GroundTruth, Recording, SpikeTrains
from myoloop.errors import MyoloopError, OutputError, ParameterError, UnknownNameError, UnreadableFileError
from myoloop.io import Limits, describe, read_nwb, read_recording, write_recording

START = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def written(tmp_path):
    return write_recording(tmp_path / "emg.nwb", whole(), muscle="tibialis anterior", session_start=START)


def with_gaps():
    return gaps(whole(t_start_s=3.7, rate_hz=1000 / 3))


@pytest.mark.parametrize(
    "make", [whole, derived, bare, with_gaps], ids=["whole", "derived", "bare", "with_gaps"]
)
def test_round_trip_is_exact(tmp_path, make, same_spikes):
    path = write_recording(tmp_path / "x.nwb", make())
    for isolated in (True, False):
        assert_same_recording(make(), read_recording(path, isolated=isolated), same_spikes)


def test_action_potentials_in_double_precision_pass_through_volts(tmp_path):
    given = whole(np.float64)
    potentials = given.truth.action_potentials
    double = replace(potentials, values_uV=potentials.values_uV.astype(np.float64))
    path = write_recording(
        tmp_path / "x.nwb", replace(given, truth=replace(given.truth, action_potentials=double))
    )
    back = read_recording(path)
    np.testing.assert_allclose(back.truth.action_potentials.values_uV, double.values_uV, rtol=1e-15, atol=0)
    np.testing.assert_array_equal(back.values_uV, given.values_uV)


def test_truth_without_spikes_or_units(tmp_path):
    silent = GroundTruth(SpikeTrains.from_trains([[], []], 1.0))
    back = read_recording(write_recording(tmp_path / "x.nwb", replace(bare(), truth=silent)))
    assert back.truth.spikes.counts.tolist() == [0, 0]
    assert back.truth.action_potentials is None


def test_others_read_it(written):
    pynwb = pytest.importorskip("pynwb")
    given = whole()
    assert not pynwb.validate(path=str(written))
    with pynwb.NWBHDF5IO(str(written), "r") as file:
        found = file.read()
        emg = found.acquisition["EMG"]
        assert (emg.unit, emg.rate, emg.starting_time, emg.data.dtype) == ("volts", 2048.0, 0.0, np.float32)
        np.testing.assert_allclose(emg.data[:].T * emg.conversion, 1e-6 * given.values_uV, rtol=1e-6)
        rows = emg.electrodes.to_dataframe()
        assert rows["channel_name"].tolist() == list(given.channels)
        assert np.flatnonzero(rows["bad"]).tolist() == [2, 7]
        np.testing.assert_allclose(
            rows[["x", "y", "z"]].to_numpy(float), 1e3 * given.electrodes.channel_position_mm, rtol=1e-6
        )
        assert set(rows["location"]) == {"tibialis anterior"}
        units = found.units.to_dataframe()
        np.testing.assert_array_equal(units["spike_times"][2], given.truth.spikes[2])
        potentials = given.truth.action_potentials.values_uV
        np.testing.assert_allclose(units["waveform_mean"][2].T, 1e-6 * potentials[2], rtol=1e-6)
        assert (found.units.resolution, found.units.waveform_rate) == (1 / 2048.0, 2048.0)
        assert found.processing["ecephys"]["contacts"].to_dataframe()["shape"].tolist() == ["Disc"] * 12
        assert found.acquisition["force"].unit == "newtons"


@pytest.mark.parametrize("make", [whole, derived, bare], ids=["whole", "derived", "bare"])
def test_inspector_finds_nothing_critical(tmp_path, make):
    inspector = pytest.importorskip("nwbinspector")
    path = write_recording(tmp_path / "x.nwb", make())
    found = list(inspector.inspect_nwbfile(nwbfile_path=str(path)))
    serious = [m for m in found if m.importance.name != "BEST_PRACTICE_SUGGESTION"]
    assert not serious, serious


def test_chunks_follow_one_another(tmp_path, same_spikes):
    given = whole()
    parts = np.array_split(given.values_uV, [100, 101, 1500], axis=1)
    first = replace(given, values_uV=parts[0])
    path = write_recording(tmp_path / "x.nwb", first, more=iter(parts[1:]))
    assert_same_recording(given, read_recording(path), same_spikes)


def test_memory_does_not_grow_with_the_recording(tmp_path):
    """64 MB in chunks of 1 MB."""
    rng = np.random.default_rng(0)
    chunk = rng.normal(size=(64, 4096)).astype(np.float32)
    write_recording(tmp_path / "warm.nwb", Recording(chunk, 2048.0))
    tracemalloc.start()
    try:
        path = write_recording(
            tmp_path / "x.nwb", Recording(chunk, 2048.0), more=(chunk + n for n in range(63))
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16e6
    assert path.stat().st_size > 64e6
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["acquisition/EMG/data"][-4096:].T, chunk + 62)


def test_the_identifier_knows_the_chunks(tmp_path):
    def identifier(name: str, more: float) -> bytes:
        chunk = np.full((2, 10), more)
        path = write_recording(tmp_path / name, bare(), more=[chunk], session_start=START)
        with h5py.File(path) as file:
            return file["identifier"][()]

    assert identifier("a.nwb", 1.0) == identifier("b.nwb", 1.0) != identifier("c.nwb", 2.0)


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        (np.zeros((3, 5)), r"more\[1\].*\(3, 5\)"),
        (np.zeros(5), r"more\[1\].*\(5,\)"),
        (np.full((2, 5), np.inf), "infinite"),
        (np.zeros((2, 5), dtype=complex), "complex"),
        ([[1.0], [1.0, 2.0]], r"more\[1\]"),
    ],
)
def test_chunks_that_do_not_fit(tmp_path, chunk, message):
    with pytest.raises(ParameterError, match=message):
        write_recording(tmp_path / "x.nwb", bare(), more=[np.zeros((2, 3)), chunk])
    assert not list(tmp_path.iterdir())


def test_what_others_raise_while_they_make_chunks_comes_out(tmp_path):
    def broken():
        yield np.zeros((2, 3))
        raise KeyError("theirs")

    with pytest.raises(KeyError, match="theirs"):
        write_recording(tmp_path / "x.nwb", bare(), more=broken())
    assert not list(tmp_path.iterdir())


def test_a_contact_that_no_file_knows(tmp_path):
    class Ring(Contact):
        def transform(self, across, along):
            return np.ones_like(across)

        def nodes(self):
            return np.zeros((1, 3)), np.ones(1)

    electrodes = Electrodes(np.zeros((1, 3)), Ring())
    with pytest.raises(ParameterError, match="Ring"):
        write_recording(tmp_path / "x.nwb", Recording(np.zeros((1, 5)), 100.0, electrodes))


def test_existing_file_and_other_endings(written):
    before = written.read_bytes()
    with pytest.raises(OutputError, match="overwrite"):
        write_recording(written, bare())
    with pytest.raises(ParameterError, match=r"write_bids"):
        write_recording(written.with_suffix(".edf"), bare())
    assert written.read_bytes() == before
    write_recording(written, bare(), overwrite=True)
    assert read_recording(written).truth is None
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_read_as_spikes_and_signals(written, same_spikes):
    found = read_nwb(written)
    same_spikes(whole().truth.spikes, found.spikes["MN"])
    np.testing.assert_allclose(found.signals["EMG"].values.T, 1e-6 * whole().values_uV, rtol=1e-6)
    assert len(found.signals) == 4


def test_gaps_are_no_signal(tmp_path):
    found = read_nwb(write_recording(tmp_path / "x.nwb", with_gaps()))
    assert "EMG" not in found.signals
    assert "EMG" in found.warnings[0]


def test_describe(written, tmp_path):
    found = describe(written)
    assert found.recordings["EMG"].n_channels == 12
    assert found.recordings["EMG"].duration_s == 1.0
    assert (found.populations["MN"].n_units, found.populations["MN"].n_active) == (4, 3)
    assert describe(write_recording(tmp_path / "y.nwb", bare())).populations == {}


def test_limits(written):
    for limits in (Limits(samples=100), Limits(spikes=2), Limits(units=2), Limits(text_bytes=20)):
        with pytest.raises(UnreadableFileError, match=r"Limits|text"):
            read_recording(written, limits=limits)


# -- files of others ---------------------------------------------------------------------------


def foreign(path, **more):
    """Two channels in int16, as an acquisition system would write them."""
    pynwb = pytest.importorskip("pynwb")
    file = pynwb.NWBFile("x", "x", START)
    group = file.create_electrode_group("g", "g", "arm", device=file.create_device("d"))
    for number in range(3):
        where = {"x": 1000.0 * number, "y": 0.0, "z": -500.0} if more.get("placed", True) else {}
        file.add_electrode(group=group, location="arm", **where)
    for name in more.get("series", ["EMG"]):
        file.add_acquisition(
            pynwb.ecephys.ElectricalSeries(
                name=name,
                data=np.arange(10, dtype=np.int16).reshape(5, 2),
                electrodes=file.create_electrode_table_region([2, 0], "x"),
                rate=1000.0,
                starting_time=0.25,
                conversion=2e-6,
                channel_conversion=[1.0, 3.0],
            )
        )
    with pynwb.NWBHDF5IO(str(path), "w") as sink:
        sink.write(file)
    return path


def test_file_of_others(tmp_path):
    found = read_recording(foreign(tmp_path / "x.nwb"))
    np.testing.assert_allclose(found.values_uV, [[0, 4, 8, 12, 16], [6, 18, 30, 42, 54]], rtol=1e-6)
    assert (found.rate_hz, found.t_start_s, found.channels) == (1000.0, 0.25, ("E2", "E0"))
    np.testing.assert_allclose(found.electrodes.position_mm, [[2, 0, -0.5], [0, 0, -0.5]])
    assert found.truth is None


def test_series_and_places_of_others(tmp_path):
    two = foreign(tmp_path / "x.nwb", series=["a", "b"], placed=False)
    with pytest.raises(UnreadableFileError, match=r"a, b.*series"):
        read_recording(two)
    with pytest.raises(UnknownNameError):
        read_recording(two, series="c")
    assert read_recording(two, series="b").electrodes is None


def test_no_recording_in_it(tmp_path):
    from myoloop.io import write_nwb

    path = write_nwb(tmp_path / "x.nwb", spikes={"MN": whole().truth.spikes}, description="x")
    with pytest.raises(UnreadableFileError, match="no ElectricalSeries"):
        read_recording(path)
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(UnreadableFileError, match="not NWB"):
        read_recording(tmp_path / "x.txt")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("original") / "x.nwb"
    return write_recording(path, whole(samples=64)).read_bytes()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=20),
    cut=st.none() | st.floats(0, 1),
)
def test_damaged_files(tmp_path, original, places, cut):
    harmed = bytearray(original)
    for place, value in places:
        harmed[min(int(place * len(harmed)), len(harmed) - 1)] = value
    path = tmp_path / "x.nwb"
    path.write_bytes(bytes(harmed if cut is None else harmed[: int(cut * len(harmed))]))
    for look in (read_recording, describe):
        try:
            look(path)
        except MyoloopError as error:
            assert path.name in str(error) or isinstance(error, ParameterError)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("channels", ["a"]),
        ("channels", 3),
        ("bad", [True]),
        ("rate_hz", "fast"),
        ("rate_hz", -1),
        ("t_start_s", None),
        ("dtype", "|O"),
        ("electrodes", {"names": ["a"]}),
        ("electrodes", [1]),
        ("truth", {"about": {}}),
        ("truth", 4),
        ("population", "nobody"),
    ],
)
def test_descriptions_that_lie(written, key, value):
    import json

    with h5py.File(written, "a") as file:
        said = json.loads(file["scratch/myoloop"][()])
        said["recording"][key] = value
        file["scratch/myoloop"][()] = json.dumps(said)
    with pytest.raises(UnreadableFileError, match=r"emg\.nwb"):
        read_recording(written)
