"""The compiled motor neuron works on whole vectors of cells, in the precision that was asked for."""

from __future__ import annotations

import platform
import re
from collections import Counter

import numpy as np
import pytest
from numba import types

from myoloop.kernels._advance import _cells_kernel
from myoloop.neurons import LIF, Izhikevich, TwoCompartmentMotorNeuron

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"),
    reason="reads x86 assembly; this is another machine",
)
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
FLOATS = {"state", "constants", "inputs", "crossings"}


def assembly(model, dtype):
    """Machine code of the loop over cells, compiled anew: what comes from a cache cannot be read."""
    kernel = _cells_kernel.__wrapped__(model, dtype)
    real = types.float32 if dtype == SINGLE else types.float64
    kinds = {"dt": real, **{name: types.Array(real, 1, "C") for name in FLOATS}}
    code = kernel.py_func.__code__
    kernel.compile(tuple(kinds.get(name, types.int64) for name in code.co_varnames[: code.co_argcount]))
    (text,) = kernel.inspect_asm().values()
    assert len(text) > 1000
    return text


def instructions(text):
    """How often each instruction occurs."""
    return Counter(re.findall(r"^\s+([a-z]\w+)\s", text, re.MULTILINE))


def number_of(found, pattern):
    return sum(n for name, n in found.items() if re.fullmatch(pattern, name))


ARITHMETIC = r"v?(fn?m\w+|mul|add|sub|div)"


@pytest.fixture(scope="module", params=[SINGLE, DOUBLE], ids=["single", "double"])
def vector_loop(request):
    """Precision and instructions of the stretch between two labels that holds most vector arithmetic.

    Beside it lies a scalar loop for arrays that overlap, which ours never do.
    """
    precision = "s" if request.param == SINGLE else "d"
    text = assembly(TwoCompartmentMotorNeuron, request.param)
    stretches = [instructions(part) for part in re.split(r"^[.\w$]+:", text, flags=re.MULTILINE)]
    return precision, max(stretches, key=lambda found: number_of(found, rf"{ARITHMETIC}p{precision}"))


def test_divisions_and_products_are_packed(vector_loop):
    precision, found = vector_loop
    assert number_of(found, rf"v?(div|rcp\w*)p{precision}") >= 3
    assert number_of(found, rf"{ARITHMETIC}p{precision}") >= 150


def test_no_arithmetic_is_scalar(vector_loop):
    precision, found = vector_loop
    assert number_of(found, rf"{ARITHMETIC}s{precision}") == 0


def test_nothing_is_gathered_or_scattered(vector_loop):
    _, found = vector_loop
    assert number_of(found, r"v\w*(gather|scatter)\w*") == 0


def test_no_function_is_called_for_an_exponential(vector_loop):
    _, found = vector_loop
    assert number_of(found, "call[a-z]*") == 0


@pytest.mark.parametrize("model", [TwoCompartmentMotorNeuron, LIF, Izhikevich])
def test_a_single_precision_kernel_computes_nothing_in_double_precision(model):
    found = instructions(assembly(model, SINGLE))
    assert number_of(found, r"v?cvt(ss2sd|ps2pd|sd2ss|pd2ps)") == 0
    assert number_of(found, rf"{ARITHMETIC}[sp]d") == 0
