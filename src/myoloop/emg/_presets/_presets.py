"""The muscles that come with the package, by name."""

from __future__ import annotations

from collections.abc import Callable

from ._anatomy import Anatomy
from ._biceps_brachii import biceps_brachii
from ._extensor_digitorum import extensor_digitorum
from ._first_dorsal_interosseous import first_dorsal_interosseous
from ._flexor_digitorum_superficialis import flexor_digitorum_superficialis
from ._tibialis_anterior import tibialis_anterior

_ALL: tuple[Callable[..., Anatomy], ...] = (
    first_dorsal_interosseous,
    tibialis_anterior,
    biceps_brachii,
    flexor_digitorum_superficialis,
    extensor_digitorum,
)

PRESETS: dict[str, Callable[..., Anatomy]] = {preset.__name__: preset for preset in _ALL}
"""Functions that make an `Anatomy`, each with the parameter `skin` (``"prepared"`` or ``"dry"``)."""
