"""``myoloop force``: spikes that the user already has."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from test_commands import one_error

N_UNITS, STOP_S = 12, 2.0


@pytest.fixture
def spikes(tmp_path):
    """Text file of a pool of which the last three units never fired."""
    lines = ["unit,time_s"]
    for unit in range(N_UNITS - 3):
        lines += [f"{unit},{time:.4f}" for time in np.arange(0.01 * unit, STOP_S, 0.1)]
    path = tmp_path / "spikes.csv"
    path.write_text("\n".join(lines))
    return path


def metrics(folder: str) -> dict:
    return json.loads(Path(folder, "metrics.json").read_text())


def test_force_writes_everything(myoloop, spikes):
    result = myoloop("force", spikes, "--out", "new", "--units", N_UNITS, "--t-stop-s", STOP_S)
    assert result.exit_code == 0, result.output
    assert "new/report.html" in result.stdout
    assert "force: " in result.stderr
    found = metrics("new")
    assert (found["units"], found["active_units"]) == (N_UNITS, N_UNITS - 3)
    provenance = json.loads(Path("new/provenance.json").read_text())
    assert provenance["source"]["file"] == "spikes.csv"
    assert len(provenance["parameters"]["model"]["thresholds"]) == N_UNITS
    names = ("report.html", "figures/force.svg", "figures/force.png", "recording.nwb", "recording.nix")
    for name in names:
        assert Path("new", name).stat().st_size > 0
    table = Path("new/force-and-its-pool.tsv").read_text()
    assert table.startswith("quantity\tvalue\n")
    assert "Units with spikes\t9\n" in table


def test_units_that_never_fired_change_no_other(myoloop, spikes):
    thresholds = np.linspace(1, 10, N_UNITS)
    Path("thresholds.csv").write_text("threshold\n" + "\n".join(map(str, thresholds)))
    Path("line.csv").write_text(", ".join(map(str, thresholds)))
    for k, name in enumerate(("thresholds.csv", "line.csv")):
        assert myoloop("force", spikes, "--out", str(k), "--thresholds", name).exit_code == 0
    assert metrics("0") == metrics("1")
    assert metrics("0")["units"] == N_UNITS
    assert metrics("0")["recruitment_ratio"] == pytest.approx(10)


def test_rate_ratio_mode_and_model(myoloop, spikes):
    args = [
        "--ratio",
        30,
        "--mode",
        "konstantin",
        "--rate-hz",
        "1 kHz",
        "--set",
        "twitch_range=50",
        "--no-nix",
    ]
    assert myoloop("force", spikes, "--out", "new", *args).exit_code == 0
    found = metrics("new")
    assert found["rate_hz"] == 1000
    assert found["recruitment_ratio"] == pytest.approx(30)
    assert found["twitch_force_range"][1] == pytest.approx(50)
    assert not Path("new/recording.nix").exists()
    assert "ratio 30 (mode 'konstantin')" in Path("new/report.html").read_text().replace("&#x27;", "'")


def test_force_of_each_unit(myoloop, spikes):
    from myoloop.io import read_nwb

    assert myoloop("force", spikes, "--out", "new", "--per-unit", "--no-nix").exit_code == 0
    signals = read_nwb("new/recording.nwb").signals
    each, total = signals["force_per_unit"], signals["force"]
    np.testing.assert_allclose(each.values.sum(axis=1), total.values, rtol=1e-9)


def test_what_was_written_can_be_read_again(myoloop, spikes):
    assert myoloop("force", spikes, "--out", "a", "--units", N_UNITS).exit_code == 0
    for k, name in enumerate(("recording.nwb", "recording.nix")):
        result = myoloop("force", Path("a", name), "--out", str(k), "--no-nix")
        assert result.exit_code == 0, result.output
        assert metrics(str(k))["mean_force"] == pytest.approx(metrics("a")["mean_force"])
        assert metrics(str(k))["units"] == N_UNITS


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["missing.csv", "--out", "new"], ["missing.csv", "no such file"]),
        (["SPIKES"], ["--out"]),
        (["SPIKES", "--out", "new", "--mode", "combin"], ["did you mean 'combined'"]),
        (["SPIKES", "--out", "new", "--ratio", "0"], ["ratio", "above 1"]),
        (["SPIKES", "--out", "new", "--rate-hz", "0"], ["rate_hz", "above 0"]),
        (["SPIKES", "--out", "new", "--rate-hz", "2 mm"], ["--rate-hz", "wrong dimension"]),
        (["SPIKES", "--out", "new", "--units", "0"], ["--units"]),
        (["SPIKES", "--out", "new", "--units", "3"], ["unit"]),
        (["SPIKES", "--out", "new", "--t-stop-s", "1"], ["t_stop_s"]),
        (["SPIKES", "--out", "new", "--thresholds", "none.csv"], ["none.csv"]),
        (["SPIKES", "--out", "new", "--thresholds", "bad.csv"], ["bad.csv", "line 2"]),
        (["SPIKES", "--out", "new", "--thresholds", "bad.csv", "--ratio", "3"], ["leave out"]),
        (["SPIKES", "--out", "new", "--set", "twitch=1"], ["twitch"]),
    ],
)
def test_bad_input_is_one_error(myoloop, spikes, args, words):
    Path("bad.csv").write_text("1\ntwo\n")
    one_error(myoloop("force", *[spikes if arg == "SPIKES" else arg for arg in args]), *words)


def test_a_pickle_is_read_only_on_request(myoloop):
    with Path("block.pkl").open("wb") as file:
        pickle.dump([1, 2, 3], file)
    one_error(myoloop("force", "block.pkl", "--out", "new"), "allow")
    assert not Path("new").exists()


def test_an_existing_folder_is_refused_before_the_work(myoloop, spikes):
    Path("new").mkdir()
    Path("new/mine.txt").write_text("precious")
    one_error(myoloop("force", spikes, "--out", "new"), "new", "--out")
    assert len(list(Path("new").iterdir())) == 1
