"""Action potentials of several units at once, by least squares over all their trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ...errors import ParameterError
from ._kernels import add_snippets, add_templates, normal_matrix

Float32Array = NDArray[np.float32]
IntArray = NDArray[np.int64]

RIDGE = 1e-6
LARGEST_SYSTEM = 20_000  # unknowns a channel; its matrix takes 3.2 GB


def joint_templates(
    x: Float32Array, spikes: Sequence[IntArray], first: int, length: int, ridge: float = RIDGE
) -> Float32Array:
    """Templates whose sum over all discharges of all trains is nearest to the signals.

    Overlapping discharges are told apart, which a spike-triggered average cannot do.

    Parameters
    ----------
    x : ndarray of float32, shape (channels, samples)
    spikes : sequence of int arrays
        Ascending samples of the discharges of each unit, at least one each. One near a border, whose
        template stands out of the signals in part, counts as far as it is inside.
    first : int
        Lag of a template's first sample after the discharge; below 0 for a part before it.
    length : int
        Samples of a template.
    ridge : float
        Added to the diagonal of the normal equations, as a multiple of each unit's spike count: it
        shares out what two trains that always fire together leave undetermined.

    Returns
    -------
    ndarray of float32, shape (units, channels, length)

    Raises
    ------
    ParameterError
        For a unit without discharges, a discharge whose template is wholly outside the signals, or a system
        that is too large.
    """
    x = np.ascontiguousarray(x, dtype=np.float32)
    channels, samples = x.shape
    units = len(spikes)
    if units == 0:
        return np.empty((0, channels, length), np.float32)
    _check(spikes, first, length, samples)
    sums = np.zeros((units, channels, length))
    for train, out in zip(spikes, sums, strict=True):
        add_snippets(x, train, first, out)
    starts = np.concatenate([[0], np.cumsum([len(train) for train in spikes])]).astype(np.int64)
    matrix = np.empty((units * length, units * length))
    normal_matrix(np.concatenate(spikes).astype(np.int64), starts, first, length, samples, matrix)
    counts = np.repeat(np.diff(starts), length)
    matrix[np.diag_indices_from(matrix)] += ridge * counts
    right = sums.transpose(0, 2, 1).reshape(units * length, channels)
    # The lower triangle by rows is the upper by columns, which LAPACK factorises in place.
    try:
        factor = linalg.cho_factor(matrix.T, lower=False, overwrite_a=True, check_finite=False)
    except linalg.LinAlgError:
        raise ParameterError(
            "joint_templates.ridge", f"{ridge:g} leaves trains that fire together undetermined", "raise it"
        ) from None
    solved: Any = linalg.cho_solve(factor, right, check_finite=False)
    return np.ascontiguousarray(solved.reshape(units, length, channels).transpose(0, 2, 1), dtype=np.float32)


def subtract(
    x: Float32Array, spikes: Sequence[IntArray], templates: Float32Array, first: int
) -> Float32Array:
    """The signals without the units: a copy of `x` less each template at each of its discharges.

    Parameters
    ----------
    x : ndarray of float32, shape (channels, samples)
    spikes : sequence of int arrays
        Samples of the discharges of each unit.
    templates : ndarray of float32, shape (units, channels, lags)
    first : int
        Lag of a template's first sample after the discharge.

    Returns
    -------
    ndarray of float32, shape (channels, samples)
    """
    rest = np.array(x, dtype=np.float32, order="C")
    for train, template in zip(spikes, templates, strict=True):
        add_templates(rest, train, template, first, np.float32(-1.0))
    return rest


def _check(spikes: Sequence[IntArray], first: int, length: int, samples: int) -> None:
    for unit, train in enumerate(spikes):
        if len(train) == 0:
            raise ParameterError("joint_templates.spikes", f"unit {unit} has no spike", "leave it out")
        outside = train[0] + first + length <= 0 or train[-1] + first >= samples
        if outside or np.any(np.diff(train) < 0):
            raise ParameterError(
                "joint_templates.spikes",
                f"unit {unit} has spikes away from the {samples} samples, or not in order",
                "give ascending samples of these signals",
            )
    unknowns = len(spikes) * length
    if unknowns > LARGEST_SYSTEM:
        raise ParameterError(
            "joint_templates.spikes",
            f"{unknowns} unknowns a channel (units x samples of a template) were asked for",
            f"give fewer units or a shorter template, at most {LARGEST_SYSTEM}",
        )
