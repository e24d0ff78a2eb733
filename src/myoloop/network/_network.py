"""A network as data: populations, sources, projections, injected currents, plants."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, UnknownNameError
from ..kernels import Neuron
from ..parameters import Parameters
from ._check import check_kind, check_name, check_sequence
from ._currents import CurrentInjection
from ._fingerprint import fingerprint
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
        check_name(self.name, "Population.name")
        where = f"Population({self.name})"
        check_kind(self.cells, Neuron, f"{where}.cells", "give a cell model such as neurons.LIF(n=100)")
        check_kind(self.annotations, Mapping, f"{where}.annotations", "give {name: one value for each cell}")
        for key, value in self.annotations.items():
            if _shape(value)[:1] != (self.n,):
                raise ParameterError(
                    f"{where}.annotations[{key!r}]",
                    f"shape {_shape(value)} for {self.n} cells",
                    "give one value for each cell",
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

    nodes: Sequence[Population | Source]
    projections: Sequence[Projection] = ()
    currents: Sequence[CurrentInjection] = ()
    plants: Mapping[str, Plant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, kind in _PARTS.items():
            mend = f"give a list of {' and '.join(k.__name__ for k in kind)}"
            object.__setattr__(self, name, check_sequence(getattr(self, name), kind, f"Network.{name}", mend))
        check_kind(self.plants, Mapping, "Network.plants", "give {name: Plant}")
        object.__setattr__(self, "plants", dict(self.plants))
        for name, plant in self.plants.items():
            check_name(name, "Network.plants")
            check_kind(plant, Plant, f"Network.plants[{name!r}]", "give a Plant")
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
        _find("Network.size", name, [node.name for node in self.nodes])
        return next(node.n for node in self.nodes if node.name == name)

    def fingerprint(self) -> str:
        """Hash of all parameters: a checkpoint belongs to one network."""
        return fingerprint(json.dumps(self.to_dict(), sort_keys=True))

    def start(self, **options: Any) -> Any:
        """Return a `Simulation` to be stepped window by window; for the options see there."""
        from ._simulation import Simulation

        return Simulation(self, **options)


_PARTS: dict[str, tuple[type, ...]] = {
    "nodes": (Population, Source),
    "projections": (Projection,),
    "currents": (CurrentInjection,),
}


def _refuse_doubles(where: str, names: list[str]) -> None:
    doubles = {name for name in names if names.count(name) > 1}
    if doubles:
        raise ParameterError(where, f"{sorted(doubles)[0]!r} appears twice", "give each a name of its own")


def _find(where: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UnknownNameError(where, name, known)


def _shape(value: Any) -> tuple[int, ...]:
    """Shape of what may be an array; that of a number if it is none."""
    try:
        return np.shape(value)
    except (TypeError, ValueError):
        return ()
