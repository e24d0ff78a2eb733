"""Room on the disk, taken before it is needed."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import final

_STEP = 4 << 20


@final
class Space:
    """Keeps room for what will be appended to an HDF5 file.

    HDF5 cannot recover from a write that fails (it ends the process with a memory fault), so the
    operating system is asked for the blocks first: what fails then is this, and the file stays whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR)
        self._upto = 0

    def ensure(self, size: int) -> None:
        """Take room up to `size` bytes of file; raises OSError when there is none."""
        if size <= self._upto:
            return
        try:
            self._take(size + _STEP)
        except OSError:
            self._take(size)

    def _take(self, upto: int) -> None:
        allocate = getattr(os, "posix_fallocate", None)
        if allocate is None:
            used = os.fstat(self._descriptor).st_size
            if shutil.disk_usage(self._path.parent).free < upto - used:
                raise OSError(errno.ENOSPC, "No space left on device")
        else:
            allocate(self._descriptor, self._upto, upto - self._upto)
        self._upto = upto

    def sync(self) -> None:
        """Wait until the file is on the disk."""
        os.fsync(self._descriptor)

    def close(self, end: int | None = None) -> None:
        """Give back what was not used, beyond byte `end` of the file."""
        if self._descriptor < 0:
            return
        try:
            if end is not None and 0 < end < os.fstat(self._descriptor).st_size:
                os.ftruncate(self._descriptor, end)
        finally:
            os.close(self._descriptor)
            self._descriptor = -1
