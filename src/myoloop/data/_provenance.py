"""Where a result came from."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from typing import Any

# Packages whose version can change a number or a file.
_PACKAGES = ("myoloop", "numpy", "scipy", "numba", "h5py", "neo", "pynwb", "matplotlib")


def provenance(parameters: dict[str, Any], seed: int | None, **more: Any) -> dict[str, Any]:
    """Plain dictionary: parameters, seed, versions and machine."""
    return {
        "parameters": parameters,
        "seed": seed,
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": {
            "system": platform.system(),
            "release": platform.release(),
            "architecture": platform.machine(),
            "byte_order": sys.byteorder,
            "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        },
        **more,
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
