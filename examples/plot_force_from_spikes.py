"""
Force from spikes
=================

You have spike times, from a decomposed recording or from another simulator, and want the force that they
make.
"""

from pathlib import Path

import numpy as np

import myoloop as ml
from myoloop.data import Figure, Line, Panel, Raster, SpikeTrains

# %%
# Spike times come as one array a unit. Here four units of a pool of 120 were recorded; they fire with
# some variation of their intervals.

generator = np.random.default_rng(1)


def train(rate_pps: float, from_s: float, until_s: float) -> np.ndarray:
    intervals = generator.normal(1.0, 0.15, 200) / rate_pps
    times = from_s + np.cumsum(intervals)
    return times[times < until_s]


recorded = {
    4: train(14.0, 0.2, 5.8),
    30: train(12.0, 0.8, 5.0),
    71: train(11.0, 1.5, 4.4),
    100: train(10.0, 2, 4),
}
spikes = SpikeTrains.from_trains(recorded.values(), t_stop_s=7.0)

# %%
# The model needs the recruitment thresholds of the *whole* pool: from them it knows how strong and how
# fast each unit is. ``units`` says which unit of the pool each train belongs to.

model = ml.muscle.FuglevandForce(ml.muscle.recruitment_thresholds(120, ratio=30, mode="konstantin"))
units = list(recorded)
each = model.percent_mvc(model.force(spikes, rate_hz=1000, per_unit=True, units=units))
total = model.percent_mvc(model.force(spikes, rate_hz=1000, units=units))
print("twitch forces:", np.round(model.peaks[units], 1))
print("contraction times (ms):", np.round(model.contractions_ms[units], 1))

# %%
# The same force in windows, as a closed loop would ask for it: step by step it comes out equal.

whole_pool = SpikeTrains.from_trains([recorded.get(unit, []) for unit in range(120)], t_stop_s=7.0)
state, parts = model.start(rate_hz=1000), []
for start_s in range(7):
    state, part = model.step(state, whole_pool.between(start_s, start_s + 1))
    parts.append(part.values)
in_windows = np.concatenate(parts) * 100.0 / model.maximum_force()
print("largest difference (% MVC):", np.abs(in_windows - total.values).max())

# %%
# The twitches of each unit, and their sum.

lines = tuple(Line(each.times_s, each.values[:, k], f"unit {unit}", k) for k, unit in enumerate(units))
figure = Figure(
    "force_from_spikes",
    (
        Panel((Raster(spikes),), y_label="Train", title="Spikes"),
        Panel(lines, y_label="Force (% MVC)", title="Force of each unit"),
        Panel((Line(total.times_s, total.values),), "Time (s)", "Force (% MVC)", "Force of the muscle"),
    ),
    share_x=True,
)
folder = Path("myoloop-out")
folder.mkdir(exist_ok=True)
ml.viz.save(figure, folder)
