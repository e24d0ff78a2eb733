"""Recordings as NWB: samples, electrodes, true spikes and action potentials, what was recorded beside."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentialPath, ActionPotentials, Recording
from ..errors import ParameterError
from ._about import about_recording, keyed, truth_spikes
from ._about_potentials import path_values
from ._files import need, replacing
from ._nwb import NOBODY, UNKNOWN_SUBJECT, build_file
from ._shield import shielded

SERIES = "EMG"
PATH = "action_potential_path"


def write_recording(
    path: str | os.PathLike[str],
    recording: Recording,
    *,
    more: Iterable[NDArray[Any]] = (),
    description: str = "EMG",
    muscle: str = "unknown",
    session_start: datetime | None = None,
    subject: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a recording with its ground truth as an NWB file; needs the extra ``nwb``.

    The samples become the acquired ElectricalSeries ``EMG`` in the type that they have (float32 or
    float64, NaN included) with a ``conversion`` from uV to volts; each channel a row of the electrodes
    table, at the middle of its contacts (um), with its name, its weights on the contacts, and whether it
    is bad; the contacts a table of their own. The units of the truth are rows of the Units table, their
    action potentials its ``waveform_mean`` (volts); where these change over time, the tables ``knots`` and
    ``coordinate`` of the processing module ``action_potential_path`` hold how (uV). Auxiliary signals are
    time series beside the EMG. The rest is JSON in the scratch entry ``myoloop``.

    Parameters
    ----------
    path : path
        File to write, ``.nwb``.
    recording : Recording
    more : iterable of ndarray, shape (channels, samples)
        Samples in uV that follow those of the recording, e.g. from a generator; they are written as they
        come, so that memory stays the same however many there are.
    description : str
        Of the session, in a sentence.
    muscle : str
        Where the electrodes are.
    session_start : datetime, optional
        When time zero was; by default now.
    subject : mapping, optional
        Fields of `pynwb.file.Subject`; by default none for a recording with a truth, else unknown.
    overwrite : bool

    Returns
    -------
    Path
        `read_recording` gives an equal recording: everything to the bit, but for action potentials of
        type float64, which pass through volts (relative error below 1e-15).

    Raises
    ------
    MissingDependencyError, OutputError
    ParameterError
        Another ending than ``.nwb``; chunks that do not fit; contacts of a class that is not ours.
    """
    path = Path(path)
    if path.suffix.lower() != ".nwb":
        raise ParameterError("write_recording.path", f"{path.name!r}", "end it with .nwb, or use write_bids")
    pynwb = need("pynwb", "write_recording", "nwb")
    from hdmf.backends.hdf5 import H5DataIO

    from ._nwb_chunks import Chunks

    signals, spikes = keyed(recording.auxiliary, [SERIES]), truth_spikes(recording)
    about = about_recording(recording)
    about["auxiliary"], about["population"] = list(signals), next(iter(spikes), None)
    file, digest = build_file(
        pynwb,
        spikes,
        signals,
        {"provenance": {}, "recording": about},
        description=description,
        session_start=session_start,
        resolution_s=1.0 / recording.rate_hz,
        subject=subject or (NOBODY if spikes else UNKNOWN_SUBJECT),
    )
    _add_electrodes(pynwb, file, recording, muscle)
    potentials = recording.truth.action_potentials if recording.truth else None
    if potentials is not None:
        _add_waveforms(file, potentials)
        digest.update(np.ascontiguousarray(potentials.values_uV))
    if recording.truth and recording.truth.path is not None:
        _add_path(pynwb, file, recording.truth.path, digest)
    chunks = Chunks(recording.values_uV, more, digest)
    file.add_acquisition(
        pynwb.ecephys.ElectricalSeries(
            name=SERIES,
            description="Electromyogram. NaN: not recorded.",
            data=H5DataIO(chunks, chunks=chunks.recommended_chunk_shape()),
            electrodes=file.create_electrode_table_region(list(range(len(recording))), "the channels"),
            rate=recording.rate_hz,
            starting_time=recording.t_start_s,
            conversion=1e-6,
        )
    )
    with (
        replacing(path, overwrite=overwrite) as temporary,
        shielded(temporary) as target,
        pynwb.NWBHDF5IO(file=target, mode="w") as sink,
    ):
        sink.write(file)
        target["identifier"][()] = digest.hexdigest()
    return path


