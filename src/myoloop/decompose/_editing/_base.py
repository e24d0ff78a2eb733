"""What an editing session is made of, apart from the edits: units, their history, the way back."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import Recording
from ...errors import ParameterError, UnknownNameError
from .._decomposition import Decomposition
from . import _arguments as arguments
from ._arguments import Span
from ._edits import Edit
from ._result import edited
from ._signals import Signals
from ._state import UnitState, units_of

Train = NDArray[np.int64]
Units = tuple[UnitState, ...]


class Session(ABC):
    """Base of `EditSession`.

    Every state of the units is kept; states share what they have in common.
    """

    @property
    @abstractmethod
    def actions(self) -> tuple[str, ...]:
        """Methods that a history may name."""

    def __init__(self, decomposition: Decomposition, recording: Recording) -> None:
        self.original, self.recording = decomposition, recording
        self._signals = Signals(decomposition, recording)
        self._states: list[Units] = [units_of(decomposition)]
        self._edits: list[Edit] = []
        self._at = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} units, {self._at} edits)"

    def __len__(self) -> int:
        """Number of units."""
        return len(self._units)

    @property
    def unit_ids(self) -> tuple[str, ...]:
        """Names of the units."""
        return tuple(unit.name for unit in self._units)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What was done in this session and not undone, oldest first."""
        return tuple(self._edits[: self._at])

    @property
    def history(self) -> tuple[str, ...]:
        """Lines of all edits, also those that the decomposition came with."""
        return (*self.original.history, *map(str, self.edits))

    def times_s(self, unit: str | int) -> NDArray[np.float64]:
        """Spike times of a unit as they are now."""
        return np.asarray(self._begin_s + self._unit(unit, "times_s").spikes / self._rate_hz)

    def source(self, unit: str | int) -> NDArray[np.float32]:
        """Source of a unit as it is now; its spikes have a mean of 1."""
        return self._unit(unit, "source").source.copy()

    def result(self) -> Decomposition:
        """The decomposition as it is now, with the history.

        Action potentials are estimated anew, where there were some.

        Raises
        ------
        ParameterError
            A unit has no spike left, and thus no action potential.
        """
        if self._at == 0:
            return self.original
        return edited(self.original, self._signals, self._units, self.history)

    def undo(self) -> Edit:
        """Take the last edit back, and say which it was.

        Raises
        ------
        ParameterError
            There is nothing to undo.
        """
        if self._at == 0:
            raise ParameterError("EditSession.undo", "there is nothing to undo", "edit something first")
        self._at -= 1
        return self._edits[self._at]

    def redo(self) -> Edit:
        """Do again what was undone last.

        Raises
        ------
        ParameterError
            Nothing was undone since the last edit.
        """
        if self._at == len(self._edits):
            raise ParameterError("EditSession.redo", "there is nothing to redo", "undo something first")
        self._at += 1
        return self._edits[self._at - 1]

    def replay(self, history: Iterable[str | Edit]) -> None:
        """Do the edits of a history again: on the same decomposition, with the same result to the bit.

        Parameters
        ----------
        history : iterable of str or Edit
            `Decomposition.history` of an edited decomposition, or `edits` of a session. Lines that the
            present history begins with are not done twice.

        Raises
        ------
        ParameterError
            A line that is no edit, or that leaves other numbers of spikes than it did.
        """
        lines = list(history)
        done = self.history
        if tuple(map(str, lines[: len(done)])) == done:
            lines = lines[len(done) :]
        for line in lines:
            self._redone(line if isinstance(line, Edit) else Edit.parse(line))

    def _redone(self, edit: Edit) -> None:
        field = f"EditSession.replay, edit {edit.number}"
        if edit.action not in self.actions:
            raise UnknownNameError(field, edit.action, self.actions)
        method = getattr(self, edit.action)
        try:
            bound = inspect.signature(method).bind(**edit.parameters)
        except TypeError as error:
            raise ParameterError(field, f"{edit.action}: {error}", "give the history as it was") from None
        made = method(*bound.args, **bound.kwargs)
        counts = {name: spikes for name, (spikes, _) in (made.after if made else {}).items()}
        wanted = {name: spikes for name, (spikes, _) in edit.after.items()}
        if counts != wanted:
            raise ParameterError(
                field,
                f"{edit.action} gave {counts} spikes where the history has {wanted}",
                "replay it on the decomposition and the recording that it was made with",
            )

    @property
    def _units(self) -> Units:
        return self._states[self._at]

    @property
    def _rate_hz(self) -> float:
        return self.original.rate_hz

    @property
    def _begin_s(self) -> float:
        return self.original.spikes.t_start_s

    def _unit(self, unit: str | int, method: str, name: str = "unit") -> UnitState:
        names = [one.name for one in self._units]
        return self._units[arguments.unit_at(unit, names, f"EditSession.{method}.{name}")]

    def _samples(self, part: Span | None) -> tuple[int, int]:
        """First sample of a span, and the one after its last."""
        samples = self.original.sources.shape[1]
        if part is None:
            return 0, samples
        first, stop = np.clip((np.array(part) - self._begin_s) * self._rate_hz, 0, samples)
        return int(np.ceil(first - 1e-6)), int(np.ceil(stop - 1e-6))

    def _span(self, between: Span | None, method: str) -> Span | None:
        return arguments.span(between, f"EditSession.{method}.between")

    def _with(self, unit: UnitState, new: UnitState | None) -> Units:
        """All units, with `new` (or nothing) in the place of one."""
        return tuple(new if one is unit else one for one in self._units if one is not unit or new)  # type: ignore[misc]

    def _retrained(
        self, unit: UnitState, spikes: Train, action: str, parameters: dict[str, Any]
    ) -> Edit | None:
        """The step that gives a unit another train, unless it is the same."""
        if np.array_equal(spikes, unit.spikes):
            return None
        new = unit.changed(spikes, self._rate_hz)
        return self._step(action, {"unit": unit.name, **parameters}, self._with(unit, new))

    def _step(self, action: str, parameters: dict[str, Any], units: Units) -> Edit:
        """Make `units` the present ones, and keep what was done."""
        old = {one.name: one for one in self._units}
        new = {one.name: one for one in units}
        touched = [name for name, one in old.items() if new.get(name) is not one]
        plain = {
            key: value.tolist() if isinstance(value, np.ndarray) else value
            for key, value in parameters.items()
        }
        edit = Edit(
            len(self.history) + 1,
            action,
            plain,
            {name: old[name].standing for name in touched},
            {name: new[name].standing for name in touched if name in new},
        )
        self._edits = [*self.edits, edit]
        self._states = [*self._states[: self._at + 1], units]
        self._at += 1
        return edit
