"""Elementary functions that the compiler can vectorise.

Numba without Intel's SVML calls the C library for each `exp` (50-65 ns); the polynomial forms here
take about 1 ns in a vectorised loop.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from ._functions import clamp, divide_pair, exp, exp_bounded
from ._precision import implement

# Exponentials: x = n ln 2 + r with |r| <= ln 2 / 2, e^x = 2^n p(r). ln 2 is split in two parts, the first
# with trailing zero bits so that its product with n is exact. Adding `magic` rounds x / ln 2 to the whole
# number n and leaves n in the low bits of the sum. p has the least relative error of its degree (Remez):
# 1.9e-9 in float32 and 2.1e-16 in float64.


def _exp_single(x: Any) -> Any:
    magic = 12582912.0  # 1.5 * 2**23
    shifted = x * 1.4426950408889634 + magic
    n = shifted - magic
    r = (x - n * 0.693359375) - n * -2.12194440e-4
    p = 1.3836794163791407e-3
    p = p * r + 8.374857067840987e-3
    p = p * r + 4.166822868064165e-2
    p = p * r + 0.16666419680551917
    p = p * r + 0.49999992056107967
    p = p * r + 1.0000000364310053
    p = p * r + 1.0
    return times_power_of_two(p, shifted)


def _exp_double(x: Any) -> Any:
    magic = 6755399441055744.0  # 1.5 * 2**52
    shifted = x * 1.4426950408889634 + magic
    n = shifted - magic
    r = (x - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6
    p = 2.748837471607109e-07
    p = p * r + 2.763985041994804e-06
    p = p * r + 2.4801918348225788e-05
    p = p * r + 1.9841171188100676e-04
    p = p * r + 1.3888888497969529e-03
    p = p * r + 8.333333384819086e-03
    p = p * r + 4.166666666843305e-02
    p = p * r + 0.1666666666655731
    p = p * r + 0.49999999999997274
    p = p * r + 1.0000000000000064
    p = p * r + 1.0
    return times_power_of_two(p, shifted)


def _exp_clamped_single(x: Any) -> Any:
    return _exp_single(hold(x, -87.0, 88.0))


def _exp_clamped_double(x: Any) -> Any:
    return _exp_double(hold(x, -708.0, 709.0))


def _clamp(x: Any, low: Any, high: Any) -> Any:
    return hold(x, low, high)


def _divide_pair_double(a: Any, b: Any, c: Any, d: Any) -> Any:
    scale = 1.0 / (b * d)
    return a * d * scale, c * b * scale


@intrinsic
def hold(typingctx: Any, x: Any, low: Any, high: Any) -> Any:
    """X between low and high: two instructions, where comparisons make four."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, bottom, top = args
        two = ir.FunctionType(value.type, [value.type, value.type])
        larger = builder.module.declare_intrinsic("llvm.maxnum", [value.type], two)
        smaller = builder.module.declare_intrinsic("llvm.minnum", [value.type], two)
        value = builder.call(larger, [value, bottom], fastmath=("nnan", "nsz"))
        return builder.call(smaller, [value, top], fastmath=("nnan", "nsz"))

    return x(x, x, x), generate


@intrinsic
def times_power_of_two(typingctx: Any, x: Any, shifted: Any) -> Any:
    """X * 2**n for the whole number n in the low bits of `shifted`: n is added to x's exponent."""
    bits, mantissa_bits = (32, 23) if x == types.float32 else (64, 52)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, holder = args
        word = ir.IntType(bits)
        exponent = builder.shl(builder.bitcast(holder, word), ir.Constant(word, mantissa_bits))
        return builder.bitcast(builder.add(builder.bitcast(value, word), exponent), value.type)

    return x(x, shifted), generate


implement(exp, float32=_exp_clamped_single, float64=_exp_clamped_double)
implement(exp_bounded, float32=_exp_single, float64=_exp_double)
implement(clamp, float32=_clamp, float64=_clamp)
implement(divide_pair, float64=_divide_pair_double)
