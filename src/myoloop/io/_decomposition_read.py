"""Reading a decomposition from HDF5, of which nothing is believed."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentials, SpikeTrains
from ..errors import ParameterError
from ._about_potentials import potentials_from
from ._assemble import assemble_pool
from ._decomposition import DECOMPOSITION_FORMAT, QUALITY, VERSION
from ._files import head, refuse, regular_file
from ._hdf5 import SIGNATURE, numbers, opened, text
from ._isolated import read_isolated
from ._json import loads
from ._limits import Limits

if TYPE_CHECKING:
    from ..decompose import Decomposition, SeparationFilters, UnitQuality

__all__ = ["DECOMPOSITION_FORMAT", "decomposition_spikes", "read_decomposition"]

_MEND = "use an intact copy"
_BEYOND_JSON = (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError)


def read_decomposition(
    path: str | os.PathLike[str], *, limits: Limits | None = None, isolated: bool = True
) -> Decomposition:
    """Read a decomposition that `write_decomposition` wrote.

    Parameters
    ----------
    path : path
    limits : Limits, optional
        The most that is read.
    isolated : bool
        Read in a child process, which a damaged or hostile file may crash in our stead.

    Returns
    -------
    Decomposition

    Raises
    ------
    UnreadableFileError
        Absent, damaged, of another format, or with parts that do not fit together.
    """
    path, limits = regular_file(path), limits or Limits()
    if not head(path).startswith(SIGNATURE):
        refuse(path, "not a decomposition: it does not begin like HDF5", "give a file of write_decomposition")
    import myoloop.decompose  # noqa: F401  once here rather than in every child

    read = partial(_read, path, limits)
    found = read_isolated(path, read) if isolated else read()
    for array in (found.spikes.times_s, found.spikes.starts):
        array.flags.writeable = False  # which a child cannot hand over
    return found


def decomposition_spikes(path: Path, limits: Limits) -> SpikeTrains:
    """The trains alone."""
    with opened(path) as file:
        return _spikes(path, file, _about(path, file, limits), limits)


def _read(path: Path, limits: Limits) -> Decomposition:
    from ..decompose import Decomposition

    with opened(path) as file:
        about = _about(path, file, limits)
        spikes = _spikes(path, file, about, limits)
        names = spikes.annotations.get("unit_id")
        if names is None or names.shape != (len(spikes),):
            refuse(path, "its units have no names", _MEND)
        try:
            filters = _filters(path, file, about["filters"], len(spikes), limits)
            sources = _array(path, file, "sources", np.float32, (len(spikes), None), limits)
            _check_length(path, spikes, sources, filters.rate_hz)
            return Decomposition(
                spikes,
                sources,
                filters,
                _quality(path, file, about["flag"], len(spikes), limits),
                _potentials(path, file, about["action_potentials"], len(spikes), limits),
                bad=_texts_by_name(about["bad"]),
                parameters=_mapping(about["parameters"]),
                notes=_texts(about["notes"]),
                history=_texts(about["history"]),
            )
        except ParameterError as error:
            refuse(path, str(error), _MEND)
        except _BEYOND_JSON as error:
            said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            refuse(path, f"its description: {said}", _MEND)


def _about(path: Path, file: Any, limits: Limits) -> dict[str, Any]:
    said = file.attrs.get("format", "")
    said = said.decode() if isinstance(said, bytes) else str(said)
    if said != DECOMPOSITION_FORMAT:
        refuse(path, "not a decomposition", "give a file of write_decomposition")
    version = file.attrs.get("version", 0)
    if not isinstance(version, int | np.integer) or not 1 <= version <= VERSION:
        refuse(path, f"a decomposition of version {version}", f"versions up to {VERSION} are read here")
    return loads(path, text(path, file, "about", limits) or "")


def _spikes(path: Path, file: Any, about: dict[str, Any], limits: Limits) -> SpikeTrains:
    names = "spike_unit", "spike_time_s"
    units, times = (numbers(path, file, name, limits.spikes, "spikes") for name in names)
    if units is None or times is None or units.ndim != 1 or units.shape != times.shape:
        refuse(path, "its spikes are damaged", _MEND)
    if units.dtype != np.int64 or times.dtype != np.float64:
        refuse(path, f"spikes of {units.dtype} and {times.dtype}", _MEND)
    try:
        return assemble_pool(path, about["spikes"], units, times, limits)
    except ParameterError as error:
        refuse(path, str(error), _MEND)
    except _BEYOND_JSON as error:
        refuse(path, f"the description of its units: {error}", _MEND)


def _filters(path: Path, file: Any, about: Any, n_units: int, limits: Limits) -> SeparationFilters:
    from ..decompose import SeparationFilters

    kept = _array(path, file, "filter_kept", np.int64, (None,), limits)
    scale = _array(path, file, "filter_scale_uV", np.float64, kept.shape, limits)
    weights = _array(path, file, "filter_weights", np.float32, (n_units, len(kept), None), limits)
    centroids = _array(path, file, "filter_centroids", np.float64, (n_units, 2), limits)
    if np.any(kept < 0) or len(np.unique(kept)) < len(kept):
        refuse(path, "channels of the filters that are negative, or twice", _MEND)
    if not np.all(scale > 0):
        refuse(path, "scales of 0 or below", _MEND)
    rate_hz, first = about["rate_hz"], about["first"]
    if not _is_number(rate_hz) or not 0 < rate_hz < 1e9:
        refuse(path, f"a rate of {rate_hz!r} Hz", _MEND)
    if isinstance(first, bool) or not isinstance(first, int) or not -weights.shape[2] <= first <= 0:
        refuse(path, f"filters of {weights.shape[2]} lags that begin at {first!r}", _MEND)
    made = {key: _tupled(value) for key, value in _mapping(about["preprocessing"]).items()}
    return SeparationFilters(weights, float(rate_hz), first, kept, scale, centroids, made)


def _quality(path: Path, file: Any, flag: Any, n_units: int, limits: Limits) -> UnitQuality:
    from ..decompose import UnitQuality

    found = {
        name: _array(path, file, f"quality_{name}", np.float64, (n_units,), limits, finite=False)
        for name in QUALITY
    }
    flags = _texts(flag)
    if len(flags) != n_units:
        refuse(path, f"{len(flags)} flags for {n_units} units", _MEND)
    return UnitQuality(**found, flag=flags)


def _potentials(path: Path, file: Any, about: Any, n_units: int, limits: Limits) -> ActionPotentials | None:
    if about is None:
        return None
    shape = (n_units, len(about["channels"]), None)
    values = _array(path, file, "action_potentials", np.dtype(str(about["dtype"])), shape, limits)
    return potentials_from(values, about)


def _array(
    path: Path,
    file: Any,
    name: str,
    dtype: Any,
    shape: tuple[int | None, ...],
    limits: Limits,
    *,
    finite: bool = True,
) -> NDArray[Any]:
    """An array of one type and shape (None: any length)."""
    found = numbers(path, file, name, limits.samples, "samples")
    if found is None:
        refuse(path, f"{name} is missing", _MEND)
    fits = found.ndim == len(shape) and all(
        wanted in (None, length) for wanted, length in zip(shape, found.shape, strict=True)
    )
    if found.dtype != dtype or not fits:
        wanted = tuple("any" if length is None else length for length in shape)
        refuse(path, f"{name} is {found.dtype} of shape {found.shape}, not {dtype} of {wanted}", _MEND)
    if finite and found.dtype.kind == "f" and not np.all(np.isfinite(found)):
        refuse(path, f"{name} holds NaN or infinite values", _MEND)
    return found


def _check_length(path: Path, spikes: SpikeTrains, sources: NDArray[Any], rate_hz: float) -> None:
    samples = sources.shape[1]
    if len(spikes) and abs(spikes.duration_s * rate_hz - samples) >= 1 + 1e-6 * samples:
        refuse(path, f"sources of {samples / rate_hz:g} s for spikes in {spikes.duration_s:g} s", _MEND)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"a {type(value).__name__} in place of names and values")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("something else in place of texts")
    return tuple(value)


def _texts_by_name(value: Any) -> dict[str, str]:
    found = _mapping(value)
    return dict(zip(found, _texts(list(found.values())), strict=True))


def _tupled(value: Any) -> Any:
    """Lists as the tuples that they were: the arguments of a `LiveFilter`."""
    return tuple(_tupled(one) for one in value) if isinstance(value, list) else value
