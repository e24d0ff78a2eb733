"""Tables on disk: a folder of arrays named by the hash of what they were made from."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_FILES = 100


def folder() -> Path:
    """Where tables are kept: ``MYOLOOP_CACHE``, else ``myoloop`` in the user's cache folder."""
    named = os.environ.get("MYOLOOP_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "myoloop"


def load(key: str, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    """The array of that name, or None where there is none that can be read."""
    path = folder() / f"{key}.npy"
    try:
        values: Any = np.load(path, allow_pickle=False)
        os.utime(path)
    except (OSError, ValueError, EOFError):
        return None
    fits = values.shape == shape and values.dtype == np.float32 and bool(np.all(np.isfinite(values)))
    return values if fits else None


def save(key: str, values: NDArray[np.float32]) -> None:
    """Keep an array, the oldest ones making room; a disk that cannot be written to is no error."""
    try:
        place = folder()
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place, suffix=".part", delete=False) as file:
            np.save(file, values)
        Path(file.name).replace(place / f"{key}.npy")
        kept = sorted(place.glob("*.npy"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-_MOST_FILES]:
            old.unlink(missing_ok=True)
    except OSError:
        return
