"""Action potentials that change with a coordinate, and the coordinate over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ._action_potentials import ActionPotentials
from ._signal import Signal

FloatArray = NDArray[np.float64]
_MOST_TERMS = 4


@final
@dataclass(frozen=True, eq=False)
class ActionPotentialPath:
    """Action potentials at knots of a coordinate, and that coordinate over time.

    The coordinate is whatever moves: a shift of the electrodes in mm, the angle of a joint, a factor of
    conduction velocity. Each discharge takes the potentials where the coordinate is at its time, by
    Lagrange interpolation between the nearest four knots (a cubic; of lower degree with fewer knots). It
    meets the knots exactly and errs by the fourth power of their distance: a potential of angular
    frequency w whose delay changes by d between knots errs by about (3/128) (w d)**4 of its amplitude in
    the middle of the path and (w d)**4/24 at its ends. For shifts along fibres of 4 m/s and potentials
    whose spectra peak at 250 Hz, knots .8 mm apart keep it within 1e-3 of the peak (.5 mm: 1.5e-4, 1.6 mm:
    1.3e-2); linear interpolation would need .2 mm.

    Parameters
    ----------
    knots : ndarray, shape (knots,)
        Ascending values of the coordinate, at least two.
    potentials : tuple of ActionPotentials
        Those at each knot, alike in shape, rate and start.
    coordinate : Signal
        Shape (samples,), or (samples, units) where each unit has its own; within the knots. Between its
        samples it is linear; a discharge before the first or after the last sample takes that one.

    Raises
    ------
    ParameterError
        Knots that do not ascend, potentials that differ in shape, rate, start or channels, a coordinate
        outside the knots or of another number of units.
    """

    knots: FloatArray
    potentials: tuple[ActionPotentials, ...]
    coordinate: Signal

    def __post_init__(self) -> None:
        knots = np.array(self.knots, dtype=np.float64)
        if knots.ndim != 1 or len(knots) < 2 or not np.all(np.diff(knots) > 0):
            raise ParameterError(
                "ActionPotentialPath.knots", f"{knots} was given", "give two or more ascending numbers"
            )
        object.__setattr__(self, "knots", knots)
        object.__setattr__(self, "potentials", tuple(self.potentials))
        self._check_potentials()
        values = self.coordinate.values
        if values.ndim == 2 and values.shape[1] not in {1, len(self)}:
            raise ParameterError(
                "ActionPotentialPath.coordinate",
                f"{values.shape[1]} columns for {len(self)} units",
                "give one for all, or one for each unit",
            )
        if values.size == 0 or values.min() < knots[0] or values.max() > knots[-1]:
            given = f"{values.min():g} to {values.max():g}" if values.size else "no sample"
            raise ParameterError(
                "ActionPotentialPath.coordinate",
                f"{given} was given, the knots reach from {knots[0]:g} to {knots[-1]:g}",
                "add knots, or keep the coordinate within them",
            )

    def __len__(self) -> int:
        """Number of units."""
        return len(self.potentials[0])

    def __repr__(self) -> str:
        return f"ActionPotentialPath({len(self.knots)} knots of {self.potentials[0]!r})"

    @property
    def rate_hz(self) -> float:
        """Sampling rate of the potentials."""
        return self.potentials[0].rate_hz

    @property
    def t_start_s(self) -> float:
        """Time of the potentials' first sample after the discharge."""
        return self.potentials[0].t_start_s

    def coordinate_at(self, units: NDArray[Any], times_s: FloatArray) -> FloatArray:
        """Coordinate of each of some discharges, shape (discharges,)."""
        signal = self.coordinate
        values = np.asarray(signal.values, dtype=np.float64).reshape(len(signal), -1)
        column = units if values.shape[1] > 1 else np.zeros(len(times_s), dtype=np.int64)
        at = np.clip((np.asarray(times_s) - signal.t_start_s) * signal.rate_hz, 0, len(values) - 1)
        low = np.minimum(at.astype(np.int64), max(len(values) - 2, 0))
        high = np.minimum(low + 1, len(values) - 1)
        share = at - low
        return np.asarray((1.0 - share) * values[low, column] + share * values[high, column])

    def weights(self, coordinate: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
        """Knots that a value of the coordinate draws on, and how much.

        Parameters
        ----------
        coordinate : ndarray, shape (n,)
            Within the knots.

        Returns
        -------
        first : ndarray of int, shape (n,)
            The first of the consecutive knots.
        weights : ndarray, shape (n, terms)
            They add up to 1.
        """
        knots = self.knots
        terms = min(_MOST_TERMS, len(knots))
        cell = np.searchsorted(knots, coordinate, side="right") - 1
        first = np.clip(cell - (terms - 1) // 2, 0, len(knots) - terms)
        near = knots[first[:, None] + np.arange(terms)]
        away = np.asarray(coordinate)[:, None] - near
        weights = np.ones((len(away), terms))
        for m in range(terms):
            for other in range(terms):
                if other != m:
                    weights[:, m] *= away[:, other] / (near[:, m] - near[:, other])
        return first, weights

    def _check_potentials(self) -> None:
        if len(self.potentials) != len(self.knots):
            raise ParameterError(
                "ActionPotentialPath.potentials",
                f"{len(self.potentials)} were given for {len(self.knots)} knots",
                "give one for each knot",
            )
        first = self.potentials[0]
        for k, other in enumerate(self.potentials):
            if other.values_uV.shape != first.values_uV.shape:
                what = f"shape {other.values_uV.shape} at knot {k}, {first.values_uV.shape} at knot 0"
            elif other.rate_hz != first.rate_hz or other.t_start_s != first.t_start_s:
                what = (
                    f"{other.rate_hz:g} Hz from {other.t_start_s:g} s at knot {k}, "
                    f"{first.rate_hz:g} Hz from {first.t_start_s:g} s at knot 0"
                )
            elif other.channels != first.channels:
                what = f"channels at knot {k} are named otherwise than at knot 0"
            else:
                continue
            raise ParameterError("ActionPotentialPath.potentials", what, "give them alike")
