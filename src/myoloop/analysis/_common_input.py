"""How much of the input of single motor neurons is common, from coherence against the size of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ._check import checked_range
from ._coherence import Coherence

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class CommonInput:
    """Proportion of common input of a pool.

    Parameters
    ----------
    proportion : float
        Square root of the power of the common over that of the independent input, ``sqrt(A / B)``.
    group_units : ndarray of int, shape (sizes,)
    coherence, fitted : ndarray, shape (sizes,)
        Mean coherence in the band, and what the model makes of it.
    band_hz : tuple of float
    """

    proportion: float
    group_units: NDArray[np.int64]
    coherence: FloatArray
    fitted: FloatArray
    band_hz: tuple[float, float]


def common_input(pooled: Sequence[Coherence], *, band_hz: tuple[float, float] = (1.0, 5.0)) -> CommonInput:
    """Fit the growth of coherence with the number of units in a group.

    With a common input of power A and independent ones of power B for each unit, two groups of n units
    have a coherence of ``(n^2 A)^2 / (n B + n^2 A)^2``.

    Parameters
    ----------
    pooled : sequence of Coherence
        From `pooled_coherence`, of two sizes or more.
    band_hz : tuple of float
        The coherence is averaged for ``low <= frequency < high``.

    Returns
    -------
    CommonInput

    Raises
    ------
    ParameterError
        Fewer than two sizes, or a band without a frequency.

    References
    ----------
    Negro, Yavuz, Farina (2016), J Physiol 594:5491, Eq. 4.
    """
    from scipy.optimize import minimize_scalar

    band = checked_range(band_hz, "common_input.band_hz")
    sizes = np.array([one.group_units for one in pooled], dtype=np.int64)
    if len(np.unique(sizes)) < 2:
        raise ParameterError(
            "common_input.pooled", f"{len(np.unique(sizes))} sizes of group", "give two sizes or more"
        )
    means = np.array([one.band_mean(*band) for one in pooled])
    if not np.all(np.isfinite(means)):
        raise ParameterError(
            "common_input.band_hz", f"no coherence from {band[0]:g} to {band[1]:g} Hz", "give a wider band"
        )
    found = minimize_scalar(
        lambda log: float(np.sum((_model(sizes, np.exp(log)) - means) ** 2)), bounds=(-20.0, 10.0)
    )
    ratio = float(np.exp(found.x))
    return CommonInput(float(np.sqrt(ratio)), sizes, means, _model(sizes, ratio), band)


def _model(sizes: NDArray[np.int64], ratio: float) -> FloatArray:
    common = sizes * ratio
    return np.asarray((common / (1.0 + common)) ** 2)
