"""What a Recording is, all but its samples and spikes, as plain values for JSON and back."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import (
    Contact,
    ContactCloud,
    Disc,
    Electrodes,
    GroundTruth,
    PointContact,
    Recording,
    Rectangle,
    Signal,
    SpikeTrains,
)
from ..errors import MyoloopError, ParameterError
from ..parameters import plain
from ._about_potentials import (
    PathValues,
    about_path,
    about_potentials,
    floating,
    path_from,
    potentials_from,
)
from ._files import refuse

_SHAPES: tuple[type[Contact], ...] = (PointContact, Disc, Rectangle, ContactCloud)
_MEND = "use an intact copy"
_MOST_WEIGHTS = 10_000_000


def about_recording(recording: Recording) -> dict[str, Any]:
    """Everything but samples, spikes and action potentials (of which it says the time)."""
    truth = recording.truth
    assert recording.bad is not None
    found: dict[str, Any] = {
        "channels": list(recording.channels),
        "bad": [bool(bad) for bad in recording.bad],
        "t_start_s": recording.t_start_s,
        "rate_hz": recording.rate_hz,
        "dtype": recording.values_uV.dtype.str,
        "electrodes": None if recording.electrodes is None else about_electrodes(recording.electrodes),
        "about": plain(recording.about),
    }
    if truth is not None:
        found["truth"] = {
            "about": plain(truth.about),
            "action_potentials": about_potentials(truth.action_potentials),
            "path": about_path(truth.path),
        }
    return found


def about_electrodes(electrodes: Electrodes) -> dict[str, Any]:
    """Electrodes as plain values; the spatial filter by its weights that are not 0."""
    shapes: list[Contact] = []
    which = []
    for contact in electrodes.shapes:
        at = next((i for i, known in enumerate(shapes) if known is contact), len(shapes))
        if at == len(shapes):
            shapes.append(contact)
        which.append(at)
    for contact in shapes:
        if type(contact) not in _SHAPES:
            raise ParameterError(
                "Electrodes.contact",
                f"no file has a word for a {type(contact).__name__}",
                "give a ContactCloud of its nodes",
            )
    return {
        "names": list(electrodes.names),
        "position_mm": electrodes.position_mm.tolist(),
        "shapes": [contact.to_dict() for contact in shapes],
        "shape": which if len(shapes) > 1 else None,
        "derivation": None if is_monopolar(electrodes) else _weights(electrodes.matrix),
        "place": None if electrodes.place is None else electrodes.place.tolist(),
        "intramuscular": electrodes.intramuscular,
        "pitch_mm": electrodes.pitch_mm,
    }


def is_monopolar(electrodes: Electrodes) -> bool:
    """Whether channel i is contact i as it is."""
    n = electrodes.n_contacts
    return electrodes.matrix.shape == (n, n) and bool(np.array_equal(electrodes.matrix, np.eye(n)))


def _weights(matrix: NDArray[np.float64]) -> list[list[float]]:
    """Channel, contact and weight wherever a weight is not 0."""
    rows, columns = np.nonzero(matrix)
    found = zip(rows.tolist(), columns.tolist(), matrix[rows, columns].tolist(), strict=True)
    return [[row, column, weight] for row, column, weight in found]


def electrodes_from(path: str | os.PathLike[str], about: Any) -> Electrodes | None:
    """Undo `about_electrodes`; raises UnreadableFileError."""
    if about is None:
        return None
    try:
        shapes = [_contact(one) for one in about["shapes"]]
        positions = np.array(about["position_mm"], dtype=float)
        n_channels, n_contacts = len(about["names"]), len(positions)
        if n_channels * n_contacts > _MOST_WEIGHTS:
            raise ValueError(f"{n_channels} channels of {n_contacts} contacts")
        derivation = None
        if about["derivation"] is not None:
            derivation = np.zeros((n_channels, n_contacts))
            for row, column, weight in about["derivation"]:
                derivation[_index(row), _index(column)] = weight
        which = [0] * n_contacts if about["shape"] is None else map(_index, about["shape"])
        return Electrodes(
            positions,
            tuple(shapes[i] for i in which),
            derivation,
            tuple(map(str, about["names"])),
            None if about["place"] is None else np.array(about["place"]),
            bool(about["intramuscular"]),
            about["pitch_mm"],
        )
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
        refuse(path, f"electrodes: {_said(error)}", _MEND)


def _contact(about: Mapping[str, Any]) -> Contact:
    known = {shape.__name__: shape for shape in _SHAPES}
    given = dict(about)
    return known[given.pop("model")](**given)


def _index(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not an index")
    return value


def recording_from(
    path: str | os.PathLike[str],
    about: Any,
    values: NDArray[Any],
    *,
    spikes: SpikeTrains | None = None,
    potentials: NDArray[Any] | None = None,
    moving: PathValues | None = None,
    auxiliary: tuple[Signal, ...] = (),
) -> Recording:
    """Undo `about_recording` with the arrays that the file keeps elsewhere; raises UnreadableFileError."""
    try:
        truth = _truth_from(about["truth"], spikes, potentials, moving) if "truth" in about else None
        return Recording(
            values.astype(floating(about["dtype"]), copy=False),
            float(about["rate_hz"]),
            electrodes_from(path, about["electrodes"]),
            truth,
            float(about["t_start_s"]),
            tuple(map(str, about["channels"])),
            np.array(about["bad"], dtype=bool),
            auxiliary,
            dict(about["about"]),
        )
    except MyoloopError as error:
        if isinstance(error, ParameterError):
            refuse(path, str(error), _MEND)
        raise
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
        refuse(path, f"its description: {_said(error)}", _MEND)


def _truth_from(
    about: Mapping[str, Any],
    spikes: SpikeTrains | None,
    potentials: NDArray[Any] | None,
    moving: PathValues | None,
) -> GroundTruth:
    if spikes is None:
        raise ValueError("the spikes of its truth are not there")
    said, drawn = about["action_potentials"], about.get("path")
    if (said is None) != (potentials is None):
        raise ValueError("its action potentials are not there")
    if (drawn is None) != (moving is None):
        raise ValueError("the path of its action potentials is not there")
    return GroundTruth(
        spikes,
        None if said is None or potentials is None else potentials_from(potentials, said),
        None if drawn is None or moving is None else path_from(moving, drawn),
        dict(about["about"]),
    )


def _said(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def auxiliary_of(path: str | os.PathLike[str], about: Any) -> list[Any]:
    """What a description says of the auxiliary signals; raises UnreadableFileError."""
    found = about.get("auxiliary", [])
    if not isinstance(found, list):
        refuse(path, f"auxiliary is a {type(found).__name__}", _MEND)
    return found


def keyed(signals: Iterable[Signal], taken: Iterable[str] = ()) -> dict[str, Signal]:
    """Auxiliary signals by their names, numbered where these are not enough or `taken`."""
    found: dict[str, Signal] = {}
    for signal in signals:
        found[free(signal.name or "auxiliary", {*taken, *found})] = signal
    return found


def free(name: str, taken: Iterable[str]) -> str:
    """`name`, or `name` with a number where there is one already."""
    taken = set(taken)
    options = itertools.chain([name], (f"{name} ({n})" for n in itertools.count(2)))
    return next(option for option in options if option not in taken)


def truth_spikes(recording: Recording) -> dict[str, SpikeTrains]:
    """Spikes of the truth as the one population of a file."""
    if recording.truth is None:
        return {}
    return {recording.truth.spikes.name or "motor units": recording.truth.spikes}
