"""Conduction velocity of motor units from their action potentials on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentials, Electrodes
from ..errors import ParameterError
from ._check import checked_count, checked_number, checked_range
from ._velocity import conduction_velocity

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_FINER = 8  # times the sampling rate at which neighbours are compared


@final
@dataclass(frozen=True, eq=False)
class UnitVelocities:
    """Conduction velocity of each unit, and where it was measured.

    Parameters
    ----------
    velocity_m_per_s : ndarray, shape (units,)
        Positive where the potential travels towards higher rows; NaN where it travels nowhere.
    correlation : ndarray, shape (units,)
        Mean correlation of neighbours at the delay that fits best; NaN likewise.
    column : ndarray of int, shape (units,)
        Column of the grid; -1 where there is no velocity.
    first_row, last_row : ndarray of int, shape (units,)
        Rows of the grid that the differences were made of, first and last; -1 likewise.
    """

    velocity_m_per_s: FloatArray
    correlation: FloatArray
    column: IntArray
    first_row: IntArray
    last_row: IntArray

    def __len__(self) -> int:
        """Number of units."""
        return len(self.velocity_m_per_s)


def unit_conduction_velocities(
    potentials: ActionPotentials,
    electrodes: Electrodes,
    *,
    differences: int = 2,
    min_channels: int = 3,
    min_correlation: float = 0.8,
    pitch_mm: float | None = None,
    bounds_m_per_s: tuple[float, float] = (2.0, 8.0),
) -> UnitVelocities:
    """Conduction velocity of each unit along the columns of a grid.

    Differences of neighbouring rows remove what does not travel. In each column those runs of
    differences are looked for in which each follows its neighbour with a delay in one direction, within
    the bounds, and with the same shape; the signal over the innervation zone, where the direction turns,
    is left out. The longest run (of equal ones the most alike) gives the
    maximum-likelihood estimate.

    Parameters
    ----------
    potentials : ActionPotentials
        E.g. spike-triggered averages.
    electrodes : Electrodes
        The channels of `potentials`, with their places on a grid whose rows follow the fibres.
    differences : int
        How often neighbouring rows are subtracted: 2 makes double differential signals of monopolar
        potentials; 1 of bipolar ones; 0 leaves them as they are.
    min_channels : int
        Least number of differences in a run.
    min_correlation : float
        Least correlation of neighbours in a run.
    pitch_mm : float, optional
        Distance of the rows; that of the electrodes by default.
    bounds_m_per_s : tuple of float
        Slowest and fastest velocity.

    Returns
    -------
    UnitVelocities

    Raises
    ------
    ParameterError
        No grid, no pitch, other channels than those of the potentials, a grid with too few rows.

    References
    ----------
    Farina, Muhammad, Fortunato, Meste, Merletti, Rix (2001), Med Biol Eng Comput 39:225.
    """
    owner = "unit_conduction_velocities"
    order = checked_count(differences, f"{owner}.differences", 0)
    least = checked_count(min_channels, f"{owner}.min_channels", 2)
    alike = checked_number(min_correlation, f"{owner}.min_correlation", at_least=-1, at_most=1)
    bounds = checked_range(bounds_m_per_s, f"{owner}.bounds_m_per_s")
    checked_number(bounds[0], f"{owner}.bounds_m_per_s", above=0)
    columns = _columns(potentials, electrodes, order + least, owner)
    given = electrodes.pitch_mm if pitch_mm is None else pitch_mm
    if given is None:
        raise ParameterError(f"{owner}.pitch_mm", "the electrodes have none", "give the distance of the rows")
    pitch = checked_number(given, f"{owner}.pitch_mm", above=0)
    delays = 1e-3 * pitch / bounds[1], 1e-3 * pitch / bounds[0]
    velocity, correlation = np.full((2, len(potentials)), np.nan)
    place = np.full((3, len(potentials)), -1, dtype=np.int64)
    for unit, values in enumerate(potentials.values_uV):
        best = None
        for column, row, channels in columns:
            signals = np.diff(values[channels].astype(np.float64), order, axis=0)
            for first, last, mean in _runs(signals, potentials.rate_hz, delays, alike):
                better = best is None or (last - first, mean) > (best[0], best[1])
                if last - first + 1 >= least and better:
                    best = (last - first, mean, signals[first : last + 1], column, row + first)
        if best is not None:
            length, correlation[unit], run, column, row = best
            velocity[unit] = conduction_velocity(run, potentials.rate_hz, pitch, bounds_m_per_s=bounds)
            place[:, unit] = column, row, row + length + order
    return UnitVelocities(velocity, correlation, place[0], place[1], place[2])


def _columns(
    potentials: ActionPotentials, electrodes: Electrodes, rows: int, owner: str
) -> list[tuple[int, int, IntArray]]:
    """Column, first row and channels of each unbroken part of a column with enough rows."""
    if not isinstance(electrodes, Electrodes) or electrodes.place is None:
        raise ParameterError(
            f"{owner}.electrodes", "contacts without rows and columns", "give a grid's Electrodes"
        )
    if len(electrodes) != potentials.values_uV.shape[1]:
        raise ParameterError(
            f"{owner}.electrodes",
            f"{len(electrodes)} channels for potentials on {potentials.values_uV.shape[1]}",
            "give those of the potentials",
        )
    place = electrodes.place[np.argmax(np.abs(electrodes.matrix), axis=1)]
    found = []
    for column in np.unique(place[:, 1]):
        channels = np.flatnonzero(place[:, 1] == column)
        channels = channels[np.argsort(place[channels, 0], kind="stable")]
        parts = np.split(channels, np.flatnonzero(np.diff(place[channels, 0]) != 1) + 1)
        found += [(int(column), int(place[part[0], 0]), part) for part in parts if len(part) >= rows]
    if not found:
        raise ParameterError(
            f"{owner}.electrodes",
            f"no column with {rows} channels one below the other",
            "give a longer grid, fewer differences or a smaller min_channels",
        )
    return found


def _runs(
    signals: FloatArray, rate_hz: float, delays_s: tuple[float, float], alike: float
) -> list[tuple[int, int, float]]:
    """First and last signal, and mean correlation, of each run that travels in one direction."""
    sign, correlation = _neighbours(signals, rate_hz, delays_s)
    sign = np.where(correlation >= alike, sign, 0)
    found, first = [], 0
    for k in range(1, len(sign) + 1):
        if k == len(sign) or sign[k] != sign[first]:
            begin = first + _is_turned(sign[:first][::-1], sign[first])
            end = k - _is_turned(sign[k:], sign[first])
            if sign[first] != 0 and end > begin:
                found.append((begin, end, float(correlation[begin:end].mean())))
            first = k
    return found


def _is_turned(beyond: IntArray, own: int) -> int:
    """1 where the next neighbours, or those after them, travel the other way; otherwise 0.

    The signal in between lies over the innervation zone and belongs to neither side.
    """
    nearest = beyond[:2] if len(beyond) and beyond[0] == 0 else beyond[:1]
    return int(np.any(nearest == -own))


def _neighbours(
    signals: FloatArray, rate_hz: float, delays_s: tuple[float, float]
) -> tuple[IntArray, FloatArray]:
    """Direction of travel between neighbours, and their correlation at the delay that fits best."""
    samples = signals.shape[1]
    padded = 2 * samples
    spectra = np.fft.rfft(signals, padded, axis=1)
    cross = np.conj(spectra[:-1]) * spectra[1:]
    correlation = _FINER * np.fft.irfft(cross, _FINER * padded, axis=1)
    energy = np.sum(signals**2, axis=1)
    norm = np.sqrt(energy[:-1] * energy[1:])[:, None]
    rate = _FINER * rate_hz
    least, most = int(np.ceil(delays_s[0] * rate)), int(np.floor(delays_s[1] * rate))
    lags = np.arange(max(1, least), max(1, least, most) + 1)
    lags = np.concatenate([lags, -lags])
    values = correlation[:, lags] / np.where(norm > 0, norm, np.inf)
    best = np.argmax(values, axis=1)
    return np.sign(lags[best]), values[np.arange(len(values)), best]
