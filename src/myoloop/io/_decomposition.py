"""Writing a decomposition as HDF5."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..parameters import plain
from ._about_potentials import about_potentials
from ._assemble import about_pool
from ._files import replacing
from ._shield import shielded

if TYPE_CHECKING:
    from ..decompose import Decomposition

DECOMPOSITION_FORMAT = "myoloop decomposition"
VERSION = 1
QUALITY = ("sil", "pnr_db", "cov_isi", "rate_pps", "short_isi")

_CHUNK = 1 << 16


def write_decomposition(
    path: str | os.PathLike[str], decomposition: Decomposition, *, overwrite: bool = False
) -> Path:
    """Write a decomposition, with its filters, sources, quality, parameters and history, as HDF5.

    `read_decomposition` gives it back equal; parameters come back as plain values.

    Parameters
    ----------
    path : path
        Its ending is usually ``.h5``.
    decomposition : Decomposition
    overwrite : bool

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        The file exists already, or cannot be written; a file that was there is as it was.
    """
    with replacing(path, overwrite=overwrite) as temporary, shielded(temporary) as file:
        file.attrs["format"] = DECOMPOSITION_FORMAT
        file.attrs["version"] = VERSION
        _put(file, "about", np.frombuffer(_about(decomposition), dtype=np.uint8))
        spikes, filters, quality = decomposition.spikes, decomposition.filters, decomposition.quality
        _put(file, "spike_unit", spikes.units)
        _put(file, "spike_time_s", spikes.times_s)
        _put(file, "sources", np.asarray(decomposition.sources, dtype=np.float32))
        _put(file, "filter_weights", np.asarray(filters.weights, dtype=np.float32))
        _put(file, "filter_kept", np.asarray(filters.kept, dtype=np.int64))
        _put(file, "filter_scale_uV", np.asarray(filters.scale_uV, dtype=np.float64))
        _put(file, "filter_centroids", np.asarray(filters.centroids, dtype=np.float64))
        for name in QUALITY:
            _put(file, f"quality_{name}", np.asarray(getattr(quality, name), dtype=np.float64))
        if decomposition.action_potentials is not None:
            _put(file, "action_potentials", decomposition.action_potentials.values_uV)
    return Path(path)


def _about(decomposition: Decomposition) -> bytes:
    """All but the arrays, as JSON."""
    filters = decomposition.filters
    about = {
        "spikes": about_pool("units", decomposition.spikes),
        "filters": {
            "rate_hz": filters.rate_hz,
            "first": filters.first,
            "preprocessing": plain(filters.preprocessing),
        },
        "flag": list(decomposition.quality.flag),
        "action_potentials": about_potentials(decomposition.action_potentials),
        "bad": dict(decomposition.bad),
        "parameters": plain(decomposition.parameters),
        "notes": list(decomposition.notes),
        "history": list(decomposition.history),
    }
    return json.dumps(plain(about), allow_nan=False).encode()


def _put(file: Any, name: str, values: NDArray[Any]) -> None:
    """A dataset; a large one in compressed chunks along its last axis."""
    if values.size < _CHUNK:
        file.create_dataset(name, data=values)
        return
    chunks = (*([1] * (values.ndim - 1)), min(values.shape[-1], _CHUNK))
    if values.shape[-1] < _CHUNK // 16 and values.ndim > 1:
        chunks = (1, *values.shape[1:])
    file.create_dataset(
        name, data=values, chunks=chunks, compression="gzip", compression_opts=4, shuffle=True
    )
