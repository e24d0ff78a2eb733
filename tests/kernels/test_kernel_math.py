"""Elementary functions of the kernels, against extended precision."""

from __future__ import annotations

import numpy as np
import pytest

from myoloop.kernels import _math  # noqa: F401  gives `exp` its compiled form
from myoloop.kernels._functions import clamp, crossing, divide_pair, exp, exp_bounded
from myoloop.kernels._precision import compile_function


def fill(x, out):
    for i in range(len(x)):
        out[i] = exp(x[i])


def half(x, out):
    for i in range(len(x)):
        out[i] = 0.1 * x[i]


RANGES = {np.float32: (-87.0, 88.0), np.float64: (-708.0, 709.0)}


@pytest.fixture(params=[np.float32, np.float64], ids=["single", "double"])
def dtype(request):
    return np.dtype(request.param)


def evaluate(x, dtype):
    out = np.empty_like(x)
    compile_function(fill, dtype)(x, out)
    return out


def test_exp_is_right_to_two_machine_epsilons(dtype):
    low, high = RANGES[dtype.type]
    rng = np.random.default_rng(0)
    x = np.concatenate([np.linspace(low, high, 300_001), rng.uniform(-1, 1, 50_000), [0.0, low, high]])
    x = np.clip(x.astype(dtype), low, high)
    exact = np.exp(x.astype(np.longdouble))
    error = np.abs(evaluate(x, dtype) / exact - 1)
    assert error.max() < 2 * np.finfo(dtype).eps


def test_exp_of_0_is_1(dtype):
    assert evaluate(np.zeros(1, dtype), dtype)[0] == 1.0


def test_exp_is_held_finite_and_above_0_beyond_its_range(dtype):
    with np.errstate(over="ignore"):
        x = np.array([-1e30, -800.0, 800.0, 1e30], dtype)
    values = evaluate(x, dtype)
    assert np.all(np.isfinite(values))
    assert np.all(values > 0)
    assert values[0] == values[1] < values[2] == values[3]


def test_literals_take_the_precision_of_the_kernel(dtype):
    x = np.linspace(-3, 3, 1000).astype(dtype)
    out = np.empty_like(x)
    compile_function(half, dtype)(x, out)
    np.testing.assert_array_equal(out, dtype.type(0.1) * x)


def test_the_plain_form_is_numpys_own():
    assert exp(1.0) == np.exp(1.0)


def others(x, y, out):
    for i in range(len(x)):
        first, second = divide_pair(x[i], y[i], 2.0 * x[i], 3.0 * y[i])
        out[0, i], out[1, i] = first, second
        out[2, i] = clamp(x[i], -0.5, 0.25)
        out[3, i] = exp_bounded(x[i])
        out[4, i] = crossing(1.0, x[i], y[i])


def test_the_other_functions_are_their_plain_forms(dtype):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-2, 2, 1000).astype(dtype), rng.uniform(0.5, 3, 1000).astype(dtype)
    out = np.empty((5, 1000), dtype)
    compile_function(others, dtype)(x, y, out)
    below = (x < 1) & (y >= 1)
    reached = np.where(below, (1 - x) / np.where(below, y - x, 1), 0.0)
    expected = [x / y, 2 * x / (3 * y), np.clip(x, -0.5, 0.25), np.exp(x), np.where(x >= 1, 1e-6, reached)]
    np.testing.assert_allclose(out, expected, rtol=8 * np.finfo(dtype).eps)
    assert 100 < below.sum() < 900


def test_a_crossing_lies_in_the_step():
    assert [crossing(50.0, *pair) for pair in ((0.0, 49.9), (0.0, 50.0), (40.0, 60.0), (60.0, 20.0))] == [
        0.0,
        1.0,
        0.5,
        1e-6,
    ]
