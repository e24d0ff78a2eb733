"""Small files in the layouts of other programs, written by the tests themselves."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.io import savemat

RATE_HZ = 2048.0
SERIES = "Tibialis Anterior - MULTIPLE IN 1 (Channel 1->64) - GR08MM1305"


def emg(n_channels: int = 64, n_samples: int = 300, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 50, (n_channels, n_samples)).astype(np.float32)


def cell(*values: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """A MATLAB cell array, a row unless a shape is given."""
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array.reshape(shape or (1, -1))


def train(spikes: list[int], n_samples: int) -> np.ndarray:
    column = np.zeros(n_samples, dtype=np.float32)
    column[spikes] = 1
    return column


def write_otb(path: Path, values: np.ndarray, spikes: list[list[int]], **changes: Any) -> Path:
    """As OTBiolab exports: EMG, trains, sources, force."""
    n = values.shape[1]
    unit = changes.pop("unit", "uV")
    series = changes.pop("series", SERIES)
    first = changes.pop("t_start_s", 0.0)
    extra: dict[str, np.ndarray] = changes.pop("extra", {})
    numbers = changes.pop("numbers", range(1, len(values) + 1))
    labels = [f"{series} ({i})[{unit}]" for i in numbers]
    labels += [f"1 - Decomposition of {series} ({i + 1})[a.u]" for i in range(len(spikes))]
    labels += [f"Source for decomposition of {series} ({i + 1})[a.u]" for i in range(len(spikes))]
    labels += ["acquired data[ %(MVC)]", *extra]
    force = np.linspace(0, 20, n, dtype=np.float32)
    columns = [*values, *(train(one, n) for one in spikes), *(np.ones((len(spikes), n))), force]
    content = {
        "Data": cell(np.stack([*columns, *extra.values()], axis=1).astype(np.float32)),
        "Description": cell(*labels, shape=(-1, 1)),
        "SamplingFrequency": np.array([[RATE_HZ]]),
        "Time": cell((first + np.arange(n) / RATE_HZ)[:, np.newaxis]),
        "OTBFile": "unknown",
    }
    savemat(path, content | changes, do_compression=True)
    return path


def write_demuse(
    path: Path, values: np.ndarray, spikes: list[list[int]], v73: bool = False, **more: Any
) -> Path:
    """As DEMUSE saves: 64 channels in a grid of 13 x 5 whose first cell is empty."""
    grid = np.empty((13, 5), dtype=object)
    for i in range(65):
        grid[i % 13, i // 13] = values[i - 1][np.newaxis].astype(float) if i else np.zeros((0, 0))
    content = {
        "SIG": grid,
        "fsamp": np.array([[RATE_HZ]]),
        "SIGlength": np.array([[values.shape[1] / RATE_HZ]]),
        "IED": np.array([[8.0]]),
        "MUPulses": cell(*(np.array([one], dtype=float) + 1 for one in spikes)),
        "IPTs": np.ones((len(spikes), values.shape[1])),
        "PNR": np.linspace(30, 40, len(spikes))[np.newaxis],
        "ref_signal": np.linspace(0, 1, values.shape[1])[np.newaxis],
        "discardChannelsVec": np.eye(13, 5)[::-1],
        "origRecMode": "MONO",
        "description": "a test",
    }
    content = {key: value for key, value in (content | more).items() if value is not None}
    (save73 if v73 else savemat)(path, content)
    return path


def write_muedit(
    path: Path, values: np.ndarray, spikes: list[list[list[int]]], v73: bool = True, **more: Any
) -> Path:
    """As MUedit saves: grids of 64 channels, and units of each grid."""
    grids = len(values) // 64
    most = max(map(len, spikes), default=0)
    times = np.empty((grids, most), dtype=object)
    for g in range(grids):
        for u in range(most):
            found = spikes[g][u] if u < len(spikes[g]) else []
            times[g, u] = np.array([found], dtype=float) + 1 if found else np.zeros((0, 0))
    n = values.shape[1]
    signal = {
        "data": values.astype(float),
        "fsamp": np.array([[RATE_HZ]]),
        "nChan": np.array([[float(len(values))]]),
        "ngrid": np.array([[float(grids)]]),
        "gridname": cell(*["GR08MM1305"] * grids),
        "muscle": cell(*[f"Muscle {chr(65 + g)}" for g in range(grids)]),
        "auxiliary": np.stack([np.arange(n), -np.arange(n)]).astype(float),
        "auxiliaryname": cell("AUX 1", "Path"),
        "target": np.ones((1, n)),
        "path": np.zeros((1, n)),
        "EMGmask": cell(*[np.eye(64, 1, -g) for g in range(grids)]),
        "Pulsetrain": cell(*[np.ones((len(one), n)) for one in spikes]),
        "Dischargetimes": times,
    }
    signal |= more.pop("signal", {})
    content = {"signal": {k: v for k, v in signal.items() if v is not None}, "parameters": {"a": np.eye(1)}}
    (save73 if v73 else savemat)(path, content | more)
    return path


def write_openhdemg(path: Path, values: np.ndarray, spikes: list[list[int]], layout: str = "split") -> Path:
    """As openhdemg saves, in the layout of today ("split") or of its first releases ("columns")."""
    tables = {
        "RAW_SIGNAL": values.T.astype(float),
        "REF_SIGNAL": np.linspace(0, 20, values.shape[1])[:, np.newaxis],
        "ACCURACY": np.linspace(0.9, 0.95, len(spikes))[:, np.newaxis],
        "IPTS": np.ones((values.shape[1], len(spikes))),
    }
    rest: dict[str, Any] = {
        "SOURCE": "OTB", "FILENAME": "a.mat", "FSAMP": RATE_HZ, "IED": 8.0, "EMG_LENGTH": values.shape[1],
        "NUMBER_OF_MUS": len(spikes),
    }  # fmt: skip
    if layout == "columns":
        parts = [json.dumps({key: value}) for key, value in rest.items()]
        for key, table in tables.items():
            columns = {str(c): {str(r): float(v) for r, v in enumerate(col)} for c, col in enumerate(table.T)}
            parts.append(json.dumps({key: json.dumps(columns)}))
        parts.append(json.dumps(spikes))
        named = [*parts[:-1], json.dumps({"MUPULSES": spikes})]
        path.write_bytes(gzip.compress(json.dumps(named).encode()))
        return path
    content = {key: json.dumps(value) for key, value in rest.items()}
    for key, table in tables.items():
        rows, columns = map(list, map(range, table.shape))
        content[key] = json.dumps({"columns": columns, "index": rows, "data": table.tolist()})
    content["MUPULSES"] = json.dumps(spikes)
    text = json.dumps(content).encode()
    path.write_bytes(text if layout == "plain" else gzip.compress(text))
    return path


def save73(path: Path, content: dict[str, Any]) -> None:
    """Write variables as MATLAB's ``save -v7.3`` does: transposed, cells as references."""
    with h5py.File(path, "w", userblock_size=512) as file:
        store = file.create_group("#refs#")
        for name, value in content.items():
            _put(file, name, value, store)
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


