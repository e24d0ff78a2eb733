"""Read a file of unknown origin in a child process.

The HDF5 library trusts what a file says of itself: of a thousand NWB files with flipped bytes one ends
the process with a memory fault and another keeps it busy for minutes. A child pays for that in our stead
and hands over what it read.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar, final

from ..data import Recording, Result, SpikeTrains
from ..errors import MyoloopError, MyoloopWarning
from ._files import refuse

T = TypeVar("T")

_PATIENCE_S = 20.0
_BYTES_PER_S = 1e6  # slower than the slowest format here (NIX) is read
_MEMORY_BYTES = 8 << 30
_MEND = "use an intact copy"
_SPAWNED = (
    "import pickle, sys; task, memory = pickle.load(sys.stdin.buffer); sys.stdout.buffer.write(task(memory))"
)


def read_isolated(path: Path, read: Callable[[], T]) -> T:
    """Result of `read` (which must be picklable) in a child; a file that it does not survive is refused."""
    size = path.stat().st_size
    patience = _PATIENCE_S + size / _BYTES_PER_S
    forks = hasattr(os, "fork") and not has_threads()
    task = _Task(read)
    status, said = (_forked if forks else _spawned)(task, patience, _MEMORY_BYTES + 20 * size)
    if status is None:
        refuse(path, f"damaged: it could not be read within {patience:.0f} s", _MEND)
    if status != 0:
        refuse(path, f"damaged: a process that read it died (status {status})", _MEND)
    found, error, notes = pickle.loads(said)
    for note in notes:
        warnings.warn(note, MyoloopWarning, stacklevel=3)
    if error is not None:
        raise error
    result: T = _frozen(found)
    return result


def has_threads() -> bool:
    """Whether a forked child might wait forever for a lock that a thread of ours held."""
    return threading.active_count() > 1 or "jax" in sys.modules  # whose threads Python does not know of


@final
class _Task:
    """What the child does: call `read`, and pickle what it gives, raises and warns of."""

    def __init__(self, read: Callable[[], Any]) -> None:
        self.read = read

    def __call__(self, memory: int) -> bytes:
        _limit(memory)
        found = error = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                found = self.read()
            except MyoloopError as problem:
                error = problem.with_traceback(None)
        notes = [str(w.message) for w in caught if issubclass(w.category, MyoloopWarning)]
        return pickle.dumps((found, error, notes))


def _limit(memory: int) -> None:
    """Let the child die of what would starve the machine."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        used = 0
        with suppress(OSError, ValueError):
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, resource.RLIM_INFINITY))


def _forked(task: _Task, patience: float, memory: int) -> tuple[int | None, bytes]:
    import h5py  # noqa: F401  once here rather than in every child

    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # idle threads of BLAS do no harm here
        child = os.fork()
    if child == 0:
        _child(task, theirs, memory)
    os.close(theirs)
    said = None
    try:
        said = _listen(ours, time.monotonic() + patience)
    finally:
        os.close(ours)
        if said is None:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return (None, b"") if said is None else (status, said)


def _child(task: _Task, pipe: int, memory: int) -> NoReturn:
    status = 1
    try:
        faulthandler.disable()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        with os.fdopen(pipe, "wb") as file:
            file.write(task(memory))
        status = 0
    finally:
        os._exit(status)


def _listen(pipe: int, deadline: float) -> bytes | None:
    """All that comes before the other end closes; None when the deadline comes first."""
    heard, poll = bytearray(), select.poll()
    poll.register(pipe, select.POLLIN | select.POLLHUP)
    while True:
        if not poll.poll(max(0.0, 1e3 * (deadline - time.monotonic()))):
            return None
        part = os.read(pipe, 1 << 20)
        if not part:
            return bytes(heard)
        heard += part


def _spawned(task: _Task, patience: float, memory: int) -> tuple[int | None, bytes]:
    command = [sys.executable, "-c", _SPAWNED]
    try:
        done = subprocess.run(
            command, input=pickle.dumps((task, memory)), capture_output=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        return None, b""
    return done.returncode, done.stdout


def _frozen(found: T) -> T:
    """The same with spike times that nobody changes, which pickling forgets."""
    pools: Any = found.spikes if isinstance(found, Result) else found
    if isinstance(found, Recording) and found.truth is not None:
        pools = {"": found.truth.spikes}
    for trains in pools.values() if isinstance(pools, Mapping) else ():
        if isinstance(trains, SpikeTrains):
            trains.times_s.flags.writeable = trains.starts.flags.writeable = False
    return found
