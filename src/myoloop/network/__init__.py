"""Populations, sources, projections, plasticity and the loop that runs them."""

from typing import TYPE_CHECKING, Any

from ._clock import Clock
from ._connect import Connectivity, Wiring, all_to_all, from_matrix, one_to_one, random
from ._currents import CurrentInjection, Ramp, Sawtooth, Sine, Step, Trapezoid, Waveform
from ._network import Network, Population
from ._plasticity import Events, Plant, PlantOutput, PlasticityRule, Synapses, Tick
from ._projection import Distribution, Normal, Projection, Uniform
from ._record import MemorySink, Probe, Sink
from ._sources import GammaSource, PoissonSource, ReplaySource, Source
from ._synapses import Alpha, Delta, DoubleExponential, Exponential, Propagator, Synapse

if TYPE_CHECKING:
    from ._run import simulate
    from ._simulation import Simulation

__all__ = [
    "Alpha",
    "Clock",
    "Connectivity",
    "CurrentInjection",
    "Delta",
    "Distribution",
    "DoubleExponential",
    "Events",
    "Exponential",
    "GammaSource",
    "MemorySink",
    "Network",
    "Normal",
    "Plant",
    "PlantOutput",
    "PlasticityRule",
    "PoissonSource",
    "Population",
    "Probe",
    "Projection",
    "Propagator",
    "Ramp",
    "ReplaySource",
    "Sawtooth",
    "Simulation",
    "Sine",
    "Sink",
    "Source",
    "Step",
    "Synapse",
    "Synapses",
    "Tick",
    "Trapezoid",
    "Uniform",
    "Waveform",
    "Wiring",
    "all_to_all",
    "from_matrix",
    "one_to_one",
    "random",
    "simulate",
]


def __getattr__(name: str) -> Any:
    """Load what needs Numba when it is first used."""
    if name == "simulate":
        from ._run import simulate

        return simulate
    if name == "Simulation":
        from ._simulation import Simulation

        return Simulation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
