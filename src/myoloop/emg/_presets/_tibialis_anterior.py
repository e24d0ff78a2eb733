"""Preset: tibialis anterior."""

from __future__ import annotations

from .._anatomy._muscle import Muscle
from .._anatomy._sections import Ellipse
from .._conductors._cylinder import LayeredCylinder
from .._conductors._infinite import InfiniteMedium
from ._anatomy import Anatomy, packed_per_mm2, skin_S_per_m

_LEG_MM = 46.0
_HALF_WIDTH_MM, _HALF_HEIGHT_MM = 19.0, 15.0
_FASCIA_MM = 0.5
_DIAMETER_UM = 57.0


def tibialis_anterior(skin: str = "prepared", *, fat_mm: float = 3.0, skin_mm: float = 1.2) -> Anatomy:
    """Tibialis anterior: a large muscle below the skin of the leg.

    Its two unipennate halves are one bundle of parallel fibres here; that fibres begin and end along much
    of the belly is left out. The tibia lies beside the muscle, which a cylinder cannot have, and an axial
    bone would be 16 mm below it: there is none.

    Parameters
    ----------
    skin : str
        ``"prepared"`` or ``"dry"``.
    fat_mm, skin_mm : float
        Thickness over the muscle.

    References
    ----------
    Andreassen, Arendt-Nielsen (1987), J Physiol 391:561: velocities. Birkbeck, Heskamp, Schofield, Blamire,
    Whittaker (2020), Clin Neurophysiol 131:1399: areas of units. Gath, Stalberg (1981), Exp Brain Res
    43:377: innervation number. Krackowizer, Brenner (2008), Phlebologie 37:83: skin. McNeil, Doherty,
    Stashuk, Rice (2005), Clin Neurophysiol 116:1342: number of units. Pereira Botelho, Curran, Lowery
    (2019), PLoS Comput Biol 15:e1007267: conductivities.
    """
    section = Ellipse(_HALF_WIDTH_MM, _HALF_HEIGHT_MM, y_mm=_LEG_MM - _FASCIA_MM - _HALF_HEIGHT_MM)
    return Anatomy(
        name="tibialis anterior",
        muscle=Muscle(
            section,
            fibre_density_per_mm2=packed_per_mm2(_DIAMETER_UM),
            diameter_um=_DIAMETER_UM,
            largest_diameter_um=90.0,
            lower_tendon_mm=-34.0,
            upper_tendon_mm=34.0,
            tendon_sd_mm=2.0,
            endplate_spread=2.0,
            velocity="fibre",
            velocity_m_per_s=3.7,
            velocity_sd_m_per_s=0.5,
            velocity_size_correlation=0.87,
        ),
        conductor=LayeredCylinder(
            muscle_mm=_LEG_MM,
            fat_mm=fat_mm,
            skin_mm=skin_mm,
            skin_S_per_m=skin_S_per_m("tibialis_anterior", skin),
        ),
        medium=InfiniteMedium(radial_S_per_m=0.09, axial_S_per_m=0.4),
        units=445,
        ratio=30.0,
        sources={
            "units": "445 chosen, the anatomical count usual in the field; estimates in life go from 91 to "
            "226 (McNeil et al. 2005)",
            "ratio": "chosen",
            "fibres": "chosen: those of the diameter that fill 80 % of the section, 527 a unit; 329 were "
            "estimated in situ (Gath, Stalberg 1981)",
            "diameter": "57 um chosen",
            "section, leg": "38 x 30 mm (895 mm2) and a radius of 46 mm below the fat, chosen",
            "length": "68 mm chosen",
            "endplates": "twice the default spread, chosen for a pennate muscle",
            "velocity": "Andreassen, Arendt-Nielsen (1987): 2.6 to 5.3 m/s, mean 3.7, r = 0.87 with twitch "
            "torque; SD chosen within that range",
            "territory": "default; see Birkbeck et al. (2020): 26.7 +- 11.2 mm2 for units of leg muscles",
            "fat": "3 mm chosen",
            "skin": "chosen within 0.79 to 1.48 mm (Krackowizer, Brenner 2008)",
            "conductivities": "Pereira Botelho et al. (2019); prepared skin chosen, see SKINS",
        },
    )
