"""Action potentials estimated jointly from all trains, and the signals without them."""

from ._estimate import estimate_action_potentials, explained_variance, spike_samples
from ._joint import joint_templates, subtract

__all__ = ["estimate_action_potentials", "explained_variance", "joint_templates", "spike_samples", "subtract"]
