"""The README keeps its word: its code runs, its links lead somewhere, its commands exist."""

import re
from pathlib import Path

import pytest
from blocks import code_blocks, run_blocks

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def test_the_ten_lines_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (block,) = code_blocks(README, "python")
    names = run_blocks(README, [block])

    assert names["run"].status == "complete"
    assert names["run"].spikes["motor"].active.sum() > 50
    assert 1.0 < names["result"].metrics["mean_percent_mvc"] < 90.0
    assert "% MVC" in capsys.readouterr().out
    assert (tmp_path / "force.png").stat().st_size > 0


def test_the_ten_lines_are_ten():
    (block,) = code_blocks(README, "python")
    lines = [line for line in block.splitlines() if line and not line.startswith(("import", "from"))]

    assert len(lines) <= 10


def test_the_two_commands_are_there():
    text = README.read_text(encoding="utf-8")

    for command in ("uv run myoloop run watanabe2015", "uv run pytest"):
        assert f"pip install uv && {command}\n" in text


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#\s]+)\)", (ROOT / page).read_text(encoding="utf-8"))

    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


def test_commands_exist():
    from myoloop.cli import main

    named = {
        match
        for block in code_blocks(README, "sh")
        for match in re.findall(r"^myoloop (\w+)", block, flags=re.MULTILINE)
    }
    assert named <= set(main.commands)
