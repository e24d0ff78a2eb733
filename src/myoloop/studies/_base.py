"""What a study is: parameters, a run, and claims that the run is held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, final

from ..data import Figure, Progress, Recording, Signal, SpikeTrains, provenance
from ..parameters import Parameters


class Tolerance(Protocol):
    """When a value that we found agrees with a published one."""

    def holds(self, published: float, ours: float) -> bool:
        """Whether `ours` agrees with `published`."""


@final
@dataclass(frozen=True)
class Within:
    """Equal to the published value within an absolute or a relative difference."""

    absolute: float = 0.0
    relative: float = 0.0

    def holds(self, published: float, ours: float) -> bool:
        """Whether the difference is at most the larger of the two."""
        return abs(ours - published) <= max(self.absolute, self.relative * abs(published))

    def __str__(self) -> str:
        parts = [f"± {self.absolute:g}"] if self.absolute else []
        parts += [f"± {100 * self.relative:g} %"] if self.relative else []
        return " or ".join(parts) or "equal"


@final
@dataclass(frozen=True)
class AtLeast:
    """Not below the published value."""

    def holds(self, published: float, ours: float) -> bool:
        """Whether ours reaches it."""
        return ours >= published

    def __str__(self) -> str:
        return "at least"


@final
@dataclass(frozen=True)
class AtMost:
    """Not above the published value."""

    def holds(self, published: float, ours: float) -> bool:
        """Whether ours stays below it."""
        return ours <= published

    def __str__(self) -> str:
        return "at most"


@final
@dataclass(frozen=True)
class Claim:
    """What a paper (or a law) says, and where our run's number for it is found.

    Parameters
    ----------
    name : str
        The statement, with its unit.
    source : str
        Paper, with figure, table or equation.
    published : float
        The value that is claimed, or the bound.
    tolerance : Tolerance
        When ours counts as equal.
    ours : callable
        Takes the study's metrics and returns our value.
    """

    name: str
    source: str
    published: float
    tolerance: Tolerance
    ours: Callable[[Mapping[str, Any]], float]

    def judge(self, metrics: Mapping[str, Any]) -> Outcome:
        """Fill in our value from the metrics of a run."""
        ours = float(self.ours(metrics))
        return Outcome(
            self.name,
            self.source,
            self.published,
            ours,
            str(self.tolerance),
            bool(self.tolerance.holds(self.published, ours)),  # False for NaN
        )


@final
@dataclass(frozen=True)
class Outcome:
    """A claim with our value filled in."""

    name: str
    source: str
    published: float
    ours: float
    tolerance: str
    holds: bool


@final
@dataclass(frozen=True)
class Table:
    """A table for the report: `rows` of plain values below `columns`."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@final
@dataclass(frozen=True, eq=False)
class StudyResult:
    """What a study found.

    Parameters
    ----------
    metrics : dict
        Plain numbers for ``metrics.json``; `claims` are added to it when it is written.
    figures, tables : tuple
        In the order in which the report shows them, after the claims.
    spikes, signals : mapping
        What was recorded, e.g. ``{"MN": SpikeTrains}`` and ``{"force": Signal}``.
    notes : tuple of str
        Paragraphs for the report: what was assumed, what is a reconstruction.
    claims : tuple of Outcome
    provenance : dict
    recordings : mapping
        EMG, e.g. ``{"surface": Recording}``; a recording may say in its ``about`` of which ``muscle``
        it is, and at what ``task``.
    """

    metrics: dict[str, Any]
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    spikes: Mapping[str, SpikeTrains] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    claims: tuple[Outcome, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    recordings: Mapping[str, Recording] = field(default_factory=dict)


Run = Callable[[Any, int, Progress, int], StudyResult]


@final
@dataclass(frozen=True)
class Study:
    """A published experiment that can be run.

    Parameters
    ----------
    name, title, reference : str
        Name for the command line, what it is in a line, the paper.
    parameters : Parameters
        Their defaults are the experiment of the paper.
    quick : mapping
        Changes to the parameters for a scaled-down run of seconds.
    claims : tuple of Claim
        What a run is held to.
    run : callable
        ``run(params, seed, progress, threads) -> StudyResult`` (without claims and provenance).
    """

    name: str
    title: str
    reference: str
    parameters: Parameters
    quick: Mapping[str, Any]
    claims: tuple[Claim, ...]
    run: Run

    def __call__(
        self,
        progress: Progress,
        *,
        seed: int = 1,
        quick: bool = False,
        threads: int = 1,
        changes: Mapping[str, Any] | None = None,
    ) -> StudyResult:
        """Run with the default parameters, the `quick` ones, and `changes` to them (in this order)."""
        params = self.with_changes(quick, changes)
        found = self.run(params, seed, progress, threads)
        return StudyResult(
            found.metrics,
            found.figures,
            found.tables,
            found.spikes,
            found.signals,
            found.notes,
            tuple(claim.judge(found.metrics) for claim in self.claims),
            provenance(params.to_dict(), seed, study=self.name, quick=quick, **found.provenance),
            found.recordings,
        )

    def with_changes(self, quick: bool, changes: Mapping[str, Any] | None = None) -> Parameters:
        """The parameters of a run; raises UnknownNameError or ParameterError."""
        params = self.parameters.replace(**self.quick) if quick else self.parameters
        return params.replace(**changes) if changes else params
