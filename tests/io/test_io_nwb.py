"""NWB there and back, and what others make of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest

from myoloop.data import Signal, SpikeTrains
from myoloop.errors import (
    MissingDependencyError,
    MyoloopWarning,
    OutputError,
    ParameterError,
    UnknownNameError,
    UnreadableFileError,
)
from myoloop.io import Limits, describe, read_nwb, read_spikes, write_nwb


@pytest.fixture
def written(tmp_path, recording):
    return write_nwb(
        tmp_path / "run.nwb",
        spikes=recording.spikes,
        signals=recording.signals,
        provenance=recording.provenance,
        description="A test.",
        resolution_s=2.5e-5,
    )


def test_round_trip_is_exact(written, recording, same):
    same(recording, read_nwb(written))


def test_nothing_but_spikes(tmp_path, pool, same_spikes):
    path = write_nwb(tmp_path / "s.nwb", spikes={"MN": pool}, description="")
    same_spikes(pool, read_spikes(path))
    assert read_spikes(path, n_units=12).counts[10:].tolist() == [0, 0]
    assert read_spikes(path, t_stop_s=20).t_stop_s == 20


def test_nothing_but_signals(tmp_path, recording):
    path = write_nwb(tmp_path / "s.nwb", spikes={}, signals=recording.signals, description="x")
    assert list(read_nwb(path).signals) == list(recording.signals)
    with pytest.raises(UnreadableFileError, match="no Units table"):
        read_spikes(path)


def test_others_read_it(written, recording):
    pynwb = pytest.importorskip("pynwb")
    with pynwb.NWBHDF5IO(str(written), "r") as file:
        found = file.read()
        table = found.units.to_dataframe()
        assert found.units.resolution == 2.5e-5
        assert table["population"].tolist() == ["MN"] * 10 + ["IN"] * 6
        assert table["unit_index"].tolist() == [*range(10), *range(6)]
        np.testing.assert_array_equal(table["spike_times"][3], recording.spikes["MN"][3])
        voltage = found.acquisition["MN.v"]
        assert voltage.unit == "volts"
        np.testing.assert_allclose(
            voltage.data[:] * voltage.conversion, recording.signals["MN.v"].values * 1e-3
        )
        assert found.acquisition["force"].unit == "newtons"
    assert not pynwb.validate(path=str(written))


def test_inspector_finds_nothing_critical(written):
    inspector = pytest.importorskip("nwbinspector")
    found = list(inspector.inspect_nwbfile(nwbfile_path=str(written)))
    serious = [m for m in found if m.importance.name != "BEST_PRACTICE_SUGGESTION"]
    assert not serious, serious


def test_same_content_has_the_same_identifier(tmp_path, pool):
    pynwb = pytest.importorskip("pynwb")
    start = datetime(2026, 1, 2, tzinfo=UTC)

    def identifier(name: str, **more) -> str:
        path = write_nwb(tmp_path / name, spikes={"MN": pool}, description="x", session_start=start, **more)
        with pynwb.NWBHDF5IO(str(path), "r") as file:
            found = file.read()
            assert found.session_start_time == start
            return found.identifier

    assert identifier("a.nwb") == identifier("b.nwb") != identifier("c.nwb", provenance={"seed": 2})


def test_existing_file_is_kept(written, pool):
    before = written.read_bytes()
    with pytest.raises(OutputError, match=r"exists already.*overwrite"):
        write_nwb(written, spikes={"MN": pool}, description="x")
    assert written.read_bytes() == before
    write_nwb(written, spikes={"MN": pool}, description="x", overwrite=True)
    assert list(read_nwb(written).spikes) == ["MN"]
    assert [p.name for p in written.parent.iterdir()] == [written.name]


def test_which_population(written):
    with pytest.raises(ParameterError, match="MN, IN"):
        read_spikes(written)
    with pytest.raises(UnknownNameError, match="did you mean 'MN'"):
        read_spikes(written, population="Mn")
    assert len(read_spikes(written, population="IN")) == 6


def test_describe(written):
    found = describe(written)
    assert (found.format, found.t_stop_s, found.status) == ("NWB", 15.0, "complete")
    assert (found.populations["MN"].n_units, found.populations["MN"].n_active) == (10, 8)
    assert set(found.signals) == {"MN.v", "force", "a_b_ %MVC"}


def test_limits(written):
    for limits in (Limits(spikes=5), Limits(units=5), Limits(samples=5), Limits(text_bytes=5)):
        with pytest.raises(UnreadableFileError, match=r"Limits|text"):
            read_nwb(written, limits=limits)


def test_objects_are_refused(tmp_path):
    trains = SpikeTrains.from_trains([[0.5]], 1.0, annotations={"x": np.array([object()])})
    with pytest.raises(ParameterError, match="annotations"):
        write_nwb(tmp_path / "x.nwb", spikes={"MN": trains}, description="x")
    assert not list(tmp_path.iterdir())


def test_missing_extra_is_named(tmp_path, pool, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(MissingDependencyError, match=r"myoloop\[nwb\]"):
        write_nwb(tmp_path / "x.nwb", spikes={"MN": pool}, description="x")


# -- files of others ---------------------------------------------------------------------------


def foreign(path, *, times, ends, **more):
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.6.0"
        units = file.create_group("units")
        units.attrs["colnames"] = ["spike_times", *more]
        units["spike_times"], units["spike_times_index"] = times, np.array(ends, dtype=np.uint8)
        for key, value in more.items():
            units[key] = value
    return path


def test_file_of_others(tmp_path):
    path = foreign(tmp_path / "x.nwb", times=[0.1, 0.2, 0.05], ends=[2, 2, 3], quality=["good", "", "bad"])
    found = read_spikes(path)
    assert [t.tolist() for t in found] == [[0.1, 0.2], [], [0.05]]
    assert found.annotations["quality"].tolist() == ["good", "", "bad"]
    assert found.t_stop_s == 0.2
    with pytest.warns(MyoloopWarning, match="quality"):
        assert len(read_spikes(path, n_units=5)) == 5
    with pytest.raises(ParameterError, match="n_units"):
        read_spikes(path, n_units=2)


def test_pytables_of_pynwb(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    file = pynwb.NWBFile("x", "x", datetime.now(UTC))
    file.add_unit_column("depth", "um")
    for unit in range(3):
        file.add_unit(
            spike_times=np.arange(1, 4) + unit / 10, obs_intervals=[[0.5, 2.0], [2.0, 9.0]], depth=unit
        )
    file.add_acquisition(
        pynwb.TimeSeries(name="emg", data=np.arange(10), unit="volts", conversion=1e-6, rate=10.0)
    )
    file.add_acquisition(
        pynwb.TimeSeries(name="odd", data=np.arange(3), unit="m", timestamps=[0.0, 1.0, 3.0])
    )
    with pynwb.NWBHDF5IO(str(tmp_path / "x.nwb"), "w") as sink:
        sink.write(file)
    found = read_nwb(tmp_path / "x.nwb")
    trains = found.spikes[""]
    assert (trains.t_start_s, trains.t_stop_s, len(trains)) == (0.5, 9.0, 3)
    assert trains.annotations["depth"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.signals["emg"].values, np.arange(10) * 1e-6)
    assert "odd" in found.warnings[0]


@pytest.mark.parametrize(
    ("times", "ends", "message"),
    [
        ([0.2, 0.1], [2], r"unit 0: 0.1 s follows 0.2 s.*sort"),
        ([-0.2, 0.1], [2], "negative"),
        ([np.nan, 0.1], [2], "nan"),
        ([0.1, 0.2], [3], "does not fit"),
        ([0.1, 0.2], [2, 1], "does not fit"),
    ],
)
def test_bad_spikes_of_others(tmp_path, times, ends, message):
    with pytest.raises(UnreadableFileError, match=message) as caught:
        read_spikes(foreign(tmp_path / "x.nwb", times=times, ends=ends))
    assert "x.nwb" in str(caught.value)


def test_links_and_outside_data_are_refused(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(np.arange(4.0).tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["t"] = [0.1]
    link, outside = tmp_path / "link.nwb", tmp_path / "outside.nwb"
    for path in (link, outside):
        foreign(path, times=[0.1], ends=[1])
        with h5py.File(path, "a") as file:
            del file["units/spike_times"]
            if path == link:
                file["units/spike_times"] = h5py.ExternalLink("other.h5", "t")
            else:
                file["units"].create_dataset("spike_times", (4,), "f8", external=[(str(secret), 0, 32)])
        with pytest.raises(UnreadableFileError, match=r"somewhere else|another file"):
            read_spikes(path)


def test_a_claim_of_a_trillion_spikes_is_refused(tmp_path):
    path = foreign(tmp_path / "x.nwb", times=[0.1], ends=[1])
    with h5py.File(path, "a") as file:
        del file["units/spike_times"]
        file["units"].create_dataset("spike_times", (10**12,), "f8", chunks=(1000,), compression="gzip")
    with pytest.raises(UnreadableFileError, match="1000000000000"):
        read_spikes(path)


def test_signal_dtype_and_length(tmp_path):
    signal = Signal(np.zeros((400_000, 1), dtype=np.float32), 2048.0, "uV")
    path = write_nwb(tmp_path / "x.nwb", spikes={}, signals={"emg": signal}, description="x")
    assert read_nwb(path).signals["emg"].values.dtype == np.float32
