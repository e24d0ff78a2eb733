"""Agreement with known units, and quality of units where none are known: each metric defined once."""

from ._contest import ContestScore, contest_score, duplicates
from ._matching import Matching, MatchingRule, match_trains
from ._quality import QualityLimits, unit_quality
from ._score import Score, UnitAgreement, score
from ._sources import pulse_to_noise_ratio, pulse_to_noise_ratio_of_squares, silhouette

__all__ = [
    "ContestScore",
    "Matching",
    "MatchingRule",
    "QualityLimits",
    "Score",
    "UnitAgreement",
    "contest_score",
    "duplicates",
    "match_trains",
    "pulse_to_noise_ratio",
    "pulse_to_noise_ratio_of_squares",
    "score",
    "silhouette",
    "unit_quality",
]
