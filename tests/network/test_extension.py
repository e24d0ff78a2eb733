"""A plasticity rule, a plant and a cell model of one's own hang in without touching the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
import pytest
from toy_loop import RewardedSTDP, ToyMuscle, build

from myoloop.data import SpikeTrains
from myoloop.network import (
    CurrentInjection,
    Delta,
    Exponential,
    Network,
    Plant,
    PlantOutput,
    Population,
    Probe,
    Projection,
    ReplaySource,
    one_to_one,
    simulate,
)
from myoloop.neurons import LIF, Neuron
from myoloop.parameters import number

DT_MS = 0.1


class ConstantReward(Plant):
    def __init__(self, reward: float) -> None:
        self.reward = reward

    def start(self, rng):
        return {}

    def step(self, state, tick):
        return {}, PlantOutput(signals={"reward": self.reward})


def pairing(pre_s: float, teacher_s: float, reward: float) -> tuple[RewardedSTDP, Network]:
    """One synapse whose cell is made to fire 1 ms after `teacher_s`."""
    sources = [
        ReplaySource("pre", spikes=SpikeTrains.from_trains([[pre_s]], 0.1)),
        ReplaySource("teacher", spikes=SpikeTrains.from_trains([[teacher_s]], 0.1)),
    ]
    current = Exponential(reversal_mV=None)
    projections = [
        Projection("pre", "MN", one_to_one(), weight_nA=0.1, synapse=current, plasticity=RewardedSTDP()),
        Projection("teacher", "MN", one_to_one(), weight_mV=100.0, synapse=Delta()),
    ]
    return Network([*sources, Population("MN", LIF())], projections, plants={"world": ConstantReward(reward)})


def final_weight(network: Network) -> float:
    sim = network.start(dt_ms=DT_MS, precision="double")
    for _ in range(100):
        sim.step()
    return float(sim.state()["weights/pre->MN"][0])


def expected_change(pre_s: float, post_s: float, reward: float, eligible: float) -> float:
    """The reward acts at the end of each window on what is eligible by then."""
    first = np.ceil(round(max(pre_s, post_s) * 1e3, 6)) * 1e-3
    ends = np.arange(first, 0.1 + 1e-9, 1e-3)
    return RewardedSTDP.gain * reward * eligible * np.exp(-(ends - max(pre_s, post_s)) / 0.5).sum()


@pytest.mark.parametrize(("pre_s", "teacher_s", "sign"), [(0.0105, 0.0155, 1), (0.0155, 0.0105, -1)])
def test_a_rewarded_pairing_changes_the_weight_by_the_rule(pre_s, teacher_s, sign):
    post_s = teacher_s + 0.001
    eligible = sign * np.exp(-abs(post_s - pre_s) / 0.02)
    change = final_weight(pairing(pre_s, teacher_s, 0.01)) - 0.1
    assert change == pytest.approx(expected_change(pre_s, post_s, 0.01, eligible), rel=1e-6)


def test_without_reward_no_weight_changes():
    assert final_weight(pairing(0.0105, 0.0155, 0.0)) == 0.1


def test_new_weights_act_on_the_spikes_that_follow():
    """The second of two equal volleys arrives through the strengthened synapse."""
    sources = [
        ReplaySource("pre", spikes=SpikeTrains.from_trains([[0.0105, 0.0905]], 0.1)),
        ReplaySource("teacher", spikes=SpikeTrains.from_trains([[0.0155]], 0.1)),
    ]
    network = pairing(0.0105, 0.0155, 0.05)
    network = network.replace(nodes=[*sources, network.populations["MN"]])
    run = simulate(network, 0.1, dt_ms=DT_MS, precision="double", record=[Probe("MN", "i_soma", [0], DT_MS)])
    current = run.signals["MN.i_soma"].values[:, 0]
    assert current[115] == pytest.approx(0.1, rel=1e-12)
    assert current[915] > 0.13


def test_a_plant_closes_the_loop_with_a_drive_and_a_signal():
    sim = build().start(dt_ms=DT_MS, seed=1)
    force, forces, rates = 0.0, [], []
    for _ in range(1500):
        tick = sim.step()
        if forces:
            assert tick.signals["force"][0] == pytest.approx(forces[-1], rel=1e-9)
        force = np.exp(-1e-3 / 0.1) * force + 0.005 * len(tick.spikes["MN"].units)
        forces.append(force)
        rates.append(len(tick.spikes["Ia"].units))
    late = np.mean(forces[500:])
    assert 0.2 < late < 3.0
    expected = 10 * np.maximum(0.0, 40 + 60 * (1 - np.array(forces[500:])))
    assert np.sum(rates[500:]) == pytest.approx(expected.sum() * 1e-3, abs=4 * np.sqrt(expected.sum() * 1e-3))


def test_an_explicit_drive_goes_before_that_of_a_plant():
    sim = build().start(dt_ms=DT_MS, seed=1)
    assert sum(len(sim.step({"Ia": 0.0}).spikes["Ia"].units) for _ in range(300)) == 0


def test_the_rule_keeps_weights_in_their_bounds_and_moves_them():
    sim = build().start(dt_ms=DT_MS, seed=1)
    before = sim.state()["weights/DD->MN"]
    for _ in range(500):
        sim.step()
    after = sim.state()["weights/DD->MN"]
    assert np.mean(before != after) > 0.9
    assert after.min() >= 0.0
    assert after.max() <= 0.2


class QState(NamedTuple):
    v_soma: Any


class QConstants(NamedTuple):
    per_tau: Any


class QInputs(NamedTuple):
    i_soma: Any


@final
@dataclass(frozen=True, kw_only=True)
class QuadraticIF(Neuron):
    """v' = (v (v - 1) + I) / tau, from 10 back to -10: a cell model in one screen."""

    State, Constants, Inputs = QState, QConstants, QInputs

    tau_ms: Any = number(10.0, above=0, per_unit=True)

    def initial(self, dt_ms):
        return QState(0.0)

    def constants(self, dt_ms):
        return QConstants(1.0 / self.tau_ms)

    @staticmethod
    def step(x, c, u, dt_ms):
        v = x.v_soma + dt_ms * c.per_tau * (x.v_soma * (x.v_soma - 1.0) + u.i_soma)
        fired = v > 10.0
        return QState(-10.0 if fired else v), 1.0 if fired else 0.0


