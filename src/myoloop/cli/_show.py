"""Tables for the terminal."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..parameters import Parameters, plain
from ..studies import Outcome, Study
from ..viz import number_text, unit_text

_PIPE_WIDTH = 160  # columns where the output goes to a file or a pipe
_WIDE = 110


def show_studies(studies: Iterable[Study]) -> None:
    """A line for each study."""
    rows = [(study.name, study.title, study.reference) for study in studies]
    _print(_table(("Study", "What it is", "Reference"), rows))


def show_study(study: Study) -> None:
    """What a study is, its parameters and its claims."""
    _print(Text(f"{study.name}: {study.title}", style="bold"))
    _print(Text(f"{study.reference}\n"))
    quick = dict(_parameters(study.with_changes(quick=True)))
    rows = []
    for name, (value, unit, help_text) in _parameters(study.parameters):
        changed = quick[name][0] if quick[name][0] != value else ""
        rows.append((name, value, changed, unit, help_text))
    _print(_table(("Parameter", "Default", "With --quick", "Unit", "Meaning"), rows, right=(1, 2)))
    claims = [(c.name, number_text(float(c.published)), str(c.tolerance), c.source) for c in study.claims]
    if claims:
        _print(_table(("Claim", "Published", "Tolerance", "Source"), claims, right=(1,)))


def show_claims(outcomes: Sequence[tuple[str, Outcome]]) -> None:
    """Table of claims, each with its study, and how many hold.

    The study is left out where there is only one, the source where the terminal is narrow.
    """
    columns: dict[str, list[Any]] = {
        "Study": [study for study, _ in outcomes],
        "Claim": [c.name for _, c in outcomes],
        "Source": [c.source for _, c in outcomes],
        "Published": [number_text(float(c.published)) for _, c in outcomes],
        "Tolerance": [c.tolerance for _, c in outcomes],
        "Ours": [number_text(float(c.ours)) for _, c in outcomes],
        "Holds": [_holds(c.holds) for _, c in outcomes],
    }
    if len(set(columns["Study"])) == 1:
        del columns["Study"]
    if _width() < _WIDE:
        del columns["Source"]
    right = [k for k, name in enumerate(columns) if name in {"Published", "Ours"}]
    _print(_table(tuple(columns), zip(*columns.values(), strict=True), right))
    holding = sum(outcome.holds for _, outcome in outcomes)
    style = "green" if holding == len(outcomes) else "red"
    _print(Text(f"{holding} of {len(outcomes)} claims hold", style=f"bold {style}"))


def _holds(holds: bool) -> Text:
    return Text("✓ yes", style="green") if holds else Text("✗ no", style="bold red")


def _parameters(params: Parameters, above: str = "") -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Rows (name, (value, unit, help)); a field that holds parameters gives a row for each of theirs."""
    for field in dataclasses.fields(params):
        value = getattr(params, field.name)
        name = f"{above}{field.name}"
        if isinstance(value, Parameters):
            yield from _parameters(value, f"{name}.")
        else:
            text = "none" if value is None else number_text(plain(value))
            yield name, (text, unit_text(field.name), field.metadata.get("help", ""))


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[int] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for k, column in enumerate(columns):
        table.add_column(column, justify="right" if k in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return table


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPE_WIDTH


def _print(content: Table | Text) -> None:
    console = Console(width=_width(), highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(content)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())
    if isinstance(content, Table):
        click.echo()
