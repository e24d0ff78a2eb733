"""The reference lists every public name of every room."""

import importlib
import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs" / "api").glob("*.md"))
ELSEWHERE = {"studies": {"STUDIES"}, "data": {"Layer"}}


def listed_on(page: Path) -> set[str]:
    entry = r"^\.\. (?:autoclass|autofunction|py:data):: (\w+)$"
    return set(re.findall(entry, page.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_room(page):
    if page.stem == "foundations":
        pytest.skip("documents whole modules")
    room = importlib.import_module(f"myoloop.{page.stem}")
    foundations = set(importlib.import_module("myoloop.kernels").__all__)

    missing = set(room.__all__) - listed_on(page) - foundations - ELSEWHERE.get(page.stem, set())
    assert not missing, f"add to {page.name}: {sorted(missing)}"


def test_every_room_has_a_page():
    import myoloop

    rooms = {name for name in myoloop._ROOMS if name not in {"errors"}}
    assert rooms <= {page.stem for page in PAGES}
