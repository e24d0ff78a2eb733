"""Find studies by their names."""

from __future__ import annotations

from ..errors import UnknownNameError
from ..studies import STUDIES, Study


def study_named(name: str) -> Study:
    """The study of that name; UnknownNameError offers the nearest one."""
    if name not in STUDIES:
        raise UnknownNameError("study", name, STUDIES)
    return STUDIES[name]
