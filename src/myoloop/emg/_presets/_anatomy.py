"""A muscle with its surroundings, as presets give it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...data import Electrodes, Progress, silent
from ...errors import UnknownNameError
from ...parameters import Parameters, count, number
from .._anatomy._fibres import MuscleFibres
from .._anatomy._muscle import Muscle
from .._conductors._base import VolumeConductor
from .._conductors._infinite import InfiniteMedium
from .._electrodes._grids import SurfaceGrid
from .._electrodes._needles import IntramuscularElectrode
from .._emg import EMG

SKINS = {"dry": 4.88e-4, "prepared": 1.0}
"""Conductivity of the skin in S/m.

Dry: the horny layer's, spread over the whole skin (Pereira Botelho, Curran, Lowery 2019, PLoS Comput Biol
15:e1007267). It all but insulates, which raises potentials and their frequencies (Lowery, Stoykov,
Taflove, Kuiken 2002, IEEE Trans Biomed Eng 49:446). Prepared: chosen as high as models of recordings with
gel usually have it, which is twice the muscle along its fibres, so that the skin counts as distance only.
"""

_FILLED = 0.8  # share of a section that its fibres fill


def skin_S_per_m(preset: str, skin: str) -> float:
    """Conductivity of a skin by name, for the preset that was asked."""
    if skin not in SKINS:
        raise UnknownNameError(f"{preset}.skin", skin, SKINS)
    return SKINS[skin]


def packed_per_mm2(diameter_um: float, diameter_spread: float = 0.3) -> float:
    """Fibres per mm2 that fill 80 % of the section, for a lognormal diameter."""
    mean_mm2 = np.pi / 4 * (1e-3 * diameter_um) ** 2 * np.exp(2 * diameter_spread**2)
    return float(_FILLED / mean_mm2)


@final
@dataclass(frozen=True, kw_only=True)
class Anatomy(Parameters):
    """A muscle, what surrounds it, and where the numbers are from.

    Parameters
    ----------
    name : str
    muscle : Muscle
    conductor : VolumeConductor
        With a skin.
    medium : VolumeConductor
        For contacts within the muscle.
    units : int
        Number of motor units of the whole pool.
    ratio : float
        Largest over smallest recruitment threshold, hence also innervation number.
    sources : dict of str
        Source of each number, or that it was chosen.

    Notes
    -----
    The fibres are the muscle's, whatever the number of thresholds that are given: a pool of 100 in place
    of 445 has units 4.45 times as large, on average, and potentials that are larger too. Where the muscle
    has a `Muscle.largest_territory` of its own, the territories of a smaller pool are wider in proportion.
    For the potentials of real units give all thresholds (`thresholds`) and choose units with `only`, which
    costs time in proportion to those chosen, apart from the placing of the fibres.

    Examples
    --------
    >>> import myoloop as ml
    >>> anatomy = ml.emg.first_dorsal_interosseous()
    >>> pool = anatomy.thresholds()
    >>> anatomy.surface(pool, ml.emg.SurfaceGrid.grid_8x8(4), only=range(0, 120, 12), seed=1).fibres.n_units
    10
    """

    name: str
    muscle: Muscle
    conductor: VolumeConductor
    medium: VolumeConductor = InfiniteMedium()  # noqa: RUF009 (frozen)
    units: int = count(at_least=1)
    ratio: float = number(30.0, at_least=1.0)
    sources: dict[str, str] = field(default_factory=dict)

    def thresholds(self) -> NDArray[np.float64]:
        """Recruitment thresholds of the whole pool, a geometric series that ends at 1; shape (units,)."""
        return np.geomspace(1.0 / self.ratio, 1.0, self.units)

    def fibres(
        self,
        thresholds: ArrayLike,
        *,
        only: ArrayLike | None = None,
        seed: int = 0,
        progress: Progress = silent,
    ) -> MuscleFibres:
        """Fibres of a pool, or of some of its units.

        Parameters
        ----------
        thresholds : array-like, shape (units,)
            Recruitment thresholds, ascending, of all units that share the muscle's fibres.
        only : array-like of int, optional
            Indices of the units to keep, which then are units 0, 1 ... in this order. Default: all.
        seed : int
        progress : Progress
        """
        muscle, n = self.muscle, np.size(thresholds)
        if muscle.largest_territory is not None and 0 < n < self.units:
            muscle = muscle.replace(largest_territory=muscle.largest_territory * self.units / n)
        fibres = muscle.fibres(thresholds, seed=seed, progress=progress)
        return fibres if only is None else fibres.select(only)

    def surface(
        self,
        thresholds: ArrayLike,
        grid: SurfaceGrid,
        *,
        only: ArrayLike | None = None,
        derive: Callable[[Electrodes], Electrodes] | None = None,
        seed: int = 0,
        progress: Progress = silent,
        **options: Any,
    ) -> EMG:
        """EMG on the skin over the muscle.

        Parameters
        ----------
        thresholds : array-like, shape (units,)
            Recruitment thresholds, ascending, of all units that share the muscle's fibres.
        grid : SurfaceGrid
            Placed on the skin; its centre counts from over the muscle and z = 0.
        only : array-like of int, optional
            Units to make; see `fibres`. Spikes then have as many trains.
        derive : callable, optional
            Spatial filter, e.g. `bipolar`.
        seed : int
            Of the anatomy.
        **options
            Of `EMG`.
        """
        fibres = self.fibres(thresholds, only=only, seed=seed, progress=progress)
        return self._emg(fibres, self.conductor, grid.on(self.conductor), derive, options)

    def intramuscular(
        self,
        thresholds: ArrayLike,
        electrode: IntramuscularElectrode,
        *,
        only: ArrayLike | None = None,
        derive: Callable[[Electrodes], Electrodes] | None = None,
        seed: int = 0,
        progress: Progress = silent,
        **options: Any,
    ) -> EMG:
        """EMG within the muscle; see `surface`."""
        fibres = self.fibres(thresholds, only=only, seed=seed, progress=progress)
        return self._emg(fibres, self.medium, electrode.on(self.conductor), derive, options)

    @staticmethod
    def _emg(
        fibres: MuscleFibres,
        conductor: VolumeConductor,
        electrodes: Electrodes,
        derive: Callable[[Electrodes], Electrodes] | None,
        options: dict[str, Any],
    ) -> EMG:
        electrodes = derive(electrodes) if derive else electrodes
        return EMG(fibres=fibres, conductor=conductor, electrodes=electrodes, **options)
