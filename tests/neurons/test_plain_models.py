"""Every cell model against a plain loop written from its equations, and against theory."""

from __future__ import annotations

import numpy as np
import pytest

from myoloop.data import SpikeTrains
from myoloop.errors import MyoloopError
from myoloop.network import (
    CurrentInjection,
    DoubleExponential,
    Network,
    Population,
    Probe,
    Projection,
    ReplaySource,
    all_to_all,
    one_to_one,
    simulate,
)
from myoloop.neurons import LIF, Izhikevich, TwoCompartmentMotorNeuron


def run(cells, current, duration_s, dt_ms, probes=("v_soma",), precision="double", nodes=(), projections=()):
    network = Network([*nodes, Population("MN", cells)], projections, [CurrentInjection("MN", current)])
    record = [Probe("MN", variable, list(range(cells.n)), dt_ms) for variable in probes]
    return simulate(network, duration_s, dt_ms=dt_ms, precision=precision, record=record)


# Leaky integrate-and-fire ----------------------------------------------------------------------------

TAU, R, REST, THRESHOLD, DT = 20.0, 100.0, -60.0, -50.0, 0.025  # ms, MOhm, mV, mV, ms


def test_below_threshold_the_lif_cell_follows_the_exact_exponential():
    currents = np.array([-0.1, 0.03, 0.09])
    trace = run(LIF(n=3), currents, 0.2, DT).signals["MN.v_soma"].values
    t = np.arange(len(trace))[:, None] * DT
    np.testing.assert_allclose(trace, REST + R * currents * (1 - np.exp(-t / TAU)), rtol=1e-11)


def test_the_exact_lif_solution_does_not_depend_on_the_step():
    coarse, fine = (run(LIF(), 0.09, 0.2, dt).signals["MN.v_soma"].values[:, 0] for dt in (1.0, 0.025))
    np.testing.assert_allclose(coarse, fine[::40], rtol=1e-11)


@pytest.mark.parametrize(("precision", "slack"), [("double", 0), ("single", 1)])
def test_the_lif_cell_fires_at_the_analytic_rate(precision, slack):
    """Interval = refractory time + time to threshold, which ends with a step."""
    currents = np.array([0.101, 0.11, 0.15, 0.3, 1.0])
    spikes = run(LIF(n=5), currents, 2.0, DT, precision=precision).spikes["MN"]
    to_threshold = TAU * np.log(R * currents / (R * currents - (THRESHOLD - REST)))
    interval = np.ceil(to_threshold / DT) + 2.0 / DT
    for unit in range(5):
        steps = np.diff(np.ceil(spikes[unit] * 1e3 / DT - 1e-6))
        assert len(steps) > 10
        assert np.abs(steps - interval[unit]).max() <= slack
        assert spikes[unit][0] * 1e3 == pytest.approx(to_threshold[unit], abs=DT * (0.01 + slack))


def test_at_rheobase_the_lif_cell_is_silent():
    assert run(LIF(n=2), [0.0999, 0.1], 1.0, DT).spikes["MN"].counts.sum() == 0


def test_after_a_spike_the_lif_cell_is_held_at_its_reset_for_the_refractory_time():
    cells = LIF(reset_mV=-65.0, refractory_ms=3.0)
    result = run(cells, 1.0, 0.1, DT)
    trace, fired = result.signals["MN.v_soma"].values[:, 0], result.spikes["MN"][0][0]
    after = int(np.ceil(fired * 1e3 / DT))
    np.testing.assert_array_equal(trace[after : after + 121], -65.0)
    assert trace[after + 121] > -65.0


def plain_lif(currents, conductance, n_steps):
    """Conductance g and reversal 0 mV; exact over a step with constant input."""
    v, left = np.full(len(currents), REST), np.zeros(len(currents), dtype=int)
    trace, spikes = [], [[] for _ in currents]
    for k in range(n_steps):
        trace.append(v)
        g = 0.01 + conductance[k]
        goal = (0.01 * REST + currents) / g
        new = np.where(left > 0, REST, goal + (v - goal) * np.exp(-g * DT / 0.2))
        for cell in np.flatnonzero(new >= THRESHOLD):
            part = (THRESHOLD - v[cell]) / (new[cell] - v[cell])
            spikes[cell].append((k + part) * DT * 1e-3)
        fired = new >= THRESHOLD
        left = np.where(fired, 80, np.maximum(left - 1, 0))
        v = np.where(fired, REST, new)
    return np.array(trace), spikes


