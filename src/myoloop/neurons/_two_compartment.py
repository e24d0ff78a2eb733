"""Spinal motor neuron with a soma and one dendrite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike

from ..kernels import Neuron, clamp, divide_pair, exp_bounded
from ..parameters import number
from ._pool import interpolate

E_NA, E_K, E_CA = 120.0, -10.0, 140.0  # mV above rest; the leak reverses at 0
THRESHOLD = 50.0  # mV; a spike is an upward crossing
E_MINUS_2_5, E_2, E_10 = 0.0820849986238988, 7.38905609893065, 22026.465794806718  # powers of e


class _State(NamedTuple):
    v_soma: Any  # mV, relative to rest
    v_dendrite: Any
    m: Any
    h: Any
    p: Any
    n: Any
    r: Any
    q: Any  # L-type calcium


class _Constants(NamedTuple):
    soma_2c_per_dt: Any  # uS
    dendrite_2c_per_dt: Any
    g_leak_soma: Any
    g_leak_dendrite: Any
    g_axial: Any
    g_na: Any
    g_nap: Any
    g_kf: Any
    g_ks: Any
    g_ca: Any
    beta_r: Any  # times the step
    half_q: Any  # mV
    rate_q: Any  # fraction of the way to its steady state that q goes in a step


class _Inputs(NamedTuple):
    g_dendrite: Any
    ge_dendrite: Any
    g_soma: Any
    ge_soma: Any
    i_soma: Any


@final
@dataclass(frozen=True, kw_only=True)
class TwoCompartmentMotorNeuron(Neuron):
    """Motor neurons of two compartments, with persistent inward currents.

    Soma: transient and persistent sodium, fast and slow potassium, leak. Dendrite: L-type calcium, whose
    conductance `gamma` scales as monoaminergic neuromodulation does, and leak. Voltages are relative to
    rest. Make a pool with `pool`; the defaults are its smallest unit.

    Synaptic sites are ``"dendrite"`` (default) and ``"soma"``; current is injected into the soma.

    References
    ----------
    Cisi & Kohn (2008), J Comput Neurosci 25:520, eqs 1-10.
    Watanabe & Kohn (2015), J Neurosci 35:13687 (the pool).
    """

    State = _State
    Constants = _Constants
    Inputs = _Inputs

    soma_diameter_um: Any = number(78.0, above=0, per_unit=True)
    soma_length_um: Any = number(78.0, above=0, per_unit=True)
    g_na_S_per_cm2: Any = number(0.0325, at_least=0, per_unit=True)
    g_nap_S_per_cm2: Any = number(0.00067, at_least=0, per_unit=True)
    g_kf_S_per_cm2: Any = number(0.0015, at_least=0, per_unit=True)
    g_ks_S_per_cm2: Any = number(0.016, at_least=0, per_unit=True)
    beta_r_per_ms: Any = number(0.018, above=0, per_unit=True, help="closing rate of slow potassium")
    soma_leak_S_per_cm2: Any = number(1 / 1050, above=0, per_unit=True)
    dendrite_diameter_um: Any = number(48.0, above=0, per_unit=True)
    dendrite_length_um: Any = number(5500.0, above=0, per_unit=True)
    g_cal_S_per_cm2: Any = number(6.2e-6, at_least=0, per_unit=True)
    half_cal_mV: Any = number(34.0, per_unit=True, help="shift of the calcium activation curve")
    tau_cal_ms: Any = number(47.0, above=0, per_unit=True)
    dendrite_leak_S_per_cm2: Any = number(1 / 13000, above=0, per_unit=True)
    gamma: Any = number(0.2, at_least=0, per_unit=True, help="neuromodulation of the calcium channel")
    axial_resistivity_ohm_cm: Any = number(70.0, above=0, per_unit=True)
    capacitance_uF_per_cm2: Any = number(1.0, above=0, per_unit=True)
    axon_velocity_m_per_s: Any = number(50.0, above=0, per_unit=True)
    axon_length_m: Any = number(0.6, at_least=0, per_unit=True)

    @classmethod
    def pool(
        cls, thresholds: ArrayLike, *, largest: float | None = None, **overrides: Any
    ) -> TwoCompartmentMotorNeuron:
        """Cells whose parameters lie between those of the smallest and the largest unit.

        Parameters
        ----------
        thresholds : array, shape (n,)
            Recruitment thresholds; parameters are linear in them.
        largest : float, optional
            Threshold at which a parameter takes its largest-unit value; default the largest given.
        **overrides
            For any parameter a value, an array of shape (n,), or a pair (at threshold 0, at `largest`).
        """
        return cls(**interpolate(cls.__name__, _RANGES, thresholds, largest, overrides))

    @property
    def axon_delay_ms(self) -> Any:
        """Conduction time from soma to muscle in ms, scalar or shape (n,)."""
        return 1e3 * self.axon_length_m / self.axon_velocity_m_per_s

    def initial(self, dt_ms: float) -> _State:
        """Return the state at rest, with the gates at their steady states."""
        rest = _rates(0.0, 1.0)
        m, h, p, n = (a / (a + b) for a, b in (rest.m, rest.h, rest.p, rest.n))
        r = rest.alpha_r / (rest.alpha_r + self.beta_r_per_ms)
        q_rest = 1.0 / (1.0 + np.exp(self.half_cal_mV - 30.0))
        return _State(0.0, 0.0, m, h, p, n, r, q_rest)

    def constants(self, dt_ms: float) -> _Constants:
        """Return conductances (uS) and capacitances (as 2C/dt, uS) of each compartment."""
        soma = np.pi * self.soma_diameter_um * self.soma_length_um  # um2
        dendrite = np.pi * self.dendrite_diameter_um * self.dendrite_length_um
        resistance = _half_resistance(
            self.axial_resistivity_ohm_cm, self.soma_length_um, self.soma_diameter_um
        )
        resistance = resistance + _half_resistance(
            self.axial_resistivity_ohm_cm, self.dendrite_length_um, self.dendrite_diameter_um
        )
        to_uS, to_nF = 1e-2, 1e-5  # from S/cm2 and uF/cm2, times um2
        return _Constants(
            soma_2c_per_dt=2.0 * self.capacitance_uF_per_cm2 * soma * to_nF / dt_ms,
            dendrite_2c_per_dt=2.0 * self.capacitance_uF_per_cm2 * dendrite * to_nF / dt_ms,
            g_leak_soma=self.soma_leak_S_per_cm2 * soma * to_uS,
            g_leak_dendrite=self.dendrite_leak_S_per_cm2 * dendrite * to_uS,
            g_axial=1.0 / resistance,
            g_na=self.g_na_S_per_cm2 * soma * to_uS,
            g_nap=self.g_nap_S_per_cm2 * soma * to_uS,
            g_kf=self.g_kf_S_per_cm2 * soma * to_uS,
            g_ks=self.g_ks_S_per_cm2 * soma * to_uS,
            g_ca=self.gamma * self.g_cal_S_per_cm2 * dendrite * to_uS,
            beta_r=self.beta_r_per_ms * dt_ms,
            half_q=self.half_cal_mV - 30.0,
            rate_q=-np.expm1(-dt_ms / self.tau_cal_ms),
        )

    @staticmethod
    def step(x: Any, c: Any, u: Any, dt_ms: Any) -> Any:
        """Staggered second-order step: voltages at n, gates at n + 1/2 (as NEURON's secondorder = 2)."""
        v, v_dendrite = _voltages(x, c, u)
        rates = _rates(v, dt_ms)
        (m, to_m), (p, to_p) = _increment(x.m, rates.m), _increment(x.p, rates.p)
        (h, to_h), (n, to_n) = _increment(x.h, rates.h), _increment(x.n, rates.n)
        r, to_r = _increment(x.r, (rates.alpha_r, c.beta_r))
        dm, dp = divide_pair(m, to_m, p, to_p)
        dh, dn = divide_pair(h, to_h, n, to_n)
        q_closed = exp_bounded(clamp(c.half_q - v_dendrite, -80.0, 80.0))
        dr, q_open = divide_pair(r, to_r, 1.0, 1.0 + q_closed)
        state = _State(
            v_soma=v,
            v_dendrite=v_dendrite,
            m=x.m + dm,
            h=x.h + dh,
            p=x.p + dp,
            n=x.n + dn,
            r=x.r + dr,
            q=x.q + c.rate_q * (q_open - x.q),
        )
        fired = (x.v_soma < THRESHOLD) and (v >= THRESHOLD)
        return state, (THRESHOLD - x.v_soma) / (v - x.v_soma) if fired else 0.0


# Smallest -> largest unit (threshold 0 -> 1).
_RANGES = {
    "soma_diameter_um": (78.0, 113.0),
    "soma_length_um": (78.0, 113.0),
    "g_na_S_per_cm2": (0.0325, 0.0775),
    "g_nap_S_per_cm2": (0.00067, 0.00043),
    "g_kf_S_per_cm2": (0.0015, 0.0028),
    "g_ks_S_per_cm2": (0.016, 0.020),
    "beta_r_per_ms": (0.018, 0.063),
    "soma_leak_S_per_cm2": (1 / 1050, 1 / 650),
    "dendrite_diameter_um": (48.0, 90.0),
    "dendrite_length_um": (5500.0, 10600.0),
    "g_cal_S_per_cm2": (6.2e-6, 1.25e-5),
    "half_cal_mV": (34.0, 35.0),
    "tau_cal_ms": (47.0, 90.0),
    "dendrite_leak_S_per_cm2": (1 / 13000, 1 / 6050),
    "gamma": (0.2, 0.2),
    "axial_resistivity_ohm_cm": (70.0, 70.0),
    "capacitance_uF_per_cm2": (1.0, 1.0),
    "axon_velocity_m_per_s": (50.0, 65.0),
    "axon_length_m": (0.6, 0.6),
}


def _half_resistance(resistivity_ohm_cm: Any, length_um: Any, diameter_um: Any) -> Any:
    """Axial resistance (MOhm) from the middle of a cylinder to its end."""
    return resistivity_ohm_cm * (length_um / 2.0) / (np.pi * diameter_um**2 / 4.0) * 1e-2


def _voltages(x: Any, c: Any, u: Any) -> Any:
    """Soma and dendrite voltage one step later: Crank-Nicolson, the two equations solved exactly."""
    n2 = x.n * x.n
    g_na = c.g_na * x.m * x.m * x.m * x.h + c.g_nap * x.p * x.p * x.p
    g_k = c.g_kf * n2 * n2 + c.g_ks * x.r * x.r
    g_ca = c.g_ca * x.q
    a = c.soma_2c_per_dt + g_na + g_k + c.g_leak_soma + u.g_soma + c.g_axial
    d = c.dendrite_2c_per_dt + g_ca + c.g_leak_dendrite + u.g_dendrite + c.g_axial
    b1 = c.soma_2c_per_dt * x.v_soma + E_NA * g_na + E_K * g_k + u.ge_soma + u.i_soma
    b2 = c.dendrite_2c_per_dt * x.v_dendrite + E_CA * g_ca + u.ge_dendrite
    scale = 2.0 / (a * d - c.g_axial * c.g_axial)
    v_soma = (b1 * d + c.g_axial * b2) * scale - x.v_soma
    v_dendrite = (a * b2 + c.g_axial * b1) * scale - x.v_dendrite
    return v_soma, v_dendrite


class _Rates(NamedTuple):
    """Opening and closing rates of the gates at a soma voltage, times the step."""

    m: Any
    h: Any
    p: Any
    n: Any
    alpha_r: Any


def _rates(v: Any, dt: Any) -> _Rates:
    """Nine rates from five exponentials: those of p, h and r share those of m, shifted along v."""
    v = clamp(v, -200.0, 200.0)  # keeps all exponents below 60 in magnitude
    z4, z5, z7 = (15.0 - v) / 4.0, (v - 40.0) / 5.0, (15.0 - v) / 7.0
    e4, e5, e7 = exp_bounded(z4), exp_bounded(z5), exp_bounded(z7)
    open_m, open_p = _linoids(z4, e4, z4 - 2.5, e4 * E_MINUS_2_5)
    close_m, close_p = _linoids(z5, e5, z5 + 2.0, e5 * E_2)
    close_h, alpha_r = divide_pair(9.0 * dt * e5, 1.0 + e5, 3.5 * dt, 1.0 + e4 * E_10)
    return _Rates(
        m=(0.64 * 4.0 * dt * open_m, 0.56 * 5.0 * dt * close_m),
        h=(0.928 * dt * exp_bounded((17.0 - v) / 18.0), close_h),
        p=(0.64 * 4.0 * dt * open_p, 0.56 * 5.0 * dt * close_p),
        n=(0.08 * 7.0 * dt * _linoid(z7, e7), 2.0 * dt * exp_bounded((10.0 - v) / 40.0)),
        alpha_r=alpha_r,
    )


def _linoid(z: Any, e: Any) -> Any:
    """Return z / (exp(z) - 1) given e = exp(z); a series where that cancels."""
    return 1.0 - z * (0.5 - z / 12.0) if abs(z) < 0.02 else z / (e - 1.0)


def _linoids(z: Any, e: Any, y: Any, f: Any) -> Any:
    """`_linoid` of (z, e) and of (y, f)."""
    near_z, near_y = abs(z) < 0.02, abs(y) < 0.02
    return divide_pair(
        1.0 - z * (0.5 - z / 12.0) if near_z else z,
        1.0 if near_z else e - 1.0,
        1.0 - y * (0.5 - y / 12.0) if near_y else y,
        1.0 if near_y else f - 1.0,
    )


def _increment(x: Any, rates: Any) -> Any:
    """Numerator and denominator of what an exponential (Rush-Larsen) step adds to a gate.

    It is (alpha - z x) (1 - exp(-z)) / z with z = alpha + beta, the latter in its Pade(3, 3) form.
    """
    alpha, beta = rates
    z = alpha + beta
    return (alpha - z * x) * (1.0 + z * z / 60.0), 1.0 + z * (0.5 + z * (0.1 + z / 120.0))
