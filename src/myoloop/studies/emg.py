"""EMG from spikes that a user already has: what `myoloop emg` runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data import GroundTruth, Progress, Recording, SpikeTrains, as_spike_trains, provenance, silent
from ..emg import EMG, Anatomy, MuscleFibres, Noise
from ..errors import ParameterError
from ..muscle import recruitment_thresholds
from ._base import StudyResult, Table
from ._emg_figures import emg_figures
from ._emg_statistics import PassingEMG

Block = NDArray[np.float32]
Sink = Callable[[Recording, Iterator[Block]], None]


def thresholds_of(spikes: SpikeTrains, anatomy: Anatomy) -> tuple[NDArray[np.float64], str]:
    """Recruitment thresholds for spikes of unknown origin, and a sentence that says where they come from.

    Parameters
    ----------
    spikes : SpikeTrains
        Their annotation ``recruitment_threshold`` is used where there is one; otherwise the units are
        taken to be in order of size, with thresholds of the muscle's ratio (mode ``"konstantin"``).
    anatomy : Anatomy

    Returns
    -------
    ndarray, shape (units,)
        Of the units in the order of the spikes.
    str
    """
    known = spikes.annotations.get("recruitment_threshold")
    if known is not None:
        return np.asarray(known, dtype=float), "Recruitment thresholds came with the spikes."
    return recruitment_thresholds(len(spikes), ratio=anatomy.ratio, mode="konstantin"), (
        "No recruitment thresholds came with the spikes: units are taken to be in order of size, with "
        f"thresholds of ratio {anatomy.ratio:g} (mode 'konstantin')."
    )


def fibres_of(
    anatomy: Anatomy, thresholds: ArrayLike, seed: int = 0, progress: Progress = silent
) -> MuscleFibres:
    """Fibres of units whose thresholds are in any order; unit i has threshold i.

    Parameters
    ----------
    anatomy : Anatomy
    thresholds : array-like, shape (units,)
    seed : int
    progress : Progress
    """
    given = np.atleast_1d(np.asarray(thresholds, dtype=float))
    order = np.argsort(given, kind="stable")
    fibres = anatomy.fibres(given[order], seed=seed, progress=progress)
    if np.array_equal(order, np.arange(len(order))):
        return fibres
    return fibres.select(np.argsort(order, kind="stable"))


def emg_from_spikes(
    spikes: Any,
    emg: EMG,
    *,
    noise: Noise | None = None,
    snr_db: float | None = None,
    seed: int = 0,
    progress: Progress = silent,
    sink: Sink | None = None,
) -> StudyResult:
    """EMG of a user's spikes, in memory that does not grow with their duration.

    Parameters
    ----------
    spikes : SpikeTrains, neo.Block, neo.Segment or list of neo.SpikeTrain
        Unit i is unit i of `emg`; there may be fewer.
    emg : EMG
        The muscle, what surrounds it, the electrodes.
    noise, snr_db, seed
        See `EMG.record`.
    progress : Progress
    sink : callable, optional
        Given the recording with its first block of samples and truth, and an iterator over the blocks
        that follow, shape (channels, samples), which it must use up. Where it stops early the
        statistics are of what it took. Default: samples are looked at and dropped.

    Returns
    -------
    StudyResult
        ``spikes["motor units"]``, metrics, figures; the samples went to `sink`.

    Raises
    ------
    ParameterError
        More units than the muscle has, or spikes too short for a sample.
    """
    trains = as_spike_trains(spikes)
    if len(trains) > emg.fibres.n_units:
        raise ParameterError(
            "emg_from_spikes.spikes",
            f"{len(trains)} units were given for a muscle of {emg.fibres.n_units}",
            "give thresholds for all units, or select units",
        )
    began = time.perf_counter()
    potentials = emg.prepare(progress).action_potentials
    prepared = time.perf_counter()
    passing = PassingEMG(trains, emg.rate_hz, len(emg.electrodes))
    blocks = _blocks(trains, emg, noise, snr_db, seed, progress, passing)
    first = next(blocks, None)
    if first is None:
        raise ParameterError(
            "emg_from_spikes.spikes",
            f"{trains.duration_s:g} s hold no sample at {emg.rate_hz:g} Hz",
            "give a longer recording",
        )
    about = {"emg": emg.to_dict(), "noise": noise and noise.to_dict(), "snr_db": snr_db, "seed": seed}
    truth = GroundTruth(trains, potentials, None, about)
    recording = Recording(first, emg.rate_hz, emg.electrodes, truth, trains.t_start_s)
    if sink is not None:
        sink(recording, blocks)
    else:
        for _ in blocks:
            pass
    wall = {"action_potentials": prepared - began, "synthesis": time.perf_counter() - prepared}
    return StudyResult(
        metrics={**_metrics(trains, emg, passing), "snr_db": snr_db, "wall_s": wall},
        figures=emg_figures(trains, emg, passing),
        tables=(_table(trains, emg),),
        spikes={"motor units": trains},
        notes=_notes(trains, emg),
        provenance=provenance(about, seed, study="emg"),
    )


def unit_table(spikes: SpikeTrains, emg: EMG) -> Table:
    """One row for each motor unit: anatomy, firing, and its greatest action potential."""
    fibres, potentials = emg.fibres, emg.action_potentials
    peaks = potentials.peak_to_peak_uV
    channel = np.argmax(peaks, axis=1)
    counts, rates = spikes.counts, spikes.rates_pps()
    thresholds = _thresholds(fibres)
    mean = np.bincount(fibres.unit, weights=fibres.velocity_m_per_s) / fibres.fibres_per_unit
    rows = tuple(
        (
            unit,
            None if thresholds is None else float(thresholds[unit]),
            int(fibres.fibres_per_unit[unit]),
            float(mean[unit]),
            int(counts[unit]) if unit < len(spikes) else 0,
            float(rates[unit]) if unit < len(spikes) else None,
            float(peaks[unit, channel[unit]]),
            potentials.channels[channel[unit]],
        )
        for unit in range(fibres.n_units)
    )
    columns = (
        "unit", "recruitment_threshold", "fibres", "velocity_m_per_s", "spikes", "rate_pps",
        "peak_to_peak_uV", "largest_on",
    )  # fmt: skip
    return Table("Units", columns, rows)


def _blocks(
    trains: SpikeTrains,
    emg: EMG,
    noise: Noise | None,
    snr_db: float | None,
    seed: int,
    progress: Progress,
    passing: PassingEMG,
) -> Iterator[Block]:
    for block in emg.blocks(trains, noise=noise, snr_db=snr_db, seed=seed):
        passing.add(block)
        progress("EMG", min(passing.seconds, trains.duration_s), trains.duration_s)
        yield np.ascontiguousarray(block.T)


def _metrics(trains: SpikeTrains, emg: EMG, passing: PassingEMG) -> dict[str, Any]:
    values = emg.action_potentials.values_uV
    fibres = emg.fibres
    velocity = np.bincount(fibres.unit, weights=fibres.velocity_m_per_s) / fibres.fibres_per_unit
    rates = trains.rates_pps()
    return {
        "units": fibres.n_units,
        "active_units": int(trains.active.sum()),
        "spikes": len(trains.times_s),
        "mean_rate_pps": float(np.nanmean(rates)) if np.any(np.isfinite(rates)) else None,
        "fibres": len(fibres),
        "cv_set_m_per_s": _spread(velocity),
        "channels": len(emg.electrodes),
        "contacts": emg.electrodes.n_contacts,
        "rate_hz": emg.rate_hz,
        "duration_s": passing.seconds,
        "muap_peak_uV": _spread(np.abs(values).max(axis=(1, 2))),
        "muap_peak_to_peak_uV": _spread(np.ptp(values, axis=2).max(axis=1)),
        "emg_rms_uV": _spread(passing.rms_uV),
        **passing.spectrum_metrics,
    }


def _spread(values: NDArray[Any]) -> dict[str, float]:
    return {
        "median": float(np.median(values)),
        "min": float(np.min(values)),
        "max": float(np.max(values)),
    }


def _table(trains: SpikeTrains, emg: EMG) -> Table:
    fibres, electrodes = emg.fibres, emg.electrodes
    assert emg.amplifier is not None
    low, high = fibres.tendon_mm.mean(axis=0)
    rows: tuple[tuple[str, Any], ...] = (
        ("Motor units", fibres.n_units),
        ("Units with spikes", int(trains.active.sum())),
        ("Muscle fibres", len(fibres)),
        ("Fibres of a unit", f"{fibres.fibres_per_unit.min()} to {fibres.fibres_per_unit.max()}"),
        ("Mean ends of the fibres, z (mm)", f"{low:.4g} and {high:.4g}"),
        ("Mean endplate, z (mm)", f"{fibres.endplate_mm.mean():.3g}"),
        ("Volume conductor", type(emg.conductor).__name__),
        ("Electrodes", "within the muscle" if electrodes.intramuscular else "on the skin"),
        ("Contacts", electrodes.n_contacts),
        ("Channels", len(electrodes)),
        ("Samples per s", f"{emg.rate_hz:g}"),
        ("Low-pass (Hz)", f"{emg.amplifier.low_pass_hz:g}"),
        ("Jitter of a fibre (us)", f"{emg.jitter_us:g}"),
    )
    return Table("Muscle and electrodes", ("quantity", "value"), rows)


def _notes(trains: SpikeTrains, emg: EMG) -> tuple[str, ...]:
    edge = emg.action_potentials.times_s[-1]
    return (
        f"A discharge adds its unit's action potential from {1e3 * emg.action_potentials.t_start_s:.3g} to "
        f"{1e3 * edge:.3g} ms after the spike; spikes before {trains.t_start_s:g} s are not known, so the "
        "EMG builds up over that time.",
        "Amplitudes follow from anatomy, conductivities and currents of the fibres; nothing is rescaled.",
    )


def _thresholds(fibres: MuscleFibres) -> NDArray[np.float64] | None:
    values = fibres.about.get("thresholds")
    if values is None:
        return None
    units = np.asarray(fibres.about.get("units", np.arange(len(values))))
    return np.asarray(np.asarray(values)[units])
