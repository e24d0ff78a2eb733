"""Files as such: is it there, may it be written, and never half of it."""

from __future__ import annotations

import errno
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from ..errors import MissingDependencyError, MyoloopError, OutputError, UnreadableFileError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def refuse(path: str | os.PathLike[str], wrong: str, mend: str) -> NoReturn:
    """Raise UnreadableFileError in the form of all our messages."""
    raise UnreadableFileError(f"{os.fspath(path)}: {wrong}; {mend}")


def regular_file(path: str | os.PathLike[str]) -> Path:
    """`path` if it is a file with something in it that we may read."""
    path = Path(path)
    try:
        if not path.exists():
            refuse(path, "no such file", "check the name")
        if not path.is_file():
            refuse(path, "not a regular file", "give a file, not a folder or a device")
        if path.stat().st_size == 0:
            refuse(path, "the file is empty", "write it again")
        with path.open("rb"):
            return path
    except UnreadableFileError:
        raise
    except (OSError, ValueError) as error:
        refuse(path, f"cannot be opened ({error})", "check its name and permissions")


def head(path: Path, n_bytes: int = 16) -> bytes:
    """First bytes of a file."""
    with path.open("rb") as file:
        return file.read(n_bytes)


def need(module: str, what: str, extra: str) -> Any:
    """Import a package of an extra, or say which extra it is."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(what, extra) from error


def output_error(path: str | os.PathLike[str], error: BaseException, kept: str) -> OutputError:
    """What to raise when writing `path` failed; `kept` says what is not lost."""
    number = getattr(error, "errno", None)
    text = str(error)
    if number in _FULL or any(f"errno = {n}," in text for n in _FULL):
        wrong, mend = "the disk is full", "make room or write to another place"
    else:
        wrong, mend = (
            f"cannot be written ({text or type(error).__name__})",
            "check the place and its permissions",
        )
    return OutputError(f"{os.fspath(path)}: {wrong}; {mend}; {kept}")


def new_file(path: str | os.PathLike[str], overwrite: bool) -> Path:
    """`path` if it may be written."""
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file in it")
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists already; give another name or overwrite=True")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: its folder does not exist; make {path.parent} first")
    return path


@contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool, kept: str = "") -> Iterator[Path]:
    """Give a temporary name to write to; afterwards `path` is the whole new file or what it was before."""
    target = new_file(path, overwrite)
    existed = target.exists()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    kept = kept or (f"the earlier {target.name} is unchanged" if existed else "nothing was written there")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(target)
        sync(target.parent)
    except MyoloopError:
        raise
    except OSError as error:
        raise output_error(target, error, kept) from error
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file (or the entries of a folder) is on the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:  # a folder on Windows
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
