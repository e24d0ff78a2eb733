"""Anatomy of a muscle: from recruitment thresholds to fibres."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...data import Progress, silent
from ...errors import ParameterError, shown
from ...parameters import Parameters, choice, count, number
from ...random import Streams
from ._endplates import branch_numbers, branches, endplate_sds, truncated_normal
from ._fibres import MuscleFibres
from ._packing import packed_points
from ._sections import Circle, CrossSection
from ._territories import (
    Candidates,
    Territories,
    assign,
    candidates,
    innervation_numbers,
    neighbours,
    place_centres,
    unreached_error,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LARGEST = 0.25  # share of the section that the largest unit has, where the pool is large enough
_TENDON_SDS = 3.0  # within which the ends of the fibres lie
_NEIGHBOUR_SPACINGS = 1.4  # between the first and the second neighbours of a hexagonal lattice
_UNIT_OF_RISE_UM = 10.0


@final
@dataclass(frozen=True)
class Muscle(Parameters):
    r"""Anatomy of a muscle with parallel fibres, and the recipe by which `fibres` draws them.

    *Fibres* lie on a disturbed hexagonal lattice, because they fill the muscle side by side: their number
    is the density times the area, exactly, and their centres repel one another. Diameters are lognormal,
    drawn anew (not clipped) beyond the limits.

    *Units.* Innervation area and innervation number are both proportional to the recruitment threshold:
    unit i has n_fibres rt_i/sum(rt) fibres, to the nearest whole number, within a circle of area
    ``largest_territory`` times rt_i/max(rt) times the muscle's. A fibre belongs to unit i with a weight that
    is a Gaussian about the centre of the territory, of covariance area/(pi q) I with q the 99.9 %
    quantile of chi-square with 2 degrees of freedom, renormalised for the mass outside the section and cut
    off at the circle; neighbours avoid the same unit. All fibres are innervated, hence where territories
    overlap little their fibres spread more evenly than a Gaussian (with 100 units 1.5 times as wide).

    *Endplates.* The axon of unit i has 1 + round(ln(rt_i/rt_1)) branches, each for a compact group of the
    unit's fibres. Along z a branch lies at a normal distance of SD 1.5 + 4 s mm from the innervation zone,
    an endplate at one of SD 0.5 + 1.5 s mm from its branch, s the cumulative share of the thresholds; both
    normal distributions end (they are not clipped) ``endplate_margin_mm`` before the fibre does.

    *Conduction velocity.* Units are normal about the mean, and correlated with their rank in size. With
    ``velocity="fibre"`` a fibre is faster than its unit's mean by the rise with diameter.

    Parameters
    ----------
    section : CrossSection
    fibre_density_per_mm2 : float
    n_fibres : int, optional
        Number of fibres, in place of a density.
    packing_disorder : float
        SD of a fibre's distance from its place in the lattice along either axis, in lattice spacings.
    diameter_um, diameter_spread : float
        Median fibre diameter, and SD of its natural logarithm.
    least_diameter_um, largest_diameter_um : float
        Ends of the distribution.
    lower_tendon_mm, upper_tendon_mm : float
        Mean z of either end of the fibres.
    tendon_sd_mm : float
        SD of the ends of the fibres, of a normal distribution that ends at 3 SD.
    endplate_mm : float
        z of the centre of the innervation zone.
    endplate_spread : float
        Factor of both SDs of the endplates.
    endplate_margin_mm : float
        Least distance of an endplate from the ends of its fibre.
    largest_territory : float, optional
        Innervation area of the largest unit over the area of the section. By default a quarter; in a pool
        too small for its territories to reach all of the muscle (some 40 units and fewer), as much as
        that takes.
    neighbour_avoidance : float
        From 0, where a fibre's neighbours play no part in the choice of its unit, to just below 1: each
        neighbour of a unit multiplies the probability of that unit by one minus this.
    velocity : str
        ``"unit"``: one velocity a unit; ``"fibre"``: each fibre its own.
    velocity_m_per_s, velocity_sd_m_per_s : float
        Mean and SD over units.
    velocity_size_correlation : float
        Of the velocity with the normal score of the unit's rank.
    velocity_rise_m_per_s : float
        How much faster a fibre is that is 10 um thicker, for ``velocity="fibre"``.

    Notes
    -----
    The default slope of velocity on diameter, 0.05 m/s per um, is that of single fibres. With the default
    diameters it spreads the velocities within a unit by 0.6 m/s, which disperses its action potential along
    the muscle.

    Examples
    --------
    >>> from myoloop.emg import Circle, Muscle
    >>> from myoloop.muscle import recruitment_thresholds
    >>> muscle = Muscle(Circle(6.91), fibre_density_per_mm2=20)
    >>> muscle.fibres(recruitment_thresholds(50, 30), seed=1)
    MuscleFibres(3000 fibres of 50 units)

    References
    ----------
    Konstantin, Yu, Le Carpentier, Aoustin, Farina (2020), IEEE Trans Biomed Eng 67:2005: territories,
    endplates. Andreassen, Arendt-Nielsen (1987), J Physiol 391:561: velocity rises with unit size,
    r = 0.87 with twitch torque. Nishizono, Fujimoto, Ohtake, Miyashita (1990), Electroencephalogr Clin
    Neurophysiol 75:75: velocities. Nandedkar, Stalberg (1983), Med Biol Eng Comput 21:158, and Blijham et
    al. (2006), J Appl Physiol 100:1837: velocity against diameter.
    """

    section: CrossSection = Circle(6.91)  # noqa: RUF009 (frozen)
    _: KW_ONLY
    fibre_density_per_mm2: float = number(350.0, above=0, help="fibres per mm2")
    n_fibres: int | None = None
    packing_disorder: float = number(0.15, at_least=0, at_most=1, help="SD of a fibre's place, in spacings")
    diameter_um: float = number(50.0, above=0, help="median fibre diameter")
    diameter_spread: float = number(0.3, at_least=0, help="SD of its logarithm")
    least_diameter_um: float = number(20.0, above=0, help="smallest diameter")
    largest_diameter_um: float = number(80.0, above=0, help="largest diameter")
    lower_tendon_mm: float = number(-16.0, help="mean z of the lower end")
    upper_tendon_mm: float = number(16.0, help="mean z of the upper end")
    tendon_sd_mm: float = number(1.0, at_least=0, help="SD of the ends of the fibres")
    endplate_mm: float = number(0.0, help="z of the innervation zone")
    endplate_spread: float = number(1.0, at_least=0, help="factor of the SDs of the endplates")
    endplate_margin_mm: float = number(1.0, above=0, help="least distance of an endplate from the ends")
    largest_territory: float | None = number(
        None, above=0, optional=True, help="area of the largest unit over the muscle's"
    )
    neighbour_avoidance: float = number(0.9, at_least=0, below=1, help="how much neighbours avoid one unit")
    velocity: str = choice("unit", ("unit", "fibre"), help="one velocity a unit, or each fibre its own")
    velocity_m_per_s: float = number(4.2, above=0, help="mean conduction velocity over units")
    velocity_sd_m_per_s: float = number(0.3, at_least=0, help="SD over units")
    velocity_size_correlation: float = number(0.87, at_least=-1, at_most=1, help="with the rank in size")
    velocity_rise_m_per_s: float = number(0.5, help="rise for a fibre that is 10 um thicker")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.section, CrossSection):
            raise ParameterError(
                "Muscle.section",
                f"{shown(self.section)} was given",
                "give a Circle, Polygon or other section",
            )
        if self.n_fibres is not None:
            check = count().metadata["check"]
            object.__setattr__(self, "n_fibres", check(self.n_fibres, None, "Muscle.n_fibres"))
        self._check_diameters()
        self._check_lengths()

    def fibres(self, thresholds: ArrayLike, seed: int = 0, progress: Progress | None = None) -> MuscleFibres:
        """Draw the fibres of a pool of motor units.

        Parameters
        ----------
        thresholds : array of float, shape (units,)
            Recruitment thresholds, ascending, in any unit: only their ratios count.
        seed : int
            Places, diameters and ends of the fibres depend on the seed alone, not on the units.
        progress : callable, optional

        Returns
        -------
        MuscleFibres
            Its `about` has the parameters of the muscle (``muscle``), the ``seed``, the ``outline_mm`` of the
            section, the number of fibres beyond all territories (``unreached``), and for each unit its
            ``thresholds``, ``innervation_number`` as intended, ``territory_centre_mm``,
            ``territory_radius_mm``, ``velocity_m_per_s``, ``endplate_sd_mm`` (of the branches, and about
            them) and ``branches``.

        Raises
        ------
        ParameterError
            Thresholds that do not ascend from above 0; a unit that would have no fibre; territories that
            do not reach all of the muscle; ends of fibres out of order.
        """
        progress = progress or silent
        rt, streams = _checked_thresholds(thresholds), Streams(seed).child("Muscle")
        n = self._number()
        points, spacing = packed_points(self.section, n, self.packing_disorder, _of(streams, "places"))
        numbers = innervation_numbers(n, rt)
        centres = place_centres(self.section, len(rt), _of(streams, "territories"))
        territories, found = self._territories(points, centres, rt, numbers)
        near = neighbours(points, _NEIGHBOUR_SPACINGS * spacing)
        unit = assign(found, near, numbers, self.neighbour_avoidance, _of(streams, "units"), progress)
        diameter = self._diameters(n, streams)
        tendon = self._tendons(n, streams)
        endplate = self._endplates(points, unit, rt, tendon, streams)
        unit_velocity = self._unit_velocities(len(rt), streams)
        per_unit = {
            "thresholds": rt,
            "innervation_number": numbers,
            "territory_centre_mm": territories.centre_mm,
            "territory_radius_mm": territories.radius_mm,
            "velocity_m_per_s": unit_velocity,
            "endplate_sd_mm": endplate_sds(rt, self.endplate_spread),
            "branches": branch_numbers(rt),
        }
        for values in per_unit.values():
            values.flags.writeable = False
        about = {
            "muscle": self.to_dict(),
            "seed": int(seed),
            "outline_mm": self.section.outline_mm(),
            "unreached": found.unreached,
            **per_unit,
        }
        velocity = self._velocities(unit_velocity, unit, diameter)
        x, y = points.T
        return MuscleFibres(x, y, diameter, unit, endplate, tendon, velocity, len(rt), about)

    def _number(self) -> int:
        if self.n_fibres is not None:
            return self.n_fibres
        expected = self.fibre_density_per_mm2 * self.section.area_mm2
        if round(expected) < 1:
            raise ParameterError(
                "Muscle.fibre_density_per_mm2",
                f"{self.fibre_density_per_mm2:g} on {self.section.area_mm2:g} mm2 is {expected:.2g} fibres",
                "give a higher density or a larger section",
            )
        return round(expected)

    def _territories(
        self, points: FloatArray, centres: FloatArray, rt: FloatArray, numbers: IntArray
    ) -> tuple[Territories, Candidates]:
        area = self.section.area_mm2
        largest = self.largest_territory or _LARGEST
        while True:
            territories = Territories.of(centres, largest * area * rt / rt[-1])
            found = candidates(points, territories, numbers)
            if found.reach_all:
                return territories, found
            if self.largest_territory is not None:
                raise unreached_error(found, territories, area)
            largest *= 1.25

    def _diameters(self, n: int, streams: Streams) -> FloatArray:
        low, high = np.log([self.least_diameter_um, self.largest_diameter_um])
        draws = _of(streams, "diameters").random(n)
        return np.exp(truncated_normal(draws, np.log(self.diameter_um), self.diameter_spread, low, high))

    def _tendons(self, n: int, streams: Streams) -> FloatArray:
        mean = np.array([self.lower_tendon_mm, self.upper_tendon_mm])
        reach = _TENDON_SDS * self.tendon_sd_mm
        draws = _of(streams, "tendons").random((n, 2))
        return truncated_normal(draws, mean, self.tendon_sd_mm, mean - reach, mean + reach)

    def _window(self) -> tuple[float, float]:
        """Range of z at which every fibre may have its endplate."""
        room = _TENDON_SDS * self.tendon_sd_mm + self.endplate_margin_mm
        return self.lower_tendon_mm + room, self.upper_tendon_mm - room

    def _endplates(
        self, points: FloatArray, unit: IntArray, rt: FloatArray, tendon: FloatArray, streams: Streams
    ) -> FloatArray:
        sds = endplate_sds(rt, self.endplate_spread)
        low, high = self._window()
        window = (low, self.endplate_mm, high)
        _, branch_mm = branches(points, unit, branch_numbers(rt), sds, window, streams)
        first, last = tendon.T + self.endplate_margin_mm * np.array([[1.0], [-1.0]])
        draws = _of(streams, "endplates").random(len(unit))
        return truncated_normal(draws, branch_mm, sds[unit, 1], first, last)

    def _unit_velocities(self, n: int, streams: Streams) -> FloatArray:
        from scipy.special import ndtri

        score = ndtri((np.arange(n) + 0.5) / n)
        score = score / score.std() if n > 1 else score
        own = np.array([_of(streams, "velocity", u).standard_normal() for u in range(n)])
        r = self.velocity_size_correlation
        z = r * score + np.sqrt(1 - r**2) * own
        return np.asarray(self.velocity_m_per_s + self.velocity_sd_m_per_s * z)

    def _velocities(self, unit_velocity: FloatArray, unit: IntArray, diameter: FloatArray) -> FloatArray:
        velocity = unit_velocity[unit]
        if self.velocity == "fibre":
            mean = np.bincount(unit, weights=diameter) / np.bincount(unit)
            velocity = velocity + self.velocity_rise_m_per_s * (diameter - mean[unit]) / _UNIT_OF_RISE_UM
        if velocity.min() <= 0:
            raise ParameterError(
                "Muscle.velocity_m_per_s",
                f"the slowest fibre came to {velocity.min():.2g} m/s",
                "give a higher mean, a smaller SD or a smaller rise with diameter",
            )
        return velocity

    def _check_diameters(self) -> None:
        for low, high in (("least_diameter_um", "diameter_um"), ("diameter_um", "largest_diameter_um")):
            a, b = getattr(self, low), getattr(self, high)
            if a > b:
                raise ParameterError(
                    f"Muscle.{low}", f"{a:g} was given with {high} = {b:g}", f"give at most {b:g}"
                )

    def _check_lengths(self) -> None:
        low, high = self._window()
        if low >= high:
            raise ParameterError(
                "Muscle.upper_tendon_mm",
                f"fibres from {self.lower_tendon_mm:g} to {self.upper_tendon_mm:g} mm, whose ends have an SD "
                f"of {self.tendon_sd_mm:g} mm, leave no place for endplates",
                "give longer fibres, a smaller tendon_sd_mm or endplate_margin_mm",
            )
        if not low < self.endplate_mm < high:
            raise ParameterError(
                "Muscle.endplate_mm",
                f"{self.endplate_mm:g} was given, where not every fibre can have its endplate",
                f"give a z between {low:g} and {high:g} mm",
            )


def _of(streams: Streams, *names: str | int) -> np.random.Generator:
    return streams.child(*names).generator()


def _checked_thresholds(given: Any) -> FloatArray:
    field = "Muscle.thresholds"
    check = number(above=0, per_unit=True).metadata["check"]
    rt = np.atleast_1d(check(given, None, field))
    fall = np.flatnonzero(np.diff(rt) < 0)
    if len(fall):
        k = int(fall[0])
        raise ParameterError(
            field, f"unit {k} has {rt[k]:g}, unit {k + 1} has {rt[k + 1]:g}", "give them ascending"
        )
    return np.asarray(rt)
