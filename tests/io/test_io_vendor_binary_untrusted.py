"""Files of devices, whatever their bytes: whole samples, or an error of ours."""

from __future__ import annotations

import gzip
import io
import tarfile
import warnings
from functools import partial

import numpy as np
import pytest
from vendor_binaries import (
    adapter,
    discover,
    emgworks,
    otb4,
    otb_plus,
    otb_plus_xml,
    rhd,
    rhs,
    stored,
    tar,
    track,
)

from myoloop.data import Recording
from myoloop.errors import MyoloopError, MyoloopWarning, ParameterError, UnreadableFileError
from myoloop.io import Limits, describe, read_recording, read_spikes

RAW = np.random.default_rng(7).integers(-2000, 2000, (6, 200))


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A small file of each format, as bytes, by its name."""
    folder = tmp_path_factory.mktemp("originals")
    table = "time,a,b,force_N\n" + "".join(f"{k / 1000},{k},{-k},{k}\n" for k in range(300))
    streams = {"a.sig": stored(RAW, 2), "task.sig": np.arange(9.0).tobytes()}
    otb_plus(folder / "a.otb+", RAW)
    tracks = [track("IN1", 4, 6, 0), track("AUX", 2, 6, 4, unit="V", factor=1)]
    otb4(folder / "a.otb4", tracks, streams, [track("Path", 1, 1, 0, stream="task.sig", size=8)])
    rhd(folder / "a.rhd", np.tile(RAW, 2)[:, :384] + 32768)
    rhs(folder / "a.rhs", np.tile(RAW, 2)[:2, :384] + 32768)
    (folder / "discover.csv").write_text(discover(n=60))
    (folder / "emgworks.csv").write_text(emgworks(n=60))
    (folder / "table.csv").write_text(table)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


NAMES = ("a.otb+", "a.otb4", "a.rhd", "a.rhs", "discover.csv", "emgworks.csv", "table.csv")


def survives(path):
    """Both looks at a file end well or in an error of ours; the recording, if there is one."""
    found = None
    for look in (describe, read_recording):
        try:
            found = look(path, isolated=False, limits=Limits(samples=1_000_000, text_bytes=1_000_000))
        except MyoloopError as error:
            assert path.name in str(error) or isinstance(error, ParameterError)
            found = None
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_flipped_bytes(tmp_path, originals, name):
    random = np.random.default_rng(8)
    for _ in range(100):
        harmed = np.frombuffer(originals[name], np.uint8).copy()
        early = random.random() < 0.6
        span = min(len(harmed), 3000) if early else len(harmed)
        harmed[random.integers(0, span, random.integers(1, 12))] = random.integers(0, 256)
        path = tmp_path / name
        path.write_bytes(harmed.tobytes())
        found = survives(path)
        assert found is None or isinstance(found, Recording)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_cut_files(tmp_path, originals, name):
    """What is read of a file that ends early is the beginning of what is read of the whole."""
    path = tmp_path / name
    path.write_bytes(originals[name])
    whole = survives(path)
    assert whole is not None
    some = 0
    for size in np.random.default_rng(9).integers(0, len(originals[name]), 60):
        path.write_bytes(originals[name][:size])
        found = survives(path)
        if found is not None:
            some += 1
            length = found.values_uV.shape[1]
            if name.endswith(".csv"):
                length -= 1  # where a last number is cut, nobody can tell
            np.testing.assert_array_equal(found.values_uV[:, :length], whole.values_uV[:, :length])
    assert some or name == "a.otb4"  # whose XML may lie at the end


@pytest.mark.parametrize("name", NAMES)
def test_in_a_child(tmp_path, originals, name):
    path = tmp_path / name
    path.write_bytes(originals[name])
    inside, outside = read_recording(path, isolated=True), read_recording(path, isolated=False)
    np.testing.assert_array_equal(inside.values_uV, outside.values_uV)
    assert (inside.channels, inside.rate_hz, inside.about) == (
        outside.channels,
        outside.rate_hz,
        outside.about,
    )


@pytest.mark.parametrize("name", NAMES)
def test_too_many_samples(tmp_path, originals, name):
    path = tmp_path / name
    path.write_bytes(originals[name])
    with pytest.raises(UnreadableFileError, match=r"Limits\.samples"):
        read_recording(path, limits=Limits(samples=50))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "content", [b"\0" * 3000, b"nothing of the kind\n", b"\x89HDF\r\n\x1a\n" + bytes(100)]
)
def test_of_another_kind(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    for look in (read_recording, read_spikes, describe):
        with pytest.raises(UnreadableFileError, match=path.name.replace("+", r"\+")):
            look(path)


def test_truncated_signal(tmp_path, originals):
    path = tmp_path / "a.otb+"
    data = originals["a.otb+"]
    begin = data.index(stored(RAW, 2))
    path.write_bytes(data[: begin + 12 * 50 + 7])
    with pytest.warns(
        MyoloopWarning, match="truncated within 20260101120000.sig: 50 of 200 samples a channel are kept"
    ):
        found = read_recording(path)
    np.testing.assert_allclose(found.values_uV, RAW[:4, :50] * (5 / 2**16 / 150 * 1e6), rtol=1e-6)
    path.write_bytes(data[: begin + 5])
    with pytest.raises(UnreadableFileError, match="no whole frame of 12 bytes"):
        read_recording(path)


def test_a_signal_that_ends_within_a_frame(tmp_path):
    streams = {"a.sig": stored(RAW, 2)[:-5]}
    path = otb4(tmp_path / "a.otb4", [track("IN1", 6, 6, 0)], streams)
    with pytest.warns(MyoloopWarning, match="ends within a frame of 12 bytes: 199 samples"):
        assert read_recording(path).values_uV.shape == (6, 199)


def test_streams_of_different_length(tmp_path):
    tracks = [track("IN1", 6, 6, 0), track("IN2", 6, 6, 0, stream="b.sig")]
    path = otb4(tmp_path / "a.otb4", tracks, {"a.sig": stored(RAW, 2), "b.sig": stored(RAW[:, :30], 2)})
    with pytest.warns(MyoloopWarning, match="from 30 to 200 samples"):
        assert read_recording(path).values_uV.shape == (12, 30)


def test_auxiliary_signals_that_cannot_be_read(tmp_path):
    tracks = [
        track("IN1", 6, 6, 0),
        track("Force", 1, 1, 0, stream="b.sig"),
        track("Path", 1, 1, 0, stream="c.sig", size=8),
    ]
    path = otb4(tmp_path / "a.otb4", tracks, {"a.sig": stored(RAW, 2), "c.sig": np.full(3, np.nan).tobytes()})
    with pytest.warns(MyoloopWarning) as caught:
        assert read_recording(path).auxiliary == ()
    assert [str(one.message).rpartition(": ")[2][:5] for one in caught] == ["Force", "Path "]


def test_truncated_intan(tmp_path, originals):
    raw = np.random.default_rng(1).integers(1, 65535, (3, 384))
    path = rhd(tmp_path / "a.rhd", raw)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.warns(MyoloopWarning, match="truncated within a block: 256 samples"):
        found = read_recording(path)
    np.testing.assert_allclose(found.values_uV, (raw[:, :256] - 32768) * 0.195, rtol=1e-6, atol=1e-3)
    path.write_bytes(path.read_bytes()[: -2 * (512 + 768 + 64 + 256)])
    with pytest.raises(UnreadableFileError, match="no whole block"):
        read_recording(path)


# -- hostile archives ---------------------------------------------------------------------------------

XML = otb_plus_xml([adapter("IN", 0, ["a"] * 6, 150)], 6)
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (XML.replace("?>", "?>" + LAUGHS), "declares a document type"),
        (XML.replace("?>", '?><!DOCTYPE x SYSTEM "file:///etc/passwd">'), "declares a document type"),
        (
            XML.replace("utf-8", "utf-16").replace("?>", "?>" + LAUGHS).encode("utf-16"),
            "declares a document type",
        ),
        (XML.replace("<Channels>", "<Channels>" + "<a>" * 100), "deeper than 64"),
        (XML[:-20], "is no XML"),
        (XML.replace("Device", "Thing"), "begins with Thing"),
        (
            XML.replace('DeviceTotalChannels="6"', 'DeviceTotalChannels="6000000000"'),
            "DeviceTotalChannels is 6e",
        ),
        (XML.replace('DeviceTotalChannels="6"', 'DeviceTotalChannels="5"'), "Index is 5|channel 5 of 5"),
        (XML.replace('DeviceTotalChannels="6"', ""), "DeviceTotalChannels is ''"),
        (XML.replace('ad_bits="16"', 'ad_bits="12"'), "ad_bits is 12"),
        (XML.replace('"2048"', '"-2048"'), "SampleFrequency is -2048"),
        (XML.replace('"2048"', '"1e999"'), "SampleFrequency is '1e999'"),
        (XML.replace('Index="1"', 'Index="0"'), "channel 0 of 6"),
        (XML.replace('Gain="150"', 'Gain="0"'), "Gain of IN is 0"),
    ],
)
def test_hostile_xml(tmp_path, xml, message):
    data = xml if isinstance(xml, bytes) else xml.encode()
    path = tar(tmp_path / "a.otb+", {"a.xml": data, "a.sig": stored(RAW, 2)})
    for look in (read_recording, describe):
        with pytest.raises(UnreadableFileError, match=message):
            look(path)


def test_xml_in_utf_16(tmp_path):
    data = XML.replace("utf-8", "utf-16").encode("utf-16")
    path = tar(tmp_path / "a.otb+", {"a.xml": data, "a.sig": stored(RAW, 2)})
    assert read_recording(path).values_uV.shape == RAW.shape


def test_xml_that_is_too_long(tmp_path):
    path = tar(tmp_path / "a.otb+", {"a.xml": XML.encode() + b" " * 2000, "a.sig": stored(RAW, 2)})
    with pytest.raises(UnreadableFileError, match=r"Limits\.text_bytes"):
        read_recording(path, limits=Limits(text_bytes=2000))


def archive(path, *entries):
    """Members with any header: pairs of TarInfo and bytes."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as file:
        for info, data in entries:
            info.size = info.size or len(data)
            file.addfile(info, io.BytesIO(data.ljust(info.size, b"\0")) if info.isreg() else None)
    return path


