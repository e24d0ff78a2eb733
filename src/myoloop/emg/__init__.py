"""EMG: fibres, volume conductors, electrodes, action potentials, synthesis, noise."""

from ._conductor import VolumeConductor
from ._fibres import MuscleFibres

__all__ = ["MuscleFibres", "VolumeConductor"]
