"""Where every bit of a block stands while it moves through the pipeline.

Blocks are written as operations on whole vectors (a Signal per gate is many times slower, and
synthesis does not care), so a bit is "element j of vector v". A `Bank` remembers that place,
gathers bits into operands, and at the end of a stage registers the bits that are needed later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from amaranth.hdl import Const, Module, Signal, Value
from amaranth.hdl._ast import Concat, Slice

__all__ = ["FIRST_BIT", "MAX_VECTOR", "Bank", "chunks"]

#: Bits 0 and 1 are the constants.
FIRST_BIT = 2

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
        self._bits: dict[tuple[int, int], Value] = {}
        self._vector = np.full(len(last_use), -1, np.int64)
        self._offset = np.zeros(len(last_use), np.int64)
        self._vector[:2], self._offset[:2] = 0, (0, 1)

    @classmethod
    def over(cls, m: Module, vectors: Sequence[Value]) -> Bank:
        """Bits numbered from `FIRST_BIT` through `vectors`, without registers."""
        ends = np.cumsum([FIRST_BIT, *map(len, vectors)]).tolist()
        bank = cls(m, np.full(ends[-1], -1, np.int64))
        for vector, (first, end) in zip(vectors, pairwise(ends), strict=True):
            bank.define(np.arange(first, end), vector)
        return bank

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
        slices = [
            self._vectors[vectors[a]][first[a] : first[a] + b - a]
            if b - a > 1
            else self._bit(vectors[a], first[a])
            for a, b in zip(starts, ends, strict=True)
        ]
        return slices[0] if len(slices) == 1 else Concat(slices)

    def _bit(self, vector: int, offset: int) -> Value:
        """One bit; the same object every time, because it takes long to make one."""
        bit = self._bits.get((vector, offset))
        if bit is None:
            bit = self._bits[vector, offset] = Slice(self._vectors[vector], offset, offset + 1)
        return bit

    def operand(self, ids: Sequence[int] | np.ndarray, name: str) -> Value:
        """The bits `ids` as something to be used more than once.

        Amaranth copies an expression wherever it is used. One slice may be copied; what is made of
        several goes through the wire `name`.
        """
        value = self.gather(ids)
        if isinstance(value, Slice):
            return value
        wire = Signal(len(ids), name=name)
        self._m.d.comb += wire.eq(value)
        return wire

    def register(self, stage: int) -> None:
        """End `stage`: a register for every bit that is defined and read in a later one."""
        alive = np.flatnonzero((self._vector >= 0) & (self._last_use > stage))
        for number, ids in enumerate(chunks(alive[alive >= FIRST_BIT])):
            name = f"stage{stage}_end" + (f"_{number}" if number else "")
            vector = Signal(len(ids), name=name, reset_less=True)
            self._m.d.sync += vector.eq(self.gather(ids))
            self.define(ids, vector)
