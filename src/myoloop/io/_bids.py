"""Recordings as EMG-BIDS: a dataset that the BIDS validator passes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .. import __version__
from ..data import Electrodes, Recording
from ..errors import MyoloopError, OutputError, ParameterError, UnknownNameError
from ._about import about_recording, is_monopolar, keyed
from ._bids_files import BIDS_VERSION, DATA_ENDINGS, Entities, entities_of, read_table
from ._bids_parts import EVENT_COLUMNS, event_rows, missing_spans, write_physio, write_truth
from ._edf import write_edf
from ._files import need, output_error, replacing, sync
from ._folder import OutputFolder
from ._limits import Limits

BLOCK = "Myoloop"
SPACE = "muscle"
_FRAME = "x and y: in the cross-section of the muscle, y out of the skin; z: along the muscle fibres"
_COMPUTED = {
    "SamplingFrequency", "EMGChannelCount", "RecordingDuration", "RecordingType", "TaskName", BLOCK,
}  # fmt: skip
_README = (
    "EMG recordings in EMG-BIDS, written by myoloop.\n\n"
    "Where a recording is simulated, the discharges of all motor units are the events of its *_events.tsv, "
    "and their action potentials on each channel, which may change over time, lie in sourcedata/ "
    "(*_truth.h5).\n"
)


def write_bids(
    folder: str | os.PathLike[str],
    recording: Recording,
    *,
    task: str,
    subject: str = "01",
    session: str | None = None,
    acquisition: str | None = None,
    run: int | None = None,
    format: Literal["bdf", "edf"] = "bdf",
    missing: Literal["refuse", "mark"] = "refuse",
    muscle: str = "n/a",
    sidecar: Mapping[str, Any] | None = None,
    participant: Mapping[str, Any] | None = None,
    dataset: str = "EMG recordings",
    overwrite: bool = False,
) -> Path:
    """Write a recording with its ground truth into an EMG-BIDS dataset; needs the extra ``bids``.

    Samples become whole numbers (24 bits in BDF, 16 in EDF) between the least and the greatest value of
    each channel; ``QuantisationError_uV`` in the sidecar bounds the error. True spikes are the events,
    with ``unit_id`` (index of the unit) and ``sample``; their action potentials, and their
    path where they change, go to ``sourcedata``;
    auxiliary signals, to the bit, to ``*_physio.tsv.gz``; electrodes (mm) to ``*_electrodes.tsv``, with
    the rest of what is known of them under ``Myoloop`` in ``*_emg.json``.

    Parameters
    ----------
    folder : path
        Of the dataset: made, or added to where it is one already.
    recording : Recording
    task, subject, session, acquisition : str
        Labels of letters and digits.
    run : int, optional
    format : {"bdf", "edf"}
    missing : {"refuse", "mark"}
        What becomes of samples that are NaN, of which the format knows nothing: ``"mark"`` writes 0 uV
        and an event ``missing`` with the channel for each stretch; `read_bids` makes NaN of them again.
    muscle : str
        Where the electrodes are, for all channels.
    sidecar : mapping
        Further fields of ``*_emg.json``, such as ``PowerLineFrequency``, ``SoftwareFilters``,
        ``EMGReference`` (``"n/a"`` where not given) or ``Manufacturer``.
    participant : mapping
        Columns of ``participants.tsv``, such as ``age`` and ``sex``.
    dataset : str
        Name of a dataset that is made.
    overwrite : bool
        Replace the files of this recording.

    Returns
    -------
    Path
        The data file.

    Notes
    -----
    The duration of a data record has 8 characters in the header. Where no record of up to 1 s divides
    the samples, the last one is filled with the last sample, and an annotation ``BAD_ACQ_SKIP`` marks the
    filling; `read_bids` takes it off. A rate for which there are no such 8 characters (1259.2593 Hz) is
    within 1e-6 in the data file and exact in the sidecar.

    Raises
    ------
    MissingDependencyError, OutputError
    ParameterError
        Labels that BIDS does not allow; NaN samples unless marked; names of channels that a table
        cannot hold; amplitudes of 10 V and more.
    """
    need("edfio", "write_bids", "bids")
    names = Entities(subject, task, session, acquisition, run)
    for field, given, options in (
        ("format", format, ("bdf", "edf")), ("missing", missing, ("refuse", "mark")),
    ):  # fmt: skip
        if given not in options:
            raise UnknownNameError(f"write_bids.{field}", given, options)
    taken = _COMPUTED & set(sidecar or {})
    if taken:
        raise ParameterError("write_bids.sidecar", f"{', '.join(sorted(taken))} was given", "leave it out")
    _check_names(recording)
    if missing == "refuse" and np.any(np.isnan(recording.values_uV)):
        where = recording.channels[int(np.argmax(np.isnan(recording.values_uV).any(axis=1)))]
        raise ParameterError(
            "Recording.values_uV",
            f"NaN on channel {where!r}, which {format.upper()} cannot hold",
            'give missing="mark", or write NWB',
        )
    root = Path(folder)
    stem = (names.folder / names.stem).as_posix()
    _check_place(root, stem, names, overwrite)
    staging = root / f".myoloop-{os.getpid()}"
    made = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        out = OutputFolder(staging)
        _write_files(out, stem, names, recording, format, muscle, sidecar or {})
        _write_dataset(out, root, subject, participant or {}, dataset)
        _move(out, root, stem)
    except MyoloopError:
        raise
    except OSError as error:
        raise output_error(root / stem, error, "nothing of this recording was written") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if made and root.is_dir() and not any(root.iterdir()):
            root.rmdir()
    return root / f"{stem}_emg.{format}"


def _check_names(recording: Recording) -> None:
    names = recording.channels
    bad = [n for n in names if not n or n == "n/a" or " ".join(n.split()) != n or not n.isprintable()]
    if bad or len(set(names)) != len(names):
        wrong = f"the name {bad[0]!r}" if bad else "two channels of one name"
        raise ParameterError("Recording.channels", wrong, "name each channel, differently and in one line")


def _check_place(root: Path, stem: str, names: Entities, overwrite: bool) -> None:
    if root.exists() and not root.is_dir():
        raise OutputError(f"{root}: is a file; give the folder of a dataset")
    if root.is_dir() and any(root.iterdir()) and not (root / "dataset_description.json").is_file():
        raise OutputError(f"{root}: holds something else than a BIDS dataset; give another folder")
    ours = entities_of(Path(f"{stem}_emg"))
    for path in (root / names.folder).glob("*_emg.*df"):
        theirs = entities_of(path)
        if theirs != ours and (theirs.items() <= ours.items() or ours.items() <= theirs.items()):
            raise OutputError(
                f"{path}: in BIDS what has fewer labels speaks for what has more, such as {Path(stem).name}; "
                "give both of them a run (or an acquisition)"
            )
    there = [root / f"{stem}{ending}" for ending in DATA_ENDINGS if (root / f"{stem}{ending}").exists()]
    if there and not overwrite:
        raise OutputError(f"{there[0]}: exists already; give another name (task, run) or overwrite=True")


def _write_files(
    out: OutputFolder,
    stem: str,
    names: Entities,
    recording: Recording,
    format: str,
    muscle: str,
    given: Mapping[str, Any],
) -> None:
    values, spans = recording.values_uV, missing_spans(recording)
    n_samples = values.shape[1]
    filled = np.nan_to_num(values, nan=0.0) if spans else values
    with out.file(f"{stem}_emg.{format}") as path:
        labels = [_label(name, i) for i, name in enumerate(recording.channels)]
        plan, error_uv = write_edf(path, filled, recording.rate_hz, labels)
    electrodes = recording.electrodes
    physio = [
        write_physio(out, stem, names.task, number, signal, recording.t_start_s)
        for number, signal in enumerate(keyed(recording.auxiliary).values())
    ]
    block = about_recording(recording) | {"format": 1, "samples": n_samples, "auxiliary": physio}
    for key in ("channels", "bad", "rate_hz"):  # the tables and the sidecar say it
        block.pop(key)
    if electrodes is not None:
        block["electrodes"].pop("position_mm")
    out.write_json(
        f"{stem}_emg.json",
        {
            "TaskName": names.task,
            "SamplingFrequency": recording.rate_hz,
            "PowerLineFrequency": "n/a",
            "SoftwareFilters": "n/a",
            "HardwareFilters": "n/a",
            "EMGReference": _reference(electrodes),
            "EMGChannelCount": len(recording),
            **_placement(electrodes),
            "RecordingType": "continuous",
            "RecordingDuration": n_samples / recording.rate_hz,
            "QuantisationError_uV": error_uv,
            "PaddedSamples": plan.padding,
            **given,
            BLOCK: block,
        },
    )
    _write_channels(out, stem, recording, muscle)
    if electrodes is not None:
        _write_electrodes(out, stem, names, electrodes)
    if recording.truth is not None or spans:
        columns = [c for c in EVENT_COLUMNS if c != "channel" or spans]
        out.write_table(f"{stem}_events.tsv", columns, event_rows(recording, spans, columns))
        out.write_json(f"{stem}_events.json", {c: EVENT_COLUMNS[c] for c in columns if EVENT_COLUMNS[c]})
    if recording.truth is not None:
        write_truth(out, f"sourcedata/{stem}_truth.h5", recording.truth)


def _label(name: str, number: int) -> str:
    """Name of a channel for the header: 16 characters of ASCII."""
    return name if len(name) <= 16 and name.isascii() else f"channel {number + 1}"


def _reference(electrodes: Electrodes | None) -> str:
    if electrodes is None or not np.any((electrodes.matrix != 0).sum(axis=1) > 1):
        return "n/a"
    return "ChannelSpecific"


def _placement(electrodes: Electrodes | None) -> dict[str, Any]:
    if electrodes is None:
        return {"EMGPlacementScheme": "Other", "EMGPlacementSchemeDescription": "not known"}
    pitch = {} if electrodes.pitch_mm is None else {"InterelectrodeDistance": electrodes.pitch_mm}
    return {"EMGPlacementScheme": "Measured", **pitch}


def _contact_names(electrodes: Electrodes) -> list[str]:
    """Names of the contacts: those of the channels where each channel is one of them."""
    if is_monopolar(electrodes):
        return list(electrodes.names)
    n = electrodes.n_contacts
    return [f"C{i + 1:0{len(str(n))}d}" for i in range(n)]


def _write_channels(out: OutputFolder, stem: str, recording: Recording, muscle: str) -> None:
    electrodes = recording.electrodes
    contacts = [] if electrodes is None else _contact_names(electrodes)
    columns = ["name", "type", "units", "signal_electrode", "reference", "target_muscle", "status"]
    rows = []
    assert recording.bad is not None
    for number, (name, bad) in enumerate(zip(recording.channels, recording.bad, strict=True)):
        weights = np.zeros(0) if electrodes is None else electrodes.matrix[number]
        positive = ", ".join(contacts[i] for i in np.flatnonzero(weights > 0)) or "n/a"
        negative = ", ".join(contacts[i] for i in np.flatnonzero(weights < 0)) or "n/a"
        rows.append([name, "EMG", "uV", positive, negative, muscle, "bad" if bad else "good"])
    out.write_table(f"{stem}_channels.tsv", columns, rows)


def _write_electrodes(out: OutputFolder, stem: str, names: Entities, electrodes: Electrodes) -> None:
    kind = "intramuscular" if electrodes.intramuscular else "surface"
    places = zip(_contact_names(electrodes), electrodes.position_mm.tolist(), strict=True)
    rows = [[name, *position, SPACE, kind] for name, position in places]
    out.write_table(f"{stem}_electrodes.tsv", ["name", "x", "y", "z", "coordinate_system", "type"], rows)
    frame = {
        "EMGCoordinateSystem": "Other",
        "EMGCoordinateSystemDescription": _FRAME,
        "EMGCoordinateUnits": "mm",
    }
    session = (names.folder / names.session_stem).as_posix()
    out.write_json(f"{session}_space-{SPACE}_coordsystem.json", frame)


def _write_dataset(
    out: OutputFolder, root: Path, subject: str, participant: Mapping[str, Any], dataset: str
) -> None:
    """What a dataset has once, unless it is there; the participants with this one among them."""
    if not (root / "dataset_description.json").exists():
        out.write_json(
            "dataset_description.json",
            {
                "Name": dataset,
                "BIDSVersion": BIDS_VERSION,
                "DatasetType": "raw",
                "GeneratedBy": [{"Name": "myoloop", "Version": __version__}],
            },
        )
    if not any((root / name).exists() for name in ("README", "README.md", "README.txt", "README.rst")):
        out.write_text("README", _README)
    listed, who = root / "participants.tsv", f"sub-{subject}"
    table = read_table(listed, Limits(), ["participant_id"]) if listed.exists() else {"participant_id": []}
    people = table["participant_id"]
    n_before = len(people)
    if who not in people:
        people.append(who)
    at = people.index(who)
    full: dict[str, list[Any]] = {
        key: column + ["n/a"] * (len(people) - len(column)) for key, column in table.items()
    }
    for key, value in participant.items():
        full.setdefault(key, ["n/a"] * len(people))[at] = value
    if participant or len(people) > n_before:
        out.write_table("participants.tsv", list(full), list(zip(*full.values(), strict=True)))


def _move(out: OutputFolder, root: Path, stem: str) -> None:
    """Put whole files into place, the data last; what an earlier version had more goes."""
    stale = [f"{stem}{e}" for e in (*DATA_ENDINGS, "_events.tsv", "_events.json", "_electrodes.tsv")]
    stale += [path.relative_to(root).as_posix() for path in (root / stem).parent.glob("*_physio.*")
              if path.name.startswith(f"{Path(stem).name}_recording-")]  # fmt: skip
    stale.append(f"sourcedata/{stem}_truth.h5")
    for name in set(stale) - set(out.written):
        (root / name).unlink(missing_ok=True)
    for name in sorted(out.written, key=lambda name: name.endswith(DATA_ENDINGS)):
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target, overwrite=True) as whole:
            (out.root / name).replace(whole)
    sync(root)
