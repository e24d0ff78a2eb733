"""A decomposition in a file: equal when it comes back, and refused when it was tampered with."""

from __future__ import annotations

import json
import warnings
from dataclasses import fields, replace

import h5py
import numpy as np
import pytest

from myoloop.data import ActionPotentials, SpikeTrains
from myoloop.decompose import Decomposition, SeparationFilters, UnitQuality
from myoloop.errors import MyoloopError, MyoloopWarning, OutputError, ParameterError, UnreadableFileError
from myoloop.io import Limits, describe, read_spikes
from myoloop.io._decomposition import write_decomposition
from myoloop.io._decomposition_read import read_decomposition

RATE_HZ, STOP_S, BEGIN_S = 2048.0, 4.0, 1.0
ARRAYS = [
    "spike_unit", "spike_time_s", "sources", "filter_weights", "filter_kept", "filter_scale_uV",
    "filter_centroids", "quality_sil", "quality_cov_isi", "action_potentials", "about",
]  # fmt: skip


def decomposition(units: int = 3, seed: int = 0, seconds: float = STOP_S, potentials: bool = True):
    rng = np.random.default_rng(seed)
    samples = round(seconds * RATE_HZ)
    trains = [BEGIN_S + np.sort(rng.uniform(0, seconds, 20 if u else 0)) for u in range(units)]
    about = {
        "unit_id": np.array([f"MU{u}, µ" for u in range(units)], dtype=np.str_),
        "threshold": np.array([np.nan, *range(units)][:units], dtype=float),
    }
    numbers = {
        name: rng.uniform(size=units) for name in ("sil", "pnr_db", "cov_isi", "rate_pps", "short_isi")
    }
    if units:
        numbers["sil"][0], numbers["pnr_db"][0] = np.nan, np.inf
    shapes = ActionPotentials(
        rng.standard_normal((units, 5, 57)).astype(np.float32), RATE_HZ, -0.012, ("a", "b", "c", "d", "e")
    ) if potentials and units else None  # fmt: skip
    return Decomposition(
        SpikeTrains.from_trains(trains, BEGIN_S + seconds, BEGIN_S, annotations=about, name="motor units"),
        rng.standard_normal((units, samples)).astype(np.float32),
        SeparationFilters(
            rng.standard_normal((units, 4, 16)).astype(np.float32),
            RATE_HZ,
            -8,
            np.array([0, 1, 3, 4]),
            rng.uniform(1, 9, 4),
            rng.uniform(size=(units, 2)),
            {"low_hz": 20.0, "lines_hz": (50.0, 100.1), "replaced": ((2, "c"),), "seed": 3},
        ),
        UnitQuality(**numbers, flag=("maybe merged: 12 % of ISI",) + ("",) * (units - 1) if units else ()),
        shapes,
        bad={"c": "flat"},
        parameters={"method": "ConvolutiveBSS", "lags": None, "ridge": 3e-5, "contrast": {"model": "µ"}},
        notes=("mains removed",),
        history=("1. delete_unit: MU9 | {}", "two\nlines"),
    )


def assert_equal(given: Decomposition, back: Decomposition) -> None:
    for name in ("sources", "action_potentials"):
        a, b = getattr(given, name), getattr(back, name)
        a, b = (getattr(x, "values_uV", x) for x in (a, b))
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
    if given.action_potentials is not None:
        for name in ("rate_hz", "t_start_s", "channels"):
            assert getattr(given.action_potentials, name) == getattr(back.action_potentials, name)
    for part in ("filters", "quality"):
        one, other = getattr(given, part), getattr(back, part)
        for field in fields(one):
            a, b = getattr(one, field.name), getattr(other, field.name)
            if isinstance(a, np.ndarray):
                assert a.dtype == b.dtype, field.name
                np.testing.assert_array_equal(a, b)
            else:
                assert a == b, field.name
    for name in ("bad", "parameters", "notes", "history", "unit_ids"):
        assert getattr(given, name) == getattr(back, name), name


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("units", [3, 1, 0])
def test_it_comes_back_equal(tmp_path, same_spikes, units, isolated):
    given = decomposition(units)
    path = write_decomposition(tmp_path / "x.h5", given)
    back = read_decomposition(path, isolated=isolated)
    assert_equal(given, back)
    same_spikes(given.spikes, back.spikes)
    with pytest.raises(ValueError, match="read-only"):
        back.spikes.times_s[:] = 1


