"""An independent float64 solution of the two-compartment motor neuron.

Plain NumPy, written from the equations alone. Both NEURON and the engine of
this project are judged against it. It advances any number of cells at once.

The grid: V lives at ``t_n = n * dt``, gates at ``t_{n+1/2}``. Step ``n`` takes V
from ``t_n`` to ``t_{n+1}``; it uses the current ``current[n]`` and first adds the
synaptic input ``arrivals[n]`` (that which arrives at ``t_n``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from parameters import (
    CM_UF_CM2,
    DT_MS,
    E_CA_MV,
    E_K_MV,
    E_NA_MV,
    E_SYN_MV,
    GAMMA,
    TAU_DECAY_MS,
    TAU_RISE_MS,
    THRESHOLD_MV,
    FloatArray,
    IntArray,
    MotorNeurons,
)

Growth = Callable[[FloatArray], FloatArray]


def exact_growth(z: FloatArray) -> FloatArray:
    """(1 - exp(-z)) / z, the exact exponential gate update (z > 0)."""
    return -np.expm1(-z) / z


def pade_growth(z: FloatArray) -> FloatArray:
    """The same by Pade(3,3), as the lean mechanisms and fast engines do."""
    return (1.0 + z * z / 60.0) / (1.0 + z / 2.0 + z * z / 10.0 + z**3 / 120.0)


def _vtrap(x: FloatArray, y: float) -> FloatArray:
    """x / (exp(x / y) - 1), continuous at x = 0."""
    u = np.where(x == 0.0, 1.0, x / y)
    return np.where(x == 0.0, y, y * u / np.expm1(u))


def rates(v: FloatArray, beta_r: FloatArray) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Opening and closing rates of the somatic gates in 1/ms at `v` in mV."""
    return {
        "m": (0.64 * _vtrap(15.0 - v, 4.0), 0.56 * _vtrap(v - 40.0, 5.0)),
        "h": (0.928 * np.exp((17.0 - v) / 18.0), 9.0 / (np.exp((40.0 - v) / 5.0) + 1.0)),
        "p": (0.64 * _vtrap(5.0 - v, 4.0), 0.56 * _vtrap(v - 30.0, 5.0)),
        "n": (0.08 * _vtrap(15.0 - v, 7.0), 2.0 * np.exp((10.0 - v) / 40.0)),
        "r": (3.5 / (np.exp((55.0 - v) / 4.0) + 1.0), beta_r),
    }


def calcium_inf(v: FloatArray, v_traub: FloatArray) -> FloatArray:
    """Steady state of the L-type calcium gate at dendritic `v` in mV."""
    return 1.0 / (1.0 + np.exp(v_traub - 30.0 - v))


@dataclass
class Run:
    """Result of `simulate`: spikes, and traces when asked for (mV)."""

    spike_cells: list[int] = field(default_factory=list)
    spike_times_ms: list[float] = field(default_factory=list)
    v_soma: list[FloatArray] = field(default_factory=list)
    v_dend: list[FloatArray] = field(default_factory=list)

    def times(self, cell: int) -> FloatArray:
        """Spike times of one cell in ms."""
        own = np.array(self.spike_cells, dtype=np.int64) == cell
        times: FloatArray = np.array(self.spike_times_ms, dtype=np.float64)[own]
        return times

    def counts(self, n_cells: int) -> IntArray:
        """Number of spikes of every cell."""
        counts = np.bincount(np.array(self.spike_cells, dtype=np.int64), minlength=n_cells)
        return counts.astype(np.int64)


def simulate(
    cells: MotorNeurons,
    n_steps: int,
    current: Callable[[int], FloatArray | float] = lambda n: 0.0,
    arrivals: Callable[[int], FloatArray | float] = lambda n: 0.0,
    growth: Growth = exact_growth,
    trace_steps: int = -1,
    dt: float = DT_MS,
) -> Run:
    """Advance the cells from rest.

    Parameters
    ----------
    cells : MotorNeurons
        The parameters.
    n_steps : int
        Number of steps.
    current : callable
        Step number -> somatic current in nA (scalar or one value per cell).
    arrivals : callable
        Step number -> summed synaptic weight in uS arriving at that step.
    growth : callable
        `exact_growth` or `pade_growth`.
    trace_steps : int
        Keep the voltages at grid points 0 ... `trace_steps` (needs
        `trace_steps` < `n_steps`).
    dt : float
        Step in ms.

    Returns
    -------
    Run
        Spikes in the order of steps, then of cells.
    """
    c = cells
    to_us, to_nf = 1e-2, 1e-5 * CM_UF_CM2
    g_na, g_nap, g_kf, g_ks, g_ls = (
        g * c.soma_area * to_us for g in (c.gna, c.gnap, c.gkf, c.gks, c.gl_soma)
    )
    g_ca, g_ld = GAMMA * c.gca * c.dend_area * to_us, c.gl_dend * c.dend_area * to_us
    cs, cd, gc = 2 * c.soma_area * to_nf / dt, 2 * c.dend_area * to_nf / dt, c.coupling

    t1, t2 = TAU_RISE_MS, TAU_DECAY_MS
    tp = t1 * t2 / (t2 - t1) * np.log(t2 / t1)
    scale = 1.0 / (np.exp(-tp / t2) - np.exp(-tp / t1))
    decay_a, decay_b, fill_l = np.exp(-dt / t1), np.exp(-dt / t2), -np.expm1(-dt / c.tau_l)

    vs, vd = np.zeros_like(c.gna), np.zeros_like(c.gna)
    a, b = np.zeros_like(vs), np.zeros_like(vs)
    gate = {k: al / (al + be) for k, (al, be) in rates(vs, c.beta_r).items()}
    ca = calcium_inf(vd, c.v_traub)
    run = Run()
    for n in range(n_steps):
        if n <= trace_steps:
            run.v_soma.append(vs)
            run.v_dend.append(vd)
        w = arrivals(n) * scale
        a, b = a + w, b + w
        syn = b - a
        na = g_na * gate["m"] ** 3 * gate["h"] + g_nap * gate["p"] ** 3
        k = g_kf * gate["n"] ** 4 + g_ks * gate["r"] ** 2
        cal = g_ca * ca
        diag_s, diag_d = cs + na + k + g_ls + gc, cd + cal + g_ld + syn + gc
        rhs_s = cs * vs + E_NA_MV * na + E_K_MV * k + current(n)
        rhs_d = cd * vd + E_CA_MV * cal + E_SYN_MV * syn
        det = diag_s * diag_d - gc * gc
        old = vs
        vs = 2.0 * (rhs_s * diag_d + gc * rhs_d) / det - vs
        vd = 2.0 * (diag_s * rhs_d + gc * rhs_s) / det - vd
        a, b = a * decay_a, b * decay_b
        for name, (al, be) in rates(vs, c.beta_r).items():
            gate[name] = gate[name] + (al - (al + be) * gate[name]) * dt * growth(dt * (al + be))
        ca = ca + fill_l * (calcium_inf(vd, c.v_traub) - ca)
        _note_spikes(run, n, dt, old, vs)
    return run


def _note_spikes(run: Run, n: int, dt: float, old: FloatArray, new: FloatArray) -> None:
    """Add the upward crossings of step `n`, interpolated linearly in V."""
    for cell in np.flatnonzero((old < THRESHOLD_MV) & (new >= THRESHOLD_MV)):
        part = (THRESHOLD_MV - old[cell]) / (new[cell] - old[cell])
        run.spike_cells.append(int(cell))
        run.spike_times_ms.append(float((n + part) * dt))
