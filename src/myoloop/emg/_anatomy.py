"""A muscle with its surroundings, as presets give it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

from numpy.typing import ArrayLike

from ..data import Electrodes, Progress, silent
from ..parameters import Parameters, count
from ._conductor import VolumeConductor
from ._emg import EMG
from ._grids import SurfaceGrid
from ._infinite import InfiniteMedium
from ._muscle import Muscle
from ._needles import IntramuscularElectrode

SKINS = {"dry": 4.88e-4, "prepared": 1.0}
"""Conductivity of the skin in S/m.

Dry: the horny layer's, spread over the whole skin (Pereira Botelho, Curran, Lowery 2019, PLoS Comput Biol
15:e1007267). Prepared: that of the layers below it, as models of recordings with gel take it (Roeleveld et
al. 1997, Acta Physiol Scand 160:175; Farina & Merletti 2001, IEEE Trans Biomed Eng 48:637).
"""


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
        Number of motor units.
    ratio : float
        Largest over smallest recruitment threshold.
    sources : dict of str
        Source of each number.
    """

    name: str
    muscle: Muscle
    conductor: VolumeConductor
    medium: VolumeConductor = InfiniteMedium()  # noqa: RUF009 (frozen)
    units: int = count(at_least=1)
    ratio: float = 30.0
    sources: dict[str, str] = field(default_factory=dict)

    def surface(
        self,
        thresholds: ArrayLike,
        grid: SurfaceGrid,
        *,
        derive: Callable[[Electrodes], Electrodes] | None = None,
        seed: int = 0,
        progress: Progress = silent,
        **options: Any,
    ) -> EMG:
        """EMG on the skin over the muscle.

        Parameters
        ----------
        thresholds : array-like, shape (units,)
            Recruitment thresholds, ascending.
        grid : SurfaceGrid
            Placed on the skin; its centre counts from over the axis and z = 0.
        derive : callable, optional
            Spatial filter, e.g. `bipolar`.
        seed : int
            Of the anatomy.
        **options
            Of `EMG`.
        """
        fibres = self.muscle.fibres(thresholds, seed=seed, progress=progress)
        electrodes = grid.on(self.conductor)
        electrodes = derive(electrodes) if derive else electrodes
        return EMG(fibres=fibres, conductor=self.conductor, electrodes=electrodes, **options)

    def intramuscular(
        self,
        thresholds: ArrayLike,
        electrode: IntramuscularElectrode,
        *,
        derive: Callable[[Electrodes], Electrodes] | None = None,
        seed: int = 0,
        progress: Progress = silent,
        **options: Any,
    ) -> EMG:
        """EMG within the muscle; see `surface`."""
        fibres = self.muscle.fibres(thresholds, seed=seed, progress=progress)
        electrodes = electrode.on(self.conductor)
        electrodes = derive(electrodes) if derive else electrodes
        return EMG(fibres=fibres, conductor=self.medium, electrodes=electrodes, **options)
