"""From a recording back to motor units: preprocessing, separation, online use, editing, agreement."""

from ._decomposition import Decomposition, SeparationFilters, UnitQuality
from ._metrics import (
    ContestScore,
    Matching,
    MatchingRule,
    QualityLimits,
    Score,
    UnitAgreement,
    contest_score,
    duplicates,
    match_trains,
    pulse_to_noise_ratio,
    pulse_to_noise_ratio_of_squares,
    score,
    silhouette,
    unit_quality,
)
from ._metrics._bound import upper_bound
from ._preprocessing._prepare import Prepared, Preprocessing
from ._separation._base import Decomposer
from ._separation._bss import ConvolutiveBSS
from ._separation._contrasts import BoundedSkewness, Contrast, Kurtosis, LogCosh, Power, Skewness, Swarm
from ._templates import estimate_action_potentials, explained_variance

__all__ = [
    "BoundedSkewness",
    "ContestScore",
    "Contrast",
    "ConvolutiveBSS",
    "Decomposer",
    "Decomposition",
    "Kurtosis",
    "LogCosh",
    "Matching",
    "MatchingRule",
    "Power",
    "Prepared",
    "Preprocessing",
    "QualityLimits",
    "Score",
    "SeparationFilters",
    "Skewness",
    "Swarm",
    "UnitAgreement",
    "UnitQuality",
    "contest_score",
    "duplicates",
    "estimate_action_potentials",
    "explained_variance",
    "match_trains",
    "pulse_to_noise_ratio",
    "pulse_to_noise_ratio_of_squares",
    "score",
    "silhouette",
    "unit_quality",
    "upper_bound",
]
