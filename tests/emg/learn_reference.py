"""Whole-unit action potentials summed plainly, to test the differentiable form against.

Nothing is closed here: a unit's territory and endplates are points of a quadrature, each with its own
modes, solved from the boundary conditions; the source is integrated along the fibre; and the amplifier
acts on a finely sampled wave.
"""

from __future__ import annotations

import numpy as np
from reference_conductors import cylinder_modes
from reference_source import SIGMA_I, psi

GAUSS = np.polynomial.legendre.leggauss(4)


def filtered_wave(velocity, low_pass_hz=500.0, step_mm=0.005, length_mm=600.0):
    """Distances behind the front and psi there in V/mm, after 1/(1 + (f/fc)^8) in time."""
    n = int(length_mm / step_mm)
    x = (np.arange(n) - n // 3) * step_mm
    frequency_hz = np.fft.rfftfreq(n, step_mm) * velocity * 1e3
    return x, np.fft.irfft(np.fft.rfft(psi(-x)) / (1 + (frequency_hz / low_pass_hz) ** 8), n)


def disc_nodes(radius, angle, spread, radial=3, around=9):
    """Radii, angles and weights of a quadrature over the disc of radius 2 `spread` about a point."""
    if spread == 0:
        return np.array([radius]), np.array([angle]), np.ones(1)
    square, weight = np.polynomial.legendre.leggauss(radial)
    turn = 2 * np.pi * np.arange(around) / around
    r, t = (a.ravel() for a in np.meshgrid(2 * spread * np.sqrt((square + 1) / 2), turn, indexing="ij"))
    x, y = radius * np.sin(angle) + r * np.sin(t), radius * np.cos(angle) + r * np.cos(t)
    return np.hypot(x, y), np.arctan2(x, y), np.repeat(weight / 2, around) / around


def normal_nodes(spread, n=13):
    """Offsets and weights of a normal distribution."""
    if spread == 0:
        return np.zeros(1), np.ones(1)
    offset, weight = np.polynomial.hermite_e.hermegauss(n)
    return spread * offset, weight / weight.sum()


def along_fibre(length, step_mm=0.5):
    """Points and weights of a Gauss rule from 0 to `length`."""
    edges = np.linspace(0, length, int(np.ceil(length / step_mm)) + 1)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half + half * GAUSS[0]).ravel(), (half * GAUSS[1]).ravel()


def unit_potential(t_ms, unit, body, contact, contacts, reach_mm, orders=40, highest=4.0):
    """Potential in uV, shape (contacts, times); `contacts` are pairs of an angle and a z.

    `unit` has the fields of UnitParameters, all numbers but `tendon_mm`.
    """
    slowest = np.sqrt(body.muscle_axial / body.muscle_radial) * body.outer_mm / 1.841
    dk = np.pi / (reach_mm + 7 * slowest)
    k = (np.arange(int(highest / dk)) + 0.5) * dk
    n = np.arange(orders)[:, None]
    radius, angle, share = disc_nodes(body.outer_mm - unit.depth_mm, unit.angle_rad, unit.spread_mm)
    modes = cylinder_modes(n, k, radius, body) * share
    modes *= (contact(n / body.outer_mm, k) * np.where(n == 0, 1, 2))[..., None]
    x, wave = filtered_wave(unit.velocity_m_per_s)
    low, high = unit.tendon_mm
    found = []
    for at_angle, z in contacts:
        spectrum = np.einsum("nks,ns->k", modes, np.cos(n * (angle - at_angle))) * k * dk / np.pi
        total = 0.0
        for offset, weight in zip(*normal_nodes(unit.endplate_spread_mm), strict=True):
            endplate = unit.innervation_zone_mm + offset
            for shift, part in zip(*normal_nodes(unit.tendon_spread_mm, 9), strict=True):
                for length, sign in ((high + shift - endplate, -1), (endplate - low - shift, 1)):
                    s, rule = along_fibre(length)
                    kernel = -np.sin(np.outer(s + sign * (z - endplate), k)) @ spectrum * rule
                    moving = np.interp(unit.velocity_m_per_s * t_ms[:, None] - s, x, wave)
                    total = total - weight * part * (moving @ kernel)
        found.append(total)
    area = unit.fibres * np.pi * (unit.diameter_um * 1e-3 / 2) ** 2
    return 1e6 * SIGMA_I * area * np.array(found)
