"""The state of a run beside its stream, so that it can go on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..errors import MyoloopError, ParameterError
from ._files import refuse, regular_file, replacing
from ._hdf5 import refuse_damaged
from ._json import loads

_MANIFEST = "manifest"


@final
@dataclass(frozen=True)
class Checkpoint:
    """State arrays, the simulated time they belong to, and the rows of the stream up to there."""

    state: dict[str, NDArray[Any]]
    time_s: float
    rows: tuple[int, ...]
    identity: str


def checkpoint_path(stream: Path) -> Path:
    """Where the checkpoint of a stream lies."""
    return stream.with_name(f"{stream.name}.checkpoint.npz")


def save(stream: Path, point: Checkpoint) -> None:
    """Write a checkpoint; a failure (or a kill) leaves the one before it."""
    arrays = {key: np.asarray(value) for key, value in point.state.items()}
    for key, value in arrays.items():
        if value.dtype.hasobject:
            raise ParameterError(
                f"HDF5Stream.checkpoint[{key!r}]", "an array of Python objects", "give numbers or texts"
            )
    manifest = {
        "names": list(arrays),
        "time_s": point.time_s,
        "rows": list(point.rows),
        "identity": point.identity,
    }
    coded = np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8)
    members: dict[str, Any] = {_MANIFEST: coded}
    members.update({f"state_{n}": value for n, value in enumerate(arrays.values())})
    target = checkpoint_path(stream)
    kept = f"{stream.name} and the checkpoint before this one are whole"
    with replacing(target, overwrite=True, kept=kept) as temporary, temporary.open("wb") as file:
        np.savez(file, **members)
        file.flush()
        os.fsync(file.fileno())


def load(stream: Path) -> Checkpoint:
    """Checkpoint of a stream; raises UnreadableFileError."""
    path = checkpoint_path(stream)
    if not path.exists():
        refuse(stream, "has no checkpoint beside it", "read what is there with read_stream, or run it again")
    regular_file(path)
    try:
        with np.load(path, allow_pickle=False) as found:
            manifest = loads(path, found[_MANIFEST].tobytes())
            state = {name: found[f"state_{n}"] for n, name in enumerate(manifest["names"])}
        rows = tuple(int(n) for n in manifest["rows"])
        return Checkpoint(state, float(manifest["time_s"]), rows, str(manifest["identity"]))
    except MyoloopError:
        raise
    except Exception as error:  # zipfile and the array header parser raise others for damaged bytes
        refuse_damaged(path, type(error).__name__, error)
        raise
