"""A file that never fails before the eyes of a library that cannot bear it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final


@final
class FullDiskShield:
    """Binary file whose first failed write is kept in `error`; all later ones are dropped in silence.

    HDF5 ends the process with a memory fault when it cannot flush what it still holds. With this in
    between (h5py takes it as a file object) it closes in good order, and the caller raises `error`.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, or pretend to."""
        if self.error is None:
            try:
                return int(self._raw.write(data))
            except OSError as error:
                self.error = error
        return len(data)

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        if self.error is None:
            try:
                self._raw.flush()
            except OSError as error:
                self.error = error

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend the file."""
        if self.error is None:
            try:
                return int(self._raw.truncate(size))
            except OSError as error:
                self.error = error
        return size or 0

    def read(self, size: int = -1) -> bytes:
        """Read back; h5py takes nothing for a file that has no such method."""
        return bytes(self._raw.read(size))

    def readinto(self, buffer: Any) -> int:
        """Read back; what was dropped reads as nothing."""
        try:
            return int(self._raw.readinto(buffer))
        except OSError as error:
            self.error = self.error or error
            return 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move."""
        try:
            return int(self._raw.seek(offset, whence))
        except OSError as error:
            self.error = self.error or error
            return 0

    def tell(self) -> int:
        """Where it stands."""
        return int(self._raw.tell())


@contextmanager
def shielded(path: Path) -> Iterator[Any]:
    """Give an HDF5 file to fill; a write that fails is an OSError at the end rather than a memory fault."""
    import h5py

    with path.open("w+b") as raw:
        shield = FullDiskShield(raw)
        try:
            with h5py.File(shield, "w") as file:
                yield file
        except Exception:
            if shield.error is None:
                raise
        shield.flush()
        if shield.error is not None:
            raise shield.error
