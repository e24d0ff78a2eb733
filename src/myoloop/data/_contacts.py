"""What touches the tissue: shapes of electrode contacts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError, shown
from ..parameters import Parameters, number

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Contact(Parameters, ABC):
    """Shape of a contact, over which the potential is averaged.

    The frame of a contact: first axis across the fibres (along the skin, or x), second axis along the
    fibres (z), third axis out of the skin (or y).
    """

    @abstractmethod
    def transform(self, across: FloatArray, along: FloatArray) -> FloatArray:
        """Spatial transfer function of a contact that lies flat on the skin, 1 at the origin.

        Parameters
        ----------
        across, along : ndarray
            Spatial angular frequencies in rad/mm, of shapes that broadcast.
        """

    def parts(self) -> tuple[Contact, FloatArray, FloatArray]:
        """The shape as weighted sum of shapes whose transform is even in both frequencies.

        Returns
        -------
        shape : Contact
        offset_mm : ndarray, shape (n, 3)
        weight : ndarray, shape (n,)
        """
        return self, np.zeros((1, 3)), np.ones(1)

    @abstractmethod
    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Points of a quadrature over the contact: offsets in mm, shape (n, 3), and weights of sum 1."""

    def outline(self) -> FloatArray:
        """Points whose convex hull is the contact, for pictures: offsets in mm, shape (n, 3)."""
        return self.nodes()[0]

    @property
    def is_flat(self) -> bool:
        """Whether it can lie on the skin."""
        return True

    def rotated(self, angle_deg: float) -> Contact:
        """The contact turned in the plane of the skin, from across the fibres towards along them."""
        return self

    def overlaps(self, across_mm: float, along_mm: float) -> bool:
        """Whether it overlaps a contact of the same shape that lies that far away on the skin."""
        return bool(np.hypot(across_mm, along_mm) == 0)


@final
@dataclass(frozen=True, kw_only=True)
class PointContact(Contact):
    """A contact without extent."""

    def transform(self, across: FloatArray, along: FloatArray) -> FloatArray:
        """Return ones."""
        return np.ones(np.broadcast_shapes(np.shape(across), np.shape(along)))

    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Return the one point."""
        return np.zeros((1, 3)), np.ones(1)


@final
@dataclass(frozen=True, kw_only=True)
class Disc(Contact):
    """A flat disc.

    Parameters
    ----------
    radius_mm : float
        Above 0.

    References
    ----------
    Farina, Merletti (2001), IEEE Trans Biomed Eng 48:637: the transform is 2 J1(k r)/(k r).
    """

    radius_mm: float = number(above=0)

    def transform(self, across: FloatArray, along: FloatArray) -> FloatArray:
        """2 J1(k r)/(k r)."""
        from scipy.special import j1

        x = self.radius_mm * np.hypot(across, along)
        small = x < 1e-4
        x = np.where(small, 1.0, x)
        return np.asarray(np.where(small, 1.0, 2.0 * j1(x) / x))

    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Seven points: exact for polynomials of degree 5 (Stroud S2 5-1)."""
        angles = np.arange(6) * np.pi / 3
        rim = np.sqrt(2.0 / 3.0) * self.radius_mm
        offsets = np.zeros((7, 3))
        offsets[1:, 0], offsets[1:, 2] = rim * np.cos(angles), rim * np.sin(angles)
        return offsets, np.array([1 / 4, *[1 / 8] * 6])

    def outline(self) -> FloatArray:
        """Points of the rim."""
        angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        return self.radius_mm * np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=1)

    def overlaps(self, across_mm: float, along_mm: float) -> bool:
        """Whether the distance is less than the diameter."""
        return bool(np.hypot(across_mm, along_mm) < 2 * self.radius_mm)


