"""Spike trains with known properties."""

import numpy as np

from myoloop.data import SpikeTrains


def poisson(rate_of, units, duration_s, seed, dt_s=1e-3):
    """Units that fire by chance at the rate `rate_of(t)`, the same for all, in steps of `dt_s`."""
    rng = np.random.default_rng(seed)
    times = dt_s * np.arange(round(duration_s / dt_s))
    probability = dt_s * np.broadcast_to(rate_of(times), times.shape)
    trains = [times[rng.random(len(times)) < probability] + 0.5 * dt_s for _ in range(units)]
    return SpikeTrains.from_trains(trains, duration_s)


def regular(rate_of, begin_s, end_s, step_s=1e-4):
    """Discharges of a unit whose rate is `rate_of(t)`: one each time the integral of it passes 1."""
    times = np.arange(begin_s, end_s + step_s / 2, step_s)
    rate = rate_of(times)
    phase = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * step_s)])
    return np.interp(np.arange(np.floor(phase[-1]) + 1), phase, times)


def renewal(units, duration_s, seed, rate_pps=10.0, cv=0.15, modulation=None):
    """Steady units with intervals that vary by chance; `modulation(t)` multiplies the rates of all."""
    rng = np.random.default_rng(seed)
    trains = []
    for _ in range(units):
        # in an operational time that runs faster where the rate is higher
        grid = np.linspace(0.0, duration_s, round(1000 * duration_s) + 1)
        speed = np.ones_like(grid) if modulation is None else modulation(grid)
        own = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * np.diff(grid))])
        intervals = rng.normal(1.0 / rate_pps, cv / rate_pps, round(2 * rate_pps * duration_s))
        events = rng.random() / rate_pps + np.cumsum(np.maximum(intervals, 0.02))
        trains.append(np.interp(events[events < own[-1]], own, grid))
    return SpikeTrains.from_trains(trains, duration_s)
