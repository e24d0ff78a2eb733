"""Elementary functions of the kernels, against extended precision."""

from __future__ import annotations

import numpy as np
import pytest

from myoloop.kernels import _math  # noqa: F401  gives `exp` its compiled form
from myoloop.kernels._functions import exp
from myoloop.kernels._precision import compile_function


def fill(x, out):
    for i in range(len(x)):
        out[i] = exp(x[i])


def half(x, out):
    for i in range(len(x)):
        out[i] = 0.1 * x[i]


ULPS = {np.float32: 1.5, np.float64: 2.5}
RANGES = {np.float32: (-87.0, 88.0), np.float64: (-708.0, 709.0)}


@pytest.fixture(params=[np.float32, np.float64], ids=["single", "double"])
def dtype(request):
    return np.dtype(request.param)


def evaluate(x, dtype):
    out = np.empty_like(x)
    compile_function(fill, dtype)(x, out)
    return out


def test_exp_is_right_to_a_few_units_in_the_last_place(dtype):
    low, high = RANGES[dtype.type]
    rng = np.random.default_rng(0)
    x = np.concatenate([np.linspace(low, high, 100_001), rng.uniform(-1, 1, 50_000), [0.0, low, high]])
    x = np.clip(x.astype(dtype), low, high)
    exact = np.exp(x.astype(np.longdouble))
    ulp = np.spacing(exact.astype(dtype)).astype(np.longdouble)
    assert np.abs((evaluate(x, dtype) - exact) / ulp).max() < ULPS[dtype.type]


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
