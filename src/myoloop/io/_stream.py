"""A running simulation, streamed to disk."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from ..errors import MyoloopError, OutputError, ParameterError, UnknownNameError
from ..parameters import plain
from . import _checkpoint
from ._checkpoint import Checkpoint, checkpoint_path
from ._files import new_file, output_error, refuse, regular_file, sync
from ._hdf5 import opened
from ._json import dumps
from ._limits import Limits
from ._stream_layout import STREAM_FORMAT, check_layout, columns, commit_row, commit_type
from ._stream_read import Committed, committed
from ._stream_rows import ROUNDING_S, Spikes, checked_rows
from ._stream_space import Space

_BUFFER_BYTES = 8 << 20
_COMMIT_CHUNK = 1024
_SLACK_BYTES = 1 << 20  # for what HDF5 writes of its own accord
_COPY_ROWS = 1 << 18
_CODES = {"open": 0, "complete": 1, "interrupted": 2}


@final
class HDF5Stream:
    """Sink of a simulation that appends to an HDF5 file and uses the same memory however long it takes.

    Rows are collected in memory and written together every `flush_every_s` (or after 8 MiB). The file
    is in single-writer-multiple-reader mode: `read_stream` reads it up to the last flush while it is
    written, and after the process was killed at any moment.

    Parameters
    ----------
    path : path
        File to make, when `open` is called.
    flush_every_s : float
        Time on the wall clock after which rows are flushed: what a kill may cost. 0 flushes each write.
    overwrite : bool
        Replace an existing file and its checkpoint.

    Notes
    -----
    `layout` is a plain dictionary: ``populations`` ``{name: n_units}``; ``signals`` ``{key: {"rate_hz",
    "units", "channels", "t_start_s", "name", "dtype"}}``, all but the rate optional; optional
    ``annotations`` ``{population: {key: array}}``, ``t_start_s`` and ``provenance``; anything else plain
    travels along.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, flush_every_s: float = 1.0, overwrite: bool = False
    ) -> None:
        if not flush_every_s >= 0:
            raise ParameterError("HDF5Stream.flush_every_s", f"{flush_every_s!r} s", "give 0 s or more")
        self.path = Path(path)
        self.flush_every_s = float(flush_every_s)
        self._overwrite = overwrite
        self._file: Any = None
        self._failed = False
        self.time_s = 0.0

    def open(self, layout: Mapping[str, Any]) -> None:
        """Make the file; raises OutputError if there is one, or no room for it."""
        if self._file is not None:
            raise OutputError(f"{self.path}: the stream is open already; close it first")
        path = new_file(self.path, self._overwrite)
        if not self._overwrite:
            new_file(checkpoint_path(path), overwrite=False)
        checked = {**check_layout(layout), "identity": secrets.token_hex(16)}
        temporary = self._temporary()
        try:
            _skeleton(temporary, checked)
            temporary.replace(path)
        except (OSError, RuntimeError) as error:
            raise self._error(error, "nothing was written there") from error
        finally:
            temporary.unlink(missing_ok=True)
        checkpoint_path(path).unlink(missing_ok=True)
        self._attach(path, plain(checked))

    def write(self, spikes: Spikes, signals: Mapping[str, NDArray[Any]], time_s: float) -> None:
        """Append what was recorded since the last call.

        Parameters
        ----------
        spikes : mapping of str to (units, times_s)
            By population; a population may be absent.
        signals : mapping of str to ndarray, shape (samples, channels)
            By key; a signal may be absent.
        time_s : float
            Simulated time up to which all is now complete.

        Raises
        ------
        ParameterError
            Names, shapes, units or times that do not fit the layout.
        OutputError
            The disk is full: what was flushed stays, and the stream takes no more.
        """
        self._writable()
        if not time_s >= self.time_s:
            raise ParameterError(
                "HDF5Stream.time_s", f"{time_s!r} s after {self.time_s:g} s", "give times that ascend"
            )
        rows = checked_rows(self._layout, self._columns, spikes, signals, time_s)
        for name, values in rows.items():
            self._pending[name].append(values)
            self._pending_bytes += values.nbytes
        self.time_s = float(time_s)
        late = time.monotonic() - self._flushed_at >= self.flush_every_s
        if late or self._pending_bytes >= _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Make all rows so far safe against the death of this process."""
        self._writable()
        try:
            self._space.ensure(self._need())
            self._commit()
        except (OSError, RuntimeError) as error:
            self._failed = True
            raise self._error(error, self._kept()) from error
        self._flushed_at = time.monotonic()

    def checkpoint(self, state: Mapping[str, NDArray[Any]], time_s: float) -> None:
        """Flush, and write beside the file all that is needed to go on from `time_s`.

        Raises
        ------
        OutputError
            The disk is full; the stream and the checkpoint before this one are whole.
        ParameterError
            A state array of objects, or a time that is not that of the last write.
        """
        self._writable()
        if not abs(time_s - self.time_s) <= ROUNDING_S:
            raise ParameterError(
                "HDF5Stream.checkpoint", f"a state of {time_s:g} s, rows up to {self.time_s:g} s",
                "write the rows up to the checkpoint first",
            )  # fmt: skip
        self.flush()
        self._space.sync()
        _checkpoint.save(self.path, Checkpoint(dict(state), time_s, tuple(self._rows), self._identity))

    def close(self, status: str) -> None:
        """Flush and close; `status` is ``"complete"`` or ``"interrupted"``. A second call does nothing.

        A stream whose disk was full is closed as interrupted.
        """
        if status not in ("complete", "interrupted"):
            raise UnknownNameError("HDF5Stream.status", status, ("complete", "interrupted"))
        if self._file is None:
            return
        problem: MyoloopError | None = None
        if not self._failed:
            try:
                self.flush()
            except OutputError as error:
                problem = error
        self._release("interrupted" if self._failed else status)
        if problem is not None:
            raise problem

    @classmethod
    def resume(
        cls, path: str | os.PathLike[str], *, flush_every_s: float = 1.0
    ) -> tuple[Self, dict[str, NDArray[Any]], dict[str, Any]]:
        """Take up an interrupted stream at its checkpoint.

        Rows after the checkpoint are cut off: the run writes them again. The file is first copied up
        to there under another name, so that a failure on the way leaves everything as it was.

        Returns
        -------
        stream : HDF5Stream
            Open, at `time_s` of the checkpoint.
        state : dict of str to ndarray
            What `checkpoint` was given.
        layout : dict
            What `open` was given, in plain values.

        Raises
        ------
        UnreadableFileError
            No stream, no checkpoint, or one of another stream.
        OutputError
            The run is complete, or there is no room for the copy.
        """
        stream = cls(path, flush_every_s=flush_every_s, overwrite=True)
        source = regular_file(path)
        point = _checkpoint.load(source)
        temporary = stream._temporary()
        with opened(source) as file:
            found = committed(source, file, Limits())
            _resumable(source, found, point)
            try:
                stream._copy(file, found, point, temporary)
                temporary.replace(source)
                sync(source.parent)
            except (OSError, RuntimeError) as error:
                kept = f"{source.name} and its checkpoint are as they were"
                raise output_error(source, error.__cause__ or error, kept) from error
            finally:
                temporary.unlink(missing_ok=True)
        stream._attach(source, dict(found.layout))
        layout = {key: value for key, value in found.layout.items() if key != "identity"}
        return stream, point.state, layout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close("complete" if kind is None else "interrupted")

    def _temporary(self) -> Path:
        return self.path.with_name(f".{self.path.name}.{os.getpid()}.part")

    def _error(self, error: BaseException, kept: str) -> BaseException:
        return error if isinstance(error, MyoloopError) else output_error(self.path, error, kept)

    def _kept(self) -> str:
        return (
            f"what was flushed up to {self._flushed_time_s:g} s of simulated time is kept in {self.path.name}"
        )

    def _writable(self) -> None:
        if self._file is None:
            raise OutputError(f"{self.path}: the stream is not open; call open(layout) first")
        if self._failed:
            raise OutputError(f"{self.path}: the stream stopped when its disk was full; {self._kept()}")

    def _attach(self, path: Path, layout: dict[str, Any]) -> None:
        """Open an existing file for appending."""
        import h5py

        self._layout, self._identity = layout, str(layout["identity"])
        self._columns = columns(layout)
        self._file = h5py.File(path, "r+", libver=("v110", "v110"), locking=False)
        self._file.swmr_mode = True
        self._space = Space(path)
        self._sets = [self._file[column.path] for column in self._columns]
        self._table = self._file["committed"]
        self._rows = [int(s.shape[0]) for s in self._sets]
        committed_any = self._table.shape[0] > 0
        self.time_s = float(self._table[-1]["time_s"] if committed_any else layout["t_start_s"])
        self._flushed_time_s = self.time_s
        self._pending: dict[str, list[NDArray[Any]]] = {column.path: [] for column in self._columns}
        self._pending_bytes = 0
        self._flushed_at = time.monotonic()

    def _need(self) -> int:
        """Size of the file, at most, after the next commit."""
        size = int(self._file.id.get_filesize())
        chunks = self._pending_bytes + _COMMIT_CHUNK * commit_type(len(self._columns)).itemsize
        for column in self._columns:
            if self._pending[column.path]:
                chunks += 2 * column.chunk_rows * column.row_bytes
        return size + chunks + chunks // 16 + _SLACK_BYTES

    def _commit(self) -> None:
        for n, column in enumerate(self._columns):
            if parts := self._pending[column.path]:
                values = np.concatenate(parts)
                target, first = self._sets[n], self._rows[n]
                target.resize(first + len(values), axis=0)
                target[first:] = values
                target.flush()
                self._rows[n] = first + len(values)
                parts.clear()
        at = self._table.shape[0]
        self._table.resize(at + 1, axis=0)
        self._table[at:] = commit_row(len(self._columns), self.time_s, self._rows)
        self._table.flush()
        self._pending_bytes, self._flushed_time_s = 0, self.time_s

    def _release(self, status: str) -> None:
        with suppress(OSError, RuntimeError):
            self._file["status"][0] = _CODES[status]
        self._sets, self._table = [], None
        try:
            self._file.close()
        except (OSError, RuntimeError) as error:
            raise self._error(error, self._kept()) from error
        finally:
            self._file = None
            self._space.close(_end_of_file(self.path))

    def _copy(self, file: Any, found: Committed, point: Checkpoint, temporary: Path) -> None:
        _skeleton(temporary, dict(found.layout))
        self._attach(temporary, dict(found.layout))
        self.path, target = temporary, self.path
        try:
            for column, rows in zip(found.columns, point.rows, strict=True):
                for first in range(0, rows, _COPY_ROWS):
                    part = file[column.path][first : min(first + _COPY_ROWS, rows)]
                    self._pending[column.path].append(part)
                    self._pending_bytes += part.nbytes
                    self.flush()
            self.time_s = point.time_s
            self.flush()
            self._space.sync()
        finally:
            self._release("open")
            self.path, self._failed = target, False


def _skeleton(path: Path, layout: dict[str, Any]) -> None:
    """Write the file with all its datasets and no row."""
    import h5py

    path.touch()
    room = Space(path)
    try:
        text = np.frombuffer(dumps(layout).encode(), dtype=np.uint8)
        room.ensure(len(text) + _SLACK_BYTES)  # a probe: HDF5 begins the file anew
    finally:
        room.close()
    found = columns(layout)
    with h5py.File(path, "w", libver=("v110", "v110"), locking=False) as file:
        file.attrs["format"] = STREAM_FORMAT
        file.create_dataset("layout", data=text)
        file.create_dataset("status", data=np.zeros(1, dtype=np.uint8))
        for column in found:
            file.create_dataset(
                column.path, (0, *column.row), column.dtype, maxshape=(None, *column.row),
                chunks=(column.chunk_rows, *column.row),
            )  # fmt: skip
        file.create_dataset(
            "committed", (0,), commit_type(len(found)), maxshape=(None,), chunks=(_COMMIT_CHUNK,)
        )


def _resumable(path: Path, found: Committed, point: Checkpoint) -> None:
    if point.identity != found.identity or len(point.rows) != len(found.rows):
        refuse(path, "its checkpoint belongs to another stream", "put the two files of one run together")
    if found.status == "complete":
        raise OutputError(f"{path}: this run is complete; start a new one under another name")
    if any(wanted > there for wanted, there in zip(point.rows, found.rows, strict=True)):
        refuse(path, "it is shorter than its checkpoint says", "put the two files of one run together")


def _end_of_file(path: Path) -> int | None:
    """Where HDF5 says that the file ends (superblock version 2 or 3)."""
    with path.open("rb") as file:
        block = file.read(36)
    known = block[:8] == b"\x89HDF\r\n\x1a\n" and block[8] in (2, 3) and block[9] == 8
    return int.from_bytes(block[28:36], "little") if known else None
