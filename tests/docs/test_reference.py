"""The reference lists every public name of every room."""

import importlib
import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs" / "api").glob("*.md"))
ELSEWHERE = {"studies": {"STUDIES"}, "data": {"Layer"}}


def listed_on(page: Path) -> set[str]:
    return set(re.findall(r"^\.\. auto(?:class|function):: (\w+)$", page.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_room(page):
    room = importlib.import_module(
        "myoloop.kernels" if page.stem == "foundations" else f"myoloop.{page.stem}"
    )
    foundations = listed_on(page.with_name("foundations.md"))

    missing = set(room.__all__) - listed_on(page) - foundations - ELSEWHERE.get(page.stem, set())
    assert not missing, f"add to {page.name}: {sorted(missing)}"


def test_every_room_has_a_page():
    import myoloop

    rooms = {name for name in myoloop._ROOMS if name not in {"errors"}}
    assert rooms <= {page.stem for page in PAGES}
