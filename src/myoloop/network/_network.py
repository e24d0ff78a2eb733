"""A network as data: populations, sources, projections, injected currents, plants."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from numpy.typing import NDArray

from ..errors import ParameterError, UnknownNameError
from ..kernels import Neuron
from ..parameters import Parameters
from ._clock import check_name
from ._currents import CurrentInjection
from ._plasticity import Plant
from ._projection import Projection
from ._sources import Source


@final
@dataclass(frozen=True, eq=False)
class Population(Parameters):
    """Cells of one model.

    Parameters
    ----------
    name : str
    cells : Neuron
        Any cell model; its `n` is the size of the population.
    annotations : mapping of str to array (n,)
        What is to travel with the spikes, e.g. recruitment thresholds.
    """

    name: str
    cells: Neuron
    annotations: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.name, "Population")
        if not isinstance(self.cells, Neuron):
            raise ParameterError(
                f"Population({self.name}).cells",
                f"a {type(self.cells).__name__} was given",
                "give a cell model such as neurons.LIF(n=100)",
            )

    @property
    def n(self) -> int:
        """Number of cells."""
        return self.cells.n


@final
@dataclass(frozen=True, eq=False)
class Network(Parameters):
    """What is to be simulated.

    Parameters
    ----------
    nodes : sequence of Population and Source
    projections : sequence of Projection
    currents : sequence of CurrentInjection
    plants : mapping of str to Plant
        Whatever steps in the same loop.
    """

    nodes: tuple[Population | Source, ...]
    projections: tuple[Projection, ...] = ()
    currents: tuple[CurrentInjection, ...] = ()
    plants: Mapping[str, Plant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("nodes", "projections", "currents"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        _refuse_doubles("Network.nodes", [node.name for node in self.nodes])
        _refuse_doubles("Network.projections", [p.name for p in self.projections])
        for projection in self.projections:
            where = f"Projection {projection.name}"
            _find(f"{where}.pre", projection.pre, [node.name for node in self.nodes])
            _find(f"{where}.post", projection.post, self.populations)
        for current in self.currents:
            _find("CurrentInjection.population", current.population, self.populations)

    @property
    def populations(self) -> dict[str, Population]:
        """The populations by name."""
        return {node.name: node for node in self.nodes if isinstance(node, Population)}

    @property
    def sources(self) -> dict[str, Source]:
        """The sources by name."""
        return {node.name: node for node in self.nodes if isinstance(node, Source)}

    def size(self, name: str) -> int:
        """Number of units of a node."""
        return next(node.n for node in self.nodes if node.name == name)

    def fingerprint(self) -> str:
        """Hash of all parameters: a checkpoint belongs to one network."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def start(self, **options: Any) -> Any:
        """Return a `Simulation` to be stepped window by window; for the options see there."""
        from ._simulation import Simulation

        return Simulation(self, **options)


def _refuse_doubles(where: str, names: list[str]) -> None:
    doubles = {name for name in names if names.count(name) > 1}
    if doubles:
        raise ParameterError(where, f"{sorted(doubles)[0]!r} appears twice", "give each a name of its own")


def _find(where: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise UnknownNameError(where, name, known)
