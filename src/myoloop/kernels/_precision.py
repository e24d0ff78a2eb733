"""Compile one plain Python function for float32 or float64.

Numba reads the literal ``0.64`` as a float64, so a single-precision kernel would silently compute in
double precision. The pass below retypes literals and module constants, and compiles the plain Python
functions that a kernel calls in the same precision: one source, two precisions.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numba.core import ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, PassManager, register_pass
from numba.core.typed_passes import NativeLowering
from numba.core.untyped_passes import IRProcessing

from ._vectors import HintedLowering

# `reassoc` is left out on purpose: sums keep their written order, so results do not depend on how
# the compiler vectorised them.
FASTMATH = {"nnan", "ninf", "nsz", "arcp", "contract"}


def compile_function(function: Callable[..., Any], dtype: np.dtype[Any], **options: Any) -> Any:
    """Return `function` compiled in nopython mode, its literals being of `dtype`.

    Parameters
    ----------
    function : callable
        Plain Python. Float literals (also module constants) take the precision `dtype`; integer
        literals stay integers, so write ``2.0 * x`` for a float ``x``.
    dtype : numpy dtype
        float32 or float64.
    **options
        Passed to `numba.njit`.
    """
    key = function, dtype.char
    if key not in _compiled:
        pipeline = _SinglePrecision if dtype == np.float32 else _DoublePrecision
        options = {"fastmath": FASTMATH, "error_model": "numpy"} | options
        _compiled[key] = njit(pipeline_class=pipeline, **options)(function)
    return _compiled[key]


def implement(function: Callable[..., Any], **kernels: Callable[..., Any]) -> None:
    """Name the plain functions that stand for `function` in float32 and float64 kernels."""
    for dtype, kernel in kernels.items():
        _compiled[function, np.dtype(dtype).char] = compile_function(
            kernel, np.dtype(dtype), forceinline=True
        )


_compiled: dict[tuple[Callable[..., Any], str], Any] = {}


class _Retype(FunctionPass):
    """Give float literals the precision of the kernel and compile plain functions likewise."""

    dtype: np.dtype[Any]

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        changed = False
        for block in state.func_ir.blocks.values():
            for assignment in block.find_insts(ir.Assign):
                source = assignment.value
                if not isinstance(source, ir.Const | ir.Global | ir.FreeVar):
                    continue
                if type(source.value) is float:
                    assignment.value = ir.Const(self.dtype.type(source.value), source.loc)
                elif isinstance(source.value, types.FunctionType) and not _is_foreign(source.value):
                    source.value = compile_function(source.value, self.dtype, forceinline=True)
                else:
                    continue
                changed = True
        return changed


@register_pass(mutates_CFG=False, analysis_only=False)
class _RetypeSingle(_Retype):
    _name = "myoloop_retype_single"
    dtype = np.dtype(np.float32)


@register_pass(mutates_CFG=False, analysis_only=False)
class _RetypeDouble(_Retype):
    _name = "myoloop_retype_double"
    dtype = np.dtype(np.float64)


class _Pipeline(CompilerBase):
    retype: type[_Retype]

    def define_pipelines(self) -> list[PassManager]:
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.add_pass_after(self.retype, IRProcessing)
        if not self.state.flags.auto_parallel.enabled:
            _replace(manager, NativeLowering, HintedLowering)
        manager.finalize()
        return [manager]


def _is_foreign(function: types.FunctionType) -> bool:
    """Whether Numba has its own way to compile a function."""
    return function.__module__.partition(".")[0] in ("numba", "numpy")


def _replace(manager: PassManager, old: type, new: type) -> None:
    manager.passes = [(new if stage is old else stage, note) for stage, note in manager.passes]


class _SinglePrecision(_Pipeline):
    retype = _RetypeSingle


class _DoublePrecision(_Pipeline):
    retype = _RetypeDouble
