"""Archives of signals: tar members are read in place, XML without entities, samples whole frames at a time.

Nothing is extracted to disk. An archive that ends early still gives the frames that are whole.
"""

from __future__ import annotations

import tarfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from ...errors import MyoloopWarning
from .._files import refuse
from .._limits import Limits

_MEND = "use an intact copy"
_MOST_MEMBERS = 10_000
_MOST_DEPTH = 64
_VALUES_AT_ONCE = 1 << 22
_MOST_NAMES = 8


@final
@dataclass(frozen=True)
class Member:
    """A file in an archive: where its bytes begin, how many it should have and how many there are."""

    name: str
    start: int
    size: int
    present: int


@final
class Archive:
    """Members of an uncompressed tar archive by name, without their folders.

    Parameters
    ----------
    path : Path
    limits : Limits
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.limits = path, limits
        self.members = _members(path)

    def named(self, ending: str) -> list[str]:
        """Names that end so, in alphabetical order."""
        return sorted(name for name in self.members if name.lower().endswith(ending))

    def read(self, name: str) -> bytes:
        """All bytes of a small member."""
        member = self.members.get(name)
        if member is None:
            refuse(self.path, f"holds no {name}", "give the archive as the recording program saved it")
        if member.size > self.limits.text_bytes:
            refuse(self.path, f"{name} has {member.size} bytes", "raise Limits.text_bytes if that is right")
        if member.present < member.size:
            refuse(self.path, f"truncated within {name}", _MEND)
        with self.path.open("rb") as file:
            file.seek(member.start)
            return file.read(member.size)

    def xml(self, name: str) -> ElementTree.Element:
        """Root element of a member; one that declares a document type or an entity is refused."""
        builder, depth = ElementTree.TreeBuilder(), 0

        def begin(tag: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > _MOST_DEPTH:
                refuse(self.path, f"{name} nests deeper than {_MOST_DEPTH} elements", _MEND)
            builder.start(tag, attributes)

        def end(tag: str) -> None:
            nonlocal depth
            depth -= 1
            builder.end(tag)

        def declared(*_: Any) -> None:
            refuse(self.path, f"{name} declares a document type or entity", "remove it from the XML")

        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = begin, end
        parser.CharacterDataHandler = builder.data
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = declared
        try:
            parser.Parse(self.read(name), True)
        except expat.ExpatError as error:
            refuse(self.path, f"{name} is no XML ({error})", _MEND)
        return builder.close()

    def frames(self, name: str, frame_bytes: int) -> int:
        """Number of whole frames of a member; a rest is told in a warning."""
        member = self.members.get(name)
        if member is None:
            refuse(self.path, f"holds no {name}", "give the archive as the recording program saved it")
        whole, rest = divmod(member.present, frame_bytes)
        if whole == 0:
            refuse(self.path, f"{name} holds no whole frame of {frame_bytes} bytes", _MEND)
        if member.present < member.size:
            say(
                f"{self.path}: truncated within {name}: {whole} of {member.size // frame_bytes} "
                "samples a channel are kept"
            )
        elif rest:
            say(
                f"{self.path}: {name} ends within a frame of {frame_bytes} bytes: {whole} samples "
                "a channel are kept"
            )
        return whole

    def columns(
        self, name: str, n_channels: int, kind: str, frames: int, wanted: Sequence[int]
    ) -> NDArray[Any]:
        """Some channels of interleaved samples, shape (channels, frames), as they are stored.

        Parameters
        ----------
        name : str
        n_channels : int
            In a frame.
        kind : {"<i2", "<i3", "<i4", "<f8"}
            Type of a sample, little-endian; ``<i3`` comes back as int32.
        frames : int
            How many, from the first.
        wanted : sequence of int
        """
        if frames * len(wanted) > self.limits.samples:
            refuse(self.path, f"{frames * len(wanted)} samples", "raise Limits.samples if that is right")
        itemsize = int(kind[2:])
        found = np.empty((len(wanted), frames), "<i4" if kind == "<i3" else kind)
        step = max(1, _VALUES_AT_ONCE // n_channels)
        with self.path.open("rb") as file:
            file.seek(self.members[name].start)
            for first in range(0, frames, step):
                last = min(frames, first + step)
                data = file.read((last - first) * n_channels * itemsize)
                table = (_int24(data) if kind == "<i3" else np.frombuffer(data, kind)).reshape(-1, n_channels)
                found[:, first:last] = table[:, list(wanted)].T
        return found


def _members(path: Path) -> dict[str, Member]:
    size, found = path.stat().st_size, dict[str, Member]()
    try:
        with tarfile.open(path, "r:") as archive:
            for _ in range(_MOST_MEMBERS):
                try:
                    one = archive.next()
                except (tarfile.ReadError, OSError):  # it ends early: what came before is there
                    break
                if one is None:
                    break
                name = one.name.replace("\\", "/").rsplit("/", 1)[-1]
                if not one.isreg() or one.issparse() or not name:
                    continue
                if name in found:
                    refuse(path, f"holds {name} twice", _MEND)
                present = min(one.size, max(0, size - one.offset_data))
                found[name] = Member(name, one.offset_data, one.size, present)
            else:
                refuse(path, f"more than {_MOST_MEMBERS} members", _MEND)
    except (tarfile.TarError, ValueError, EOFError) as error:
        refuse(
            path, f"not an uncompressed tar archive ({error})", "give it as the recording program saved it"
        )
    return found


def _int24(data: bytes) -> NDArray[np.int32]:
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return wide.view("<i4")[:, 0] >> 8  # which carries the sign down


def say(text: str) -> None:
    """Warn of what is amiss with a file but does not forbid to read it."""
    warnings.warn(text, MyoloopWarning, stacklevel=3)


def text_of(element: ElementTree.Element, tag: str) -> str:
    """Text of the child `tag`, empty where there is none."""
    return (element.findtext(tag) or "").strip()


def number(path: Path, text: str | None, what: str, default: float | None = None) -> float:
    """A finite number, also one with a decimal comma; `default` for what is not there."""
    if not (text or "").strip() and default is not None:
        return default
    try:
        value = float((text or "").strip().replace(",", "."))
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        refuse(path, f"{what} is {(text or '')[:40]!r}", _MEND)
    return value


def whole(path: Path, text: str | None, what: str, least: int, most: int) -> int:
    """A whole number between two bounds."""
    value = number(path, text, what)
    if value != int(value) or not least <= value <= most:
        refuse(path, f"{what} is {value:g}", f"it must be a whole number from {least} to {most}")
    return int(value)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names, those that come again with a number."""
    taken, result = set[str](), list[str]()
    for name in names:
        candidate, again = name, 2
        while candidate in taken:
            candidate, again = f"{name} ({again})", again + 1
        taken.add(candidate)
        result.append(candidate)
    return tuple(result)


def tell_clipped(path: Path, clipped: Mapping[str, int]) -> None:
    """Warn of channels with samples at full scale."""
    if clipped:
        some = ", ".join(f"{name} ({count})" for name, count in list(clipped.items())[:_MOST_NAMES])
        more = f" and {len(clipped) - _MOST_NAMES} more" if len(clipped) > _MOST_NAMES else ""
        say(f"{path}: samples at the converter's full scale, clipped: {some}{more}")
