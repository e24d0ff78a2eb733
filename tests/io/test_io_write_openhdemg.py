"""A recording with its decomposition as openhdemg has it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from myoloop.data import Electrodes, Recording, Signal, SpikeTrains
from myoloop.decompose import Decomposition, SeparationFilters, UnitQuality
from myoloop.errors import MyoloopWarning, OutputError, ParameterError, UnknownNameError
from myoloop.io import describe, read_recording, read_spikes
from myoloop.io._write_openhdemg import write_openhdemg

RATE_HZ, SAMPLES, CHANNELS = 2048.0, 3000, 5


def recording(begin_s: float = 2.0, auxiliary=None, dtype=np.float32) -> Recording:
    rng = np.random.default_rng(0)
    at = np.arange(CHANNELS)
    electrodes = Electrodes(np.stack([0 * at, 0 * at, 8.0 * at], axis=1), pitch_mm=8.0)
    force = Signal(np.linspace(0, 30, SAMPLES), RATE_HZ, "%MVC", begin_s, "force")
    return Recording(
        rng.normal(0, 80, (CHANNELS, SAMPLES)).astype(dtype),
        RATE_HZ,
        electrodes,
        t_start_s=begin_s,
        auxiliary=(force,) if auxiliary is None else auxiliary,
    )


def decomposition(units: int = 3, begin_s: float = 2.0, factor: int = 1) -> Decomposition:
    rng = np.random.default_rng(1)
    rate = RATE_HZ / factor
    sources = 0.1 * rng.standard_normal((units, -(-SAMPLES // factor))).astype(np.float32)
    trains = []
    for unit, source in enumerate(sources):
        at = np.arange(20 + unit, SAMPLES // factor - 20, 100)
        source[at] = 1.0
        trains.append(begin_s + at / rate)
    numbers = rng.uniform(0.9, 1, (5, units))
    return Decomposition(
        SpikeTrains.from_trains(
            trains,
            begin_s + SAMPLES / RATE_HZ,
            begin_s,
            annotations={"unit_id": np.array([f"MU{u}" for u in range(units)], dtype=np.str_)},
        ),
        sources,
        SeparationFilters(
            np.zeros((units, CHANNELS, 4), np.float32), rate, -2, np.arange(CHANNELS), np.ones(CHANNELS),
            np.zeros((units, 2)),
        ),
        UnitQuality(*numbers, ("",) * units),
    )  # fmt: skip


def content(path):
    return {key: json.loads(value) for key, value in json.loads(gzip.decompress(path.read_bytes())).items()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_our_reader_gets_it_back(tmp_path, dtype):
    given, units = recording(dtype=dtype), decomposition()
    path = write_openhdemg(tmp_path / "x.json", given, units)
    spikes = read_spikes(path)
    assert len(spikes) == 3
    for found, train in zip(spikes, units.spikes, strict=True):
        np.testing.assert_allclose(found, train - 2.0, atol=1e-9)
    np.testing.assert_array_equal(spikes.annotations["accuracy"], units.quality.sil)
    with pytest.warns(MyoloopWarning):  # openhdemg states no unit
        back = read_recording(path)
    np.testing.assert_array_equal(back.values_uV.astype(dtype), given.values_uV)
    assert back.rate_hz == RATE_HZ and back.about["pitch_mm"] == 8.0
    np.testing.assert_array_equal(back.auxiliary[0].values, given.auxiliary[0].values)
    seen = describe(path)
    assert seen.format == "openhdemg JSON" and seen.recordings["RAW_SIGNAL"].n_channels == CHANNELS


def test_tables_have_the_layout_of_openhdemg(tmp_path):
    units = decomposition()
    found = content(write_openhdemg(tmp_path / "x.json", recording(), units))
    assert list(found) == [
        "SOURCE", "FILENAME", "RAW_SIGNAL", "REF_SIGNAL", "ACCURACY", "IPTS", "MUPULSES", "FSAMP", "IED",
        "EMG_LENGTH", "NUMBER_OF_MUS", "BINARY_MUS_FIRING", "EXTRAS",
    ]  # fmt: skip
    assert (found["FSAMP"], found["IED"], found["EMG_LENGTH"], found["NUMBER_OF_MUS"]) == (
        2048.0, 8.0, SAMPLES, 3,
    )  # fmt: skip
    shapes = {"RAW_SIGNAL": 5, "REF_SIGNAL": 1, "IPTS": 3, "BINARY_MUS_FIRING": 3}
    for name, columns in shapes.items():
        assert found[name]["columns"] == list(range(columns))
        assert found[name]["index"] == list(range(SAMPLES))
        assert np.array(found[name]["data"]).shape == (SAMPLES, columns)
    np.testing.assert_array_equal(np.float32(found["IPTS"]["data"]).T, units.sources)
    firing = np.array(found["BINARY_MUS_FIRING"]["data"])
    for unit, pulses in enumerate(found["MUPULSES"]):
        np.testing.assert_array_equal(np.flatnonzero(firing[:, unit]), pulses)
        np.testing.assert_array_equal(pulses, units.spike_samples(unit))
    assert found["EXTRAS"] == {"columns": [0], "index": [], "data": []}


def test_sources_of_half_the_rate(tmp_path):
    """Pulses stand at samples of the recording, on the peaks of the interpolated sources."""
    units = decomposition(factor=2)
    found = content(write_openhdemg(tmp_path / "x.json", recording(), units))
    sources = np.array(found["IPTS"]["data"]).T
    assert sources.shape == (3, SAMPLES)
    for unit, pulses in enumerate(found["MUPULSES"]):
        np.testing.assert_array_equal(pulses, 2 * units.spike_samples(unit))
        np.testing.assert_array_equal(sources[unit, pulses], 1.0)
    np.testing.assert_allclose(sources[:, ::2], units.sources, atol=1e-7)


def test_no_units_no_force_and_gaps(tmp_path):
    values = recording().values_uV.copy()
    values[2, 7] = np.nan
    given = replace(recording(auxiliary=()), values_uV=values)
    unknown = decomposition(1)
    unknown.quality.sil[0] = np.nan
    found = content(write_openhdemg(tmp_path / "x.json", given, unknown))
    assert found["RAW_SIGNAL"]["data"][7][2] is None and found["ACCURACY"]["data"] == [[None]]
    assert found["REF_SIGNAL"] == {"columns": [0], "index": [], "data": []}
    none = content(write_openhdemg(tmp_path / "y.json", given, decomposition(0)))
    assert none["MUPULSES"] == [] and none["NUMBER_OF_MUS"] == 0
    assert none["ACCURACY"]["data"] == []


def test_the_reference_is_sampled_anew(tmp_path):
    slow = Signal(np.arange(160.0), 100.0, "%MVC", 1.95, "force")
    other = Signal(np.zeros((SAMPLES, 2)), RATE_HZ, "", 2.0, "two")
    given = recording(auxiliary=(slow, other))
    found = content(write_openhdemg(tmp_path / "x.json", given, decomposition(), reference="force"))
    wanted = 100 * (given.times_s - 1.95)
    np.testing.assert_allclose(np.array(found["REF_SIGNAL"]["data"])[:, 0], wanted, atol=1e-6)
    with pytest.raises(ParameterError, match=r"reference: the recording has force, two"):
        write_openhdemg(tmp_path / "y.json", given, decomposition())
    with pytest.raises(UnknownNameError, match="did you mean 'force'"):
        write_openhdemg(tmp_path / "y.json", given, decomposition(), reference="forc")
    with pytest.raises(ParameterError, match="two has 2 channels"):
        write_openhdemg(tmp_path / "y.json", given, decomposition(), reference="two")
    late = recording(auxiliary=(replace(slow, t_start_s=2.5),))
    with pytest.raises(ParameterError, match=r"force is missing for 0\.5 s"):
        write_openhdemg(tmp_path / "y.json", late, decomposition())
    assert not (tmp_path / "y.json").exists()


def test_what_cannot_be_written(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(ParameterError, match=r"recording: it has 2 to"):
        write_openhdemg(path, recording(), decomposition(begin_s=0.0))
    bare = replace(recording(), electrodes=None)
    with pytest.raises(ParameterError, match=r"pitch_mm: the recording does not tell"):
        write_openhdemg(path, bare, decomposition())
    with pytest.raises(ParameterError, match=r"pitch_mm: -1"):
        write_openhdemg(path, bare, decomposition(), pitch_mm=-1)
    write_openhdemg(path, bare, decomposition(), pitch_mm=5)
    assert content(path)["IED"] == 5.0
    with pytest.raises(OutputError, match="exists already"):
        write_openhdemg(path, bare, decomposition(), pitch_mm=5)


def test_the_same_bytes_each_time(tmp_path):
    paths = [tmp_path / "a" / "x.json", tmp_path / "b" / "x.json"]
    for path in paths:
        path.parent.mkdir()
        write_openhdemg(path, recording(), decomposition())
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_openhdemg_reads_it(tmp_path):
    """Where the environment variable OPENHDEMG_PYTHON names an interpreter that has openhdemg."""
    python = os.environ.get("OPENHDEMG_PYTHON")
    if not python:
        pytest.skip("OPENHDEMG_PYTHON names no interpreter with openhdemg")
    units = decomposition()
    path = write_openhdemg(tmp_path / "x.json", recording(), units)
    code = (
        "import sys, json, openhdemg.library as emg\n"
        "f = emg.emg_from_json(sys.argv[1])\n"
        "sil = [float(emg.compute_sil(f['IPTS'][u], f['MUPULSES'][u])) for u in range(f['NUMBER_OF_MUS'])]\n"
        "dr = emg.compute_dr(f, n_firings_RecDerec=1, start_steady=0, end_steady=2900)\n"
        "emg.save_json_emgfile(f, sys.argv[1] + '.again')\n"
        "print(json.dumps([f['RAW_SIGNAL'].shape, f['IPTS'].shape, f['REF_SIGNAL'].shape, f['FSAMP'],\n"
        "    [p.tolist() for p in f['MUPULSES']], float(f['RAW_SIGNAL'][1][100]), sil, len(dr),\n"
        "    f['ACCURACY'][0].tolist(), f['BINARY_MUS_FIRING'].sum().tolist()]))\n"
    )
    done = subprocess.run(
        [python, "-c", code, str(path)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    raw, ipts, force, rate, pulses, value, sil, rates, accuracy, counts = json.loads(
        done.stdout.strip().splitlines()[-1]
    )
    assert (raw, ipts, force, rate) == ([SAMPLES, CHANNELS], [SAMPLES, 3], [SAMPLES, 1], RATE_HZ)
    assert pulses == [units.spike_samples(u).tolist() for u in range(3)]
    assert value == pytest.approx(recording().values_uV[1, 100], rel=1e-6)
    assert min(sil) > 0.9 and rates == 3 and counts == units.spikes.counts.tolist()
    assert accuracy == pytest.approx(units.quality.sil.tolist())
    again = read_spikes(path.with_name("x.json.again"))
    np.testing.assert_array_equal(again.times_s, read_spikes(path).times_s)
