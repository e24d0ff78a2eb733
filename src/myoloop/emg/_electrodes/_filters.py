"""Spatial filters: channels as weighted sums of the contacts of a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...data import Electrodes
from ...errors import ParameterError, shown

FloatArray = NDArray[np.float64]


def monopolar(electrodes: Electrodes) -> Electrodes:
    """One channel for each contact, against a reference that is far away.

    Parameters
    ----------
    electrodes : Electrodes
        With any channels; they are replaced.

    Returns
    -------
    Electrodes
        Channels such as ``"R02C03"``, row and column counted from 1, or ``"E07"`` without a grid.
    """
    return replace(electrodes, derivation=None, names=_place_names(electrodes))


def bipolar(electrodes: Electrodes, *, across: bool = False, step: int = 1) -> Electrodes:
    """Single differential: each contact minus the one `step` rows further.

    Parameters
    ----------
    electrodes : Electrodes
        Monopolar channels of a grid; some may have been left out.
    across : bool
        Difference along the rows of the grid, so of neighbouring columns, instead of along the columns.
    step : int
        Distance of the two contacts in places of the grid.

    Returns
    -------
    Electrodes
        Channels such as ``"R02C03-R03C03"``. Those that need a missing contact are not made.

    Raises
    ------
    ParameterError
        No grid, channels that are not monopolar, or no pair of contacts.
    """
    if isinstance(step, bool) or not isinstance(step, int | np.integer) or step < 1:
        raise ParameterError("bipolar.step", f"{shown(step)} was given", "give a whole number of at least 1")
    mask = np.zeros((step + 1, 1))
    mask[0], mask[-1] = 1.0, -1.0
    shift = (0, step) if across else (step, 0)
    return _masked(
        electrodes,
        mask.T if across else mask,
        "bipolar",
        lambda row, column: f"{_cell(row, column)}-{_cell(row + shift[0], column + shift[1])}",
    )


def double_differential(electrodes: Electrodes, *, across: bool = False) -> Electrodes:
    """Twice a contact minus its two neighbours on the same column (or row, `across`).

    Parameters
    ----------
    electrodes : Electrodes
        Monopolar channels of a grid; some may have been left out.
    across : bool
        Neighbours on the same row of the grid instead of the same column.

    Returns
    -------
    Electrodes
        Channels such as ``"DD-R02C03"``, named after the middle contact, with weights -1, 2, -1.
        Those that need a missing contact are not made.

    Raises
    ------
    ParameterError
        No grid, channels that are not monopolar, or fewer than three contacts in line.

    References
    ----------
    Reucher, Rau, Silny (1987), IEEE Trans Biomed Eng 34:98.
    """
    column = np.array([[-1.0], [2.0], [-1.0]])
    mask = column.T if across else column
    return _masked(electrodes, mask, "double_differential", _centred("DD", mask))


def laplacian(electrodes: Electrodes) -> Electrodes:
    """Normal double differential: four times a contact minus its four neighbours.

    Parameters
    ----------
    electrodes : Electrodes
        Monopolar channels of a grid; some may have been left out.

    Returns
    -------
    Electrodes
        Channels such as ``"NDD-R02C03"``, named after the middle contact. Contacts on the border of the
        grid and those beside a missing one have no channel.

    Raises
    ------
    ParameterError
        No grid, channels that are not monopolar, or no contact with four neighbours.

    References
    ----------
    Reucher, Rau, Silny (1987), IEEE Trans Biomed Eng 34:98.
    """
    mask = np.array([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])
    return _masked(electrodes, mask, "laplacian", _centred("NDD", mask))


def inverse_binomial(electrodes: Electrodes) -> Electrodes:
    """Inverse binomial filter of second order: a contact against its eight neighbours.

    Parameters
    ----------
    electrodes : Electrodes
        Monopolar channels of a grid; some may have been left out.

    Returns
    -------
    Electrodes
        Channels such as ``"IB2-R02C03"``, with weights 12 (middle), -2 (sides) and -1 (corners).

    Raises
    ------
    ParameterError
        No grid, channels that are not monopolar, or no contact with eight neighbours.

    References
    ----------
    Disselhorst-Klug, Silny, Rau (1997), IEEE Trans Biomed Eng 44:567.
    """
    mask = np.array([[-1.0, -2.0, -1.0], [-2.0, 12.0, -2.0], [-1.0, -2.0, -1.0]])
    return _masked(electrodes, mask, "inverse_binomial", _centred("IB2", mask))


def spatial_filter(electrodes: Electrodes, mask: ArrayLike) -> Electrodes:
    """Any mask of weights, laid upon each place of the grid where it fits.

    For weights that differ from place to place use ``Electrodes.derived`` with a matrix.

    Parameters
    ----------
    electrodes : Electrodes
        Monopolar channels of a grid; some may have been left out.
    mask : array-like, shape (rows, columns)
        ``mask[r, c]`` is the weight of the contact r rows and c columns after the first.

    Returns
    -------
    Electrodes
        Channels such as ``"F-R02C03"``, named after the middle of the mask (the place before it, where
        it has an even number of rows or columns). Contacts of weight 0 may be missing.

    Raises
    ------
    ParameterError
        A mask that is no matrix of finite numbers, not all 0; no grid; channels that are not monopolar;
        a mask that fits nowhere.
    """
    owner = "spatial_filter.mask"
    try:
        array = np.array(mask, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(owner, shown(mask), "give rows of numbers, of equal length") from None
    if array.ndim != 2 or not np.all(np.isfinite(array)) or not np.any(array):
        raise ParameterError(
            owner,
            f"shape {array.shape}, or weights that are not finite, or all 0",
            "give rows of finite weights",
        )
    return _masked(electrodes, array, "spatial_filter", _centred("F", array))


def common_average(electrodes: Electrodes) -> Electrodes:
    """Each channel minus the mean of all.

    Parameters
    ----------
    electrodes : Electrodes
        Two channels or more, on a grid or not. Leave out bad ones first with ``select``.

    Returns
    -------
    Electrodes
        As many channels, such as ``"R02C03-MEAN"``.

    Raises
    ------
    ParameterError
        Fewer than two channels.
    """
    n = len(electrodes)
    if n < 2:
        raise ParameterError("common_average.electrodes", f"{n} channel", "give two or more")
    names = tuple(f"{name}-MEAN" for name in electrodes.names)
    return electrodes.derived(np.eye(n) - 1.0 / n, names)


Filter = Callable[[Electrodes], Electrodes]
FILTERS: dict[str, Filter] = {
    "monopolar": monopolar,
    "bipolar": bipolar,
    "double differential": double_differential,
    "laplacian": laplacian,
    "inverse binomial": inverse_binomial,
    "common average": common_average,
}


def _masked(
    electrodes: Electrodes, mask: FloatArray, owner: str, name: Callable[[int, int], str]
) -> Electrodes:
    """Channels of `mask` at every place where all contacts that it weights are there.

    `name` is given the row and the column of the mask's first place.
    """
    channel_at = _monopolar_channels(electrodes, owner)
    taps = [(int(r), int(c), float(mask[r, c])) for r, c in zip(*np.nonzero(mask), strict=True)]
    first_r, first_c, _ = taps[0]
    rows, names = [], []
    for row, column in ((row - first_r, column - first_c) for row, column in channel_at):
        if all((row + r, column + c) in channel_at for r, c, _ in taps):
            weights = np.zeros(len(electrodes))
            for r, c, weight in taps:
                weights[channel_at[row + r, column + c]] = weight
            rows.append(weights)
            names.append(name(row, column))
    if not rows:
        raise ParameterError(
            f"{owner}.electrodes",
            f"none of the {len(channel_at)} contacts has all the neighbours that a filter of "
            f"{mask.shape[0]} x {mask.shape[1]} needs",
            "give a larger grid, or a filter of fewer contacts",
        )
    return electrodes.derived(np.array(rows), tuple(names))


def _monopolar_channels(electrodes: Electrodes, owner: str) -> dict[tuple[int, int], int]:
    """Channel of each place of the grid that has one, in the order of the channels."""
    if electrodes.place is None:
        raise ParameterError(
            f"{owner}.electrodes",
            "contacts without rows and columns",
            "give a grid, or use Electrodes.derived with a matrix of weights",
        )
    matrix = electrodes.matrix
    if not (np.all((matrix == 0) | (matrix == 1)) and np.all(matrix.sum(axis=1) == 1)):
        raise ParameterError(
            f"{owner}.electrodes", "channels that are not monopolar", "take monopolar(electrodes) first"
        )
    contacts = np.argmax(matrix, axis=1)
    return {(int(r), int(c)): i for i, (r, c) in enumerate(electrodes.place[contacts])}


def _centred(prefix: str, mask: FloatArray) -> Callable[[int, int], str]:
    rows, columns = mask.shape
    return lambda row, column: f"{prefix}-{_cell(row + (rows - 1) // 2, column + (columns - 1) // 2)}"


def _place_names(electrodes: Electrodes) -> tuple[str, ...]:
    if electrodes.place is None:
        return ()
    return tuple(_cell(row, column) for row, column in electrodes.place)


def _cell(row: int, column: int) -> str:
    return f"R{row + 1:02d}C{column + 1:02d}"
