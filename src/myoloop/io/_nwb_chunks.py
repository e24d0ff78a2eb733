"""Samples that come chunk after chunk, for pynwb to write one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, final

import numpy as np
from hdmf.data_utils import AbstractDataChunkIterator, DataChunk

from ..errors import ParameterError, shown

_CHUNK_VALUES = 1 << 17


@final
class Chunks(AbstractDataChunkIterator):  # type: ignore[misc]
    """The samples of a recording and what follows them, as (samples, channels); hashed on their way."""

    def __init__(self, first: Any, more: Iterable[Any], digest: Any) -> None:
        self._first = first
        self._source = iter(more)
        self._parts = self._blocks()
        self._digest = digest
        self._rows = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        block = next(self._parts)
        begin, self._rows = self._rows, self._rows + block.shape[1]
        self._digest.update(np.ascontiguousarray(block))
        return DataChunk(data=block.T, selection=np.s_[begin : self._rows, :])

    def _blocks(self) -> Iterator[Any]:
        """Parts of some megabytes: no transposed copy of a long recording is ever made."""
        step = max(1, 16 * _CHUNK_VALUES // len(self._first))
        for given in self._all():
            for begin in range(0, given.shape[1], step):
                yield given[:, begin : begin + step]

    def _all(self) -> Iterator[Any]:
        yield self._first
        for number, given in enumerate(self._source):
            field = f"write_recording.more[{number}]"
            try:
                chunk = np.asarray(given)
            except ValueError:
                raise ParameterError(field, shown(given), "give an array") from None
            right = chunk.ndim == 2 and len(chunk) == len(self._first) and chunk.dtype.kind in "iuf"
            if not right:
                raise ParameterError(
                    field,
                    f"{chunk.dtype} of shape {chunk.shape}",
                    f"give numbers of shape ({len(self._first)}, samples)",
                )
            if np.any(np.isinf(chunk)):
                raise ParameterError(field, "infinite samples", "mend or cut them")
            yield chunk.astype(self._first.dtype, copy=False)

    def recommended_chunk_shape(self) -> tuple[int, ...]:
        """Chunks of the dataset: about 2**17 values."""
        return max(1, _CHUNK_VALUES // len(self._first)), len(self._first)

    def recommended_data_shape(self) -> tuple[int, ...]:
        """Where the dataset begins; it grows."""
        return self._first.shape[1], len(self._first)

    @property
    def dtype(self) -> Any:
        """As of the recording."""
        return self._first.dtype

    @property
    def maxshape(self) -> tuple[int | None, int]:
        """Any number of samples."""
        return None, len(self._first)
