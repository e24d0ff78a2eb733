"""Named tuples in rows of an array: cell k of a block has its variables LANES apart.

Numba lets an index be negative, and where it cannot prove that one is not, the wrapped index turns a
vector store into a scatter. `load` and `store` take the index as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numpy.typing import NDArray

LANES = 32  # cells in a block: whole vectors in either precision, and the block stays in cache
ALIGNMENT = 64  # bytes: a vector must not straddle two cache lines


def aligned_zeros(size: int, dtype: Any) -> NDArray[Any]:
    """Flat array of zeros that begins at a cache line."""
    width = np.dtype(dtype).itemsize
    room = np.zeros(size + ALIGNMENT // width, dtype)
    begin = -room.ctypes.data % ALIGNMENT // width
    return room[begin : begin + size]


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


@intrinsic
def load(typingctx: Any, array: Any, index: Any) -> Any:
    """``array[index]`` of a flat array, for an index that is in range and not negative."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.load(builder.gep(data, [args[1]]))

    return array.dtype(array, index), generate


@intrinsic
def store(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    """``array[index] = value``; index as in `load`, value of the array's type."""
    if value != array.dtype:
        raise TypingError(f"store: {value} into an array of {array.dtype}")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        builder.store(args[2], builder.gep(data, [args[1]]))
        return context.get_dummy_value()

    return types.none(array, index, value), generate


@intrinsic
def positive_lanes(typingctx: Any, array: Any, start: Any) -> Any:
    """Whole number whose bit k says whether ``array[start + k]`` is above 0, for k below LANES."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        vector = ir.VectorType(data.type.pointee, LANES)
        pointer = builder.bitcast(builder.gep(data, [args[1]]), vector.as_pointer())
        values = builder.load(pointer, align=4)
        positive = builder.fcmp_ordered(">", values, ir.Constant(vector, [0.0] * LANES))
        return builder.zext(builder.bitcast(positive, ir.IntType(LANES)), ir.IntType(64))

    return types.int64(array, start), generate


def _row_pointers(
    context: Any, builder: Any, array_type: Any, array: Any, start: Any, width: int
) -> list[Any]:
    data = context.make_array(array_type)(context, builder, array).data
    return [
        builder.gep(data, [builder.add(start, ir.Constant(start.type, row * LANES))]) for row in range(width)
    ]
