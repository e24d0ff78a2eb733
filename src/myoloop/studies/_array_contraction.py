"""Contraction that the studies of electrode arrays share: a ramp of force, then a plateau."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import Progress, Signal, SpikeTrains
from ..muscle import FuglevandForce, FuglevandPool, recruitment_thresholds
from ..parameters import Parameters, count, number
from ._base import AtLeast, AtMost, Claim

FloatArray = NDArray[np.float64]

_LEVELS = 1001
_SETTLE_S = 0.5  # of the plateau, left out of rates and spectra
_FORCE_HZ = 200.0


@dataclass(frozen=True, kw_only=True)
class ArrayStudy(Parameters):
    """What both studies have in common."""

    units: int = count(100, at_least=5, help="motor units")
    target_percent_mvc: float = number(30.0, above=0, at_most=90, help="force of the plateau")
    ramp_s: float = number(5.0, above=0.5, help="from rest to the plateau")
    plateau_s: float = number(10.0, above=1.0, help="length of the plateau")
    noise_uV: float = number(2.0, at_least=0, help="white noise of the amplifier, root mean square")
    checked_units: int = count(10, help="units with which numerical steps are checked")
    direct_units: int = count(5, help="units whose potentials are evaluated fibre by fibre")
    direct_fibres: int = count(6, help="fibres of each of them")

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        return self.ramp_s + self.plateau_s

    @property
    def settled_s(self) -> tuple[float, float]:
        """The plateau without its beginning."""
        return self.ramp_s + _SETTLE_S, self.duration_s


@final
@dataclass(frozen=True, eq=False)
class Contraction:
    """Discharges of all units, and the force that they make."""

    thresholds: FloatArray
    spikes: SpikeTrains
    force: Signal  # per cent of maximal force
    excitation: Signal  # fraction of the maximum

    @property
    def recruited(self) -> NDArray[np.int64]:
        """Units that fired."""
        return np.flatnonzero(self.spikes.active)


def contract(
    params: ArrayStudy,
    ratio: float,
    seed: int,
    progress: Progress,
    thresholds: FloatArray | None = None,
) -> Contraction:
    """Excite a pool such that its mean force rises evenly to the target and stays there.

    Parameters
    ----------
    params : ArrayStudy
    ratio : float
        Largest over smallest recruitment threshold.
    seed : int
    progress : Progress
    thresholds : ndarray, shape (units,), optional
        Of recruitment, ascending. Default: `recruitment_thresholds` of that ratio.
    """
    if thresholds is None:
        thresholds = recruitment_thresholds(params.units, ratio=ratio)
    pool = FuglevandPool(n=params.units, thresholds=ratio * thresholds / thresholds[-1])
    model = FuglevandForce.of_pool(pool)
    levels = np.linspace(0.0, 1.0, _LEVELS)
    forces = 100.0 * model.mean_force(pool.rates_pps(levels)).sum(axis=1) / model.maximum_force()
    rest = int(np.flatnonzero(forces == 0.0)[-1])
    times_s = np.arange(int(np.ceil(params.duration_s * _FORCE_HZ)) + 1) / _FORCE_HZ
    wanted = params.target_percent_mvc * np.minimum(times_s / params.ramp_s, 1.0)
    excitation = np.interp(wanted, forces[rest:], levels[rest:])
    drive = Signal(excitation, _FORCE_HZ, name="excitation")
    spikes = pool.spikes(drive, params.duration_s, seed=seed, progress=progress)
    force = model.percent_mvc(model.force(spikes, _FORCE_HZ))
    return Contraction(thresholds, spikes, force, drive)


def firing_metrics(params: ArrayStudy, contraction: Contraction) -> dict[str, Any]:
    """Order of recruitment, and rates on the plateau against thresholds."""
    from scipy.stats import spearmanr

    spikes, thresholds = contraction.spikes, contraction.thresholds
    recruited = contraction.recruited
    first = [spikes[int(unit)][0] for unit in recruited]
    rates = spikes.between(*params.settled_s).rates_pps()
    steady = np.isfinite(rates)
    mean = contraction.force.between(*params.settled_s).values.mean()
    return {
        "recruited_units": len(recruited),
        "recruitment_spearman": float(spearmanr(thresholds[recruited], first).statistic),
        "rate_threshold_spearman": float(spearmanr(thresholds[steady], rates[steady]).statistic),
        "rate_pps": {"first_unit": float(rates[0]), "mean": float(rates[steady].mean())},
        "force_percent_mvc": float(mean),
    }


def _recruitment(metrics: Mapping[str, Any]) -> float:
    return float(metrics["recruitment_spearman"])


def _onion(metrics: Mapping[str, Any]) -> float:
    return float(metrics["rate_threshold_spearman"])


FIRING_CLAIMS = (
    Claim(
        "Rank correlation of first discharges and recruitment thresholds",
        "Henneman's size principle",
        0.99,
        AtLeast(),
        _recruitment,
    ),
    Claim(
        "Rank correlation of plateau rates and recruitment thresholds (earlier units fire faster)",
        "De Luca & Erim 1994, Trends Neurosci 17:299 (onion skin)",
        -0.95,
        AtMost(),
        _onion,
    ),
)
