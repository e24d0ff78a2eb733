"""JSON that other tools read, and arrays in JSON that come back bit for bit."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ..parameters import plain
from ._files import refuse


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Strict JSON of plain values: NaN and infinity become null, callables their name."""
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def loads(path: str | os.PathLike[str], text: str | bytes) -> dict[str, Any]:
    """Dictionary from the JSON text that a file holds."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        refuse(path, "its description is damaged", "use an intact copy")
    return found


def pack(field: str, value: Any) -> dict[str, Any]:
    """Array as a dictionary for JSON; floats as hexadecimal texts where JSON has no word for them."""
    array = np.asarray(value)
    if array.dtype.kind not in "biufU":
        raise ParameterError(field, f"an array of {array.dtype}", "give numbers, truth values or texts")
    values = array.ravel().tolist()
    if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
        values = [float(v).hex() for v in values]
    return {"dtype": array.dtype.str, "shape": list(array.shape), "values": values}


def unpack(packed: dict[str, Any]) -> NDArray[Any]:
    """Undo `pack`."""
    dtype = np.dtype(packed["dtype"])
    if dtype.kind not in "biufU":
        raise ValueError(f"an array of {dtype}")
    values = packed["values"]
    if dtype.kind == "f":
        values = [float.fromhex(v) if isinstance(v, str) else v for v in values]
    return np.array(values, dtype=dtype).reshape(packed["shape"])
