"""
Motor units from surface EMG
============================

EMG of a hand muscle is simulated, decomposed again, and what was found is held against what was put in:
discharge by discharge, and as action potentials on the grid.
"""

from pathlib import Path

import numpy as np

import myoloop as ml
from myoloop import analysis, decompose, emg
from myoloop.data import Figure, Line, Panel, SpikeTrains

folder = Path("myoloop-out")
folder.mkdir(exist_ok=True)

# %%
# Half of the 120 units of the first dorsal interosseous fire at 8 to 14 pps, the larger ones slower. Noise
# is 20 dB below the EMG.

anatomy = emg.first_dorsal_interosseous()
model = anatomy.surface(anatomy.thresholds(), emg.SurfaceGrid.grid_8x8(pitch_mm=4.0), seed=1)
generator = np.random.default_rng(1)
trains = [
    np.cumsum(generator.normal(1.0, 0.15, 300) / rate) + generator.uniform(0.0, 0.1)
    for rate in np.linspace(14.0, 8.0, 60)
]
silent = [[] for _ in range(anatomy.units - len(trains))]
spikes = SpikeTrains.from_trains([*(train[train < 11.9] for train in trains), *silent], t_stop_s=12.0)
recording = model.record(spikes, snr_db=20, seed=1)
print(recording)

# %%
# The decomposition sees nothing but the samples. Each unit comes with a silhouette, the variation of its
# intervals, and a flag where it may be false or merged.

found = decompose.ConvolutiveBSS(seed=1).fit_transform(recording)
print(found)
for name, sil, cov, flag in zip(
    found.unit_ids, found.quality.sil, found.quality.cov_isi, found.quality.flag, strict=True
):
    print(f"{name}  SIL {sil:.2f}  CoV of ISI {cov:.2f}  {flag}")

# %%
# The simulation knows the truth. Units are matched one to one, each at a constant lag of its own, and
# their spikes compared within 1 ms. The upper bound is what filters made from the *true* action potentials
# would find.

agreement = decompose.score(found.spikes, recording.truth.spikes)
bound = decompose.upper_bound(recording)
print(agreement)
print("upper bound:", bound.good, "units with F1 of 0.9 or more")

# %%
# True discharges are ticks, those found are dots on them. Where a tick has no dot, a spike was missed.

layers = []
for row, pair in enumerate(agreement.pairs):
    true = recording.truth.spikes[pair.truth]
    own = found.spikes[pair.found] - 1e-3 * pair.lag_ms
    layers.append(Line(true, np.full(len(true), row), "true" if row == 0 else "", 0, "", "|", 9.0))
    layers.append(Line(own, np.full(len(own), row), "found" if row == 0 else "", 1, "", "o", 2.5))
raster = Figure(
    "found_and_true",
    (
        Panel(
            tuple(layers),
            "Time (s)",
            "Matched unit",
            "Discharges, found and true",
            x_range=(5.0, 8.0),
            y_range=(-0.7, len(agreement.pairs) - 0.3),
        ),
    ),
    "Three seconds of the matched units, the largest at the bottom; the constant lag of each is taken off.",
    height_in=4.5,
)
ml.viz.save(raster, folder)

# %%
# Which units are found? Those that are large on the grid. The others make up the background.

sizes = model.action_potentials.peak_to_peak_uV.max(axis=1)[: len(trains)]
matched = np.isin(np.arange(len(trains)), [pair.truth for pair in agreement.pairs])
number = np.arange(len(trains))
seen = Figure(
    "units_seen",
    (
        Panel(
            (
                Line(number[~matched], sizes[~matched], "not found", 0, "", "o"),
                Line(number[matched], sizes[matched], "found", 1, "", "o"),
            ),
            "Unit, in order of recruitment",
            "Largest peak to peak (uV)",
            "Units that are found",
        ),
    ),
    "Size of all active units on the channel where they are largest.",
    height_in=3.0,
)
ml.viz.save(seen, folder)

# %%
# The action potentials of the units found, on the grid. They are estimated by least squares over all units,
# so that those that happen to fire together do not mix.

electrodes = recording.electrodes.select(list(found.filters.kept))
potentials = analysis.draw_action_potentials(
    found.action_potentials, electrodes, range(3), names=found.unit_ids
)
ml.viz.save(potentials, folder)
