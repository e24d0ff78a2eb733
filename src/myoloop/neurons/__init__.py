"""Cell models, one file each. Adding one is its file and its line below."""

from ..kernels import Neuron, clamp, crossing, divide_pair, exp, exp_bounded
from ._izhikevich import Izhikevich
from ._lif import LIF
from ._two_compartment import TwoCompartmentMotorNeuron

__all__ = [
    "LIF",
    "Izhikevich",
    "Neuron",
    "TwoCompartmentMotorNeuron",
    "clamp",
    "crossing",
    "divide_pair",
    "exp",
    "exp_bounded",
]
