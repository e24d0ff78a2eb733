"""Recordings and decompositions that other programs left in MATLAB and JSON files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.io import savemat
from vendor_files import (
    RATE_HZ,
    SERIES,
    cell,
    emg,
    save73,
    write_demuse,
    write_muedit,
    write_openhdemg,
    write_otb,
)

from myoloop.errors import MyoloopWarning, ParameterError, UnknownNameError, UnreadableFileError
from myoloop.io import Limits, describe, read_recording, read_spikes

SPIKES = [[10, 100, 250], [5, 299]]
UNIT = pytest.mark.filterwarnings("ignore:.*does not state the unit")


def same_spikes(trains, spikes, t_start_s=0.0):
    assert len(trains) == len(spikes)
    for found, given in zip(trains, spikes, strict=True):
        np.testing.assert_allclose(found, t_start_s + np.array(given) / RATE_HZ, atol=1e-12)


# --- OTBiolab ----------------------------------------------------------------------------------------


def test_otb(tmp_path):
    values = emg()
    path = write_otb(tmp_path / "a.mat", values, SPIKES, t_start_s=7.0)
    about = describe(path)
    assert (about.format, about.signals) == ("OTBiolab .mat", ("acquired data",))
    summary = about.recordings[SERIES]
    assert (summary.n_channels, summary.n_samples, summary.rate_hz) == (64, 300, RATE_HZ)
    pool = about.populations[SERIES]
    assert (pool.n_units, pool.n_active, pool.n_spikes) == (2, 2, 5)
    assert about.t_stop_s == pytest.approx(7 + 300 / RATE_HZ)
    recording = read_recording(path)
    assert recording.values_uV.dtype == np.float32
    np.testing.assert_array_equal(recording.values_uV, values)
    assert (recording.t_start_s, recording.truth, recording.channels[:2]) == (7.0, None, ("E01", "E02"))
    assert recording.electrodes.pitch_mm == 8.0
    (force,) = recording.auxiliary
    assert (force.name, force.units, force.t_start_s) == ("acquired data", "% MVC", 7.0)
    np.testing.assert_allclose(force.values, np.linspace(0, 20, 300), rtol=1e-6)
    same_spikes(read_spikes(path), SPIKES, 7.0)
    assert read_spikes(path, n_units=4).counts.tolist() == [3, 2, 0, 0]


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1), ("mV", 1e3), ("V", 1e6)])
def test_otb_units(tmp_path, unit, factor):
    values = emg(4)
    path = write_otb(tmp_path / "a.mat", values, [], unit=unit)
    np.testing.assert_allclose(read_recording(path).values_uV, factor * values, rtol=1e-6)


def test_otb_integers_become_float32(tmp_path):
    data = np.arange(1200, dtype=np.int16).reshape(300, 4)
    labels = cell(*(f"{SERIES} ({i})[uV]" for i in range(1, 5)), shape=(-1, 1))
    savemat(tmp_path / "a.mat", {"Data": cell(data), "Description": labels, "SamplingFrequency": RATE_HZ})
    found = read_recording(tmp_path / "a.mat")
    assert found.values_uV.dtype == np.float32
    np.testing.assert_array_equal(found.values_uV, data.T)
    assert found.t_start_s == 0.0


def test_otb_channels_left_out_on_export_keep_their_place(tmp_path):
    path = write_otb(tmp_path / "a.mat", emg(3), [], numbers=[2, 1, 64])
    found = read_recording(path)
    assert found.channels == ("E02", "E01", "E64")
    assert found.electrodes.place.tolist() == [[2, 0], [1, 0], [12, 4]]


def test_otb_unknown_grid_has_no_electrodes(tmp_path):
    path = write_otb(tmp_path / "a.mat", emg(8), [], series="Biceps - GR03MM0402")
    assert read_recording(path).electrodes is None


def test_otb_several_grids_and_other_inputs(tmp_path):
    other = {
        "Biceps - MULTIPLE IN 2 - HD08MM1305 (1)[mV]": np.ones(300),
        "Auxiliary input (1)[V]": np.arange(300),
    }
    path = write_otb(tmp_path / "a.mat", emg(), SPIKES, extra=other)
    biceps = "Biceps - MULTIPLE IN 2 - HD08MM1305"
    assert {name: r.n_channels for name, r in describe(path).recordings.items()} == {SERIES: 64, biceps: 1}
    with pytest.raises(ParameterError, match="series"):
        read_recording(path)
    with pytest.raises(UnknownNameError):
        read_recording(path, series="x")
    found = read_recording(path, series=biceps)
    assert np.all(found.values_uV == 1000)
    assert [(one.name, one.units) for one in found.auxiliary] == [
        ("acquired data", "% MVC"),
        ("Auxiliary input (1)", "V"),
    ]
    same_spikes(read_spikes(path), SPIKES)


def test_otb_a_clock_that_disagrees_is_told(tmp_path):
    path = write_otb(tmp_path / "a.mat", emg(4), [], Time=cell(np.linspace(0, 1, 300)[:, np.newaxis]))
    with pytest.warns(MyoloopWarning, match="clock"):
        assert read_recording(path).t_start_s == 0.0


def test_otb_a_trace_with_nan_stays_behind(tmp_path):
    path = write_otb(tmp_path / "a.mat", emg(4), [], extra={"performed path[N]": np.full(300, np.nan)})
    with pytest.warns(MyoloopWarning, match="performed path"):
        assert [one.name for one in read_recording(path).auxiliary] == ["acquired data"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SamplingFrequency": np.array([[0.0]])}, "sampling rate"),
        ({"SamplingFrequency": "2048"}, "sampling frequency"),
        ({"Description": cell("a", shape=(-1, 1))}, "descriptions"),
        ({"Time": cell(np.zeros((3, 1)))}, "times"),
        ({"Data": cell(np.zeros((0, 0)))}, "descriptions"),
    ],
)
def test_otb_what_cannot_be_true_is_refused(tmp_path, changes, message):
    path = write_otb(tmp_path / "a.mat", emg(4), SPIKES, **changes)
    for look in (describe, read_recording, read_spikes):
        with pytest.raises(UnreadableFileError, match=message):
            look(path)


# --- DEMUSE ------------------------------------------------------------------------------------------


@UNIT
@pytest.mark.parametrize("v73", [False, True])
def test_demuse(tmp_path, v73):
    values = emg()
    path = write_demuse(tmp_path / "a.mat", values, SPIKES, v73)
    about = describe(path)
    assert (about.format, about.signals) == ("DEMUSE .mat", ("ref_signal",))
    summary = about.recordings["SIG"]
    assert (summary.n_channels, summary.n_samples, summary.rate_hz) == (64, 300, RATE_HZ)
    assert about.populations["MUPulses"].n_spikes == 5
    recording = read_recording(path)
    np.testing.assert_array_equal(recording.values_uV, values)
    assert recording.electrodes.place[:3].tolist() == [[1, 0], [2, 0], [3, 0]]
    assert recording.electrodes.pitch_mm == 8.0
    assert [tuple(p) for p in recording.electrodes.place[recording.bad]] == [
        (12, 0),
        (11, 1),
        (10, 2),
        (9, 3),
        (8, 4),
    ]
    assert recording.auxiliary[0].units == ""
    trains = read_spikes(path)
    same_spikes(trains, SPIKES)
    np.testing.assert_array_equal(trains.annotations["pnr_dB"], [30, 40])
    assert trains.t_stop_s == pytest.approx(300 / RATE_HZ)


def test_demuse_says_that_the_unit_is_unknown(tmp_path):
    path = write_demuse(tmp_path / "a.mat", emg(), SPIKES)
    with pytest.warns(MyoloopWarning, match="unit"):
        assert "not stated" in read_recording(path).about["unit_of_file"]


@UNIT
def test_demuse_single_differential_has_no_electrodes(tmp_path):
    assert (
        read_recording(write_demuse(tmp_path / "a.mat", emg(), SPIKES, origRecMode="SD")).electrodes is None
    )


@pytest.mark.parametrize("v73", [False, True])
def test_demuse_results_without_emg(tmp_path, v73):
    for gone in ({"SIG": None}, {"SIG": None, "IPTs": None}):
        path = write_demuse(tmp_path / "a.mat", emg(), SPIKES, v73, **gone)
        assert not describe(path).recordings
        same_spikes(read_spikes(path), SPIKES)
        with pytest.raises(UnreadableFileError, match="no EMG"):
            read_recording(path)


def test_demuse_spikes_out_of_order_are_sorted_with_a_warning(tmp_path):
    path = write_demuse(tmp_path / "a.mat", emg(), [[100, 10, 250]])
    with pytest.warns(MyoloopWarning, match="out of order"):
        same_spikes(read_spikes(path), [[10, 100, 250]])


@pytest.mark.parametrize("wrong", [[-1], [300], [1.5], [float("nan")]])
def test_demuse_spikes_at_no_sample_are_refused(tmp_path, wrong):
    with pytest.raises(UnreadableFileError, match="unit 0"):
        read_spikes(write_demuse(tmp_path / "a.mat", emg(), [wrong]))


# --- MUedit ------------------------------------------------------------------------------------------

A, B = "1 - Muscle A - GR08MM1305", "2 - Muscle B - GR08MM1305"


@UNIT
@pytest.mark.parametrize("v73", [False, True])
def test_muedit(tmp_path, v73):
    values = emg(128)
    path = write_muedit(tmp_path / "a.mat", values, [SPIKES, [[7]]], v73)
    about = describe(path)
    assert (about.format, about.signals) == ("MUedit .mat", ("AUX 1", "Path", "target"))
    assert {name: (r.n_channels, r.n_samples) for name, r in about.recordings.items()} == {
        A: (64, 300),
        B: (64, 300),
    }
    assert {name: (p.n_units, p.n_spikes) for name, p in about.populations.items()} == {A: (2, 5), B: (1, 1)}
    for i, name in enumerate((A, B)):
        recording = read_recording(path, series=name)
        np.testing.assert_array_equal(recording.values_uV, values[64 * i : 64 * i + 64])
        assert np.flatnonzero(recording.bad).tolist() == [i]
        assert recording.electrodes.place[-1].tolist() == [12, 4]
    np.testing.assert_array_equal(recording.auxiliary[1].values, -np.arange(300))
    same_spikes(read_spikes(path, population=A), SPIKES)
    same_spikes(read_spikes(path, population=B), [[7]])


def test_muedit_edited_spikes_come_first(tmp_path):
    times = np.empty((1, 1), dtype=object)
    times[0, 0] = np.array([[2.0, 3.0]])
    path = write_muedit(
        tmp_path / "a.mat",
        emg(),
        [SPIKES],
        edition={"Dischargetimes": times, "Pulsetrain": cell(np.ones((1, 300)))},
    )
    same_spikes(read_spikes(path), [[1, 2]])


@UNIT
def test_muedit_coordinates_where_the_name_tells_nothing(tmp_path):
    place = np.array([[r + 1, c + 1] for c in range(4) for r in range(16)], dtype=float)
    changes = {
        "gridname": cell("my own grid"),
        "coordinates": cell(place),
        "IED": np.array([[2.5]]),
        "emgtype": np.array([[2.0]]),
    }
    electrodes = read_recording(write_muedit(tmp_path / "a.mat", emg(), [[]], signal=changes)).electrodes
    np.testing.assert_array_equal(electrodes.place, place - 1)
    assert electrodes.pitch_mm == 2.5 and electrodes.intramuscular
    del changes["IED"]
    assert read_recording(write_muedit(tmp_path / "b.mat", emg(), [[]], signal=changes)).electrodes is None


def test_muedit_grids_that_do_not_fit_the_channels_are_refused(tmp_path):
    path = write_muedit(tmp_path / "a.mat", emg(100), [SPIKES])
    with pytest.raises(UnreadableFileError, match="100"):
        describe(path)


# --- openhdemg ---------------------------------------------------------------------------------------


@UNIT
@pytest.mark.parametrize("layout", ["split", "plain", "columns"])
def test_openhdemg(tmp_path, layout):
    values = emg(12)
    path = write_openhdemg(tmp_path / "a.json", values, SPIKES, layout)
    about = describe(path)
    assert (about.format, about.signals) == ("openhdemg JSON", ("REF_SIGNAL",))
    assert about.populations["MUPULSES"].n_spikes == 5
    recording = read_recording(path)
    np.testing.assert_allclose(recording.values_uV, values)
    assert recording.electrodes is None and recording.about["pitch_mm"] == 8.0
    np.testing.assert_allclose(recording.auxiliary[0].values, np.linspace(0, 20, 300))
    trains = read_spikes(path)
    same_spikes(trains, SPIKES)
    np.testing.assert_allclose(trains.annotations["accuracy"], [0.9, 0.95])


@UNIT
def test_openhdemg_null_is_a_sample_that_was_not_recorded(tmp_path):
    path = write_openhdemg(tmp_path / "a.json", emg(2, 4), [], "plain")
    content = json.loads(path.read_text())
    content["RAW_SIGNAL"] = json.dumps(
        {"columns": [1, 0], "index": [0, 1], "data": [[1.0, None], [2.0, 3.0]]}
    )
    path.write_text(json.dumps(content))
    np.testing.assert_array_equal(read_recording(path).values_uV, [[np.nan, 3], [1, 2]])


def test_other_json_is_not_claimed(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}')
    with pytest.raises(UnreadableFileError):
        read_recording(path)


# --- all of them -------------------------------------------------------------------------------------


def test_a_matlab_file_of_nobody_we_know_says_what_is_in_it(tmp_path):
    for save in (savemat, save73):
        save(tmp_path / "a.mat", {"measurement": np.eye(3)})
        for look in (describe, read_recording, read_spikes):
            with pytest.raises(UnreadableFileError, match=r"measurement.*OTBiolab"):
                look(tmp_path / "a.mat")


@UNIT
def test_limits_come_before_the_memory(tmp_path):
    files = [
        write_otb(tmp_path / "a.mat", emg(), SPIKES),
        write_demuse(tmp_path / "b.mat", emg(), SPIKES),
        write_demuse(tmp_path / "c.mat", emg(), SPIKES, v73=True),
        write_muedit(tmp_path / "d.mat", emg(), [SPIKES]),
        write_openhdemg(tmp_path / "e.json", emg(), SPIKES),
    ]
    for path in files:
        with pytest.raises(UnreadableFileError, match=r"Limits\.samples"):
            read_recording(path, limits=Limits(samples=1000))
        for look in (describe, read_spikes):
            with pytest.raises(UnreadableFileError, match=r"bytes.*Limits|limits"):
                look(path, limits=Limits(samples=1000, text_bytes=1000))
        with pytest.raises(UnreadableFileError, match=r"Limits\.spikes"):
            read_spikes(path, limits=Limits(spikes=2))
