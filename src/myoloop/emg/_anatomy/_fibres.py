"""The fibres of a muscle: where they lie, how thick and fast they are, and which unit they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class MuscleFibres:
    """Fibres parallel to z, each of one motor unit.

    The cross-section is the x-y plane of the volume conductor in which the muscle lies (a layered
    cylinder has its axis at the origin; planar layers have the muscle's surface at y = 0, the skin above).

    Parameters
    ----------
    x_mm, y_mm : ndarray, shape (fibres,)
        Place in the cross-section.
    diameter_um : ndarray, shape (fibres,)
    unit : ndarray of int, shape (fibres,)
        Motor unit of each fibre, 0 the smallest.
    endplate_mm : ndarray, shape (fibres,)
        z of the endplate.
    tendon_mm : ndarray, shape (fibres, 2)
        z of the lower and of the upper end.
    velocity_m_per_s : ndarray, shape (fibres,)
        Conduction velocity.
    n_units : int
        Number of motor units; each has at least one fibre.
    about : dict
        What else is to travel with it, e.g. the parameters of the muscle.

    Raises
    ------
    ParameterError
        A unit without fibres, an endplate beyond the fibre's ends, a velocity or diameter not above 0.
    """

    x_mm: FloatArray
    y_mm: FloatArray
    diameter_um: FloatArray
    unit: IntArray
    endplate_mm: FloatArray
    tendon_mm: FloatArray
    velocity_m_per_s: FloatArray
    n_units: int
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(np.atleast_1d(self.x_mm))
        for name in ("x_mm", "y_mm", "diameter_um", "endplate_mm", "velocity_m_per_s", "tendon_mm"):
            shape = (n, 2) if name == "tendon_mm" else (n,)
            object.__setattr__(self, name, _checked(getattr(self, name), shape, f"MuscleFibres.{name}"))
        object.__setattr__(self, "unit", _checked_units(self.unit, n, self.n_units))
        for name in ("diameter_um", "velocity_m_per_s"):
            least = float(getattr(self, name).min())
            if not least > 0:
                raise ParameterError(f"MuscleFibres.{name}", f"{least:g} was given", "give values above 0")
        low, high = self.tendon_mm.T
        wrong = (self.endplate_mm <= low) | (self.endplate_mm >= high)
        if np.any(wrong):
            first = int(np.argmax(wrong))
            raise ParameterError(
                "MuscleFibres.endplate_mm",
                f"fibre {first} from {low[first]:g} to {high[first]:g} mm has its endplate at "
                f"{self.endplate_mm[first]:g} mm",
                "give one between the tendons",
            )

    def __len__(self) -> int:
        """Number of fibres."""
        return len(self.x_mm)

    def __repr__(self) -> str:
        return f"MuscleFibres({len(self)} fibres of {self.n_units} units)"

    @property
    def fibres_per_unit(self) -> IntArray:
        """Number of fibres of each unit, shape (units,)."""
        return np.bincount(self.unit, minlength=self.n_units)

    def select(self, units: Any) -> MuscleFibres:
        """The fibres of some units, by index; they are numbered in the order given.

        `about` stays as it is, and says under ``units`` which units they were.
        """
        chosen = np.atleast_1d(np.asarray(units))
        if chosen.dtype.kind not in "iu" or np.any(chosen < 0) or np.any(chosen >= self.n_units):
            raise ParameterError(
                "MuscleFibres.select", f"{chosen} of {self.n_units} units", "give indices of units"
            )
        number = np.full(self.n_units, -1)
        number[chosen] = np.arange(len(chosen))
        kept = number[self.unit] >= 0
        return MuscleFibres(
            self.x_mm[kept],
            self.y_mm[kept],
            self.diameter_um[kept],
            number[self.unit[kept]],
            self.endplate_mm[kept],
            self.tendon_mm[kept],
            self.velocity_m_per_s[kept],
            len(chosen),
            {**self.about, "units": np.asarray(self.about.get("units", np.arange(self.n_units)))[chosen]},
        )


def _checked(values: Any, shape: tuple[int, ...], field: str) -> FloatArray:
    array = np.array(values, dtype=float)
    if array.shape != shape or array.size == 0:
        raise ParameterError(field, f"shape {array.shape}", f"give {shape}, one value a fibre")
    if not np.all(np.isfinite(array)):
        raise ParameterError(field, "NaN or infinite values", "give finite ones")
    array.flags.writeable = False
    return array


def _checked_units(units: Any, n: int, n_units: int) -> IntArray:
    unit = np.array(units)
    if unit.shape != (n,) or unit.dtype.kind not in "iu":
        raise ParameterError("MuscleFibres.unit", f"{unit.dtype} of shape {unit.shape}", f"give {n} indices")
    if np.any(unit < 0) or np.any(unit >= n_units):
        raise ParameterError(
            "MuscleFibres.unit",
            f"{unit.min()} to {unit.max()}",
            f"give 0 to {n_units - 1} for {n_units} units",
        )
    counts = np.bincount(unit, minlength=n_units)
    if np.any(counts == 0):
        empty = np.flatnonzero(counts == 0)
        raise ParameterError(
            "MuscleFibres.unit",
            f"{len(empty)} of {n_units} units have no fibre, unit {empty[0]} the first",
            "give fewer units, more fibres or wider territories",
        )
    unit = unit.astype(np.int64)
    unit.flags.writeable = False
    return unit
