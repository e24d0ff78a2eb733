"""Hints for LLVM's loop vectoriser.

A step of a cell is one long chain of dependent operations. Vectors as wide as the processor has, and two
of them in flight at a time, hide much of its latency: together a third of the time on AVX-512 machines.
Where the processor has narrower vectors the hints do no harm.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering
from numba.extending import intrinsic

_WIDE = '"prefer-vector-width"="512"'


@intrinsic
def wide_vectors(typingctx: Any) -> Any:
    """Ask, from inside a kernel, for the widest vectors and interleaved loops in it."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        set.add(builder.function.attributes, _WIDE)  # llvmlite's own `add` knows no text attributes
        return context.get_dummy_value()

    return types.none(), generate


class _Lower(Lower):
    """Marks the loops of kernels that asked for it with ``llvm.loop.interleave.count``."""

    def post_lower(self) -> None:
        super().post_lower()
        if _WIDE in self.function.attributes:
            places = {block: place for place, block in enumerate(self.function.blocks)}
            for block, place in places.items():
                branch = block.terminator
                if isinstance(branch, ir.Branch) and places[branch.operands[0]] <= place:
                    branch.set_metadata("llvm.loop", _interleaved(self.module))


def _interleaved(module: Any) -> Any:
    """Metadata of one loop; its first operand is itself, which makes it distinct."""
    count = module.add_metadata(["llvm.loop.interleave.count", ir.Constant(ir.IntType(32), 2)])
    loop = ir.values.MDValue(module, (), name=str(len(module.metadata)))
    loop.operands = (loop, count)
    return loop


@register_pass(mutates_CFG=True, analysis_only=False)
class HintedLowering(NativeLowering):
    """Numba's lowering with loop hints."""

    _name = "myoloop_hinted_lowering"

    @property
    def lowering_class(self) -> type[Lower]:
        """Return the lowering to be used."""
        return _Lower
