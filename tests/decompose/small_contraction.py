"""A small simulated recording whose units are easily found."""

from __future__ import annotations

import numpy as np

from myoloop.data import ActionPotentials, GroundTruth, Recording, SpikeTrains

RATE_HZ = 2048.0


def potentials(units: int, channels: int = 16, seed: int = 0) -> ActionPotentials:
    """Potentials that travel along the channels, each unit with its own place, velocity and size."""
    rng = np.random.default_rng(seed)
    ms = np.arange(61)[None] / RATE_HZ * 1e3
    place = np.arange(channels)[:, None]
    values = []
    for _ in range(units):
        middle = rng.uniform(0, channels)
        delay = 6 + rng.uniform(0.2, 0.9) * np.abs(place - rng.uniform(0, channels))
        z = (ms - delay) / rng.uniform(0.8, 1.8)
        weight = np.exp(-0.5 * ((place - middle) / rng.uniform(2, 5)) ** 2)
        values.append(rng.uniform(40, 120) * weight * (1 - z**2) * np.exp(-(z**2) / 2))
    return ActionPotentials(np.array(values, np.float32), RATE_HZ, -10 / RATE_HZ)


def contraction(
    units: int = 6,
    *,
    channels: int = 16,
    duration_s: float = 16.0,
    noise_uV: float = 8.0,
    seed: int = 0,
    t_start_s: float = 0.0,
) -> Recording:
    """A steady contraction; the truth is inside."""
    rng = np.random.default_rng([seed, 1])
    shapes = potentials(units, channels, seed)
    n, length = round(duration_s * RATE_HZ), shapes.values_uV.shape[2]
    values = noise_uV * rng.standard_normal((channels, n + 2 * length))
    trains = []
    for unit in range(units):
        times = 0.1 + np.cumsum(rng.normal(1, 0.12, 1000) / (8 + unit))
        at = np.rint(times[times < duration_s - 0.1] * RATE_HZ).astype(int)
        trains.append(t_start_s + at / RATE_HZ)
        for s in at:
            values[:, s - 10 : s - 10 + length] += shapes.values_uV[unit]
    spikes = SpikeTrains.from_trains(trains, t_start_s + duration_s, t_start_s)
    return Recording(
        values[:, :n].astype(np.float32),
        RATE_HZ,
        truth=GroundTruth(spikes, shapes),
        channels=shapes.channels,
        t_start_s=t_start_s,
    )
