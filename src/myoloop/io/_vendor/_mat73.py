"""MATLAB files of version 7.3: HDF5 in which cells are references to objects elsewhere in the file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from .._files import refuse
from .._hdf5 import opened, survey
from .._limits import Limits

_MOST_DEPTH = 10
_MOST_CELLS = 5_000_000
_INTERNAL = "#"  # begins the names of MATLAB's own groups


def variables_73(path: Path, limits: Limits) -> list[str]:
    """Names of the variables, once it is known that all of them fit into memory and lie in this file."""
    survey(path, 8 * limits.samples + limits.text_bytes)
    with opened(path) as file:
        return [str(name) for name in file if not str(name).startswith(_INTERNAL)]


def load_73(path: Path, limits: Limits, names: Collection[str], shapes: Collection[str]) -> dict[str, Any]:
    """Variables of a file as the reader of version 5 gives them.

    Of the variables and fields named in `shapes`, a numerical array has its shape but zeros for values,
    which take no memory.
    """
    with opened(path) as file:
        reader = _Reader(path, file, limits, frozenset(shapes))
        return {name: reader.value(file[name], name, 0) for name in names}


@final
@dataclass
class _Reader:
    """Reads variables of one file, and keeps account of how much that was: references may repeat."""

    path: Path
    file: Any
    limits: Limits
    shapes: frozenset[str]
    n_values: int = 0
    n_cells: int = 0

    def value(self, item: Any, name: str, depth: int) -> Any:
        import h5py

        self.n_cells += 1
        if depth > _MOST_DEPTH or self.n_cells > _MOST_CELLS:
            refuse(self.path, f"{name} is nested too deeply, or has too many cells", "use an intact copy")
        if isinstance(item, h5py.Group):
            return {key: self.value(item[key], str(key), depth + 1) for key in item}
        if not isinstance(item, h5py.Dataset):
            return None
        kind = item.attrs.get("MATLAB_class", b"")
        kind = kind.decode("latin-1") if isinstance(kind, bytes) else str(kind)
        if np.any(item.attrs.get("MATLAB_empty", 0)):
            return "" if kind == "char" else np.zeros((0, 0), dtype=object if kind == "cell" else float)
        if h5py.check_ref_dtype(item.dtype) is h5py.Reference:
            return self._cells(item, name, depth)
        if item.dtype.kind not in "biuf" or item.ndim > 4:
            return None
        return self._text(item) if kind == "char" else self._numbers(item, name)

    def _cells(self, item: Any, name: str, depth: int) -> NDArray[Any]:
        self._count(item.size)
        references = np.atleast_2d(item[()]).T
        array = np.empty(references.shape, dtype=object)
        for place in np.ndindex(*references.shape):
            reference = references[place]
            array[place] = self.value(self.file[reference], name, depth + 1) if reference else None
        return array

    def _numbers(self, item: Any, name: str) -> NDArray[Any]:
        if name in self.shapes:
            return np.broadcast_to(np.zeros((), item.dtype), item.shape[::-1])
        self._count(item.size)
        values: NDArray[Any] = np.atleast_2d(item[()]).T
        return values

    def _text(self, item: Any) -> str:
        if item.size > self.limits.text_bytes or item.dtype.kind not in "iu":
            refuse(self.path, f"{item.size} characters in {item.name}", "raise Limits.text_bytes")
        self._count(item.size)
        rows = np.atleast_2d(item[()]).T.astype("<u2")
        return "\n".join(row.tobytes().decode("utf-16-le", "replace").rstrip("\0") for row in rows)

    def _count(self, size: int) -> None:
        self.n_values += int(size)
        if self.n_values > self.limits.samples:
            refuse(self.path, f"more than {self.limits.samples} values", "raise Limits.samples")
