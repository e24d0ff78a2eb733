"""The muscles that come with the package, by name."""

from __future__ import annotations

from collections.abc import Callable

from ._anatomy import Anatomy
from ._first_dorsal_interosseous import first_dorsal_interosseous

_ALL: tuple[Callable[..., Anatomy], ...] = (first_dorsal_interosseous,)

PRESETS: dict[str, Callable[..., Anatomy]] = {preset.__name__: preset for preset in _ALL}
"""Functions that make an `Anatomy`, each with the parameter `skin` (``"prepared"`` or ``"dry"``)."""
