"""Files of other programs that are damaged or hostile end in a result or in an error of ours."""

from __future__ import annotations

import gzip
import json
import struct
import tracemalloc
import warnings
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from vendor_files import RATE_HZ, cell, emg, save73, write_demuse, write_muedit, write_openhdemg, write_otb

from myoloop.errors import MyoloopError, MyoloopWarning, ParameterError, UnreadableFileError
from myoloop.io import Limits, describe, read_recording, read_spikes

SPIKES = [[10, 30, 90], [5, 99]]
LOOKS = (describe, read_recording, read_spikes)
KINDS = ["otb.mat", "demuse.mat", "demuse73.mat", "muedit.mat", "muedit73.mat", "split.json", "plain.json"]
HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, bytes]:
    """A small valid file of each kind, as bytes."""
    folder = tmp_path_factory.mktemp("originals")
    values = emg(64, 100)
    write_otb(folder / KINDS[0], values, SPIKES)
    write_demuse(folder / KINDS[1], values, SPIKES)
    write_demuse(folder / KINDS[2], values, SPIKES, v73=True)
    write_muedit(folder / KINDS[3], values, [SPIKES], v73=False)
    write_muedit(folder / KINDS[4], values, [SPIKES])
    write_openhdemg(folder / KINDS[5], values, SPIKES)
    write_openhdemg(folder / KINDS[6], values, SPIKES, "plain")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def outcome(path: Path, look, **options):
    """What a reader gives, checked; None for an error of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MyoloopWarning)
        try:
            found = look(path, **options)
        except MyoloopError as error:
            assert path.name in str(error) or isinstance(error, ParameterError)
            return None
    if look is read_recording:
        assert found.values_uV.ndim == 2 and not np.isinf(found.values_uV).any()
    if look is read_spikes:
        assert np.isfinite(found.times_s).all()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_cut_off(tmp_path, originals, kind):
    """Nothing of a file that lacks its end is taken for the whole."""
    whole = originals[kind]
    for part in (0.001, 0.02, 0.3, 0.7, 0.95, 1 - 1.5 / len(whole)):
        path = tmp_path / kind
        path.write_bytes(whole[: max(1, int(part * len(whole)))])
        for look in LOOKS:
            found = outcome(path, look)
            assert found is None or kind.endswith("73.mat"), (look, part)


@pytest.mark.parametrize("kind", KINDS)
def test_changed_bytes(tmp_path, originals, kind):
    """Anywhere in the file, and where its lengths, types and dimensions are: at its beginning."""
    rng = np.random.default_rng(KINDS.index(kind))
    whole = originals[kind]
    for turn in range(21):
        data = bytearray(whole)
        end = len(data) if turn % 2 else min(len(data), 3000)
        for place in rng.integers(0, end, size=rng.integers(1, 12)):
            data[place] = rng.choice([0, 0xFF, 0x7F, rng.integers(256)])
        path = tmp_path / kind
        path.write_bytes(data)
        outcome(path, LOOKS[turn % 3])


@pytest.mark.parametrize("kind", ["otb.mat", "demuse.mat", "muedit.mat", "split.json"])
def test_changed_bytes_within_what_is_compressed(tmp_path, originals, kind):
    """Checksums hold, so the damage reaches the parser."""
    rng = np.random.default_rng(7)
    for turn in range(21):
        if kind.endswith("json"):
            inner = bytearray(gzip.decompress(originals[kind]))
            inner[rng.integers(len(inner))] = rng.choice(list(b'"[]{},0e-N\\'))
            data = gzip.compress(bytes(inner), 1)
        else:
            data = _repacked(originals[kind], rng)
        path = tmp_path / kind
        path.write_bytes(data)
        outcome(path, LOOKS[turn % 3])


def _repacked(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed near the beginning of the variables of a file of version 5, and packed again."""
    parts, at = [data[:128]], 128
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        inner = data[at + 8 : at + 8 + size]
        inner = bytearray(zlib.decompress(inner) if kind == 15 else data[at : at + 8 + size])
        for place in rng.integers(8, min(len(inner), 400), size=2):
            inner[place] = rng.choice([0, 1, 0xFF, 0x7F, 9, 14])
        packed = zlib.compress(bytes(inner), 1)
        parts.append(struct.pack("<II", 15, len(packed)) + packed)
        at += 8 + size
    return b"".join(parts)


