"""A plasticity rule and a plant as users write them, and a network in which both hang.

Run as a program, it simulates that network into an HDF5 stream until it is killed.
"""

from __future__ import annotations

import sys

import numpy as np

from myoloop.network import (
    Delta,
    Exponential,
    Network,
    Plant,
    PlantOutput,
    PlasticityRule,
    PoissonSource,
    Population,
    Probe,
    Projection,
    all_to_all,
    random,
    simulate,
)
from myoloop.neurons import LIF


class RewardedSTDP(PlasticityRule):
    """Pair STDP whose changes wait in an eligibility trace until a reward comes (Izhikevich 2007)."""

    tau_s, tau_eligibility_s, gain, largest = 0.02, 0.5, 0.05, 0.2

    def start(self, synapses, rng):
        units = synapses.pre.max() + 1, synapses.post.max() + 1
        return {
            "pre_trace": np.zeros(units[0]),
            "post_trace": np.zeros(units[1]),
            "eligibility": np.zeros(len(synapses.weights)),
            "time_s": np.zeros(1),
        }

    def step(self, state, synapses, tick):
        pre, post, eligibility = (state[k].copy() for k in ("pre_trace", "post_trace", "eligibility"))
        now = state["time_s"][0]
        pre_spikes, post_spikes = tick.spikes[synapses.pre_name], tick.spikes[synapses.post_name]
        events = [(t, 0, u) for u, t in zip(*pre_spikes, strict=True)]
        events += [(t, 1, u) for u, t in zip(*post_spikes, strict=True)]
        for time_s, is_post, unit in [*sorted(events), (tick.stop_s, -1, 0)]:
            passed, now = time_s - now, time_s
            pre *= np.exp(-passed / self.tau_s)
            post *= np.exp(-passed / self.tau_s)
            eligibility *= np.exp(-passed / self.tau_eligibility_s)
            if is_post == 1:
                eligibility += np.where(synapses.post == unit, pre[synapses.pre], 0.0)
                post[unit] += 1.0
            elif is_post == 0:
                eligibility -= np.where(synapses.pre == unit, post[synapses.post], 0.0)
                pre[unit] += 1.0
        reward = float(tick.signals.get("reward", 0.0))
        if reward:
            weights = synapses.weights + self.gain * reward * eligibility
            synapses.weights[:] = np.clip(weights, 0.0, self.largest)
        return {"pre_trace": pre, "post_trace": post, "eligibility": eligibility, "time_s": np.array([now])}


class ToyMuscle(Plant):
    """First-order muscle: spikes to force, whose error sets an afferent's rate and the reward."""

    tau_s, twitch, target = 0.1, 0.005, 1.0

    def __init__(self, pool: str, afferent: str) -> None:
        self.pool, self.afferent = pool, afferent

    def start(self, rng):
        return {"force": np.zeros(1)}

    def step(self, state, tick):
        decay = np.exp(-(tick.stop_s - tick.start_s) / self.tau_s)
        force = decay * state["force"] + self.twitch * len(tick.spikes[self.pool].units)
        error = self.target - force[0]
        drives = {self.afferent: max(0.0, 40.0 + 60.0 * error)}
        return {"force": force}, PlantOutput(drives, {"reward": np.array(0.01 * error), "force": force})


def build() -> Network:
    """Sources, 40 cells that also drive one another, a rule and a plant."""
    return Network(
        [
            PoissonSource("DD", 30, rate_pps=60),
            PoissonSource("Ia", 10, rate_pps=40),
            Population("MN", LIF(n=40)),
        ],
        [
            Projection(
                "DD",
                "MN",
                random(0.5),
                weight_nA=0.02,
                synapse=Exponential(reversal_mV=None),
                plasticity=RewardedSTDP(),
            ),
            Projection("Ia", "MN", all_to_all(), weight_uS=0.004, synapse=Exponential(reversal_mV=0.0)),
            Projection("MN", "MN", random(0.1), weight_mV=-0.5, delay_ms=2.5, synapse=Delta()),
        ],
        plants={"muscle": ToyMuscle("MN", "Ia")},
    )


PROBES = [Probe("MN", "v_soma", [0, 39], every_ms=0.7)]
OPTIONS = {"dt_ms": 0.1, "seed": 5, "record": PROBES, "checkpoint_every_s": 0.3}
DURATION_S = 12.0

if __name__ == "__main__":
    from myoloop.io import HDF5Stream

    simulate(build(), DURATION_S, **OPTIONS, sink=HDF5Stream(sys.argv[1], flush_every_s=0.0))
