"""Contrast functions against what they are said to be, and the fixed points of the iteration."""

import numpy as np
import pytest

from myoloop.decompose import (
    BoundedSkewness,
    Contrast,
    ConvolutiveBSS,
    Kurtosis,
    LogCosh,
    Power,
    Skewness,
    Swarm,
)
from myoloop.decompose._separation._climb import climb, random_starts
from myoloop.decompose._separation._extended import ExtendedSignal
from myoloop.decompose._separation._whitening import Whitening
from myoloop.errors import ParameterError


def bounded(limit):
    """The integral of min(|s|, limit)^2."""
    return lambda s: (
        np.sign(s)
        * np.where(np.abs(s) < limit, np.abs(s) ** 3 / 3, limit**2 * (np.abs(s) - limit) + limit**3 / 3)
    )


STATED = {
    "skewness": (Skewness(), lambda s: s**3 / 3),
    "bounded": (BoundedSkewness(), bounded(5.0)),
    "narrow": (BoundedSkewness(limit=1.5), bounded(1.5)),
    "kurtosis": (Kurtosis(), lambda s: s**4 / 4),
    "logcosh": (LogCosh(), lambda s: np.log(np.cosh(s))),
    "power": (Power(exponent=3.7), lambda s: np.sign(s) * np.abs(s) ** 3.7 / 3.7),
    "square": (Power(exponent=2.0), lambda s: np.sign(s) * np.abs(s) ** 2 / 2),
}
SYMMETRIC = "kurtosis", "logcosh"  # which need no skewed sources
every = pytest.mark.parametrize("name", STATED)


def unit_power(seed=0, n=3, samples=20_000, skewed=True):
    """Sources with mean 0 and power 1."""
    s = np.random.default_rng(seed).exponential(size=(n, samples)) - 1.0
    s = s if skewed else np.random.default_rng(seed).laplace(size=(n, samples))
    s -= s.mean(axis=1, keepdims=True)
    return s / np.sqrt(np.mean(s**2, axis=1, keepdims=True))


@every
def test_slope_is_the_derivative_of_the_contrast(name):
    contrast, function = STATED[name]
    s = unit_power()
    slope, _ = contrast.slope(s.astype(np.float32))
    h = 1e-4
    expected = (function(s + h) - function(s - h)) / (2 * h)
    assert slope.dtype == np.float32
    np.testing.assert_allclose(slope, expected, rtol=2e-4, atol=2e-4)


@every
def test_mean_derivative_is_the_mean_of_the_second_derivative(name):
    contrast, function = STATED[name]
    s = unit_power()
    _, derivative = contrast.slope(s.astype(np.float32))
    h = 1e-3
    second = (function(s + h) - 2 * function(s) + function(s - h)) / h**2
    assert derivative.shape == (3,)
    assert derivative.dtype == np.float32
    np.testing.assert_allclose(derivative, second.mean(axis=1), rtol=2e-3, atol=2e-3)


def test_power_three_is_the_skewness_without_its_bound():
    s = unit_power().astype(np.float32)
    for one in (Power(exponent=3.0), BoundedSkewness(limit=1e6)):
        np.testing.assert_allclose(one.slope(s.copy())[0], Skewness().slope(s.copy())[0], rtol=1e-5)


def toy(scale=1.0, skewed=True, seed=0):
    """Two sources mixed without delay, and the matrix that mixed them."""
    s = unit_power(seed, 2, 40_000, skewed)
    mixing = np.array([[1.0, 0.6], [0.3, -1.2]])
    return s, mixing, (scale * mixing @ s).astype(np.float32)


def climbed(x, contrast, iterations=60, starts=6, seed=0):
    signal = ExtendedSignal(x, 1)
    whitening = Whitening(signal.covariance(), 1e-6)
    weights = random_starts(signal, whitening, starts, np.random.default_rng(seed))
    return climb(signal.loudest(1.0), whitening, weights, contrast, iterations)[:, :, 0]


@pytest.mark.parametrize("name", [name for name in STATED if name != "square"])  # which all sources share
def test_fixed_points_unmix_two_sources(name):
    contrast, _ = STATED[name]
    _, mixing, x = toy(skewed=name not in SYMMETRIC)
    through = np.abs(climbed(x, contrast) @ mixing)
    leak = through.min(axis=1) / through.max(axis=1)
    assert np.all(leak < 0.05)
    assert set(through.argmax(axis=1)) == {0, 1}  # each is found from some start


@every
@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_scale_of_the_signals_is_of_no_matter(name, scale):
    contrast, _ = STATED[name]
    plain, scaled = (climbed(toy(factor, name not in SYMMETRIC)[2], contrast, 5) for factor in (1.0, scale))
    plain, scaled = (w / np.linalg.norm(w, axis=1, keepdims=True) for w in (plain, scaled))
    np.testing.assert_allclose(np.abs(np.sum(plain * scaled, axis=1)), 1.0, atol=1e-4)


