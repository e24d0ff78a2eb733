"""The code of the documentation and the examples runs."""

import re
import runpy
from pathlib import Path

import pytest
from blocks import code_blocks, run_blocks

ROOT = Path(__file__).parents[2]
PAGES = [page for page in sorted((ROOT / "docs").glob("*.md")) if code_blocks(page, "python")]
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_blocks(page, code_blocks(page, "python"))


def test_the_page_shows_what_its_code_prints(tmp_path, monkeypatch, capsys):
    page = ROOT / "docs" / "emg-model.md"
    monkeypatch.chdir(tmp_path)
    run_blocks(page, code_blocks(page, "python"))
    shown = page.read_text("utf-8").split("It prints")[1].split("```")[1].removeprefix("text\n")

    printed = capsys.readouterr().out
    assert re.sub(r"\d+", "#", printed) == re.sub(r"\d+", "#", shown)
    numbers = [[float(found) for found in re.findall(r"\d+", text)] for text in (printed, shown)]
    assert numbers[0] == pytest.approx(numbers[1], rel=0.01)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_example(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(example), run_name="__main__")

    assert list(tmp_path.rglob("*.png"))


def test_there_is_something_to_run():
    assert len(PAGES) >= 3
    assert len(EXAMPLES) >= 3
