"""Cross-sections of a muscle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ParameterError
from ...parameters import Parameters, number
from ...units import to_float
from ._outlines import crossing_sides, mask_outline, polygon_area, polygon_contains

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_OUTLINE_POINTS = 181  # of a circle or an ellipse


@dataclass(frozen=True, kw_only=True)
class CrossSection(Parameters, ABC):
    """A region of the x-y plane that a muscle fills."""

    @abstractmethod
    def contains(self, x_mm: ArrayLike, y_mm: ArrayLike) -> BoolArray:
        """Whether each point lies inside, in the shape of the points."""

    @property
    @abstractmethod
    def area_mm2(self) -> float:
        """Area."""

    @property
    @abstractmethod
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Least and largest x, least and largest y."""

    @abstractmethod
    def outline_mm(self) -> FloatArray:
        """Closed outline for drawing, shape (n, 2); rows of NaN lie between separate outlines."""

    def sample(self, n: int, generator: np.random.Generator) -> FloatArray:
        """Draw `n` points from the uniform distribution over the section, shape (n, 2)."""
        left, right, bottom, top = self.bounds_mm
        share = self.area_mm2 / ((right - left) * (top - bottom))
        points = np.empty((0, 2))
        while len(points) < n:
            tried = int(1.1 * (n - len(points)) / share) + 10
            x = generator.uniform(left, right, tried)
            y = generator.uniform(bottom, top, tried)
            inside = self.contains(x, y)
            points = np.concatenate([points, np.column_stack([x[inside], y[inside]])])
        return points[:n]


@final
@dataclass(frozen=True)
class Ellipse(CrossSection):
    """An ellipse.

    Parameters
    ----------
    half_width_mm, half_height_mm : float
        Semi-axes, along x and y before the rotation.
    x_mm, y_mm : float
        Centre.
    angle_deg : float
        Rotation, anticlockwise.
    """

    half_width_mm: float = number(above=0)
    half_height_mm: float = number(above=0)
    _: KW_ONLY
    x_mm: float = number(0.0)
    y_mm: float = number(0.0)
    angle_deg: float = number(0.0)

    def contains(self, x_mm: ArrayLike, y_mm: ArrayLike) -> BoolArray:
        """Whether each point lies inside."""
        c, s = self._turn
        x, y = np.asarray(x_mm) - self.x_mm, np.asarray(y_mm) - self.y_mm
        across, up = (c * x + s * y) / self.half_width_mm, (c * y - s * x) / self.half_height_mm
        return np.asarray(across**2 + up**2 <= 1.0)

    @property
    def area_mm2(self) -> float:
        """Area."""
        return float(np.pi * self.half_width_mm * self.half_height_mm)

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Least and largest x, least and largest y."""
        c, s = self._turn
        dx = float(np.hypot(self.half_width_mm * c, self.half_height_mm * s))
        dy = float(np.hypot(self.half_width_mm * s, self.half_height_mm * c))
        return self.x_mm - dx, self.x_mm + dx, self.y_mm - dy, self.y_mm + dy

    def outline_mm(self) -> FloatArray:
        """Closed outline, shape (n, 2)."""
        c, s = self._turn
        angle = np.linspace(0.0, 2 * np.pi, _OUTLINE_POINTS)
        angle[-1] = 0.0  # closed to the last bit
        across, up = self.half_width_mm * np.cos(angle), self.half_height_mm * np.sin(angle)
        return np.column_stack([self.x_mm + c * across - s * up, self.y_mm + s * across + c * up])

    @property
    def _turn(self) -> tuple[float, float]:
        angle = np.radians(self.angle_deg)
        return float(np.cos(angle)), float(np.sin(angle))


@final
@dataclass(frozen=True)
class Circle(CrossSection):
    """A disc.

    Parameters
    ----------
    radius_mm : float
    x_mm, y_mm : float
        Centre.
    """

    radius_mm: float = number(above=0)
    _: KW_ONLY
    x_mm: float = number(0.0)
    y_mm: float = number(0.0)

    def contains(self, x_mm: ArrayLike, y_mm: ArrayLike) -> BoolArray:
        """Whether each point lies inside."""
        return self._ellipse.contains(x_mm, y_mm)

    @property
    def area_mm2(self) -> float:
        """Area."""
        return self._ellipse.area_mm2

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Least and largest x, least and largest y."""
        return self._ellipse.bounds_mm

    def outline_mm(self) -> FloatArray:
        """Closed outline, shape (n, 2)."""
        return self._ellipse.outline_mm()

    @property
    def _ellipse(self) -> Ellipse:
        return Ellipse(self.radius_mm, self.radius_mm, x_mm=self.x_mm, y_mm=self.y_mm)


