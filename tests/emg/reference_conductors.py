"""Kernels of volume conductors, solved slowly and plainly, to test the fast forms against.

Lengths in mm, conductivities in S/m, g in V/A, its derivative r = dg/dy in V/A/mm. The distance y is the
contact's position along the fibre less the source's; the angle is the contact's less the source's.

Nothing here uses a closed form of the transfer function: each Fourier mode is the solution of the linear
system of its boundary conditions, and the inversion is a Gauss rule that is refined until it stands still.

References
----------
Farina, Mesin, Martina, Merletti (2004), IEEE Trans Biomed Eng 51:415: layered cylinder.
Farina, Merletti (2001), IEEE Trans Biomed Eng 48:637: planar layers.
Nandedkar, Stalberg (1983), Med Biol Eng Comput 21:158: infinite anisotropic medium.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import Polynomial
from scipy.special import erf, ive, j1, kve

S_PER_MM = 1e-3  # one S/m in S/mm
GAUSS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True)
class Cylinder:
    """Muscle out to `muscle_mm` (around a bone, if any), then isotropic `layers`: (radius, conductivity)."""

    muscle_mm: float
    muscle_radial: float
    muscle_axial: float
    layers: tuple = ()
    bone_mm: float = 0.0
    bone: float = 0.02

    @property
    def outer_mm(self):
        return self.layers[-1][0] if self.layers else self.muscle_mm

    @property
    def axial_conductance(self):
        """Integral of the axial conductivity over the cross-section, in S mm."""
        total, inner = self.muscle_axial * (self.muscle_mm**2 - self.bone_mm**2), self.muscle_mm
        for radius, sigma in self.layers:
            total, inner = total + sigma * (radius**2 - inner**2), radius
        return np.pi * S_PER_MM * (total + self.bone * self.bone_mm**2)


@dataclass(frozen=True)
class Planar:
    """Muscle below y = 0 under isotropic `layers` (thickness, conductivity), insulated on top."""

    muscle_radial: float
    muscle_axial: float
    layers: tuple = ()


def point(across, along):
    """Transform of a point contact."""
    return np.ones(np.broadcast_shapes(np.shape(across), np.shape(along)))


def disc(radius_mm):
    """Transform of a disc: the mean of exp(j k x) over it."""

    def transform(across, along):
        x = np.maximum(radius_mm * np.hypot(across, along), 1e-6)
        return 2 * j1(x) / x

    return transform


# ---- Bessel functions of any order without overflow


@cache
def _debye(terms=10):
    """Coefficients of the polynomials U_k(p) of the uniform expansions (Abramowitz & Stegun 9.3.9, 9.7.7)."""
    p = Polynomial([0, 1])
    found = [Polynomial([1.0])]
    for _ in range(terms):
        u = found[-1]
        found.append(p**2 * (1 - p**2) * u.deriv() / 2 + (u * (1 - 5 * p**2)).integ() / 8)
    return np.array([np.pad(u.coef, (0, 3 * terms + 1 - len(u.coef))) for u in found])


def log_bessel(n, x):
    """Logarithms of I_n(x) and K_n(x), for integers n >= 0 and x > 0."""
    n, x = np.broadcast_arrays(np.asarray(n, dtype=float), x)
    large = n >= 40
    log_i, log_k = np.empty(x.shape), np.empty(x.shape)
    v, z = n[~large], x[~large]
    log_i[~large], log_k[~large] = np.log(ive(v, z)) + z, np.log(kve(v, z)) - z
    v, z = n[large], x[large] / n[large]
    root = np.sqrt(1 + z**2)
    eta = root + np.log(z / (1 + root))
    powers = np.arange(len(_debye()))
    terms = np.vander(1 / root, _debye().shape[1], increasing=True) @ _debye().T / v[:, None] ** powers
    log_i[large] = v * eta - np.log(2 * np.pi * v * root) / 2 + np.log(terms.sum(axis=1))
    log_k[large] = -v * eta + np.log(np.pi / (2 * v * root)) / 2 + np.log(terms @ (-1.0) ** powers)
    return log_i, log_k


class _Radial:
    """Logarithms of I_n(q rho), K_n(q rho) and their logarithmic derivatives in rho."""

    def __init__(self, n, q, rho):
        x = q * rho
        self.log_i, self.log_k = log_bessel(n, x)
        above, below = log_bessel(n + 1, x)[0], log_bessel(np.abs(n - 1), x)[1]
        self.slope_i = q * (n / x + np.exp(above - self.log_i))
        self.slope_k = -q * (n / x + np.exp(below - self.log_k))


# ---- Layered cylinder


def cylinder_modes(n, k, source_mm, body, detect_mm=None):
    """Potential of each mode, in V/A mm: shape of (n, k) broadcast, then the sources.

    phi = sum over n of exp(j n theta) integral dk/(2 pi) exp(j k z) Phi_n(k). In the muscle
    Phi'' + Phi'/rho - (n^2/rho^2 + lambda^2) Phi = -delta(rho - R)/(2 pi sigma_rho R),
    lambda = k sqrt(sz/sr), so Phi is I_n(lambda rho<) K_n(lambda rho>)/(2 pi sigma_rho) + A I_n + B K_n
    there; elsewhere it is C I_n + D K_n. Each function is scaled to 1 at the side of its layer where it is
    largest. `detect_mm` lies at the skin or in the muscle.
    """
    n, k = np.broadcast_arrays(n, k)
    source_mm = np.atleast_1d(np.asarray(source_mm, dtype=float))
    sigma_r = body.muscle_radial * S_PER_MM
    lam = k * np.sqrt(body.muscle_axial / body.muscle_radial)
    # Layers from inside: (inner radius, outer radius, conductivity, wave number)
    stack = [(body.bone_mm, body.muscle_mm, body.muscle_radial, lam)]
    if body.bone_mm:
        stack.insert(0, (0.0, body.bone_mm, body.bone, k))
    for radius, sigma in body.layers:
        stack.append((stack[-1][1], radius, sigma, k))
    muscle = 1 if body.bone_mm else 0
    size = 2 * len(stack) - 1
    first = [max(2 * i - 1, 0) for i in range(len(stack))]  # column of each layer's I_n; K_n is the next
    matrix, right = np.zeros((*n.shape, size, size)), np.zeros((*n.shape, size, len(source_mm)))

    @cache
    def at(i, rho):
        return _Radial(n, stack[i][3], rho)

    def basis(i, rho):
        """Columns, values and slopes at rho of the functions of layer i."""
        inner, outer, *_ = stack[i]
        here = at(i, rho)
        value = np.exp(here.log_i - at(i, outer).log_i)
        found = [(first[i], value, value * here.slope_i)]
        if i:
            value = np.exp(here.log_k - at(i, inner).log_k)
            found.append((first[i] + 1, value, value * here.slope_k))
        return found

    def direct(rho, radius):
        """Value and slope at rho of the potential that the source at `radius` has without boundaries."""
        here, source = at(muscle, rho), at(muscle, radius)
        if rho >= radius:
            value, slope = np.exp(here.log_k + source.log_i), here.slope_k
        else:
            value, slope = np.exp(here.log_i + source.log_k), here.slope_i
        return value / (2 * np.pi * sigma_r), value * slope / (2 * np.pi * sigma_r)

    for i, (_, outer, sigma, _) in enumerate(stack):
        sides = [(i, 1.0), (i + 1, -1.0)][: len(stack) - i]  # what is inside less what is outside is zero
        flux = 2 * i + len(sides) - 1  # the outermost boundary has this row only
        scale = sigma * np.hypot(k, (n + 1) / outer)  # for rows of like size
        for side, sign in sides:
            for column, value, slope in basis(side, outer):
                if len(sides) == 2:
                    matrix[..., 2 * i, column] = sign * value
                matrix[..., flux, column] = sign * stack[side][2] * slope / scale
            for s, radius in enumerate(source_mm if side == muscle else ()):
                value, slope = direct(outer, radius)
                if len(sides) == 2:
                    right[..., 2 * i, s] = -sign * value
                right[..., flux, s] = -sign * stack[side][2] * slope / scale
    weights = np.linalg.solve(matrix, right)
    where, rho = (len(stack) - 1, body.outer_mm) if detect_mm is None else (muscle, detect_mm)
    found = sum(weights[..., column, :] * value[..., None] for column, value, _ in basis(where, rho))
    if where == muscle:
        found = found + np.stack([direct(rho, radius)[0] for radius in source_mm], axis=-1)
    return found


def _panels(width, growth, ceiling, split):
    """Gauss nodes and weights of successive panels from 0 on, each cut into `split`."""
    start = 0.0
    while True:
        step = min(max(width, growth * start), ceiling)
        edges = start + step * np.arange(split + 1) / split
        half = step / split / 2
        yield ((edges[:-1, None] + half) + half * GAUSS[0]).ravel(), np.tile(half * GAUSS[1], split)
        start += step


def _settled(evaluate, tol, most=4):
    """Evaluate with 1, 2, 4 ... cuts of each panel until the result changes by less than tol of its norm."""
    before = evaluate(1)
    for cuts in 2 ** np.arange(1, most):
        now = evaluate(int(cuts))
        error = np.linalg.norm(now - before, axis=-1) / np.linalg.norm(now, axis=-1)
        if np.all(error < tol):
            return now, error
        before = now
    raise ArithmeticError(f"not converged: {error}")


def _cylinder_sum(y, source, angle, body, contact, detect, derivative, cuts):
    """One pass: shape (sources, angles, y)."""
    decay = 1.8 / body.outer_mm * np.sqrt(min(1.0, body.muscle_radial / body.muscle_axial))
    blur = body.outer_mm / 2  # of what is subtracted to leave g finite: exp(-(b k)^2)/k^2
    total, volume, tail, largest = 0.0, 0.0, 0, 0.0
    for k, weight in _panels(decay, 0.8, 20 / np.max(np.abs(y)), cuts):
        spectrum = np.zeros((len(source), len(angle), 2, len(k)))  # of cos(k y), of sin(k y)
        for start in range(0, 100000, 24):
            n = np.arange(start, start + 24)[:, None]
            twice = np.where(n == 0, 0.5, 1.0)
            modes = cylinder_modes(n, k, source, body, detect)
            plus = contact(n / body.outer_mm, k) * twice
            minus = contact(-n / body.outer_mm, k) * twice
            phase = n[:, 0, None] * angle
            even = np.einsum("nks,nk,na->sak", modes, plus + minus, np.cos(phase))
            odd = np.einsum("nks,nk,na->sak", modes, minus - plus, np.sin(phase))
            spectrum[:, :, 0] += even
            spectrum[:, :, 1] += odd
            size = np.abs(modes[1:] * (k if derivative else k**0)[:, None])  # mode 0 has no bound at k = 0
            largest = np.maximum(largest, size.max(axis=(0, 1)))
            if np.all(size[-1].max(axis=0) < 1e-15 * largest):
                break
        if not derivative:
            spectrum[:, :, 0] -= np.exp(-((blur * k) ** 2)) / k**2 / body.axial_conductance
        c, s = np.cos(np.outer(k, y)), np.sin(np.outer(k, y))
        if derivative:
            part = (spectrum[:, :, 1] * k * weight) @ c - (spectrum[:, :, 0] * k * weight) @ s
        else:
            part = (spectrum[:, :, 0] * weight) @ c + (spectrum[:, :, 1] * weight) @ s
        total = total + part / np.pi
        power = np.abs(spectrum).sum(axis=2) * (k if derivative else 1.0) @ weight
        volume = volume + power
        tail = tail + 1 if np.all(power < 1e-13 * volume) else 0
        if tail == 2:
            break
    if not derivative:
        across = np.abs(y) / 2
        bump = blur / np.sqrt(np.pi) * np.exp(-((across / blur) ** 2))
        total = total - (across * erf(across / blur) + bump) / body.axial_conductance
    return total


def cylinder_kernel_derivative(y_mm, source_mm, angle_rad, body, contact=point, detect_mm=None, tol=1e-9):
    """Evaluate r(y) = dg/dy, shape (sources, angles, y), with its relative error by halving all panels.

    g is the potential, averaged by `contact`, at the skin (or at `detect_mm` within the muscle) for 1 A at
    the radius `source_mm`. At -+ infinity r is +- 1/(2 x axial conductance).
    """
    y, source, angle = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (y_mm, source_mm, angle_rad))
    return _settled(lambda c: _cylinder_sum(y, source, angle, body, contact, detect_mm, True, c), tol)


def cylinder_kernel(y_mm, source_mm, angle_rad, body, contact=point, detect_mm=None, tol=1e-9):
    """Evaluate g(y), shape (sources, angles, y), with its relative error.

    An insulated cylinder without end lets the potential fall without limit, so g has a constant to choose:
    g(y) + |y|/(2 x axial conductance) goes to 0 far away.
    """
    y, source, angle = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (y_mm, source_mm, angle_rad))
    return _settled(lambda c: _cylinder_sum(y, source, angle, body, contact, detect_mm, False, c), tol)


# ---- Planar layers


def planar_modes(kx, kz, depth_mm, body):
    """Potential on top of each plane wave, in V/A mm2, for a source at `depth_mm`: the shape of kx, kz.

    phi = double integral dkx dkz/(2 pi)^2 exp(j kx x + j kz z) Phi. In the muscle Phi'' - m^2 Phi =
    -delta(y + depth)/sigma_r, m^2 = kx^2 + kz^2 sz/sr, so
    Phi = exp(-m |y + depth|)/(2 m sigma_r) + A exp(m y); in the layers Phi = C exp(k y) + D exp(-k y).
    """
    k, m = np.hypot(kx, kz), np.sqrt(kx**2 + kz**2 * body.muscle_axial / body.muscle_radial)
    size = 2 * len(body.layers) + 1
    matrix, right = np.zeros((*k.shape, size, size)), np.zeros((*k.shape, size, 1))
    direct = np.exp(-m * depth_mm) / (2 * m * body.muscle_radial * S_PER_MM)
    below = [(0, 1.0, m)]  # columns, values and slopes of the functions at the top of the layer below
    sigma_below = body.muscle_radial
    right[..., 0, 0], right[..., min(1, size - 1), 0] = -direct, m * direct / k
    for i, (thickness, sigma) in enumerate(body.layers):
        fade = np.exp(-k * thickness)
        for column, value, slope in below:
            matrix[..., 2 * i, column], matrix[..., 2 * i + 1, column] = value, slope / k
        ratio = sigma / sigma_below
        for column, value, slope in ((2 * i + 1, fade, k * fade), (2 * i + 2, 1.0, -k)):
            matrix[..., 2 * i, column], matrix[..., 2 * i + 1, column] = -value, -ratio * slope / k
        below, sigma_below = [(2 * i + 1, 1.0, k), (2 * i + 2, fade, -k * fade)], sigma
    for column, _, slope in below:
        matrix[..., -1, column] = slope / k
    weights = np.linalg.solve(matrix, right)[..., 0]
    top = sum(weights[..., column] * value for column, value, _ in below)
    return top if body.layers else top + direct


def _planar_sum(y, depth, lateral, body, contact, derivative, cuts):
    """One pass in polar coordinates, where Phi's 1/k is gone: shape (lateral, y)."""
    reach = np.hypot(np.max(np.abs(y)), np.max(np.abs(lateral)))
    total, volume, tail = 0.0, 0.0, 0
    for k, weight in _panels(0.5 / (depth + sum(t for t, _ in body.layers)), 0.5, 16 / reach, cuts):
        # The periodic rule is exact up to as many harmonics as it has points; plane waves have k x reach.
        # Half a turn is enough, as the other half is the complex conjugate.
        angles = cuts * (32 + int(0.7 * k[-1] * reach))
        angle = np.pi * (np.arange(angles) + 0.5) / angles
        kx, kz = np.outer(k, np.cos(angle)), np.outer(k, np.sin(angle))
        spectrum = planar_modes(kx, kz, depth, body) * contact(kx, kz)
        spectrum = spectrum * (k * weight)[:, None] / (2 * np.pi * angles)
        if derivative:
            spectrum = spectrum * kz
        size = np.abs(spectrum).sum()
        volume = volume + size
        part = []
        kx, kz, spectrum = kx.ravel(), kz.ravel(), spectrum.ravel()
        for x in lateral:
            wave = np.exp(1j * kx * x) * spectrum
            turned = np.exp(1j * np.outer(kz, y))
            part.append((1j * (wave @ turned)).real if derivative else (wave @ turned).real)
        total = total + np.array(part)
        tail = tail + 1 if size < 1e-13 * volume else 0
        if tail == 2:
            break
    return total


