"""
A pool on a ramp of current
===========================

Inject the same slowly rising and falling current into every motor neuron of a pool. Small units are
recruited first, as the size principle says, and large ones stop first; each fires faster as the current
grows.
"""

from pathlib import Path

import numpy as np

import myoloop as ml
from myoloop.data import Figure, Line, Panel, Raster
from myoloop.network import CurrentInjection, Network, Population, Trapezoid

# %%
# Twenty units whose recruitment thresholds span a hundredfold range. The cells' sizes and conductances
# follow from the thresholds; any of them can be given to ``pool`` instead.

thresholds = ml.muscle.recruitment_thresholds(20, ratio=100)
motor = Population("motor", ml.neurons.TwoCompartmentMotorNeuron.pool(thresholds))
current = Trapezoid(amplitude_nA=25.0, rise_s=0.1, plateau_s=2.0, fall_s=2.2, end_s=4.1)

# %%
# Run it. Nothing here is random, so there is no seed to give.

network = Network([motor], currents=[CurrentInjection("motor", current)])
spikes = ml.simulate(network, duration_s=4.2).spikes["motor"]
print(spikes)

first_s = np.array([train[0] if len(train) else np.nan for train in spikes])
print("current at recruitment (nA):", np.round(current(first_s), 1))

# %%
# Every spike, and the rate at each interval of three units.

times_s = np.linspace(0.0, 4.2, 421)
rates = tuple(
    Line(spikes[unit][1:], 1.0 / np.diff(spikes[unit]), f"unit {unit}", color, style="", marker=".")
    for color, unit in enumerate((0, 10, 17))
)
figure = Figure(
    "ramp",
    (
        Panel((Line(times_s, current(times_s)),), y_label="Current (nA)", title="Injected current"),
        Panel((Raster(spikes),), y_label="Unit", title="Spikes", x_range=(0.0, 4.2)),
        Panel(rates, "Time (s)", "Rate (pps)", "Rate at each interval", x_range=(0.0, 4.2)),
    ),
    share_x=True,
)
folder = Path("myoloop-out")
folder.mkdir(exist_ok=True)
ml.viz.save(figure, folder)