def _add_electrodes(pynwb: Any, file: Any, recording: Recording, muscle: str) -> None:
    """Rows for the channels, and a table of the contacts that they are made of."""
    electrodes = recording.electrodes
    device = file.create_device(name="electrodes", description="The electrodes of the recording.")
    inside = "intramuscular" if electrodes and electrodes.intramuscular else "surface"
    kind = f"{inside} electrodes" if electrodes else "electrodes of unknown kind"
    group = file.create_electrode_group(name="EMG", description=kind, location=muscle, device=device)
    file.add_electrode_column("channel_name", "name of the channel")
    file.add_electrode_column("bad", "whether the channel is known to be bad")
    if electrodes is not None:
        file.add_electrode_column("weights", "of the channel on each contact of the table contacts")
        middle = 1e3 * electrodes.channel_position_mm
    assert recording.bad is not None
    for number, (name, bad) in enumerate(zip(recording.channels, recording.bad, strict=True)):
        where = {}
        if electrodes is not None:
            x, y, z = map(float, middle[number])
            where = {"x": x, "y": y, "z": z, "weights": electrodes.matrix[number]}
        file.add_electrode(group=group, location=muscle, channel_name=name, bad=bool(bad), **where)
    if electrodes is not None:
        _add_contacts(pynwb, file, recording)


def _add_contacts(pynwb: Any, file: Any, recording: Recording) -> None:
    electrodes = recording.electrodes
    assert electrodes is not None
    table = pynwb.core.DynamicTable(
        name="contacts",
        description="What touches the tissue: x and y across the fibres, z along them.",
    )
    for axis in "xyz":
        table.add_column(f"{axis}_mm", f"position of the contact, {axis} in mm")
    table.add_column("shape", "shape of the contact")
    for (x, y, z), shape in zip(electrodes.position_mm.tolist(), electrodes.shapes, strict=True):
        table.add_row(x_mm=x, y_mm=y, z_mm=z, shape=type(shape).__name__)
    module = file.create_processing_module("ecephys", "Electrodes of the recording.")
    module.add(table)


def _add_waveforms(file: Any, potentials: ActionPotentials) -> None:
    """True action potentials as (units, samples, channels) in volts."""
    values = 1e-6 * np.swapaxes(potentials.values_uV, 1, 2).astype(np.float64)
    file.units.add_column(
        "waveform_mean",
        f"what a discharge adds to each channel, from {potentials.t_start_s:g} s after it",
        data=values,
    )
    file.units.waveform_rate = potentials.rate_hz


def _add_path(pynwb: Any, file: Any, path: ActionPotentialPath, digest: Any) -> None:
    """Action potentials at each knot, and where on the path the recording is over time."""
    from hdmf.common import VectorData

    waveforms, coordinate = path_values(path)
    said, units = path.coordinate, path.coordinate.units or "no unit"
    about_knots = {
        "coordinate": ("of the knot, in the unit of the table coordinate", path.knots),
        "waveforms_uV": ("what a discharge adds there: units x channels x samples, in uV", waveforms),
    }
    about_time = {"value": (f"one for all units, or one for each; in {units}", coordinate)}
    clock = f"{said.rate_hz:g} rows a second, the first at {said.t_start_s:g} s"
    module = file.create_processing_module(PATH, "How the true action potentials change over time.")
    for name, text, columns in (
        ("knots", "Action potentials at values of a coordinate.", about_knots),
        ("coordinate", f"The coordinate over time: {clock}.", about_time),
    ):
        parts = [VectorData(name=n, description=what, data=data) for n, (what, data) in columns.items()]
        module.add(pynwb.core.DynamicTable(name=name, description=text, columns=parts))
    digest.update(np.ascontiguousarray(waveforms))
    digest.update(np.ascontiguousarray(coordinate))
