"""The muscle and the electrodes that a user asks for: names, files, single settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from ..emg import (
    PRESETS,
    Amplifier,
    Anatomy,
    ConcentricNeedle,
    FineWire,
    IntramuscularElectrode,
    SkinConductor,
    SurfaceGrid,
    ThinFilmArray,
)
from ..emg._presets._anatomy import SKINS
from ..errors import ParameterError, UnknownNameError
from ..parameters import Parameters
from ._emg_files import changed, object_of, read_toml
from ._group import refuse
from ._values import changes_of

AnyElectrode = SurfaceGrid | IntramuscularElectrode

ELECTRODES: dict[str, str] = {
    "grid-13x5": "64 contacts of 1 mm in 13 rows and 5 columns, 8 mm apart, one corner empty",
    "grid-8x8": "64 contacts of 1 mm in 8 rows and 8 columns, 10 mm apart",
    "linear-16": "a row of 16 bars along the fibres, 5 mm apart, single differential",
    "pair": "two discs of 10 mm along the fibres, 20 mm apart, one channel",
    "fine-wire": "two wires with bare tips of 1 mm, 2 mm apart, one channel",
    "concentric-needle": "a core of 0.07 mm2 against its shaft of 0.46 mm, one channel",
    "thin-film-40": "40 contacts of 140 x 40 um along a thin shaft, 0.5 mm apart",
}
_GRID = re.compile(r"grid-([1-9]\d{0,2})x([1-9]\d{0,2})")
_ROW = re.compile(r"(linear|thin-film)-([1-9]\d{0,3})")
_ANATOMY = ("muscle", "conductor", "medium")
_OTHER = ("electrodes", "amplifier")
_STEEPEST_DEG = 75.0
_MARGIN_MM = 0.5  # between the ends of an array and those of the muscle


@final
@dataclass(frozen=True, kw_only=True)
class Setup(Parameters):
    """What `--set` reaches into besides the anatomy.

    Parameters
    ----------
    electrodes : SurfaceGrid or IntramuscularElectrode
    amplifier : Amplifier
    """

    electrodes: AnyElectrode
    amplifier: Amplifier


def anatomy_of(given: str, skin: str | None) -> Anatomy:
    """The muscle of a name or of a TOML file.

    Raises
    ------
    UnknownNameError, UnreadableFileError, ParameterError
    """
    if not _is_file(given):
        return _preset(given, skin, "muscle")
    path = Path(given)
    content = read_toml(path)
    name = content.pop("preset", None)
    if not isinstance(name, str):
        refuse(f"{path}: preset is missing; name the muscle to begin from, one of {', '.join(PRESETS)}")
    anatomy = _preset(name, skin or content.pop("skin", None), f"{path}: preset")
    content.pop("skin", None)
    made: Anatomy = changed(anatomy, content, str(path))
    return made


def electrodes_of(
    given: str, anatomy: Anatomy, pitch_mm: Any = None, derivation: str | None = None
) -> tuple[AnyElectrode, tuple[str, ...]]:
    """The electrodes of a name or of a TOML file, and what is to be said of how they were placed."""
    notes: tuple[str, ...] = ()
    if _is_file(given):
        content = read_toml(Path(given))
        name = content.pop("name", None)
        if isinstance(name, str):
            electrodes, notes = _placed(electrode_named(name, f"{given}: name"), anatomy, content)
            electrodes = changed(electrodes, content, given)
        else:
            electrodes = object_of(content, (SurfaceGrid, *_INSIDE), given)
    else:
        electrodes = electrode_named(given)
        if pitch_mm is not None:
            electrodes, pitch_mm = _pitched(electrodes, pitch_mm), None
        electrodes, notes = _placed(electrodes, anatomy, {})
    if pitch_mm is not None:
        electrodes = _pitched(electrodes, pitch_mm)
    if derivation is not None:
        electrodes = electrodes.replace(derivation=derivation.replace("-", " "))
    return electrodes, notes


def split_settings(settings: Iterable[str]) -> tuple[list[str], list[str]]:
    """Settings of the anatomy, and those of electrodes and amplifier; an unknown section is refused."""
    parts: tuple[list[str], list[str]] = ([], [])
    for setting in settings:
        section, dot, _ = setting.partition("=")[0].strip().partition(".")
        known = (*_ANATOMY, *_OTHER)
        if section not in known:
            raise UnknownNameError("--set", section, known)
        if not dot:
            refuse(f"--set {setting!r}: give {section}.field=value, e.g. --set conductor.fat_mm=3")
        parts[section in _OTHER].append(setting)
    return parts


def with_settings(params: Parameters, settings: Sequence[str]) -> Any:
    """`params` with settings such as ``conductor.fat_mm=3``."""
    return params.replace(**changes_of(params, settings))


def check_inside(electrode: IntramuscularElectrode, anatomy: Anatomy) -> int:
    """Number of contacts that lie beyond the muscle; refuses contacts out of the limb, or none in the muscle.

    Raises
    ------
    ParameterError
    """
    owner = f"{type(electrode).__name__}.depth_mm"
    x, y, _ = electrode.on(anatomy.conductor).position_mm.T
    conductor = anatomy.conductor
    if isinstance(conductor, SkinConductor) and np.any(conductor.depth_mm(x, y) < 0):
        out = int(np.sum(conductor.depth_mm(x, y) < 0))
        raise ParameterError(
            owner,
            f"{out} of {len(x)} contacts come out of the limb at a depth of {electrode.depth_mm:g} mm",
            "give a smaller depth, or a tilt",
        )
    beyond = int(np.sum(~anatomy.muscle.section.contains(x, y)))
    # The cannula of a needle runs back to the skin: only its core has to be in the muscle.
    if beyond == len(x):
        raise ParameterError(
            owner,
            f"no contact is within the muscle at a depth of {electrode.depth_mm:g} mm",
            "give a depth, across_mm and tilts that reach it",
        )
    return beyond if isinstance(electrode, ThinFilmArray) else 0


_INSIDE = (FineWire, ConcentricNeedle, ThinFilmArray)
_SINGLE: dict[str, Callable[[], AnyElectrode]] = {
    "pair": SurfaceGrid.pair,
    "fine-wire": FineWire,
    "concentric-needle": ConcentricNeedle,
}


def _preset(name: str, skin: Any, field: str) -> Anatomy:
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    if key not in PRESETS:
        raise UnknownNameError(field, name, PRESETS)
    if skin is None:
        return PRESETS[key]()
    if skin not in SKINS:
        raise UnknownNameError("skin", skin, SKINS)
    return PRESETS[key](skin=skin)


def electrode_named(name: str, field: str = "electrodes") -> AnyElectrode:
    """Electrodes of a name such as ``grid-8x8``; UnknownNameError offers the nearest one."""
    grid, row = _GRID.fullmatch(name), _ROW.fullmatch(name)
    if name == "grid-13x5":
        return SurfaceGrid.grid_13x5()
    if grid:
        return SurfaceGrid(rows=int(grid[1]), columns=int(grid[2]))
    if row and row[1] == "linear":
        return SurfaceGrid.linear_array(int(row[2]))
    if row:
        return ThinFilmArray(rows=int(row[2]))
    if name not in _SINGLE:
        raise UnknownNameError(field, name, ELECTRODES)
    return _SINGLE[name]()


def _pitched(electrodes: AnyElectrode, pitch_mm: Any) -> AnyElectrode:
    if isinstance(electrodes, ConcentricNeedle):
        refuse("--pitch-mm: a concentric needle has none; leave it out")
    name = "spacing_mm" if isinstance(electrodes, FineWire) else "pitch_mm"
    made: AnyElectrode = electrodes.replace(**{name: pitch_mm})
    return made


def _placed(
    electrodes: AnyElectrode, anatomy: Anatomy, given: dict[str, Any]
) -> tuple[AnyElectrode, tuple[str, ...]]:
    """Put named electrodes where a recording of this muscle would have them, unless `given` says where."""
    muscle = anatomy.muscle
    between = 0.5 * (muscle.endplate_mm + muscle.upper_tendon_mm)
    if isinstance(electrodes, SurfaceGrid):
        if electrodes.n_contacts > 2 or "along_mm" in given:
            return electrodes, ()
        # A pair over the innervation zone would see nearly nothing.
        note = f"The pair lies between innervation zone and tendon, at z = {between:.3g} mm."
        return electrodes.replace(along_mm=between), (note,)
    if not isinstance(anatomy.conductor, SkinConductor) or {"depth_mm", "along_mm", "across_mm"} & set(given):
        return electrodes, ()
    left, right, bottom, top = muscle.section.bounds_mm
    x, y = np.array([(left + right) / 2] * 2), np.array([bottom, top])
    deep, shallow = anatomy.conductor.cover_mm + (top - y)
    across = float(anatomy.conductor.across_mm(x[1:], y[1:])[0])
    length = (electrodes.rows - 1) * electrodes.pitch_mm if isinstance(electrodes, ThinFilmArray) else 0.0
    room = deep - shallow - 2 * _MARGIN_MM
    tilt = float(np.degrees(np.arccos(min(1.0, room / length)))) if length else 0.0
    tilt = min(tilt, _STEEPEST_DEG)
    slope = np.cos(np.radians(tilt))
    depth = (0.5 * (deep + shallow)) / slope + length / 2
    middle = (depth - length / 2) * np.sin(np.radians(tilt))
    placed: AnyElectrode = electrodes.replace(
        across_mm=across, along_mm=between - middle, depth_mm=depth, tilt_along_deg=tilt
    )
    how = f", {tilt:.0f} degrees from upright, so that its contacts lie within the muscle" if tilt else ""
    where = f"The electrode is centred in the muscle at z = {between:.3g} mm{how}."
    return placed, (where,)


def _is_file(given: str) -> bool:
    return given.lower().endswith(".toml") or Path(given).is_file()
