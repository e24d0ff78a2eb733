"""Parameters of the two-compartment motor neuron as functions of its threshold.

Every quantity is linear in the recruitment threshold ``rt`` (0 < rt <= 1):
``x = x0 + (x1 - x0) * rt``. Voltages are relative to rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DT_MS = 0.025
E_NA_MV, E_K_MV, E_CA_MV, E_SYN_MV = 120.0, -10.0, 140.0, 70.0
THRESHOLD_MV = 50.0
TAU_RISE_MS, TAU_DECAY_MS = 0.2, 0.3
SYNAPTIC_WEIGHT_US = 0.05
SYNAPTIC_DELAY_MS = 1.0
RA_OHM_CM = 70.0
CM_UF_CM2 = 1.0
GAMMA = 0.2

# x0 (rt -> 0) and x1 (rt = 1) of every parameter; units are in `MotorNeurons`.
ENDS: dict[str, tuple[float, float]] = {
    "soma_diam": (78.0, 113.0),
    "gna": (0.0325, 0.0775),
    "gnap": (0.00067, 0.00043),
    "gkf": (0.0015, 0.0028),
    "gks": (0.016, 0.020),
    "beta_r": (0.018, 0.063),
    "gl_soma": (1.0 / 1050.0, 1.0 / 650.0),
    "dend_diam": (48.0, 90.0),
    "dend_length": (5500.0, 10600.0),
    "gca": (6.2e-6, 1.25e-5),
    "v_traub": (34.0, 35.0),
    "tau_l": (47.0, 90.0),
    "gl_dend": (1.0 / 13000.0, 1.0 / 6050.0),
}


@dataclass(frozen=True)
class MotorNeurons:
    """Parameters of some motor neurons, one array element per cell.

    Lengths and diameters are in um (the soma is as long as it is wide),
    conductances in S/cm2, ``beta_r`` in 1/ms, ``v_traub`` in mV, ``tau_l`` in
    ms.
    """

    soma_diam: FloatArray
    gna: FloatArray
    gnap: FloatArray
    gkf: FloatArray
    gks: FloatArray
    beta_r: FloatArray
    gl_soma: FloatArray
    dend_diam: FloatArray
    dend_length: FloatArray
    gca: FloatArray
    v_traub: FloatArray
    tau_l: FloatArray
    gl_dend: FloatArray

    @property
    def soma_area(self) -> FloatArray:
        """Membrane area of the soma in um2."""
        return np.pi * self.soma_diam**2

    @property
    def dend_area(self) -> FloatArray:
        """Membrane area of the dendrite in um2."""
        return np.pi * self.dend_diam * self.dend_length

    @property
    def coupling(self) -> FloatArray:
        """Axial conductance between the two compartment centres in uS."""
        r_soma = _half_resistance(self.soma_diam, self.soma_diam)
        r_dend = _half_resistance(self.dend_length, self.dend_diam)
        return 1.0 / (r_soma + r_dend)


def _half_resistance(length: FloatArray, diam: FloatArray) -> FloatArray:
    """Axial resistance of half a cylinder in megaohm (lengths in um)."""
    return RA_OHM_CM * (length / 2.0) / (np.pi * diam**2 / 4.0) * 1e-2


def motor_neurons(rt: FloatArray | float) -> MotorNeurons:
    """Return the parameters of cells with the given recruitment thresholds.

    Parameters
    ----------
    rt : array_like of float
        Recruitment thresholds, dimensionless, the pool's largest being 1.

    Returns
    -------
    MotorNeurons
        Parameter arrays with the length of `rt`.
    """
    r = np.atleast_1d(np.asarray(rt, dtype=np.float64))
    return MotorNeurons(**{k: a + (b - a) * r for k, (a, b) in ENDS.items()})


def thresholds(n: int = 800, ratio: float = 100.0, slope: float = 10.0) -> FloatArray:
    """Recruitment thresholds: the De Luca shape mapped onto [1/ratio, 1].

    Parameters
    ----------
    n : int
        Number of motor neurons.
    ratio : float
        Largest over smallest threshold.
    slope : float
        De Luca & Contessa's b.

    Returns
    -------
    ndarray of float64
        Ascending thresholds, dimensionless; the last is 1.
    """
    i = np.arange(1, n + 1, dtype=np.float64)
    raw: FloatArray = (slope * i / n) * np.exp(i * np.log(ratio / slope) / n) / 100.0
    low = 1.0 / ratio
    scaled: FloatArray = (raw - raw[0]) / (raw[-1] - raw[0])
    return low + (1.0 - low) * scaled
