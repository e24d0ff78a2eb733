"""Keep compiled kernels on disk between processes.

Numba's own cache cannot tell apart two kernels made by the same factory from different models; here the
key is a fingerprint of everything that the kernel is made of.
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache


def enable_cache(kernel: Any, *parts: Any) -> None:
    """Let the dispatcher `kernel` load and save its machine code.

    Parameters
    ----------
    kernel : Numba dispatcher
    *parts
        Plain functions, classes and values that the kernel was made of.
    """
    try:
        kernel._cache = _FingerprintCache(kernel.py_func, fingerprint(*parts))
    except RuntimeError:  # no writable folder for it: compile in each process
        return


def fingerprint(*parts: Any) -> str:
    """Hash of functions (their bytecode and all they refer to), classes and values."""
    digest = hashlib.blake2b(_own_sources(), digest_size=16)
    seen: set[int] = set()
    for part in parts:
        _feed(digest, part, seen)
    return digest.hexdigest()


class _FingerprintCache(FunctionCache):
    def __init__(self, function: Callable[..., Any], mark: str) -> None:
        self._mark = mark
        super().__init__(function)

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Load machine code; what cannot be loaded, e.g. because a module was renamed, is compiled anew."""
        try:
            return super().load_overload(signature, target_context)
        except Exception:  # whatever unpickling of a stale file may raise
            return None

    def save_overload(self, signature: Any, data: Any) -> None:
        """Save machine code; an index that cannot be read is begun anew."""
        try:
            super().save_overload(signature, data)
        except Exception:
            self.flush()
            super().save_overload(signature, data)

    def _index_key(self, signature: Any, codegen: Any) -> tuple[Any, ...]:
        return signature, codegen.magic_tuple(), self._mark


@cache
def _own_sources() -> bytes:
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))


def _feed(digest: Any, part: Any, seen: set[int]) -> None:
    if isinstance(part, types.FunctionType):
        if id(part) in seen:
            return
        seen.add(id(part))
        digest.update(f"{part.__module__}.{part.__qualname__}".encode())
        _feed(digest, part.__code__, seen)
        for name in sorted(set(part.__code__.co_names)):
            if name in part.__globals__:
                _feed(digest, part.__globals__[name], seen)
        for cell in part.__closure__ or ():
            _feed(digest, cell.cell_contents, seen)
    elif isinstance(part, types.CodeType):
        digest.update(part.co_code + repr(part.co_names).encode())
        for constant in part.co_consts:
            _feed(digest, constant, seen)
    elif isinstance(part, type):
        name = f"{part.__module__}.{part.__qualname__}"
        digest.update(f"{name}{getattr(part, '_fields', '')}".encode())
    elif isinstance(part, types.ModuleType):
        digest.update(part.__name__.encode())
    elif isinstance(part, int | float | str | bytes | bool | tuple | None):
        digest.update(repr(part).encode())
    else:
        digest.update(type(part).__qualname__.encode())
