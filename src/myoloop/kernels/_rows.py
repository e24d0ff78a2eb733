"""Named tuples in rows of an array: cell k of a block has its variables LANES apart."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LANES = 32  # cells in a block: whole vectors in either precision, and the block stays in cache


@intrinsic
def gather(typingctx: Any, named_tuple: Any, array: Any, start: Any) -> Any:
    """Named tuple whose field r is ``array[start + r * LANES]``.

    `named_tuple` is the class, `array` a flat array, `start` an integer.
    """
    cls = named_tuple.instance_class
    width = len(cls._fields)
    result = types.NamedUniTuple(array.dtype, width, cls)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointers = _row_pointers(context, builder, signature.args[1], args[1], args[2], width)
        return cgutils.pack_array(builder, [builder.load(p) for p in pointers])

    return result(named_tuple, array, start), generate


@intrinsic
def scatter(typingctx: Any, array: Any, start: Any, values: Any) -> Any:
    """Write field r of a tuple to ``array[start + r * LANES]``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        flat, at, source = args
        width = values.count
        pointers = _row_pointers(context, builder, signature.args[0], flat, at, width)
        for row, pointer in enumerate(pointers):
            builder.store(builder.extract_value(source, row), pointer)
        return context.get_dummy_value()

    return types.none(array, start, values), generate


def _row_pointers(
    context: Any, builder: Any, array_type: Any, array: Any, start: Any, width: int
) -> list[Any]:
    data = context.make_array(array_type)(context, builder, array).data
    return [
        builder.gep(data, [builder.add(start, ir.Constant(start.type, row * LANES))]) for row in range(width)
    ]
