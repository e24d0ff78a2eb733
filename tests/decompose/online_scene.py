"""A small simulated muscle whose action potentials can move along the electrodes."""

from __future__ import annotations

import numpy as np

from myoloop.data import ActionPotentials, GroundTruth, Recording, SpikeTrains

RATE_HZ, CHANNELS, UNITS = 2048.0, 24, 5
BEFORE = 10  # samples of a potential before its discharge


def shapes(shift=0.0, units=UNITS, seed=0):
    """Potentials (units, channels, samples) in uV, `shift` channels further on."""
    rng = np.random.default_rng(seed)
    t = (np.arange(round(0.025 * RATE_HZ))[None] - BEFORE) / RATE_HZ * 1e3
    rows = np.arange(CHANNELS)[:, None] - shift
    out = []
    for unit in range(units):
        delay = 4 + rng.uniform(0.3, 0.9) * np.abs(rows - rng.uniform(6, 18))
        z = (t - delay) / rng.uniform(0.8, 1.6)
        reach = np.exp(-0.5 * ((rows - rng.uniform(2, 22)) / 3.5) ** 2)
        out.append((40 + 10 * unit) * reach * (1 - z**2) * np.exp(-(z**2) / 2))
    return np.array(out)


def trains(duration_s, units=UNITS, seed=0):
    """Steady discharges as samples."""
    rng = np.random.default_rng(100 + seed)
    found = []
    for unit in range(units):
        times = 0.05 + np.cumsum(rng.normal(1, 0.12, 60 * int(duration_s)) / (9 + unit))
        found.append(np.rint(times[times < duration_s - 0.05] * RATE_HZ).astype(np.int64))
    return found


def recorded(duration_s, shift=lambda s: 0.0, silent=(), noise_uV=4.0, seed=0):
    """A recording; `shift` gives the shift in channels at a time, `silent` (unit, from, to) are pauses."""
    rng = np.random.default_rng(seed)
    samples = round(duration_s * RATE_HZ)
    values = noise_uV * rng.standard_normal((CHANNELS, samples + 100))
    spikes = trains(duration_s, seed=seed)
    for unit, begin, end in silent:
        at = spikes[unit] / RATE_HZ
        spikes[unit] = spikes[unit][(at < begin) | (at >= end)]
    grid = np.linspace(-4, 4, 161)
    table = np.array([shapes(s) for s in grid])
    for unit, train in enumerate(spikes):
        for s in train:
            one = table[np.argmin(np.abs(grid - shift(s / RATE_HZ))), unit]
            begin = max(0, s - BEFORE)
            values[:, begin : s - BEFORE + one.shape[1]] += one[:, begin - s + BEFORE :]
    first = ActionPotentials(shapes(shift(0.0)), RATE_HZ, -BEFORE / RATE_HZ)
    truth = GroundTruth(SpikeTrains.from_trains([s / RATE_HZ for s in spikes], duration_s), first)
    return Recording(values[:, :samples].astype(np.float32), RATE_HZ, truth=truth)
