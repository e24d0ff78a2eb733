"""The direct evaluation against the reference, and the fast form against it."""

import numpy as np
import pytest
from reference import infinite_kernel_derivative, single_fibre_potential_by_parts

from myoloop.data import Disc, Electrodes, PointContact, Rectangle
from myoloop.emg import (
    Amplifier,
    InfiniteMedium,
    LayeredCylinder,
    MuscleFibres,
    SurfaceGrid,
    action_potentials,
    bipolar,
)
from myoloop.emg._potentials._direct import direct_action_potentials
from myoloop.errors import ParameterError

MEDIUM = InfiniteMedium(radial_S_per_m=0.09, axial_S_per_m=0.4)
HAND = LayeredCylinder(muscle_mm=6.91, fat_mm=0.3, skin_mm=1.29, skin_S_per_m=1.0)


def fibres(unit, velocity):
    """Fibres at (0, 5), (1, 4) and (-2, 3) mm."""
    x, y = np.array([[0.0, 5.0], [1.0, 4.0], [-2.0, 3.0]]).T
    ends = np.array([[-15.0, 17.0], [-16.0, 14.0], [-14.0, 15.0]])
    diameter, endplate = np.array([40.0, 55.0, 60.0]), np.array([1.0, -2.0, 0.5])
    return MuscleFibres(x, y, diameter, np.array(unit), endplate, ends, np.array(velocity), max(unit) + 1)


def test_it_agrees_with_the_reference_in_an_infinite_medium():
    one = fibres([0, 1, 2], [4.0, 3.0, 5.0])
    contact = np.array([0.5, 4.2, 6.0])
    electrodes = Electrodes(contact[None], PointContact(), intramuscular=True)
    wide = Amplifier(low_pass_hz=8000.0)
    found = direct_action_potentials(one, MEDIUM, electrodes, 30_000.0, amplifier=wide)
    late = found.times_s > 1.2e-3  # the reference has no low-pass to round the corner at the start
    for unit in range(3):
        away = np.hypot(one.x_mm[unit] - contact[0], one.y_mm[unit] - contact[1])
        expected = single_fibre_potential_by_parts(
            1000 * found.times_s[late],
            one.velocity_m_per_s[unit],
            one.endplate_mm[unit],
            (one.tendon_mm[unit, 1] - one.endplate_mm[unit], one.endplate_mm[unit] - one.tendon_mm[unit, 0]),
            one.diameter_um[unit],
            lambda y, away=away: infinite_kernel_derivative(y, away, 0.09, 0.4),
            contact[2],
        )
        gap = found.values_uV[unit, 0, late] - expected
        assert np.linalg.norm(gap) < 1e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize("contact", [Disc(radius_mm=0.5), Rectangle(across_mm=2, along_mm=1, angle_deg=30)])
def test_the_fast_form_agrees_under_a_skin(contact):
    two = fibres([0, 1, 1], [4.0, 3.5, 3.5])
    grid = SurfaceGrid(rows=3, columns=2, pitch_mm=4.0, across_mm=1.0, along_mm=2.0, contact=contact)
    electrodes = bipolar(grid.on(HAND))
    fast = action_potentials(two, HAND, electrodes)
    direct = direct_action_potentials(two, HAND, electrodes)
    assert fast.channels == direct.channels
    assert fast.t_start_s == direct.t_start_s
    gap = np.linalg.norm(fast.values_uV - direct.values_uV, axis=(1, 2))
    assert np.all(gap < 1e-3 * np.linalg.norm(direct.values_uV, axis=(1, 2)))


def test_its_step_does_not_matter():
    two = fibres([0, 1, 1], [4.0, 3.5, 4.5])
    electrodes = SurfaceGrid(rows=2, columns=1, pitch_mm=4.0).on(HAND)
    coarse, fine = (
        direct_action_potentials(two, HAND, electrodes, cell_mm=cell).values_uV for cell in (0.5, 0.2)
    )
    assert np.abs(coarse - fine).max() < 1e-5 * np.abs(fine).max()


def test_bad_arguments():
    electrodes = SurfaceGrid(rows=2, columns=1, pitch_mm=4.0).on(HAND)
    with pytest.raises(ParameterError, match=r"^direct_action_potentials\.cell_mm: "):
        direct_action_potentials(fibres([0, 0, 0], [4.0] * 3), HAND, electrodes, cell_mm=0.0)
    with pytest.raises(ParameterError, match="on a skin"):
        direct_action_potentials(fibres([0, 0, 0], [4.0] * 3), MEDIUM, electrodes)
