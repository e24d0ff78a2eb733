"""Write a decomposition: what other tools read first, the report last."""

from __future__ import annotations

import dataclasses
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, final

from ..errors import MissingDependencyError, MyoloopWarning, UnknownNameError
from ._group import refuse

if TYPE_CHECKING:
    from ..data import Recording
    from ..decompose import Decomposition
    from ..io import OutputFolder
    from ..studies.decompose import Agreement

FORMATS = {
    "h5": "decomposition.h5, all that was found, to go on with",
    "nwb": "units.nwb, spikes and sources",
    "bids": "the recording as EMG-BIDS, with the units in its derivatives",
    "openhdemg": "openhdemg.json, for openhdemg",
}
_NEEDS = {"nwb": ("pynwb", "nwb"), "bids": ("edfio", "bids")}
_DEFAULT = ("h5", "nwb")

SPIKE = "motor-unit-spike"
EVENT_COLUMNS: dict[str, dict[str, Any]] = {
    "sample": {"Description": "Index of the sample of the recording, from 0."},
    "unit_id": {"Description": "Name of the motor unit, as in units.tsv."},
    "event_type": {"Description": "Kind of the event.", "Levels": {SPIKE: "discharge of a motor unit"}},
    "description": {"Description": "The event in words."},
}


def formats_of(given: str | None) -> tuple[str, ...]:
    """Formats to write; one that was asked for and cannot be written is refused.

    Parameters
    ----------
    given : str, optional
        Names divided by commas, or ``"none"``; by default what can be written of the usual ones.
    """
    if given is None:
        return tuple(name for name in _DEFAULT if _can(name))
    names = tuple(dict.fromkeys(word.strip() for word in given.lower().split(",") if word.strip()))
    if names == ("none",):
        return ()
    for name in names:
        if name not in FORMATS:
            raise UnknownNameError("--format", name, (*FORMATS, "none"))
        if name in _NEEDS and find_spec(_NEEDS[name][0]) is None:
            raise MissingDependencyError(f"--format {name}", _NEEDS[name][1])
    if not names:
        refuse(f"--format: no name was given; known are {', '.join(FORMATS)} and none")
    return names


