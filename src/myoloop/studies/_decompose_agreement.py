"""Figure of the agreement of a decomposition with a reference, the upper bound beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data import Figure, Level, Line, Panel
from ..decompose import Decomposition, Score

if TYPE_CHECKING:
    from ._decompose_reference import Agreement

_FEWEST = 20  # spikes of a true unit that is shown; the upper bound has the same limit
_NAMED = 24  # units whose names find room on the axis


def agreement_figure(found: Decomposition, agreement: Agreement) -> list[Figure]:
    """F1 of each unit of the reference, by the units found and by the upper bound; none where none is."""
    known = agreement.reference
    fewest = _FEWEST if agreement.is_truth else 1
    units = np.flatnonzero(known.counts >= fewest)
    if not len(units):
        return []
    names = [str(name) for name in known.annotations["unit_id"]]
    ours, roa = _by_unit(agreement.all, names)
    bound = None if agreement.bound is None else _by_unit(agreement.bound, names)[0]
    best = ours if bound is None else np.fmax(ours, bound)
    order = units
    if agreement.is_truth:  # there may be hundreds that nothing can find
        order = units[np.isfinite(best[units])]
        order = order[np.argsort(-best[order], kind="stable")]
    if not len(order):
        return []
    x = np.arange(1.0, len(order) + 1)
    lines = [Line(x, ours[order], "F1", 0, "", "o", 4.5)]
    if bound is None:
        lines.append(Line(x, roa[order], "rate of agreement", 1, "", "s", 3.5))
    else:
        lines.append(Line(x, bound[order], "upper bound", 1, "", "x", 4.5))
    ticks = tuple((float(at), names[unit]) for at, unit in zip(x, order, strict=True))
    what = "True unit" if agreement.is_truth else "Unit of the reference"
    panel = Panel(
        (*lines, Level(agreement.all.good_f1)),
        f"{what}{'' if len(order) <= _NAMED else ', best found first'}",
        "F1" if bound is not None else "Agreement",
        "Agreement",
        (0.0, len(order) + 1.0),
        (0.0, 1.04),
        x_ticks=ticks if len(order) <= _NAMED else (),
    )
    return [Figure("agreement", (panel,), _caption(found, agreement, len(units), len(order)), height_in=2.8)]


def _by_unit(score: Score, names: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """F1 and rate of agreement of each unit of the reference; NaN for those that nothing matches."""
    at = {name: i for i, name in enumerate(names)}
    f1, roa = np.full(len(names), np.nan), np.full(len(names), np.nan)
    for pair in score.pairs:
        f1[at[pair.truth_id]], roa[at[pair.truth_id]] = pair.f1, pair.roa
    return f1, roa


def _caption(found: Decomposition, agreement: Agreement, units: int, shown: int) -> str:
    ours, bound = agreement.all, agreement.bound
    kind = "true units" if agreement.is_truth else "units of the reference"
    least = f" with at least {_FEWEST} discharges" if agreement.is_truth else ""
    text = (
        f"Of {units} {kind}{least}, {ours.good} are found with an F1 of at least {ours.good_f1:g} (dashed), "
        f"by {len(found)} units."
    )
    if bound is not None:
        text += f" Upper bound: filters made from the true action potentials find {bound.good}."
    if shown < units:
        text += f" {units - shown} units that match nothing are not shown."
    return text
