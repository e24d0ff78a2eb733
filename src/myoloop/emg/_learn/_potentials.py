"""The sum over modes and frequencies, in JAX: smooth in every parameter of a motor unit.

With the source integrated by parts, a unit gives a contact at z the potential

    phi(t) = (A / pi) sum_k dk k G(k) {int_0^L1 h(v t - s) sin[k(s - zeta)] ds
                                       + int_0^L2 h(v t - s) sin[k(s + zeta)] ds},

zeta the distance of the contact from the endplate, L1 and L2 the distances of the tendons from it. In the
temporal frequency, w = 2 pi f / v, both integrals are elementary:

    H(w)/(k^2 - w^2) {2 k cos(k zeta) - e^(-j w L1) [j w sin(k p) + k cos(k p)]
                                      - e^(-j w L2) [j w sin(k q) + k cos(k q)]},

p and q the distances of the contact from the tendons: generation, and extinction at either end. Endplates
that are spread normally, by s, multiply the first term by exp(-k^2 s^2/2) and the others by
exp(-w^2 s^2/2). Tendons that are spread by r turn exp(+-j k p) into exp(+-j k p - (k -+ w)^2 r^2/2). The
braces vanish at k = w; an imaginary part of w keeps single precision away from 0/0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import i1e

from ._tables import Tables

_TINY = 1e-30


class Complex(NamedTuple):
    """Real and imaginary part, apart: quicker than complex numbers on a CPU."""

    re: Array
    im: Array


def potentials(tables: Tables, units: Any) -> Array:
    """Potentials in uV, shape (units, channels, samples), of checked arrays with one row a unit."""
    share = spatial(tables, units)
    waves = jnp.concatenate([share * tables.wave[0], share * tables.wave[1]], axis=-1)
    spectrum = jnp.einsum("uek,ukm->uem", waves, source(tables, units))
    spectrum = jnp.einsum("ce,uem->ucm", tables.derivation, spectrum)
    parts = Complex(*jnp.split(spectrum, 2, axis=-1))
    return jnp.matmul(jnp.concatenate(_times(parts, membrane(tables, units)), axis=-1), tables.synthesis)


def spatial(tables: Tables, units: Any) -> Array:
    """The product k G(k) at each point, shape (units, points, K): sum of the orders.

    The mean of a mode over a disc is the mode at its centre times 2 I_1(x)/x, as modes solve Helmholtz'
    equation; a disc of radius 2 `spread_mm` has the variance of a normal territory.
    """
    radius = tables.radius_mm - units.depth_mm
    knots = tables.knot_mm
    distance = jnp.abs(radius[:, None] - knots) / tables.knot_step_mm
    basis = (jnp.maximum(2 - distance, 0) ** 3 - 4 * jnp.maximum(1 - distance, 0) ** 3) / 6
    level = (basis @ tables.spline).reshape(-1, len(tables.order), len(tables.k))
    # On the axis only order 0 is left; the floor keeps its logarithm, and the gradient, finite.
    outwards = jnp.log((radius / tables.muscle_mm) ** 2 + _TINY) / 2
    disc = _log_disc(2 * units.spread_mm[:, None] * tables.stretched)
    modes = jnp.exp(level + (outwards[:, None] * tables.order)[..., None] + disc[:, None])
    found = []
    for angle, weight in zip(tables.angle, tables.weight, strict=True):
        apart = units.angle_rad[:, None] - angle
        turns = jnp.cos(apart[..., None] * tables.order)
        found.append(jnp.einsum("uen,unk->uek", turns, modes * weight))
    return found[0] if len(found) == 1 else jnp.concatenate(found, axis=1)


def source(tables: Tables, units: Any) -> Array:
    """What multiplies cos(k z) and sin(k z) of a contact, shape (units, 2 K, 2 M).

    Real parts come first, then imaginary ones. With C and S half the sum and half the difference of
    exp(-(k - w)^2 r^2/2) and exp(-(k + w)^2 r^2/2), an extinction is

        exp(-j w L) {C [j w sin(k p) + k cos(k p)] + S [w cos(k p) + j k sin(k p)]}/(k^2 - w^2),

    where both brackets are sums of products of functions of k with functions of w.
    """
    k = tables.k
    endplate, low, high = (
        z[:, None] - tables.origin_mm
        for z in (units.innervation_zone_mm, units.tendon_mm[:, 0], units.tendon_mm[:, 1])
    )
    velocity, spread = units.velocity_m_per_s[:, None], units.endplate_spread_mm[:, None]
    frequency, damping = tables.frequency / velocity, tables.damping / velocity
    up = _arrival(frequency, damping, high - endplate, spread, units.tendon_spread_mm[:, None])
    down = _arrival(frequency, damping, endplate - low, spread, units.tendon_spread_mm[:, None])
    # The imaginary part of w turns a spread of the tendons into a shift; C and S are left real.
    shift = damping * units.tendon_spread_mm[:, None] ** 2
    even, odd = _gates(k[:, None], frequency[:, None], units.tendon_spread_mm[:, None, None])
    cos_high, sin_high, cos_low, sin_low = (
        f(k * z) for z in (high - shift, low + shift) for f in (jnp.cos, jnp.sin)
    )
    of_cosine = [cos_high, sin_high, cos_low, -sin_low]
    of_sine = [sin_high, -cos_high, sin_low, cos_low]
    cosines, sines = (
        jnp.stack([jnp.stack(of_cosine[i::2], axis=-1), jnp.stack(of_sine[i::2], axis=-1)], axis=1)
        for i in (0, 1)
    )
    rate = Complex(damping, frequency)  # j w
    jw = [_times(rate, up), _times(rate, down)]
    # As matrix products, so that the functions are evaluated once and not for every pair (k, w).
    waves_even = jnp.concatenate([k[:, None] * cosines, sines], axis=-1)
    waves_odd = jnp.concatenate([cosines, k[:, None] * sines], axis=-1)
    ends_even = _outer(waves_even, [up, down, *jw])
    ends_odd = _outer(
        waves_odd, [*(Complex(z.im, -z.re) for z in jw), *(Complex(-z.im, z.re) for z in (up, down))]
    )
    begins = 2 * k * jnp.exp(-((k * spread) ** 2) / 2)
    starts = jnp.stack([begins * jnp.cos(k * endplate), begins * jnp.sin(k * endplate)], axis=1)[..., None]
    brace = Complex(
        starts - even * ends_even.re - odd * ends_odd.re, -even * ends_even.im - odd * ends_odd.im
    )
    inverse = _inverse_difference(k[:, None], frequency[:, None], damping[:, None])
    whole = jnp.concatenate(_times(brace, Complex(inverse.re[:, None], inverse.im[:, None])), axis=-1)
    return whole.reshape(len(whole), -1, whole.shape[-1])


def membrane(tables: Tables, units: Any) -> Complex:
    """Fourier transform of h over the velocity, times sigma_i and the fibres' cross-section, (units, 1, M).

    Of the transform -6 A j w/(1 + j w)^4, w in units of the shape's length.
    """
    velocity = units.velocity_m_per_s[:, None]
    per_length = tables.length_mm / velocity
    frequency, damping = tables.frequency * per_length, tables.damping * per_length
    rate = Complex(jnp.broadcast_to(damping, frequency.shape), frequency)
    first = Complex(1 + rate.re, rate.im)
    square = _times(first, first)
    fourth = _times(square, square)
    size = fourth.re**2 + fourth.im**2
    ratio = _times(rate, Complex(fourth.re / size, -fourth.im / size))
    # um^2 to mm^2, S/m to S/mm, V to uV
    section = 1e-3 * jnp.pi / 4 * units.fibres * units.diameter_um**2
    amplitude = tables.strength * section[:, None] / velocity
    return Complex((amplitude * ratio.re)[:, None], (amplitude * ratio.im)[:, None])


def _arrival(frequency: Array, damping: Array, length: Array, endplates: Array, tendons: Array) -> Complex:
    """exp(-j w L) exp(-w^2 s^2/2) for w = frequency - j damping, and what is left of C and S."""
    size = -damping * length - (frequency**2 - damping**2) * endplates**2 / 2 + (damping * tendons) ** 2 / 2
    phase = frequency * (damping * (endplates**2 + tendons**2) - length)
    return Complex(jnp.exp(size) * jnp.cos(phase), jnp.exp(size) * jnp.sin(phase))


def _gates(k: Array, frequency: Array, tendons: Array) -> tuple[Array, Array]:
    """Real factors of C and S, shape (units, 1, K, M)."""
    along, against = (jnp.exp(-(((k + sign * frequency) * tendons) ** 2) / 2) for sign in (-1, 1))
    return ((along + against) / 2)[:, None], ((along - against) / 2)[:, None]


def _outer(of_k: Array, of_w: list[Complex]) -> Complex:
    """Sums of products, shape (units, 2, K, M)."""
    parts = (jnp.stack(part, axis=1) for part in zip(*of_w, strict=True))
    return Complex(*(jnp.einsum("uxkr,urm->uxkm", of_k, part) for part in parts))


def _inverse_difference(k: Array, frequency: Array, damping: Array) -> Complex:
    """1/(k^2 - w^2) for w = frequency - j damping."""
    re = (k - frequency) * (k + frequency) + damping**2
    im = 2 * frequency * damping
    size = re**2 + im**2
    return Complex(re / size, -im / size)


def _log_disc(x: Array) -> Array:
    """ln[2 I_1(x)/x], by its series where x is small."""
    small = x < 0.1
    y = x**2 / 8
    series = y * (1 - y / 6 + y**2 / 18)
    safe = jnp.where(small, 1.0, x)
    return jnp.where(small, series, jnp.log(2 * i1e(safe) / safe) + safe)


def _times(a: Complex, b: Complex) -> Complex:
    return Complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)


compiled: Any = jax.jit(potentials)
