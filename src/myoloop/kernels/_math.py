"""Elementary functions that the compiler can vectorise.

Numba without Intel's SVML calls the C library for each `exp` (50-65 ns); the polynomial forms here
take about 1 ns in a vectorised loop.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from ._functions import exp
from ._precision import implement


def _exp_single(x: Any) -> Any:
    x = clamp(x, -87.0, 88.0)
    n = rint(x * 1.4426950408889634)
    # ln 2 in two parts, the first with trailing zero bits so that its product with n is exact.
    r = (x - n * 0.693359375) - n * -2.12194440e-4
    p = 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return times_power_of_two(p, n)


def _exp_double(x: Any) -> Any:
    x = clamp(x, -708.0, 709.0)
    n = rint(x * 1.4426950408889634)
    r = (x - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6
    p = 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return times_power_of_two(p, n)


@intrinsic
def clamp(typingctx: Any, x: Any, low: Any, high: Any) -> Any:
    """x held between low and high: two instructions, where comparisons make four."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, bottom, top = args
        two = ir.FunctionType(value.type, [value.type, value.type])
        larger = builder.module.declare_intrinsic("llvm.maxnum", [value.type], two)
        smaller = builder.module.declare_intrinsic("llvm.minnum", [value.type], two)
        value = builder.call(larger, [value, bottom], fastmath=("nnan", "nsz"))
        return builder.call(smaller, [value, top], fastmath=("nnan", "nsz"))

    return x(x, low, high), generate


@intrinsic
def rint(typingctx: Any, x: Any) -> Any:
    """Nearest whole number, as a float."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = builder.module.declare_intrinsic("llvm.rint", [args[0].type])
        return builder.call(function, args)

    return x(x), generate


@intrinsic
def times_power_of_two(typingctx: Any, x: Any, n: Any) -> Any:
    """X * 2**n by writing the exponent bits; n is a whole number held in a float."""
    single = x == types.float32
    mantissa_bits, bias = (23, 127) if single else (52, 1023)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, power = args
        word = ir.IntType(32 if single else 64)
        # By way of int32: the conversion of float64 to int64 is not vectorised before AVX-512.
        exponent = builder.fptosi(power, ir.IntType(32))
        if not single:
            exponent = builder.sext(exponent, word)
        biased = builder.add(exponent, ir.Constant(word, bias))
        bits = builder.shl(biased, ir.Constant(word, mantissa_bits))
        return builder.fmul(value, builder.bitcast(bits, value.type))

    return x(x, n), generate


implement(exp, float32=_exp_single, float64=_exp_double)
