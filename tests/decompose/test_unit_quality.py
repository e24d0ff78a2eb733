"""How units are judged where no truth is known: every definition against its plain form."""

import numpy as np
import pytest

from myoloop.decompose._kernels import spikes_of
from myoloop.decompose._metrics import (
    QualityLimits,
    pulse_to_noise_ratio,
    pulse_to_noise_ratio_of_squares,
    silhouette,
    unit_quality,
)
from myoloop.errors import ParameterError

RATE_HZ = 2000.0


def source(spike=1.0, noise=0.1, spread=0.0, seed=0, n=20_000):
    rng = np.random.default_rng(seed)
    spikes = np.arange(100, n - 100, 200)
    values = noise * rng.standard_normal(n)
    values[spikes] = spike * (1 + spread * rng.standard_normal(len(spikes)))
    return values, spikes


def plain_silhouette(values, spikes, distance=20, near=2):
    q = values * np.abs(values)
    peaks = [
        t
        for t in range(len(q))
        if q[t] > 0
        and q[t] == q[max(0, t - distance) : t + distance + 1].max()
        and np.abs(spikes - t).min() > near
    ]
    noise, own = q[peaks].mean(), q[spikes].mean()
    w, b = np.sum((q[spikes] - own) ** 2), np.sum((q[spikes] - noise) ** 2)
    return (b - w) / max(b, w)


@pytest.mark.parametrize("spread", [0.02, 0.1, 0.3])
def test_silhouette_is_its_definition(spread):
    values, spikes = source(spread=spread)
    assert silhouette(values, spikes, rate_hz=RATE_HZ) == pytest.approx(plain_silhouette(values, spikes))


def test_silhouette_is_that_of_the_detection():
    values, _ = source(spread=0.1)
    spikes, _, _, sil = spikes_of(values, 20)
    assert silhouette(values, spikes, rate_hz=RATE_HZ) == pytest.approx(sil)


def test_silhouette_of_equal_spikes_is_1_and_falls_with_noise():
    values, spikes = source()
    assert silhouette(values, spikes, rate_hz=RATE_HZ) == pytest.approx(1)
    wider = [silhouette(*source(spread=s), rate_hz=RATE_HZ) for s in (0.05, 0.1, 0.2, 0.4)]
    assert wider == sorted(wider, reverse=True)


def test_silhouette_and_ratio_do_not_depend_on_scale():
    values, spikes = source(spread=0.1)
    assert silhouette(7 * values, spikes, rate_hz=RATE_HZ) == pytest.approx(
        silhouette(values, spikes, rate_hz=RATE_HZ)
    )
    assert pulse_to_noise_ratio(7 * values, spikes) == pytest.approx(pulse_to_noise_ratio(values, spikes))


def test_a_negative_excursion_is_no_background_peak():
    values, spikes = source()
    dipped = values.copy()
    dipped[spikes[:-1] + 100] = -5.0
    sil = silhouette(dipped, spikes, rate_hz=RATE_HZ)
    assert sil == pytest.approx(1)


def test_silhouette_without_spikes_or_background_is_unknown():
    values, spikes = source()
    assert np.isnan(silhouette(values, spikes[:0], rate_hz=RATE_HZ))
    assert np.isnan(silhouette(values, spikes[:1], rate_hz=RATE_HZ))
    alone = np.zeros(1000)
    alone[[100, 500]] = 1
    assert np.isnan(silhouette(alone, np.array([100, 500]), rate_hz=RATE_HZ))


def test_pulse_to_noise_ratio_of_known_levels():
    n = 1000
    spikes = np.arange(50, n, 100)
    values = np.where(np.arange(n) % 2, 0.1, -0.1)
    values[spikes] = 1.0
    assert pulse_to_noise_ratio(values, spikes) == pytest.approx(20)
    pulses = 2 / 3 * 1e-4 + 1 / 3  # the samples beside a spike count to it
    assert pulse_to_noise_ratio_of_squares(values, spikes) == pytest.approx(10 * np.log10(pulses / 1e-4))
    assert np.isnan(pulse_to_noise_ratio(values, []))
    assert pulse_to_noise_ratio(np.abs(values) > 0.5, spikes) == np.inf


