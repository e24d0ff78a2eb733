"""The code of the documentation and the examples runs."""

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


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_example(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(example), run_name="__main__")

    assert list(tmp_path.rglob("*.png"))


def test_there_is_something_to_run():
    assert len(PAGES) >= 3
    assert len(EXAMPLES) >= 3
