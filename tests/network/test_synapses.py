"""Synapses give the analytic response to a spike, at the right step, whatever the step is."""

from __future__ import annotations

import numpy as np
import pytest

from myoloop.data import SpikeTrains
from myoloop.errors import ParameterError
from myoloop.network import (
    Alpha,
    CurrentInjection,
    Delta,
    DoubleExponential,
    Exponential,
    Network,
    Population,
    Probe,
    Projection,
    ReplaySource,
    Step,
    all_to_all,
    one_to_one,
    simulate,
)
from myoloop.neurons import LIF, TwoCompartmentMotorNeuron

DT = 0.025


def double_exponential(t, rise=0.2, decay=0.3):
    peak = rise * decay / (decay - rise) * np.log(decay / rise)
    shape = np.exp(-peak / decay) - np.exp(-peak / rise)
    return np.where(t >= 0, (np.exp(-t / decay) - np.exp(-t / rise)) / shape, 0.0)


def alpha(t, tau=2.0):
    return np.where(t >= 0, t / tau * np.exp(1 - t / tau), 0.0)


def exponential(t, tau=5.0):
    return np.where(t >= 0, np.exp(-np.maximum(t, 0.0) / tau), 0.0)


def replay(*trains_ms, stop_s=1.0):
    return ReplaySource("IN", spikes=SpikeTrains.from_trains([np.array(t) * 1e-3 for t in trains_ms], stop_s))


def respond(cells, variable, trains_ms, *, duration_s=0.03, dt_ms=DT, currents=(), precision="double", **how):
    """Trace of a variable, step by step, of cells that get a spike train each."""
    n = len(trains_ms)
    network = Network(
        [replay(*trains_ms), Population("MN", cells)],
        [Projection("IN", "MN", one_to_one(), **how)],
        currents=list(currents),
    )
    probe = Probe("MN", variable, list(range(n)), every_ms=dt_ms)
    run = simulate(network, duration_s, dt_ms=dt_ms, precision=precision, record=[probe])
    return run.signals[f"MN.{variable}"].values


KINETICS = [
    (DoubleExponential(), double_exponential),
    (DoubleExponential(rise_ms=1.0, decay_ms=7.0), lambda t: double_exponential(t, 1.0, 7.0)),
    (Alpha(), alpha),
    (Exponential(), exponential),
]


@pytest.mark.parametrize("dt_ms", [0.025, 0.05, 0.1])
@pytest.mark.parametrize(
    ("synapse", "response"), KINETICS, ids=["double", "slow double", "alpha", "exponential"]
)
def test_the_response_to_a_spike_is_the_analytic_one_at_every_step(synapse, response, dt_ms):
    trace = respond(LIF(), "g_soma", [[5.0]], dt_ms=dt_ms, weight_uS=0.3, synapse=synapse)[:, 0]
    t = np.arange(len(trace)) * dt_ms - 6.0  # 1 ms of delay
    t[np.abs(t) < 1e-9] = 0.0
    np.testing.assert_allclose(trace, 0.3 * response(t), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("synapse", "response"), KINETICS, ids=["double", "slow double", "alpha", "exponential"]
)
def test_the_peak_of_the_response_is_the_weight(synapse, response):
    trace = respond(LIF(), "g_soma", [[5.0]], dt_ms=0.025, weight_uS=0.3, synapse=synapse)
    assert trace.max() == pytest.approx(0.3, rel=1e-3)


def test_the_dendrite_of_the_motor_neuron_is_its_default_site():
    trace = respond(TwoCompartmentMotorNeuron(), "g_dendrite", [[5.0]], weight_uS=0.05)[:, 0]
    t = np.arange(len(trace)) * DT - 6.0
    t[np.abs(t) < 1e-9] = 0.0
    np.testing.assert_allclose(trace, 0.05 * double_exponential(t), rtol=1e-9, atol=1e-14)