@final
@dataclass(frozen=True, kw_only=True)
class Rectangle(Contact):
    """A flat rectangle.

    Parameters
    ----------
    across_mm, along_mm : float
        Sides across and along the fibres before any rotation, above 0.
    angle_deg : float
        Rotation of the rectangle in the plane of the skin, from across towards along.
    """

    across_mm: float = number(above=0)
    along_mm: float = number(above=0)
    angle_deg: float = number(0.0)

    def transform(self, across: FloatArray, along: FloatArray) -> FloatArray:
        """Product of two sinc functions in the frame of the rectangle."""
        c, s = np.cos(np.radians(self.angle_deg)), np.sin(np.radians(self.angle_deg))
        own_across, own_along = c * across + s * along, c * along - s * across
        return np.asarray(
            np.sinc(own_across * self.across_mm / (2 * np.pi))
            * np.sinc(own_along * self.along_mm / (2 * np.pi))
        )

    def parts(self) -> tuple[Contact, FloatArray, FloatArray]:
        """Return itself, or points where it is at an angle to the fibres."""
        if self.angle_deg % 90.0 == 0.0:
            return super().parts()
        return PointContact(), *self.nodes()

    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Three by three Gauss points."""
        points, weights = np.polynomial.legendre.leggauss(3)
        return self._points(points), np.outer(weights, weights).ravel() / 4

    def outline(self) -> FloatArray:
        """The corners."""
        return self._points(np.array([-1.0, 1.0]))

    def _points(self, at: FloatArray) -> FloatArray:
        """Offsets at every pair of places on the two half sides, from -1 to 1."""
        a, b = np.meshgrid(at * self.across_mm / 2, at * self.along_mm / 2, indexing="ij")
        c, s = np.cos(np.radians(self.angle_deg)), np.sin(np.radians(self.angle_deg))
        return np.stack([(c * a - s * b).ravel(), np.zeros(a.size), (s * a + c * b).ravel()], axis=1)

    def rotated(self, angle_deg: float) -> Rectangle:
        """The rectangle turned by an angle, from across towards along."""
        return Rectangle(
            across_mm=self.across_mm, along_mm=self.along_mm, angle_deg=self.angle_deg + angle_deg
        )

    def overlaps(self, across_mm: float, along_mm: float) -> bool:
        """Whether the distances in its own frame are less than its sides."""
        c, s = np.cos(np.radians(self.angle_deg)), np.sin(np.radians(self.angle_deg))
        own_across, own_along = c * across_mm + s * along_mm, c * along_mm - s * across_mm
        return bool(abs(own_across) < self.across_mm and abs(own_along) < self.along_mm)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ContactCloud(Contact):
    """A contact of any shape in space, given by the points of a quadrature (e.g. a needle's cannula).

    Parameters
    ----------
    offset_mm : ndarray, shape (n, 3)
    weight : ndarray, shape (n,)
        Of sum 1.
    """

    offset_mm: Any
    weight: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        offsets = checked_points(self.offset_mm, "ContactCloud.offset_mm")
        try:
            weights = np.array(self.weight, dtype=float).reshape(-1)
        except (TypeError, ValueError):
            raise ParameterError(
                "ContactCloud.weight", shown(self.weight), "give numbers of sum 1, one for each point"
            ) from None
        if len(weights) != len(offsets) or not np.isclose(weights.sum(), 1.0, rtol=0, atol=1e-9):
            raise ParameterError(
                "ContactCloud.weight",
                f"{len(weights)} weights of sum {weights.sum():g} for {len(offsets)} points",
                "give one for each point, of sum 1",
            )
        weights.flags.writeable = False
        object.__setattr__(self, "offset_mm", offsets)
        object.__setattr__(self, "weight", weights)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ContactCloud) and self._bytes == other._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)

    @property
    def _bytes(self) -> tuple[bytes, bytes]:
        return self.offset_mm.tobytes(), self.weight.tobytes()

    @property
    def is_flat(self) -> bool:
        """Never."""
        return False

    def transform(self, across: FloatArray, along: FloatArray) -> FloatArray:
        """Refuse: such a contact does not lie on the skin."""
        raise ParameterError(
            "Electrodes.contact", "a cloud of points has no place on the skin", "give a Disc or a Rectangle"
        )

    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Return the points and weights."""
        return self.offset_mm, self.weight


def checked_points(points: ArrayLike, field: str) -> FloatArray:
    """`points` as a finite array of shape (n, 3)."""
    try:
        array = np.array(points, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(field, shown(points), "give x, y, z in mm of each point") from None
    if array.ndim != 2 or array.shape[1] != 3 or len(array) == 0:
        raise ParameterError(field, f"an array of shape {array.shape}", "give x, y, z in mm of each point")
    if not np.all(np.isfinite(array)):
        raise ParameterError(field, "NaN or infinite coordinates", "give finite ones")
    array.flags.writeable = False
    return array
