"""Currents and potentials of one muscle fibre, summed plainly, to test the fast forms against.

Lengths in mm, times in ms, so velocities in m/s are mm/ms; currents in A, potentials in uV.

References
----------
Rosenfalck (1969), Acta Physiol Scand suppl 321: the intracellular potential.
Farina, Merletti (2001), IEEE Trans Biomed Eng 48:637, eq. 1-2: generation, propagation, extinction.
"""

from __future__ import annotations

import numpy as np

SIGMA_I = 1.01e-3  # axoplasm, S/mm


def psi(u_mm):
    """Slope along the fibre of the potential that moves to larger z, d/du V(-u), in V/mm; the front is u = 0.

    V(w) = 96 w^3 exp(-w) - 90 mV for w > 0 behind the front.
    """
    w = np.maximum(-np.asarray(u_mm, dtype=float), 0.0)
    return -0.096 * (3 * w**2 - w**3) * np.exp(-w)


def branch_nodes(length_1_mm, length_2_mm, step_mm, parts=1):
    """Nodes along a fibre as distances from the endplate, -L2 to L1, with one at the endplate.

    Steps are at most `step_mm`, and then divided into exactly so many parts.
    """
    ahead = np.linspace(0, length_1_mm, int(np.ceil(length_1_mm / step_mm)) * parts + 1)
    behind = np.linspace(-length_2_mm, 0, int(np.ceil(length_2_mm / step_mm)) * parts + 1)
    return np.concatenate([behind, ahead[1:]])


def source_current(nodes_mm, t_ms, velocity, diameter_um):
    """Current in A that leaves the fibre at each node, shape (times, nodes); its sum over nodes is 0.

    i = sigma_i pi (d/2)^2 d/dz [psi(z - zi - v t) p_L1 - psi(-z + zi - v t) p_L2]: the bracket times
    sigma_i pi (d/2)^2 is the axial current (sign reversed), taken at the middle of each compartment, and
    what enters or leaves it at a node is the difference of its two sides, with none beyond the ends.
    """
    z = np.asarray(nodes_mm, dtype=float)
    x = velocity * np.atleast_1d(np.asarray(t_ms, dtype=float))[:, None]
    middle = (z[1:] + z[:-1]) / 2
    bracket = np.where(middle > 0, psi(middle - x), -psi(-middle - x))
    area = np.pi * (diameter_um * 1e-3 / 2) ** 2
    return SIGMA_I * area * np.diff(np.pad(bracket, ((0, 0), (1, 1))), axis=1)


def single_fibre_potential(
    t_ms, velocity, endplate_mm, lengths_mm, diameter_um, kernel, electrode_mm, step_mm=0.02
):
    """Potential in uV at the times `t_ms`: the sum of current times kernel g(ze - z) over the nodes.

    `kernel` gives g in V/A. The step is halved once and the two sums, both of error O(step^2), are
    extrapolated.

    Returns
    -------
    potential, error : ndarray, float
        The relative change that the extrapolation made.
    """

    def plain(parts):
        nodes = branch_nodes(*lengths_mm, step_mm, parts)
        current = source_current(nodes, t_ms, velocity, diameter_um)
        return 1e6 * current @ kernel(electrode_mm - endplate_mm - nodes)

    coarse, fine = plain(1), plain(2)
    best = fine + (fine - coarse) / 3
    return best, np.linalg.norm(best - fine) / np.linalg.norm(best)


def single_fibre_potential_by_parts(
    t_ms, velocity, endplate_mm, lengths_mm, diameter_um, derivative, electrode_mm, step_mm=0.02
):
    """Potential in uV from r = dg/dy, integrated by parts.

    -sigma_i pi (d/2)^2 {int_0^L1 h(x - s) r(s - zeta) ds + int_0^L2 h(x - s) r(s + zeta) ds}, x = v t,
    zeta = ze - zi, h(w) = -0.096 (3 w^2 - w^3) exp(-w) V/mm, by a Gauss rule on cells cut at s = x,
    where h begins.
    """
    zeta = electrode_mm - endplate_mm
    points, weights = np.polynomial.legendre.leggauss(8)
    found = []
    for x in velocity * np.atleast_1d(np.asarray(t_ms, dtype=float)):
        value = 0.0
        for length, sign in zip(lengths_mm, (-1.0, 1.0), strict=True):
            end = min(x, length)
            if end <= 0:
                continue
            edges = np.linspace(0, end, int(np.ceil(end / (16 * step_mm))) + 1)
            half = np.diff(edges)[:, None] / 2
            s = (edges[:-1, None] + half + half * points).ravel()
            w = x - s
            h = -0.096 * (3 * w**2 - w**3) * np.exp(-w)
            value += (half * weights).ravel() @ (h * derivative(s + sign * zeta))
        found.append(value)
    return -1e6 * SIGMA_I * np.pi * (diameter_um * 1e-3 / 2) ** 2 * np.array(found)