@final
@dataclass(frozen=True, eq=False)
class Polygon(CrossSection):
    """A polygon whose sides do not cross.

    Parameters
    ----------
    vertices_mm : ndarray, shape (n, 2)
        Corners, x and y, in either sense of rotation; at least three. The first may be repeated at the end.

    Raises
    ------
    ParameterError
        Fewer than three corners, sides that cross or touch, no area.
    """

    vertices_mm: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "vertices_mm", _checked_vertices(self.vertices_mm))

    def contains(self, x_mm: ArrayLike, y_mm: ArrayLike) -> BoolArray:
        """Whether each point lies inside."""
        x, y = np.broadcast_arrays(np.asarray(x_mm, dtype=float), np.asarray(y_mm, dtype=float))
        return polygon_contains(self.vertices_mm, x, y)

    @property
    def area_mm2(self) -> float:
        """Area."""
        return polygon_area(self.vertices_mm)

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Least and largest x, least and largest y."""
        (left, bottom), (right, top) = self.vertices_mm.min(axis=0), self.vertices_mm.max(axis=0)
        return float(left), float(right), float(bottom), float(top)

    def outline_mm(self) -> FloatArray:
        """Closed outline, shape (n + 1, 2)."""
        return np.concatenate([self.vertices_mm, self.vertices_mm[:1]])


@final
@dataclass(frozen=True, eq=False)
class Mask(CrossSection):
    """The true pixels of an image, e.g. a muscle segmented in a magnetic resonance image.

    Parameters
    ----------
    image : ndarray of bool, shape (rows, columns)
        Columns run along x, rows along y: row 0 lies lowest. Turn an image whose first row is the upper
        one over with ``image[::-1]``. Holes and separate pieces are allowed.
    pixel_mm : float
        Side of a pixel.
    x_mm, y_mm : float
        Place of the centre of the image.

    Raises
    ------
    ParameterError
        Not an image of true and false, or none of it true.
    """

    image: Any
    _: KW_ONLY
    pixel_mm: float = number(above=0)
    x_mm: float = number(0.0)
    y_mm: float = number(0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "image", _checked_image(self.image))

    def contains(self, x_mm: ArrayLike, y_mm: ArrayLike) -> BoolArray:
        """Whether each point lies inside."""
        left, bottom = self._corner
        x, y = np.broadcast_arrays(np.asarray(x_mm, dtype=float), np.asarray(y_mm, dtype=float))
        column, row = np.floor((x - left) / self.pixel_mm), np.floor((y - bottom) / self.pixel_mm)
        rows, columns = self.image.shape
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        place = np.where(inside, row, 0).astype(int), np.where(inside, column, 0).astype(int)
        return np.asarray(inside & self.image[place])

    @property
    def area_mm2(self) -> float:
        """Area."""
        return float(self.image.sum() * self.pixel_mm**2)

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Least and largest x, least and largest y of the true pixels."""
        left, bottom = self._corner
        columns, rows = np.flatnonzero(self.image.any(axis=0)), np.flatnonzero(self.image.any(axis=1))
        return (
            float(left + self.pixel_mm * columns[0]),
            float(left + self.pixel_mm * (columns[-1] + 1)),
            float(bottom + self.pixel_mm * rows[0]),
            float(bottom + self.pixel_mm * (rows[-1] + 1)),
        )

    def outline_mm(self) -> FloatArray:
        """Closed outlines of all pieces and holes along the sides of pixels, rows of NaN between them."""
        gap = np.full((1, 2), np.nan)
        pieces = [piece for outline in mask_outline(self.image) for piece in (outline, gap)][:-1]
        return np.asarray(self._corner + self.pixel_mm * np.concatenate(pieces))

    @property
    def _corner(self) -> FloatArray:
        rows, columns = self.image.shape
        half = 0.5 * self.pixel_mm
        return np.array([self.x_mm - half * columns, self.y_mm - half * rows])


def _checked_vertices(given: Any) -> FloatArray:
    field = "Polygon.vertices_mm"
    mend = "give the x and y of at least three corners in mm, in order around the polygon"
    vertices = np.array(to_float(given, "mm", field))
    if vertices.ndim != 2 or vertices.shape[1] != 2:
        raise ParameterError(field, f"an array of shape {vertices.shape} was given", mend)
    if not np.all(np.isfinite(vertices)):
        raise ParameterError(field, "NaN or infinite coordinates", mend)
    if len(vertices):
        vertices = vertices[np.any(vertices != np.roll(vertices, -1, axis=0), axis=1)]  # not repeated
    if len(vertices) < 3:
        raise ParameterError(field, f"{len(vertices)} different corners were given", mend)
    crossing = crossing_sides(vertices)
    if crossing is not None:
        sides = " and ".join(f"from {_point(vertices, k)} to {_point(vertices, k + 1)}" for k in crossing)
        raise ParameterError(field, f"the sides {sides} cross or touch", "give an outline that does neither")
    vertices.flags.writeable = False
    return vertices


def _point(vertices: FloatArray, k: int) -> str:
    x, y = vertices[k % len(vertices)]
    return f"({x:g}, {y:g})"


def _checked_image(given: Any) -> BoolArray:
    image = np.array(given)
    mend = "give a 2-D array of True within the muscle and False elsewhere"
    if image.ndim != 2 or image.size == 0:
        raise ParameterError("Mask.image", f"an array of shape {image.shape} was given", mend)
    if image.dtype.kind not in "biuf" or not np.all((image == 0) | (image == 1)):
        raise ParameterError("Mask.image", f"values of type {image.dtype} other than 0 and 1", mend)
    if not image.any():
        raise ParameterError("Mask.image", "no pixel is true", mend)
    image = image.astype(bool)
    image.flags.writeable = False
    return image