def test_responses_add_up():
    one = respond(LIF(), "g_soma", [[5.0]], weight_uS=0.3)[:, 0]
    trace = respond(LIF(), "g_soma", [[5.0, 5.0, 8.0]], weight_uS=0.3)[:, 0]
    np.testing.assert_allclose(trace[120:], 2 * one[120:] + one[:-120], rtol=1e-10, atol=1e-13)


def test_single_precision_follows_double_precision():
    single, double = (
        respond(LIF(), "g_soma", [[5.0]], weight_uS=0.3, precision=p) for p in ("single", "double")
    )
    np.testing.assert_allclose(single, double, atol=3e-7)
    assert single.dtype == np.float32


def test_a_synapse_without_reversal_potential_injects_its_weight_as_current():
    trace = respond(LIF(), "i_soma", [[5.0]], weight_nA=0.2, synapse=Alpha(reversal_mV=None))[:, 0]
    t = np.arange(len(trace)) * DT - 6.0
    t[np.abs(t) < 1e-9] = 0.0
    np.testing.assert_allclose(trace, 0.2 * alpha(t), rtol=1e-10, atol=1e-13)
    conductance = respond(LIF(), "g_soma", [[5.0]], weight_nA=0.2, synapse=Alpha(reversal_mV=None))
    assert np.all(conductance == 0.0)


def test_a_delta_synapse_moves_the_voltage_at_once_by_its_weight():
    trace = respond(LIF(), "v_soma", [[5.0]], weight_mV=3.0, synapse=Delta())[:, 0]
    decay = np.exp(-np.arange(1, 200) * DT / 20.0)  # 0.2 nF / 0.01 uS
    assert np.all(trace[:241] == -60.0)
    np.testing.assert_allclose(trace[241:440], -60.0 + 3.0 * decay, rtol=1e-12)


def test_an_inhibitory_synapse_pulls_the_voltage_down_and_not_below_its_reversal():
    inhibit = {"weight_uS": 5.0, "synapse": Exponential(reversal_mV=-80.0)}
    trace = respond(LIF(), "v_soma", [[5.0]], **inhibit)
    assert trace.min() >= -80.0
    assert trace.min() == pytest.approx(-80.0, abs=0.05)
    assert trace.max() == -60.0


def test_a_synapse_that_reverses_at_rest_only_shunts():
    shunt = {"weight_uS": 0.1, "synapse": Exponential(reversal_mV=-60.0)}
    assert np.all(np.abs(respond(LIF(), "v_soma", [[5.0]], **shunt) + 60.0) < 1e-9)
    current = CurrentInjection("MN", Step(amplitude_nA=0.05))
    with_it, without = (
        respond(LIF(), "v_soma", [times], currents=[current], duration_s=0.2, **shunt)
        for times in ([100.0], [])
    )
    assert np.all(with_it[4042:4400] < without[4042:4400])


def test_projections_with_the_same_kinetics_and_site_share_a_port_and_add_up():
    nodes = [replay([5.0]), Population("MN", LIF())]
    two = [Projection("IN", "MN", one_to_one(), weight_uS=w, name=f"p{w:.0%}") for w in (0.1, 0.2)]
    probe = Probe("MN", "g_soma", [0], DT)
    together = simulate(Network(nodes, two), 0.02, precision="double", record=[probe]).signals["MN.g_soma"]
    alone = respond(LIF(), "g_soma", [[5.0]], duration_s=0.02, weight_uS=0.3)
    np.testing.assert_allclose(together.values, alone, rtol=1e-12, atol=1e-15)


# When things happen: benchmarks/neuron/README.md, "Timing conventions".


@pytest.mark.parametrize(
    ("emitted", "arrives"), [(200, 240), (200.5, 240), (200.501, 241), (200.999, 241), (201.4, 241)]
)
def test_a_spike_arrives_at_the_nearest_step_the_half_rounding_down(emitted, arrives):
    g = respond(TwoCompartmentMotorNeuron(), "g_dendrite", [[emitted * DT]], weight_uS=0.05)[:, 0]
    assert np.all(g[: arrives + 1] == 0.0)
    assert g[arrives + 1] > 0.0


