"""MATLAB files of version 5, that nobody vouches for.

SciPy's reader dies of some damaged files (a memory fault on an unknown kind of data) and asks for as
much memory as a file claims to need. This one checks each claim against the bytes that are there, and
passes over what is not asked for.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, final

import numpy as np
from numpy.typing import NDArray

from .._files import refuse
from .._limits import Limits

_HEADER = 128
_CHUNK = 1 << 18
_HEAD = 1 << 12  # bytes of a variable that hold its name
_MOST_VARIABLES = 10_000
_MOST_DEPTH = 10
_MOST_PART = 1 << 20  # bytes of dimensions, of a name, of the names of fields
_INT8, _INT32, _MATRIX, _COMPRESSED = 1, 5, 14, 15  # kinds of element
_NUMBERS = {
    1: "i1",
    2: "u1",
    3: "<i2",
    4: "<u2",
    5: "<i4",
    6: "<u4",
    7: "<f4",
    9: "<f8",
    12: "<i8",
    13: "<u8",
}
_LETTERS = {1: "latin-1", 2: "latin-1", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le", 18: "utf-32-le"}
_CELL, _STRUCT, _CHAR = 1, 2, 4  # classes of matrix
_NUMERIC = range(6, 16)
_COMPLEX = 0x08


def variables_5(path: Path) -> list[str]:
    """Names of the variables, in the order of the file; those of MATLAB's objects are left out."""
    with path.open("rb") as file:
        return [name for _, _, name in _variables(path, file) if name]


def load_5(path: Path, limits: Limits, names: Collection[str], shapes: Collection[str]) -> dict[str, Any]:
    """Variables of a file.

    Numbers come as they are stored, cells as arrays of objects, structs as dict and text as str. Objects,
    function handles, sparse and complex matrices become None. Of the variables and fields named in
    `shapes`, a numerical array has its shape but zeros for values, which take no memory.
    """
    budget = _Budget(path, 8 * limits.samples + limits.text_bytes, limits.samples)
    with path.open("rb") as file:
        found = list(_variables(path, file))
        wanted = [name for *_, name in found if name in names]
        if len(set(wanted)) < len(wanted):
            _damaged(path, "two variables have the same name")
        content = {}
        for at, size, name in found:
            if name in names:
                file.seek(at)
                reader = _Reader(path, _stream(path, file, size), budget, frozenset(shapes))
                content[name] = reader.variable(name)
    return content


def _damaged(path: Path, what: str) -> NoReturn:
    refuse(path, f"truncated or damaged: {what}", "use an intact copy")


def _variables(path: Path, file: BinaryIO) -> Iterator[tuple[int, int, str]]:
    """Place, size and name of each variable."""
    end = path.stat().st_size
    following = _HEADER
    for _ in range(_MOST_VARIABLES):
        file.seek(following)
        at = following
        tag = file.read(8)
        if not tag:
            return
        kind, size = struct.unpack("<II", tag) if len(tag) == 8 else (0, 0)
        following = at + 8 + size
        if len(tag) < 8 or following > end:
            _damaged(path, f"it ends too early, after byte {at}")
        if kind in (_COMPRESSED, _MATRIX):
            file.seek(at)
            reader = _Reader(
                path, _stream(path, file, 8 + size, _HEAD), _Budget(path, _HEAD * 1000, 0), frozenset()
            )
            yield at, 8 + size, reader.name()
    _damaged(path, f"more than {_MOST_VARIABLES} variables")


def _stream(path: Path, file: BinaryIO, size: int, chunk: int = _CHUNK) -> Iterator[bytes]:
    """Unpacked bytes of the element that begins here, piece by piece; the end of a packed one is checked."""
    tag = file.read(8)
    left = size - 8
    if struct.unpack("<I", tag[:4])[0] != _COMPRESSED:
        yield tag
        while part := file.read(min(left, chunk)):
            left -= len(part)
            yield part
        return
    inflate = zlib.decompressobj()
    while not inflate.eof:
        packed = inflate.unconsumed_tail
        if not packed:
            packed = file.read(min(left, chunk))
            left -= len(packed)
        if not packed:
            _damaged(path, "a variable ends too early")
        yield inflate.decompress(packed, chunk)


