"""What the engine asks of a cell model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from ..errors import ParameterError
from ..parameters import Parameters, count


@dataclass(frozen=True, kw_only=True)
class Neuron(Parameters, ABC):
    """n cells of one kind.

    A model states its variables as named tuples and one step of one cell as plain Python; the engine
    compiles that step, in either precision, into a loop over blocks of cells. Parameters that may differ
    from cell to cell are scalars or arrays of shape (n,).

    Class attributes
    ----------------
    State : named tuple class
        State variables of a cell. The voltage at site x is called ``v_x`` (mV).
    Constants : named tuple class
        What `step` reads of a cell's parameters, in the form that makes a step cheapest.
    Inputs : named tuple class
        Inputs of a cell during a step, any of ``g_x`` (sum of synaptic conductances at site x, uS),
        ``ge_x`` (sum of conductance times reversal potential, nA) and ``i_x`` (injected current, nA).
        ``g_x`` and ``ge_x`` come together. The first field names the default site.
    """

    State: ClassVar[type]
    Constants: ClassVar[type]
    Inputs: ClassVar[type]

    n: int = count(1, help="number of cells")

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray) and value.ndim == 1 and len(value) != self.n:
                raise ParameterError(
                    f"{type(self).__name__}.{field.name}",
                    f"{len(value)} values for {self.n} cells",
                    "give one number or one for each cell",
                )

    @abstractmethod
    def initial(self, dt_ms: float) -> Any:
        """State before the first step: a `State` of scalars or arrays of shape (n,)."""

    @abstractmethod
    def constants(self, dt_ms: float) -> Any:
        """`Constants` of scalars or arrays of shape (n,) for steps of `dt_ms`."""

    @staticmethod
    @abstractmethod
    def step(x: Any, c: Any, u: Any, dt_ms: Any) -> Any:
        """Advance one cell by one step.

        Parameters
        ----------
        x : State
        c : Constants
        u : Inputs
        dt_ms : float

        Returns
        -------
        state : State
            One step later.
        crossing : float
            0.0 if the cell did not fire; else the fraction of the step after which it did, in (0, 1].

        Notes
        -----
        Plain scalar Python that Numba compiles: arithmetic, conditional expressions, `kernels.exp`,
        other such functions. Write ``2.0`` rather than ``2``, products rather than powers, and no
        branches but conditional expressions, so that the loop over cells is vectorised.
        """
