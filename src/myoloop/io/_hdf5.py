"""HDF5 files that nobody vouches for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MyoloopError
from ._files import head, refuse
from ._limits import Limits

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MOST_CHUNK_BYTES = 1 << 28
_MOST_OBJECTS = 5_000_000


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file for reading; what the library makes of a damaged one becomes UnreadableFileError.

    A file that its writer left open (killed, or still at work) is read up to its last flush.
    """
    file = None
    try:
        file = _open(path)
        yield file
    except MyoloopError:
        raise
    except Exception as error:  # the library raises nearly every class there is
        text = (str(error).splitlines() or [type(error).__name__])[0]
        refuse_damaged(path, text, error)
    finally:
        if file is not None:
            with suppress(Exception):
                file.close()


def _open(path: Path) -> Any:
    """As a closed file, or as one that a writer left open; locking as others in this process do."""
    import h5py

    first = head(path, 12)
    left_open = first[:8] == SIGNATURE and first[8:9] == b"\3" and first[11] & 5
    try:
        return h5py.File(path, "r", swmr=bool(left_open), locking=False)
    except OSError as error:
        if "locking" not in str(error):
            raise
    return h5py.File(path, "r", swmr=bool(left_open))


def refuse_damaged(path: str | os.PathLike[str], text: str, error: BaseException) -> None:
    """Raise UnreadableFileError for a file that is truncated or damaged."""
    try:
        refuse(path, f"truncated or damaged ({text})", "use an intact copy")
    except MyoloopError as refusal:
        raise refusal from error


def dataset(path: Path, group: Any, name: str) -> Any | None:
    """Dataset `name` of a group, or None; one whose data lie in another file is refused."""
    import h5py

    if name not in group:
        return None
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        refuse(
            path, f"{group.name}/{name} is a link to somewhere else", "give a file that holds its own data"
        )
    found = group[name]
    if not isinstance(found, h5py.Dataset):
        refuse(path, f"{group.name}/{name} is not a dataset", "use an intact copy")
    check_dataset(path, found)
    return found


def check_dataset(path: Path, found: Any) -> None:
    """Refuse data outside the file and chunks that alone fill the memory."""
    if found.external or found.is_virtual:
        refuse(path, f"the data of {found.name} lie in another file", "give a file that holds its own data")
    if found.chunks and int(np.prod(found.chunks, dtype=object)) * found.dtype.itemsize > _MOST_CHUNK_BYTES:
        refuse(path, f"{found.name} has chunks of {found.chunks}", "write it with smaller chunks")


def numbers(path: Path, group: Any, name: str, most: int, what: str) -> NDArray[Any] | None:
    """Values of a numerical dataset of at most `most` elements, or None if there is none."""
    found = dataset(path, group, name)
    if found is None:
        return None
    if found.dtype.kind not in "iufb" or found.ndim == 0:
        refuse(path, f"{found.name} holds {found.dtype} of shape {found.shape}", "use an intact copy")
    size = int(np.prod(found.shape, dtype=object))
    if size > most:
        refuse(path, f"{size} values in {found.name}", f"raise Limits.{what} if that is right")
    values: NDArray[Any] = found[()]
    return values


def text(path: Path, group: Any, name: str, limits: Limits) -> str | None:
    """Text of a scalar string (or byte array) dataset, or None if there is none."""
    found = dataset(path, group, name)
    if found is None:
        return None
    if found.dtype == np.uint8 and found.ndim == 1:
        if found.shape[0] > limits.text_bytes:
            refuse(path, f"{found.shape[0]} bytes of text in {found.name}", "raise Limits.text_bytes")
        return bytes(found[()]).decode("utf-8")
    value = found[()]
    if not isinstance(value, bytes | str) or len(value) > limits.text_bytes:
        refuse(path, f"{found.name} is not a text", "use an intact copy")
    return value.decode("utf-8") if isinstance(value, bytes) else value


def survey(path: Path, most_bytes: int) -> None:
    """Refuse a file that links to others or unpacks to more than `most_bytes`, before a library loads it."""
    import h5py

    state = {"objects": 0, "bytes": 0}

    def link(name: bytes, found: Any) -> None:
        if found.type == h5py.h5l.TYPE_EXTERNAL:
            refuse(path, f"{name!r} is a link to another file", "give a file that holds its own data")

    def visit(name: bytes, found: Any) -> None:
        state["objects"] += 1
        if found.type == h5py.h5o.TYPE_DATASET:
            data = h5py.h5d.open(file.id, name)
            check_dataset(path, h5py.Dataset(data))
            state["bytes"] += int(np.prod(data.shape or (), dtype=object)) * data.dtype.itemsize
        if state["objects"] > _MOST_OBJECTS or state["bytes"] > most_bytes:
            refuse(path, f"unpacks to more than {most_bytes} bytes", "raise the limits if that is right")

    with opened(path) as file:
        file.id.links.visit(link, info=True)
        h5py.h5o.visit(file.id, visit, info=True)
