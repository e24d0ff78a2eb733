"""The forward model of EMG, solved slowly and plainly, to test the fast engine against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from reference_conductors import (
    Cylinder,
    Planar,
    cylinder_kernel,
    cylinder_kernel_derivative,
    cylinder_modes,
    disc,
    infinite_kernel,
    infinite_kernel_derivative,
    planar_kernel,
    planar_kernel_derivative,
    planar_modes,
    point,
)
from reference_source import (
    branch_nodes,
    psi,
    single_fibre_potential,
    single_fibre_potential_by_parts,
    source_current,
)

__all__ = [
    "ARM",
    "FIRST_DORSAL_INTEROSSEOUS",
    "GOLDEN",
    "GOLDEN_CONTACTS",
    "GOLDEN_CYLINDERS",
    "GOLDEN_LAYERS",
    "GOLDEN_Y_MM",
    "LAYERS",
    "Cylinder",
    "Planar",
    "branch_nodes",
    "cylinder_kernel",
    "cylinder_kernel_derivative",
    "cylinder_modes",
    "disc",
    "golden",
    "infinite_kernel",
    "infinite_kernel_derivative",
    "planar_kernel",
    "planar_kernel_derivative",
    "planar_modes",
    "point",
    "psi",
    "single_fibre_potential",
    "single_fibre_potential_by_parts",
    "source_current",
]

FIRST_DORSAL_INTEROSSEOUS = Cylinder(6.91, 0.09, 0.4, ((7.21, 0.0407), (8.5, 4.88e-4)))
ARM = Cylinder(45.0, 0.09, 0.4, ((49.0, 0.0407), (50.5, 1.0)), bone_mm=10.0, bone=0.02)
LAYERS = Planar(0.09, 0.4, ((3.0, 0.0407), (1.0, 1.0)))

# Golden numbers: r(y) in V/A/mm at these distances, for a point and for a disc of 1 mm radius.
GOLDEN = Path(__file__).with_name("golden_kernels.npz")
GOLDEN_Y_MM = np.linspace(0, 60, 121)
GOLDEN_CONTACTS = {"point": point, "disc": disc(1.0)}
GOLDEN_CYLINDERS = {  # body, radii of the source in mm, angles in rad
    "first_dorsal_interosseous": (FIRST_DORSAL_INTEROSSEOUS, (6.5, 5.0, 2.0), (0.0, 0.3, 1.0, np.pi)),
    "arm": (ARM, (44.0, 38.0, 20.0), (0.0, 0.1, 0.5, np.pi)),
}
GOLDEN_LAYERS = {"layers": (LAYERS, (0.5, 3.0, 10.0), (0.0, 4.0, 15.0))}  # depths and lateral offsets in mm


def golden():
    """Golden numbers and the relative errors that halving all panels shows, by name.

    `NAME_CONTACT` has shape (radii, angles, y) or (depths, offsets, y).
    """
    found = {}
    for contact, transform in GOLDEN_CONTACTS.items():
        for name, (body, radii, angles) in GOLDEN_CYLINDERS.items():
            pair = cylinder_kernel_derivative(GOLDEN_Y_MM, radii, angles, body, transform)
            found[f"{name}_{contact}"], found[f"{name}_{contact}_error"] = pair
        for name, (body, depths, offsets) in GOLDEN_LAYERS.items():
            pairs = [planar_kernel_derivative(GOLDEN_Y_MM, d, offsets, body, transform) for d in depths]
            found[f"{name}_{contact}"], found[f"{name}_{contact}_error"] = map(
                np.array, zip(*pairs, strict=True)
            )
    return found


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, **golden())