def conductance_of(arrivals, n_steps, weight, rise, decay):
    """Analytic sum of double exponentials at the grid points."""
    peak = rise * decay / (decay - rise) * np.log(decay / rise)
    scale = weight / (np.exp(-peak / decay) - np.exp(-peak / rise))
    t = (np.arange(n_steps)[:, None] - arrivals) * DT
    past = np.maximum(t, 0.0)
    return np.where(t >= 0, scale * (np.exp(-past / decay) - np.exp(-past / rise)), 0.0).sum(axis=1)


@pytest.fixture(scope="module")
def train_ms():
    rng = np.random.default_rng(8)
    return np.sort(rng.choice(np.arange(1, 16_000), 120, replace=False)) * DT


def test_the_lif_cell_with_synapses_runs_like_its_plain_loop(train_ms):
    currents, n_steps = np.array([0.0, 0.05, 0.2]), 16_000
    arrivals = np.round(train_ms / DT) + 40
    trace, spikes = plain_lif(currents, conductance_of(arrivals, n_steps, 0.02, 1.0, 4.0), n_steps)
    source = ReplaySource("IN", spikes=SpikeTrains.from_trains([train_ms * 1e-3], 0.4))
    synapse = DoubleExponential(reversal_mV=0.0, rise_ms=1.0, decay_ms=4.0)
    projection = Projection("IN", "MN", all_to_all(), weight_uS=0.02, synapse=synapse)
    result = run(LIF(n=3), currents, 0.4, DT, nodes=[source], projections=[projection])
    np.testing.assert_allclose(result.signals["MN.v_soma"].values, trace, rtol=1e-9)
    for unit in range(3):
        np.testing.assert_allclose(result.spikes["MN"][unit], spikes[unit], atol=1e-9)
    assert len(spikes[2]) > 20


# Izhikevich ------------------------------------------------------------------------------------------

KINDS = {  # a, b, c, d of the paper's Fig. 2: RS, IB, CH, FS, LTS
    "a": [0.02, 0.02, 0.02, 0.1, 0.02],
    "b": [0.2, 0.2, 0.2, 0.2, 0.25],
    "c": [-65.0, -55.0, -50.0, -65.0, -65.0],
    "d": [8.0, 4.0, 2.0, 2.0, 2.0],
}


def published_millisecond(v, u, thalamic, a, b, c, d):
    """One pass through the loop of Izhikevich (2003): who fires at its beginning, and v and u at its end."""
    fired = v >= 30
    v, u = np.where(fired, c, v), np.where(fired, u + d, u)
    v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + thalamic)
    v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + thalamic)
    return fired, v, u + a * (b * v - u)


@pytest.fixture(scope="module")
def izhikevich():
    """Cells of five kinds with thalamic input, and that input (ms, cells)."""
    current = 8.0 + 4.0 * np.random.default_rng(0).normal(size=(1000, 5))

    def given(t_s):
        return current[np.minimum(np.floor(t_s * 1e3).astype(int), 999)]

    cells = Izhikevich(n=5, **{key: np.array(value) for key, value in KINDS.items()})
    return run(cells, given, 1.0, 1.0, probes=("v_soma", "recovery")), current


def in_ms(times_s):
    return np.ceil(times_s * 1e3 - 1e-9).astype(int)


def test_every_millisecond_of_an_izhikevich_cell_is_that_of_the_published_script(izhikevich):
    """Step by step from the recorded state: the model amplifies the last bit within some hundred ms."""
    result, current = izhikevich
    v, u = (result.signals[f"MN.{name}"].values for name in ("v_soma", "recovery"))
    kinds = [np.array(KINDS[key]) for key in "abcd"]
    spikes = set(zip(in_ms(result.spikes["MN"].times_s), result.spikes["MN"].units, strict=True))
    for ms in range(999):
        _, new_v, new_u = published_millisecond(v[ms], u[ms], current[ms], *kinds)
        fires = new_v >= 30  # the script resets at the beginning of the next pass
        assert {(ms + 1, cell) for cell in np.flatnonzero(fires)} == {s for s in spikes if s[0] == ms + 1}
        np.testing.assert_allclose(v[ms + 1], np.where(fires, kinds[2], new_v), rtol=1e-10)
        np.testing.assert_allclose(u[ms + 1], np.where(fires, new_u + kinds[3], new_u), rtol=1e-10)
    assert np.all(result.spikes["MN"].counts > 10)


def test_izhikevich_cells_fire_in_the_milliseconds_of_the_published_script(izhikevich):
    result, current = izhikevich
    v, kinds = np.full(5, -65.0), [np.array(KINDS[key]) for key in "abcd"]
    u, firings = kinds[1] * v, []
    for ms in range(200):
        fired, v, u = published_millisecond(v, u, current[ms], *kinds)
        firings += [(ms, cell) for cell in np.flatnonzero(fired)]
    spikes = result.spikes["MN"].between(0.0, 0.1995)
    assert sorted(zip(in_ms(spikes.times_s), spikes.units, strict=True)) == firings
    assert len(firings) > 20


