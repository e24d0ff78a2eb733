"""Preset: flexor digitorum superficialis."""

from __future__ import annotations

from .._anatomy._muscle import Muscle
from .._anatomy._sections import Ellipse
from .._conductors._cylinder import LayeredCylinder
from .._conductors._infinite import InfiniteMedium
from ._anatomy import Anatomy, packed_per_mm2, skin_S_per_m

_FOREARM_MM = 39.0
_BONES_MM = 9.0
_HALF_WIDTH_MM, _HALF_HEIGHT_MM = 15.0, 6.0
_COVER_MM = 6.0
_DIAMETER_UM = 52.0


def flexor_digitorum_superficialis(
    skin: str = "prepared", *, fat_mm: float = 3.0, skin_mm: float = 1.3
) -> Anatomy:
    """Flexor digitorum superficialis: the second layer of the forearm, below the flexors of the wrist.

    Its compartments for the digits are one bundle here. The muscles above it conduct alike and are at
    rest; radius and ulna are one bone of their area on the axis.

    Parameters
    ----------
    skin : str
        ``"prepared"`` or ``"dry"``.
    fat_mm, skin_mm : float
        Thickness over the muscles.

    References
    ----------
    Ma, Mendez Guerra, Caillet et al. (2024), PLoS Comput Biol 20:e1012257, and its code, which has 158 to 217
    motor units and 40,000 to 140,000 fibres for a muscle of the forearm. Birkbeck, Heskamp, Schofield,
    Blamire, Whittaker (2020), Clin Neurophysiol 131:1399: areas of units. Krackowizer, Brenner (2008),
    Phlebologie 37:83: skin. Pereira Botelho, Curran, Lowery (2019), PLoS Comput Biol 15:e1007267:
    conductivities.
    """
    section = Ellipse(_HALF_WIDTH_MM, _HALF_HEIGHT_MM, y_mm=_FOREARM_MM - _COVER_MM - _HALF_HEIGHT_MM)
    return Anatomy(
        name="flexor digitorum superficialis",
        muscle=Muscle(
            section,
            fibre_density_per_mm2=packed_per_mm2(_DIAMETER_UM),
            diameter_um=_DIAMETER_UM,
            largest_diameter_um=85.0,
            lower_tendon_mm=-32.0,
            upper_tendon_mm=32.0,
            endplate_spread=1.5,
            largest_territory=0.5,
            velocity="fibre",
            velocity_m_per_s=4.1,
            velocity_sd_m_per_s=0.3,
        ),
        conductor=LayeredCylinder(
            bone_mm=_BONES_MM,
            muscle_mm=_FOREARM_MM,
            fat_mm=fat_mm,
            skin_mm=skin_mm,
            skin_S_per_m=skin_S_per_m("flexor_digitorum_superficialis", skin),
        ),
        medium=InfiniteMedium(radial_S_per_m=0.09, axial_S_per_m=0.4),
        units=300,
        ratio=30.0,
        sources={
            "units": "300 chosen; 158 for the part of the index finger (Ma et al. 2024)",
            "ratio": "chosen",
            "fibres": "chosen: those of the diameter that fill 80 % of the section, 89,000; see "
            "Ma et al. (2024)",
            "diameter": "52 um chosen",
            "section, forearm, bones": "30 x 12 mm (283 mm2) 6 mm below the fascia, radii of 39 mm "
            "below the fat and 9 mm, chosen",
            "length": "64 mm chosen",
            "endplates": "1.5 times the default spread, chosen",
            "velocity": "4.1 +- 0.3 m/s chosen",
            "territory": "chosen; see Birkbeck et al. (2020): 26.7 +- 11.2 mm2 for units of leg muscles",
            "fat": "3 mm chosen",
            "skin": "chosen within 0.79 to 1.48 mm (Krackowizer, Brenner 2008)",
            "conductivities": "Pereira Botelho et al. (2019); bone chosen; prepared skin chosen, see SKINS",
        },
    )
