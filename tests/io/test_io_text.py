"""Event lists as text."""

from __future__ import annotations

import numpy as np
import pytest

from myoloop.errors import ParameterError, UnknownNameError, UnreadableFileError
from myoloop.io import Limits, describe, read_spikes


@pytest.fixture
def write(tmp_path):
    def one(text, name="spikes.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return one


@pytest.mark.parametrize(
    "text",
    [
        "unit,time_s\n0,0.5\n2,0.25\n0,0.75\n",
        "0,0.5\n2,0.25\n0,0.75",
        "# by hand\n\nunit,time_ms  # header\n0,500\n2,250\r\n0,750\n",
        "\ufeffunit\ttime_s\n0\t0.5\n2\t0.25\n0\t0.75\n",
        "time_s;quality;unit\n0.5;good;0\n0.25;;2\n0.75;bad;0\n",
        "0 0.5\n2   0.25\n0 0.75\n",
        '"Unit","Time_s"\n0,5e-1\n2,.25\n0,0.75\n',
        "0.0,0.5\n2.0,0.25\n0,0.75\n",
    ],
)
def test_spellings(write, text):
    trains = read_spikes(write(text), n_units=4)
    assert [t.tolist() for t in trains] == [[0.5, 0.75], [], [0.25], []]
    assert trains.t_stop_s == 0.75


def test_end_and_pool(write):
    path = write("1,0.5\n")
    assert len(read_spikes(path)) == 2
    assert read_spikes(path, t_stop_s=3).t_stop_s == 3
    found = describe(path)
    assert (found.format, found.t_stop_s) == ("text", 0.5)
    assert (
        found.populations[""].n_units,
        found.populations[""].n_active,
        found.populations[""].n_spikes,
    ) == (2, 1, 1)


def test_milliseconds_are_exact(write):
    times = np.arange(1, 2000) * 0.025
    text = "unit,time_ms\n" + "".join(f"0,{t:.3f}\n" for t in times)
    np.testing.assert_array_equal(read_spikes(write(text))[0], [float(f"{t:.3f}") / 1e3 for t in times])


def test_no_spikes_at_all(write):
    path = write("unit,time_s\n")
    silent = read_spikes(path, n_units=3, t_stop_s=2.0)
    assert (len(silent), len(silent.times_s)) == (3, 0)
    with pytest.raises(ParameterError, match="t_stop_s"):
        read_spikes(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unit,time_s\n0,0.5\n0,x\n", r"line 3: '0,x' is not a unit and a time"),
        ("unit,time_s\n0,0.5\n\n# more\n0\n", "line 5"),
        ("0,0.5\n0,nan\n", "line 2: the spike time is nan"),
        ("0,0.5\n0,inf\n", "line 2: the spike time is inf"),
        ("0,0.5\n0,-0.5\n", "line 2: a negative spike time"),
        ("unit,time_s\n0,0.5\n1,0.1\n# x\n0,0.25\n", r"line 5: 0.25 s follows 0.5 s of the same unit; sort"),
        ("-1,0.5\n", "line 1: -1 is not a unit index"),
        ("1.5,0.5\n", "line 1: 1.5 is not a unit index"),
        ("nan,0.5\n", "line 1: nan is not a unit index"),
        ("1e12,0.5\n", "line 1: 1e.12 is not a unit index"),
        ("neuron,onset\n0,0.5\n", "line 1: a header with the columns neuron, onset"),
        ("unit,time_s,time_ms\n0,0.5,500\n", "line 1: a header"),
        ("0,1,2\n", "line 1: 3 columns without a header"),
        ("0,5" + "0" * 5000, "line 1 is longer"),
        (b"\xff\xfe0\x00,\x005\x00", "UTF-8"),
        (b"", "empty"),
    ],
)
def test_bad_lines(write, text, message):
    with pytest.raises(UnreadableFileError, match=message) as caught:
        read_spikes(write(text))
    assert "spikes.csv" in str(caught.value)


def test_the_line_is_found_in_a_long_file(write):
    lines = ["unit,time_s"] + [f"{n % 7},{n / 1000}" for n in range(150_000)]
    lines[123_456] = "0,0.1"
    with pytest.raises(UnreadableFileError, match="line 123457"):
        read_spikes(write("\n".join(lines)))


@pytest.mark.parametrize(
    "wrong", [{"n_units": 0}, {"n_units": 1}, {"n_units": 2.5}, {"t_stop_s": 0.1}, {"t_stop_s": np.nan}]
)
def test_bad_arguments(write, wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        read_spikes(write("1,0.5\n"), **wrong)


def test_limits_and_population(write):
    path = write("0,0.5\n1,0.5\n")
    with pytest.raises(UnreadableFileError, match=r"Limits.spikes"):
        read_spikes(path, limits=Limits(spikes=1))
    with pytest.raises(UnreadableFileError, match="unit index from 0 to 0"):
        read_spikes(path, limits=Limits(units=1))
    with pytest.raises(UnreadableFileError, match=r"Limits.units"):
        read_spikes(path, n_units=10**8)
    with pytest.raises(UnknownNameError):
        read_spikes(path, population="MN")


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_no_file(tmp_path, name):
    with pytest.raises(UnreadableFileError, match=r"no such file|not a regular file"):
        read_spikes(tmp_path / name)


@pytest.mark.parametrize(("name", "text"), [("x.nwb", "0,1"), ("x.nix", "0,1"), ("x.mat", b"MATLAB\0\0")])
def test_of_another_format(write, name, text):
    with pytest.raises(UnreadableFileError, match=r"give NWB \(.nwb\), NIX"):
        read_spikes(write(text, name))
