"""Recordings of the decomposition benchmark: muscles, forces, electrodes, noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, final

import numpy as np

from ..data import GroundTruth, Progress, Recording, SpikeTrains
from ..emg import (
    EMG,
    PRESETS,
    Anatomy,
    Noise,
    RmsWhileActive,
    SurfaceGrid,
    ThinFilmArray,
    WhiteNoise,
    active_samples,
)
from ._array_contraction import ArrayStudy, contract

SNR_DB = 20.0
PERCENT_MVC = 30.0
"""The condition to which the claims belong."""
OTHER_SNR_DB = 10.0, 30.0
OTHER_PERCENT_MVC = 10.0, 50.0

# How the array lies within a muscle of some 10 mm: as in the study of the array itself.
_FILM = ThinFilmArray(rows=40, pitch_mm=0.5, tilt_along_deg=57.0, along_mm=-6.0, depth_mm=23.4)


@final
@dataclass(frozen=True)
class Condition:
    """One recording of the benchmark."""

    muscle: str
    electrodes: str  # "surface" or "intramuscular"
    percent_mvc: float
    snr_db: float

    @property
    def name(self) -> str:
        """Key in the metrics."""
        return f"{self.electrodes}, {self.muscle}, {self.snr_db:g} dB, {self.percent_mvc:g} % MVC"

    @property
    def is_reference(self) -> bool:
        """Whether the claims are about it."""
        return self.electrodes == "surface" and self.snr_db == SNR_DB and self.percent_mvc == PERCENT_MVC


class Settings(Protocol):
    """What of the study's parameters makes the recordings."""

    @property
    def pitch_mm(self) -> float: ...
    @property
    def ramp_s(self) -> float: ...
    @property
    def plateau_s(self) -> float: ...


def pairs(which: str, is_first: bool) -> tuple[tuple[float, float], ...]:
    """Forces and signal-to-noise ratios of a muscle, grouped by force, the claims' one first.

    Parameters
    ----------
    which : str
        ``"centre"``, ``"cross"``, ``"most"`` (all for the first muscle, else the cross) or ``"all"``.
    is_first : bool
        Whether it is the first muscle.
    """
    if which == "centre":
        return ((PERCENT_MVC, SNR_DB),)
    every = which == "all" or (which == "most" and is_first)
    return tuple(
        (force, snr)
        for force in (PERCENT_MVC, *OTHER_PERCENT_MVC)
        for snr in (SNR_DB, *OTHER_SNR_DB)
        if every or force == PERCENT_MVC or snr == SNR_DB
    )


def recordings(
    settings: Settings, conditions: tuple[Condition, ...], seed: int, progress: Progress
) -> Iterator[tuple[Condition, Recording]]:
    """Simulate conditions one after another; those of one muscle and force are to follow each other.

    Fibres and action potentials are made once for each muscle, the clean EMG once for each force.
    """
    made: tuple[str, str] | None = None
    clean: Recording | None = None
    force = float("nan")
    for condition in conditions:
        if made != (condition.muscle, condition.electrodes):
            made, force = (condition.muscle, condition.electrodes), float("nan")
            anatomy = PRESETS[condition.muscle]()
            emg = electrodes_over(anatomy, condition, settings.pitch_mm, seed, progress).prepare(progress)
        if force != condition.percent_mvc:
            force = condition.percent_mvc
            spikes = contraction_of(anatomy, force, settings, seed, progress)
            clean = emg.record(spikes, seed=seed, progress=progress)
        assert clean is not None
        yield condition, noisy(clean, condition.snr_db, seed)


def electrodes_over(
    anatomy: Anatomy, condition: Condition, pitch_mm: float, seed: int, progress: Progress
) -> EMG:
    """The whole pool of a muscle, under a grid of 8 x 8 contacts or about a thin-film array of 40."""
    if condition.electrodes == "intramuscular":
        return anatomy.intramuscular(anatomy.thresholds(), _FILM, seed=seed, progress=progress)
    grid = SurfaceGrid.grid_8x8(pitch_mm)
    return anatomy.surface(anatomy.thresholds(), grid, seed=seed, progress=progress)


def contraction_of(
    anatomy: Anatomy, percent_mvc: float, settings: Settings, seed: int, progress: Progress
) -> SpikeTrains:
    """Discharges of the pool during a ramp and a plateau of force."""
    task = ArrayStudy(
        units=anatomy.units,
        target_percent_mvc=percent_mvc,
        ramp_s=settings.ramp_s,
        plateau_s=settings.plateau_s,
    )
    return contract(task, anatomy.ratio, seed, progress, anatomy.thresholds()).spikes


def noisy(clean: Recording, snr_db: float, seed: int) -> Recording:
    """Clean EMG with white noise: what `EMG.record` gives for the ratio, without another synthesis."""
    truth = clean.truth
    assert isinstance(truth, GroundTruth)
    values = clean.values_uV.T
    level = RmsWhileActive()
    level.add(values, active_samples(truth.spikes, clean.rate_hz, 0, len(values)))
    noise = Noise(parts=(WhiteNoise(rms_uV=1.0),)).at_snr(level.rms_uV, snr_db)
    mixed = noise.start(len(clean), clean.rate_hz, seed).add_to(values).T
    about = {**truth.about, "noise": noise.to_dict(), "snr_db": snr_db}
    return replace(clean, values_uV=np.ascontiguousarray(mixed), truth=replace(truth, about=about))
