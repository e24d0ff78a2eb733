"""The README keeps its word: its code runs, its links lead somewhere, its commands exist."""

import re
from pathlib import Path

import pytest
from blocks import code_blocks, run_blocks

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def test_the_ten_lines_and_those_for_emg_and_back_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = run_blocks(README, code_blocks(README, "python"))

    assert names["run"].status == "complete"
    assert names["run"].spikes["motor"].active.sum() > 50
    assert 1.0 < names["result"].metrics["mean_percent_mvc"] < 90.0
    assert "% MVC" in capsys.readouterr().out
    assert (tmp_path / "force.png").stat().st_size > 0
    assert names["recording"].values_uV.shape == (64, 4096)
    assert 10.0 < names["recording"].values_uV.std() < 5000.0
    assert (tmp_path / "emg.nwb").stat().st_size > 64 * 4096 * 4
    agreement = names["decompose"].score(names["found"].spikes, names["contraction"].truth.spikes)
    assert agreement.good >= 10
    assert agreement.unit_precision >= 0.9


def test_the_ten_lines_are_ten_and_emg_takes_three_more_and_the_way_back_four():
    blocks = code_blocks(README, "python")
    counts = [
        len([line for line in block.splitlines() if line and not line.startswith(("import", "from"))])
        for block in blocks
    ]

    assert counts[0] <= 10
    assert counts[1:] == [3, 4]


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


def test_studies_and_muscles_that_the_pages_name_exist():
    from myoloop.emg import __all__ as emg_names
    from myoloop.studies import STUDIES

    pages = [README, *(ROOT / "docs").glob("*.md")]
    text = "\n".join(block for page in pages for block in code_blocks(page, "sh"))
    studies = set(re.findall(r"myoloop (?:run|describe) ([a-z]\S+)", text))
    muscles = set(re.findall(r"--muscle (\w+)(?= )", text))

    assert len(studies) >= 3
    assert studies <= {*STUDIES, *muscles}
    assert muscles <= set(emg_names)
