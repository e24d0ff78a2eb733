"""
A closed loop with a toy muscle
===============================

A muscle steps in the same loop as the network: it takes the motor neurons' spikes of each window, and
what it gives back, here the rate of the descending drive, acts in the next. A proportional-integral
controller holds the force at a target that changes.
"""

from pathlib import Path

import numpy as np

import myoloop as ml
from myoloop.data import Figure, Line, Panel, Raster, SpikeTrains
from myoloop.network import Network, Plant, PlantOutput, PoissonSource, Population, Projection, random

# %%
# A plant is a class with two methods. Its state is a dictionary of arrays, so that it goes into
# checkpoints. What it makes known to the outside, here the force, is in the ``signals`` of each window.


class HeldMuscle(Plant):
    """First-order muscle whose force a controller compares with a target."""

    def __init__(self, n: int) -> None:
        self.n = n

    def start(self, rng):
        return {"force": np.zeros(1), "integral": np.zeros(1)}

    def step(self, state, tick):
        dt_s = tick.stop_s - tick.start_s
        twitches = 0.02 * tick.counts("motor", self.n).sum()
        force = state["force"] * np.exp(-dt_s / 0.1) + twitches
        target = 1.0 if tick.stop_s < 2.0 else 2.0
        error = target - force
        integral = state["integral"] + error * dt_s
        rate_pps = np.maximum(40.0 + 15.0 * error + 150.0 * integral, 0.0)
        output = PlantOutput(drives={"drive": float(rate_pps[0])}, signals={"force": force, "rate": rate_pps})
        return {"force": force, "integral": integral}, output


# %%
# The network is the usual one; the plant is one more of its parts.

n = 60
thresholds = ml.muscle.recruitment_thresholds(n, ratio=100)
network = Network(
    [
        PoissonSource("drive", 400, rate_pps=40.0),
        Population("motor", ml.neurons.TwoCompartmentMotorNeuron.pool(thresholds)),
    ],
    [Projection("drive", "motor", random(0.3), weight_uS=0.05, delay_ms=1)],
    plants={"muscle": HeldMuscle(n)},
)

# %%
# One call of ``step`` is one window of a millisecond. A batch run with ``simulate`` would give the same
# spikes.

loop = network.start(seed=1)
ticks = [loop.step() for _ in range(4000)]

times_s = np.array([tick.stop_s for tick in ticks[1:]])
force = np.array([tick.signals["force"][0] for tick in ticks[1:]])
rate = np.array([tick.signals["rate"][0] for tick in ticks[1:]])
events = [tick.spikes["motor"] for tick in ticks]
spikes = SpikeTrains.from_events(
    np.concatenate([e.units for e in events]), np.concatenate([e.times_s for e in events]), n, loop.time_s
)
print(spikes)
print(f"force from 1 to 2 s: {force[1000:2000].mean():.2f}, from 3 to 4 s: {force[3000:].mean():.2f}")

# %%
# The controller finds the drive by itself, and recruits more units when more force is asked for.

target = np.where(times_s < 2.0, 1.0, 2.0)
figure = Figure(
    "closed_loop",
    (
        Panel((Line(times_s, rate),), y_label="Rate (pps)", title="Descending drive"),
        Panel((Raster(spikes),), y_label="Unit", title="Spikes of the motor neurons"),
        Panel(
            (Line(times_s, force, "force"), Line(times_s, target, "target", 1, style="--")),
            "Time (s)",
            "Force (a.u.)",
            "Force",
        ),
    ),
    share_x=True,
)
folder = Path("myoloop-out")
folder.mkdir(exist_ok=True)
ml.viz.save(figure, folder)
