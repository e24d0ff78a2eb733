"""Published experiments, one file each. Adding one is its file and its line below."""

from ._base import AtLeast, AtMost, Claim, Outcome, Study, StudyResult, Table, Within

_ALL: tuple[Study, ...] = ()

STUDIES: dict[str, Study] = {study.name: study for study in _ALL}

__all__ = [
    "STUDIES",
    "AtLeast",
    "AtMost",
    "Claim",
    "Outcome",
    "Study",
    "StudyResult",
    "Table",
    "Within",
]
