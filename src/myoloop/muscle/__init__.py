"""Muscle: recruitment thresholds, the motor-unit pool, and force from spike trains."""

from ._force import ForceState, FuglevandForce
from ._pool import FuglevandPool, PoolState
from ._statistics import ForceStatistics
from ._thresholds import recruitment_thresholds
from ._twitch import steady_force, twitch_gain

__all__ = [
    "ForceState",
    "ForceStatistics",
    "FuglevandForce",
    "FuglevandPool",
    "PoolState",
    "recruitment_thresholds",
    "steady_force",
    "twitch_gain",
]
