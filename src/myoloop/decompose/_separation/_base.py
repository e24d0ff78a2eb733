"""What every method of decomposition offers."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any, Self

from ...data import Progress, Recording, silent
from ...errors import ParameterError, UnknownNameError
from ...parameters import Parameters, plain
from .._decomposition import Decomposition


class Decomposer(ABC):
    """Base of the methods, with the habits of scikit-learn's estimators.

    A method is a dataclass of its parameters. `fit` learns from a recording and returns the object
    itself; what was learned has names that end in ``_``; `transform` uses it on other recordings.
    """

    decomposition_: Decomposition

    @abstractmethod
    def fit(self, recording: Recording, progress: Progress = silent) -> Self:
        """Find the units of a recording: sets ``decomposition_``, and what the method learns besides."""

    @abstractmethod
    def transform(self, recording: Recording, progress: Progress = silent) -> Decomposition:
        """The units that `fit` found, in another recording of the same electrodes."""

    def fit_transform(self, recording: Recording, progress: Progress = silent) -> Decomposition:
        """Find the units of a recording and give them back."""
        return self.fit(recording, progress).decomposition_

    def get_params(self) -> dict[str, Any]:
        """Parameters by name."""
        fields: Any = dataclasses.fields(self)  # type: ignore[arg-type]  # of every method
        return {field.name: getattr(self, field.name) for field in fields}

    def set_params(self, **params: Any) -> Self:
        """Change parameters by name.

        Raises
        ------
        UnknownNameError, ParameterError
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise UnknownNameError(type(self).__name__, name, known)
        for name, value in type(self)(**{**known, **params}).get_params().items():
            setattr(self, name, value)
        return self

    def __post_init__(self) -> None:
        """Check the fields that `number`, `count` and `choice` made."""
        Parameters.__post_init__(self)  # type: ignore[arg-type]  # which needs no more than fields

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a provenance file."""
        return {"method": type(self).__name__, **{k: plain(v) for k, v in self.get_params().items()}}

    def _fitted(self) -> Decomposition:
        if not hasattr(self, "decomposition_"):
            name = type(self).__name__
            raise ParameterError(f"{name}.transform", "nothing was learned yet", "call fit first")
        return self.decomposition_
