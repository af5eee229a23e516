"""Where every bit of a block stands while it moves through the pipeline.

Blocks are written as operations on whole vectors (a Signal per gate is many times slower, and
synthesis does not care), so a bit is "element j of vector v". A `Bank` remembers that place,
gathers bits into operands, and at the end of a stage registers the bits that are needed later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from amaranth.hdl import Cat, Const, Module, Signal, Value

__all__ = ["MAX_VECTOR", "Bank", "chunks"]

#: Amaranth refuses operators wider than 65,535 bits; vectors stay well below.
MAX_VECTOR = 16384


def chunks(ids: np.ndarray) -> Iterator[np.ndarray]:
    """Split `ids` into vectors that are not too wide."""
    for first in range(0, len(ids), MAX_VECTOR):
        yield ids[first : first + MAX_VECTOR]


class Bank:
    """The places of numbered bits; bits 0 and 1 are the constants.

    Parameters
    ----------
    m : Module
        The block that is being written.
    last_use : ndarray of int64, shape (bits,)
        Stage in which each bit is read for the last time; -1 if never.
    """

    def __init__(self, m: Module, last_use: np.ndarray):
        self._m = m
        self._last_use = last_use
        self._vectors: list[Value] = [Const(0b10, 2)]
        self._vector = np.full(len(last_use), -1, np.int64)
        self._offset = np.zeros(len(last_use), np.int64)
        self._vector[:2], self._offset[:2] = 0, (0, 1)

    def define(self, ids: Sequence[int] | np.ndarray, vector: Value) -> None:
        """Bit ids[j] is element j of `vector`, from now on."""
        self._vectors.append(vector)
        self._vector[ids] = len(self._vectors) - 1
        self._offset[ids] = np.arange(len(ids))

    def gather(self, ids: Sequence[int] | np.ndarray) -> Value:
        """The bits `ids` side by side, the first in the least significant place."""
        ids = np.asarray(ids, np.int64)
        if not len(ids):
            return Const(0, 0)
        vector, offset = self._vector[ids], self._offset[ids]
        assert (vector >= 0).all(), "a bit is read before it is defined"
        # Neighbours that stay neighbours become one slice.
        cut = np.flatnonzero((np.diff(vector) != 0) | (np.diff(offset) != 1)) + 1
        starts, ends = [0, *cut.tolist()], [*cut.tolist(), len(ids)]
        vectors, first = vector.tolist(), offset.tolist()
        return Cat(
            self._vectors[vectors[a]][first[a] : first[a] + b - a]
            for a, b in zip(starts, ends, strict=True)
        )

    def register(self, stage: int) -> None:
        """End `stage`: a register for every bit that is defined and read in a later one."""
        alive = np.flatnonzero((self._vector >= 0) & (self._last_use > stage))
        for number, ids in enumerate(chunks(alive[alive >= 2])):
            name = f"stage{stage}_end" + (f"_{number}" if number else "")
            vector = Signal(len(ids), name=name, reset_less=True)
            self._m.d.sync += vector.eq(self.gather(ids))
            self.define(ids, vector)
