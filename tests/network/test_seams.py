"""Where later parts hang in: short-term plasticity, drives by site, signals, progress."""

import numpy as np
import pytest

from myoloop.data import SpikeTrains
from myoloop.errors import ParameterError, UnknownNameError
from myoloop.network import (
    Exponential,
    Network,
    Plant,
    PlantOutput,
    PlasticityRule,
    Population,
    Probe,
    Projection,
    ReplaySource,
    Simulation,
    one_to_one,
    simulate,
)
from myoloop.neurons import LIF


class Depression(PlasticityRule):
    """Each spike uses half of what is there; nothing comes back."""

    def start(self, synapses, rng):
        return {"left": np.ones(len(synapses.starts) - 1)}

    def step(self, state, synapses, tick):
        return state

    def release(self, state, synapses, events):
        left, factors = state["left"].copy(), np.empty(len(events.units))
        for k in np.argsort(events.times_s, kind="stable"):
            factors[k] = left[events.units[k]]
            left[events.units[k]] *= 0.5
        return {"left": left}, factors


class Constant(Plant):
    """Always drives the same."""

    def __init__(self, **output):
        self.output = PlantOutput(**output)

    def start(self, rng):
        return {}

    def step(self, state, tick):
        return state, self.output


def depressed(rule):
    spikes = SpikeTrains.from_trains([[0.0101, 0.0102, 0.0304], [0.0204]], 0.1)
    return Network(
        [ReplaySource("IN", spikes=spikes), Population("MN", LIF(n=2))],
        [
            Projection(
                "IN",
                "MN",
                one_to_one(),
                weight_uS=0.001,
                delay_ms=1.0,
                synapse=Exponential(tau_ms=1e6, reversal_mV=0.0),
                plasticity=rule,
            )
        ],
    )


def conductance(rule):
    probe = Probe("MN", "g_soma", [0, 1], 1.0)
    return simulate(depressed(rule), 0.05, dt_ms=0.1, record=[probe]).signals["MN.g_soma"].values


def test_a_rule_scales_each_spike_before_it_is_delivered():
    g = conductance(Depression())
    assert g[-1] == pytest.approx([0.001 * 1.75, 0.001], rel=1e-3)
    assert conductance(None)[-1] == pytest.approx([0.003, 0.001], rel=1e-3)


def test_a_factor_for_each_spike_is_demanded():
    class Wrong(Depression):
        def release(self, state, synapses, events):
            return state, np.ones(len(events.units) + 1)

    with pytest.raises(ParameterError, match="one finite factor"):
        conductance(Wrong())


def test_short_term_plasticity_goes_through_a_checkpoint():
    def run(sim, windows):
        return [sim.step() for _ in range(windows)] and sim.state()["population/MN/synapses"]

    whole = run(depressed(Depression()).start(dt_ms=0.1), 40)
    first = depressed(Depression()).start(dt_ms=0.1)
    run(first, 15)
    second = depressed(Depression()).start(dt_ms=0.1)
    second.restore(first.state())
    np.testing.assert_array_equal(run(second, 25), whole)


def test_a_current_may_name_its_site():
    network = Network([Population("MN", LIF(n=2))])
    plain, named = network.start(dt_ms=0.1), network.start(dt_ms=0.1)
    for _ in range(50):
        a, b = plain.step({"MN": 0.5}), named.step({"MN.i_soma": 0.5})
        np.testing.assert_array_equal(a.spikes["MN"].times_s, b.spikes["MN"].times_s)
    assert plain.time_s == named.time_s == pytest.approx(0.05)


@pytest.mark.parametrize("key", ["MN.soma", "MN.i_dendrite", "NM", "IN.i_soma"])
def test_a_drive_to_nowhere_is_refused(key):
    sim = depressed(None).start(dt_ms=0.1)
    with pytest.raises((UnknownNameError, ParameterError)):
        sim.step({key: 1.0})


def test_two_currents_into_one_site_are_refused():
    sim = Network([Population("MN", LIF(n=2))]).start(dt_ms=0.1)
    with pytest.raises(ParameterError, match="one for each site"):
        sim.step({"MN": 0.5, "MN.i_soma": 0.5})


def test_two_plants_that_drive_the_same_are_refused():
    plants = {"a": Constant(drives={"MN": 1.0}), "b": Constant(drives={"MN": 2.0})}
    sim = Network([Population("MN", LIF(n=1))], plants=plants).start(dt_ms=0.1)
    sim.step()
    with pytest.raises(ParameterError, match=r"another plant drives it too"):
        sim.step()


def test_signals_from_outside_reach_the_tick_and_win_over_the_plants():
    plants = {"a": Constant(signals={"reward": 1.0, "level": 2.0})}
    sim = Network([Population("MN", LIF(n=1))], plants=plants).start(dt_ms=0.1)
    assert sim.step(signals={"reward": 5.0}).signals == {"reward": 5.0}
    assert sim.step(signals={"reward": 6.0}).signals == {"reward": 6.0, "level": 2.0}


def test_a_tick_gives_spike_trains():
    sim = Network([Population("MN", LIF(n=3))]).start(dt_ms=0.1)
    ticks = [sim.step({"MN": np.array([0.0, 0.5, 1.0])}) for _ in range(100)]
    trains = [tick.trains("MN", 3) for tick in ticks]
    assert all(isinstance(t, SpikeTrains) and len(t) == 3 for t in trains)
    counts = sum(t.counts for t in trains)
    assert counts[0] == 0
    assert 0 < counts[1] < counts[2]


def test_a_loop_by_hand_tells_its_progress():
    told = []
    network = Network([Population("MN", LIF(n=1))])
    sim = Simulation(network, dt_ms=0.1, progress=lambda *args: told.append(args), until_s=2.0)
    sim.step()
    assert told == [("simulate", pytest.approx(0.001), 2.0)]
