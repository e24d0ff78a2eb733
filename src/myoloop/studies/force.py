"""Muscle force from spikes that a user already has: what `myoloop force` runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..data import (
    Figure,
    Line,
    Panel,
    Progress,
    Raster,
    Signal,
    SpikeTrains,
    as_spike_trains,
    provenance,
    silent,
    thin,
)
from ..errors import ParameterError
from ..muscle import ForceStatistics, FuglevandForce, recruitment_thresholds
from ._base import StudyResult, Table

_RATE_BIN_S = 0.05


def default_model(spikes: SpikeTrains, **changes: Any) -> tuple[FuglevandForce, str]:
    """Force model for spikes of unknown origin, and a sentence that says where its thresholds come from.

    Parameters
    ----------
    spikes : SpikeTrains
        Their annotation ``recruitment_threshold`` is used where there is one; otherwise the units are
        taken to be in order of size, with thresholds of ratio 100 (mode ``"combined"``).
    **changes
        Other fields of `FuglevandForce`.
    """
    known = spikes.annotations.get("recruitment_threshold")
    if known is not None:
        return FuglevandForce(known, **changes), "Recruitment thresholds came with the spikes."
    model = FuglevandForce(recruitment_thresholds(len(spikes), ratio=100.0), **changes)
    return model, (
        "No recruitment thresholds came with the spikes: units are taken to be in order of size, with "
        "thresholds of ratio 100 (mode 'combined')."
    )


def force_from_spikes(
    spikes: Any,
    model: FuglevandForce | None = None,
    rate_hz: float = 2048.0,
    progress: Progress = silent,
    *,
    units: ArrayLike | None = None,
    settle_s: float = 0.5,
) -> StudyResult:
    """Force of a user's spikes, with its statistics, a figure and a summary table.

    Parameters
    ----------
    spikes : SpikeTrains, neo.Block, neo.Segment or list of neo.SpikeTrain
        All units of a pool, silent ones included, unless `units` says which.
    model : FuglevandForce, optional
        Default: `default_model`.
    rate_hz : float
        Samples of force per second.
    progress : Progress
        Told the time that is done now and then.
    units : array of int, optional
        Index in the pool of each train; needs a `model`.
    settle_s : float
        Left out of the statistics of the force at its start, where twitches still build up; nothing is
        left out of a force shorter than twice this.

    Returns
    -------
    StudyResult
        ``signals["force"]`` (a.u., ``about`` holds model and statistics) and
        ``signals["force_percent_mvc"]``; ``spikes["motor units"]``.

    Raises
    ------
    ParameterError
        See `FuglevandForce.force`.
    """
    if not (np.isfinite(settle_s) and settle_s >= 0):
        raise ParameterError("force_from_spikes.settle_s", f"{settle_s!r} was given", "give 0 s or more")
    trains = as_spike_trains(spikes, None if model is None or units is not None else model.n)
    notes: tuple[str, ...] = ()
    if model is None:
        if units is not None:
            raise ParameterError(
                "force_from_spikes.units", "indices were given without a model", "give the model of the pool"
            )
        model, note = default_model(trains)
        notes = (note,)
    raw = model.force(trains, rate_hz, units=units, progress=progress)
    if len(raw) == 0:
        raise ParameterError(
            "force_from_spikes.rate_hz",
            f"{rate_hz:g} Hz gives no sample in {trains.duration_s:g} s",
            "give a higher one",
        )
    statistics = model.statistics(trains, _settled(raw, settle_s))
    about = {**raw.about, "statistics": statistics.to_dict()}
    force = Signal(raw.values, raw.rate_hz, raw.units, raw.t_start_s, raw.name, raw.channels, about)
    percent = model.percent_mvc(force)
    return StudyResult(
        metrics={**statistics.to_dict(), **_firing(trains), "rate_hz": force.rate_hz},
        figures=(_figure(trains, percent),),
        tables=(_table(statistics),),
        spikes={"motor units": trains},
        signals={"force": force, "force_percent_mvc": percent},
        notes=(*notes, _window_note(statistics)),
        provenance=provenance(
            {"model": model.to_dict(), "rate_hz": force.rate_hz, "settle_s": settle_s}, None, study="force"
        ),
    )


def _settled(force: Signal, settle_s: float) -> Signal:
    if settle_s == 0 or force.duration_s < 2 * settle_s:
        return force
    return force.between(force.t_start_s + settle_s, force.t_start_s + force.duration_s)


def _firing(trains: SpikeTrains) -> dict[str, float | None]:
    rates, variation = trains.rates_pps(), trains.isi_cv()
    return {
        "mean_rate_pps": float(np.nanmean(rates)) if np.any(np.isfinite(rates)) else None,
        "mean_isi_cv": float(np.nanmean(variation)) if np.any(np.isfinite(variation)) else None,
    }


def _figure(trains: SpikeTrains, percent: Signal) -> Figure:
    span = trains.t_start_s, trains.t_stop_s
    bin_s = min(_RATE_BIN_S, trains.duration_s)
    counts = trains.binned(bin_s)
    middle_s = trains.t_start_s + (np.arange(len(counts)) + 0.5) * bin_s
    rate_s, rate = thin(middle_s, counts / bin_s)
    force_s, force = thin(percent.times_s, percent.values)
    return Figure(
        "force",
        (
            Panel((Raster(trains),), y_label="Unit", title="Spikes", x_range=span),
            Panel(
                (Line(rate_s, rate),),
                y_label="Spikes per s",
                title="Rate of the pool",
                x_range=span,
            ),
            Panel((Line(force_s, force),), "Time (s)", "Force (% MVC)", "Force", span),
        ),
        f"Spikes of {int(trains.active.sum())} active of {len(trains)} units, their rate together, and the "
        f"force; 100 % MVC is {percent.about['maximum_force']:.4g} times a twitch force of 1.",
        share_x=True,
    )


def _table(statistics: ForceStatistics) -> Table:
    low, high = statistics.twitch_force_range
    short, long = statistics.contraction_time_range_ms
    rows: tuple[tuple[str, Any], ...] = (
        ("Units", statistics.units),
        ("Units with spikes", statistics.active_units),
        ("Spikes", statistics.spikes),
        ("Recruitment ratio", f"{statistics.recruitment_ratio:.4g}"),
        ("Peak twitch force (a.u.)", f"{low:.4g} to {high:.4g}"),
        ("Contraction time (ms)", f"{short:.4g} to {long:.4g}"),
        ("Maximal force (a.u.)", f"{statistics.maximum_force:.6g}"),
        ("Mean force (a.u.)", f"{statistics.mean_force:.6g}"),
        ("Mean force (% MVC)", f"{statistics.mean_percent_mvc:.4g}"),
        ("Largest force (a.u.)", f"{statistics.peak_force:.6g}"),
        ("Force CV (%)", f"{100 * statistics.force_cv:.4g}"),
        ("Statistics from, to (s)", f"{statistics.start_s:g} to {statistics.stop_s:g}"),
    )
    return Table("Force and its pool", ("quantity", "value"), rows)


def _window_note(statistics: ForceStatistics) -> str:
    return (
        f"Mean, largest force and CV are of {statistics.start_s:g} to {statistics.stop_s:g} s. Force is in "
        "units of a twitch force of 1; 100 % MVC is the steady force with every unit at its peak rate "
        "(Fuglevand et al. 1993)."
    )
