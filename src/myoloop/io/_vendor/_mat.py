"""MATLAB files, of version 5 and 7.3, whoever wrote them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from .._files import refuse
from .._hdf5 import SIGNATURE
from .._limits import Limits
from ._mat5 import load_5, variables_5
from ._mat73 import load_73, variables_73
from ._session import Session, SessionFormat

_HEADER = 128


class MatTool(ABC):
    """A program or device that writes MATLAB files."""

    name: str
    """As users know it."""

    variables: frozenset[str]
    """Variables to load."""

    shapes: frozenset[str] = frozenset()
    """Variables and fields of which no more than the shape is needed, where the file allows that."""

    samples: frozenset[str] = frozenset()
    """Likewise, where no samples are asked for."""

    @abstractmethod
    def wrote(self, names: frozenset[str]) -> bool:
        """Whether a file with variables of these names is from this tool."""

    @abstractmethod
    def session(self, path: Path, content: Mapping[str, Any], limits: Limits) -> Session:
        """What is in the file, from its variables as `load` gives them."""


@final
class MatFiles(SessionFormat):
    """MATLAB files of all tools that we know, told apart by the names of their variables."""

    name = "MATLAB"

    def __init__(self, *tools: MatTool) -> None:
        self.tools = tools

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file begins as MATLAB writes it."""
        hdf5 = head.startswith(SIGNATURE) and path.suffix.lower() == ".mat"
        return _is_73(head) or _is_5(head) or hdf5

    def session(self, path: Path, limits: Limits, *, samples: bool) -> Session:
        """What is in the file."""
        with path.open("rb") as file:
            head = file.read(_HEADER)
        is_73 = _is_73(head) or head.startswith(SIGNATURE)
        names = frozenset(variables_73(path, limits) if is_73 else variables_5(path))
        tool = next((one for one in self.tools if one.wrote(names)), None)
        if tool is None:
            known = ", ".join(one.name for one in self.tools)
            shown = ", ".join(map(repr, sorted(names)[:12])) or "nothing"
            refuse(path, f"a MATLAB file that holds {shown}", f"give one of {known}")
        shapes = tool.shapes if samples else tool.shapes | tool.samples
        load = load_73 if is_73 else load_5
        return tool.session(path, load(path, limits, tool.variables & names, shapes), limits)


# --- what the tools make of the values ---------------------------------------------------------------


def scalar(value: Any) -> float | None:
    """One finite number, or None."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.size == 1:
        found = float(value.ravel()[0])
        return found if np.isfinite(found) else None
    return None


def cells(value: Any) -> NDArray[Any]:
    """A cell array as array of objects with two dimensions; anything else becomes its only cell."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        return value if value.ndim == 2 else value.reshape(len(value) if value.ndim else 1, -1)
    array = np.empty((1, 1), dtype=object)
    array[0, 0] = value
    return array


def texts(value: Any) -> list[str]:
    """Texts of a char array or a cell array of them, column after column; what is no text counts as empty."""
    found = (one for one in cells(value).ravel(order="F"))
    return [one.strip() if isinstance(one, str) else "" for one in found]


def matrix(value: Any) -> NDArray[Any] | None:
    """A numerical matrix that is not empty, or None."""
    right = isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.ndim == 2 and value.size
    return value if right else None


def _is_73(head: bytes) -> bool:
    return head.startswith(b"MATLAB 7.3 MAT-file")


def _is_5(head: bytes) -> bool:
    """Whether a file is of version 5, little-endian as on all machines of today."""
    return head[124:128] == b"\x00\x01IM"