def test_a_cell_model_of_ones_own_runs_like_its_plain_loop():
    taus, currents, dt = np.array([5.0, 10.0, 20.0]), np.array([0.2, 1.0, 3.0]), 0.05
    v, spikes, trace = np.zeros(3), [[], [], []], []
    for k in range(20_000):
        trace.append(v)
        v = v + dt / taus * (v * (v - 1.0) + currents)
        for cell in np.flatnonzero(v > 10.0):
            spikes[cell].append((k + 1) * dt * 1e-3)
        v = np.where(v > 10.0, -10.0, v)
    network = Network(
        [Population("Q", QuadraticIF(n=3, tau_ms=taus))], currents=[CurrentInjection("Q", currents)]
    )
    run = simulate(network, 1.0, dt_ms=dt, precision="double", record=[Probe("Q", "v_soma", [0, 1, 2], dt)])
    np.testing.assert_allclose(run.signals["Q.v_soma"].values, trace, rtol=1e-7, atol=1e-9)
    assert [len(train) for train in run.spikes["Q"]] == [0, len(spikes[1]), len(spikes[2])]
    assert len(spikes[2]) > 10
    for unit in range(3):
        np.testing.assert_allclose(run.spikes["Q"][unit], spikes[unit], atol=1e-12)


def test_the_toy_plant_and_rule_are_of_the_public_base_classes_only():
    assert ToyMuscle.__bases__ == (Plant,)
    assert [base.__name__ for base in RewardedSTDP.__bases__] == ["PlasticityRule"]
