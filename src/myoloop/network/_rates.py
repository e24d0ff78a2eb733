"""Rates and other inputs over time: constant, one for each unit, sampled, or a function of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import Signal
from ..errors import MyoloopError, ParameterError
from ._check import ANY, check_drive, wanted

FloatArray = NDArray[np.floating[Any]]
_CHUNK = 64  # windows evaluated in one call of a function of time

TimeCourse = float | FloatArray | Signal | Callable[[FloatArray], Any]


def check_time_course(value: Any, n: int, field: str, bounds: tuple[float, float] = ANY) -> Any:
    """Check what a user gave as a rate or current and return it as float, array, Signal or callable."""
    if isinstance(value, Signal):
        if value.values.ndim == 2 and value.values.shape[1] != n:
            raise ParameterError(
                field, f"a signal of {value.values.shape[1]} channels for {n} units", f"give 1 or {n}"
            )
        _check_values(value.values, field, bounds)
        return value
    if callable(value):
        return value
    return check_drive(value, n, field, bounds)


@final
class Sampler:
    """Values of a time course in the middle of each step, window by window.

    Functions are evaluated for many windows at once, in chunks that lie at fixed times, so that a
    resumed run sees the very same numbers.
    """

    def __init__(
        self, course: Any, n: int, dt_ms: float, steps: int, field: str, bounds: tuple[float, float] = ANY
    ) -> None:
        self._course, self._n, self._field, self._bounds = course, n, field, bounds
        self._dt_s, self._steps = dt_ms * 1e-3, steps
        self._chunk_index = -1
        self._chunk: FloatArray = np.empty((0, 1))
        self.columns = 0  # not known yet
        self._buffers = {columns: np.empty((steps, columns)) for columns in (1, n)}
        self.is_constant = not callable(course) and not isinstance(course, Signal)
        self._constant = self.window_of(course).copy() if self.is_constant else None
        if isinstance(course, Signal) and course.t_start_s > 0:
            raise ParameterError(
                field, f"the signal begins at {course.t_start_s:g} s", "give a signal from 0 s on"
            )
        self.columns = self.window(0).shape[1]

    def window(self, first_step: int) -> FloatArray:
        """Values of the window that begins at `first_step`, shape (steps, 1) or (steps, n)."""
        if self._constant is not None:
            return self._constant
        index, offset = divmod(first_step // self._steps, _CHUNK)
        if index != self._chunk_index:
            self._chunk = self._evaluate(index)
            self._chunk_index = index
        at = offset * self._steps
        if at + self._steps > len(self._chunk):
            raise ParameterError(
                self._field,
                f"the signal ends before {(first_step + self._steps) * self._dt_s:g} s",
                "give a signal as long as the run",
            )
        return self._chunk[at : at + self._steps]

    def window_of(self, value: Any) -> FloatArray:
        """Return a number, or one for each unit, as the values of a window; valid until the next call."""
        number = check_drive(value, self._n, self._field, self._bounds)
        buffer = self._buffers[1 if isinstance(number, float | int) else self._n]
        buffer[...] = number
        return buffer

    def covers(self, duration_s: float) -> None:
        """Refuse a sampled course that is shorter than the run."""
        course = self._course
        if isinstance(course, Signal):
            end = course.t_start_s + course.duration_s
            if end < duration_s * (1 - 1e-9):
                raise ParameterError(
                    self._field,
                    f"the signal covers {course.t_start_s:g} to {end:g} s of a run of {duration_s:g} s",
                    "give a signal as long as the run",
                )

    def _evaluate(self, index: int) -> FloatArray:
        steps = _CHUNK * self._steps
        t_s = (index * steps + np.arange(steps) + 0.5) * self._dt_s
        if isinstance(self._course, Signal):
            return self._from_signal(self._course, t_s)
        try:
            values = np.asarray(self._course(t_s), dtype=np.float64)
        except MyoloopError:
            raise
        except (TypeError, ValueError) as error:
            raise ParameterError(
                self._field, f"the function failed ({error})", "let it take an array of times in s"
            ) from error
        if values.ndim == 0:
            values = np.full(steps, float(values))
        if values.ndim == 1:
            values = values[:, None]
        allowed = {1, self._n} if self.columns == 0 else {self.columns}
        if values.ndim != 2 or len(values) != steps or values.shape[1] not in allowed:
            raise ParameterError(
                self._field,
                f"the function gave shape {values.shape} for {steps} times",
                f"return ({steps},) or ({steps}, {self._n}) for an array of times",
            )
        _check_values(values, self._field, self._bounds, t_s)
        return np.ascontiguousarray(values)

    def _from_signal(self, signal: Signal, t_s: FloatArray) -> FloatArray:
        index = np.floor((t_s - signal.t_start_s) * signal.rate_hz + 1e-9).astype(np.int64)
        index = index[index < len(signal)]
        values = signal.values.reshape(len(signal), -1)[index]
        return np.ascontiguousarray(values, dtype=np.float64)


def _check_values(
    values: NDArray[Any], field: str, bounds: tuple[float, float], t_s: FloatArray | None = None
) -> None:
    bad = ~((values >= bounds[0]) & (values <= bounds[1]))  # NaN is in no bounds
    if np.any(bad):
        at = np.argwhere(np.atleast_1d(bad))[0]
        when = f" at {t_s[at[0]]:g} s" if t_s is not None else ""
        given = np.atleast_1d(values)[tuple(at)]
        raise ParameterError(field, f"{given:g} was given{when}", wanted(bounds))
