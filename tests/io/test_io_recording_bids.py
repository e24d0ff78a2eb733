"""Recordings as EMG-BIDS, there and back, and what the validator says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from emg_recordings import assert_same_but_samples, bare, derived, gaps, grid, truth, whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myoloop.data import GroundTruth, Recording, SpikeTrains
from myoloop.errors import (
    MissingDependencyError,
    OutputError,
    ParameterError,
    UnknownNameError,
)
from myoloop.io import describe, read_bids, read_recording, write_bids


def error_bound(path: Path) -> float:
    return json.loads(path.with_suffix(".json").read_text())["QuantisationError_uV"]


def assert_close(given: Recording, path: Path, **how) -> None:
    back = read_bids(path, **how)
    worst = np.nanmax(np.abs(given.values_uV.astype(float) - back.values_uV))
    rounding = np.finfo(given.values_uV.dtype).eps * np.nanmax(np.abs(given.values_uV))
    assert worst <= error_bound(path) + rounding


@pytest.mark.parametrize("format", ["bdf", "edf"])
@pytest.mark.parametrize("make", [whole, derived, bare], ids=["whole", "derived", "bare"])
def test_round_trip(tmp_path, make, format, same_spikes):
    path = write_bids(tmp_path / "x", make(), task="ramp", format=format)
    assert path.name == f"sub-01_task-ramp_emg.{format}"
    for how in (path, tmp_path / "x"):
        assert_same_but_samples(make(), read_bids(how), same_spikes)
    assert_close(make(), path, isolated=False)
    steps = {"bdf": 2**24 - 1, "edf": 2**16 - 1}[format]
    widest = np.ptp(make().values_uV, axis=1).max()
    assert error_bound(path) <= 1.01 * max(widest, 1e-3) / steps / 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("samples", "rate_hz"), [(2011, 2048.0), (700, 1000 / 3), (1259, 1259.2593)])
def test_any_length_rate_and_start(tmp_path, dtype, samples, rate_hz, same_spikes):
    given = gaps(whole(dtype, samples, 3.7, rate_hz))
    path = write_bids(tmp_path, given, task="x", missing="mark")
    assert_same_but_samples(given, read_recording(path), same_spikes)
    assert_close(given, path)


def test_padding_is_marked_for_others(tmp_path):
    edfio = pytest.importorskip("edfio")
    path = write_bids(tmp_path, whole(samples=2011), task="x")
    found = edfio.read_bdf(path)
    assert {len(signal.data) for signal in found.signals} == {2016}
    assert [(round(a.onset * 2048), round(a.duration * 2048), a.text) for a in found.annotations] == [
        (2011, 5, "BAD_ACQ_SKIP")
    ]
    assert {signal.sampling_frequency for signal in found.signals} == {2048.0}
    assert json.loads(path.with_suffix(".json").read_text())["RecordingDuration"] == 2011 / 2048


@pytest.mark.parametrize("rate_hz", [1259.2593, 2148.1481, 4000.1])
def test_rates_without_a_word_in_the_header(tmp_path, rate_hz):
    edfio = pytest.importorskip("edfio")
    path = write_bids(tmp_path, replace(bare(), rate_hz=rate_hz), task="x")
    assert read_bids(path).rate_hz == rate_hz
    assert edfio.read_bdf(path).signals[0].sampling_frequency == pytest.approx(rate_hz, rel=1e-6)


@pytest.mark.parametrize("rate_hz", [1e-9, 1e12])
def test_rates_that_edf_cannot_have(tmp_path, rate_hz):
    with pytest.raises(ParameterError, match=r"Recording\.rate_hz"):
        write_bids(tmp_path / "x", replace(bare(), rate_hz=rate_hz), task="x")
    assert not (tmp_path / "x").exists()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    low=st.floats(-9e6, 9e6),
    span=st.sampled_from([0.0, 1e-9, 1e-4, 1.0, 123.456, 5e4]),
    format=st.sampled_from(["bdf", "edf"]),
    n=st.integers(1, 40),
    rate_hz=st.sampled_from([2048.0, 2000.0, 20000.0, 30000.0, 44100.0, 512.5]),
)
def test_quantisation_is_bounded(tmp_path, low, span, format, n, rate_hz):
    given = Recording(low + span * np.random.default_rng(n).uniform(size=(2, n)), rate_hz)
    path = write_bids(tmp_path, given, task="x", format=format, overwrite=True)
    back = read_bids(path, isolated=False)
    assert np.abs(back.values_uV - given.values_uV).max() <= error_bound(path)
    assert back.rate_hz == rate_hz


def test_amplitudes_beyond_the_header(tmp_path):
    for value in (2e8, -1.5e7):
        with pytest.raises(ParameterError, match=r"Recording\.values_uV.*'E1'"):
            write_bids(tmp_path / "x", Recording(np.full((1, 4), value), 100.0), task="x")
    assert not (tmp_path / "x").exists()


def test_samples_that_were_not_recorded(tmp_path):
    given = gaps(whole())
    with pytest.raises(ParameterError, match=r"NaN on channel 'E04'.*mark"):
        write_bids(tmp_path / "x", given, task="x")
    path = write_bids(tmp_path / "x", given, task="x", missing="mark")
    lines = path.with_name(path.name.replace("emg.bdf", "events.tsv")).read_text().splitlines()
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
    gone = {(r["channel"], r["sample"]): float(r["duration"]) for r in rows if r["trial_type"] == "missing"}
    assert gone == {("E04", "0"): 1.0, ("E05", "100"): 100 / 2048, ("E06", "2047"): 1 / 2048}
    onsets = [float(r["onset"]) for r in rows]
    assert onsets == sorted(onsets)


def test_events_are_the_true_spikes(tmp_path):
    path = write_bids(tmp_path, whole(t_start_s=2.1), task="x")
    lines = path.with_name("sub-01_task-x_events.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["onset", "duration", "trial_type", "sample", "unit_id", "description"]
    spikes = whole(t_start_s=2.1).truth.spikes
    assert len(lines) == 1 + len(spikes.times_s)
    for line in lines[1:]:
        onset, duration, _, sample, unit, _ = line.split("\t")
        nearest = np.abs(spikes[int(unit)] - 2.1 - float(onset)).min()
        assert nearest < 1e-12
        assert duration == "0"
        assert sample == str(round(float(onset) * 2048))


# -- the dataset --------------------------------------------------------------------------------


def validate(root: Path) -> list[dict]:
    command = Path(sys.executable).with_name("bids-validator-deno")
    found = str(command) if command.exists() else shutil.which("bids-validator-deno")
    if found is None:
        pytest.skip("bids-validator-deno is not installed")
    done = subprocess.run(
        [found, "--format", "json", "--max-rows", "-1", "-r", str(root)],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    return json.loads(done.stdout)["issues"]["issues"]


def test_validator_finds_no_errors(tmp_path):
    """One dataset with all that is written: formats, sessions, runs, gaps, no truth, no spikes."""
    silent = GroundTruth(SpikeTrains.from_trains([[], []], 1.0))
    write_bids(
        tmp_path, whole(), task="ramp", run=1, muscle="tibialis anterior", participant={"age": 30, "sex": "F"}
    )
    write_bids(tmp_path, gaps(whole(t_start_s=3.7)), task="ramp", run=2, format="edf", missing="mark")
    write_bids(tmp_path, derived(), task="ramp", subject="02", session="a", acquisition="wire")
    write_bids(tmp_path, replace(bare(), truth=silent), task="rest", subject="02", session="b")
    write_bids(
        tmp_path,
        bare(),
        task="rest",
        subject="03",
        sidecar={"PowerLineFrequency": 50, "EMGReference": "wrist"},
    )
    issues = validate(tmp_path)
    assert not [issue for issue in issues if issue["severity"] == "error"]
    codes = {issue["code"] for issue in issues}
    hints = {"TOO_FEW_AUTHORS", "NO_AUTHORS", "JSON_KEY_RECOMMENDED", "SIDECAR_KEY_RECOMMENDED"}
    assert codes <= hints | {"EVENTS_TSV_MISSING", "EXCESSIVE_ELECTRODE_SPECIFICITY"}


def test_validator_sees_errors(tmp_path):
    """So that the test above can fail."""
    path = write_bids(tmp_path, whole(), task="ramp")
    path.with_suffix(".json").unlink()
    assert [issue for issue in validate(tmp_path) if issue["severity"] == "error"]


def test_a_dataset_grows(tmp_path, same_spikes):
    write_bids(tmp_path, whole(), task="a", participant={"age": 30})
    described = (tmp_path / "dataset_description.json").read_bytes()
    other = replace(bare(), electrodes=replace(grid(1, 2), names=("p", "q")), channels=("p", "q"))
    write_bids(tmp_path, other, task="b", dataset="Another name")
    write_bids(tmp_path, bare(), task="a", subject="02", participant={"sex": "M"})
    assert (tmp_path / "dataset_description.json").read_bytes() == described
    people = (tmp_path / "participants.tsv").read_text().splitlines()
    assert people == ["participant_id\tage\tsex", "sub-01\t30\tn/a", "sub-02\tn/a\tM"]
    with pytest.raises(ParameterError, match="3 recordings"):
        read_bids(tmp_path)
    folder = tmp_path / "sub-01" / "emg"
    assert_same_but_samples(whole(), read_bids(folder / "sub-01_task-a_emg.bdf"), same_spikes)
    assert_same_but_samples(other, read_bids(folder / "sub-01_task-b_emg.bdf"), same_spikes)
    found = describe(tmp_path)
    assert (found.format, len(found.recordings)) == ("EMG-BIDS", 3)
    assert found.recordings["sub-01_task-a"].n_channels == 12
    assert (found.populations["sub-01_task-a"].n_units, found.populations["sub-01_task-a"].n_active) == (4, 3)
    assert list(describe(folder / "sub-01_task-b_emg.bdf").recordings) == ["sub-01_task-b"]


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_nothing_is_replaced_unasked(tmp_path):
    path = write_bids(tmp_path, whole(), task="x")
    before = contents(tmp_path)
    for ending in ("bdf", "edf"):
        with pytest.raises(OutputError, match="overwrite"):
            write_bids(tmp_path, bare(), task="x", format=ending)
    assert contents(tmp_path) == before
    write_bids(tmp_path, bare(), task="x", format="edf", overwrite=True)
    assert not path.exists()
    after = read_bids(tmp_path)
    assert (after.truth, after.auxiliary, after.electrodes) == (None, (), None)
    assert not [
        name for name in contents(tmp_path) if "truth" in name or "physio" in name or "events" in name
    ]


def test_same_recording_same_bytes(tmp_path):
    def run(name: str) -> dict[str, bytes]:
        write_bids(tmp_path / name, whole(), task="x")
        return {k: v for k, v in contents(tmp_path / name).items() if not k.endswith(".h5")}

    assert run("a") == run("b")


def test_labels_that_would_speak_for_one_another(tmp_path):
    write_bids(tmp_path, whole(), task="x", run=1)
    write_bids(tmp_path, whole(), task="x", run=2)
    for more in ({}, {"run": 1, "acquisition": "a"}):
        with pytest.raises(OutputError, match="run"):
            write_bids(tmp_path, whole(), task="x", **more)
    write_bids(tmp_path, derived(), task="y")
    assert not [issue for issue in validate(tmp_path) if issue["severity"] == "error"]


def test_folders_that_are_no_dataset(tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path, tmp_path / "file"):
        with pytest.raises(OutputError):
            write_bids(folder, bare(), task="x")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    write_bids(tmp_path, whole(), task="x")
    before = contents(tmp_path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("myoloop.io._bids.write_truth", full)
    with pytest.raises(OutputError, match="disk is full"):
        write_bids(tmp_path, whole(), task="y")
    assert contents(tmp_path) == before
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"task": "a b"}, r"write_bids\.task"),
        ({"task": ""}, r"write_bids\.task"),
        ({"subject": "../x"}, r"write_bids\.subject"),
        ({"session": "é"}, r"write_bids\.session"),
        ({"run": -1}, r"write_bids\.run"),
        ({"run": True}, r"write_bids\.run"),
        ({"sidecar": {"SamplingFrequency": 1}}, r"write_bids\.sidecar"),
        ({"format": "gdf"}, r"write_bids\.format"),
        ({"missing": "zero"}, r"write_bids\.missing"),
    ],
)
def test_bad_labels(tmp_path, more, field):
    with pytest.raises((ParameterError, UnknownNameError), match=field):
        write_bids(tmp_path / "x", bare(), **({"task": "x"} | more))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("names", [("a", "a"), ("a\tb", "c"), ("n/a", "b"), ("", "b"), ("a  b", "c")])
def test_names_that_a_table_cannot_hold(tmp_path, names):
    with pytest.raises(ParameterError, match=r"Recording\.channels"):
        write_bids(tmp_path, replace(bare(), channels=names), task="x")


def test_missing_extra_is_named(tmp_path, monkeypatch):
    path = write_bids(tmp_path, bare(), task="x")
    monkeypatch.setitem(sys.modules, "edfio", None)
    for call in (lambda: write_bids(tmp_path, bare(), task="y"), lambda: read_bids(path)):
        with pytest.raises(MissingDependencyError, match=r"myoloop\[bids\]"):
            call()


def test_truth_of_other_recordings_is_not_mixed_up(tmp_path):
    write_bids(tmp_path, whole(), task="x")
    other = replace(whole(), truth=truth(12, dtype=np.float64))
    path = write_bids(tmp_path, other, task="y")
    assert read_bids(path).truth.action_potentials.values_uV.dtype == np.float64
