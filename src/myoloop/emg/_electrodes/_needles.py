"""Electrodes in the muscle: fine wires, concentric needles, thin-film arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...data import ContactCloud, Electrodes
from ...errors import ParameterError, shown
from ...parameters import Parameters, choice, count, number
from .._conductors._base import VolumeConductor
from ._filters import FILTERS

FloatArray = NDArray[np.float64]
_PROBE_MM = 1e-3  # step on the skin from which its direction is found
_WIRE_NODES = 16
_CANNULA_NODES = 24
_CORE_NODES = 8


@dataclass(frozen=True, kw_only=True)
class IntramuscularElectrode(Parameters, ABC):
    """A straight electrode that is inserted into the muscle.

    Its *site* is where it records, which each class says; its shaft goes from there to the skin. Upright,
    the shaft goes straight in and its *face* looks across the fibres.

    Parameters
    ----------
    across_mm, along_mm : float
        Where it goes through the skin (`on`): arc across the fibres, and z.
    depth_mm : float
        From the skin to the site along the shaft.
    tilt_along_deg, tilt_across_deg : float
        Lean of the shaft such that the tip points along the fibres (towards greater z) and across them
        (towards greater arc), between -90 and 90.
    spin_deg : float
        Turn of the face about the shaft; at 90 the face of an upright shaft looks along the fibres.
    """

    across_mm: float = number(0.0, at_least=-1e4, at_most=1e4, help="where it goes in, across the fibres")
    along_mm: float = number(0.0, at_least=-1e4, at_most=1e4, help="where it goes in, along the fibres")
    depth_mm: float = number(15.0, above=0.0, at_most=1e3, help="from the skin to the site, along the shaft")
    tilt_along_deg: float = number(0.0, above=-90.0, below=90.0, help="lean along the fibres")
    tilt_across_deg: float = number(0.0, above=-90.0, below=90.0, help="lean across the fibres")
    spin_deg: float = number(0.0, help="turn about the shaft")

    def on(self, conductor: VolumeConductor) -> Electrodes:
        """The electrode inserted through the skin of a volume conductor.

        Parameters
        ----------
        conductor : VolumeConductor
            With a skin. Compute with it where it allows contacts within the muscle, else with an
            `InfiniteMedium`.

        Returns
        -------
        Electrodes

        Raises
        ------
        ParameterError
            A conductor without skin; contacts that would stay outside the skin.
        """
        if self._reach_mm >= self.depth_mm:
            raise ParameterError(
                f"{type(self).__name__}.depth_mm",
                f"the site is {self.depth_mm:g} mm deep, but contacts reach back {self._reach_mm:g} mm",
                "give a greater depth or a shorter electrode",
            )
        probe = self.across_mm + _PROBE_MM * np.array([0.0, -0.5, 0.5])
        entry, before, after = conductor.on_skin(probe, np.full(3, self.along_mm))
        across = (after - before) / np.linalg.norm(after - before)
        frame = self._frame(across)
        return self._contacts(entry + self.depth_mm * frame[2], frame)

    def at(self, site_mm: ArrayLike) -> Electrodes:
        """The electrode with its site at a point, as if the skin faced +y.

        Parameters
        ----------
        site_mm : array-like, shape (3,)
            x, y, z. The place on the skin plays no part.

        Returns
        -------
        Electrodes
        """
        try:
            site = np.array(site_mm, dtype=float)
        except (TypeError, ValueError):
            site = np.empty(0)
        if site.shape != (3,) or not np.all(np.isfinite(site)):
            raise ParameterError(
                f"{type(self).__name__}.at", f"{shown(site_mm)} was given", "give x, y and z in mm"
            )
        return self._contacts(site, self._frame(np.array([1.0, 0.0, 0.0])))

    @property
    @abstractmethod
    def _reach_mm(self) -> float:
        """How far contacts lie from the site, along the shaft towards the skin."""

    @abstractmethod
    def _contacts(self, site: FloatArray, frame: FloatArray) -> Electrodes:
        """Contacts for a site and a frame, whose rows are the face, the side, and the way to the tip."""

    def _frame(self, across: FloatArray) -> FloatArray:
        along = np.array([0.0, 0.0, 1.0])
        out = np.cross(along, across)
        a, b = np.radians(self.tilt_along_deg), np.radians(self.tilt_across_deg)
        tip = np.sin(a) * along + np.cos(a) * (np.sin(b) * across - np.cos(b) * out)
        # Derivatives of the way to the tip by the two angles: at right angles to it and to each other.
        face = np.cos(b) * across + np.sin(b) * out
        side = np.cos(a) * along - np.sin(a) * (np.sin(b) * across - np.cos(b) * out)
        c, s = np.cos(np.radians(self.spin_deg)), np.sin(np.radians(self.spin_deg))
        return np.array([c * face + s * side, c * side - s * face, tip])


@final
@dataclass(frozen=True, kw_only=True)
class FineWire(IntramuscularElectrode):
    """A pair of insulated wires with bare tips, one channel: the deeper minus the shallower.

    The site is the tip of the deeper wire. Potentials are averaged over 16 points on the axis of each
    bare length. At a distance of twice the wire's diameter from it the mean of 1/distance is within 5 %,
    at four times within 1 % (1 mm bare, 50 um thick); a bare length much longer than 1 mm needs fibres
    farther away.

    Parameters
    ----------
    bare_mm : float
        Length without insulation. 0: a wire cut straight, of which only the cross-section is bare.
    spacing_mm : float
        Distance of the two tips along the shaft.
    diameter_um : float
        Of the bare wire. It matters to the potential of a wire that is cut straight only: the mean over
        a thin cylinder is that on its axis.
    derivation : str
        ``"bipolar"`` or ``"monopolar"`` (two channels).

    References
    ----------
    Basmajian, Stecko (1962), J Appl Physiol 17:849. Branched wires of 50 um with 0.7-1 mm bare:
    Enoka, Robinson, Kossev (1988), Exp Neurol 99:761.
    """

    bare_mm: float = number(1.0, at_least=0.0, at_most=100.0, help="length without insulation")
    spacing_mm: float = number(2.0, above=0.0, at_most=1e3, help="distance of the tips")
    diameter_um: float = number(50.0, above=0.0, at_most=1e4, help="diameter of the wire")
    derivation: str = choice("bipolar", ("bipolar", "monopolar"), help="which channels")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bare_mm >= self.spacing_mm:
            raise ParameterError(
                "FineWire.bare_mm",
                f"{self.bare_mm:g} mm bare at a spacing of {self.spacing_mm:g} mm: the wires would touch",
                "give a shorter bare length or a larger spacing",
            )

    @property
    def _reach_mm(self) -> float:
        return self.spacing_mm + self.bare_mm

    def _contacts(self, site: FloatArray, frame: FloatArray) -> Electrodes:
        if self.bare_mm > 0:
            points, weights = np.polynomial.legendre.leggauss(_WIRE_NODES)
            local = np.outer(points * self.bare_mm / 2, [0.0, 0.0, 1.0])
            cloud = ContactCloud(offset_mm=local @ frame, weight=weights / 2)
        else:
            cloud = _ellipse(self.diameter_um / 2000, self.diameter_um / 2000, frame[0], frame[1])
        middle = site - frame[2] * self.bare_mm / 2
        electrodes = Electrodes(
            np.array([middle, middle - frame[2] * self.spacing_mm]),
            cloud,
            names=("W1", "W2"),
            intramuscular=True,
            place=np.array([[0, 0], [1, 0]]),
            pitch_mm=self.spacing_mm,
        )
        return electrodes.derived([[1.0, -1.0]], ("W1-W2",)) if self.derivation == "bipolar" else electrodes


@final
@dataclass(frozen=True, kw_only=True)
class ConcentricNeedle(IntramuscularElectrode):
    """A needle with an elliptic core in its bevel, against its bare shaft (the cannula).

    The site is the centre of the core, whose surface looks towards the face and, by the bevel's angle,
    towards the tip. The defaults are those of the standard needle: a core of 0.15 mm cut at 15 degrees,
    an ellipse of 0.15 x 0.58 mm and 0.07 mm2, in a shaft of 0.46 mm.

    The core is averaged over 16 points (1/distance: within 1 % from 0.1 mm off its surface), the cannula
    over 24 points on its axis, denser towards the tip. In an isotropic medium the mean of 1/distance over
    a cannula of 15 mm is within 4 % from 0.1 mm off its surface and within 1 % from 0.3 mm.

    Parameters
    ----------
    core_um : float
        Diameter of the core's wire.
    cannula_um : float
        Outer diameter of the shaft.
    bevel_deg : float
        Angle of the bevel with the shaft.
    cannula_mm : float, optional
        Length of the shaft within the tissue, from the site; as deep as the site where it is not given.
    derivation : str
        ``"concentric"`` (core minus cannula), ``"core"`` or ``"cannula"`` (each against a remote
        reference).

    References
    ----------
    Nandedkar, Sanders, Stalberg, Andreassen (1988), Muscle Nerve 11:151. Stalberg et al. (2019), Clin
    Neurophysiol 130:1688 (standards of needle EMG).
    """

    core_um: float = number(150.0, above=0.0, at_most=1e4, help="diameter of the core")
    cannula_um: float = number(460.0, above=0.0, at_most=1e4, help="diameter of the shaft")
    bevel_deg: float = number(15.0, at_least=1.0, at_most=90.0, help="angle of the bevel with the shaft")
    cannula_mm: float | None = number(
        None, above=0.0, at_most=1e3, optional=True, help="length of the shaft in the tissue"
    )
    derivation: str = choice("concentric", ("concentric", "core", "cannula"), help="which channel")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.core_um >= self.cannula_um:
            raise ParameterError(
                "ConcentricNeedle.core_um",
                f"a core of {self.core_um:g} um in a shaft of {self.cannula_um:g} um",
                "give a thinner core or a thicker shaft",
            )
        if self.cannula_mm is not None and self.cannula_mm > self.depth_mm:
            raise ParameterError(
                "ConcentricNeedle.cannula_mm",
                f"{self.cannula_mm:g} mm within the tissue, of a site {self.depth_mm:g} mm deep",
                "give at most the depth",
            )

    @property
    def core_area_mm2(self) -> float:
        """Area of the core's surface."""
        return float(np.pi / 4 * (self.core_um / 1000) ** 2 / np.sin(np.radians(self.bevel_deg)))

    @property
    def _reach_mm(self) -> float:
        return 0.0

    def _contacts(self, site: FloatArray, frame: FloatArray) -> Electrodes:
        face, side, tip = frame
        bevel = np.radians(self.bevel_deg)
        major = np.cos(bevel) * tip - np.sin(bevel) * face
        half = self.core_um / 2000
        core = _ellipse(half / np.sin(bevel), half, major, side)
        # Denser towards the tip, where fibres that the core senses are near.
        points, weights = np.polynomial.legendre.leggauss(_CANNULA_NODES)
        length = self.depth_mm if self.cannula_mm is None else self.cannula_mm
        back, weights = length * ((points + 1) / 2) ** 2, weights * (points + 1) / 2
        middle = length / 2
        shaft = ContactCloud(offset_mm=np.outer(middle - back, tip), weight=weights / weights.sum())
        electrodes = Electrodes(
            np.array([site, site - middle * tip]),
            (core, shaft),
            names=("CORE", "CANNULA"),
            intramuscular=True,
        )
        row, name = {
            "concentric": ([1.0, -1.0], "CORE-CANNULA"),
            "core": ([1.0, 0.0], "CORE"),
            "cannula": ([0.0, 1.0], "CANNULA"),
        }[self.derivation]
        return electrodes.derived([row], (name,))


