"""Motor units of a recording that a user already has: what `myoloop decompose` runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..data import Progress, Recording, SpikeTrains, provenance, silent
from ..decompose import Decomposer, Decomposition, score, upper_bound
from ..errors import ParameterError
from ._base import StudyResult, Table
from ._decompose_figures import decomposition_figures
from ._decompose_reference import Agreement
from ._decompose_tables import (
    DEFINITIONS,
    channel_table,
    definitions_table,
    flag_table,
    key_numbers,
    method_table,
    spread,
    unit_rows,
    unit_table,
)

__all__ = ["Agreement", "agreement_of", "channel_table", "decompose_recording", "key_numbers", "unit_table"]


Sink = Callable[[Decomposition, Agreement | None], None]


def decompose_recording(
    recording: Recording,
    method: Decomposer,
    *,
    reference: SpikeTrains | None = None,
    bound: bool = True,
    progress: Progress = silent,
    sink: Sink | None = None,
) -> StudyResult:
    """Decompose a recording, and tell what was found.

    Parameters
    ----------
    recording : Recording
    method : Decomposer
        It is fitted: its ``decomposition_`` is what the result is about.
    reference : SpikeTrains, optional
        Units to compare with, in the time of the recording. Default: the truth of a simulated recording.
    bound : bool
        Where the truth is known, compute what filters made from the true action potentials find: takes
        longer than the decomposition where there are hundreds of units.
    progress : Progress
    sink : callable, optional
        Given the decomposition and its agreement with the reference (None where there is none) as soon as
        they are there, before the upper bound and the figures.

    Returns
    -------
    StudyResult
        Metrics, tables and figures; ``spikes["motor units"]`` are the units. That there is none is an
        answer too.

    Raises
    ------
    ParameterError
        For a recording that cannot be decomposed, or a reference of another time.
    """
    known = _known(recording, reference)
    began, began_cpu = time.perf_counter(), time.process_time()
    found = method.fit(recording, progress).decomposition_
    cost = {"cpu_s": time.process_time() - began_cpu, "wall_s": time.perf_counter() - began}
    agreement = None if known is None else agreement_of(found, known, is_truth=reference is None)
    if sink is not None:
        sink(found, agreement)
    if bound and agreement is not None and agreement.is_truth:
        agreement = replace(agreement, **_bound(recording, method, progress))
    return StudyResult(
        metrics=_metrics(recording, found, agreement, cost),
        figures=decomposition_figures(recording, found, agreement),
        tables=(
            *([Table("Units", *unit_rows(found, agreement))] if len(found) else []),
            *([flag_table(found)] if any(found.quality.flag) else []),
            *([definitions_table()] if len(found) else []),
            method_table(recording, found),
            *([_left_out(found)] if found.bad else []),
        ),
        spikes={"motor units": found.spikes},
        notes=_notes(found, agreement),
        provenance=provenance(
            dict(found.parameters), found.parameters.get("seed"), study="decompose", bad=dict(found.bad)
        ),
    )


def agreement_of(found: Decomposition, reference: SpikeTrains, *, is_truth: bool = False) -> Agreement:
    """Scores against a reference, in the time that both share, which must be some.

    Parameters
    ----------
    found : Decomposition
    reference : SpikeTrains
        A unit is named by the annotation ``unit_id``, else by its index.
    is_truth : bool
        Whether it is the truth, so that what it does not hold is false.
    """
    begin, end = _shared(found.spikes.t_start_s, found.spikes.t_stop_s, reference)
    known, trains = named(reference.between(begin, end)), found.spikes.between(begin, end)
    accepted = trains.select(np.array([not flag for flag in found.quality.flag], dtype=bool))
    return Agreement(score(trains, known), score(accepted, known), known, is_truth)


def _known(recording: Recording, reference: SpikeTrains | None) -> SpikeTrains | None:
    """The reference, or the truth, if its time fits."""
    if reference is not None:
        _shared(recording.t_start_s, recording.t_start_s + recording.duration_s, reference)
        return reference
    return None if recording.truth is None else recording.truth.spikes


def _shared(begin_s: float, end_s: float, reference: SpikeTrains) -> tuple[float, float]:
    begin, end = max(begin_s, reference.t_start_s), min(end_s, reference.t_stop_s)
    if begin >= end:
        raise ParameterError(
            "decompose_recording.reference",
            f"its time is {reference.t_start_s:g} to {reference.t_stop_s:g} s, the recording's "
            f"{begin_s:g} to {end_s:g} s",
            "give spikes in the time of the recording",
        )
    return begin, end


def named(spikes: SpikeTrains) -> SpikeTrains:
    """Spikes whose units have names; indices where there are none."""
    if "unit_id" in spikes.annotations:
        return spikes
    names = np.array([str(unit) for unit in range(len(spikes))], dtype=np.str_)
    return replace(spikes, annotations={**spikes.annotations, "unit_id": names})


def _bound(recording: Recording, method: Decomposer, progress: Progress) -> dict[str, Any]:
    """The upper bound by filters of the same length, or a note why there is none."""
    truth, given = recording.truth, method.get_params()
    assert truth is not None
    progress("upper bound", 0, 1, "")
    try:
        best = upper_bound(
            replace(recording, truth=replace(truth, spikes=named(truth.spikes))),
            preprocessing=given.get("preprocessing"),
            lags=given.get("lags"),
        )
    except ParameterError as why:
        return {"notes": (f"There is no upper bound: {why.wrong}.",)}
    progress("upper bound", 1, 1, "")
    return {"bound": best}


def _metrics(
    recording: Recording, found: Decomposition, agreement: Agreement | None, cost: dict[str, float]
) -> dict[str, Any]:
    quality = found.quality
    metrics: dict[str, Any] = {
        "units": len(found),
        "accepted_units": sum(not flag for flag in quality.flag),
        "spikes": len(found.spikes.times_s),
        **cost,
        "sil": spread(quality.sil),
        "pnr_db": spread(quality.pnr_db),
        "cov_isi": spread(quality.cov_isi),
        "rate_pps": spread(quality.rate_pps),
        "short_isi": spread(quality.short_isi),
        "channels": len(recording),
        "bad_channels": len(found.bad),
        "rate_hz": recording.rate_hz,
        "working_rate_hz": found.rate_hz,
        "duration_s": recording.duration_s,
    }
    if agreement is not None:
        metrics["reference"] = "truth" if agreement.is_truth else "given"
        metrics["agreement"] = agreement.all.metrics()
        metrics["agreement_of_accepted"] = agreement.accepted.metrics()
        if agreement.bound is not None:
            metrics["upper_bound_units"] = agreement.bound.good
            metrics["upper_bound_roa_mean"] = agreement.bound.roa_mean
    return {**metrics, "definitions": DEFINITIONS}


def _left_out(found: Decomposition) -> Table:
    return Table("Channels left out", ("channel", "reason"), tuple(found.bad.items()))


def _notes(found: Decomposition, agreement: Agreement | None) -> tuple[str, ...]:
    notes = [_sentence(note) for note in found.notes]
    if len(found):
        notes.append(
            "A flag says that a unit may be false or merged. Silhouettes stand for filters that were made "
            "without the spike that they judge."
        )
    if agreement is not None:
        known = agreement.reference
        span = f"{known.t_start_s:.5g} to {known.t_stop_s:.5g} s"
        notes.append(
            f"Agreement is counted from {span}: two spikes agree within "
            f"{agreement.all.rule.tolerance_ms:g} ms about the best lag of their two units."
        )
        if not agreement.is_truth:
            notes.append(
                "A reference may hold only some of the units: one that matches none need not be false."
            )
        notes += agreement.notes
    return tuple(notes)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
