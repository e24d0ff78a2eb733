"""Muscles and electrodes in TOML files: tables whose keys are the fields of parameter classes."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from ..data import Contact, Disc, PointContact, Rectangle
from ..emg import (
    Circle,
    CrossSection,
    Ellipse,
    InfiniteMedium,
    LayeredCylinder,
    PlanarLayers,
    Polygon,
    VolumeConductor,
)
from ..errors import ParameterError, UnknownNameError, UnreadableFileError, shown
from ..parameters import Parameters

# What may take the place of what: the classes of a base that a table's `class` can name.
_KINDS: dict[type[Parameters], tuple[type[Parameters], ...]] = {
    CrossSection: (Circle, Ellipse, Polygon),
    VolumeConductor: (LayeredCylinder, PlanarLayers, InfiniteMedium),
    Contact: (Disc, Rectangle, PointContact),
}


def read_toml(path: Path) -> dict[str, Any]:
    """Content of a TOML file.

    Raises
    ------
    UnreadableFileError
        No such file, or one that is not TOML.
    """
    mend = 'give a TOML file, such as one that begins with preset = "first_dorsal_interosseous"'
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        reason = (problem.strerror or "cannot be read").lower()
        raise UnreadableFileError(f"{path}: {reason}; {mend}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UnreadableFileError(f"{path}: not TOML ({problem}); {mend}") from None


def changed(params: Any, table: dict[str, Any], address: str) -> Any:
    """`params` with the fields that `table` names; a table in it changes parameters within parameters.

    Parameters
    ----------
    params : Parameters
    table : dict
        ``class`` in a table makes another kind of what is there, of which all that is required is to be
        given.
    address : str
        For messages.
    """
    changes: dict[str, Any] = {}
    fields = {field.name for field in dataclasses.fields(params) if field.init}
    for name, value in table.items():
        if name not in fields:
            raise UnknownNameError(f"{address}: {type(params).__name__}", name, fields)
        current = getattr(params, name)
        if not isinstance(current, Parameters):
            changes[name] = value
        elif not isinstance(value, dict):
            raise ParameterError(
                f"{address}: {name}", f"{shown(value)} was given", f"give its fields, as in [{name}]"
            )
        elif "class" in value:
            changes[name] = object_of(value, _kinds_of(current), f"{address}: {name}")
        else:
            changes[name] = changed(current, value, address)
    return params.replace(**changes)


def object_of(table: dict[str, Any], kinds: tuple[type[Any], ...], address: str) -> Any:
    """Object of the class that ``class`` names, one of `kinds`, with the other keys as its fields."""
    content = dict(table)
    known = {kind.__name__: kind for kind in kinds}
    name = content.pop("class", None)
    if name not in known:
        raise UnknownNameError(f"{address}: class", name, known)
    chosen = known[name]
    fields = {field.name: field for field in dataclasses.fields(chosen) if field.init}
    for key in content:
        if key not in fields:
            raise UnknownNameError(f"{address}: {name}", key, fields)
    required = [f.name for f in fields.values() if _is_required(f)]
    missing = [key for key in required if key not in content]
    if missing:
        raise ParameterError(f"{address}: {name}", f"{', '.join(missing)} is missing", "give it in the file")
    return chosen(**{key: _inner(value, fields[key], address) for key, value in content.items()})


def _inner(value: Any, field: Any, address: str) -> Any:
    if not isinstance(value, dict):
        return value
    if isinstance(field.default, Parameters):
        kinds = _kinds_of(field.default)
        return (
            object_of(value, kinds, f"{address}: {field.name}")
            if "class" in value
            else changed(field.default, value, address)
        )
    return value


def _is_required(field: Any) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _kinds_of(current: Parameters) -> tuple[type[Any], ...]:
    for base, kinds in _KINDS.items():
        if isinstance(current, base):
            return kinds
    return (type(current),)