@final
@dataclass(frozen=True, kw_only=True)
class ThinFilmArray(IntramuscularElectrode):
    """Many small contacts on the face of a thin, flat shaft.

    The site is the deepest contact (in the middle of the columns); rows follow one another from there
    towards the skin, columns lie beside one another. Each contact is averaged over 8 points (1/distance:
    within 1 % from 50 um off a contact of the default size).

    Parameters
    ----------
    rows, columns : int
        Number of contacts along the shaft and beside one another.
    pitch_mm : float
        Distance of the rows.
    column_pitch_mm : float, optional
        Distance of the columns; as that of the rows where it is not given.
    length_um, width_um : float
        Size of a contact along the shaft and across it.
    derivation : str
        ``"monopolar"``, ``"bipolar"`` (neighbours along the shaft) or another filter of grids, see
        `SurfaceGrid`.

    References
    ----------
    Muceli et al. (2022), Sci Adv 8:eabo5040: 40 contacts of 140 x 40 um at 0.5 mm. Muceli et al. (2015),
    J Physiol 593:3789: 16 contacts at 1 mm.
    """

    rows: int = count(40, help="contacts along the shaft")
    columns: int = count(1, help="contacts beside one another")
    depth_mm: float = number(25.0, above=0.0, at_most=1e3, help="from the skin to the deepest contact")
    pitch_mm: float = number(0.5, above=0.0, at_most=1e3, help="distance of rows")
    column_pitch_mm: float | None = number(
        None, above=0.0, at_most=1e3, optional=True, help="distance of columns"
    )
    length_um: float = number(140.0, above=0.0, at_most=1e5, help="size of a contact along the shaft")
    width_um: float = number(40.0, above=0.0, at_most=1e5, help="size of a contact across the shaft")
    derivation: str = choice("monopolar", tuple(FILTERS), help="which channels")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rows * self.columns > _MOST:
            raise ParameterError(
                "ThinFilmArray.rows",
                f"{self.rows} x {self.columns} contacts",
                f"give at most {_MOST} in all",
            )
        for name, size, pitch, many in (
            ("length_um", self.length_um, self.pitch_mm, self.rows > 1),
            ("width_um", self.width_um, self._column_pitch, self.columns > 1),
        ):
            if many and size >= 1000 * pitch:
                raise ParameterError(
                    f"ThinFilmArray.{name}",
                    f"contacts of {size:g} um overlap at a pitch of {pitch:g} mm",
                    "give smaller contacts or a larger pitch",
                )

    @property
    def n_contacts(self) -> int:
        """Number of contacts."""
        return self.rows * self.columns

    @property
    def _column_pitch(self) -> float:
        return self.pitch_mm if self.column_pitch_mm is None else self.column_pitch_mm

    @property
    def _reach_mm(self) -> float:
        return (self.rows - 1) * self.pitch_mm

    def _contacts(self, site: FloatArray, frame: FloatArray) -> Electrodes:
        _, side, tip = frame
        row, column = np.divmod(np.arange(self.n_contacts), self.columns)
        beside = (column - (self.columns - 1) / 2) * self._column_pitch
        position = site - np.outer(row * self.pitch_mm, tip) + np.outer(beside, side)
        electrodes = Electrodes(
            position,
            _rectangle(self.length_um / 1000, self.width_um / 1000, tip, side),
            intramuscular=True,
            place=np.stack([row, column], axis=1),
            pitch_mm=self.pitch_mm,
        )
        return FILTERS[self.derivation](FILTERS["monopolar"](electrodes))


def _ellipse(a: float, b: float, major: FloatArray, minor: FloatArray) -> ContactCloud:
    """Mean over an ellipse of half axes a and b: Gauss-Chebyshev points along, two Gauss points across."""
    angle = np.arange(1, _CORE_NODES + 1) * np.pi / (_CORE_NODES + 1)
    u, v = np.cos(angle), np.sin(angle) / np.sqrt(3.0)
    offsets = np.outer(np.repeat(a * u, 2), major) + np.outer(np.ravel([b * v, -b * v], "F"), minor)
    weights = np.repeat(np.sin(angle) ** 2 / (_CORE_NODES + 1), 2)
    return ContactCloud(offset_mm=offsets, weight=weights)


def _rectangle(length: float, width: float, along: FloatArray, beside: FloatArray) -> ContactCloud:
    """Mean over a rectangle: four by two Gauss points."""
    x, wx = np.polynomial.legendre.leggauss(4)
    y, wy = np.polynomial.legendre.leggauss(2)
    offsets = np.outer(np.repeat(x, 2) * length / 2, along) + np.outer(np.tile(y, 4) * width / 2, beside)
    return ContactCloud(offset_mm=offsets, weight=np.outer(wx, wy).ravel() / 4)


_MOST = 4096
