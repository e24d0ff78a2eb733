"""Binary files of recording devices: scale, names, rates, auxiliary signals, what is told before reading."""

from __future__ import annotations

import numpy as np
import pytest
from vendor_binaries import adapter, otb4, otb_plus, otb_plus_xml, rhd, rhs, stored, tar, track

from myoloop.data import Recording
from myoloop.errors import MyoloopWarning, ParameterError, UnknownNameError, UnreadableFileError
from myoloop.io import RecordingSummary, describe, read_recording, read_spikes


@pytest.fixture
def raw():
    return np.random.default_rng(1).integers(-2000, 2000, (6, 250))


def numbers(channels: int, samples: int, bits: int) -> np.ndarray:
    return np.random.default_rng(2).integers(-(2 ** (bits - 2)), 2 ** (bits - 2), (channels, samples))


# -- OTBiolab+ ----------------------------------------------------------------------------------------


def test_otb_plus(tmp_path, raw):
    path = otb_plus(tmp_path / "a.otb+", raw)
    found = read_recording(path)
    np.testing.assert_allclose(found.values_uV, raw[:4] * (5 / 2**16 / 150 * 1e6), rtol=1e-6)
    assert (found.rate_hz, found.values_uV.dtype) == (2048.0, np.float32)
    assert found.channels == tuple(f"MULTIPLE IN 1-{i}" for i in range(1, 5))
    aux, ramp, force = found.auxiliary
    assert [(one.name, one.units, one.rate_hz) for one in (aux, ramp, force)] == [
        ("AUX 1", "mV", 2048.0), ("RampChannel", "", 2048.0), ("Acquired force", "% MVC", 2048.0),
    ]  # fmt: skip
    np.testing.assert_allclose(aux.values, raw[4] * (5 / 2**16 / 0.5 * 1e3), rtol=1e-6)
    assert ramp.values.tolist() == raw[5].tolist()
    assert force.values.tolist() == np.linspace(0, 30, 250).tolist()
    assert found.about["tracks"][0]["muscle"] == "Vastus lateralis"
    assert "sex" not in str(found.about)


def test_otb_plus_is_described_without_its_samples(tmp_path, raw):
    path = otb_plus(tmp_path / "a.otb+", raw)
    told = describe(path)
    assert told.recordings == {"20260101120000": RecordingSummary(4, 250, 2048.0)}
    assert told.signals == ("AUX 1", "RampChannel", "Acquired force")
    assert (told.format, told.populations, told.t_stop_s) == ("OTBiolab+ .otb+", {}, 250 / 2048)
    with pytest.raises(UnreadableFileError, match="no spikes"):
        read_spikes(path)


