"""What the differentiable form of the forward model keeps of a conductor, electrodes and a clock.

Everything here is computed once, in double precision, and does not depend on the motor units.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data import Contact, Electrodes
from .._conductors._cylinder import LayeredCylinder
from .._conductors._table import Frequencies
from .._potentials._amplifier import Amplifier
from .._potentials._source import Rosenfalck

FloatArray = NDArray[np.float64]

# By how much (as a logarithm) signals are damped from one end of the period to the other.
_DAMPING = 2.5


class Tables(NamedTuple):
    """Arrays that the sum is made of: N orders, K spatial and M temporal frequencies, E points, T samples.

    Attributes
    ----------
    strength : float
        Amplitude of the source's spectrum in V S/m.
    length_mm : float
        Scale of length of the source.
    radius_mm, muscle_mm, origin_mm : float
        Radius of the skin and of the muscle; z that phases are counted from.
    order : ndarray, shape (N,)
    k, stretched : ndarray, shape (K,)
        Spatial frequencies along the fibres in rad/mm; the same as they act across the muscle.
    knot_mm, knot_step_mm : ndarray of shape (knots,), float
        Radii of the cubic B-splines.
    spline : ndarray, shape (knots, N * K)
        Their weights; the sum is ln[u(R)/u(a)] - n ln(R/a).
    weight : tuple of ndarray, shape (N, K)
        What a mode at the muscle's surface gives a contact, for each shape of contact.
    angle : tuple of ndarray, shape (E_i,)
        Angles of the contacts of each shape.
    wave : ndarray, shape (2, E, K)
        cos(k z) and sin(k z) of the contacts, in the order of `angle`.
    damping : float
        Imaginary part of the temporal frequencies, per ms.
    frequency : ndarray, shape (M,)
        Real part, in rad/ms.
    synthesis : ndarray, shape (2 M, T)
        Samples of the real and of the imaginary part of each temporal frequency, low-passed.
    derivation : ndarray, shape (channels, E)
    """

    strength: Any
    length_mm: Any
    radius_mm: Any
    muscle_mm: Any
    origin_mm: Any
    order: Any
    k: Any
    stretched: Any
    knot_mm: Any
    knot_step_mm: Any
    spline: Any
    weight: tuple[Any, ...]
    angle: tuple[Any, ...]
    wave: Any
    damping: Any
    frequency: Any
    synthesis: Any
    derivation: Any


class Clock(NamedTuple):
    """Samples of the action potentials: their number, rate, and the first one's time after the discharge."""

    samples: int
    rate_hz: float
    start_s: float


def tables(
    body: LayeredCylinder,
    electrodes: Electrodes,
    shape: Rosenfalck,
    amplifier: Amplifier,
    clock: Clock,
    grid: Frequencies,
    tolerance: float,
) -> Tables:
    """Everything fixed, on grids that err by about `tolerance`."""
    surface, inner = body._surface(grid)
    knots, step, spline = _radial(body, grid, inner, tolerance)
    shapes, points, angle, matrix = _points(body, electrodes)
    origin = float(electrodes.position_mm[:, 2].mean())
    n = np.arange(grid.orders + 1.0)[:, None]
    common = surface * grid.k * np.where(n == 0, 1.0, 2.0) * (grid.dk / (2.0 * np.pi**2) * 1e3)
    phase = np.outer(points[:, 2] - origin, grid.k)
    damping, frequency, synthesis = _temporal(clock, amplifier, tolerance)
    return Tables(
        -6e-3 * shape.amplitude_mV * shape.intracellular_S_per_m,
        shape.length_mm,
        body.radius_mm,
        body.muscle_mm,
        origin,
        n[:, 0],
        grid.k,
        body.stretch * grid.k,
        knots,
        step,
        spline,
        tuple(common * shape.transform(n / body.radius_mm, grid.k) for shape in shapes),
        angle,
        np.stack([np.cos(phase), np.sin(phase)]),
        damping,
        frequency,
        synthesis,
        matrix,
    )


def frequencies(body: LayeredCylinder, reach_mm: float, tolerance: float) -> Frequencies:
    """Spatial frequencies: those left out, and the images of the sum, matter by about `tolerance`."""
    digits = -np.log(tolerance)
    slowest = body.stretch * body.radius_mm / 1.841
    orders = int(np.ceil(digits / -np.log1p(-body.cover_mm / body.radius_mm)))
    return Frequencies.reaching(
        reach_mm + 0.5 * digits * slowest, digits / body.cover_mm, orders, "LayeredCylinder.fat_mm, skin_mm"
    )


