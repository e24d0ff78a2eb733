"""Electrodes on the skin: grids, linear arrays, pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...data import Contact, Disc, Electrodes, Rectangle
from ...errors import ParameterError, shown
from ...parameters import Parameters, choice, count, number
from .._conductors._base import VolumeConductor
from ._filters import FILTERS

FloatArray = NDArray[np.float64]
_HIGH_DENSITY = Disc(radius_mm=0.5)
_TURN_SAMPLES = 721


@final
@dataclass(frozen=True, kw_only=True)
class SurfaceGrid(Parameters):
    """A flexible grid of contacts that follows the skin.

    Laid flat, rows follow one another along the fibres (z) and columns across them, from the centre of
    the grid on both sides. The sheet is then turned, moved and wrapped onto the skin without stretching:
    distances across are arcs of a round limb, so the grid is bent as the limb is; on planar layers it
    stays flat.

    Parameters
    ----------
    rows, columns : int
        Number of contacts along and across the fibres.
    pitch_mm : float
        Distance of the rows from centre to centre.
    column_pitch_mm : float, optional
        Distance of the columns; as that of the rows where it is not given.
    contact : Contact
        Shape of every contact, `Disc` or `Rectangle`. The default has a diameter of 1 mm.
    across_mm, along_mm : float
        Where the centre of the grid is: arc on the skin, and z.
    rotation_deg : float
        Turn of the grid about its centre, from across the fibres towards along them. Rectangular
        contacts turn with it.
    missing : tuple of (row, column)
        Places without a contact, counted from 0.
    derivation : str
        Which channels: ``"monopolar"``, ``"bipolar"``, ``"double differential"``, ``"laplacian"``,
        ``"inverse binomial"`` or ``"common average"``, made by the functions of these names. The
        differences are taken along the columns of the grid, so with the fibres unless it is rotated.

    Raises
    ------
    ParameterError
        Contacts that overlap, a contact that cannot lie on skin, a missing place outside the grid.

    Examples
    --------
    >>> from myoloop.emg import SurfaceGrid
    >>> SurfaceGrid.grid_13x5(derivation="bipolar").n_contacts
    64

    References
    ----------
    Contacts of 1 mm diameter at 8 mm, 13 x 5: Del Vecchio et al. (2019), J Physiol 597:2445.
    """

    rows: int = count(8, help="contacts along the fibres")
    columns: int = count(8, help="contacts across the fibres")
    pitch_mm: float = number(10.0, above=0.0, at_most=1e3, help="distance of rows")
    column_pitch_mm: float | None = number(
        None, above=0.0, at_most=1e3, optional=True, help="distance of columns"
    )
    contact: Contact = _HIGH_DENSITY
    across_mm: float = number(
        0.0, at_least=-1e4, at_most=1e4, help="centre of the grid, arc across the fibres"
    )
    along_mm: float = number(0.0, at_least=-1e4, at_most=1e4, help="centre of the grid along the fibres")
    rotation_deg: float = number(0.0, help="turn, from across the fibres towards along them")
    missing: tuple[tuple[int, int], ...] = ()
    derivation: str = choice("monopolar", tuple(FILTERS), help="which channels")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rows * self.columns > _MOST:
            raise ParameterError(
                "SurfaceGrid.rows", f"{self.rows} x {self.columns} contacts", f"give at most {_MOST} in all"
            )
        if not isinstance(self.contact, Contact) or not self.contact.is_flat:
            raise ParameterError(
                "SurfaceGrid.contact", f"{shown(self.contact)} was given", "give a Disc or a Rectangle"
            )
        object.__setattr__(self, "missing", self._checked_missing())
        self._check_overlap()

    @classmethod
    def grid_13x5(cls, pitch_mm: Any = 8.0, **changes: Any) -> SurfaceGrid:
        """64 contacts in 13 rows and 5 columns, one corner empty; usual pitches are 4 and 8 mm."""
        return cls(**({"rows": 13, "columns": 5, "pitch_mm": pitch_mm, "missing": ((0, 0),)} | changes))

    @classmethod
    def grid_8x8(cls, pitch_mm: Any = 10.0, **changes: Any) -> SurfaceGrid:
        """64 contacts in 8 rows and 8 columns; the usual pitch is 10 mm."""
        return cls(**({"rows": 8, "columns": 8, "pitch_mm": pitch_mm} | changes))

    @classmethod
    def linear_array(cls, contacts: Any = 16, pitch_mm: Any = 5.0, **changes: Any) -> SurfaceGrid:
        """A row of bars along the fibres, each 5 mm across and 1 mm along, in single differential.

        References
        ----------
        Merletti, Farina, Gazzoni (2003), J Electromyogr Kinesiol 13:37.
        """
        bar = Rectangle(across_mm=5.0, along_mm=1.0)
        chosen = {"rows": contacts, "columns": 1, "pitch_mm": pitch_mm, "contact": bar}
        return cls(**(chosen | {"derivation": "bipolar"} | changes))

    @classmethod
    def pair(cls, distance_mm: Any = 20.0, **changes: Any) -> SurfaceGrid:
        """Two discs of 10 mm along the fibres, one channel: the lower z minus the higher.

        References
        ----------
        Hermens et al. (2000), J Electromyogr Kinesiol 10:361 (SENIAM: 20 mm apart, 10 mm in size).
        """
        chosen = {"rows": 2, "columns": 1, "pitch_mm": distance_mm, "contact": Disc(radius_mm=5.0)}
        return cls(**(chosen | {"derivation": "bipolar"} | changes))

    @property
    def n_contacts(self) -> int:
        """Number of contacts."""
        return self.rows * self.columns - len(self.missing)

    def flat_mm(self) -> tuple[FloatArray, FloatArray]:
        """Where the contacts are on the unrolled skin: across and along, each of shape (contacts,)."""
        row, column = self._place().T
        across = (column - (self.columns - 1) / 2) * self._column_pitch
        along = (row - (self.rows - 1) / 2) * self.pitch_mm
        c, s = np.cos(np.radians(self.rotation_deg)), np.sin(np.radians(self.rotation_deg))
        return self.across_mm + c * across - s * along, self.along_mm + s * across + c * along

    def on(self, conductor: VolumeConductor) -> Electrodes:
        """The grid on the skin of a volume conductor.

        Returns
        -------
        Electrodes
            Contacts row by row; channels named ``"R01C01"`` and so on, counted from 1.

        Raises
        ------
        ParameterError
            A conductor without skin, a contact off the skin, a grid that goes round the limb more than
            once, a derivation that the grid is too small for.
        """
        across, along = self.flat_mm()
        self._check_wrap(conductor, across)
        electrodes = Electrodes(
            conductor.on_skin(across, along),
            self.contact.rotated(self.rotation_deg),
            place=self._place(),
            pitch_mm=self.pitch_mm,
        )
        conductor.check_electrodes(electrodes)
        return FILTERS[self.derivation](FILTERS["monopolar"](electrodes))

    @property
    def _column_pitch(self) -> float:
        return self.pitch_mm if self.column_pitch_mm is None else self.column_pitch_mm

    def _place(self) -> NDArray[np.int64]:
        missing = set(self.missing)
        cells = [(r, c) for r in range(self.rows) for c in range(self.columns) if (r, c) not in missing]
        return np.array(cells, dtype=np.int64)

    def _checked_missing(self) -> tuple[tuple[int, int], ...]:
        try:
            given = np.array(self.missing if len(self.missing) else np.empty((0, 2), dtype=int))
        except (TypeError, ValueError):
            given = np.empty(0)
        right = given.ndim == 2 and given.shape[1] == 2 and given.dtype.kind in "iu"
        if not right or np.any(given < 0) or np.any(given >= (self.rows, self.columns)):
            raise ParameterError(
                "SurfaceGrid.missing",
                f"{shown(self.missing)} was given for {self.rows} x {self.columns} contacts",
                "give pairs of row and column, counted from 0",
            )
        places = sorted({(int(r), int(c)) for r, c in given})
        if len(places) == self.rows * self.columns:
            raise ParameterError("SurfaceGrid.missing", "all contacts are missing", "leave one or more")
        return tuple(places)

    def _check_overlap(self) -> None:
        steps = [(0, 1), (1, 0), (1, 1), (1, -1)]
        for rows, columns in steps:
            exists = rows < self.rows and abs(columns) < self.columns
            if exists and self.contact.overlaps(columns * self._column_pitch, rows * self.pitch_mm):
                raise ParameterError(
                    "SurfaceGrid.contact",
                    f"{self.contact} overlaps its neighbour at pitches of {self.pitch_mm:g} and "
                    f"{self._column_pitch:g} mm",
                    "give smaller contacts or a larger pitch",
                )

    def _check_wrap(self, conductor: VolumeConductor, across: FloatArray) -> None:
        """Refuse a grid that goes round the limb and meets itself: the skin beneath turns by 360 degrees."""
        arc = np.linspace(across.min(), across.max(), _TURN_SAMPLES)
        steps = np.diff(conductor.on_skin(arc, np.full(arc.shape, self.along_mm))[:, :2], axis=0)
        direction = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        if np.ptp(arc) > 0 and np.ptp(direction) * len(steps) / (len(steps) - 1) >= 2 * np.pi * (1 - 1e-9):
            raise ParameterError(
                "SurfaceGrid.column_pitch_mm",
                f"contacts over {np.ptp(arc):g} mm go round the whole limb and meet",
                "give fewer columns, a smaller pitch or a larger limb",
            )


_MOST = 4096  # far above any grid; a slip of the keyboard is told before it takes the memory
