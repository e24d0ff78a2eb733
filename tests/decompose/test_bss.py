"""Blind separation of a recording whose units are known, and of recordings that hold none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import decimate
from threadpoolctl import threadpool_limits
from toy_mixture import RATE_HZ, as_recording, mixture

from myoloop.data import Recording
from myoloop.decompose import (
    BoundedSkewness,
    ConvolutiveBSS,
    Kurtosis,
    LogCosh,
    Preprocessing,
    Skewness,
    Swarm,
    score,
)
from myoloop.errors import MyoloopError, ParameterError

UNITS, CHANNELS, DURATION_S = 5, 12, 10.0
QUICK = {"starts": 16, "least_spikes": 10, "lags": 24, "rounds": 2}


def method(**changes):
    return ConvolutiveBSS(**(QUICK | changes))


@pytest.fixture(scope="module")
def made():
    """Signals twice as long as what is fitted, and the trains in them."""
    x, trains, _ = mixture(0, UNITS, CHANNELS, 2 * DURATION_S)
    return x, trains


@pytest.fixture(scope="module")
def recording(made):
    return as_recording(*made).between(0, DURATION_S)


@pytest.fixture(scope="module")
def fitted(recording):
    return method().fit(recording)


def assert_found(found, recording, units=UNITS, f1=0.95):
    agreement = score(found, recording.truth.spikes, good_f1=f1)
    assert (agreement.good, agreement.found) == (units, units), str(agreement)


def changed(recording, values, **more):
    about = {"truth": recording.truth, "t_start_s": recording.t_start_s, **more}
    return Recording(values, recording.rate_hz, **about)


def identical(a, b):
    return (
        np.array_equal(a.spikes.times_s, b.spikes.times_s)
        and np.array_equal(a.sources, b.sources)
        and np.array_equal(a.filters.weights, b.filters.weights)
    )


# What is found


def test_every_unit_is_found_and_none_else(fitted, recording):
    assert_found(fitted.spikes_, recording)
    assert fitted.decomposition_.quality.flag == ("",) * UNITS
    assert fitted.decomposition_.notes == ()


@pytest.mark.parametrize("snr_db", [20.0, 10.0])
def test_in_a_larger_scene_too(snr_db):
    x, trains, _ = mixture(2, 8, 24, 15.0, snr_db)
    recording = as_recording(x, trains)
    assert_found(method(starts=32, rounds=3).fit(recording).spikes_, recording, 8)


def test_what_was_learned_belongs_together(fitted, recording):
    d = fitted.decomposition_
    assert fitted.spikes_ is d.spikes
    assert fitted.sources_ is d.sources
    assert fitted.filters_ is d.filters
    assert d.unit_ids == ("MU01", "MU02", "MU03", "MU04", "MU05")
    assert d.sources.shape == (UNITS, recording.values_uV.shape[1])
    assert d.sources.dtype == np.float32
    assert d.filters.weights.shape == (UNITS, CHANNELS, d.filters.lags)
    heights = [d.sources[u, d.spike_samples(u)].mean() for u in range(UNITS)]
    np.testing.assert_allclose(heights, 1.0, rtol=1e-4)
    sizes = d.action_potentials.peak_to_peak_uV.max(axis=1)
    assert np.all(np.diff(sizes) <= 0)  # largest first
    assert d.parameters["method"] == "ConvolutiveBSS"
    assert d.parameters["seed"] == 0
    assert "5 units, 0 flagged" in repr(d)


def test_action_potentials_are_those_that_were_mixed(made, fitted, recording):
    _, _, templates = mixture(0, UNITS, CHANNELS, 2 * DURATION_S)
    pairs = score(fitted.spikes_, recording.truth.spikes).pairs
    found = fitted.decomposition_.action_potentials.values_uV
    for pair in pairs:
        energy = np.sqrt(np.sum(np.square(templates[pair.truth]) * 50.0**2))
        # Channels are filtered, not reshaped: the energy of a whole potential stays within a tenth.
        assert np.sqrt(np.sum(np.square(found[pair.found]))) == pytest.approx(energy, rel=0.1)


def test_progress_begins_and_ends(recording):
    seen = []
    method(starts=4, rounds=1, joint_passes=1).fit(recording, lambda *step: seen.append(step))
    assert seen[0][0] == "search"
    assert seen[0][1] == 0
    assert seen[-1][1] == seen[-1][2]


# The same again


def test_the_same_seed_gives_the_same_bits_whatever_the_threads(fitted, recording):
    assert identical(method().fit(recording).decomposition_, fitted.decomposition_)
    for threads in (1, 2):
        with threadpool_limits(limits=threads, user_api="blas"):
            assert identical(method().fit(recording).decomposition_, fitted.decomposition_)


def test_another_seed_has_other_starts_and_finds_the_same_units(fitted, recording):
    other = method(seed=1).fit(recording)
    assert not np.array_equal(other.sources_, fitted.sources_)
    assert_found(other.spikes_, recording)


def test_fit_forgets_what_was_fitted_before(fitted, recording):
    again = method().fit(recording.between(0, 5.0))
    assert identical(again.fit(recording).decomposition_, fitted.decomposition_)


def test_the_recording_stays_as_it_is(recording):
    before = recording.values_uV.copy()
    method(starts=4, rounds=1).fit(recording)
    np.testing.assert_array_equal(recording.values_uV, before)


# Other recordings


def test_transform_of_the_same_recording_agrees(fitted, recording):
    again = fitted.transform(recording)
    assert score(again.spikes, fitted.spikes_, max_lag_ms=0.0).roa_mean > 0.95
    assert again.unit_ids == fitted.decomposition_.unit_ids
    assert identical(fitted.decomposition_, method().fit(recording).decomposition_)  # nothing was changed


def test_transform_finds_the_same_units_later(fitted, made):
    whole = as_recording(*made)
    later = whole.between(DURATION_S, 2 * DURATION_S)
    found = fitted.transform(later)
    assert_found(found.spikes, later)
    assert found.spikes.t_start_s == pytest.approx(later.t_start_s)
    first = whole.between(0, DURATION_S).truth.spikes
    pairs = [score(fitted.spikes_, first).pairs, score(found.spikes, later.truth.spikes).pairs]
    before, after = ({pair.found_id: pair.truth for pair in some} for some in pairs)
    assert before == after


def test_transform_needs_a_fit_and_the_same_electrodes(fitted, recording):
    with pytest.raises(ParameterError, match="call fit first"):
        method().transform(recording)
    with pytest.raises(ParameterError, match=r"transform.recording.*12"):
        fitted.transform(recording.select(np.arange(5)))
    other = Recording(recording.values_uV, 3000.0)
    with pytest.raises(ParameterError, match=r"transform.recording.*Hz"):
        fitted.transform(other)


def test_transform_of_silence_finds_nothing(fitted, recording):
    quiet = np.random.default_rng(0).standard_normal(recording.values_uV.shape)
    assert fitted.transform(changed(recording, 1e-3 * quiet)).spikes.counts.sum() == 0


def test_a_recording_that_starts_later_has_later_spikes(made, fitted):
    x, trains = made
    n = round(DURATION_S * RATE_HZ)
    late = as_recording(x[:, :n], [t[t < n] for t in trains], t_start_s=100.0)
    found = method().fit(late)
    assert found.spikes_.t_start_s == 100.0
    np.testing.assert_allclose(found.spikes_.times_s - 100.0, fitted.spikes_.times_s, atol=1e-6)
    assert np.array_equal(found.decomposition_.spike_samples(0), fitted.decomposition_.spike_samples(0))


# The same recording in other clothes


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e9])
def test_the_scale_is_of_no_matter(fitted, recording, scale):
    found = method().fit(changed(recording, scale * recording.values_uV.astype(np.float64)))
    np.testing.assert_array_equal(found.spikes_.times_s, fitted.spikes_.times_s)


def test_the_kind_of_the_numbers_is_of_no_matter(recording):
    values = np.rint(20 * recording.values_uV)
    plain, *others = (
        method().fit(changed(recording, values.astype(kind))).decomposition_
        for kind in ("float64", "float32", "int16", "int32")
    )
    assert_found(plain.spikes, recording)
    assert all(np.array_equal(plain.spikes.times_s, other.spikes.times_s) for other in others)


def test_the_order_of_the_channels_is_of_no_matter(fitted, recording):
    order = np.random.default_rng(0).permutation(CHANNELS)
    found = method().fit(recording.select(order))
    agreement = score(found.spikes_, fitted.spikes_)
    assert agreement.good == agreement.found == UNITS
    assert agreement.f1_mean > 0.99


def test_an_offset_is_of_no_matter(fitted, recording):
    offset = np.linspace(-2000, 2000, CHANNELS)[:, None]
    found = method().fit(changed(recording, recording.values_uV + offset))
    assert score(found.spikes_, fitted.spikes_).good == UNITS


# Bad channels


def spoilt(kind, values):
    values, rng = values.copy(), np.random.default_rng(0)
    if kind == "flat":
        values[3] = 7.0
    elif kind == "noisy":
        values[3] = 1e4 * rng.standard_normal(values.shape[1])
    elif kind == "huge":
        values[3] *= 1e6
    elif kind == "twin":
        values[3] = values[2]
    elif kind == "gap":
        values[3, 500:700] = np.nan
    elif kind == "clipped":
        values[3] = np.clip(values[3], *np.quantile(values[3], [0.02, 0.98]))
    return values


@pytest.mark.parametrize("kind", ["flat", "noisy", "huge", "twin", "gap", "clipped"])
def test_a_bad_channel_is_dropped_and_named(recording, kind):
    found = method().fit(changed(recording, spoilt(kind, recording.values_uV)))
    assert list(found.decomposition_.bad) == ["E04"]
    assert 3 not in found.filters_.kept
    assert_found(found.spikes_, recording)


def test_channels_that_nearly_repeat_others_do_no_harm(recording):
    """Sums of other channels: no two are alike, yet the covariance lacks rank."""
    values = np.vstack([recording.values_uV, recording.values_uV[:4] + recording.values_uV[4:8]])
    assert_found(method().fit(changed(recording, values)).spikes_, recording)


def test_noise_in_place_of_a_channel_with_gaps(recording):
    values = spoilt("gap", recording.values_uV)
    found = method(preprocessing=Preprocessing(bad_channels="noise")).fit(changed(recording, values))
    assert list(found.decomposition_.bad) == ["E04"]
    assert len(found.filters_.kept) == CHANNELS
    assert_found(found.spikes_, recording)


def test_drift_and_mains_do_not_hide_action_potentials(fitted, recording):
    t = np.arange(recording.values_uV.shape[1]) / RATE_HZ
    disturbance = 500 * np.sin(2 * np.pi * 0.3 * t) + 100 * np.sin(2 * np.pi * 50 * t)
    found = method().fit(changed(recording, recording.values_uV + disturbance))
    pairs = score(found.spikes_, fitted.spikes_).pairs
    assert len(pairs) == UNITS
    sizes = [
        np.linalg.norm(f.decomposition_.action_potentials.values_uV, axis=(1, 2)) for f in (fitted, found)
    ]
    for pair in pairs:
        assert sizes[1][pair.found] == pytest.approx(sizes[0][pair.truth], rel=0.1)


# Nothing to be found


@pytest.mark.parametrize("seed", range(3))
def test_noise_holds_no_unit_which_is_an_answer(seed):
    values = np.random.default_rng(seed).standard_normal((CHANNELS, 20_000))
    found = method(least_spikes=20).fit(Recording(values, RATE_HZ))
    d = found.decomposition_
    assert len(d) == len(d.spikes) == 0
    assert any("No unit" in note for note in d.notes)
    assert d.sources.shape == (0, 20_000)
    assert d.filters.weights.shape[:2] == (0, CHANNELS)
    assert d.action_potentials is None
    assert len(found.transform(Recording(values, RATE_HZ))) == 0


def test_silent_parts_do_no_harm(recording):
    """Digital silence before and after the contraction, and a pause within."""
    values = np.pad(recording.values_uV, ((0, 0), (6000, 9000)))
    values[:, 15_000:17_000] = 0.0
    with np.errstate(divide="raise", invalid="raise"):
        found = method().fit(Recording(values, RATE_HZ))
    truth = recording.truth.spikes
    assert len(found.spikes_) == UNITS
    agreement = score(found.spikes_, truth.__class__.from_trains(
        [t + 6000 / RATE_HZ for t in truth], values.shape[1] / RATE_HZ))  # fmt: skip
    assert agreement.good == UNITS


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.zeros((8, 9000)), "flat"),
        (np.full((8, 9000), 3.0), "flat"),
        (np.random.default_rng(0).standard_normal((3, 9000)), "3 good of 3 channels where 4"),
        (np.random.default_rng(0).standard_normal((8, 900)), "at least 1 s"),
        (np.full((8, 9000), np.nan), "NaN"),
    ],
)
def test_what_cannot_be_decomposed_is_refused_with_the_reason(values, match):
    with pytest.raises(ParameterError, match=match):
        method().fit(Recording(values, RATE_HZ))


@pytest.mark.parametrize("rate_hz", [10.0, 50.0, 100.0])
def test_a_rate_that_holds_no_emg_is_refused(recording, rate_hz):
    with pytest.raises(ParameterError, match="sampling rate"):
        method().fit(Recording(recording.values_uV, rate_hz))


@pytest.mark.parametrize("channels", [6, 12])
def test_a_slow_rate_with_few_channels(recording, channels):
    """Where the rule for the lags would give more than an action potential has."""
    slow = Recording(decimate(recording.values_uV, 2, axis=1)[:channels], RATE_HZ / 2)
    found = ConvolutiveBSS(starts=16, rounds=2).fit(slow)
    assert len(found.spikes_) > 0
    assert score(found.spikes_, recording.truth.spikes).unit_precision == 1.0


def test_filters_longer_than_an_action_potential_are_refused(recording):
    with pytest.raises(ParameterError) as caught:
        method(lags=100).fit(recording)
    assert caught.value.field == "ConvolutiveBSS.lags"


@settings(max_examples=15, deadline=None)
@given(
    st.integers(4, 7),
    st.integers(2048, 5000),
    st.sampled_from(["white", "heavy", "sparse", "steps", "clipped", "rare"]),
    st.integers(0, 2**31),
)
def test_any_small_recording_gives_an_answer_or_one_clear_error(channels, samples, kind, seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((channels, samples))
    if kind == "heavy":
        values = rng.standard_cauchy((channels, samples))
    elif kind == "sparse":
        values *= rng.random(samples) < 0.01
    elif kind == "steps":
        values = np.cumsum(np.rint(values), axis=1)
    elif kind == "clipped":
        values = np.clip(values, -0.5, 0.5)
    elif kind == "rare":
        values[:, :] = 0
        values[:, rng.integers(0, samples, 3)] = 1e5 * rng.standard_normal((channels, 3))
    try:
        with np.errstate(divide="raise", invalid="raise", over="raise"):
            found = method(starts=8).fit(Recording(values, RATE_HZ)).decomposition_
    except MyoloopError:
        return
    assert np.all(np.isfinite(found.sources))
    assert np.all(np.isfinite(found.filters.weights))
    assert np.all(found.spikes.times_s < samples / RATE_HZ)


# Contrasts and lags


@pytest.mark.parametrize("contrast", [Swarm(), Kurtosis(), LogCosh(), Skewness(), BoundedSkewness(limit=3.0)])
def test_every_contrast_runs(recording, contrast):
    found = method(contrast=contrast).fit(recording)
    agreement = score(found.spikes_, recording.truth.spikes)
    assert agreement.unit_precision == 1.0 or agreement.found == 0
    if not isinstance(contrast, LogCosh):
        assert agreement.good >= UNITS - 1


@pytest.mark.parametrize("lags", [1, 8, 40])
def test_filters_have_the_lags_that_were_asked_for(recording, lags):
    assert method(lags=lags, rounds=1, starts=8).fit(recording).filters_.lags == lags