def test_the_recovery_variable_of_an_izhikevich_cell_grows_by_d_at_a_spike():
    result = run(Izhikevich(), 10.0, 0.2, 1.0, probes=("v_soma", "recovery"))
    v, u = (result.signals[f"MN.{name}"].values[:, 0] for name in ("v_soma", "recovery"))
    after = np.ceil(result.spikes["MN"][0] * 1e3 - 1e-9).astype(int)
    after = after[after < len(v)]
    assert len(after) > 3
    assert np.all(v[after] == -65.0)
    assert np.all(u[after] - u[after - 1] > 7.0)


# Two-compartment motor neuron ------------------------------------------------------------------------


def vtrap(x, y):
    return x / np.expm1(x / y)


def plain_motor_neuron(rt, current, conductance, n_steps):
    """Equations of Cisi & Kohn (2008), staggered: voltages at n, gates at n + 1/2. One cell."""

    def between(smallest, largest):
        return smallest + (largest - smallest) * rt

    ds, dd, ld = between(78.0, 113.0), between(48.0, 90.0), between(5500.0, 10600.0)
    soma, dendrite = np.pi * ds * ds, np.pi * dd * ld  # um2
    gna, gnap = 1e-2 * soma * between(0.0325, 0.0775), 1e-2 * soma * between(0.00067, 0.00043)
    gkf, gks = 1e-2 * soma * between(0.0015, 0.0028), 1e-2 * soma * between(0.016, 0.020)
    gls, gld = 1e-2 * soma * between(1 / 1050, 1 / 650), 1e-2 * dendrite * between(1 / 13000, 1 / 6050)
    gca = 0.2 * 1e-2 * dendrite * between(6.2e-6, 1.25e-5)
    beta_r, half, tau = between(0.018, 0.063), between(34.0, 35.0) - 30.0, between(47.0, 90.0)
    half_soma, half_dendrite = (
        70.0 * length / 2 / (np.pi * d * d / 4) * 1e-2 for length, d in ((ds, ds), (ld, dd))
    )
    gc = 1.0 / (half_soma + half_dendrite)
    cs, cd = 2e-5 * soma / DT, 2e-5 * dendrite / DT

    def rates(v):
        return {
            "m": (0.64 * vtrap(15 - v, 4), 0.56 * vtrap(v - 40, 5)),
            "h": (0.928 * np.exp((17 - v) / 18), 9 / (np.exp((40 - v) / 5) + 1)),
            "p": (0.64 * vtrap(5 - v, 4), 0.56 * vtrap(v - 30, 5)),
            "n": (0.08 * vtrap(15 - v, 7), 2 * np.exp((10 - v) / 40)),
            "r": (3.5 / (np.exp((55 - v) / 4) + 1), beta_r),
        }

    gate = {name: a / (a + b) for name, (a, b) in rates(0.0).items()}
    vs = vd = 0.0
    q = 1 / (1 + np.exp(half))
    traces = {"v_soma": [], "v_dendrite": [], "q": [], **{name: [] for name in gate}}
    spikes = []
    for k in range(n_steps):
        for name, value in {"v_soma": vs, "v_dendrite": vd, "q": q, **gate}.items():
            traces[name].append(value)
        na = gna * gate["m"] ** 3 * gate["h"] + gnap * gate["p"] ** 3
        kal = gkf * gate["n"] ** 4 + gks * gate["r"] ** 2
        g = conductance[k]
        matrix = [[cs + na + kal + gls + gc, -gc], [-gc, cd + gca * q + gld + g + gc]]
        right = [cs * vs + 120 * na - 10 * kal + current, cd * vd + 140 * gca * q + 70 * g]
        middle = np.linalg.solve(matrix, right)
        old, vs, vd = vs, 2 * middle[0] - vs, 2 * middle[1] - vd
        for name, (a, b) in rates(vs).items():
            z = DT * (a + b)
            growth = (1 + z**2 / 60) / (1 + z / 2 + z**2 / 10 + z**3 / 120)
            gate[name] += (a - (a + b) * gate[name]) * DT * growth
        q += -np.expm1(-DT / tau) * (1 / (1 + np.exp(half - vd)) - q)
        if old < 50 <= vs:
            spikes.append((k + (50 - old) / (vs - old)) * DT * 1e-3)
    return traces, spikes


