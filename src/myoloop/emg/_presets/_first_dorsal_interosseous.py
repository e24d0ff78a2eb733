"""Preset: first dorsal interosseous."""

from __future__ import annotations

from .._anatomy._muscle import Muscle
from .._anatomy._sections import Ellipse
from .._conductors._cylinder import LayeredCylinder
from .._conductors._infinite import InfiniteMedium
from ._anatomy import Anatomy, skin_S_per_m

_HAND_MM = 14.0
_HALF_WIDTH_MM, _HALF_HEIGHT_MM = 8.5, 5.617
_FASCIA_MM = 0.2


def first_dorsal_interosseous(
    skin: str = "prepared", *, fat_mm: float = 0.3, skin_mm: float = 1.29
) -> Anatomy:
    """First dorsal interosseous: a small muscle just below the skin of the hand.

    A flat section of the published area lies below the skin of a cylinder of muscle, which stands for the
    web of the thumb; no bone.

    Parameters
    ----------
    skin : str
        ``"prepared"`` or ``"dry"``.
    fat_mm, skin_mm : float
        Thickness over the muscle.

    References
    ----------
    Pereira Botelho, Curran, Lowery (2019), PLoS Comput Biol 15:e1007267: tissues, area.
    Ma, Mendez Guerra, Caillet et al. (2024), PLoS Comput Biol 20:e1012257: number of fibres.
    Fuglevand, Winter, Patla (1993), J Neurophysiol 70:2470: 120 units, thresholds of ratio 30. Nishizono,
    Fujimoto, Ohtake, Miyashita (1990), Electroencephalogr Clin Neurophysiol 75:75: velocities. Birkbeck,
    Heskamp, Schofield, Blamire, Whittaker (2020), Clin Neurophysiol 131:1399: areas of units.
    """
    section = Ellipse(_HALF_WIDTH_MM, _HALF_HEIGHT_MM, y_mm=_HAND_MM - _FASCIA_MM - _HALF_HEIGHT_MM)
    return Anatomy(
        name="first dorsal interosseous",
        muscle=Muscle(
            section,
            n_fibres=40_500,
            diameter_um=50.0,
            lower_tendon_mm=-16.0,
            upper_tendon_mm=16.0,
            largest_territory=1.0,
            velocity="fibre",
            velocity_m_per_s=4.2,
            velocity_sd_m_per_s=0.4,
            velocity_size_correlation=0.71,
        ),
        conductor=LayeredCylinder(
            muscle_mm=_HAND_MM,
            fat_mm=fat_mm,
            skin_mm=skin_mm,
            skin_S_per_m=skin_S_per_m("first_dorsal_interosseous", skin),
        ),
        medium=InfiniteMedium(radial_S_per_m=0.09, axial_S_per_m=0.4),
        units=120,
        ratio=30.0,
        sources={
            "units, ratio": "Fuglevand et al. (1993)",
            "fibres": "40,500, in cadavers (quoted in the code of Ma et al. 2024, PLoS Comput Biol "
            "20:e1012257): 270 per mm2 here, 338 a unit",
            "section": "area of Pereira Botelho et al. (2019), its shape chosen",
            "diameter": "50 um chosen",
            "endplates": "default spread, chosen",
            "hand": "radius of 14 mm chosen",
            "length": "32 mm chosen; fascicles are shorter than the belly (Infantolino et al. "
            "2012, Anat Rec)",
            "velocity": "Nishizono et al. (1990): 3.2 to 5.0 m/s, mean 4.2, r = 0.71 with twitch force; SD "
            "from that range",
            "territory": "chosen: as wide as the muscle for the largest unit, so that its fibres mix with "
            "those of many; units of leg muscles have 26.7 +- 11.2 mm2 (Birkbeck et al. 2020)",
            "fat, skin, conductivities": "Pereira Botelho et al. (2019)",
            "prepared skin": "chosen, see SKINS",
        },
    )
