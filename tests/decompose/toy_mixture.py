"""A recording of known units, made fast: random templates at regular trains, with white noise."""

import numpy as np

from myoloop.data import GroundTruth, Recording, SpikeTrains

RATE_HZ = 2048.0


def regular_train(rng, samples, rate_pps, cov=0.15, rate_hz=RATE_HZ):
    """Samples of a train with normal intervals, none below a third of the mean."""
    mean = rate_hz / rate_pps
    draws = mean * (1 + cov * rng.standard_normal(int(2 * samples / mean) + 10))
    intervals = np.maximum(draws, mean / 3)
    times = rng.uniform(0, mean) + np.cumsum(intervals)
    return np.rint(times[times < samples - 1]).astype(np.int64)


def wavelets(rng, units, channels, length=30):
    """Smooth templates that travel over the channels, each with an amplitude of its own there."""
    t = np.arange(length)
    width, centre = rng.uniform(1.2, 2.5, units), rng.uniform(11, 19, units)
    slope = rng.uniform(-0.3, 0.3, units)
    at = np.arange(channels) - channels / 2
    z = (t - centre[:, None, None] - slope[:, None, None] * at[:, None]) / width[:, None, None]
    shape = -z * np.exp(-0.5 * z**2) + rng.uniform(-0.5, 0.5, (units, 1, 1)) * np.exp(-0.5 * z**2)
    height = rng.standard_normal((units, channels, 1)) * rng.uniform(0.7, 1.5, (units, 1, 1))
    return (height * shape).astype(np.float32)


def mixed(trains, templates, samples, first=0):
    """Sum of the templates, each from ``spike + first`` on; what leaves the signals is cut off."""
    length = templates.shape[2]
    out = np.zeros((templates.shape[1], samples + 2 * length), np.float32)
    for train, template in zip(trains, templates, strict=True):
        for s in train:
            out[:, s + first + length : s + first + 2 * length] += template
    return out[:, length:-length]


def mixture(seed=0, units=8, channels=24, duration_s=20.0, snr_db=20.0, cov=0.15):
    """Clean signals plus white noise, with trains (samples) and templates: x, trains, templates."""
    rng = np.random.default_rng(seed)
    samples = round(duration_s * RATE_HZ)
    trains = [regular_train(rng, samples, rate, cov) for rate in rng.uniform(8, 16, units)]
    templates = wavelets(rng, units, channels)
    clean = mixed(trains, templates, samples, -15)
    noise = rng.standard_normal(clean.shape).astype(np.float32)
    x = clean + noise * np.float32(np.std(clean) * 10 ** (-snr_db / 20))
    return x, trains, templates


def as_recording(x, trains, scale_uV=50.0, t_start_s=0.0, **more):
    """A `Recording` of the mixture, the truth inside."""
    stop = t_start_s + x.shape[1] / RATE_HZ
    truth = SpikeTrains.from_trains([t_start_s + t / RATE_HZ for t in trains], stop, t_start_s)
    return Recording(scale_uV * x, RATE_HZ, truth=GroundTruth(truth), t_start_s=t_start_s, **more)
