"""One step of an editing session, as a record for machines and a line for people."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from ...errors import ParameterError, shown
from ...parameters import plain

_SEPARATOR = " | "
_MEND = "give the history of an EditSession"

Standing = tuple[int, float]
"""Spikes and silhouette of a unit."""


@final
@dataclass(frozen=True, eq=False)
class Edit:
    """What was done to which units.

    `str` of it is one line: first the number and what happened, then the same as JSON, from which
    `Edit.parse` makes the record again.

    Parameters
    ----------
    number : int
        Place in the history, from 1.
    action : str
        Name of the method of `EditSession`.
    parameters : mapping
        Its arguments, in plain values; units by their names.
    before, after : mapping of str to (int, float)
        Spikes and silhouette of each unit that was touched; a unit that is gone is missing in `after`.
    """

    number: int
    action: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Standing] = field(default_factory=dict)
    after: Mapping[str, Standing] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.number}. {self.text}{_SEPARATOR}{json.dumps(self.to_dict(), allow_nan=False)}"

    @property
    def text(self) -> str:
        """What happened, for people."""
        return f"{self.action}: " + "; ".join(map(self._of_unit, self.before))

    def _of_unit(self, name: str) -> str:
        spikes, sil = self.before[name]
        if name not in self.after:
            return f"{name} ({spikes} spikes, SIL {sil:.3f}) removed"
        now, better = self.after[name]
        return f"{name} {spikes} -> {now} spikes, SIL {sil:.3f} -> {better:.3f}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a silhouette that is not defined is None."""
        return {
            "number": self.number,
            "action": self.action,
            "parameters": plain(self.parameters),
            "before": {name: plain(list(standing)) for name, standing in self.before.items()},
            "after": {name: plain(list(standing)) for name, standing in self.after.items()},
        }

    @classmethod
    def from_dict(cls, record: Any) -> Edit:
        """Undo `to_dict`.

        Raises
        ------
        ParameterError
        """
        try:
            action, number, parameters = record["action"], record["number"], record["parameters"]
            right = isinstance(action, str) and isinstance(number, int) and isinstance(parameters, dict)
            if not right:
                raise TypeError
            before, after = (_standings(record[key]) for key in ("before", "after"))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ParameterError("Edit.from_dict", f"{shown(record)} is no edit", _MEND) from None
        return cls(number, action, dict(parameters), before, after)

    @classmethod
    def parse(cls, line: str) -> Edit:
        """Undo `str`.

        Raises
        ------
        ParameterError
        """
        begin = line.find(_SEPARATOR + "{") if isinstance(line, str) else -1
        while begin >= 0:  # the name of a unit may hold anything
            try:
                return cls.from_dict(json.loads(line[begin + len(_SEPARATOR) :]))
            except (ValueError, RecursionError):
                begin = line.find(_SEPARATOR + "{", begin + 1)
        raise ParameterError("Edit.parse", f"{shown(line)} is no line of a history", _MEND)


def _standings(given: Mapping[str, Any]) -> dict[str, Standing]:
    return {
        str(name): (int(spikes), math.nan if sil is None else float(sil))
        for name, (spikes, sil) in given.items()
    }
