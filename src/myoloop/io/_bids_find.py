"""What there is of a BIDS recording, found and held against one another before samples are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from ..data import Electrodes
from ..errors import ParameterError
from ._bids import BLOCK
from ._bids_files import nearest, numeric, read_table, read_text, recordings_of, root_of, sidecar
from ._edf import BYTES, Header, edf_header
from ._files import refuse, regular_file
from ._json import loads
from ._limits import Limits

VOLTS = {"V": 1e6, "mV": 1e3, "uV": 1.0, "µV": 1.0, "μV": 1.0, "nV": 1e-3}  # in uV
_LENGTHS = {"m": 1e3, "cm": 10.0, "mm": 1.0}  # in mm
_RATE_ERROR = 1e-5
_MOST_WEIGHTS = 10_000_000
_MEND = "use an intact copy"


def data_file(path: Path) -> Path:
    """`path`, or the one data file of the dataset that it is."""
    if path.is_dir():
        found = recordings_of(path)
        if not found:
            refuse(path, "no *_emg.bdf or *_emg.edf in it", "give the folder of an EMG-BIDS dataset")
        if len(found) > 1:
            raise ParameterError(
                "read_bids.path",
                f"{path} has {len(found)} recordings",
                f"give one of them, e.g. {found[0]}",
            )
        path = found[0]
    path = regular_file(path)
    if path.suffix.lower() not in BYTES:
        refuse(path, "neither .bdf nor .edf", "give a data file of an EMG-BIDS dataset")
    return path


@final
@dataclass(frozen=True)
class Dataset:
    """A data file with what speaks of it."""

    root: Path
    data: Path
    sidecar: Path
    about: dict[str, Any]
    header: Header
    channels: dict[str, list[str]]
    limits: Limits

    @property
    def block(self) -> dict[str, Any] | None:
        """What `write_bids` left in the sidecar beside the words of BIDS."""
        found = self.about.get(BLOCK)
        return found if isinstance(found, dict) else None

    @property
    def emg(self) -> list[int]:
        """Indices of the EMG channels."""
        return [i for i, kind in enumerate(self.channels["type"]) if kind.upper() == "EMG"]

    def samples_of(self, channel: int) -> int:
        """Samples in a data record."""
        return self.header.samples[self.header.ordinary[channel]]

    def nearest(self, ending: str) -> Path | None:
        """The file with that ending that speaks of the data."""
        return nearest(self.root, self.data, ending)


def find(data: Path, limits: Limits) -> Dataset:
    """Look at a data file and its sidecar files without reading samples; raises UnreadableFileError."""
    root = root_of(data)
    described, about = sidecar(root, data, limits)
    header = edf_header(data, limits)
    found = Dataset(root, data, described, about, header, _channels(root, data, header, limits), limits)
    if not found.emg:
        refuse(data, "no channel of type EMG", "see its *_channels.tsv")
    rate = numeric(described, about, "SamplingFrequency")
    for i in found.emg:
        said = found.samples_of(i) / header.record_s
        if not abs(said - rate) < _RATE_ERROR * said:
            wrong = f"SamplingFrequency is {rate:g} Hz, and {data.name} has {said:g} Hz"
            refuse(described, wrong, "mend the one that is wrong")
    return found


def length(found: Dataset) -> int:
    """Samples of the EMG, without what fills the last data record."""
    each = found.samples_of(found.emg[0])
    total = found.header.n_records * each
    if found.block is None:
        return total
    said = found.block.get("samples")
    if isinstance(said, bool) or not isinstance(said, int) or not max(0, total - each) < said <= total:
        wrong = f"{BLOCK}.samples is {str(said)[:40]}, and {found.data.name} has {total}"
        refuse(found.sidecar, wrong, _MEND)
    return said


def _channels(root: Path, data: Path, header: Header, limits: Limits) -> dict[str, list[str]]:
    """Columns name, type, units and more for each signal; from the header where there is no table."""
    labels = [header.labels[i] for i in header.ordinary]
    units = [header.dimensions[i] for i in header.ordinary]
    path = nearest(root, data, "_channels.tsv")
    if path is None:
        kinds = ["EMG" if unit in VOLTS else "MISC" for unit in units]
        return {"name": labels, "type": kinds, "units": units}
    table = read_table(path, limits, ("name", "type", "units"))
    if len(table["name"]) != len(labels):
        wrong = f"{len(table['name'])} channels, and {data.name} has {len(labels)}"
        refuse(path, wrong, "mend the one that is wrong")
    if (
        table["name"] != labels
        and sorted(table["name"]) == sorted(labels)
        and len(set(labels)) == len(labels)
    ):
        order = [table["name"].index(label) for label in labels]
        return {key: [column[i] for i in order] for key, column in table.items()}
    return table


def bad_of(found: Dataset) -> list[bool]:
    status = found.channels.get("status", [])
    return [bool(status) and status[i].lower() == "bad" for i in found.emg]


def names_of(found: Dataset) -> list[str]:
    return [found.channels["name"][i] for i in found.emg]


def positions_of(found: Dataset) -> tuple[list[str], list[list[float]]]:
    """Names of the contacts and where they are, in mm; no names where that is not known."""
    path, frame = found.nearest("_electrodes.tsv"), found.nearest("_coordsystem.json")
    if path is None or frame is None:
        if found.block is None:
            return [], []
        ending = "_electrodes.tsv" if path is None else "_coordsystem.json"
        refuse(found.data, f"no {ending} beside it", "restore its sidecar file")
    table = read_table(path, found.limits, ("name", "x", "y"))
    unit = _LENGTHS.get(str(loads(frame, read_text(frame, found.limits)).get("EMGCoordinateUnits")))
    axes = [table[axis] for axis in ("x", "y", "z") if axis in table]
    if unit is None or any(cell == "n/a" for axis in axes for cell in axis):
        return [], []
    try:
        columns = [[unit * float(cell) for cell in axis] for axis in axes]
    except ValueError as error:
        refuse(path, str(error)[:80], "give coordinates as numbers")
    columns += [[0.0] * len(table["name"])] * (3 - len(columns))
    return table["name"], [list(row) for row in zip(*columns, strict=True)]


def electrodes_of(found: Dataset) -> Electrodes | None:
    """Electrodes of a dataset of others, where each channel is one contact or the difference of two."""
    contacts, positions = positions_of(found)
    if not contacts or len(set(contacts)) != len(contacts):
        return None
    names, table = names_of(found), found.channels
    blank = ["n/a"] * len(table["name"])
    plus = [table.get("signal_electrode", table["name"])[i] for i in found.emg]
    minus = [table.get("reference", blank)[i] for i in found.emg]
    if not set(plus) <= set(contacts) or len(names) * len(contacts) > _MOST_WEIGHTS:
        return None
    matrix = np.zeros((len(names), len(contacts)))
    for row, (one, other) in enumerate(zip(plus, minus, strict=True)):
        matrix[row, contacts.index(one)] += 1
        if other in contacts:
            matrix[row, contacts.index(other)] -= 1
    return Electrodes(np.array(positions), derivation=matrix, names=tuple(names))