@pytest.mark.parametrize(
    ("device", "label", "bits", "uV"),
    [
        ("QUATTROCENTO", "MULTIPLE IN", 16, 0.50863),
        ("DUE", "Due", 16, 0.38147),
        ("DUE+", "Due+", 16, 0.24928),
        ("SYNCSTATION", "Quattro+", 16, 0.24928),
        ("SYNCSTATION", "Sessantaquattro", 16, 0.28610),
        ("SESSANTAQUATTRO", "64", 16, 0.28610),
        ("MUOVI+", "64", 24, 0.28610),
    ],
)
@pytest.mark.filterwarnings("error")
def test_otb_plus_scale_of_each_device(tmp_path, device, label, bits, uV):
    """The numbers that the manufacturer's script writes out, where the file gives the gain 1."""
    values = numbers(3, 50, bits)
    xml = otb_plus_xml([adapter(label, 0, ["x"] * 3)], 3, device=device, bits=bits)
    path = tar(tmp_path / "a.otb+", {"a.xml": xml.encode(), "a.sig": stored(values, bits // 8)})
    np.testing.assert_allclose(read_recording(path).values_uV, values * uV, rtol=2e-5)


def test_otb_plus_gain_of_the_file_is_used(tmp_path):
    xml = otb_plus_xml([adapter("64", 0, ["x", "y"], 128)], 2, device="SESSANTAQUATTRO")
    path = tar(tmp_path / "a.otb+", {"a.xml": xml.encode(), "a.sig": stored(np.ones((2, 9)), 2)})
    with pytest.warns(MyoloopWarning, match="128, and 256 is usual"):
        found = read_recording(path)
    np.testing.assert_allclose(found.values_uV, 4.8 / 2**16 / 128 * 1e6, rtol=1e-6)


@pytest.mark.parametrize(("bits", "size"), [(16, 2), (24, 3), (24, 4), (32, 4)])
def test_otb_plus_widths(tmp_path, bits, size):
    """Numbers of 24 bits come in 3 bytes or in 4."""
    values = numbers(5, 333, bits)
    values[0, :4] = [-1, 1, -(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 2]
    xml = otb_plus_xml([adapter("64", 0, ["x"] * 5, 2)], 5, device="SESSANTAQUATTRO", bits=bits)
    path = tar(tmp_path / "a.otb+", {"a.xml": xml.encode(), "a.sig": stored(values, size)})
    with pytest.warns(MyoloopWarning, match="usual"):
        found = read_recording(path)
    np.testing.assert_allclose(found.values_uV, values * (4.8 / 2**bits / 2 * 1e6), rtol=1e-6)
    assert found.values_uV.dtype == (np.float64 if bits == 32 else np.float32)


def test_otb_plus_channels_in_any_order(tmp_path):
    values = numbers(4, 30, 16)
    xml = otb_plus_xml([adapter("IN2", 2, ["b"] * 2, 150), adapter("IN1", 0, ["a"], 150)], 4)
    path = tar(tmp_path / "a.otb+", {"a.xml": xml.encode(), "a.sig": stored(values, 2)})
    with pytest.warns(MyoloopWarning, match="1 of 4 channels are left out"):
        found = read_recording(path)
    assert found.channels == ("b-1", "b-2", "a")
    np.testing.assert_allclose(found.values_uV, values[[2, 3, 0]] * (5 / 2**16 / 150 * 1e6), rtol=1e-6)


def test_otb_plus_with_two_acquisitions(tmp_path):
    members = {}
    for name, n in (("first", 20), ("second", 30)):
        members[f"{name}.xml"] = otb_plus_xml([adapter("IN", 0, ["a", "a"], 150)], 2).encode()
        members[f"{name}.sig"] = stored(numbers(2, n, 16), 2)
    path = tar(tmp_path / "a.otb+", members)
    assert {name: one.n_samples for name, one in describe(path).recordings.items()} == {
        "first": 20,
        "second": 30,
    }
    assert read_recording(path, series="second").values_uV.shape == (2, 30)
    with pytest.raises(ParameterError, match="series"):
        read_recording(path)
    with pytest.raises(UnknownNameError, match="third"):
        read_recording(path, series="third")


def test_clipped_channels_are_told(tmp_path, raw):
    raw[1, :7] = 32767
    raw[2, 5] = -32768
    with pytest.warns(MyoloopWarning, match=r"clipped: MULTIPLE IN 1-2 \(7\), MULTIPLE IN 1-3 \(1\)"):
        found = read_recording(otb_plus(tmp_path / "a.otb+", raw))
    assert found.about["clipped_samples"] == {"MULTIPLE IN 1-2": 7, "MULTIPLE IN 1-3": 1}
    assert not found.bad.any()


# -- OTBiolab24 ---------------------------------------------------------------------------------------


def test_otb4(tmp_path, raw):
    tracks = [
        track("IN1", 2, 6, 0, volts=3.3, gain=202),
        track("IN2", 2, 6, 2, unit="V", factor=1),
        track("Device", 1, 6, 4, unit="V", factor=1, volts=5, gain=0.5, subtitle="AUX 1"),
        track("Device", 1, 6, 5, bits=0, gain=0, unit="", factor=1, subtitle="Buffer", control="true"),
    ]
    task = [
        track("Path", 1, 2, i, stream="task.sig", size=8, unit="%MVC", factor=1, rate="10", subtitle=name)
        for i, name in enumerate(["Performed", "Original"])
    ]
    paths = np.array([[1.0, 2.5, 3.0], [0.0, 5.0, 10.0]])
    streams = {"a.sig": stored(raw, 2), "task.sig": paths.T.astype("<f8").tobytes()}
    path = otb4(tmp_path / "a.otb4", tracks, streams, task)
    told, found = describe(path), read_recording(path)
    np.testing.assert_allclose(found.values_uV[:2], raw[:2] * (3.3 / 2**16 / 202 * 1e6), rtol=1e-6)
    np.testing.assert_allclose(found.values_uV[2:], raw[2:4] * (4.8 / 2**16 / 256 * 1e6), rtol=1e-6)
    assert found.channels == ("IN1-1", "IN1-2", "IN2-1", "IN2-2")
    signals = {one.name: one for one in found.auxiliary}
    assert list(signals) == ["Device - AUX 1", "Device - Buffer", "Path - Performed", "Path - Original"]
    np.testing.assert_allclose(signals["Device - AUX 1"].values, raw[4] * (5 / 2**16 / 0.5), rtol=1e-6)
    assert signals["Device - Buffer"].values.tolist() == raw[5].tolist()
    assert signals["Path - Original"].values.tolist() == [0, 5, 10]
    assert (signals["Path - Original"].units, signals["Path - Original"].rate_hz) == ("%MVC", 10.0)
    assert told.recordings == {"EMG": RecordingSummary(4, 250, 2000.0)}
    assert told.signals == tuple(signals)
    assert (told.format, told.t_stop_s) == ("OTBiolab24 .otb4", 0.125)
    assert found.about["tracks"][0]["sensor"] == "HD08MM1305"


@pytest.mark.parametrize(("size", "bits"), [(2, 16), (3, 24), (4, 24), (4, 32)])
def test_otb4_widths(tmp_path, size, bits):
    values = numbers(3, 200, bits)
    path = otb4(
        tmp_path / "a.otb4",
        [track("IN1", 3, 3, 0, size=size, bits=bits, gain=2)],
        {"a.sig": stored(values, size)},
    )
    found = read_recording(path)
    np.testing.assert_allclose(found.values_uV, values * (4.8 / 2**bits / 2 * 1e6), rtol=1e-6)


def test_otb4_with_a_stream_for_each_input(tmp_path):
    """Where channels are numbered across streams, the offset in the packet tells the place in each."""
    first, second = numbers(4, 60, 24), numbers(3, 60, 24)
    tracks = [
        track("IN1", 2, 4, 0, stream="a.sig", size=4, bits=24, offset=0),
        track("IN2", 1, 3, 4, stream="b.sig", size=4, bits=24, offset=1),
    ]
    path = otb4(tmp_path / "a.otb4", tracks, {"a.sig": stored(first, 4), "b.sig": stored(second, 4)})
    found = read_recording(path)
    wanted = np.concatenate([first[:2], second[1:2]]) * (4.8 / 2**24 / 256 * 1e6)
    np.testing.assert_allclose(found.values_uV, wanted, rtol=1e-6)
    assert found.channels == ("IN1-1", "IN1-2", "IN2")


def test_otb4_of_two_rates(tmp_path, raw):
    tracks = [track("IN1", 6, 6, 0), track("IN2", 6, 6, 0, stream="b.sig", rate="500")]
    path = otb4(tmp_path / "a.otb4", tracks, {"a.sig": stored(raw, 2), "b.sig": stored(raw[:, :60], 2)})
    assert {name: one.n_samples for name, one in describe(path).recordings.items()} == {
        "EMG at 500 Hz": 60, "EMG at 2000 Hz": 250,
    }  # fmt: skip
    assert read_recording(path, series="EMG at 500 Hz").rate_hz == 500.0


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        ([track("IN1", 4, 6, 0), track("IN2", 4, 6, 2)], "claim channels"),
        ([track("IN1", 4, 6, 3)], "claim channels"),
        ([track("IN1", 6, 6, 0, gain=0)], "Gain of IN1 is 0"),
        ([track("IN1", 6, 6, 0, size=5)], "SampleSize is 5"),
        ([track("IN1", 6, 6, 0, rate="0")], "SamplingFrequency of IN1 is 0"),
        ([track("IN1", 6, 6, 0, rate="nan")], "SamplingFrequency is 'nan'"),
        ([track("IN1", 6, 6, 0, stream="other.sig")], "holds no other.sig"),
        ([track("Quaternion", 6, 6, 0)], "no EMG recording"),
        ([], "no EMG recording"),
    ],
)
def test_otb4_that_makes_no_sense(tmp_path, raw, tracks, message):
    path = otb4(tmp_path / "a.otb4", tracks, {"a.sig": stored(raw, 2)})
    with pytest.raises(UnreadableFileError, match=message):
        read_recording(path)


# -- Intan --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("isolated", [True, False])
def test_rhd(tmp_path, isolated):
    raw = np.random.default_rng(3).integers(1, 65535, (5, 384))
    path = rhd(tmp_path / "a.rhd", raw)
    found = read_recording(path, isolated=isolated)
    np.testing.assert_allclose(found.values_uV, (raw - 32768) * 0.195, rtol=1e-6, atol=1e-3)
    assert (found.rate_hz, found.channels) == (2000.0, tuple(f"vl {i}" for i in range(5)))
    aux, adc = found.auxiliary
    np.testing.assert_allclose(aux.values, (1000 + np.arange(96)) * 37.4e-6, rtol=1e-6)
    np.testing.assert_allclose(adc.values, np.arange(384) * 50.354e-6 + 32768 * 50.354e-6, rtol=1e-6)
    assert [(one.units, one.rate_hz) for one in (aux, adc)] == [("V", 500.0), ("V", 2000.0)]
    told = describe(path, isolated=isolated)
    assert told.recordings == {"EMG": RecordingSummary(5, 384, 2000.0)}
    assert len(told.signals) == 2


def test_rhs(tmp_path):
    raw = np.random.default_rng(4).integers(1, 65535, (3, 256))
    found = read_recording(rhs(tmp_path / "a.rhs", raw))
    np.testing.assert_allclose(found.values_uV, (raw - 32768) * 0.195, rtol=1e-6, atol=1e-3)
    assert found.channels == ("B-000", "B-001", "B-002")
    assert [(one.units, float(np.abs(one.values).max())) for one in found.auxiliary] == [("A", 0.0)]


def test_intan_clipped(tmp_path):
    raw = np.full((2, 128), 40000)
    raw[1, :3] = [0, 65535, 0]
    with pytest.warns(MyoloopWarning, match=r"clipped: vl 1 \(3\)"):
        assert isinstance(read_recording(rhd(tmp_path / "a.rhd", raw)), Recording)


def test_intan_with_a_gap(tmp_path):
    first = rhd(tmp_path / "a.rhd", np.full((2, 128), 40000)).read_bytes()
    later = rhd(tmp_path / "b.rhd", np.full((2, 128), 40000), first=999).read_bytes()
    block = 128 * 4 + 2 * 256 + 64 + 256
    (tmp_path / "a.rhd").write_bytes(first + later[-block:])
    with pytest.raises(UnreadableFileError, match="time stamps have gaps"):
        read_recording(tmp_path / "a.rhd")


@pytest.mark.parametrize("name", ["a.rhs", "a.RHD", "a.bin"])
def test_intan_under_another_name(tmp_path, name):
    path = rhd(tmp_path / "a.rhd", np.full((2, 128), 40000)).rename(tmp_path / name)
    with pytest.raises(UnreadableFileError, match=r"name it a\.rhd"):
        read_recording(path)


def test_rate_of_the_user_and_of_the_file(tmp_path, raw):
    path = otb_plus(tmp_path / "a.otb+", raw)
    assert read_recording(path, rate_hz=2048).rate_hz == 2048.0
    with pytest.raises(ParameterError, match=r"2000 Hz was given, but .* says 2048 Hz"):
        read_recording(path, rate_hz=2000)
    for wrong in (0, -1, np.nan, np.inf, "2048", True):
        with pytest.raises(ParameterError, match="rate_hz"):
            read_recording(path, rate_hz=wrong)
