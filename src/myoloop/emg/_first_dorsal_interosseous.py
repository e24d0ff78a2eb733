"""Preset: first dorsal interosseous."""

from __future__ import annotations

from ..errors import UnknownNameError
from ._anatomy import SKINS, Anatomy
from ._cylinder import LayeredCylinder
from ._muscle import Muscle
from ._sections import Circle


def first_dorsal_interosseous(skin: str = "prepared") -> Anatomy:
    """First dorsal interosseous: a small muscle just below the skin of the hand.

    The published geometry: a cylinder that is all muscle under .3 mm of fat and 1.29 mm of skin.

    Parameters
    ----------
    skin : str
        ``"prepared"`` or ``"dry"``.

    References
    ----------
    Pereira Botelho, Curran, Lowery (2019), PLoS Comput Biol 15:e1007267: tissues. Feinstein, Lindegard,
    Nyman, Wohlfart (1955), Acta Anat 23:127: motor units.
    """
    if skin not in SKINS:
        raise UnknownNameError("first_dorsal_interosseous.skin", skin, SKINS)
    return Anatomy(
        name="first dorsal interosseous",
        muscle=Muscle(Circle(6.91), lower_tendon_mm=-16.0, upper_tendon_mm=16.0),
        conductor=LayeredCylinder(muscle_mm=6.91, fat_mm=0.3, skin_mm=1.29, skin_S_per_m=SKINS[skin]),
        units=120,
        ratio=30.0,
        sources={"units": "Feinstein et al. (1955)", "tissues": "Pereira Botelho et al. (2019)"},
    )