def test_without_action_potentials_and_long(tmp_path):
    """Sources of more than one chunk; smooth ones take less room than they have bytes."""
    given = decomposition(2, seconds=70.0, potentials=False)
    smooth = np.tile(np.sin(np.arange(given.sources.shape[1]) / 50).round(2).astype(np.float32), (2, 1))
    given = replace(given, sources=smooth)
    path = write_decomposition(tmp_path / "x.h5", given)
    assert_equal(given, read_decomposition(path))
    assert path.stat().st_size < 0.5 * smooth.nbytes


def test_a_real_one_comes_back_and_finds_the_same(tmp_path):
    from myoloop.data import Recording
    from myoloop.decompose import ConvolutiveBSS

    rng = np.random.default_rng(1)
    values = rng.standard_normal((8, 8192)).astype(np.float32)
    shape = 12 * np.outer(np.hanning(10)[1:-1], np.diff(np.hanning(42)) * 8)
    for at in range(60, 8000, 200):
        values[:, at : at + 41] += shape
    method = ConvolutiveBSS(rounds=1, starts=16).fit(Recording(values, RATE_HZ))
    given = method.decomposition_
    assert len(given) >= 1
    path = write_decomposition(tmp_path / "x.h5", given)
    back = read_decomposition(path)
    assert_equal(given, back)
    np.testing.assert_array_equal(read_spikes(path).times_s, given.spikes.times_s)


def test_the_other_readers_know_it(tmp_path, same_spikes):
    given = decomposition()
    path = write_decomposition(tmp_path / "x.h5", given)
    same_spikes(given.spikes, read_spikes(path))
    seen = describe(path)
    assert seen.format == "decomposition" and seen.t_stop_s == BEGIN_S + STOP_S
    pool = seen.populations["units"]
    assert (pool.n_units, pool.n_active, pool.n_spikes) == (3, 2, 40)


def test_a_file_that_is_there_stays(tmp_path):
    path = write_decomposition(tmp_path / "x.h5", decomposition())
    with pytest.raises(OutputError, match="exists already"):
        write_decomposition(path, decomposition(1))
    assert len(read_decomposition(path)) == 3
    write_decomposition(path, decomposition(1), overwrite=True)
    assert len(read_decomposition(path)) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["x.h5"]


def test_other_files_are_refused(tmp_path):
    for name, data in (("a.h5", b"text"), ("b.h5", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UnreadableFileError, match=name):
            read_decomposition(tmp_path / name)
    with pytest.raises(UnreadableFileError, match="no such file"):
        read_decomposition(tmp_path / "c.h5")
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.attrs["format"] = "nix"
    with pytest.raises(UnreadableFileError, match="not a decomposition"):
        read_decomposition(tmp_path / "d.h5")
    path = write_decomposition(tmp_path / "e.h5", decomposition())
    with h5py.File(path, "a") as file:
        file.attrs["version"] = 99
    with pytest.raises(UnreadableFileError, match="version 99"):
        read_decomposition(path)


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("how", ["gone", "short", "flat", "wide", "text", "whole", "nan", "elsewhere"])
def test_parts_that_do_not_fit(tmp_path, name, how):
    """Each array: missing, cut, of another rank, size or type, or a link to another file."""
    path = write_decomposition(tmp_path / "x.h5", decomposition())
    with h5py.File(path, "a") as file:
        values = file[name][()]
        del file[name]
        changed = {
            "short": values[:-1],
            "flat": values.ravel()[:, None, None, None],
            "wide": np.concatenate([values, values]),
            "text": np.bytes_("x"),
            "whole": np.nan_to_num(values, posinf=0.0).astype(np.int16),
            "nan": np.full(values.shape, np.nan, values.dtype if values.dtype.kind == "f" else np.float64),
        }
        if how == "elsewhere":
            file[name] = h5py.ExternalLink("other.h5", "x")
        elif how != "gone":
            file[name] = changed[how]
    if how == "nan" and name.startswith("quality"):
        assert np.isnan(read_decomposition(path, isolated=False).quality.sil).any()
        return
    with pytest.raises(UnreadableFileError, match=r"x\.h5"):
        read_decomposition(path, isolated=False)


def described(path, change):
    """Change the description of a file."""
    with h5py.File(path, "a") as file:
        about = json.loads(bytes(file["about"][()]))
        change(about)
        del file["about"]
        file["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.pop("filters"),
        lambda a: a.pop("flag"),
        lambda a: a.update(flag=["x"]),
        lambda a: a.update(flag="abc"),
        lambda a: a.update(bad=["x"]),
        lambda a: a.update(bad={"x": 3}),
        lambda a: a.update(parameters=None),
        lambda a: a.update(notes=[1]),
        lambda a: a.update(history="x"),
        lambda a: a["filters"].update(rate_hz="x"),
        lambda a: a["filters"].update(rate_hz=-1.0),
        lambda a: a["filters"].update(rate_hz=1000.0),  # sources of another length than the spikes
        lambda a: a["filters"].update(first=3),
        lambda a: a["filters"].update(first=0.5),
        lambda a: a["filters"].update(preprocessing=[1]),
        lambda a: a["action_potentials"].update(channels=["a"]),
        lambda a: a["action_potentials"].update(rate_hz=0.0),
        lambda a: a["action_potentials"].update(dtype="O"),
        lambda a: a["spikes"].update(n_units=2),
        lambda a: a["spikes"].update(n_units=10**12),
        lambda a: a["spikes"].update(t_stop_s=1.5),
        lambda a: a["spikes"].update(t_stop_s="x"),
        lambda a: a["spikes"].update(annotations={}),
        lambda a: a["spikes"]["annotations"]["unit_id"].update(dtype="O"),
        lambda a: a["spikes"]["annotations"]["unit_id"].update(shape=[1, 3]),
        lambda a: a["spikes"].update(annotations=7),
    ],
)
def test_descriptions_that_do_not_fit(tmp_path, change):
    path = write_decomposition(tmp_path / "x.h5", decomposition())
    described(path, change)
    with pytest.raises(UnreadableFileError, match=r"x\.h5"):
        read_decomposition(path, isolated=False)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("filter_kept", [0, 1, 3, 3]),
        ("filter_kept", [0, 1, -3, 4]),
        ("filter_scale_uV", [1.0, 0.0, 1.0, 1.0]),
        ("spike_unit", [3] * 40),
        ("spike_unit", [-1] * 40),
        ("spike_time_s", None),
    ],
)
def test_values_that_cannot_be(tmp_path, name, values):
    path = write_decomposition(tmp_path / "x.h5", decomposition())
    with h5py.File(path, "a") as file:
        old = file[name][()]
        file[name][...] = old[::-1] if values is None else np.array(values, dtype=old.dtype)
    with pytest.raises(UnreadableFileError, match=r"x\.h5"):
        read_decomposition(path, isolated=False)