@final
class Writer:
    """Takes the units as soon as they are found; see `studies.decompose.decompose_recording`.

    Parameters
    ----------
    folder : OutputFolder
    formats : tuple of str
        Of `FORMATS`.
    recording : Recording
        What was decomposed.
    file_start_s : float
        Time of the first sample of its file.
    title : str
        In a line.
    about : dict
        Provenance.
    """

    def __init__(
        self,
        folder: OutputFolder,
        formats: tuple[str, ...],
        recording: Recording,
        file_start_s: float,
        title: str,
        about: dict[str, Any],
    ) -> None:
        self._folder, self._formats = folder, formats
        self._recording, self._start, self._title = recording, file_start_s, title
        self._about = about

    def __call__(self, found: Decomposition, agreement: Agreement | None) -> None:
        """Write tables and files of the units."""
        from ..io import write_decomposition
        from ..studies.decompose import channel_table, unit_table

        if "h5" in self._formats:
            with self._folder.file("decomposition.h5") as path:
                write_decomposition(path, found)
        for name, table in (
            ("units.tsv", unit_table(found, agreement and agreement.all)),
            ("channels.tsv", channel_table(self._recording, found)),
        ):
            self._folder.write_table(name, table.columns, table.rows)
        rows = event_rows(found, self._recording.rate_hz, self._start)
        self._folder.write_table("events.tsv", ("onset", "duration", *EVENT_COLUMNS), rows)
        self._folder.write_json("events.json", EVENT_COLUMNS)
        if "nwb" in self._formats:
            self._write_nwb(found)
        if "bids" in self._formats:
            self._write_bids(found)
        if "openhdemg" in self._formats:
            self._write_openhdemg(found)

    def _write_nwb(self, found: Decomposition) -> None:
        from ..io import UNKNOWN_SUBJECT, write_nwb

        with self._folder.file("units.nwb") as path:
            write_nwb(
                path,
                spikes={"motor units": described(found)} if len(found) else {},
                signals={"sources": sources_of(found)} if len(found) else {},
                provenance=self._about,
                description=self._title,
                resolution_s=1.0 / found.rate_hz,
                subject=None if self._recording.truth is not None else UNKNOWN_SUBJECT,
            )

    def _write_openhdemg(self, found: Decomposition) -> None:
        from ..io import write_openhdemg

        if not len(found):
            warnings.warn("no unit was found: openhdemg.json is left out", MyoloopWarning, stacklevel=2)
            return
        with self._folder.file("openhdemg.json") as path:
            write_openhdemg(path, self._recording, found)

    def _write_bids(self, found: Decomposition) -> None:
        """The recording, and the units as a derivative: what was found is no part of the raw data."""
        from .. import __version__
        from ..io import write_bids

        recording = self._recording
        data = write_bids(
            self._folder.path("bids/x").parent,
            recording,
            task="emg",
            missing="mark",
            muscle=str(recording.about.get("muscle", "n/a")),
            dataset=self._title,
            overwrite=True,
        )
        below = data.relative_to(self._folder.path("bids/x").parent)
        stem = below.name.removesuffix(f"_emg{below.suffix}")
        root = "bids/derivatives/myoloop"
        name = f"{root}/{below.parent.as_posix()}/{stem}_desc-decomposed_events"
        rows = event_rows(found, recording.rate_hz, recording.t_start_s)
        self._folder.write_table(f"{name}.tsv", ("onset", "duration", *EVENT_COLUMNS), rows)
        self._folder.write_json(f"{name}.json", EVENT_COLUMNS)
        self._folder.write_json(
            f"{root}/dataset_description.json",
            {
                "Name": self._title,
                "BIDSVersion": _bids_version(data.parents[len(below.parts) - 1]),
                "DatasetType": "derivative",
                "GeneratedBy": [{"Name": "myoloop", "Version": __version__}],
                "SourceDatasets": [{"URL": "../../"}],
            },
        )


def event_rows(found: Decomposition, rate_hz: float, t_start_s: float) -> list[tuple[Any, ...]]:
    """Rows of EMG-BIDS events in the order of time: onset, duration, and `EVENT_COLUMNS`.

    Parameters
    ----------
    found : Decomposition
    rate_hz, t_start_s : float
        Of the data file: an onset is after its first sample.
    """
    import numpy as np

    spikes, names = found.spikes, found.unit_ids
    units, times = spikes.units, spikes.times_s
    order = np.lexsort((units, times))
    samples = np.rint((times - t_start_s) * rate_hz).astype(int)
    return [
        (samples[i] / rate_hz, 0, int(samples[i]), names[units[i]], SPIKE, "discharge of a motor unit")
        for i in order
    ]


def described(found: Decomposition) -> Any:
    """The trains with all that is known of each unit as annotations."""
    import numpy as np

    from ..studies.decompose import unit_table

    table = unit_table(found)
    columns = dict(zip(table.columns, zip(*table.rows, strict=True), strict=True)) if table.rows else {}
    more: dict[str, Any] = {}
    for name, values in columns.items():
        if name in {"channel", "flag"}:
            more[name] = np.array([value or "" for value in values], dtype=np.str_)
        elif name not in {"unit_id", "spikes"}:
            more[name] = np.array(values, dtype=float)
    annotations = {**found.spikes.annotations, **more}
    return dataclasses.replace(found.spikes, annotations=annotations)


def sources_of(found: Decomposition) -> Any:
    """The sources as one signal with a channel for each unit."""
    from ..data import Signal

    return Signal(
        found.sources.T, found.rate_hz, "", found.spikes.t_start_s, "sources of the units", found.unit_ids
    )


def _bids_version(root: Any) -> str:
    import json

    return str(json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))["BIDSVersion"])


def _can(name: str) -> bool:
    if name in _NEEDS and find_spec(_NEEDS[name][0]) is None:
        missing = MissingDependencyError(f"--format {name}", _NEEDS[name][1])
        warnings.warn(f"{name} was left out: {missing}", MyoloopWarning, stacklevel=2)
        return False
    return True
