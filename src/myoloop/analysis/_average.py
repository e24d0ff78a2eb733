"""Spike-triggered averages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentials, Electrodes, Recording, SpikeTrains
from ..errors import ParameterError, shown
from ._check import checked_count, checked_number, checked_trains

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def spike_triggered_average(
    recording: Recording,
    spikes: SpikeTrains,
    window_ms: float = 50.0,
    *,
    discharges: int | None = None,
    electrodes: Electrodes | None = None,
) -> ActionPotentials:
    """Action potential of each unit: the mean of the recording around its discharges.

    Parameters
    ----------
    recording : Recording
        Samples that are NaN are left out, channel by channel.
    spikes : SpikeTrains
        Each discharge is rounded to a sample. Those without a whole window in the recording are left out.
    window_ms : float
        Length of the window, half of it before the discharge.
    discharges : int, optional
        How many discharges are averaged, from the first on; all by default.
    electrodes : Electrodes, optional
        Channels to average in place of the recording's own, e.g. ``emg.bipolar(recording.electrodes)``.
        They must be weighted sums of the recorded ones.

    Returns
    -------
    ActionPotentials
        Of every unit; the time of the discharge is 0.

    Raises
    ------
    ParameterError
        A unit without a discharge that has a whole window; a channel that is NaN around all of them;
        electrodes that are not made of the recorded channels.

    References
    ----------
    Stein, French, Mannard, Yemm (1972), Brain Res 40:187.
    """
    owner = "spike_triggered_average"
    if not isinstance(recording, Recording):
        raise ParameterError(f"{owner}.recording", f"{shown(recording)} was given", "give a Recording")
    trains = checked_trains(spikes, f"{owner}.spikes")
    width = checked_number(window_ms, f"{owner}.window_ms", above=0)
    half = round(0.5e-3 * width * recording.rate_hz)
    if half < 1 or 2 * half > recording.values_uV.shape[1]:
        raise ParameterError(
            f"{owner}.window_ms",
            f"{width:g} ms is {2 * half} of {recording.values_uV.shape[1]} samples",
            "give at least two samples and no more than there are",
        )
    most = None if discharges is None else checked_count(discharges, f"{owner}.discharges")
    matrix, names = None, recording.channels
    if electrodes is not None:
        matrix, names = _weights(recording, electrodes, owner), electrodes.names
    used = np.ones(len(recording), dtype=bool) if matrix is None else np.any(matrix != 0, axis=0)
    values = np.zeros((len(trains), len(recording), 2 * half))
    for unit, train in enumerate(trains):
        at = _whole_windows(recording, train, half)[:most]
        if len(at) == 0:
            raise ParameterError(
                f"{owner}.spikes",
                f"unit {unit} has no discharge with {width:g} ms of recording around it",
                "leave it out with SpikeTrains.select",
            )
        values[unit, used] = _mean(recording, at, half, used, unit, owner)
    if matrix is not None:
        values = matrix @ values
    return ActionPotentials(values, recording.rate_hz, -half / recording.rate_hz, names)


def _whole_windows(recording: Recording, train_s: FloatArray, half: int) -> IntArray:
    at = np.rint((train_s - recording.t_start_s) * recording.rate_hz).astype(np.int64)
    whole: IntArray = at[(at >= half) & (at + half <= recording.values_uV.shape[1])]
    return whole


def _mean(
    recording: Recording, at: IntArray, half: int, used: NDArray[np.bool_], unit: int, owner: str
) -> FloatArray:
    """Mean of the windows around the samples `at`, without NaN, shape (used channels, 2 half)."""
    sums, counts = np.zeros((2, int(used.sum()), 2 * half))
    for centre in at:
        part = recording.values_uV[used, centre - half : centre + half].astype(np.float64)
        known = ~np.isnan(part)
        sums += np.where(known, part, 0.0)
        counts += known
    if not counts.all():
        channel = np.flatnonzero(used)[np.argmin(counts.all(axis=1))]
        raise ParameterError(
            f"{owner}.recording",
            f"channel {recording.channels[channel]} is NaN around all discharges of unit {unit}",
            "leave the channel out with Recording.select",
        )
    return sums / counts


def _weights(recording: Recording, wanted: Electrodes, owner: str) -> FloatArray:
    """Weights of the recorded channels in each wanted one, shape (wanted, recorded)."""
    own = recording.electrodes
    if own is None:
        raise ParameterError(
            f"{owner}.electrodes",
            "the recording does not know its own electrodes",
            "set Recording.electrodes",
        )
    same = own.n_contacts == wanted.n_contacts and np.allclose(own.position_mm, wanted.position_mm)
    if same:
        weights = np.linalg.lstsq(own.matrix.T, wanted.matrix.T, rcond=None)[0].T
        weights[np.abs(weights) < 1e-9 * np.abs(weights).max()] = 0.0
        same = bool(np.allclose(weights @ own.matrix, wanted.matrix, atol=1e-6))
    if not same:
        raise ParameterError(
            f"{owner}.electrodes",
            "channels that are no weighted sums of the recorded ones",
            "derive them from recording.electrodes",
        )
    return np.asarray(weights)
