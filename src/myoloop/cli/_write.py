"""Write a result into a folder: what took longest to compute first, what may fail last."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import MissingDependencyError, MyoloopWarning
from ..parameters import plain

if TYPE_CHECKING:
    from ..data import Recording
    from ..io import OutputFolder
    from ..studies import StudyResult
    from ..viz import Titled

_UNKNOWN = {"muscle": "unknown", "task": "simulation"}  # of a recording that does not say


def check_formats(nix: bool) -> None:
    """Refuse, before anything is computed, a format that was asked for and cannot be written."""
    if nix and find_spec("nixio") is None:
        raise MissingDependencyError("--nix", "nix")


def write_result(
    folder: OutputFolder,
    study: Titled,
    result: StudyResult,
    *,
    nix: bool,
    warnings: Sequence[str],
    subject: Mapping[str, str] | None = None,
) -> None:
    """Write numbers and tables, then the recordings, then figures and report.

    Parameters
    ----------
    folder : OutputFolder
        Fresh.
    study : Study or Heading
        What the report is about.
    result : StudyResult
        What was found.
    nix : bool
        Write the recording as NIX too.
    warnings : sequence of str
        Shown in the report; it may still grow while this writes.
    subject : mapping, optional
        Whose the recording is, for the NWB file; default nobody's, a simulation.
    """
    folder.write_json("metrics.json", metrics_of(result))
    folder.write_json("provenance.json", plain(dict(result.provenance)))
    for table in result.tables:
        folder.write_table(f"{_file_name(table.title)}.tsv", table.columns, table.rows)
    if result.spikes or result.signals:
        _write_recording(folder, study, result, nix, subject)
    for name, recording in result.recordings.items():
        _write_emg(folder, study, name, recording)

    from ..viz import write_report

    write_report(folder.root, study, result, warnings=warnings)


def metrics_of(result: StudyResult) -> dict[str, Any]:
    """The metrics with the claims beside them, in plain values."""
    return {**plain(dict(result.metrics)), "claims": [plain(claim) for claim in result.claims]}


@contextmanager
def interruptible(folder: OutputFolder) -> Iterator[None]:
    """Turn an interruption of the block into a message that says what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        kept = kept_files(folder.root)
        what = f"kept in {folder.root}: {', '.join(kept)}" if kept else "nothing was written yet"
        raise click.Abort(f"interrupted; {what}") from None


def kept_files(folder: Path) -> list[str]:
    """Names of the files below `folder`."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _write_recording(
    folder: OutputFolder, study: Titled, result: StudyResult, nix: bool, subject: Mapping[str, str] | None
) -> None:
    from .. import io

    about: dict[str, Any] = {
        "spikes": result.spikes,
        "signals": result.signals,
        "provenance": result.provenance,
        "description": study.title,
    }
    try:
        with folder.file("recording.nwb") as path:
            io.write_nwb(path, **about, subject=subject)
    except MissingDependencyError as missing:
        warnings.warn(f"recording.nwb was not written: {missing}", MyoloopWarning, stacklevel=2)
    if nix:
        click.echo("writing recording.nix, which takes some ten milliseconds a unit", err=True)
        try:
            with folder.file("recording.nix") as path:
                io.write_nix(path, **about)
        except MissingDependencyError as missing:
            warnings.warn(f"recording.nix was not written: {missing}", MyoloopWarning, stacklevel=2)


def _write_emg(folder: OutputFolder, study: Titled, name: str, recording: Recording) -> None:
    """One recording as NWB, and into the EMG-BIDS dataset of the folder."""
    from .. import io

    about = {key: str(recording.about.get(key, other)) for key, other in _UNKNOWN.items()}
    file = f"emg-{_file_name(name)}.nwb"
    try:
        with folder.file(file) as path:
            io.write_recording(path, recording, description=study.title, muscle=about["muscle"])
    except MissingDependencyError as missing:
        warnings.warn(f"{file} was not written: {missing}", MyoloopWarning, stacklevel=2)
    try:
        io.write_bids(
            folder.path("bids"),
            recording,
            task=_label(about["task"]),
            acquisition=_label(name),
            muscle=about["muscle"],
            dataset=study.title,
            overwrite=True,  # the folder is fresh, or may be written over
        )
    except MissingDependencyError as missing:
        warnings.warn(f"bids was not written: {missing}", MyoloopWarning, stacklevel=2)


def _label(name: str) -> str:
    """Letters and digits of a name, which is what BIDS allows."""
    return re.sub(r"[^A-Za-z0-9]", "", name) or "emg"


def _file_name(title: str) -> str:
    """``Force by phase (%)`` as ``force-by-phase``."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "table"