@pytest.mark.parametrize(
    ("spikes", "words"), [([0.5], "samples, not times"), ([-1], "samples -1"), ([99_999], "of a source of")]
)
def test_spikes_that_are_no_samples_are_refused(spikes, words):
    for ratio in (pulse_to_noise_ratio, pulse_to_noise_ratio_of_squares):
        with pytest.raises(ParameterError, match=words):
            ratio(source()[0], spikes)
    with pytest.raises(ParameterError, match=words):
        silhouette(source()[0], spikes, rate_hz=RATE_HZ)


# Quality of units


def samples(rng, rate_pps, cov, stop_s=60.0):
    intervals = np.maximum(rng.normal(1, cov, int(2 * rate_pps * stop_s)), 0.1) / rate_pps
    times = np.cumsum(intervals)
    return np.rint(times[times < stop_s] * RATE_HZ).astype(np.int64)


def quality_of(*trains, height=1.0, limits=None):
    n = int(60 * RATE_HZ) + 1
    sources = 0.1 * np.random.default_rng(0).standard_normal((len(trains), n)).astype(np.float32)
    for row, spikes in zip(sources, trains, strict=True):
        row[spikes] = height
    return unit_quality(sources, trains, RATE_HZ, limits)


def test_quality_of_a_regular_unit():
    rng = np.random.default_rng(0)
    quality = quality_of(samples(rng, 10, 0.15))
    assert quality.cov_isi[0] == pytest.approx(0.15, abs=0.02)
    assert quality.rate_pps[0] == pytest.approx(10, rel=0.02)
    assert quality.pnr_db[0] == pytest.approx(20, abs=0.2)
    assert quality.sil[0] > 0.99
    assert (quality.short_isi[0], quality.flag) == (0, ("",))


def test_a_pause_is_no_interval():
    spikes = samples(np.random.default_rng(1), 10, 0.15)
    paused = spikes[(spikes < 20 * RATE_HZ) | (spikes > 40 * RATE_HZ)]
    quality = quality_of(paused)
    assert quality.cov_isi[0] == pytest.approx(0.15, abs=0.02)
    assert quality.rate_pps[0] == pytest.approx(10, rel=0.02)
    with_pause = quality_of(paused, limits=QualityLimits(pause_ms=1e6))
    assert with_pause.cov_isi[0] > 1
    isi = np.diff(paused) / RATE_HZ
    assert with_pause.cov_isi[0] == pytest.approx(isi.std(ddof=1) / isi.mean())


def test_merged_and_false_units_are_flagged():
    rng = np.random.default_rng(2)
    merged = np.union1d(samples(rng, 9, 0.15), samples(rng, 11, 0.15))
    quality = quality_of(merged, samples(rng, 10, 0.6), samples(rng, 10, 0.1)[:15], samples(rng, 2, 0.1))
    assert quality.flag[0].startswith("maybe merged")
    assert "maybe false: CoV" in quality.flag[1]
    assert quality.flag[2] == "maybe false: 15 spikes"
    assert np.isnan(quality.cov_isi[3])  # every interval is longer than a pause
    assert quality.flag[3] == "maybe false: CoV of ISI nan"


def test_a_source_of_poor_spikes_is_flagged():
    rng = np.random.default_rng(3)
    spikes = samples(rng, 10, 0.1)
    heights = rng.uniform(0.2, 1.0, len(spikes))
    quality = quality_of(spikes, height=heights)
    assert quality.sil[0] < 0.9
    assert quality.flag[0].startswith("maybe false: SIL")


def test_quality_of_no_unit_is_empty():
    quality = unit_quality(np.empty((0, 100), np.float32), [], RATE_HZ)
    assert len(quality) == 0
    with pytest.raises(ParameterError, match=r"unit_quality\.spikes"):
        unit_quality(np.empty((1, 100), np.float32), [], RATE_HZ)
