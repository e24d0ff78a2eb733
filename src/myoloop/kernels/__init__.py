"""Compiled-kernel machinery that the engine and the models share.

Importing this room does not import Numba: the engine loads the private modules when a simulation starts.
"""

from ._functions import clamp, crossing, divide_pair, exp, exp_bounded
from ._neuron import Neuron

__all__ = ["Neuron", "clamp", "crossing", "divide_pair", "exp", "exp_bounded"]
