"""EMG: fibres, volume conductors, electrodes, action potentials, synthesis, noise."""

from ._action_potentials import action_potentials
from ._amplifier import Amplifier
from ._anatomy import Anatomy
from ._array_figures import draw_electrodes
from ._bad_channels import BadChannels, BadChannelsState
from ._biceps_brachii import biceps_brachii
from ._calibrate import fit_noise
from ._conductor import LineResponse, VolumeConductor
from ._cylinder import LayeredCylinder
from ._emg import EMG
from ._extensor_digitorum import extensor_digitorum
from ._fibres import MuscleFibres
from ._filters import (
    bipolar,
    common_average,
    double_differential,
    inverse_binomial,
    laplacian,
    monopolar,
    spatial_filter,
)
from ._first_dorsal_interosseous import first_dorsal_interosseous
from ._flexor_digitorum_superficialis import flexor_digitorum_superficialis
from ._grids import SurfaceGrid
from ._infinite import InfiniteMedium
from ._jitter import DischargeJitter
from ._learn import DifferentiableEMG, UnitParameters, units_of
from ._muscle import Muscle
from ._muscle_figures import draw_diameters, draw_endplates, draw_territories
from ._needles import ConcentricNeedle, FineWire, IntramuscularElectrode, ThinFilmArray
from ._noise import Noise, NoiseState, RmsWhileActive, active_samples, scale_for_snr
from ._noise_base import NoisePart
from ._noise_parts import ColouredNoise, ElectrodeDrift, GainDrift, Mains, MotionArtefact, WhiteNoise
from ._path import drifting_jitter, velocity_drift
from ._planar import PlanarLayers
from ._sections import Circle, CrossSection, Ellipse, Mask, Polygon
from ._skin import SkinConductor
from ._source import ActionPotentialShape, Rosenfalck
from ._synthesis import Synthesis, synthesise
from ._tibialis_anterior import tibialis_anterior
from ._velocity import conduction_velocity

__all__ = [
    "EMG",
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
    "conduction_velocity",
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
