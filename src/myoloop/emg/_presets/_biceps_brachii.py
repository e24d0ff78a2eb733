"""Preset: biceps brachii."""

from __future__ import annotations

from .._anatomy._muscle import Muscle
from .._anatomy._sections import Ellipse
from .._conductors._cylinder import LayeredCylinder
from .._conductors._infinite import InfiniteMedium
from ._anatomy import Anatomy, packed_per_mm2, skin_S_per_m

_ARM_MM = 45.0
_HUMERUS_MM = 11.0
_HALF_WIDTH_MM, _HALF_HEIGHT_MM = 22.5, 15.0
_FASCIA_MM = 0.5
_DIAMETER_UM = 62.0


def biceps_brachii(skin: str = "prepared", *, fat_mm: float = 3.0, skin_mm: float = 1.3) -> Anatomy:
    """Biceps brachii: a large muscle of long fibres below the skin of the arm, the humerus on the axis.

    Both heads are one bundle of parallel fibres with one innervation zone across it. The muscle around
    it (brachialis, triceps) conducts alike and is at rest.

    Parameters
    ----------
    skin : str
        ``"prepared"`` or ``"dry"``.
    fat_mm, skin_mm : float
        Thickness over the muscle.

    References
    ----------
    Birkbeck, Heskamp, Schofield, Blamire, Whittaker (2020), Clin Neurophysiol 131:1399: areas of units.
    Gath, Stalberg (1981), Exp Brain Res 43:377: innervation number. Krackowizer, Brenner (2008),
    Phlebologie 37:83: skin. Pereira Botelho, Curran, Lowery (2019), PLoS Comput Biol 15:e1007267:
    conductivities.
    """
    section = Ellipse(_HALF_WIDTH_MM, _HALF_HEIGHT_MM, y_mm=_ARM_MM - _FASCIA_MM - _HALF_HEIGHT_MM)
    return Anatomy(
        name="biceps brachii",
        muscle=Muscle(
            section,
            fibre_density_per_mm2=packed_per_mm2(_DIAMETER_UM),
            diameter_um=_DIAMETER_UM,
            largest_diameter_um=100.0,
            lower_tendon_mm=-62.0,
            upper_tendon_mm=62.0,
            tendon_sd_mm=2.0,
            endplate_spread=1.5,
            velocity="fibre",
            velocity_m_per_s=4.2,
            velocity_sd_m_per_s=0.3,
        ),
        conductor=LayeredCylinder(
            bone_mm=_HUMERUS_MM,
            muscle_mm=_ARM_MM,
            fat_mm=fat_mm,
            skin_mm=skin_mm,
            skin_S_per_m=skin_S_per_m("biceps_brachii", skin),
        ),
        medium=InfiniteMedium(radial_S_per_m=0.09, axial_S_per_m=0.4),
        units=774,
        ratio=30.0,
        sources={
            "units": "774 chosen, the anatomical count usual in the field",
            "ratio": "chosen",
            "fibres": "chosen: those of the diameter that fill 80 % of the section, 303 a unit; 209 were "
            "estimated in situ (Gath, Stalberg 1981)",
            "diameter": "62 um chosen",
            "section, arm, humerus": "45 x 30 mm (1060 mm2), radii of 45 mm below the fat and 11 mm, chosen",
            "length": "124 mm chosen",
            "endplates": "1.5 times the default spread, chosen",
            "velocity": "4.2 +- 0.3 m/s chosen",
            "territory": "default; see Birkbeck et al. (2020): 26.7 +- 11.2 mm2 for units of leg muscles",
            "fat": "3 mm chosen",
            "skin": "chosen within 0.79 to 1.48 mm (Krackowizer, Brenner 2008)",
            "conductivities": "Pereira Botelho et al. (2019); bone chosen; prepared skin chosen, see SKINS",
        },
    )
