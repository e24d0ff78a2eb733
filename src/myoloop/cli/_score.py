"""``myoloop score``: how far two sets of spike trains agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..data import SpikeTrains
    from ..decompose import Score

_A_FILE = click.Path(path_type=Path)


@click.command(short_help="Score found motor units against true ones.")
@click.argument("found", metavar="A", type=_A_FILE)
@click.argument("truth", metavar="B", type=_A_FILE)
@click.option("--tolerance-ms", type=float, default=1.0, help="Two spikes agree within this [1].")
@click.option("--max-lag-ms", type=float, default=100.0, help="Largest lag between two units [100].")
@click.option("--minimum", type=float, default=0.3, help="Least F1 of a match [0.3].")
@click.option("--population", metavar="NAME", help="Which one of A, where it holds several.")
@click.option("--truth-population", metavar="NAME", help="Which one of B, where it holds several.")
@click.option("--json", "out", type=_A_FILE, metavar="FILE", help="Write the score to this file too.")
@click.option("--overwrite", is_flag=True, help="Replace that file.")
def score(
    found: Path,
    truth: Path,
    tolerance_ms: float,
    max_lag_ms: float,
    minimum: float,
    population: str | None,
    truth_population: str | None,
    out: Path | None,
    overwrite: bool,
) -> None:
    """Score the motor units of A against those of B, the reference.

    A and B are files with spikes, of any format that is read (NWB, NIX, BIDS, CSV, other programs'); of
    a simulated recording the true spikes count. Units are matched one to one by their best F1, each at
    its own lag.
    """
    from ..decompose import score as agreement
    from ..io import read_spikes
    from ._warnings import collected

    with collected():
        trains = read_spikes(found, population=population)
        reference = read_spikes(truth, population=truth_population)
        result = agreement(
            trains, reference, tolerance_ms=tolerance_ms, max_lag_ms=max_lag_ms, minimum=minimum
        )
    if out is not None:
        _write(out, result, found, truth, overwrite)
    _show(result, trains, reference)


def _show(result: Score, found: SpikeTrains, truth: SpikeTrains) -> None:
    from ._show import _print, _table

    rows = [[_cell(name, value) for name, value in row.items()] for row in result.table()]
    if rows:
        names = tuple(result.table()[0])
        _print(_table(names, rows, right=range(len(names))))
    click.echo(result.summary())
    shorter, longer = sorted((found.t_stop_s, truth.t_stop_s))
    if longer - shorter > 1.0:
        click.echo(f"note: one file ends at {shorter:g} s, the other at {longer:g} s; spikes after that are")
        click.echo("      counted as missed or false")


def _cell(name: str, value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.2f}" if name == "lag_ms" else f"{value:.3f}"


def _write(path: Path, result: Score, found: Path, truth: Path, overwrite: bool) -> None:
    from ..errors import OutputError
    from ..parameters import plain

    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists already; give another name or --overwrite")
    content = {
        "found": found.name,
        "truth": truth.name,
        "rule": plain(result.rule),
        "good_f1": result.good_f1,
        **plain(result.metrics()),
        "duplicates": list(result.duplicates),
        "units": plain(list(result.table())),
    }
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as problem:
        raise OutputError(f"{path}: {problem.strerror or problem}") from None
