"""Code blocks of a Markdown page, and a way to run them."""

import re
import sys
import types
from pathlib import Path


def code_blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def run_blocks(page: Path, blocks: list[str]) -> dict:
    """Run blocks one after another in one fresh module; returns its names."""
    module = types.ModuleType(f"page_{page.stem.replace('-', '_')}")
    sys.modules[module.__name__] = module  # stays: a compiled kernel names the module of its model
    for block in blocks:
        exec(compile(block, str(page), "exec"), module.__dict__)
    return dict(module.__dict__)
