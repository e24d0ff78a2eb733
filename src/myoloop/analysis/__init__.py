"""Analysis of motor units: thresholds, rates, action potentials, Delta F, common input."""

from ._agreement import BlandAltman, bland_altman
from ._average import spike_triggered_average
from ._coherence import (
    Coherence,
    CoherenceSettings,
    coherence_limit,
    intramuscular_coherence,
    pooled_coherence,
    signal_coherence,
)
from ._common_drive import (
    CommonComponents,
    CommonDrive,
    FluctuationSettings,
    common_components,
    common_drive,
)
from ._common_input import CommonInput, common_input
from ._cumulative import cumulative_rate, cumulative_spike_train
from ._delta_f import DeltaF, DeltaFCriteria, delta_f
from ._figures import (
    draw_action_potentials,
    draw_back_to_back,
    draw_coherence,
    draw_delta_f,
    draw_discharges,
)
from ._rates import (
    DischargeRates,
    DischargeVariability,
    InstantaneousRate,
    discharge_rates,
    discharge_variability,
    instantaneous_rates,
)
from ._smooth import HannRate, PolynomialRate, RateSmoother, SmoothedRates, SplineRate, smoothed_rates
from ._thresholds import ForceThresholds, force_cv, force_thresholds
from ._unit_velocities import UnitVelocities, unit_conduction_velocities
from ._velocity import conduction_velocity

__all__ = [
    "BlandAltman",
    "Coherence",
    "CoherenceSettings",
    "CommonComponents",
    "CommonDrive",
    "CommonInput",
    "DeltaF",
    "DeltaFCriteria",
    "DischargeRates",
    "DischargeVariability",
    "FluctuationSettings",
    "ForceThresholds",
    "HannRate",
    "InstantaneousRate",
    "PolynomialRate",
    "RateSmoother",
    "SmoothedRates",
    "SplineRate",
    "UnitVelocities",
    "bland_altman",
    "coherence_limit",
    "common_components",
    "common_drive",
    "common_input",
    "conduction_velocity",
    "cumulative_rate",
    "cumulative_spike_train",
    "delta_f",
    "discharge_rates",
    "discharge_variability",
    "draw_action_potentials",
    "draw_back_to_back",
    "draw_coherence",
    "draw_delta_f",
    "draw_discharges",
    "force_cv",
    "force_thresholds",
    "instantaneous_rates",
    "intramuscular_coherence",
    "pooled_coherence",
    "signal_coherence",
    "smoothed_rates",
    "spike_triggered_average",
    "unit_conduction_velocities",
]
