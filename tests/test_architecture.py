"""The house rules that a machine can check: which way imports point, what is public, how large files are."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "myoloop"
CODE = [path for folder in ("src", "tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]

# Each room may import rooms of lower storeys. Rooms of the ground floor may also import one another,
# as long as that makes no circle; stage rooms may not.
STOREYS = [
    {"errors", "units", "parameters", "random", "data"},
    {"kernels"},
    {"neurons", "network", "muscle", "emg", "decompose", "analysis", "activation", "decode"},
    {"control", "studies"},
    {"io", "viz"},
    {"studio", "cli"},
]
STOREY = {room: level for level, rooms in enumerate(STOREYS) for room in rooms}
# Rooms that may know of others on their storey.
NEIGHBOURS = {("studio", "cli"), ("cli", "studio"), ("studies", "control"), ("viz", "io")}

LIMIT = 400
REASON = re.compile(r"^# Over 400 lines because .{20,}$", re.MULTILINE)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def rooms_imported(path: Path) -> set[str]:
    """Rooms that a file imports anywhere, also within functions and for type checking."""
    here = ["myoloop", *path.relative_to(PACKAGE).with_suffix("").parts]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: -node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "myoloop" and len(parts) > 1:
                found.add(parts[1])
    return {
        room
        for room in found
        if room in STOREY or (PACKAGE / room).exists() or (PACKAGE / f"{room}.py").exists()
    }


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]
ROOMS = sorted({room_of(path) for path in FILES})


def test_every_room_has_its_storey():
    assert set(ROOMS) <= set(STOREY)


def allowed(room: str, other: str) -> bool:
    if room == other or STOREY[other] < STOREY[room]:
        return True
    return STOREY[room] == STOREY[other] == 0 or (room, other) in NEIGHBOURS


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    room = room_of(path)
    wrong = {other for other in rooms_imported(path) if not allowed(room, other)}
    assert not wrong, f"{room} must not import {', '.join(sorted(wrong))}"


def test_the_ground_floor_imports_itself_in_no_circle():
    graph = {room: set() for room in STOREYS[0]}
    for path in FILES:
        if room_of(path) in graph:
            graph[room_of(path)] |= (rooms_imported(path) & set(graph)) - {room_of(path)}
    while graph:
        free = [room for room, others in graph.items() if not others]
        assert free, f"a circle among {sorted(graph)}"
        graph = {room: others - set(free) for room, others in graph.items() if room not in free}


def test_the_check_of_imports_sees_all_their_forms(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "network").mkdir()
    file = tmp_path / "network" / "_x.py"
    file.write_text(
        "from ..muscle import a\nfrom .. import io, viz\nimport myoloop.cli._main\nfrom . import _y\n"
        "def f():\n    from ..studies.force import b\n    import numpy\n"
    )
    assert rooms_imported(file) == {"muscle", "io", "viz", "cli", "studies", "network"}


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_400_lines_at_most_or_says_why_not(path):
    text = path.read_text()
    assert len(text.splitlines()) <= LIMIT or REASON.search(text)


def test_test_files_have_names_of_their_own():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))


def public_names():
    found = []
    for room in ROOMS:
        module = importlib.import_module(f"myoloop.{room}")
        names = getattr(module, "__all__", ())
        found += [pytest.param(getattr(module, name), name, id=f"{room}.{name}") for name in names]
    return found


def is_abstract(cls: type) -> bool:
    return inspect.isabstract(cls) or getattr(cls, "_is_protocol", False)


@pytest.mark.parametrize(("value", "name"), public_names())
def test_public_classes_are_abstract_or_final(value, name):
    if not inspect.isclass(value):
        return
    assert is_abstract(value) != getattr(value, "__final__", False), "say @final, or leave a method abstract"


PUBLIC_FILES = [path for path in FILES if not path.name.startswith("_")]


@pytest.mark.parametrize("path", PUBLIC_FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_classes_of_public_modules_are_abstract_or_final(path):
    """Modules such as `parameters` give out their classes without a list."""
    bases = {"Exception", "Warning", "MyoloopError", "Parameters"}
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_") or node.name in bases:
            continue
        text = ast.unparse(node)
        named = {ast.unparse(part).split("(")[0] for part in (*node.decorator_list, *node.bases)}
        abstract = "@abstractmethod" in text or bool(named & {"ABC", "Protocol"})
        assert abstract or "final" in named, f"{node.name}: say @final, or leave a method abstract"


@pytest.mark.parametrize(("value", "name"), public_names())
def test_every_public_name_has_a_docstring(value, name):
    if not (inspect.isclass(value) or inspect.isfunction(value) or inspect.ismodule(value)):
        return
    text = (value.__doc__ or "").strip()
    assert len(text) > 10
    assert not text.startswith(f"{name}("), "this is what `dataclass` wrote"
    assert text.split("\n\n")[0].rstrip().endswith((".", ":")), "the first paragraph is a sentence"


def test_every_file_says_what_it_is():
    silent = [
        str(path.relative_to(ROOT)) for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


# What an import costs. Other work on the machine does not count as it would on the wall clock.
PROBE = """
import sys, time
begun = time.process_time()
{statement}
print(time.process_time() - begun, *sys.modules)
"""


def imported(statement: str) -> tuple[float, set[str]]:
    code = PROBE.format(statement=statement)
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    return float(out[0]), {name.partition(".")[0] for name in out[1:]}


HEAVY = {"numba", "jax", "matplotlib", "scipy", "h5py", "neo", "quantities", "pynwb", "torch", "optuna"}


def test_importing_the_package_costs_below_three_tenths_of_a_second_and_nothing_heavy():
    runs = [imported("import myoloop") for _ in range(5)]
    assert median(seconds for seconds, _ in runs) < 0.3
    assert not runs[0][1] & HEAVY


@pytest.mark.parametrize("room", ["analysis", "data", "network", "neurons", "muscle", "kernels"])
def test_importing_a_room_loads_neither_compiler_nor_drawing(room):
    _, modules = imported(f"import myoloop.{room}")
    assert not modules & {"numba", "llvmlite", "jax", "matplotlib", "h5py", "neo", "pynwb"}


def test_the_package_gives_out_its_rooms_and_names_lazily():
    _, modules = imported("import myoloop as ml; ml.network.PoissonSource; ml.SpikeTrains; ml.neurons.LIF()")
    assert not modules & {"numba", "matplotlib"}
    import myoloop

    assert myoloop.simulate is myoloop.network.simulate
    for name in ("Recording", "Result", "Signal", "SpikeTrains"):
        assert getattr(myoloop, name) is getattr(myoloop.data, name)
    for room in set(myoloop.__all__) - {"Recording", "Result", "Signal", "SpikeTrains", "simulate"}:
        assert getattr(myoloop, room).__name__ == f"myoloop.{room}"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = myoloop.nonsense


def test_the_type_checker_is_told_that_the_package_is_typed():
    assert (PACKAGE / "py.typed").exists()
