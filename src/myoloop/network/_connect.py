"""Who is connected with whom."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ..parameters import Parameters, number
from ..random import Streams
from ._fingerprint import fingerprint

IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True)
class Wiring:
    """Synapses in rows of presynaptic units.

    Parameters
    ----------
    starts : ndarray of int, shape (n_pre + 1,)
    posts : ndarray of int, shape (synapses,)
        The targets of unit i are ``posts[starts[i]:starts[i + 1]]``.
    factors : ndarray, shape (synapses,), or None
        Each synapse's weight as a multiple of the projection's; None for 1.
    """

    starts: IntArray
    posts: IntArray
    factors: NDArray[np.float64] | None = None


class Connectivity(Parameters, ABC):
    """A rule that wires a projection."""

    @abstractmethod
    def wire(self, n_pre: int, n_post: int, rng: Streams) -> Wiring:
        """Return the synapses between `n_pre` and `n_post` units."""


def random(probability: float) -> Connectivity:
    """Each pair is connected with the same probability, independently."""
    return _Random(probability)


def one_to_one() -> Connectivity:
    """Unit i is connected with unit i; both sides must be of one size."""
    return _OneToOne()


def all_to_all() -> Connectivity:
    """Every pair is connected."""
    return _AllToAll()


def from_matrix(matrix: Any) -> Connectivity:
    """Connections from a matrix of shape (n_pre, n_post), SciPy sparse or dense.

    Its entries multiply the projection's weight; where a dense one is 0 there is no synapse.
    """
    return _Matrix(matrix)


@final
@dataclass(frozen=True)
class _Random(Connectivity):
    probability: float = number(at_least=0, at_most=1)

    def wire(self, n_pre: int, n_post: int, rng: Streams) -> Wiring:
        from ._kernels import random_rows

        starts = np.zeros(n_pre + 1, dtype=np.int64)
        if self.probability == 0:
            return Wiring(starts, np.empty(0, dtype=np.int64))
        mean = n_pre * n_post * self.probability
        posts = np.empty(int(mean + 6 * np.sqrt(mean) + 16), dtype=np.int64)
        found = random_rows(rng.key, self.probability, n_post, starts, posts)
        if found > len(posts):
            posts = np.empty(found, dtype=np.int64)
            random_rows(rng.key, self.probability, n_post, starts, posts)
        return Wiring(starts, posts[:found])


@final
@dataclass(frozen=True)
class _OneToOne(Connectivity):
    def wire(self, n_pre: int, n_post: int, rng: Streams) -> Wiring:
        if n_pre != n_post:
            raise ParameterError(
                "one_to_one", f"{n_pre} units onto {n_post}", "give both sides the same size"
            )
        return Wiring(np.arange(n_pre + 1), np.arange(n_post))


@final
@dataclass(frozen=True)
class _AllToAll(Connectivity):
    def wire(self, n_pre: int, n_post: int, rng: Streams) -> Wiring:
        return Wiring(np.arange(n_pre + 1) * n_post, np.tile(np.arange(n_post), n_pre))


@final
@dataclass(frozen=True, eq=False)
class _Matrix(Connectivity):
    matrix: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "matrix", _sparse_rows(self.matrix))

    def wire(self, n_pre: int, n_post: int, rng: Streams) -> Wiring:
        rows = self.matrix
        if rows.shape != (n_pre, n_post):
            raise ParameterError(
                "from_matrix", f"shape {rows.shape} for {n_pre} x {n_post} units", "give (n_pre, n_post)"
            )
        return Wiring(rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data)

    def to_dict(self) -> dict[str, Any]:
        """Shape of the matrix, its number of entries, and a hash of them."""
        rows = self.matrix
        content = fingerprint(rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data)
        return {"model": "from_matrix", "shape": list(rows.shape), "synapses": rows.nnz, "content": content}


def _sparse_rows(matrix: Any) -> Any:
    """Copy of a matrix as a SciPy array in compressed rows, sorted, of float64."""
    from scipy.sparse import csr_array, issparse

    try:
        rows = csr_array(matrix if issparse(matrix) else np.asarray(matrix))
        if rows.dtype.kind not in "biuf":
            raise TypeError(f"of {rows.dtype}")
        rows = rows.astype(np.float64, copy=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError("from_matrix", f"not a matrix ({error})", "give 2-D numbers") from None
    if rows.ndim != 2:
        raise ParameterError("from_matrix", f"shape {rows.shape}", "give 2-D numbers")
    rows.sum_duplicates()
    if not np.all(np.isfinite(rows.data)):
        raise ParameterError("from_matrix", "NaN or infinite entries", "give finite weights")
    return rows
