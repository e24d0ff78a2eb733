"""The folder that a study leaves behind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from ..errors import MyoloopError, OutputError, ParameterError
from ..parameters import plain
from ._files import output_error, replacing
from ._json import dumps


@final
class OutputFolder:
    """Folder for the results of one run; each file in it is whole or not there.

    Parameters
    ----------
    path : path
        Made, with its parents, unless it exists.
    overwrite : bool
        Use a folder that is not empty: files of the same names are replaced, others stay.

    Raises
    ------
    OutputError
        A file, or a folder that is not empty, is there already; or it cannot be made.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        self.root = Path(path)
        self._written: list[str] = []
        try:
            if self.root.exists() and not self.root.is_dir():
                raise OutputError(f"{self.root}: is a file; give the name of a folder (--out)")
            if self.root.is_dir() and not overwrite and any(self.root.iterdir()):
                raise OutputError(
                    f"{self.root}: the folder exists and is not empty; "
                    "choose another one (--out) or allow to replace what is in it (--overwrite)"
                )
            self.root.mkdir(parents=True, exist_ok=True)
        except MyoloopError:
            raise
        except OSError as error:
            raise output_error(self.root, error, "nothing was written") from error

    @property
    def written(self) -> tuple[str, ...]:
        """Names of the files that are whole, in the order in which they were written."""
        return tuple(self._written)

    def path(self, name: str) -> Path:
        """Path of a file (or of a file in a folder) of this folder; its own folder is made."""
        target = self.root / name
        parts = Path(name).parts
        if not name or Path(name).is_absolute() or ".." in parts or target == self.root:
            raise ParameterError(
                "OutputFolder.path", f"{name!r} is not inside the folder", "give a plain name"
            )
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(target, error, self._kept()) from error
        return target

    @contextmanager
    def file(self, name: str) -> Iterator[Path]:
        """Give a path for anything to write to, which becomes the file `name` once that is done.

        Yields
        ------
        Path
            In the same folder and with the same ending as `name`.

        Raises
        ------
        OutputError
            What was written met an OSError such as a full disk; says which files are kept.
        """
        target = self.path(name)
        temporary = target.with_name(f".part-{os.getpid()}-{target.name}")
        try:
            yield temporary
            with replacing(target, overwrite=True, kept=self._kept()) as whole:
                temporary.replace(whole)
        except MyoloopError:
            raise
        except OSError as error:
            raise output_error(target, error, self._kept()) from error
        finally:
            temporary.unlink(missing_ok=True)
        if name not in self._written:
            self._written.append(name)

    def write_text(self, name: str, text: str) -> Path:
        """Write a text in UTF-8."""
        return self.write_bytes(name, text.encode("utf-8"))

    def write_bytes(self, name: str, data: bytes) -> Path:
        """Write bytes."""
        with self.file(name) as target:
            target.write_bytes(data)
        return self.root / name

    def write_json(self, name: str, value: Mapping[str, Any] | Sequence[Any]) -> Path:
        """Write plain values as JSON; NaN and infinity become null."""
        return self.write_text(name, dumps(value, indent=2) + "\n")

    def write_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
        """Write rows below `columns`, separated by tabs; None and NaN are ``n/a`` as in BIDS.

        Raises
        ------
        ParameterError
            A row of another length than `columns`.
        """
        lines = ["\t".join(map(_cell, columns))]
        for number, row in enumerate(rows):
            if len(row) != len(columns):
                raise ParameterError(
                    "OutputFolder.write_table",
                    f"row {number} of {name!r} has {len(row)} cells for {len(columns)} columns",
                    "fill each column",
                )
            lines.append("\t".join(map(_cell, row)))
        return self.write_text(name, "\n".join(lines) + "\n")

    def _kept(self) -> str:
        if not self._written:
            return "nothing was written before"
        return f"{', '.join(self._written)} in {self.root} are kept"


def _cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return "n/a"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, float) else str(value)
    return " ".join(text.split())