def test_limits(tmp_path):
    path = write_decomposition(tmp_path / "x.h5", decomposition())
    for limit in ({"spikes": 39}, {"units": 2}, {"samples": 1000}, {"text_bytes": 100}):
        with pytest.raises(UnreadableFileError, match="Limits"):
            read_decomposition(path, limits=Limits(**limit), isolated=False)


def test_a_size_that_is_claimed_is_not_believed(tmp_path):
    """A few bytes that stand for a hundred gigabytes."""
    path = write_decomposition(tmp_path / "x.h5", decomposition())
    with h5py.File(path, "a") as file:
        del file["sources"]
        file.create_dataset("sources", (3, 10**10), np.float32, chunks=(1, 4096), compression="gzip")
    assert path.stat().st_size < 10**6
    with pytest.raises(UnreadableFileError, match="30000000000 values"):
        read_decomposition(path, isolated=False)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write_decomposition(tmp_path_factory.mktemp("o") / "x.h5", decomposition(seconds=1.0)).read_bytes()


def outcome(path):
    """A decomposition, or an error of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MyoloopWarning)
        try:
            found = read_decomposition(path)
        except MyoloopError as error:
            assert path.name in str(error) or isinstance(error, ParameterError)
            return None
    assert len(found.sources) == len(found.spikes) and np.isfinite(found.sources).all()
    return found


def test_cut_off(tmp_path, original):
    path = tmp_path / "x.h5"
    for part in (0.001, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1.5 / len(original)):
        path.write_bytes(original[: max(1, int(part * len(original)))])
        assert outcome(path) is None


def test_changed_bytes(tmp_path, original):
    """Anywhere, and where the file says what is in it."""
    rng = np.random.default_rng(0)
    path = tmp_path / "x.h5"
    structure = np.flatnonzero(
        [original[i : i + 4] in (b"TREE", b"HEAP", b"SNOD") for i in range(len(original))]
    )
    whole = 0
    for turn in range(50):
        data = bytearray(original)
        for _ in range(rng.integers(1, 10)):
            place = rng.integers(len(data))
            if turn % 2:
                place = min(len(data) - 1, rng.choice([0, *structure]) + rng.integers(200))
            data[place] = rng.choice([0, 0xFF, 0x7F, rng.integers(256)])
        path.write_bytes(data)
        whole += outcome(path) is not None
    assert 0 < whole < 50  # some damage is to values that may be anything
