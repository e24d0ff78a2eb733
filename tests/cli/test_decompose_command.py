"""``myoloop decompose``: the motor units of a recording; ``myoloop describe FILE``: what it holds."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from test_commands import one_error

from myoloop.cli._decompose_setup import contrast_of, method_of, places_of
from myoloop.cli._decompose_write import SPIKE
from myoloop.data import ActionPotentials, Electrodes, GroundTruth, Recording, Signal, SpikeTrains
from myoloop.decompose import ConvolutiveBSS, Power, Skewness, Swarm
from myoloop.errors import ParameterError, UnknownNameError
from myoloop.io import read_decomposition, read_nwb, read_recording, read_spikes, write_recording

RATE_HZ, STOP_S, SIDE, UNITS, START_S = 2048.0, 8.0, 6, 4, 2.0


def simulated():
    """Potentials that run along the rows of a grid, at the discharges of units with rates of their own."""
    rng = np.random.default_rng(3)
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    time_ms = np.arange(60) / RATE_HZ * 1e3
    samples = round(STOP_S * RATE_HZ)
    values = 5.0 * rng.standard_normal((SIDE * SIDE, samples + 100))
    shapes, trains = [], []
    for unit in range(UNITS):
        delay = 6 + rng.uniform(0.8, 1.6) * np.abs(row - rng.uniform(1, 4))
        z = (time_ms - delay[:, None]) / rng.uniform(0.9, 1.8)
        weight = (60 + 30 * unit) * np.exp(-0.5 * ((column - rng.uniform(0, 5)) / 1.2) ** 2)
        shapes.append(weight[:, None] * (1 - z**2) * np.exp(-(z**2) / 2))
        at = np.cumsum(rng.normal(1, 0.12, 300) / (8 + unit))
        at = np.rint(at[at < STOP_S - 0.1] * RATE_HZ).astype(int)
        trains.append(START_S + at / RATE_HZ)
        for s in at:
            values[:, s : s + 60] += shapes[-1]
    place = np.stack([row, column], axis=1)
    grid = Electrodes(8.0 * np.stack([column, 0 * row, row], axis=1), place=place, pitch_mm=8.0)
    potentials = ActionPotentials(np.array(shapes, np.float32), RATE_HZ, 0.0, grid.names)
    spikes = SpikeTrains.from_trains(trains, START_S + STOP_S, START_S)
    force = Signal(np.linspace(0, 20, 800), 100.0, "N", START_S, "force")
    values = values[:, :samples].astype(np.float32)
    return Recording(values, RATE_HZ, grid, GroundTruth(spikes, potentials), START_S, auxiliary=(force,))


RECORDING = simulated()
BARE = dataclasses.replace(RECORDING, truth=None)


@pytest.fixture(autouse=True)
def figures(request, monkeypatch):
    """Leave out the figures, which take seconds to draw, but where a test is about them."""
    if "figures" not in request.function.__name__:
        monkeypatch.setattr("myoloop.studies.decompose.decomposition_figures", lambda *_: ())


@pytest.fixture
def decompose(myoloop):
    """Write a recording and run ``myoloop decompose`` on it."""

    def run(recording, *args, out="new"):
        write_recording("emg.nwb", recording, overwrite=True)
        return myoloop("decompose", "emg.nwb", "--out", out, *args)

    return run


def changed(values=None, **more):
    return dataclasses.replace(BARE, **({} if values is None else {"values_uV": values}), **more)


def table(path):
    head, *lines = Path(path).read_text().splitlines()
    return [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]


def test_everything_is_written_with_its_figures(decompose):
    result = decompose(RECORDING, "--format", "nwb,bids,h5")
    assert result.exit_code == 0, result.output
    assert f"{UNITS} motor units" in result.stdout
    assert f"{UNITS} of {UNITS} true units found" in result.stdout
    assert f"(upper bound {UNITS})" in result.stdout
    assert "new/report.html" in result.stdout
    assert "search: " in result.stderr
    metrics = json.loads(Path("new/metrics.json").read_text())
    assert (metrics["units"], metrics["accepted_units"], metrics["upper_bound_units"]) == (UNITS,) * 3
    assert metrics["cpu_s"] > 0
    assert "250 ms" in metrics["definitions"]["cov_isi"]
    provenance = json.loads(Path("new/provenance.json").read_text())
    assert provenance["source"]["file"] == "emg.nwb"
    assert provenance["parameters"]["preprocessing"]["high_hz"] == 900.0
    page = Path("new/report.html").read_text()
    assert page.count("<img") == 6
    assert "on the skin" in page

    units = table("new/units.tsv")
    assert list(units[0])[:6] == ["unit_id", "spikes", "sil", "pnr", "cov_isi", "rate"]
    assert {unit["matched_unit"] for unit in units} == {str(k) for k in range(UNITS)}
    assert all(unit["flag"] == "n/a" for unit in units)
    assert len(table("new/channels.tsv")) == SIDE * SIDE

    # one train in all its forms: the table of units, events, NWB, the derivative
    found = read_spikes("new/units.nwb")
    events = table("new/events.tsv")
    assert {event["event_type"] for event in events} == {SPIKE}
    for k, unit in enumerate(units):
        own = [event for event in events if event["unit_id"] == unit["unit_id"]]
        assert len(own) == int(unit["spikes"]) == found.counts[k]
        onset = np.array([float(event["onset"]) for event in own])
        np.testing.assert_allclose(START_S + onset, found[k], atol=1e-9)
        np.testing.assert_array_equal([int(event["sample"]) for event in own], np.rint(onset * RATE_HZ))
        assert {event["duration"] for event in own} == {"0"}
    assert found.annotations["unit_id"].tolist() == [unit["unit_id"] for unit in units]
    whole = read_decomposition("new/decomposition.h5")
    np.testing.assert_array_equal(whole.spikes.times_s, found.times_s)
    assert whole.unit_ids == tuple(found.annotations["unit_id"])
    sources = read_nwb("new/units.nwb").signals["sources"]
    assert sources.values.shape == (RECORDING.values_uV.shape[1], UNITS)
    derived = Path("new/bids/derivatives/myoloop")
    assert json.loads((derived / "dataset_description.json").read_text())["DatasetType"] == "derivative"
    (copy,) = derived.rglob("*_desc-decomposed_events.tsv")
    assert table(copy) == events
    assert len(read_recording("new/bids").truth.spikes) == UNITS  # the truth, not what was found


def test_the_command_is_the_call_of_the_library(decompose):
    assert decompose(BARE, "--seed", 5, "--rounds", 1).exit_code == 0
    wanted = ConvolutiveBSS(seed=5, rounds=1).fit(BARE).spikes_
    found = read_spikes("new/units.nwb")
    np.testing.assert_array_equal(found.times_s, wanted.times_s)
    assert "agreement" not in json.loads(Path("new/metrics.json").read_text())
    assert "matched_unit" not in table("new/units.tsv")[0]


def test_a_part_counts_from_the_first_sample_of_the_file(decompose):
    result = decompose(BARE, "--from", "4 s", "--to", 9.5, "--channels", "E01..E30", "--drop", "E02,E05")
    assert result.exit_code == 0, result.output
    channels = table("new/channels.tsv")
    assert [one["name"] for one in channels if one["status"] == "bad"] == ["E02", "E05"]
    assert len(channels) == 30
    events = table("new/events.tsv")
    samples = np.array([int(event["sample"]) for event in events])
    assert samples.min() >= round((4 - START_S) * RATE_HZ)
    assert samples.max() < round((9.5 - START_S) * RATE_HZ)
    assert json.loads(Path("new/metrics.json").read_text())["duration_s"] == 5.5


def test_a_reference_is_compared(decompose):
    spikes = RECORDING.truth.spikes
    lines = [f"{u},{t:.6f}" for u, train in enumerate(spikes) for t in train if u < 2]
    Path("labels.csv").write_text("\n".join(["unit,time_s", *lines]))
    result = decompose(BARE, "--reference", "labels.csv")
    assert result.exit_code == 0, result.output
    assert "2 of 2 units of the reference found" in result.stdout
    assert "upper bound" not in result.stdout
    metrics = json.loads(Path("new/metrics.json").read_text())
    assert (metrics["reference"], metrics["agreement"]["matched_units"]) == ("given", 2)
    Path("early.csv").write_text("unit,time_s\n0,0.5\n0,1.0\n")
    one_error(decompose(BARE, "--reference", "early.csv", out="other"), "in the time of the recording")
    one_error(decompose(BARE, "--population", "a", out="other"), "--reference")


def test_no_unit_is_an_answer_with_figures(decompose):
    noise = np.random.default_rng(0).standard_normal(BARE.values_uV.shape).astype(np.float32)
    result = decompose(changed(noise))
    assert result.exit_code == 0, result.output
    assert "0 motor units" in result.stdout
    assert "warning: no motor unit was found" in result.stderr
    assert "no motor unit was found" in Path("new/report.html").read_text()
    assert json.loads(Path("new/metrics.json").read_text())["units"] == 0
    assert table("new/units.tsv") == table("new/events.tsv") == []
    assert Path("new/figures/channels.png").stat().st_size > 0


def test_bad_channels_are_left_out_with_their_reason(decompose):
    values = BARE.values_uV.copy()
    values[3] = 0
    values[5, :900] = np.nan
    values[7] = values[8]
    values[10] = np.clip(values[10], -25, 25)
    assert decompose(changed(values)).exit_code == 0
    bad = {one["name"]: one["reason"] for one in table("new/channels.tsv") if one["status"] == "bad"}
    assert list(bad) == ["E04", "E06", "E09", "E11"]
    for name, word in (("E04", "flat"), ("E06", "NaN"), ("E09", "duplicate of E08"), ("E11", "clipped")):
        assert word in bad[name]
    assert "duplicate of E08" in Path("new/report.html").read_text()


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        (changed(np.zeros_like(BARE.values_uV)), ["flat", "channels"]),
        (changed(rate_hz=20.0), ["20 Hz", "sampling rate"]),
        (changed(BARE.values_uV[:, :500]), ["500 samples", "at least 1 s"]),
        (BARE.select([0, 1, 2]), ["3 good of 3 channels", "--set preprocessing.least_channels"]),
    ],
    ids=["flat", "rate", "short", "few"],
)
def test_what_cannot_be_decomposed_is_one_error(decompose, recording, words):
    one_error(decompose(recording), *words)
    assert not Path("new/report.html").exists()


def test_a_gap_names_the_options_that_avoid_it(decompose):
    values = BARE.values_uV.copy()
    values[:, 2048:4096] = np.nan
    one_error(decompose(changed(values)), "NaN", "--from 4 --to 10")
    assert decompose(changed(values), "--from", 4, "--to", 10).exit_code == 0


def test_files_that_are_no_recording_are_one_error(myoloop):
    write_recording("emg.nwb", BARE)
    whole = Path("emg.nwb").read_bytes()
    Path("cut.nwb").write_bytes(whole[: len(whole) // 2])
    Path("noise.nwb").write_bytes(np.random.default_rng(0).bytes(4000))
    Path("prose.txt").write_text("It was a dark night.\n" * 9)
    Path("spikes.csv").write_text("unit,time_s\n0,0.5\n")
    for name, word in (
        ("cut.nwb", "truncated"),
        ("noise.nwb", "not NWB"),
        ("prose.txt", "not NWB"),
        ("spikes.csv", "not NWB"),
        ("none.nwb", "no such file"),
    ):
        one_error(myoloop("decompose", name, "--out", "new"), name, word)
    assert not Path("new").exists()


def test_text_needs_its_rate(myoloop):
    few = BARE.values_uV[:8, :4096].T
    np.savetxt("emg.csv", few, "%.2f", ",", header=",".join(f"C{i}" for i in range(8)), comments="")
    one_error(myoloop("decompose", "emg.csv", "--out", "new"), "give --rate-hz")
    shown = myoloop("describe", "emg.csv").stdout
    assert "not stated; give --rate-hz" in shown
    assert "--rate-hz HZ --out DIR" in shown
    result = myoloop("decompose", "emg.csv", "--rate-hz", "2.048 kHz", "--out", "new")
    assert result.exit_code == 0, result.output
    assert "does not say whether its electrodes are in the muscle" in Path("new/report.html").read_text()


def test_what_was_asked_for_wrongly_is_one_error(decompose):
    for args, words in (
        (["--method", "surfac"], ["did you mean 'surface'"]),
        (["--contrast", "tanh"], ["power:EXP"]),
        (["--contrast", "power:x"], ["power:3.5"]),
        (["--set", "round=2"], ["did you mean 'rounds'"]),
        (["--set", "contrast=skewness"], ["--contrast"]),
        (["--set", "preprocessing.low_hz=950"], ["less than high_hz"]),
        (["--channels", "E01..X9"], ["X9"]),
        (["--drop", "E09..E02"], ["exchange"]),
        (["--from", "11"], ["2 to 10 s"]),
        (["--format", "xml"], ["nwb"]),
        (["--rate-hz", "1000"], ["2048"]),
    ):
        one_error(decompose(BARE, *args), *words)
    assert not Path("new").exists()


def test_a_folder_is_not_written_over_unasked(decompose):
    Path("new").mkdir()
    Path("new/mine.txt").write_text("mine")
    one_error(decompose(BARE), "--overwrite")
    assert decompose(BARE, "--overwrite", "--format", "none", "--rounds", 1).exit_code == 0
    assert Path("new/mine.txt").read_text() == "mine"
    assert not Path("new/units.nwb").exists()


def test_what_is_found_is_kept_where_the_report_fails(decompose, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("myoloop.studies.decompose.decomposition_figures", interrupted)
    result = decompose(BARE, "--rounds", 1)
    assert result.exit_code == 130
    assert (
        "kept in new: channels.tsv, decomposition.h5, events.json, events.tsv, units.nwb, units.tsv"
        in result.stderr
    )


def test_the_method_follows_the_electrodes_and_the_options():
    options = {"seed": None, "rounds": None, "contrast": None, "mains": None, "settings": ()}
    inside = dataclasses.replace(BARE, electrodes=dataclasses.replace(BARE.electrodes, intramuscular=True))
    assert method_of(BARE, None, **options)[0].to_dict() == ConvolutiveBSS().to_dict()
    assert method_of(inside, None, **options)[0].to_dict() == ConvolutiveBSS.intramuscular().to_dict()
    assert method_of(inside, "quality", **options)[0].to_dict() == ConvolutiveBSS.quality().to_dict()
    settings = ("preprocessing.low_hz=30", "lags=20", "preprocessing.limits.deviation=9", "contrast.limit=4")
    made, _ = method_of(BARE, None, **(options | {"mains": "60", "seed": 7, "settings": settings}))
    assert (made.preprocessing.low_hz, made.preprocessing.mains_hz, made.seed) == (30.0, 60.0, 7)
    assert (made.lags, made.preprocessing.limits.deviation, made.contrast.limit) == (20, 9.0, 4.0)


def test_contrasts_and_channels_by_name():
    assert contrast_of("skewness") == Skewness()
    assert contrast_of("Power:3.5") == Power(exponent=3.5)
    assert isinstance(contrast_of("swarm"), Swarm)
    with pytest.raises(ParameterError, match="exponent"):
        contrast_of("power:0.5")
    with pytest.raises(UnknownNameError):
        contrast_of("kurtosis:3")
    names = ("A1", "A2", "B..C", "A3")
    assert places_of("A3, A1..A2", names, "--channels") == [3, 0, 1]
    assert places_of("B..C", names, "--channels") == [2]


def test_describe_shows_what_a_file_holds_and_the_method(myoloop):
    write_recording("emg.nwb", RECORDING)
    text = myoloop("describe", "emg.nwb").stdout
    for word in ("NWB", "36", "16384", "2048", "force", "myoloop decompose emg.nwb --out DIR"):
        assert word in text
    method = myoloop("describe", "decompose").stdout
    for word in ("preprocessing.low_hz", "intramuscular", "4400", "Random starts in a round", "power:EXP"):
        assert word in method
    one_error(myoloop("describe", "nowhere.mat"), "no such file")
    assert "A toy" in myoloop("describe", "toy").stdout
