"""How many threads the kernels use."""

from __future__ import annotations

import os

from numba import set_num_threads
from numba.core import config

from ..errors import ParameterError


def use_threads(threads: int) -> int:
    """Let the parallel kernels use that many threads; returns the number.

    Where the user has not chosen Numba's threading layer, the work queue is taken: it keeps its speed
    on a busy machine, where OpenMP's threads spin.
    """
    limit = int(config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= limit:
        raise ParameterError("threads", f"{threads!r} was given", f"give 1 to {limit}")
    if threads > 1:
        if "NUMBA_THREADING_LAYER" not in os.environ:
            config.THREADING_LAYER = "workqueue"  # type: ignore[attr-defined]
        set_num_threads(threads)
    return threads
