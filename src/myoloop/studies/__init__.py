"""Published experiments, one file each. Adding one is its file and its line below."""

from . import decompose_benchmark, fuglevand1993, intramuscular_array, surface_array, watanabe2015
from ._base import AtLeast, AtMost, Claim, Outcome, Study, StudyResult, Table, Within

_ALL: tuple[Study, ...] = (
    watanabe2015.STUDY,
    fuglevand1993.STUDY,
    surface_array.STUDY,
    intramuscular_array.STUDY,
    decompose_benchmark.STUDY,
)

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
