"""``myoloop score``: two files of spikes against one another."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_commands import one_error

from myoloop.data import GroundTruth, Recording, SpikeTrains
from myoloop.io import write_recording


def trains(n=3):
    rng = np.random.default_rng(0)
    return [np.cumsum(rng.normal(0.1 + 0.02 * k, 0.015, 60)) + 0.5 for k in range(n)]


def write_csv(path, units):
    lines = ["unit,time_s"] + [f"{k},{t:.6f}" for k, times in enumerate(units) for t in times]
    Path(path).write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def files(myoloop):
    truth = trains()
    found = [truth[2] + 0.02, np.delete(truth[0], slice(0, 30))]
    return write_csv("found.csv", found), write_csv("truth.csv", truth)


def test_it_prints_pairs_and_summary_and_writes_them(myoloop, files):
    result = myoloop("score", *files, "--json", "score.json")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        "found", "true", "spikes", "true", "spikes", "F1", "RoA", "precision", "recall", "lag_ms",
    ]  # fmt: skip
    assert lines[1].split() == ["0", "2", "60", "60", "1.000", "1.000", "1.000", "1.000", "20.00"]
    assert lines[2].split()[:4] == ["1", "0", "30", "60"]
    assert "2 of 3 true units matched, by 2 found units" in result.stdout
    written = json.loads(Path("score.json").read_text())
    assert (written["found"], written["truth"]) == ("found.csv", "truth.csv")
    assert written["good_units"] == 1
    assert written["unit_precision"] == 0.5
    assert written["units"][1]["RoA"] == pytest.approx(0.5)
    assert written["rule"]["tolerance_ms"] == 1.0


def test_the_truth_of_a_simulated_recording_is_a_reference(myoloop, files):
    truth = SpikeTrains.from_trains(trains(), 10.0)
    values = np.random.default_rng(0).standard_normal((2, 10_000)).astype(np.float32)
    write_recording("simulated.nwb", Recording(values, 1000.0, truth=GroundTruth(truth)))
    result = myoloop("score", files[0], "simulated.nwb", "--json", "score.json")
    assert result.exit_code == 0, result.output
    assert json.loads(Path("score.json").read_text())["matched_units"] == 2


def test_the_rule_can_be_changed(myoloop, files):
    myoloop("score", *files, "--minimum", "0.7", "--max-lag-ms", "10", "--json", "strict.json")
    assert json.loads(Path("strict.json").read_text())["matched_units"] == 0


def test_nothing_in_common_is_an_answer(myoloop, files):
    write_csv("other.csv", [np.arange(0.333, 6, 0.5)])
    result = myoloop("score", "other.csv", files[1], "--json", "none.json")
    assert result.exit_code == 0, result.output
    assert "0 of 3 true units matched" in result.stdout
    assert json.loads(Path("none.json").read_text())["f1_mean"] is None


def test_recordings_of_different_length_are_remarked(myoloop, files):
    write_csv("short.csv", [trains()[0][:20]])
    assert "spikes after that" in myoloop("score", "short.csv", files[1]).stdout


def test_errors_are_one_line(myoloop, files):
    one_error(myoloop("score", "absent.csv", files[1]), "absent.csv")
    one_error(myoloop("score", *files, "--tolerance-ms", "0"), "tolerance_ms")
    one_error(myoloop("score", files[0]), "Missing argument 'B'")
    Path("score.json").write_text("mine")
    one_error(myoloop("score", *files, "--json", "score.json"), "score.json", "--overwrite")
    assert Path("score.json").read_text() == "mine"
    assert myoloop("score", *files, "--json", "score.json", "--overwrite").exit_code == 0
    one_error(myoloop("score", *files, "--json", "no/folder.json"), "no/folder.json")
