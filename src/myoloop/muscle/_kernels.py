"""Compiled loops of the muscle room; imported when one is first needed, so that Numba is not before.

Each is a plain function over arrays that also runs uncompiled, which the tests use.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from ..kernels._cache import enable_cache
from ..kernels._philox import uniform_pair
from ._twitch import GAIN_AT_KNEE, KNEE

NEGLIGIBLE = 1e-150  # decayed this far, a twitch is over; going on would slow down in denormal numbers


def fire_plain(
    key: Any,
    previous: Any,
    excitation: Any,
    dt_s: Any,
    first: Any,
    thresholds: Any,
    peak_rates: Any,
    gain: Any,
    minimum_rate: Any,
    cv: Any,
    limit: Any,
    phase: Any,
    target: Any,
    draws: Any,
    times: Any,
    counts: Any,
) -> Any:
    """Spike times of all units while the excitation goes from sample to sample, linearly.

    Unit u has gone through `phase` of the `target` that its present interval asks (1 on average); within
    a step the phase grows with the mean of the rates at the ends of the step's active part. A silent
    unit recovers at the minimum rate, and rests at its target. `phase`, `target`, `draws`, `times` and
    `counts` are written. Returns the number of spikes.
    """
    spikes = 0
    for u in range(len(thresholds)):
        threshold, peak, unit_first = thresholds[u], peak_rates[u], spikes
        if draws[u] == 0:  # a unit that is active from the start is somewhere within an interval
            share, _ = uniform_pair(key, u, 0)
            target[u], draws[u] = draw_interval(key, u, 1, cv, limit)
            phase[u] = share * target[u] if previous >= threshold else target[u]
        e0 = previous
        for k in range(len(excitation)):
            e1 = excitation[k]
            # The active part of the step, from `a` to `b` as fractions of it.
            a, b = 0.0, 1.0
            if e0 < threshold:
                a = (threshold - e0) / (e1 - e0) if e1 >= threshold else 1.0
            elif e1 < threshold:
                b = (threshold - e0) / (e1 - e0)
            if a > 0.0:
                phase[u] = min(phase[u] + minimum_rate * a * dt_s, target[u])
            if b > a:
                r0 = min(minimum_rate + gain * max(e0 - threshold, 0.0), peak)
                r1 = min(minimum_rate + gain * max(e1 - threshold, 0.0), peak)
                rate = 0.5 * (r0 + r1)
                at, stop = a * dt_s, b * dt_s
                while phase[u] + rate * (stop - at) >= target[u]:
                    at += max(target[u] - phase[u], 0.0) / rate
                    times[spikes] = (first + k) * dt_s + at
                    spikes += 1
                    phase[u] = 0.0
                    target[u], draws[u] = draw_interval(key, u, draws[u], cv, limit)
                phase[u] += rate * max(stop - at, 0.0)
            if b < 1.0:
                phase[u] = min(phase[u] + minimum_rate * (1.0 - b) * dt_s, target[u])
            e0 = e1
        counts[u] = spikes - unit_first
    return spikes


def draw_interval_plain(key: Any, unit: Any, draw: Any, cv: Any, limit: Any) -> Any:
    """Interval over its mean, 1 + cv Z with Z normal within +-limit, and the next free draw."""
    if cv == 0.0:
        return 1.0, draw
    while True:
        u, angle = uniform_pair(key, unit, draw)
        draw += 1
        z = math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * angle)
        if abs(z) <= limit:
            return 1.0 + cv * z, draw


def twitch_plain(
    times: Any,
    cursor: Any,
    stops: Any,
    until_s: Any,
    start_s: Any,
    rate_hz: Any,
    first: Any,
    count: Any,
    peaks: Any,
    contractions_s: Any,
    last_s: Any,
    force: Any,
    drive: Any,
    total: Any,
    per_unit: Any,
) -> None:
    """Add the force of all units at `count` samples from sample `first` on.

    A unit's force is the sum of P g (s/T) exp(1 - s/T) over its discharges, s the time since each. It is
    carried by two numbers, `force` itself and `drive`, the sum of P g exp(1 - s/T): a step h multiplies
    both by exp(-h/T) and first adds (h/T) drive to force. A discharge between two samples enters with the
    values that it has at the later one, so its exact time counts whatever the sampling rate.

    On return both belong to sample ``first + count`` and hold all spikes up to `until_s`, at most one
    sample ahead. `cursor`, `last_s`, `force`, `drive`, `total`, shape (count,), and `per_unit`, shape
    (n, all samples) or empty, are written.
    """
    keep = per_unit.shape[0] > 0
    for u in range(len(peaks)):
        period = 1.0 / (rate_hz * contractions_s[u])  # of sampling, in contraction times
        decay = math.exp(-period)
        f, d, j = force[u], drive[u], cursor[u]
        if d == 0.0 and (j == stops[u] or times[j] > until_s):
            continue
        for k in range(count + 1):
            t = start_s + (first + k) / rate_hz
            latest = t if k < count else until_s
            while j < stops[u] and times[j] <= latest:
                x = contractions_s[u] / (times[j] - last_s[u]) if times[j] > last_s[u] else math.inf
                size = peaks[u] * gain(x)
                since = max(t - times[j], 0.0) / contractions_s[u]
                d += size * math.exp(1.0 - since)
                f += size * since * math.exp(1.0 - since)
                last_s[u] = times[j]
                j += 1
            if k < count:
                total[k] += f
                if keep:
                    per_unit[u, first + k] = f
                f = decay * (f + period * d)
                d = decay * d
                if d < NEGLIGIBLE:
                    f, d = 0.0, 0.0
        force[u], drive[u], cursor[u] = f, d, j


def gain_plain(x: Any) -> Any:
    """Gain of a twitch that follows the one before it by 1/x contraction times."""
    if x < KNEE:
        return 1.0
    if x == math.inf:
        return 0.0
    return (1.0 - math.exp(-2.0 * x * x * x)) / (x * GAIN_AT_KNEE)


gain = njit(cache=True)(gain_plain)
draw_interval = njit(cache=True)(draw_interval_plain)
fire = njit()(fire_plain)
twitch = njit()(twitch_plain)
enable_cache(fire, fire_plain, draw_interval_plain)
enable_cache(twitch, twitch_plain, gain_plain)
