"""Electrode grids that a name tells: where each of their channels lies."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ...data import Electrodes

IntArray = NDArray[np.int64]
Order = Callable[[int], tuple[int, int]]

_CODE = re.compile(r"(?<![A-Za-z0-9])(?:GR|HD)\d{2,3}M[ML]\d{4}(?!\d)", re.IGNORECASE)


@final
class _Grid(NamedTuple):
    """Rows, columns, pitch, number of channels, and row and column of channel i (from 0)."""

    rows: int
    columns: int
    pitch_mm: float
    channels: int
    order: Order


def _serpentine_13x5(i: int) -> tuple[int, int]:
    """Down the first column, up the second and so on; the first place is empty."""
    column, row = divmod(i + 1, 13)
    return (12 - row if column % 2 else row), column


def _parallel_13x5(i: int) -> tuple[int, int]:
    """Down each column, from the last column to the first; the first place of the last one is empty."""
    column, row = divmod(i + 1, 13)
    return row, 4 - column


def _up_8x8(i: int) -> tuple[int, int]:
    """Up each column, from the first column to the last."""
    return 7 - i % 8, i // 8


def _up_8x4(i: int) -> tuple[int, int]:
    """Up each column, from the last column to the first."""
    return 7 - i % 8, 3 - i // 8


def _down_8x4(i: int) -> tuple[int, int]:
    """Down each column, from the first column to the last."""
    return i % 8, i // 8


# Orders that two independent programs (openhdemg, MUedit) agree upon, up to a rotation by 180 degrees. Of
# HD10MM0808 they give mirror images, which have the same neighbours and distances. GR10MM0804 is known from
# MUedit only; it is the order of HD10MM0804, which both have, turned.
_KNOWN = {
    "GR04MM1305": _Grid(13, 5, 4.0, 64, _serpentine_13x5),
    "GR08MM1305": _Grid(13, 5, 8.0, 64, _serpentine_13x5),
    "HD04MM1305": _Grid(13, 5, 4.0, 64, _parallel_13x5),
    "HD08MM1305": _Grid(13, 5, 8.0, 64, _parallel_13x5),
    "GR10MM0808": _Grid(8, 8, 10.0, 64, _up_8x8),
    "HD10MM0808": _Grid(8, 8, 10.0, 64, _up_8x8),
    "GR10MM0804": _Grid(8, 4, 10.0, 32, _up_8x4),
    "HD10MM0804": _Grid(8, 4, 10.0, 32, _down_8x4),
    "HD05MM0804": _Grid(8, 4, 5.0, 32, _down_8x4),
}


def grid_code(text: str) -> str | None:
    """Product code of an electrode grid within a text, e.g. ``"GR08MM1305"``; known to us or not."""
    found = _CODE.search(text)
    return found.group().upper() if found else None


def grid_size(text: str) -> int | None:
    """Number of channels of the grid that a text names; None where it is not known."""
    grid = _KNOWN.get(grid_code(text) or "")
    return grid.channels if grid else None


def grid_electrodes(text: str, numbers: Sequence[int], names: tuple[str, ...] = ()) -> Electrodes | None:
    """Electrodes of the grid that a text names.

    Which way the grid lay on the muscle is not told by its name: rows are taken to follow the fibres.

    Parameters
    ----------
    text : str
        With a product code in it.
    numbers : sequence of int
        Number of each channel on the grid, from 1.
    names : tuple of str
        Names of the channels.

    Returns
    -------
    Electrodes or None
        None where the order of the grid's channels is not known, or the numbers are not of this grid.
    """
    grid = _KNOWN.get(grid_code(text) or "")
    if grid is None or not numbers or len(set(numbers)) != len(numbers):
        return None
    if min(numbers) < 1 or max(numbers) > grid.channels:
        return None
    place = np.array([grid.order(number - 1) for number in numbers], dtype=np.int64)
    return placed(place, grid.pitch_mm, names, (grid.rows, grid.columns))


def placed(
    place: IntArray,
    pitch_mm: float,
    names: tuple[str, ...] = (),
    shape: tuple[int, int] | None = None,
    *,
    intramuscular: bool = False,
) -> Electrodes | None:
    """Electrodes of a flat grid from row and column of each channel; None where two share a place."""
    if len(np.unique(place, axis=0)) != len(place) or not 0 < pitch_mm < 1e3 or np.abs(place).max() > 10_000:
        return None
    rows, columns = shape or tuple(place.max(axis=0) + 1)
    along = (place[:, 0] - (rows - 1) / 2) * pitch_mm
    across = (place[:, 1] - (columns - 1) / 2) * pitch_mm
    position = np.stack([across, np.zeros(len(place)), along], axis=1)
    return Electrodes(
        position, names=names, place=place, intramuscular=intramuscular, pitch_mm=float(pitch_mm)
    )
