"""Cumulative spike trains: what all units send to the muscle together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..data import Signal, SpikeTrains
from ._check import checked_number, checked_trains
from ._smooth import HannRate


def cumulative_spike_train(spikes: SpikeTrains, rate_hz: float = 1000.0) -> Signal:
    """Discharges of all units together in each sample.

    Parameters
    ----------
    spikes : SpikeTrains
    rate_hz : float
        Sampling rate of the result.

    Returns
    -------
    Signal
        Counts, from the start of the observation. A last part shorter than a sample is left out.
    """
    trains = checked_trains(spikes, "cumulative_spike_train.spikes")
    rate_hz = checked_number(rate_hz, "cumulative_spike_train.rate_hz", above=0)
    counts = trains.binned(1.0 / rate_hz).astype(np.float64)
    return Signal(counts, rate_hz, "spikes", trains.t_start_s, "cumulative spike train")


def cumulative_rate(spikes: SpikeTrains, *, window_s: float = 0.4, rate_hz: float = 100.0) -> Signal:
    """Smooth rate of all units together: the cumulative spike train under a Hann window.

    Parameters
    ----------
    spikes : SpikeTrains
    window_s : float
        Length of the window.
    rate_hz : float
        Sampling rate of the result.

    Returns
    -------
    Signal
        In pps. Within half a window of the ends of the observation it is too low.

    References
    ----------
    De Luca, LeFever, McCue, Xenakis (1982), J Physiol 329:129.
    """
    trains = checked_trains(spikes, "cumulative_rate.spikes")
    rate_hz = checked_number(rate_hz, "cumulative_rate.rate_hz", above=0)
    smoother = HannRate(window_s=checked_number(window_s, "cumulative_rate.window_s", above=0))
    samples = int(np.floor(trains.duration_s * rate_hz + 1e-9)) + 1
    times = trains.t_start_s + np.arange(samples) / rate_hz
    values = smoother.rate_pps(np.sort(trains.times_s), times)
    return Signal(values, rate_hz, "pps", trains.t_start_s, "cumulative rate")


def unit_counts(spikes: SpikeTrains, rate_hz: float, samples: int) -> NDArray[np.float64]:
    """Discharges of each unit in each sample, shape (units, samples)."""
    index = np.floor((spikes.times_s - spikes.t_start_s) * rate_hz + 1e-6).astype(np.int64)
    inside = index < samples
    counts = np.zeros((len(spikes), samples))
    np.add.at(counts, (spikes.units[inside], index[inside]), 1.0)
    return counts
