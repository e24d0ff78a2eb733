"""Preset: extensor digitorum."""

from __future__ import annotations

from .._anatomy._muscle import Muscle
from .._anatomy._sections import Ellipse
from .._conductors._cylinder import LayeredCylinder
from .._conductors._infinite import InfiniteMedium
from ._anatomy import Anatomy, packed_per_mm2, skin_S_per_m

_FOREARM_MM = 39.0
_BONES_MM = 9.0
_HALF_WIDTH_MM, _HALF_HEIGHT_MM = 10.0, 6.0
_COVER_MM = 0.5
_DIAMETER_UM = 52.0


def extensor_digitorum(skin: str = "prepared", *, fat_mm: float = 3.0, skin_mm: float = 1.3) -> Anatomy:
    """Extensor digitorum: a narrow muscle of the forearm, directly below the fascia.

    Its compartments for the digits are one bundle here. Radius and ulna are one bone of their area on the
    axis.

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
        name="extensor digitorum",
        muscle=Muscle(
            section,
            fibre_density_per_mm2=packed_per_mm2(_DIAMETER_UM),
            diameter_um=_DIAMETER_UM,
            largest_diameter_um=85.0,
            lower_tendon_mm=-29.0,
            upper_tendon_mm=29.0,
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
            skin_S_per_m=skin_S_per_m("extensor_digitorum", skin),
        ),
        medium=InfiniteMedium(radial_S_per_m=0.09, axial_S_per_m=0.4),
        units=186,
        ratio=30.0,
        sources={
            "units": "Ma et al. (2024)",
            "ratio": "chosen",
            "fibres": "chosen: those of the diameter that fill 80 % of the section, 59,000; see "
            "Ma et al. (2024)",
            "diameter": "52 um chosen",
            "section, forearm, bones": "20 x 12 mm (188 mm2), radii of 39 mm below the fat and 9 mm, chosen",
            "length": "58 mm chosen",
            "endplates": "1.5 times the default spread, chosen",
            "velocity": "4.1 +- 0.3 m/s chosen",
            "territory": "chosen; see Birkbeck et al. (2020): 26.7 +- 11.2 mm2 for units of leg muscles",
            "fat": "3 mm chosen",
            "skin": "chosen within 0.79 to 1.48 mm (Krackowizer, Brenner 2008)",
            "conductivities": "Pereira Botelho et al. (2019); bone chosen; prepared skin chosen, see SKINS",
        },
    )
