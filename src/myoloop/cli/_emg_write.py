"""Write EMG while it is computed: NWB block by block, EMG-BIDS once all of it is there."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, final

import click
import numpy as np
from numpy.typing import NDArray

from ..errors import MissingDependencyError, MyoloopWarning, UnknownNameError
from ._group import refuse

if TYPE_CHECKING:
    from ..data import Recording
    from ..io import OutputFolder

Block = NDArray[np.float32]

FORMATS = {
    "nwb": "recording.nwb, written as it is computed",
    "bids": "an EMG-BIDS dataset with BDF (24 bits)",
    "edf": "an EMG-BIDS dataset with EDF (16 bits)",
}
_NEEDS = {"nwb": ("pynwb", "nwb"), "bids": ("edfio", "bids"), "edf": ("edfio", "bids")}
_DEFAULT = ("nwb", "bids")
_MOST_BYTES = 256 * 2**20  # of samples, up to which EMG-BIDS is written unasked


def formats_of(given: str | None, n_bytes: float) -> tuple[str, ...]:
    """Formats to write; one that was asked for and cannot be written is refused.

    Parameters
    ----------
    given : str, optional
        Names divided by commas, or ``"none"``; by default what can be written.
    n_bytes : float
        Of all samples.
    """
    if given is None:
        return tuple(name for name in _DEFAULT if _can(name, n_bytes))
    names = tuple(dict.fromkeys(word.strip() for word in given.lower().split(",") if word.strip()))
    if names == ("none",):
        return ()
    for name in names:
        if name not in FORMATS:
            raise UnknownNameError("--format", name, (*FORMATS, "none"))
        module, extra = _NEEDS[name]
        if find_spec(module) is None:
            raise MissingDependencyError(f"--format {name}", extra)
    if {"bids", "edf"} <= set(names):
        refuse("--format: bids and edf are one dataset with other data files; give one of them")
    if not names:
        refuse(f"--format: no name was given; known are {', '.join(FORMATS)} and none")
    return names


@final
class Writer:
    """Takes a recording as it is computed; see `studies.emg.emg_from_spikes`.

    Parameters
    ----------
    folder : OutputFolder
    formats : tuple of str
        Of `FORMATS`.
    muscle : str
        Where the electrodes are.
    title : str
        Of the recording, in a line.
    subject : mapping
        Whose the recording is, for NWB.
    """

    def __init__(
        self,
        folder: OutputFolder,
        formats: tuple[str, ...],
        muscle: str,
        title: str,
        subject: Mapping[str, str],
    ) -> None:
        self._folder, self._formats = folder, formats
        self._muscle, self._title, self._subject = muscle, title, subject
        self._interrupted_s: float | None = None

    def __call__(self, first: Recording, more: Iterator[Block]) -> None:
        """Write all blocks. An interruption ends NWB with what has come until then."""
        from ..io import write_recording

        kept = [first.values_uV] if {"bids", "edf"} & set(self._formats) else None
        blocks = self._until_interrupted(first, more, kept)
        if "nwb" in self._formats:
            with self._folder.file("recording.nwb") as path:
                write_recording(
                    path,
                    first,
                    more=blocks,
                    description=self._title,
                    muscle=self._muscle,
                    subject=self._subject,
                )
        for _ in blocks:
            pass
        if self._interrupted_s is not None:
            self._say_what_is_kept()
        if kept is not None:
            self._write_bids(dataclasses.replace(first, values_uV=np.concatenate(kept, axis=1)))

    def _until_interrupted(
        self, first: Recording, more: Iterator[Block], kept: list[Any] | None
    ) -> Iterator[Block]:
        samples = first.values_uV.shape[1]
        while True:
            try:
                block = next(more, None)
            except KeyboardInterrupt:
                self._interrupted_s = samples / first.rate_hz
                return
            if block is None:
                return
            samples += block.shape[1]
            if kept is not None:
                kept.append(block)
            yield block

    def _say_what_is_kept(self) -> None:
        from ._write import kept_files

        files = ", ".join(kept_files(self._folder.root))
        what = f"kept in {self._folder.root}: {files}" if files else "nothing was written"
        if "nwb" in self._formats:
            what += f" (the first {self._interrupted_s:.1f} s)"
        raise click.Abort(f"interrupted; {what}")

    def _write_bids(self, recording: Recording) -> None:
        from ..io import write_bids

        write_bids(
            self._folder.path("bids/x").parent,
            recording,
            task="emg",
            format="edf" if "edf" in self._formats else "bdf",
            muscle=self._muscle,
            sidecar={"TaskDescription": self._title},
            dataset=self._title,
            overwrite=True,
        )


def _can(name: str, n_bytes: float) -> bool:
    module, extra = _NEEDS[name]
    if find_spec(module) is None:
        missing = MissingDependencyError(f"--format {name}", extra)
        warnings.warn(f"{name} was left out: {missing}", MyoloopWarning, stacklevel=2)
        return False
    if name == "bids" and n_bytes > _MOST_BYTES:
        warnings.warn(
            "EMG-BIDS was left out: its files cannot be written block by block, and all samples, "
            f"{n_bytes / 2**30:.1f} GiB, would be in memory several times; ask for it with --format nwb,bids",
            MyoloopWarning,
            stacklevel=2,
        )
        return False
    return True