@pytest.mark.parametrize(("rt", "current"), [(0.0, 8.0), (0.4, 14.0), (1.0, 22.0)])
def test_the_motor_neuron_with_synapses_runs_like_its_plain_loop(train_ms, rt, current):
    n_steps = 8000
    arrivals = np.round(train_ms / DT) + 40
    g = conductance_of(arrivals, n_steps, 0.05, 0.2, 0.3)
    traces, spikes = plain_motor_neuron(rt, current, g, n_steps)
    source = ReplaySource("IN", spikes=SpikeTrains.from_trains([train_ms * 1e-3], 0.4))
    projection = Projection("IN", "MN", one_to_one(), weight_uS=0.05)
    cells = TwoCompartmentMotorNeuron.pool([max(rt, 1e-12)], largest=1.0)
    result = run(cells, current, 0.2, DT, probes=tuple(traces), nodes=[source], projections=[projection])
    assert len(spikes) > 1
    for name, trace in traces.items():
        found = result.signals[f"MN.{name}"].values[:, 0]
        np.testing.assert_allclose(found, trace, rtol=1e-6, atol=1e-6 * np.ptp(trace), err_msg=name)
    np.testing.assert_allclose(result.spikes["MN"][0], spikes, atol=1e-9)


def test_neuromodulation_makes_the_motor_neuron_more_excitable():
    thresholds, gammas = np.ones(3) * 0.01, np.array([0.1, 0.2, 0.4])
    cells = TwoCompartmentMotorNeuron.pool(thresholds, largest=1.0, gamma=gammas)
    counts = run(cells, 7.0, 1.0, DT).spikes["MN"].counts
    assert counts[0] < counts[1] < counts[2]


def test_larger_thresholds_need_more_current():
    cells = TwoCompartmentMotorNeuron.pool(np.linspace(0.01, 1.0, 12))
    counts = run(cells, 14.0, 0.5, DT).spikes["MN"].counts
    assert np.all(np.diff(counts) <= 0)
    assert counts[0] > 5
    assert counts[-1] == 0


def test_a_pool_is_linear_in_its_thresholds_and_each_parameter_may_be_overridden():
    pool = TwoCompartmentMotorNeuron.pool(
        [0.25, 1.0], gamma=0.3, soma_length_um=(10.0, 20.0), tau_cal_ms=[1, 2]
    )
    np.testing.assert_allclose(pool.soma_diameter_um, [78 + 35 / 4, 113])
    np.testing.assert_allclose(pool.soma_length_um, [12.5, 20.0])
    np.testing.assert_allclose(pool.tau_cal_ms, [1, 2])
    assert pool.gamma == 0.3
    np.testing.assert_allclose(pool.axon_delay_ms, 600 / np.array([53.75, 65.0]))


def test_a_pool_of_one_cell_is_valid():
    assert TwoCompartmentMotorNeuron.pool([1.0]).n == 1


@pytest.mark.parametrize("thresholds", [[], [0.0, 1.0], [-1.0], [np.nan], [[1.0]], "x", None, [1j]])
def test_thresholds_that_make_no_pool_are_refused(thresholds):
    with pytest.raises(MyoloopError, match=r"^TwoCompartmentMotorNeuron\.pool\.thresholds: "):
        TwoCompartmentMotorNeuron.pool(thresholds)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"gama": 0.3}, r"^TwoCompartmentMotorNeuron\.pool: no 'gama'; did you mean 'gamma'\? "),
        ({"gamma": [0.1, 0.2, 0.3]}, r"^TwoCompartmentMotorNeuron\.gamma: 3 values for 2 cells; "),
        ({"gamma": -0.1}, r"^TwoCompartmentMotorNeuron\.gamma: -0.1 was given; "),
        ({"largest": 0.0}, r"^TwoCompartmentMotorNeuron\.pool\.largest: 0.* was given; "),
        ({"largest": "x"}, r"^TwoCompartmentMotorNeuron\.pool\.largest: "),
        ({"gamma": ("a", "b")}, r"^TwoCompartmentMotorNeuron\.pool\.gamma: "),
    ],
)
def test_bad_overrides_of_a_pool_are_refused(how, message):
    with pytest.raises(MyoloopError, match=message):
        TwoCompartmentMotorNeuron.pool([0.5, 1.0], **how)


@pytest.mark.parametrize("model", [LIF, Izhikevich, TwoCompartmentMotorNeuron])
@pytest.mark.parametrize("n", [0, -3, 2.5, None])
def test_a_number_of_cells_below_one_is_refused(model, n):
    with pytest.raises(
        MyoloopError, match=rf"^{model.__name__}\.n: .* was given; give a whole number of at least 1"
    ):
        model(n=n)
