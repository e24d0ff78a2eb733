"""Two units in one train: told apart by what the filter does not look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from .._kernels import isi_variation
from ._candidates import PAUSE_S, Train
from ._extended import ExtendedSignal
from ._whitening import Whitening

SUSPICIOUS_COV = 0.3
_STEADIER = 0.8  # both parts vary less than this share of the whole
_FEWEST, _MOST = 20, 3000  # spikes of a part; of a train that is looked at


def halves_of(
    signal: ExtendedSignal, whitening: Whitening, train: Train, rate_hz: float
) -> tuple[Train, Train] | None:
    """The trains of two units that fire in one, or None where it is that of one unit.

    A filter between the action potentials of two units fires for both, with a fine silhouette. What is
    left of each discharge when the mean is taken off then comes in two kinds: the largest principal
    component, whitened, separates them. That they are units shows in their intervals: each part is
    much steadier than the whole, which no division of one unit's train is.

    Parameters
    ----------
    signal : ExtendedSignal
        With the mean action potential taken off at each spike.
    whitening : Whitening
        Of this signal.
    train : ndarray of int
        Spikes, at which the window of the filter stands.
    rate_hz : float
    """
    if not 2 * _FEWEST <= len(train) <= _MOST:
        return None
    snippets = signal.at(train)
    snippets -= snippets.mean(axis=0)
    flat = snippets.reshape(len(train), -1)
    gram = flat @ whitening.solve(snippets).reshape(len(train), -1).T
    last = len(train) - 1
    _, component = linalg.eigh(0.5 * (gram + gram.T), subset_by_index=[last, last])
    second = _upper_class(component[:, 0])
    parts = train[~second], train[second]
    if min(len(part) for part in parts) < _FEWEST:
        return None
    pause = round(PAUSE_S * rate_hz)
    whole = isi_variation(train, pause)
    steadier = all(isi_variation(part, pause) < _STEADIER * whole for part in parts)
    return parts if steadier else None


def _upper_class(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which values belong to the upper of two classes with the least variance within."""
    ordered = np.sort(values.astype(np.float64))
    n = len(ordered)
    sums, total = np.cumsum(ordered)[:-1], ordered.sum()
    sizes = np.arange(1, n)
    between = sums**2 / sizes + (total - sums) ** 2 / (n - sizes)
    at = int(np.argmax(between))
    return np.asarray(values > 0.5 * (ordered[at] + ordered[at + 1]))