@final
class _Budget:
    """How much may still be read: bytes of all variables together, values of one array."""

    def __init__(self, path: Path, n_bytes: int, n_values: int) -> None:
        self.path, self.most, self.left, self.values = path, n_bytes, n_bytes, n_values

    def spend(self, n_bytes: int) -> None:
        self.left -= n_bytes
        if self.left < 0:
            refuse(
                self.path, f"unpacks to more than {self.most} bytes", "raise Limits.samples if that is right"
            )


@final
class _Head(NamedTuple):
    """What a matrix says of itself: its class (0 for what is not read), its shape, its name."""

    kind: int
    shape: tuple[int, ...]
    name: str

    @property
    def n_values(self) -> int:
        return int(np.prod(self.shape, dtype=object))


@final
class _Reader:
    """Reads one variable from a stream of bytes."""

    def __init__(self, path: Path, stream: Iterator[bytes], budget: _Budget, shapes: frozenset[str]) -> None:
        self.path, self.stream, self.budget, self.shapes = path, stream, budget, shapes
        self.at = 0  # bytes of the variable that are behind us
        self.buffer, self.begin = b"", 0  # what was read on, and how much of that is behind us

    def name(self) -> str:
        """Name of the variable, "" of an object."""
        head = self._head(self._begin())
        return head.name if head.kind else ""

    def variable(self, name: str) -> Any:
        """Value of the variable, after which its bytes must end well."""
        stop = self._begin()
        value = self._matrix(stop, name, 0)
        while self._fill():  # to the checksum
            self.begin = len(self.buffer)
        return value

    def _begin(self) -> int:
        kind, size = struct.unpack("<II", self._read(8))
        if kind != _MATRIX:
            _damaged(self.path, f"a variable of kind {kind}")
        return self.at + int(size)

    def _matrix(self, stop: int, name: str, depth: int) -> Any:
        head = self._head(stop)
        value: Any = None
        if head.kind == _CELL:
            parts = self._parts(head.n_values, stop, [name], depth)
            value = _objects(parts, head.shape)
        elif head.kind == _STRUCT:
            value = self._structs(head, stop, depth)
        elif head.kind:
            if head.n_values > stop - self.at:
                _damaged(self.path, f"{head.n_values} values of {name} in {stop - self.at} bytes")
            if head.kind == _CHAR:
                value = self._text(head, stop)
            elif name in self.shapes:
                value = np.broadcast_to(np.zeros(()), head.shape)
            else:
                value = self._numbers(head, name, stop)
        self._skip(stop - self.at)
        return value

    def _head(self, stop: int) -> _Head:
        _, flags = self._part(stop)
        kind = flags[0] if len(flags) == 8 else 0
        if kind not in (_CELL, _STRUCT, _CHAR, *_NUMERIC) or flags[1] & _COMPLEX:
            return _Head(0, (), "")
        what, found = self._part(stop)
        shape = struct.unpack(f"<{len(found) // 4}i", found[: len(found) // 4 * 4])
        letters, name = self._part(stop)
        if (what, letters) != (_INT32, _INT8) or not 2 <= len(shape) <= 4 or min(shape) < 0:
            _damaged(self.path, f"an array of shape {shape}")
        return _Head(kind, shape, name.decode("latin-1"))

    def _structs(self, head: _Head, stop: int, depth: int) -> Any:
        _, length = self._part(stop)
        _, letters = self._part(stop)
        width = struct.unpack("<i", length)[0] if len(length) == 4 else 0
        if width < 1 or len(letters) % width:
            _damaged(self.path, f"fields of {width} letters")
        fields = [letters[i : i + width] for i in range(0, len(letters), width)]
        keys = [field.partition(b"\0")[0].decode("latin-1") for field in fields]
        if not keys:
            return {}
        values = self._parts(head.n_values * len(keys), stop, keys, depth)
        rows = [
            dict(zip(keys, values[i : i + len(keys)], strict=True)) for i in range(0, len(values), len(keys))
        ]
        return rows[0] if len(rows) == 1 else _objects(rows, head.shape)

    def _parts(self, count: int, stop: int, names: list[str], depth: int) -> list[Any]:
        """The matrices that cells or fields are made of."""
        if count * 8 > stop - self.at or depth >= _MOST_DEPTH:
            _damaged(self.path, f"{count} cells in {stop - self.at} bytes, {depth} levels deep")
        found: list[Any] = []
        for i in range(count):
            kind, size = struct.unpack("<II", self._read(8))
            if kind != _MATRIX or self.at + size > stop:
                _damaged(self.path, f"a cell of kind {kind} with {size} bytes")
            empty = np.zeros((0, 0))
            found.append(self._matrix(self.at + size, names[i % len(names)], depth + 1) if size else empty)
        return found

    def _numbers(self, head: _Head, name: str, stop: int) -> NDArray[Any]:
        if head.n_values > self.budget.values:
            refuse(self.path, f"{head.n_values} values of {name}", "raise Limits.samples if that is right")
        kind, size, data = self._tag(stop)
        dtype = np.dtype(_NUMBERS.get(kind, "V1"))
        if dtype.kind == "V" or size != head.n_values * dtype.itemsize:
            _damaged(self.path, f"{head.n_values} values of {name} in {size} bytes of kind {kind}")
        raw = np.frombuffer(data, np.uint8) if data else self._bulk(size)
        return raw[:size].view(dtype).reshape(head.shape, order="F")

    def _text(self, head: _Head, stop: int) -> str:
        if head.n_values == 0:
            return ""
        kind, size, data = self._tag(stop)
        if kind not in _LETTERS or size > 4 * head.n_values:
            _damaged(self.path, f"{head.n_values} letters in {size} bytes of kind {kind}")
        text = (data or self._bulk(size).tobytes()).decode(_LETTERS[kind], "replace")
        if head.shape[0] == 1 or len(text) != head.n_values:
            return text
        return "\n".join(text[row :: head.shape[0]] for row in range(head.shape[0]))

    def _tag(self, stop: int) -> tuple[int, int, bytes]:
        """Kind of a part, its size, and its data where they stand in the tag."""
        tag = self._read(8)
        kind, size = struct.unpack("<II", tag)
        if kind >> 16:
            kind, size = kind & 0xFFFF, min(kind >> 16, 4)
            return kind, size, tag[4 : 4 + size]
        if self.at + size > stop:
            _damaged(self.path, f"a part of {size} bytes reaches beyond its end")
        return kind, size, b""

    def _part(self, stop: int) -> tuple[int, bytes]:
        """Kind and data of a small part."""
        kind, size, data = self._tag(stop)
        if size > _MOST_PART:
            _damaged(self.path, f"a name or shape of {size} bytes")
        if size and not data:
            data = self._read(size)
            self._skip(min(-size % 8, stop - self.at))
        return kind, data

    def _fill(self) -> bool:
        """Read on; whether there was something."""
        for part in self.stream:
            if part:
                self.budget.spend(len(part))
                self.buffer, self.begin = self.buffer[self.begin :] + part, 0
                return True
        return False

    def _read(self, size: int) -> bytes:
        while len(self.buffer) - self.begin < size:
            if not self._fill():
                _damaged(self.path, "a variable ends too early")
        data = self.buffer[self.begin : self.begin + size]
        self.begin += size
        self.at += size
        return data

    def _bulk(self, size: int) -> NDArray[np.uint8]:
        """Many bytes, as an array of their own."""
        if size > self.budget.left + len(self.buffer):
            self.budget.spend(size)
        into = np.empty(size, np.uint8)
        for start, part in self._pieces(size):
            into[start : start + len(part)] = np.frombuffer(part, np.uint8)
        return into

    def _skip(self, size: int) -> None:
        for _ in self._pieces(size):
            pass

    def _pieces(self, size: int) -> Iterator[tuple[int, bytes]]:
        done = 0
        while done < size:
            if self.begin == len(self.buffer) and not self._fill():
                _damaged(self.path, "a variable ends too early")
            piece = self.buffer[self.begin : self.begin + size - done]
            self.begin += len(piece)
            self.at += len(piece)
            yield done, piece
            done += len(piece)


def _objects(values: list[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array.reshape(shape, order="F")