def test_the_voltage_first_differs_two_steps_after_the_arrival():
    spiking, silent = (
        respond(TwoCompartmentMotorNeuron(), "v_dendrite", [times], weight_uS=0.05)[:, 0]
        for times in ([5.0], [])
    )
    np.testing.assert_array_equal(spiking[:242], silent[:242])
    assert spiking[242] > silent[242]


def test_a_current_acts_from_the_step_that_it_covers_on():
    step = CurrentInjection("MN", Step(amplitude_nA=5.0, start_s=0.005, stop_s=0.006))
    current = respond(TwoCompartmentMotorNeuron(), "i_soma", [[]], weight_uS=0.0, currents=[step])[:, 0]
    np.testing.assert_array_equal(np.flatnonzero(current), np.arange(200, 240))
    pushed, rest = (
        respond(TwoCompartmentMotorNeuron(), "v_soma", [[]], weight_uS=0.0, currents=c)[:, 0]
        for c in ([step], [])
    )
    assert pushed[200] == rest[200]
    assert pushed[201] > rest[201]


def test_a_cells_spike_is_emitted_at_the_end_of_its_step():
    nodes = [Population("A", LIF()), Population("B", LIF())]
    network = Network(
        nodes,
        [Projection("A", "B", one_to_one(), weight_uS=0.1, synapse=Exponential())],
        currents=[CurrentInjection("A", 0.3)],
    )
    run = simulate(network, 0.03, precision="double", record=[Probe("B", "g_soma", [0], DT)])
    fired = run.spikes["A"][0][0] * 1e3 / DT
    assert fired != round(fired)
    first = np.flatnonzero(run.signals["B.g_soma"].values[:, 0])[0]
    assert first == np.ceil(fired) + 40


@pytest.mark.parametrize("delay_ms", [0.025, 0.5, 1.0, 1.025, 7.3, 25.0])
def test_a_delay_of_any_number_of_steps_is_kept_exactly(delay_ms):
    how = {"weight_uS": 0.1, "synapse": Exponential(), "delay_ms": delay_ms}
    g = respond(LIF(), "g_soma", [[5.0, 11.0]], duration_s=0.05, **how)[:, 0]
    jumps = np.flatnonzero(np.diff(g) > 0) + 1
    np.testing.assert_array_equal(jumps, np.round((np.array([5.0, 11.0]) + delay_ms) / DT))


def test_one_source_reaches_all_its_targets_at_once():
    network = Network(
        [replay([5.0]), Population("MN", LIF(n=70))], [Projection("IN", "MN", all_to_all(), weight_uS=0.1)]
    )
    run = simulate(network, 0.01, precision="double", record=[Probe("MN", "g_soma", list(range(70)), DT)])
    values = run.signals["MN.g_soma"].values
    assert values.max() > 0.09
    np.testing.assert_array_equal(values, np.repeat(values[:, :1], 70, axis=1))


@pytest.mark.parametrize(
    ("weight", "synapse"),
    [({"weight_nA": 1.0}, Exponential()), ({"weight_uS": 1.0}, Delta()), ({}, Alpha()),
     ({"weight_uS": 1.0, "weight_mV": 1.0}, Alpha()), ({"weight_uS": 1.0}, Alpha(reversal_mV=None))],
)  # fmt: skip
def test_a_weight_that_does_not_go_with_the_kinetics_is_refused(weight, synapse):
    with pytest.raises(ParameterError, match=rf"give {synapse.weight_field} alone$"):
        Projection("IN", "MN", one_to_one(), synapse=synapse, **weight)


def test_a_site_that_the_cell_does_not_have_is_refused_and_the_possible_ones_are_named():
    network = Network(
        [replay([5.0]), Population("MN", TwoCompartmentMotorNeuron())],
        [Projection("IN", "MN", one_to_one(), weight_uS=0.1, site="axon")],
    )
    with pytest.raises(
        ParameterError, match=r"Projection IN->MN\.site: .* at 'axon'; possible are: dendrite, soma"
    ):
        network.start()
