"""Names and small files of a BIDS dataset: entities, tables, sidecars and who inherits which."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from ..errors import ParameterError
from ._files import refuse, regular_file
from ._json import loads
from ._limits import Limits

BIDS_VERSION = "1.11.1"
DATA_ENDINGS = ("_emg.bdf", "_emg.edf")
_LABEL = re.compile(r"[0-9A-Za-z+]+")
_ENTITY = re.compile(r"([a-z]+)-([0-9A-Za-z+]+)")
_MOST_FILES = 100_000


@final
@dataclass(frozen=True)
class Entities:
    """Names of a recording within a dataset."""

    subject: str
    task: str
    session: str | None = None
    acquisition: str | None = None
    run: int | None = None

    def __post_init__(self) -> None:
        for name in ("subject", "task", "session", "acquisition"):
            label = getattr(self, name)
            optional = name in ("session", "acquisition")
            if not (optional and label is None) and not (isinstance(label, str) and _LABEL.fullmatch(label)):
                raise ParameterError(
                    f"write_bids.{name}", f"{label!r} was given", "give letters and digits only"
                )
        whole = isinstance(self.run, int) and not isinstance(self.run, bool)
        if self.run is not None and not (whole and self.run >= 0):
            raise ParameterError("write_bids.run", f"{self.run!r} was given", "give a whole number")

    @property
    def folder(self) -> Path:
        """Folder of the data within the dataset."""
        session = [f"ses-{self.session}"] if self.session else []
        return Path(f"sub-{self.subject}", *session, "emg")

    @property
    def session_stem(self) -> str:
        """Begin of the names of what all recordings of the session share."""
        return f"sub-{self.subject}" + (f"_ses-{self.session}" if self.session else "")

    @property
    def stem(self) -> str:
        """Begin of the names of its own files."""
        parts = [("task", self.task), ("acq", self.acquisition), ("run", self.run)]
        return "_".join([self.session_stem, *(f"{key}-{value}" for key, value in parts if value is not None)])


def entities_of(path: Path) -> dict[str, str]:
    """Entities in the name of a file."""
    return {key: value for key, value in map(_pair, path.name.split("_")[:-1]) if key}


def _pair(part: str) -> tuple[str, str]:
    found = _ENTITY.fullmatch(part)
    return (found[1], found[2]) if found else ("", "")


def root_of(data: Path) -> Path:
    """Dataset that a data file belongs to; raises UnreadableFileError."""
    for folder in data.absolute().parents:
        if (folder / "dataset_description.json").is_file():
            return folder
    return refuse(data, "no folder above it has a dataset_description.json", "give a file of a BIDS dataset")


def recordings_of(root: Path) -> list[Path]:
    """Data files of all EMG recordings of a dataset."""
    if not (root / "dataset_description.json").is_file():
        refuse(root, "has no dataset_description.json", "give the folder of a BIDS dataset")
    found = []
    for pattern in ("sub-*/emg/sub-*", "sub-*/ses-*/emg/sub-*"):
        for number, path in enumerate(root.glob(pattern)):
            if number > _MOST_FILES:
                refuse(root, f"more than {_MOST_FILES} files", "give one data file of it")
            if path.name.endswith(DATA_ENDINGS):
                found.append(path)
    return sorted(found)


def inherited(root: Path, data: Path, ending: str) -> list[Path]:
    """Files that speak of a data file, the most general first (BIDS: the inheritance principle)."""
    wanted, folder, found = entities_of(data), data.absolute().parent, []
    levels = [folder]
    while folder not in (root, folder.parent):
        folder = folder.parent
        levels.append(folder)
    for level in reversed(levels):
        here = []
        for path in level.glob(f"*{ending}"):
            named = entities_of(path)
            about = {key: value for key, value in named.items() if key != "space"}
            exact = path.name in (ending, ending.lstrip("_")) or bool(named)
            if exact and path.name.endswith(ending) and about.items() <= wanted.items():
                here.append((len(about), path))
        found += [path for _, path in sorted(here)]
    return found


def sidecar(root: Path, data: Path, limits: Limits) -> tuple[Path, dict[str, Any]]:
    """Description of a data file with what it inherits; raises UnreadableFileError if there is none."""
    parts = inherited(root, data, "_emg.json")
    if not parts:
        refuse(data, "no _emg.json beside it", "restore its sidecar file")
    merged: dict[str, Any] = {}
    for path in parts:
        merged |= loads(path, read_text(path, limits))
    return parts[-1], merged


def nearest(root: Path, data: Path, ending: str) -> Path | None:
    """The file with that ending that speaks of a data file, or None."""
    found = inherited(root, data, ending)
    return found[-1] if found else None


def read_text(path: Path, limits: Limits) -> str:
    """Text of a small file; raises UnreadableFileError."""
    path = regular_file(path)
    size = path.stat().st_size
    if size > limits.text_bytes:
        refuse(path, f"{size} bytes of text", "raise Limits.text_bytes if that is right")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        refuse(path, "not a text in UTF-8", "use an intact copy")
    except OSError as error:
        refuse(path, f"cannot be read ({error})", "check its permissions")


def read_table(path: Path, limits: Limits, needed: Sequence[str] = ()) -> dict[str, list[str]]:
    """Columns of a TSV file by their names; raises UnreadableFileError."""
    lines = read_text(path, limits).split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        refuse(path, "has no header", "use an intact copy")
    names = [name.strip() for name in lines[0].rstrip("\r").split("\t")]
    missing = [name for name in needed if name not in names]
    if missing or len(set(names)) != len(names):
        wrong = f"has no column {', '.join(missing)}" if missing else "has a column twice"
        refuse(path, wrong, "use an intact copy")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.rstrip("\r").split("\t")
        if len(cells) != len(names):
            refuse(path, f"line {number}: {len(cells)} cells for {len(names)} columns", "use an intact copy")
        rows.append(cells)
    return {name: [row[i].strip() for row in rows] for i, name in enumerate(names)}


def numeric(path: str | os.PathLike[str], about: Mapping[str, Any], key: str) -> float:
    """A finite number of a sidecar; raises UnreadableFileError."""
    value = about.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        refuse(path, f"{key} is {str(value)[:40]!r}", "give a number")
    return float(value)