def _put(group: h5py.Group, name: str, value: Any, store: h5py.Group) -> h5py.Dataset | h5py.Group:
    if isinstance(value, dict):
        made = group.create_group(name)
        made.attrs["MATLAB_class"] = np.bytes_("struct")
        for key, one in value.items():
            _put(made, key, one, store)
        return made
    if isinstance(value, str):
        codes = np.frombuffer(value.encode("utf-16-le"), np.uint16)[:, np.newaxis]
        made = group.create_dataset(name, data=codes)
        made.attrs["MATLAB_class"] = np.bytes_("char")
        return made
    array = np.asarray(value)
    kind = "cell" if array.dtype == object else {"f": "double"}.get(array.dtype.kind, str(array.dtype))
    if array.size == 0:
        made = group.create_dataset(name, data=np.array(array.shape, dtype=np.uint64))
        made.attrs["MATLAB_empty"] = np.uint8(1)
    elif array.dtype == object:
        refs = np.empty(array.shape, dtype=h5py.ref_dtype)
        for place in np.ndindex(*array.shape):
            refs[place] = _put(
                store, f"{group.name}.{name}.{place}".replace("/", "."), array[place], store
            ).ref
        made = group.create_dataset(name, data=refs.T, dtype=h5py.ref_dtype)
    else:
        made = group.create_dataset(name, data=array.T)
    made.attrs["MATLAB_class"] = np.bytes_(kind)
    return made
