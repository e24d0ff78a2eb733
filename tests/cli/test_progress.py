"""How far the work is, on a terminal and elsewhere."""

import io
import warnings

from rich.console import Console
from rich.progress import Progress

from myoloop.cli._progress import Bars, Lines, amount_text
from myoloop.cli._warnings import collected
from myoloop.errors import MyoloopWarning


def test_lines_are_few(capsys):
    lines = Lines()
    for _ in range(2):  # the second time the stage begins again
        for k in range(1001):
            lines("simulate", k * 0.015, 15.0)
    lines("groups", 0, 0, "groups")
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == shown[1] == "simulate: 15.0 of 15.0 s (100 %)"
    assert len(shown) == 3


def test_lines_say_the_remaining_time(capsys, monkeypatch):
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr("myoloop.cli._progress.time.monotonic", lambda: float(next(clock)))
    lines = Lines()
    for k in range(11):
        lines("simulate", k * 1.5, 15.0)
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 10
    assert shown[4] == "simulate: 7.5 of 15.0 s (50 %), 10 s left"


def test_bars_follow_each_stage():
    screen = Console(file=io.StringIO(), force_terminal=True)
    with Progress(console=screen) as progress:
        bars = Bars(progress)
        for stage in ("search", "simulate", "search"):
            for k in range(4):
                bars(stage, k, 3, "runs")
        assert [(task.description, task.completed, task.total) for task in progress.tasks] == [
            ("search", 3, 3),
            ("simulate", 3, 3),
        ]
        assert progress.tasks[0].fields["amount"] == "3 of 3 runs"


def test_amounts():
    assert amount_text(3.21, 15, "s") == "3.2 of 15.0 s"
    assert amount_text(3, 20, "groups") == "3 of 20 groups"


def test_only_our_warnings_are_collected(capsys, recwarn):
    with collected() as texts:
        warnings.simplefilter("always")
        for _ in range(2):
            warnings.warn("ours", MyoloopWarning, stacklevel=1)
        warnings.warn("another's", UserWarning, stacklevel=1)
    assert texts == ["ours"]
    assert capsys.readouterr().err == "warning: ours\n"
    assert [str(w.message) for w in recwarn] == ["another's"]
