"""The ends of a recording, where action potentials are cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._preprocessing._prepare import Prepared

_SOFT_S = 0.05


def with_soft_ends(prepared: Prepared) -> Prepared:
    """Prepared signals that rise from 0 and fall to 0 within 50 ms.

    A cut action potential, band-passed, is like nothing else in the recording: an instant of which a
    filter can make a source of one enormous peak, to which most random starts would climb.
    """
    samples = min(round(_SOFT_S * prepared.rate_hz), prepared.values.shape[1] // 2)
    rise = np.sin(0.5 * np.pi * np.arange(samples) / samples).astype(np.float32) ** 2
    values = prepared.values.copy()
    values[:, :samples] *= rise
    values[:, values.shape[1] - samples :] *= rise[::-1]
    return replace(prepared, values=values)
