"""The inverse of the extended covariance, which whitening amounts to."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ...errors import ParameterError

Float32Array = NDArray[np.float32]

_NOTHING = 1e-12  # power of a vector, of signals of unit variance


@final
class Whitening:
    """Applies the inverse of a covariance, a little loaded on its diagonal.

    Parameters
    ----------
    covariance : ndarray of float32, shape (n, n)
    ridge : float
        Loading, as a share of the mean eigenvalue. Below 3e-6 single precision is noise.

    Raises
    ------
    ParameterError
        The loaded covariance is not positive definite.
    """

    def __init__(self, covariance: Float32Array, ridge: float) -> None:
        loaded = covariance.copy()
        n = len(loaded)
        loaded[np.arange(n), np.arange(n)] += np.float32(ridge * np.trace(covariance, dtype=np.float64) / n)
        try:
            self._factor: Any = linalg.cho_factor(loaded, lower=True, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError:
            raise ParameterError(
                "Whitening.ridge",
                f"{ridge:g} leaves a covariance that has no inverse",
                "give a larger one, or leave out channels that repeat others",
            ) from None

    def solve(self, vectors: Float32Array) -> Float32Array:
        """``C^-1 v`` for each of `vectors`, shape (n, channels, lags)."""
        flat = vectors.reshape(len(vectors), -1).T
        solved = linalg.cho_solve(self._factor, flat, check_finite=False)
        return np.ascontiguousarray(solved.T, dtype=np.float32).reshape(vectors.shape)

    def filters(self, vectors: Float32Array) -> Float32Array:
        """``b = C^-1 v`` of unit output power, ``b' C b = 1``; all zeros where `v` is nothing."""
        solved = self.solve(vectors)
        power = np.einsum("ncl,ncl->n", solved, vectors, dtype=np.float64)
        scale = np.zeros(len(power))
        np.divide(1.0, np.sqrt(power, where=power > _NOTHING, out=scale), where=power > _NOTHING, out=scale)
        return np.asarray(solved * scale[:, None, None], dtype=np.float32)
