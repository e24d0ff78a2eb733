"""Recordings as text: exports of Delsys, and tables of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from vendor_binaries import discover, emgworks

from myoloop.errors import MyoloopWarning, ParameterError, UnreadableFileError
from myoloop.io import RecordingSummary, describe, read_recording, read_spikes

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def write(tmp_path):
    def put(text, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return put


# -- Delsys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how", [{}, {"separator": ";", "comma": True}, {"separator": "\t"}, {"rates": False}, {"events": True}]
)
def test_trigno_discover(write, how):
    path = write(discover(n=40, **how))
    found, told = read_recording(path), describe(path)
    k = np.arange(40)
    np.testing.assert_allclose(found.values_uV, 1e3 * np.stack([k + 0.5, -k]), rtol=1e-12)
    assert (found.rate_hz, found.t_start_s) == (2000.0, 0.0)
    assert found.channels == ("Avanti Sensor 1: EMG 1", "Avanti Sensor 2: EMG 1")
    assert [(one.name, one.units, one.rate_hz) for one in found.auxiliary] == [
        (f"Avanti Sensor {i}: ACC X", "G", 500.0) for i in (1, 2)
    ]
    np.testing.assert_allclose(found.auxiliary[1].values, np.arange(10) / 10)
    assert told.recordings == {"EMG": RecordingSummary(2, 40, 2000.0)}
    assert (told.format, told.t_stop_s) == ("Delsys Trigno Discover", 0.02)
    assert told.signals == tuple(one.name for one in found.auxiliary)
    with pytest.raises(UnreadableFileError, match="no spikes"):
        read_spikes(path)


def test_trigno_discover_with_sensors_of_two_rates(write):
    lines = discover(n=8).splitlines()
    lines[6] = ", 2000 Hz, , 500 Hz, , 1259.2593 Hz, , 500 Hz"
    path = write("\n".join(lines) + "\n")
    names = ["EMG at 2000 Hz", "EMG at 1259.2593 Hz"]
    assert list(describe(path).recordings) == names
    with pytest.warns(MyoloopWarning, match="samples may be missing"):
        assert len(read_recording(path, series=names[1])) == 1
    with pytest.raises(ParameterError, match="series"), pytest.warns(MyoloopWarning):
        read_recording(path)


def test_trigno_discover_keeps_what_was_not_recorded(write):
    lines = discover(n=8).splitlines()
    cells = lines[10].split(", ")
    cells[1] = ""
    lines[10] = ", ".join(cells)
    found = read_recording(write("\n".join(lines) + "\n"))
    assert np.flatnonzero(np.isnan(found.values_uV[0])).tolist() == [2]
    assert not np.isnan(found.values_uV[1]).any()


def test_a_cut_line_is_left_out(write):
    text = discover(n=20)
    path = write(text[: text.rindex("\n", 0, -1) + 12])
    with pytest.warns(MyoloopWarning, match="last line 28 is cut"):
        assert read_recording(path).values_uV.shape == (2, 19)


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize(("unit", "factor"), [("V", 1e6), ("mV", 1e3), ("uV", 1), ("µV", 1)])
def test_emgworks(write, unit, factor, labels):
    path = write(emgworks(n=40, unit=unit, labels=labels))
    found = read_recording(path)
    np.testing.assert_allclose(found.values_uV, [factor * 1e-6 * np.arange(40)], rtol=1e-12)
    assert (found.rate_hz, found.channels) == (2000.0, ("R VASTUS: EMG 1",))
    acc = found.auxiliary[0]
    assert (acc.name, acc.units, acc.rate_hz, len(acc)) == ("R VASTUS: ACC.X 1", "g", 500.0, 10)
    told = describe(path)
    assert (told.format, told.recordings) == ("Delsys EMGworks", {"EMG": RecordingSummary(1, 40, 2000.0)})


def test_emgworks_that_does_not_tell_its_unit(write):
    with pytest.raises(UnreadableFileError, match=r"unit of 'R VASTUS: EMG 1'; write it .* EMG 1 \[V\]"):
        read_recording(write(emgworks(unit="", labels=False)))


def test_emgworks_padded_with_zeros(write):
    """A slower channel whose end is filled ends where its times begin anew."""
    lines = emgworks(n=40, labels=False).splitlines()
    filled = [line[:-1] + "0,0" if line.endswith(",,") else line for line in lines]
    filled = [line.replace(",0,0", ",0,0") for line in filled]
    found = read_recording(write("\n".join(filled) + "\n"))
    assert (len(found.auxiliary[0]), found.auxiliary[0].rate_hz) == (10, 500.0)


# -- tables -------------------------------------------------------------------------------------------


def table(columns, header=None, separator=",", rows=50):
    values = np.random.default_rng(5).normal(0, 100, (rows, columns)).round(4)
    lines = [] if header is None else [header]
    return values.T, "\n".join(lines + [separator.join(map(repr, row)) for row in values.tolist()]) + "\n"


@pytest.mark.parametrize("separator", [",", "\t", ";", " "])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
def test_table(write, separator, header, name):
    values, text = table(4, separator.join("abcd") if header else None, separator)
    path = write(text, name)
    found = read_recording(path, rate_hz=2048)
    assert found.values_uV.tolist() == values.tolist()
    assert found.channels == (tuple("abcd") if header else ("E1", "E2", "E3", "E4"))
    assert (found.rate_hz, found.auxiliary) == (2048.0, ())
    told = describe(path)
    assert (told.format, told.t_stop_s, told.populations) == ("text", None, {})
    known = told.recordings["EMG"]
    assert (known.n_channels, known.n_samples, np.isnan(known.rate_hz)) == (4, 50, True)
    with pytest.raises(ParameterError, match=r"read_recording\.rate_hz: .* does not tell its sampling rate"):
        read_recording(path)
    with pytest.raises(UnreadableFileError, match="no spikes"):
        read_spikes(path)


def test_units_of_columns(write):
    header = "a_mV,b [V],c (uV),d,e [µV],force_N,angle [deg],Trigger,sample"
    values, text = table(9, header)
    found = read_recording(write("# a comment\n\n" + text), rate_hz=1000)
    np.testing.assert_allclose(found.values_uV, values[:5] * np.array([[1e3], [1e6], [1], [1], [1]]))
    assert found.channels == tuple("abcde")
    assert [(one.name, one.units) for one in found.auxiliary] == [
        ("force", "N"), ("angle", "deg"), ("Trigger", ""),
    ]  # fmt: skip
    assert found.auxiliary[0].values.tolist() == values[5].tolist()


def test_units_in_latin_1(write):
    _, text = table(2, "a [µV],b [µV]")
    assert read_recording(write(text.encode("latin-1")), rate_hz=1000).channels == ("a", "b")


def test_decimal_commas(write):
    values, text = table(3, None, ";")
    found = read_recording(write(text.replace(".", ",")), rate_hz=1000)
    assert found.values_uV.tolist() == values.tolist()


def timed(times, name="time"):
    return f"{name},a,b\n" + "".join(f"{t},{k},{-k}\n" for k, t in enumerate(times))


@pytest.mark.parametrize(
    ("times", "name", "rate"),
    [
        ([f"{3 + k / 2048:.4f}" for k in range(500)], "time", 2048.0),
        ([f"{k / 2048:.3f}" for k in range(500)], "t", 2048.0),
        ([f"{k / 2:.1f}" for k in range(500)], "time_ms", 2000.0),
        ([f"{k / 2:.1f}" for k in range(500)], "Time [ms]", 2000.0),
        ([repr(k * 0.0135 / 17) for k in range(500)], "Time (s)", 17 / 0.0135),
    ],
)
def test_the_column_of_times_tells_the_rate(write, times, name, rate):
    path = write(timed(times, name))
    found = read_recording(path)
    assert found.rate_hz == pytest.approx(rate, rel=1e-12)
    assert found.t_start_s == pytest.approx(float(times[0]))
    assert found.values_uV[0].tolist() == list(range(500))
    assert describe(path).recordings == {"EMG": RecordingSummary(2, 500, found.rate_hz)}
    assert read_recording(path, rate_hz=rate).rate_hz == rate
    with pytest.raises(ParameterError, match="Hz was given, but"):
        read_recording(path, rate_hz=1000)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0, 1, 2, 3, 7, 8, 9], "samples are not at one rate"),
        ([0, 0, 0, 0], "does not ascend"),
        ([3, 2, 1, 0], "does not ascend"),
        ([0, 1, "", 3], "does not ascend"),
    ],
)
def test_times_that_make_no_sense(write, times, message):
    with pytest.raises(UnreadableFileError, match=message):
        read_recording(write(timed(times)))


def test_times_without_a_name(write):
    rows = np.column_stack([np.arange(40) / 500, np.sin(np.arange(40)), np.cos(np.arange(40))])
    text = "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist())
    found = read_recording(write(text))
    assert (len(found), found.rate_hz) == (2, 500.0)
    rows[:, 0] = np.arange(40)  # numbers of samples, which tell no rate
    path = write("".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()))
    assert len(read_recording(path, rate_hz=500)) == 2


def test_spikes_and_recordings_are_told_apart(write):
    assert describe(write("unit,time_s\n0,0.5\n1,0.6\n")).populations[""].n_spikes == 2
    assert describe(write("time_ms,unit,amplitude\n1,0,5\n2,0,5\n")).populations[""].n_spikes == 2
    assert describe(write("0,0.5\n1,0.6\n")).populations[""].n_units == 2
    path = write("0.1,0.5\n0.3,0.6\n0.2,0.8\n")
    assert read_recording(path, rate_hz=1000).values_uV.tolist() == [[0.1, 0.3, 0.2], [0.5, 0.6, 0.8]]
    assert describe(write("a,b\n1,0.5\n2,0.6\n")).recordings["EMG"].n_channels == 2
    assert read_recording(write("5\n6\n7\n"), rate_hz=10).values_uV.tolist() == [[5, 6, 7]]


def test_cells_without_number(write):
    path = write("a,b,force\n1,,3\n4,nan,\n")
    with pytest.warns(MyoloopWarning, match="force is left out"):
        found = read_recording(path, rate_hz=10)
    assert np.isnan(found.values_uV).tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,4\n5\n6,7\n", "line 4: '5' is not 2 numbers"),
        ("a,b\n1,2\n3,4\n5,6,7\n8,9\n", "line 4: '5,6,7' is not 2 numbers"),
        ("a,b\n1,2\n3,4\n5,x\n", "line 4: '5,x' is not 2 numbers"),
        ("a,b\n1,2\n3,inf\n5,6\n", "infinite"),
        ("force,angle\n1,2\n3,4\n", "no EMG among force, angle"),
        ("time,force\n1,2\n3,4\n", "no EMG among"),
        ("a,b\n", "no table of numbers"),
        ("unit,time_s\n0,0.5\n1,0.6\n", "a list of spikes, no recording"),
    ],
)
def test_tables_that_make_no_sense(write, text, message):
    with pytest.raises(UnreadableFileError, match=message) as caught:
        read_recording(write(text), rate_hz=1000)
    assert "a.csv" in str(caught.value)


def test_a_cut_line_of_a_table_is_left_out(write):
    with pytest.warns(MyoloopWarning, match="last line 4 is cut"):
        found = read_recording(write("a,b\n1,2\n3,4\n5"), rate_hz=10)
    assert found.values_uV.tolist() == [[1, 3], [2, 4]]


def test_a_long_table(write, monkeypatch):
    """Several blocks of lines, the wrong one named by its number."""
    monkeypatch.setattr("myoloop.io._vendor._csv._VALUES_AT_ONCE", 10_000)
    lines = ["a,b,c"] + [f"{k},{k}.5,{-k}" for k in range(20_000)]
    path = write("\n".join(lines) + "\n")
    found = read_recording(path, rate_hz=1000)
    assert found.values_uV[:, -1].tolist() == [19_999, 19_999.5, -19_999]
    lines[18_000] = "1,2,"
    assert np.isnan(read_recording(write("\n".join(lines) + "\n"), rate_hz=1000).values_uV[2, 17_999])
    lines[18_001] = "1,2,x"
    with pytest.raises(UnreadableFileError, match="line 18002: '1,2,x'"):
        read_recording(write("\n".join(lines)), rate_hz=1000)