def _radial(
    body: LayeredCylinder, grid: Frequencies, inner: Any, tolerance: float
) -> tuple[FloatArray, float, FloatArray]:
    """Knots, their distance, and the weights of cubic B-splines for ln[u(R)/u(a)] - n ln(R/a)."""
    pieces = int(np.ceil(8.0 * tolerance**-0.25))
    step = (body.muscle_mm - body.bone_mm) / pieces
    knots = body.bone_mm + step * np.arange(-1.0, pieces + 2)
    # Collocation: at the nodes, and half-way in the first and the last piece.
    at = np.concatenate([knots[1:-1], knots[1:2] + step / 2, knots[-2:-1] - step / 2])
    at = np.maximum(at, 1e-3)
    n = np.arange(grid.orders + 1.0)[:, None]
    wanted = np.array([inner(radius) - n * np.log(radius / body.muscle_mm) for radius in at])
    distance = np.abs(at[:, None] - knots) / step
    basis = (np.maximum(2 - distance, 0) ** 3 - 4 * np.maximum(1 - distance, 0) ** 3) / 6
    return knots, step, np.linalg.solve(basis, wanted.reshape(len(at), -1))


def _points(
    body: LayeredCylinder, electrodes: Electrodes
) -> tuple[list[Contact], FloatArray, tuple[FloatArray, ...], FloatArray]:
    """Shapes, places on the skin in the order of the shapes, their angles, and the matrix to the channels."""
    places: dict[Contact, list[FloatArray]] = {}
    weights: dict[Contact, list[FloatArray]] = {}
    for contact, place, column in zip(
        electrodes.shapes, electrodes.position_mm, electrodes.matrix.T, strict=True
    ):
        shape, offsets, share = contact.parts()
        arc = body.across_mm(place[:1], place[1:2]) + offsets[:, 0]
        places.setdefault(shape, []).extend(body.on_skin(arc, place[2] + offsets[:, 2]))
        weights.setdefault(shape, []).extend(np.outer(share, column))
    shapes = list(places)
    angle = tuple(np.array([np.arctan2(p[0], p[1]) for p in places[shape]]) for shape in shapes)
    matrix = np.array([column for shape in shapes for column in weights[shape]]).T
    return shapes, np.array([p for shape in shapes for p in places[shape]]), angle, matrix


def _temporal(clock: Clock, amplifier: Amplifier, tolerance: float) -> tuple[float, FloatArray, FloatArray]:
    """Damping per ms, temporal frequencies in rad/ms, and the matrix that makes samples of a spectrum.

    The spectrum is that of the signal times exp(-damping t), so that no spatial frequency resonates with
    a temporal one exactly; the samples are multiplied by exp(damping t) again. Before the first sample
    the period has room for what the low-pass spreads to times before the discharge.
    """
    corner, power = 2e-3 * np.pi * amplifier.low_pass_hz, 2 * amplifier.order
    # Its poles decide how fast the response to an impulse fades.
    room = (3.0 - np.log(tolerance)) / (corner * np.sin(np.pi / (2 * power)))
    period = clock.samples / clock.rate_hz * 1e3 + room
    damping = _DAMPING / period
    highest = corner * (3.0 * tolerance) ** (-1 / power)
    frequency = 2 * np.pi / period * np.arange(np.ceil(highest * period / (2 * np.pi)) + 1)
    t = (clock.start_s + np.arange(clock.samples) / clock.rate_hz) * 1e3
    complex_frequency = frequency - 1j * damping
    low_pass = 1.0 / (1.0 + (complex_frequency / corner) ** power)
    share = np.where(frequency == 0, 1.0, 2.0) / period
    waves = (share * low_pass)[:, None] * np.exp(1j * np.outer(complex_frequency, t))
    return damping, frequency, np.concatenate([waves.real, -waves.imag])


def cast(fixed: Tables, dtype: Any) -> Tables:
    """The same in another precision."""

    def one(table: Any) -> Any:
        return tuple(map(one, table)) if isinstance(table, tuple) else np.asarray(table, dtype=dtype)

    return Tables(*map(one, fixed))
