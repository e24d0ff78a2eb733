"""From a recording back to motor units: preprocessing, separation, online use, editing, agreement."""

from ._bound import upper_bound
from ._decomposition import Decomposition, SeparationFilters, UnitQuality
from ._editing._edits import Edit
from ._editing._session import EditSession
from ._editing._tracking import TrackingRule, UnitMap, merge_across, track_units
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
from ._online._adapt import Adaptation
from ._online._decomposer import OnlineDecomposer
from ._online._results import OnlineSpikes, OnlineState
from ._online._tracking import TrackingDecomposer
from ._preprocessing._bad_channels import BadChannelLimits
from ._preprocessing._live import LiveFilter
from ._preprocessing._prepare import Prepared, Preprocessing, find_bad_channels
from ._separation._base import Decomposer
from ._separation._bss import ConvolutiveBSS
from ._separation._contrasts import BoundedSkewness, Contrast, Kurtosis, LogCosh, Power, Skewness, Swarm
from ._templates import estimate_action_potentials, explained_variance

__all__ = [
    "Adaptation",
    "BadChannelLimits",
    "BoundedSkewness",
    "ContestScore",
    "Contrast",
    "ConvolutiveBSS",
    "Decomposer",
    "Decomposition",
    "Edit",
    "EditSession",
    "Kurtosis",
    "LiveFilter",
    "LogCosh",
    "Matching",
    "MatchingRule",
    "OnlineDecomposer",
    "OnlineSpikes",
    "OnlineState",
    "Power",
    "Prepared",
    "Preprocessing",
    "QualityLimits",
    "Score",
    "SeparationFilters",
    "Skewness",
    "Swarm",
    "TrackingDecomposer",
    "TrackingRule",
    "UnitAgreement",
    "UnitMap",
    "UnitQuality",
    "contest_score",
    "duplicates",
    "estimate_action_potentials",
    "explained_variance",
    "find_bad_channels",
    "match_trains",
    "merge_across",
    "pulse_to_noise_ratio",
    "pulse_to_noise_ratio_of_squares",
    "score",
    "silhouette",
    "track_units",
    "unit_quality",
    "upper_bound",
]
