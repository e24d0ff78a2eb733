"""Motor-unit action potentials: sums over the fibres of each unit, then over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data import ActionPotentials, Electrodes, Progress, silent
from ...errors import ParameterError
from .._anatomy._fibres import MuscleFibres
from .._conductors._base import VolumeConductor
from ._amplifier import Amplifier
from ._source import ActionPotentialShape, Rosenfalck
from ._temporal import Temporal

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Relative width within which fibres share one velocity: contacts near to fibres see finer detail.
_BIN_ON_SKIN, _BIN_WITHIN = 0.005, 0.002


class _Bin(NamedTuple):
    """Fibres of one unit that conduct at one velocity."""

    unit: int
    velocity: float
    fibres: IntArray


def action_potentials(
    fibres: MuscleFibres,
    conductor: VolumeConductor,
    electrodes: Electrodes,
    rate_hz: float = 2048.0,
    *,
    shape: ActionPotentialShape | None = None,
    amplifier: Amplifier | None = None,
    weights: FloatArray | None = None,
    progress: Progress = silent,
) -> ActionPotentials:
    """Action potential of every motor unit on every channel, summed over all of its fibres.

    Fibres of one unit share the sums over space as far as they share their velocity, to within 0.5 % (0.2 %
    for contacts within the muscle); one matrix product then gives the time courses.

    Parameters
    ----------
    fibres : MuscleFibres
    conductor : VolumeConductor
    electrodes : Electrodes
    rate_hz : float
        Sampling rate, at least twice the amplifier's low-pass.
    shape : ActionPotentialShape, optional
        Default: `Rosenfalck`.
    amplifier : Amplifier, optional
        Default: 500 Hz for contacts on the skin, 2800 Hz within the muscle.
    weights : ndarray, shape (fibres,), optional
        Factor on the potential of each fibre. Default: 1.
    progress : Progress

    Returns
    -------
    ActionPotentials
        In uV.

    Raises
    ------
    ParameterError
        A fibre outside the muscle, a contact off the skin, a rate too low.

    References
    ----------
    Farina, Merletti (2001), IEEE Trans Biomed Eng 48:637; Farina, Mesin, Martina, Merletti (2004), IEEE
    Trans Biomed Eng 51:415.
    """
    from .._kernels import add_product

    shape = shape or Rosenfalck()
    amplifier = amplifier or default_amplifier(electrodes)
    amplifier.check_rate(rate_hz)
    conductor.check_fibres(fibres.x_mm, fibres.y_mm)
    conductor.check_electrodes(electrodes)
    factors = _checked_weights(np.ones(len(fibres)) if weights is None else weights, len(fibres))
    line = conductor.line(electrodes, fibres, reach_mm(fibres, electrodes))
    times = Temporal(
        shape, amplifier, rate_hz, line.step_mm, longest_half_mm(fibres), fibres.velocity_m_per_s
    )
    values = np.zeros((fibres.n_units, line.n_contacts, times.n_samples), dtype=np.float32)
    width = _BIN_WITHIN if electrodes.intramuscular else _BIN_ON_SKIN
    bins = _velocity_bins(fibres, width)
    times.expect(len({round(one.velocity, 9) for one in bins}), width)
    done = 0
    for one in bins:
        sums = np.zeros((line.n_contacts, times.n_steps), dtype=np.float32)
        line.accumulate(one.fibres, factors[one.fibres], sums)
        add_product(sums, times.matrix(one.velocity), values[one.unit])
        done += len(one.fibres)
        progress("action potentials", done, len(fibres), "fibres")
    matrix = electrodes.matrix.astype(np.float32) * np.float32(1e3 * shape.intracellular_S_per_m)
    derived = np.zeros((fibres.n_units, len(electrodes), times.n_samples), dtype=np.float32)
    for unit, contacts in enumerate(values):
        add_product(matrix, contacts, derived[unit])
    return ActionPotentials(derived, rate_hz, times.t_start_s, channels=electrodes.names)


def default_amplifier(electrodes: Electrodes) -> Amplifier:
    """Low-pass at 500 Hz on the skin, at 2800 Hz within the muscle."""
    return Amplifier(low_pass_hz=2800.0 if electrodes.intramuscular else 500.0)


def reach_mm(fibres: MuscleFibres, electrodes: Electrodes) -> float:
    """Greatest distance along the fibres between a contact and any place of a fibre."""
    z = electrodes.position_mm[:, 2]
    offsets = np.concatenate([contact.nodes()[0][:, 2] for contact in set(electrodes.shapes)])
    low, high = z.min() + offsets.min(), z.max() + offsets.max()
    zeta = max(abs(high - fibres.endplate_mm.min()), abs(fibres.endplate_mm.max() - low))
    return float(zeta + longest_half_mm(fibres))


def longest_half_mm(fibres: MuscleFibres) -> float:
    """Greatest distance from an endplate to a tendon."""
    low, high = fibres.tendon_mm.T
    return float(max((high - fibres.endplate_mm).max(), (fibres.endplate_mm - low).max()))


def _velocity_bins(fibres: MuscleFibres, width: float) -> list[_Bin]:
    """Fibres by unit and velocity; a bin's velocity is the mean of its fibres, weighted by area."""
    place = np.round(np.log(fibres.velocity_m_per_s) / width).astype(np.int64)
    order = np.lexsort((place, fibres.unit))
    unit, place = fibres.unit[order], place[order]
    edges = np.flatnonzero((np.diff(unit) != 0) | (np.diff(place) != 0)) + 1
    area = fibres.diameter_um**2
    return [
        _Bin(
            int(fibres.unit[group[0]]),
            float(np.average(fibres.velocity_m_per_s[group], weights=area[group])),
            group,
        )
        for group in np.split(order, edges)
    ]


def _checked_weights(weights: FloatArray, n: int) -> FloatArray:
    array = np.asarray(weights, dtype=float)
    if array.shape != (n,) or not np.all(np.isfinite(array)):
        raise ParameterError(
            "weights", f"shape {array.shape} for {n} fibres", "give one finite number a fibre"
        )
    return array
