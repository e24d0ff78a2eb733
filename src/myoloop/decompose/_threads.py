"""Matrix products on one thread: small ones are faster so, and the bits do not depend on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> Any:
    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit the linear algebra to one thread; also a decorator."""
    with _controller().limit(limits=1, user_api="blas"):
        yield
