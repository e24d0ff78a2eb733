"""The extended signals as an operator, against the matrix that is never built."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myoloop.decompose._separation._extended import BLOCK, FOLDS, ExtendedSignal

LAGS = 1, 2, 7, 16, 62, 100
SAMPLES = 5, 100, 241, 1000, 9000  # shorter than a block, at its border, several of them, several folds


def signals(channels=3, samples=1000, seed=0):
    return np.random.default_rng(seed).standard_normal((channels, samples)).astype(np.float32)


def extended(x, lags):
    """The plain matrix, shape (channels, lags, samples): row l is ``x[t + l - lags // 2]``, 0 outside."""
    channels, samples = x.shape
    padded = np.zeros((channels, samples + 2 * lags))
    padded[:, lags : lags + samples] = x
    first = lags - lags // 2
    return np.stack([padded[:, first + lag : first + lag + samples] for lag in range(lags)], axis=1)


def nearly(found, expected):
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("lags", LAGS)
def test_sources_and_correlations_are_those_of_the_extended_matrix(lags, samples):
    rng = np.random.default_rng(lags)
    x, weights = signals(samples=samples), rng.standard_normal((4, 3, lags)).astype(np.float32)
    signal, plain = ExtendedSignal(x, lags), extended(x, lags)
    nearly(signal.sources(weights), np.einsum("ncl,clt->nt", weights, plain))
    g = rng.standard_normal((4, samples)).astype(np.float32)
    nearly(signal.correlation(g), np.einsum("nt,clt->ncl", g, plain) / samples)


@pytest.mark.parametrize("lags", LAGS)
def test_correlation_is_the_adjoint_of_filtering(lags):
    rng = np.random.default_rng(lags)
    weights = rng.standard_normal((1, 3, lags)).astype(np.float32)
    g = rng.standard_normal((1, 5000)).astype(np.float32)
    signal = ExtendedSignal(signals(samples=5000), lags)
    one = float((signal.sources(weights).astype(np.float64) * g).mean())
    other = float((signal.correlation(g).astype(np.float64) * weights).sum())
    assert one == pytest.approx(other, abs=1e-5)


def test_sources_are_linear_in_the_weights_and_independent_of_their_company():
    rng = np.random.default_rng(1)
    weights = rng.standard_normal((3, 3, 16)).astype(np.float32)
    signal = ExtendedSignal(signals(), 16)
    together = signal.sources(weights)
    nearly(together[1], signal.sources(weights[1:2])[0])
    nearly(signal.sources(2 * weights[:1] - weights[1:2]), 2 * together[:1] - together[1:2])


@pytest.mark.parametrize("lags", LAGS)
@pytest.mark.parametrize("samples", [100, 5000])
def test_covariance_is_that_of_signals_that_are_zero_beyond_their_ends(lags, samples):
    x = signals(samples=samples)
    whole = np.pad(x, ((0, 0), (lags, lags)))  # every delayed copy is whole, so that it is stationary
    plain = extended(whole, lags).reshape(3 * lags, -1)
    covariance = ExtendedSignal(x, lags).covariance()
    nearly(covariance, plain @ plain.T / samples)
    assert np.array_equal(covariance, covariance.T)


@pytest.mark.parametrize(("lags", "samples"), [(16, 300), (62, 100), (62, 3000)])
def test_covariance_is_positive_semidefinite_whatever_the_length(lags, samples):
    covariance = ExtendedSignal(signals(samples=samples), lags).covariance()
    eigenvalues = np.linalg.eigvalsh(covariance.astype(np.float64))
    assert eigenvalues[0] > -2e-6 * eigenvalues[-1]


def test_output_power_of_a_filter_is_its_covariance_form():
    x, weights = signals(samples=20_000), signals(3, 16, seed=2)[None]
    signal = ExtendedSignal(x, 16)
    flat = weights.reshape(-1)
    assert np.mean(signal.sources(weights) ** 2) == pytest.approx(flat @ signal.covariance() @ flat, rel=0.01)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 30), st.integers(1, 3000), st.integers(0, 2**31))
def test_any_shape(channels, lags, samples, seed):
    x = signals(channels, samples, seed)
    weights = signals(channels, lags, seed + 1)[None]
    signal, plain = ExtendedSignal(x, lags), extended(x, lags)
    nearly(signal.sources(weights), np.einsum("ncl,clt->nt", weights, plain))
    nearly(signal.correlation(x), np.einsum("nt,clt->ncl", x, plain) / samples)


@pytest.mark.parametrize("lags", LAGS)
def test_extended_signals_at_samples_are_columns_of_the_matrix(lags):
    x = signals(samples=200)
    samples = np.array([0, 1, 99, 198, 199])
    expected = np.moveaxis(extended(x, lags)[:, :, samples], 2, 0)
    np.testing.assert_array_equal(ExtendedSignal(x, lags).at(samples), expected.astype(np.float32))