@every
def test_the_iteration_is_that_of_whitened_signals(name):
    """The plain form, on signals that are whitened first, from the same start."""
    contrast, _ = STATED[name]
    x = toy(7.0, name not in SYMMETRIC, seed=2)[2].astype(np.float64)
    value, vector = np.linalg.eigh(x @ x.T / x.shape[1])
    whiten = vector / np.sqrt(value)  # z = whiten' x
    signal = ExtendedSignal(x.astype(np.float32), 1)
    start = np.array([[[0.2], [0.9]]], np.float32)
    found = climb(signal.loudest(1.0), Whitening(signal.covariance(), 1e-7), start, contrast, 3)[0, :, 0]
    w = np.linalg.solve(whiten, start[0, :, 0])
    for _ in range(3):
        w /= np.linalg.norm(w)
        z = whiten.T @ x
        slope, derivative = contrast.slope((w @ z)[None].astype(np.float32))
        w = z @ slope[0] / x.shape[1] - derivative[0] * w
    b = whiten @ w
    assert abs(b @ found) / np.linalg.norm(b) / np.linalg.norm(found) == pytest.approx(1.0, abs=1e-4)


def test_a_source_of_zeros_does_not_become_nan():
    signal = ExtendedSignal(np.zeros((2, 1000), np.float32), 1)
    x = toy()[2]
    start = np.ones((1, 2, 1), np.float32)
    blocks, whitening = signal.loudest(1.0), Whitening(np.eye(2, dtype=np.float32), 1e-6)
    with np.errstate(all="raise"):
        assert np.all(np.isfinite(climb(blocks, whitening, start, Skewness(), 3)))
        signal = ExtendedSignal(x, 1)
        nothing = np.zeros_like(start)
        assert np.all(np.isfinite(climb(signal.loudest(0.5), whitening, nothing, Skewness(), 3)))


def test_one_instant_rules_the_skewness_but_not_the_bounded_one():
    """A loud artefact: the filter matched to it is where the skewness climbs to."""
    s, _, x = toy(seed=1)
    x[:, 20_000] += (60 * np.array([0.4, 1.0])).astype(np.float32)
    inside = np.arange(40_000) != 20_000
    worst = {}
    for contrast in (Skewness(), BoundedSkewness()):
        out = climbed(x, contrast) @ x
        agreement = np.abs(np.corrcoef(out[:, inside], s[:, inside])[: len(out), len(out) :])
        worst[type(contrast)] = agreement.max(axis=1).min()
    assert worst[BoundedSkewness] > 0.99
    assert worst[Skewness] < 0.95


def test_each_start_of_a_swarm_keeps_its_member():
    """Also where another before it has settled and is climbed no more."""

    class Restless(Contrast):
        """Never settles, and counts the sources that it is given."""

        def __init__(self):
            self.rng, self.given = np.random.default_rng(0), []

        def slope(self, s):
            self.given.append(len(s))
            return self.rng.standard_normal(s.shape).astype(np.float32), np.zeros(len(s), np.float32)

    signal = ExtendedSignal(toy(seed=4)[2], 1)
    whitening, blocks = Whitening(signal.covariance(), 1e-6), signal.loudest(1.0)
    settled = climb(blocks, whitening, np.ones((1, 2, 1), np.float32), Skewness(), 60)
    restless = Restless()
    climb(blocks, whitening, np.repeat(settled, 2, axis=0), Swarm((Skewness(), restless)), 4)
    assert restless.given == [1, 1, 1, 1]


@pytest.mark.parametrize("sources", [1, 2, 3, 8])
def test_a_swarm_applies_its_members_in_turn(sources):
    members = Skewness(), Kurtosis(), Power(exponent=2.5)
    s = unit_power(3, sources, 500).astype(np.float32)
    g, derivative = Swarm(members).slope(s.copy())
    for i in range(sources):
        expected, mean = members[i % 3].slope(s[i : i + 1].copy())
        np.testing.assert_array_equal(g[i], expected[0])
        assert derivative[i] == mean[0]


@every
def test_a_contrast_is_one_and_says_what_it_is(name):
    contrast, _ = STATED[name]
    assert isinstance(contrast, Contrast)
    assert contrast.to_dict()["model"] == type(contrast).__name__
    assert ConvolutiveBSS(contrast=contrast).contrast == contrast


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: BoundedSkewness(limit=1.0), "BoundedSkewness.limit"),
        (lambda: BoundedSkewness(limit=float("nan")), "BoundedSkewness.limit"),
        (lambda: Power(exponent=1.9), "Power.exponent"),  # of infinite slope at 0
        (lambda: Power(exponent=float("inf")), "Power.exponent"),
        (lambda: Swarm(()), "Swarm.members"),
        (lambda: Swarm((Skewness(), 3)), "Swarm.members"),
        (lambda: Swarm(("skewness",)), "Swarm.members"),
        (lambda: Swarm((Skewness,)), "Swarm.members"),
        (lambda: ConvolutiveBSS(contrast="skewness"), "ConvolutiveBSS.contrast"),
        (lambda: ConvolutiveBSS(contrast=None), "ConvolutiveBSS.contrast"),
    ],
)
def test_what_is_no_contrast_is_refused(make, field):
    with pytest.raises(ParameterError) as caught:
        make()
    assert caught.value.field == field
