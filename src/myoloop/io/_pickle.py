"""Pickled Neo blocks: the one format here that runs code when it is read, so only on request."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from ..data import Result
from ..errors import MyoloopError, MyoloopWarning
from ._files import refuse
from ._hdf5 import refuse_damaged
from ._limits import Limits
from ._neo import from_neo

_COMPRESSED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")


def read_pickle(path: Path, limits: Limits, *, allow_pickle: bool) -> Result:
    """Result of a pickled Neo block (written by `pickle`, Neo or joblib), if that is allowed."""
    if not allow_pickle:
        refuse(
            path,
            "a pickle, which runs code of its author when it is read",
            "if you trust its author, allow it (allow_pickle=True, or --allow-pickle on the command line); "
            "else ask for NWB, NIX or CSV",
        )
    warnings.warn(
        f"{path}: unpickling runs whatever code the file holds; keep such spikes as NWB, NIX or CSV",
        MyoloopWarning,
        stacklevel=3,
    )
    import neo  # noqa: F401  so that its classes are there

    try:
        data = _unpacked(path, 16 * (limits.spikes + limits.samples))
        stream = io.BytesIO(data)
        block = _Joblib(stream).load() if _WRAPPER[1].encode() in data else pickle.load(stream)
        return from_neo(block, source=path, limits=limits)
    except MyoloopError:
        raise
    except Exception as error:  # a pickle can raise anything
        text = (str(error).splitlines() or [type(error).__name__])[0]
        refuse_damaged(path, f"{type(error).__name__}: {text}", error)
        raise


def _unpacked(path: Path, most: int) -> bytes:
    with path.open("rb") as raw:
        first = raw.read(6)
    opener = next((f for magic, f in _COMPRESSED.items() if first.startswith(magic)), None)
    if opener is not None:
        with opener(path, "rb") as file:
            data = file.read(most + 1)
    elif first[:1] == b"\x78":
        data = zlib.decompressobj().decompress(path.read_bytes(), most + 1)
    else:
        with path.open("rb") as raw:
            data = raw.read(most + 1)
    if len(data) > most:
        refuse(path, f"unpacks to more than {most} bytes", "raise the limits if that is right")
    return bytes(data)


@final
class _Array:
    """What joblib leaves in the pickle in place of an array, whose bytes follow at once."""

    def read(self, file: Any) -> NDArray[Any]:
        said = self.__dict__
        if said["dtype"].hasobject:
            found: NDArray[Any] = pickle.load(file)
            return found
        if said.get("numpy_array_alignment_bytes") is not None:
            file.read(file.read(1)[0])
        shape = tuple(said["shape"])
        count = int(np.prod(shape, dtype=object))
        raw = file.read(count * said["dtype"].itemsize)
        flat = np.frombuffer(raw, dtype=said["dtype"], count=count).copy()
        return flat.reshape(shape, order=said["order"])


_PurePython: Any = pickle._Unpickler  # its C twin has no such hooks


@final
class _Joblib(_PurePython):  # type: ignore[misc]
    """Unpickler of files by joblib, which the other simulators use and which we do not depend on."""

    dispatch: ClassVar[dict[int, Any]] = dict(_PurePython.dispatch)

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._whole = file

    def find_class(self, module: str, name: str) -> Any:
        return _Array if (module, name) == _WRAPPER else super().find_class(module, name)

    def load_build(self) -> None:
        super().load_build()
        if isinstance(self.stack[-1], _Array):
            self.stack.append(self.stack.pop().read(self._whole))

    dispatch[pickle.BUILD[0]] = load_build
