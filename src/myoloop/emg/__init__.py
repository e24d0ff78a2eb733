"""EMG: fibres, volume conductors, electrodes, action potentials, synthesis, noise."""

from ._anatomy._fibres import MuscleFibres
from ._anatomy._figures import draw_diameters, draw_endplates, draw_territories
from ._anatomy._muscle import Muscle
from ._anatomy._sections import Circle, CrossSection, Ellipse, Mask, Polygon
from ._conductors._base import LineResponse, VolumeConductor
from ._conductors._cylinder import LayeredCylinder
from ._conductors._infinite import InfiniteMedium
from ._conductors._planar import PlanarLayers
from ._conductors._skin import SkinConductor
from ._electrodes._figures import draw_electrodes
from ._electrodes._filters import (
    bipolar,
    common_average,
    double_differential,
    inverse_binomial,
    laplacian,
    monopolar,
    spatial_filter,
)
from ._electrodes._grids import SurfaceGrid
from ._electrodes._needles import ConcentricNeedle, FineWire, IntramuscularElectrode, ThinFilmArray
from ._emg import EMG
from ._learn._model import DifferentiableEMG, UnitParameters, units_of
from ._noise._bad_channels import BadChannels, BadChannelsState
from ._noise._base import NoisePart
from ._noise._calibrate import fit_noise
from ._noise._noise import Noise, NoiseState, RmsWhileActive, active_samples, scale_for_snr
from ._noise._parts import ColouredNoise, ElectrodeDrift, GainDrift, Mains, MotionArtefact, WhiteNoise
from ._potentials._amplifier import Amplifier
from ._potentials._direct import direct_action_potentials
from ._potentials._source import ActionPotentialShape, Rosenfalck
from ._potentials._sum import action_potentials
from ._presets._anatomy import Anatomy
from ._presets._biceps_brachii import biceps_brachii
from ._presets._extensor_digitorum import extensor_digitorum
from ._presets._first_dorsal_interosseous import first_dorsal_interosseous
from ._presets._flexor_digitorum_superficialis import flexor_digitorum_superficialis
from ._presets._presets import PRESETS
from ._presets._tibialis_anterior import tibialis_anterior
from ._synthesis._drift import drifting_jitter, velocity_drift
from ._synthesis._jitter import DischargeJitter
from ._synthesis._synthesis import Synthesis, synthesise

__all__ = [
    "EMG",
    "PRESETS",
    "ActionPotentialShape",
    "Amplifier",
    "Anatomy",
    "BadChannels",
    "BadChannelsState",
    "Circle",
    "ColouredNoise",
    "ConcentricNeedle",
    "CrossSection",
    "DifferentiableEMG",
    "DischargeJitter",
    "ElectrodeDrift",
    "Ellipse",
    "FineWire",
    "GainDrift",
    "InfiniteMedium",
    "IntramuscularElectrode",
    "LayeredCylinder",
    "LineResponse",
    "Mains",
    "Mask",
    "MotionArtefact",
    "Muscle",
    "MuscleFibres",
    "Noise",
    "NoisePart",
    "NoiseState",
    "PlanarLayers",
    "Polygon",
    "RmsWhileActive",
    "Rosenfalck",
    "SkinConductor",
    "SurfaceGrid",
    "Synthesis",
    "ThinFilmArray",
    "UnitParameters",
    "VolumeConductor",
    "WhiteNoise",
    "action_potentials",
    "active_samples",
    "biceps_brachii",
    "bipolar",
    "common_average",
    "direct_action_potentials",
    "double_differential",
    "draw_diameters",
    "draw_electrodes",
    "draw_endplates",
    "draw_territories",
    "drifting_jitter",
    "extensor_digitorum",
    "first_dorsal_interosseous",
    "fit_noise",
    "flexor_digitorum_superficialis",
    "inverse_binomial",
    "laplacian",
    "monopolar",
    "scale_for_snr",
    "spatial_filter",
    "synthesise",
    "tibialis_anterior",
    "units_of",
    "velocity_drift",
]