def planar_kernel_derivative(y_mm, depth_mm, lateral_mm, body, contact=point, tol=1e-9):
    """Evaluate r(y) = dg/dy on top of planar layers, shape (lateral, y), with its relative error."""
    y, x = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (y_mm, lateral_mm))
    return _settled(lambda c: _planar_sum(y, depth_mm, x, body, contact, True, c), tol)


def planar_kernel(y_mm, depth_mm, lateral_mm, body, contact=point, tol=1e-9):
    """Evaluate g(y) on top of planar layers, 0 far away, shape (lateral, y), with its relative error."""
    y, x = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (y_mm, lateral_mm))
    return _settled(lambda c: _planar_sum(y, depth_mm, x, body, contact, False, c), tol)


# ---- Infinite medium


def infinite_kernel(y_mm, r_mm, sigma_r, sigma_z):
    """Evaluate g(y) = 1/(4 pi sigma_r sqrt((sigma_z/sigma_r) r^2 + y^2)), in V/A."""
    return 1 / (4 * np.pi * sigma_r * S_PER_MM * np.sqrt(sigma_z / sigma_r * r_mm**2 + np.square(y_mm)))


def infinite_kernel_derivative(y_mm, r_mm, sigma_r, sigma_z):
    """Evaluate r(y) = dg/dy of the infinite medium."""
    g = infinite_kernel(y_mm, r_mm, sigma_r, sigma_z)
    return -((4 * np.pi * sigma_r * S_PER_MM) ** 2) * np.asarray(y_mm) * g**3
