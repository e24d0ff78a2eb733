"""What the command line prints, writes and refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from toy_study import TOY

from myoloop.cli import main
from myoloop.cli._values import changes_of
from myoloop.errors import UnknownNameError
from myoloop.parameters import plain


def one_error(result, *words):
    """The command ended with 2 and one line that says these words, and no traceback."""
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert lines[0] == result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output
    for word in words:
        assert word in lines[0]


def test_version_and_help(myoloop):
    assert myoloop("--version").stdout.startswith("myoloop ")
    for args in ([], ["--help"], ["run", "--help"], ["-h"]):
        result = myoloop(*args)
        assert result.exit_code == 0
        assert "Usage:" in result.stdout


def test_list_and_describe(myoloop):
    assert "A toy" in myoloop("list").stdout
    text = myoloop("describe", "toy").stdout
    for word in (
        "Nobody (2026)",
        "duration_s",
        "simulated time",
        "cell.threshold_mV",
        "mean force (N)",
        "± 10 %",
    ):
        assert word in text


def test_run_writes_everything(myoloop):
    result = myoloop("run", "toy", "--out", "new")
    assert result.exit_code == 0, result.output
    assert "2 of 2 claims hold" in result.stdout
    metrics = json.loads(Path("new/metrics.json").read_text())
    assert metrics["force_mean"] == 1.0
    assert [claim["holds"] for claim in metrics["claims"]] == [True, True]
    assert set(metrics["claims"][0]) == {"name", "source", "published", "ours", "tolerance", "holds"}
    provenance = json.loads(Path("new/provenance.json").read_text())
    assert provenance["seed"] == 1
    assert provenance["parameters"]["duration_s"] == 4.0
    for name in (
        "report.html",
        "figures/force.png",
        "figures/force.svg",
        "recording.nwb",
        "force-by-phase.tsv",
    ):
        assert Path("new", name).stat().st_size > 0
    assert not Path("new/recording.nix").exists()


def test_run_takes_seed_quick_and_settings(myoloop):
    settings = [
        "spacing_mm=0.8 cm",
        "units=3",
        "weights_uS=0.1, 0.2,0.3",
        "plot=false",
        "cell.threshold_mV=12",
    ]
    args = [word for setting in settings for word in ("--set", setting)]
    assert myoloop("run", "toy", "--seed", 7, "--quick", "--threads", 1, *args).exit_code == 0
    provenance = json.loads(Path("myoloop-out/toy-7-quick/provenance.json").read_text())
    parameters = provenance["parameters"]
    assert parameters["duration_s"] == 0.5
    assert parameters["spacing_mm"] == 8.0
    assert parameters["units"] == 3
    assert parameters["weights_uS"] == [0.1, 0.2, 0.3]
    assert parameters["plot"] is False
    assert parameters["cell"]["threshold_mV"] == 12.0
    assert provenance["seed"] == 7


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("largest_N=none", "largest_N", None),
        ("largest_N=2", "largest_N", 2.0),
        ("phases_s=3,4.5,6", "phases_s", [3.0, 4.5, 6.0]),
        ("phases_s=3000 ms", "phases_s", [3.0]),
        ("mode=random", "mode", "random"),
        ("units=12", "units", 12),
    ],
)
def test_each_kind_of_setting(setting, name, value):
    changed = TOY.with_changes(quick=False, changes=changes_of(TOY.parameters, [setting]))
    assert plain(getattr(changed, name)) == value


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["run", "toi"], ["toi", "did you mean 'toy'"]),
        (["describe", "toi"], ["did you mean 'toy'"]),
        (["verify", "toi"], ["did you mean 'toy'"]),
        (["rum", "toy"], ["did you mean 'run'"]),
        (["run"], ["STUDY", "--help"]),
        (["run", "toy", "--sed", "1"], ["--sed"]),
        (["run", "toy", "--seed", "-1"], ["--seed"]),
        (["run", "toy", "--threads", "0"], ["--threads"]),
        (["run", "toy", "--set", "durations=1"], ["did you mean 'duration_s'"]),
        (["run", "toy", "--set", "duration_s"], ["name=value"]),
        (["run", "toy", "--set", "duration_s=-1"], ["Toy.duration_s", "above 0"]),
        (["run", "toy", "--set", "duration_s=nan"], ["Toy.duration_s"]),
        (["run", "toy", "--set", "duration_s=3 mm"], ["Toy.duration_s", "wrong dimension"]),
        (["run", "toy", "--set", "duration_s=none"], ["Toy.duration_s"]),
        (["run", "toy", "--set", "units=0"], ["Toy.units"]),
        (["run", "toy", "--set", "units=two"], ["Toy.units"]),
        (["run", "toy", "--set", "mode=regula"], ["did you mean 'regular'"]),
        (["run", "toy", "--set", "plot=maybe"], ["Toy.plot"]),
        (["run", "toy", "--set", "cell.treshold_mV=1"], ["did you mean 'threshold_mV'"]),
        (["run", "toy", "--set", "mode.x=1"], ["holds no parameters"]),
        (["run", "toy", "--set", "mode=fail"], ["Toy.mode: it fails"]),
    ],
)
def test_bad_input_is_one_error(myoloop, args, words):
    one_error(myoloop(*args), *words)


def test_bad_input_leaves_no_folder(myoloop):
    myoloop("run", "toy", "--set", "units=0")
    assert not Path("myoloop-out").exists()


def test_an_existing_folder_is_refused_and_kept(myoloop):
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("precious")
    one_error(myoloop("run", "toy", "--out", "mine"), "mine", "--out")
    assert [path.name for path in Path("mine").iterdir()] == ["notes.txt"]


def test_an_existing_folder_is_replaced_on_request(myoloop):
    assert myoloop("run", "toy", "--out", "new").exit_code == 0
    Path("new/notes.txt").write_text("precious")
    assert myoloop("run", "toy", "--out", "new", "--seed", 2, "--overwrite").exit_code == 0
    assert json.loads(Path("new/metrics.json").read_text())["force_mean"] == 2
    assert Path("new/notes.txt").read_text() == "precious"


def test_debug_shows_the_traceback(myoloop):
    for args in (["--debug", "run", "toi"], ["run", "toi", "--debug"]):
        result = myoloop(*args)
        assert result.exit_code == 1
        assert isinstance(result.exception, UnknownNameError)


def test_a_bug_keeps_its_traceback(myoloop):
    assert isinstance(myoloop("run", "toy", "--set", "mode=bug").exception, RuntimeError)


def test_a_figure_that_fails_leaves_numbers_and_recording(myoloop):
    assert myoloop("run", "toy", "--out", "new", "--set", "mode=bad figure").exit_code != 0
    assert json.loads(Path("new/metrics.json").read_text())["active_units"] == 5
    assert Path("new/provenance.json").exists()
    assert Path("new/recording.nwb").exists()


def test_an_interruption_ends_with_130(myoloop):
    result = myoloop("run", "toy", "--out", "new", "--set", "mode=interrupt")
    assert result.exit_code == 130
    assert "nothing was written yet" in result.stderr


def test_an_interruption_says_what_is_kept(myoloop, monkeypatch):
    def interrupt(*args, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("myoloop.viz.write_report", interrupt)
    result = myoloop("run", "toy", "--out", "new")
    assert result.exit_code == 130
    assert "force-by-phase.tsv, metrics.json, provenance.json, recording.nwb" in result.stderr


def test_a_warning_is_shown_and_reported(myoloop):
    result = myoloop("run", "toy", "--out", "new", "--set", "mode=warn")
    assert result.exit_code == 0
    assert "warning: mind the gap" in result.stderr
    assert "mind the gap" in Path("new/report.html").read_text()


def test_verify(myoloop):
    good = myoloop("verify", "toy", "--quick")
    assert good.exit_code == 0
    assert "2 of 2 claims hold" in good.stdout
    bad = myoloop("verify", "toy", "--seed", 5)
    assert bad.exit_code == 1
    assert "1 of 2 claims hold" in bad.stdout
    assert "✗" in bad.stdout
    assert not list(Path().iterdir())


def test_progress_without_a_terminal_is_plain_lines_on_stderr(myoloop):
    result = myoloop("run", "toy")
    assert "simulate: 4.0 of 4.0 s (100 %)" in result.stderr
    assert "simulate" not in result.stdout


def test_what_the_extra_lacks_is_a_warning(myoloop, monkeypatch):
    from myoloop.errors import MissingDependencyError

    def missing(*args, **more):
        raise MissingDependencyError("writing NWB", "nwb")

    monkeypatch.setattr("myoloop.io.write_nwb", missing)
    result = myoloop("run", "toy", "--out", "new")
    assert result.exit_code == 0
    assert "myoloop[nwb]" in result.stderr
    assert "myoloop[nwb]" in Path("new/report.html").read_text()


def test_nix_is_written_on_request(myoloop):
    assert myoloop("run", "toy", "--out", "new", "--nix").exit_code == 0
    assert Path("new/recording.nix").stat().st_size > 0


def test_nix_that_cannot_be_written_is_refused_at_once(myoloop, monkeypatch):
    monkeypatch.setattr("myoloop.cli._write.find_spec", lambda name: None)
    one_error(myoloop("run", "toy", "--out", "new", "--nix"), "myoloop[nix]")
    assert not Path("new").exists()


def test_a_full_disk_is_one_error_that_keeps_what_is_there(myoloop, monkeypatch):
    import errno

    def full(*args, **more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("myoloop.viz._report.save", full)
    one_error(myoloop("run", "toy", "--out", "new"), "No space left", "kept")
    assert Path("new/metrics.json").exists()


def test_help_imports_nothing_heavy():
    heavy = ("numpy", "numba", "matplotlib", "rich", "h5py")
    code = f"import sys, myoloop.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_entry_point_gives_the_exit_code():
    with pytest.raises(SystemExit) as stop:
        main(["describe", "nothing-like-it"])
    assert stop.value.code == 2