@pytest.mark.parametrize("ending", [".mat", ".json"])
def test_any_bytes(tmp_path, ending):
    rng = np.random.default_rng(3)
    path = tmp_path / f"x{ending}"
    for start in (b"", HEADER, b"MATLAB 7.3 MAT-file", b'{"SOURCE"', b"[", b"\x1f\x8b\x08"):
        path.write_bytes(start + rng.bytes(300))
        for look in (describe, read_recording):
            assert outcome(path, look) is None


def _element(name: bytes, dims: tuple[int, ...], data: bytes, kind: int = 6) -> bytes:
    """A variable of version 5, by hand: what its dimensions claim need not be there."""

    def part(what: int, body: bytes) -> bytes:
        return struct.pack("<II", what, len(body)) + body + b"\0" * (-len(body) % 8)

    body = (
        part(6, struct.pack("<II", kind, 0)) + part(5, struct.pack(f"<{len(dims)}i", *dims)) + part(1, name)
    )
    body += data
    return struct.pack("<II", 14, len(body)) + body


@pytest.mark.parametrize("kind", [6, 1], ids=["numbers", "cells"])
@pytest.mark.parametrize("dims", [(2**31 - 1, 2), (2**30, 2**30, 4), (-1, 5), (60_000, 10_000)])
def test_a_claim_of_many_values_fills_no_memory(tmp_path, dims, kind):
    path = tmp_path / "x.mat"
    fsamp = _element(b"fsamp", (1, 1), struct.pack("<IId", 9, 8, 2048.0))
    claim = _element(b"SIG", dims, b"", kind)
    names = struct.pack("<HHi", 5, 4, 4)
    inside = names + struct.pack("<II4s4x", 1, 4, b"SIG\0") + claim
    for content in (claim, _element(b"SIG", (1, 1), claim, 1), _element(b"signal", (1, 1), inside, 2)):
        path.write_bytes(HEADER + fsamp + content)
        tracemalloc.start()
        for look in LOOKS:
            assert outcome(path, look, isolated=False) is None
        assert tracemalloc.get_traced_memory()[1] < 30e6
        tracemalloc.stop()


def test_a_compressed_bomb_is_not_unpacked(tmp_path):
    """60 MB of zeros in 60 kB, in version 5 and as gzip."""
    packer = zlib.compressobj(9)
    head = _element(b"SIG", (0, 0), struct.pack("<II", 2, 60 << 20), 9)
    packed = packer.compress(struct.pack("<II", 14, len(head) - 8 + (60 << 20)) + head[8:])
    packed += b"".join(packer.compress(bytes(1 << 22)) for _ in range(15)) + packer.flush()
    path = tmp_path / "x.mat"
    fsamp = _element(b"fsamp", (1, 1), struct.pack("<IId", 9, 8, 2048.0))
    path.write_bytes(HEADER + fsamp + struct.pack("<II", 15, len(packed)) + packed)
    other = tmp_path / "x.json"
    other.write_bytes(gzip.compress(b'{"SOURCE": "' + b" " * (60 << 20), 9))
    for bomb in (path, other):
        for look in LOOKS:
            with pytest.raises(UnreadableFileError, match=r"more than|in 62914560 bytes"):
                look(bomb, limits=Limits(samples=1_000_000, text_bytes=1_000_000))


