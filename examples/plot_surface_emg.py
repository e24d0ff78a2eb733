"""
Surface EMG of a hand muscle
============================

The first dorsal interosseous with all of its 40,500 fibres, a grid of 13 x 5 contacts on the skin above
it, and what one motor unit looks like there.
"""

from pathlib import Path

import numpy as np

import myoloop as ml
from myoloop import emg
from myoloop.data import Figure, Image, Line, Panel, SpikeTrains

folder = Path("myoloop-out")
folder.mkdir(exist_ok=True)

# %%
# A preset brings the muscle, what surrounds it, and how many units it has. The fibres follow from the
# recruitment thresholds: larger units have more of them, in wider territories.

anatomy = emg.first_dorsal_interosseous()
thresholds = ml.muscle.recruitment_thresholds(anatomy.units, ratio=anatomy.ratio)
grid = emg.SurfaceGrid.grid_13x5(pitch_mm=4.0)
model = anatomy.surface(thresholds, grid, seed=1)
print(model.fibres)
muscle = emg.draw_territories(model.fibres)
ml.viz.save(muscle, folder)

# %%
# The grid is bent as the skin is. One of its corners has no contact.

where = emg.draw_electrodes(model.electrodes, model.fibres.about["outline_mm"])
ml.viz.save(where, folder)

# %%
# The action potential of every unit on every channel: sums over all of its fibres. The first time, the
# conductor is tabulated; the table is kept on disk.

potentials = model.action_potentials
amplitudes = potentials.peak_to_peak_uV  # units x channels
unit = 60
print(potentials)
print("largest channel, median over units (uV):", round(float(np.median(amplitudes.max(axis=1)))))
print(f"unit {unit}, largest channel (uV):", round(float(amplitudes[unit].max())))

# %%
# One unit on the grid. The potential begins at the innervation zone in the middle, travels to both ends of
# the fibres and ends there at the same time on all channels: that part does not travel.

row, column = model.electrodes.place.T + 1
times_ms = 1e3 * potentials.times_s
shown = (times_ms > -1.0) & (times_ms < 15.0)
width, height = np.ptp(times_ms[shown]) / 0.9, amplitudes[unit].max() / 1.6
waves = tuple(
    Line(c + (times_ms[shown] - 7.0) / width, r + wave[shown] / height)
    for r, c, wave in zip(row, column, potentials.values_uV[unit], strict=True)
)
seen = np.full((13, 5), np.nan)
seen[row - 1, column - 1] = amplitudes[unit]
ranges = {"x_range": (0.4, 5.6), "y_range": (0.0, 14.0)}
picture = Image(seen, (0.5, 5.5, 0.5, 13.5), "Peak to peak (uV)")
unit_map = Figure(
    "unit_map",
    (
        Panel(waves, "Column", "Row, along the fibres", f"Unit {unit}", **ranges),
        Panel((picture,), "Column", "Row, along the fibres", "Amplitude", **ranges),
    ),
    "Action potential of one unit on each contact, over 16 ms, and its peak-to-peak amplitude there.",
    columns=2,
    height_in=5.0,
)
ml.viz.save(unit_map, folder)

# %%
# EMG is what the discharges of all units add up to. Spikes may come from a simulated pool, from a file, or
# from a decomposed recording; here units fire at 8 to 14 pps with some variation.

generator = np.random.default_rng(1)
trains = [
    np.cumsum(generator.normal(1.0, 0.15, 60) / rate) + generator.uniform(0.0, 0.1)
    for rate in np.linspace(14.0, 8.0, 80)
]
spikes = SpikeTrains.from_trains([train[train < 2.0] for train in trains], t_stop_s=2.0)
recording = model.record(spikes, noise=emg.Noise(parts=(emg.WhiteNoise(rms_uV=5.0),)), seed=1)
print(recording)

middle = [i for i, c in enumerate(column) if c == 3 and row[i] % 3 == 1]
traces = tuple(
    Line(recording.times_s, 1e-3 * recording.values_uV[i] + 2.0 * place, recording.channels[i], place)
    for place, i in enumerate(middle)
)
surface_emg = Figure(
    "surface_emg",
    (Panel(traces, "Time (s)", "EMG (mV), 2 mV apart", "Five channels of the middle column"),),
    "Monopolar EMG of 80 units.",
    height_in=4.0,
)
ml.viz.save(surface_emg, folder)