def member(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_nothing_is_extracted(tmp_path, monkeypatch):
    inside = tmp_path / "in"
    inside.mkdir()
    monkeypatch.chdir(inside)
    path = archive(
        inside / "a.otb+",
        (member("../evil.txt"), b"evil"),
        (member(str(tmp_path / "more.txt")), b"evil"),
        (member("x/y/../a.xml"), XML.encode()),
        (member("a.sig"), stored(RAW, 2)),
        (member("link", tarfile.SYMTYPE, "/etc/passwd"), b""),
    )
    assert read_recording(path).values_uV.shape == RAW.shape
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["a.otb+", "in"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_members_that_are_no_files(tmp_path, kind):
    path = archive(
        tmp_path / "a.otb+", (member("a.xml"), XML.encode()), (member("a.sig", kind, "/dev/zero"), b"")
    )
    with pytest.raises(UnreadableFileError, match=r"holds no signal"):
        read_recording(path)


def test_a_name_that_comes_twice(tmp_path):
    entries = [
        (member("a.xml"), XML.encode()),
        (member("a.sig"), stored(RAW, 2)),
        (member("b/a.sig"), b"1" * 99),
    ]
    with pytest.raises(UnreadableFileError, match=r"holds a\.sig twice"):
        read_recording(archive(tmp_path / "a.otb+", *entries))


def test_a_size_that_is_not_there(tmp_path):
    """A member that claims terabytes is taken for what there is of it."""
    path = tar(tmp_path / "a.otb+", {"a.xml": XML.encode(), "a.sig": b""})
    data = bytearray(path.read_bytes())
    info = tarfile.TarInfo("a.sig")
    info.size = 1 << 45
    at = data.index(b"a.sig\0")
    data[at:] = info.tobuf(tarfile.GNU_FORMAT) + stored(RAW, 2)
    path.write_bytes(bytes(data))
    with pytest.warns(MyoloopWarning, match="200 of .* samples a channel are kept"):
        assert read_recording(path).values_uV.shape == RAW.shape


def test_many_members(tmp_path):
    path = archive(tmp_path / "a.otb+", *((member(f"{i}"), b"") for i in range(10_100)))
    with pytest.raises(UnreadableFileError, match="more than 10000 members"):
        read_recording(path)


def test_a_compressed_archive(tmp_path, originals):
    path = tmp_path / "a.otb+"
    path.write_bytes(gzip.compress(originals["a.otb+"]))
    with pytest.raises(UnreadableFileError, match="not an uncompressed tar"):
        read_recording(path)


def test_archives_under_the_other_name(tmp_path, originals):
    for name, other in (("a.otb+", "b.otb4"), ("a.otb4", "b.otb+")):
        path = tmp_path / other
        path.write_bytes(originals[name])
        with pytest.raises(UnreadableFileError, match=rf"name it \.{name[2:]}".replace("+", r"\+")):
            read_recording(path)


def test_no_native_library_is_loaded_to_recognise(tmp_path, originals):
    """Telling formats apart, and refusing, costs Python alone."""
    from myoloop.io._vendor import FORMATS

    random = np.random.default_rng(3)
    for name in NAMES:
        for _ in range(12):
            path = tmp_path / name
            path.write_bytes(random.bytes(random.integers(1, 400)))
            for one in FORMATS:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    assert one.recognises(path, path.read_bytes()[:4096]) in (True, False)


def test_readers_travel_to_a_child():
    import pickle

    from myoloop.io._vendor import FORMATS

    for one in FORMATS:
        sent = pickle.loads(pickle.dumps(partial(one.recognises)))
        assert type(sent.func.__self__) is type(one)