def test_cells_that_repeat_or_contain_themselves(tmp_path):
    """References of version 7.3 may make much of little."""
    path = tmp_path / "x.mat"
    save73(path, {"fsamp": np.array([[RATE_HZ]]), "SIG": cell(np.zeros((1, 4)))})
    with h5py.File(path, "r+") as file:
        refs = np.empty((64, 64), dtype=h5py.ref_dtype)
        refs[:] = file["SIG"].ref
        del file["SIG"]
        made = file.create_dataset("SIG", data=refs, dtype=h5py.ref_dtype)
        made.attrs["MATLAB_class"] = np.bytes_("cell")
        for place in np.ndindex(refs.shape):
            refs[place] = made.ref
        made[...] = refs
    for look in LOOKS:
        assert outcome(path, look) is None
    big = file_with_repeated_reference(tmp_path / "y.mat")
    with pytest.raises(UnreadableFileError, match=r"Limits\.samples"):
        read_recording(big, limits=Limits(samples=10_000_000))


def file_with_repeated_reference(path: Path) -> Path:
    save73(path, {"fsamp": np.array([[RATE_HZ]]), "one": np.zeros((1, 1_000_000))})
    with h5py.File(path, "r+") as file:
        refs = np.empty((64, 64), dtype=h5py.ref_dtype)
        refs[:] = file["one"].ref
        made = file.create_dataset("SIG", data=refs, dtype=h5py.ref_dtype)
        made.attrs["MATLAB_class"] = np.bytes_("cell")
    return path


def test_data_in_another_file_are_refused(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(800))
    path = tmp_path / "x.mat"
    save73(path, {"fsamp": np.array([[RATE_HZ]])})
    with h5py.File(path, "r+") as file:
        file.create_dataset("signal", (100,), "f8", external=[(str(tmp_path / "secret"), 0, 800)])
    for look in LOOKS:
        with pytest.raises(UnreadableFileError, match="another file"):
            look(path)
    with h5py.File(path, "r+") as file:
        del file["signal"]
        file["signal"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
    with pytest.raises(UnreadableFileError, match=r"x\.mat"):
        describe(path)


@pytest.mark.parametrize(
    "content",
    [
        {"SIG": np.eye(3), "fsamp": 2048.0},
        {"SIG": "text", "fsamp": 2048.0, "MUPulses": "text"},
        {"SIG": cell(), "fsamp": 2048.0},
        {"SIG": cell(np.zeros((1, 5)), np.zeros((1, 6))), "fsamp": 2048.0},
        {"SIG": cell(np.full((1, 5), np.inf)), "fsamp": 2048.0},
        {"signal": 1.0},
        {"signal": {"fsamp": 2048.0, "data": "text", "gridname": 3.0}},
        {"signal": {"fsamp": 2048.0, "data": np.zeros((4, 9)), "ngrid": 1e9}},
        {"Data": 1.0, "Description": 2.0, "SamplingFrequency": 3.0},
        {"Data": cell("x"), "Description": cell("x"), "SamplingFrequency": cell()},
    ],
)
@pytest.mark.parametrize("isolated", [True, False])
def test_contents_of_the_wrong_kind(tmp_path, content, isolated):
    for name, save in (("a.mat", savemat), ("b.mat", save73)):
        save(tmp_path / name, content)
        for look in LOOKS:
            outcome(tmp_path / name, look, isolated=isolated)


@pytest.mark.parametrize(
    "change",
    [
        {"FSAMP": "0"},
        {"FSAMP": "NaN"},
        {"EMG_LENGTH": "1e300", "RAW_SIGNAL": ""},
        {"RAW_SIGNAL": '{"columns":[0],"index":[0],"data":[[1],[2,3]]}'},
        {"RAW_SIGNAL": '{"a":{"0":1}}'},
        {"RAW_SIGNAL": "[" * 100_000},
        {"MUPULSES": "[[1e300]]"},
        {"MUPULSES": "[[[1,2]],[3]]"},
        {"MUPULSES": '[["x"]]'},
        {"MUPULSES": "[" * 100_000},
        {"MUPULSES": "[[-1]]"},
    ],
)
@pytest.mark.parametrize("isolated", [True, False])
def test_json_of_the_wrong_kind(tmp_path, originals, change, isolated):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(json.loads(originals["plain.json"]) | change))
    for look in LOOKS:
        outcome(path, look, isolated=isolated)
    assert outcome(path, describe, isolated=isolated) is None or "RAW_SIGNAL" in change