@pytest.mark.parametrize("lags", LAGS)
def test_means_at_spikes_are_those_of_the_whole_snippets(lags):
    x = signals(samples=9000)
    train = np.array([0, 3, 150, 600, 601, 4000, 8800, 8998])
    plain = extended(x, lags)
    inside = train[(train >= lags // 2) & (train + lags - lags // 2 <= 9000)]
    nearly(ExtendedSignal(x, lags).mean_at([train])[0], plain[:, :, inside].mean(axis=2))


def test_mean_of_no_spikes_is_zero():
    signal = ExtendedSignal(signals(), 16)
    nothing = np.empty(0, np.int64)
    assert not signal.mean_at([nothing]).any()
    assert not signal.means_without_fold([nothing], -8, 16).any()


def test_folds_divide_the_samples_into_runs_of_about_a_second():
    signal = ExtendedSignal(signals(samples=30_000), 16)
    fold = signal.fold_of(np.arange(30_000))
    assert set(fold) == set(range(FOLDS))
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[-1], fold, [-1]]))))
    assert len(np.unique(runs[:-1])) == 1
    assert runs[0] == 8 * (BLOCK - 15)
    shares = np.bincount(fold) / len(fold)
    assert shares.min() > 0.15


@pytest.mark.parametrize("samples", [226, 233, 241, 4000])
def test_spikes_just_outside_have_the_fold_next_to_them(samples):
    """Trains that are moved by a lag may leave the signals."""
    signal = ExtendedSignal(signals(samples=samples), 16)
    fold = signal.fold_of(np.array([-30, -1, 0, samples - 1, samples, samples + 30]))
    assert fold[0] == fold[1] == fold[2] == 0
    assert set(fold[3:]) <= {fold[3], (fold[3] + 1) % FOLDS}


@pytest.mark.parametrize("lags", [1, 16, 62, 100])
def test_crossed_sources_take_each_second_from_the_filter_of_its_fold(lags):
    rng = np.random.default_rng(3)
    x = signals(samples=20_000)
    signal = ExtendedSignal(x, lags)
    weights = rng.standard_normal((2, FOLDS, 3, lags)).astype(np.float32)
    each = np.stack([signal.sources(weights[:, k]) for k in range(FOLDS)])
    fold = signal.fold_of(np.arange(20_000))
    expected = np.take_along_axis(each, np.broadcast_to(fold, (1, 2, 20_000)), axis=0)[0]
    nearly(signal.crossed_sources(weights), expected)


@pytest.mark.parametrize("samples", [60, 300, 5000, 20_000])
def test_crossed_sources_of_equal_filters_are_the_sources(samples):
    weights = signals(3, 16, seed=4)[None]
    signal = ExtendedSignal(signals(samples=samples), 16)
    crossed = signal.crossed_sources(np.repeat(weights[:, None], FOLDS, axis=1))
    nearly(crossed, signal.sources(weights))


@pytest.mark.parametrize(("first", "length"), [(-8, 16), (-25, 57), (5, 9)])
def test_means_without_a_fold_leave_its_spikes_out(first, length):
    rng = np.random.default_rng(5)
    x = signals(samples=20_000)
    signal = ExtendedSignal(x, 16)
    train = np.sort(rng.choice(20_000, 80, replace=False))
    inside = train[(train + first >= 0) & (train + first + length <= 20_000)]
    fold = signal.fold_of(inside)
    for k, found in enumerate(signal.means_without_fold([train], first, length)[0]):
        snippets = [x[:, s + first : s + first + length] for s in inside[fold != k]]
        nearly(found, np.mean(snippets, axis=0, dtype=np.float64))


def test_a_fold_that_holds_every_spike_leaves_nothing():
    signal = ExtendedSignal(signals(samples=20_000), 16)
    train = np.array([50, 60, 700])
    means = signal.means_without_fold([train], -8, 16)[0]
    assert not means[0].any()
    for k in range(1, FOLDS):
        np.testing.assert_array_equal(means[k], signal.mean_at([train])[0])


def test_loudest_blocks_are_the_loud_part():
    x = signals(samples=20_000) * np.float32(0.1)
    x[:, 6000:9000] *= 100
    signal = ExtendedSignal(x, 16)
    weights = signals(3, 16, seed=6)[None]
    blocks = signal.loudest(0.1)
    assert blocks.n_samples == round(0.1 * signal.n_blocks) * signal.hop
    loud, everything = blocks.sources(weights)[0], signal.sources(weights)[0]
    starts = loud.reshape(-1, signal.hop)
    whole = np.pad(everything, (0, signal.n_blocks * signal.hop - len(everything))).reshape(-1, signal.hop)
    at = [int(np.argmin(np.abs(whole - start).sum(axis=1))) for start in starts]
    nearly(starts, whole[at])
    assert min(at) >= 6000 // signal.hop - 1
    assert max(at) <= 9000 // signal.hop + 1


def test_all_blocks_are_the_whole_signal():
    x = signals(samples=5000)
    signal, blocks = ExtendedSignal(x, 16), ExtendedSignal(x, 16).loudest(1.0)
    weights = signals(3, 16, seed=7)[None]
    whole, some = signal.sources(weights)[0], blocks.sources(weights)[0]
    assert len(some) == blocks.n_samples
    assert np.sort(some)[-100:] == pytest.approx(np.sort(whole)[-100:], abs=1e-4)
    scale = np.float32(blocks.n_samples / 5000)
    np.testing.assert_allclose(scale * blocks.correlation(blocks.sources(weights)), signal.correlation(
        signal.sources(weights)), atol=0.02)  # fmt: skip


def test_a_signal_as_long_as_one_sample():
    x = np.array([[2.0], [3.0]], np.float32)
    signal = ExtendedSignal(x, 3)
    weights = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    nearly(signal.sources(weights), np.array([[2 * 1 + 3 * 4]]))
