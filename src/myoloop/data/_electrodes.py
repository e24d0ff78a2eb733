"""Electrodes: contacts in space, and the channels that are derived from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError, shown
from ..units import to_float
from ._contacts import Contact, PointContact, checked_points

FloatArray = NDArray[np.float64]
_POINT = PointContact()


@final
@dataclass(frozen=True, eq=False)
class Electrodes:
    """Contacts with their positions, and the spatial filter that makes channels of them.

    Parameters
    ----------
    position_mm : ndarray, shape (contacts, 3)
        x and y in the cross-section, z along the fibres.
    contact : Contact or tuple of Contact
        Shape of all contacts, or one shape for each.
    derivation : ndarray, shape (channels, contacts), optional
        Row c makes channel c of the potentials of the contacts. None: monopolar, one channel a contact.
    names : tuple of str
        Name of each channel; made up where none are given.
    place : ndarray of int, shape (contacts, 2), optional
        Row and column of each contact on its grid; rows follow the fibres where the grid is not rotated.
    intramuscular : bool
        Whether the contacts are within the muscle rather than on the skin.
    pitch_mm : float, optional
        Distance of neighbours on the grid.
    """

    position_mm: FloatArray
    contact: Contact | tuple[Contact, ...] = _POINT
    derivation: FloatArray | None = None
    names: tuple[str, ...] = ()
    place: NDArray[np.int64] | None = None
    intramuscular: bool = False
    pitch_mm: float | None = None

    def __post_init__(self) -> None:
        position = checked_points(self.position_mm, "Electrodes.position_mm")
        n = len(position)
        contact = self.contact if isinstance(self.contact, tuple) else (self.contact,) * n
        if len(contact) != n or not all(isinstance(one, Contact) for one in contact):
            given = f"{len(contact)} shapes for {n} contacts" if len(contact) != n else shown(self.contact)
            raise ParameterError("Electrodes.contact", given, "give one Contact, or one for each")
        derivation = _derivation(np.eye(n) if self.derivation is None else self.derivation, n)
        names = tuple(str(name) for name in self.names) or _names(derivation)
        if len(names) != len(derivation) or len(set(names)) != len(names):
            raise ParameterError(
                "Electrodes.names",
                f"{len(set(names))} different names for {len(derivation)} channels",
                "name each channel differently",
            )
        place = None if self.place is None else _place(self.place, n)
        pitch = None if self.pitch_mm is None else to_float(self.pitch_mm, "mm", "Electrodes.pitch_mm")
        if pitch is not None and not (isinstance(pitch, float) and 0 < pitch < np.inf):
            raise ParameterError(
                "Electrodes.pitch_mm", f"{shown(self.pitch_mm)} was given", "give a distance above 0"
            )
        checked: dict[str, Any] = {
            "position_mm": position,
            "contact": contact,
            "derivation": derivation,
            "names": names,
            "place": place,
            "intramuscular": bool(self.intramuscular),
            "pitch_mm": pitch,
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """Number of channels."""
        return len(self.names)

    @property
    def n_contacts(self) -> int:
        """Number of contacts."""
        return len(self.position_mm)

    @property
    def shapes(self) -> tuple[Contact, ...]:
        """Shape of each contact."""
        assert isinstance(self.contact, tuple)
        return self.contact

    @property
    def matrix(self) -> FloatArray:
        """The derivation, shape (channels, contacts)."""
        assert self.derivation is not None
        return self.derivation

    @property
    def channel_position_mm(self) -> FloatArray:
        """Middle of the contacts that each channel is made of, shape (channels, 3)."""
        used = (self.matrix != 0).astype(float)
        return np.asarray(used @ self.position_mm / used.sum(axis=1, keepdims=True))

    def derived(self, matrix: ArrayLike, names: tuple[str, ...] = ()) -> Electrodes:
        """The same contacts with a spatial filter upon the present channels.

        Parameters
        ----------
        matrix : array-like, shape (new channels, present channels)
        names : tuple of str
            Names of the new channels.
        """
        array = _derivation(matrix, len(self))
        return replace(self, derivation=array @ self.matrix, names=names)

    @staticmethod
    def joined(*parts: Electrodes) -> Electrodes:
        """Several electrodes as one, e.g. two grids or the shafts of an implant; names gain a letter.

        Parameters
        ----------
        *parts : Electrodes
            All on the skin or all in the muscle. Their channels follow one another; on the common grid
            a column is left empty between them, so that no filter reaches from one to the next.
        """
        if not parts or not all(isinstance(part, Electrodes) for part in parts) or len(parts) > 26:
            raise ParameterError("Electrodes.joined", f"{shown(parts)}", "give 1 to 26 Electrodes")
        if len({part.intramuscular for part in parts}) > 1:
            raise ParameterError(
                "Electrodes.joined", "some on the skin and some in the muscle", "compute them one by one"
            )
        rows, columns = np.cumsum([(0, 0)] + [part.matrix.shape for part in parts], axis=0).T
        derivation = np.zeros((rows[-1], columns[-1]))
        for part, row, column in zip(parts, rows, columns, strict=False):
            derivation[row : row + len(part), column : column + part.n_contacts] = part.matrix
        pitches = {part.pitch_mm for part in parts}
        return Electrodes(
            np.concatenate([part.position_mm for part in parts]),
            tuple(shape for part in parts for shape in part.shapes),
            derivation,
            tuple(f"{chr(65 + i)}-{name}" for i, part in enumerate(parts) for name in part.names),
            _side_by_side([part.place for part in parts]),
            parts[0].intramuscular,
            pitches.pop() if len(pitches) == 1 else None,
        )

    def select(self, channels: ArrayLike) -> Electrodes:
        """The same contacts with some of the channels, by index."""
        chosen = np.atleast_1d(np.asarray(channels))
        right = chosen.ndim == 1 and chosen.size > 0 and chosen.dtype.kind in "iu"
        if not right or len(set(chosen.tolist()) & set(range(len(self)))) != len(chosen):
            raise ParameterError(
                "Electrodes.select",
                f"{shown(channels)} of {len(self)} channels",
                "give different indices of channels",
            )
        names = tuple(self.names[i] for i in chosen)
        return replace(self, derivation=self.matrix[chosen], names=names)


def _place(place: ArrayLike, n: int) -> NDArray[np.int64]:
    try:
        array = np.array(place)
    except ValueError:
        raise ParameterError("Electrodes.place", shown(place), "give row and column of each") from None
    if array.shape != (n, 2) or array.dtype.kind not in "iu":
        raise ParameterError(
            "Electrodes.place",
            f"{array.dtype} of shape {array.shape} for {n} contacts",
            "give row and column of each, as whole numbers",
        )
    if len(np.unique(array, axis=0)) != n:
        raise ParameterError("Electrodes.place", "two contacts on one place", "give each its own")
    array = array.astype(np.int64)
    array.flags.writeable = False
    return array


def _side_by_side(places: list[NDArray[np.int64] | None]) -> NDArray[np.int64] | None:
    shifted: list[NDArray[np.int64]] = []
    for place in places:
        if place is None:
            return None
        free = shifted[-1][:, 1].max() + 2 - place[:, 1].min() if shifted else 0
        shifted.append(place + np.array([0, free]))
    return np.concatenate(shifted)


def _derivation(matrix: ArrayLike, columns: int) -> FloatArray:
    try:
        array = np.array(matrix, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(
            "Electrodes.derivation", "not an array of numbers", "give rows of equal length"
        ) from None
    if array.ndim != 2 or array.shape[1] != columns or len(array) == 0:
        raise ParameterError(
            "Electrodes.derivation",
            f"a spatial filter of shape {array.shape} for {columns} inputs",
            f"give rows of {columns} weights, one row a channel",
        )
    if not np.all(np.isfinite(array)) or not np.all(np.any(array != 0, axis=1)):
        raise ParameterError(
            "Electrodes.derivation",
            "a row of NaN, or of zeros only",
            "give finite weights, not all of them 0",
        )
    array.flags.writeable = False
    return array


def _names(derivation: FloatArray) -> tuple[str, ...]:
    width = len(str(len(derivation)))
    return tuple(f"E{i + 1:0{width}d}" for i in range(len(derivation)))
