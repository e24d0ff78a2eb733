"""Threads that help a compiled kernel.

A window of a large population takes some hundred microseconds, of the same order as waking a sleeping
thread. Helpers therefore stay inside a compiled kernel, looking for work, and fall asleep only after a
while without any. The work is shared out in parts that whoever is free takes, so a helper that sleeps,
or that the system has put aside, is not waited for.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import final

from ..errors import ParameterError


def check_threads(threads: int) -> int:
    """Return the number of threads; raises ParameterError if it is none."""
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 256:
        raise ParameterError("threads", f"{threads!r} was given", "give 1 to 256")
    return threads


_PLACE_EVERY = 512  # windows


@final
class Team:
    """Helper threads, each calling a function of its own whenever it is woken.

    Parameters
    ----------
    helpers : sequence of callable
        Each takes parts of the work until there has been none for a while, without holding the
        interpreter lock. It must not hold a reference to whoever owns the team.
    """

    def __init__(self, helpers: Sequence[Callable[[], None]]) -> None:
        self._calls = 0
        self._helpers = [_Helper(serve) for serve in helpers]
        for helper in self._helpers:
            weakref.finalize(self, helper.dismiss)

    def wake(self) -> None:
        """Let helpers that sleep look for work."""
        self._calls += 1
        if self._calls % _PLACE_EVERY == 1:
            self._place()
        for helper in self._helpers:
            if not helper.awake:
                helper.called.set()

    def _place(self) -> None:
        """Keep the helpers off the caller's processor: the system may leave two busy threads on one."""
        try:
            here = int(Path("/proc/thread-self/stat").read_text().rsplit(")", 1)[1].split()[36])
            others = os.sched_getaffinity(0) - {here}
            for helper in self._helpers if others else ():
                os.sched_setaffinity(helper.thread.native_id or 0, others)
        except (AttributeError, OSError, LookupError, ValueError):  # not Linux, or not allowed
            return


class _Helper:
    def __init__(self, serve: Callable[[], None]) -> None:
        self.awake = False
        self.called = threading.Event()
        self._serve, self._dismissed = serve, False
        self.thread = threading.Thread(target=self._run, name="myoloop-helper", daemon=True)
        self.thread.start()

    def dismiss(self) -> None:
        self._dismissed = True
        self.called.set()

    def _run(self) -> None:
        while True:
            self.called.wait()
            self.called.clear()
            if self._dismissed:
                return
            self.awake = True
            self._serve()
            self.awake = False
