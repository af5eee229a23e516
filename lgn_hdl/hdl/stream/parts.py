"""An element that is computed in parts: what each reads, and how they come together again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ..bank import FIRST_BIT, Bank, chunks
from ..wide import port_vectors, wide_port

__all__ = ["PartChooser", "PartJoiner"]


class PartChooser(wiring.Component):
    """Multiplexers in front of a layer's gates.

    Parameters
    ----------
    chosen : ndarray of int64, shape (parts, features)
        Tap that each feature is while a part is computed; -1 for a zero.
    taps : int

    Members
    -------
    i : In(taps)
        Split beyond 32,768 bits.
    turn : In(parts - 1)
        Bit p: it is the turn of part p + 1; no bit: that of the first.
    o : Out(features)
    """

    turn: Signal
    latency = 0

    def __init__(self, *, chosen: np.ndarray, taps: int):
        self._chosen, self._taps = chosen, taps
        super().__init__(
            {
                **wide_port("i", taps),
                "turn": In(len(chosen) - 1),
                **wide_port("o", chosen.shape[1], output=True),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        given = Bank.over(m, port_vectors(self, "i", self._taps))
        read = np.where(self._chosen < 0, 0, FIRST_BIT + self._chosen)
        ids = FIRST_BIT + np.arange(read.shape[1])
        bank = Bank(m, np.full(FIRST_BIT + read.shape[1], -1, np.int64))
        same = (read == read[0]).all(axis=0)
        for number, part in enumerate(chunks(np.flatnonzero(same))):
            wires = Signal(len(part), name=f"always{number}")
            m.d.comb += wires.eq(given.gather(read[0, part]))
            bank.define(ids[part], wires)
        for number, part in enumerate(chunks(np.flatnonzero(~same))):
            value: Value = given.gather(read[0, part])
            for turn, row in enumerate(read[1:]):
                value = Mux(self.turn[turn], given.gather(row[part]), value)
            chosen = Signal(len(part), name=f"chosen{number}")
            m.d.comb += chosen.eq(value)
            bank.define(ids[part], chosen)
        _drive(m, port_vectors(self, "o", len(ids)), bank, ids)
        return m


class PartJoiner(wiring.Component):
    """Registers in which the parts of an element wait for the last one.

    Parameters
    ----------
    part, output : ndarray of int64, shape (B,)
        For every bit of an element: in which part it comes, and as which bit.
    outputs, parts : int
        Bits of a part, and how many parts there are.

    Members
    -------
    i : In(outputs)
        Parts in successive ticks; split beyond 32,768 bits.
    o : Out(B)
        The element, while its last part is there.
    """

    latency = 1

    def __init__(self, *, part: np.ndarray, output: np.ndarray, outputs: int, parts: int):
        self._waits, self._output, self._outputs = parts - 1 - part, output, outputs
        super().__init__({**wide_port("i", outputs), **wide_port("o", len(part), output=True)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        given = Bank.over(m, port_vectors(self, "i", self._outputs))
        ids = FIRST_BIT + np.arange(len(self._output))
        bank = Bank(m, np.full(FIRST_BIT + len(ids), -1, np.int64))
        for wait in range(int(self._waits.max(initial=0)) + 1):
            for number, part in enumerate(chunks(np.flatnonzero(self._waits == wait))):
                value: Value = given.gather(FIRST_BIT + self._output[part])
                for stage in range(wait):
                    register = Signal(
                        len(part), name=f"part{wait}_{number}_{stage}", reset_less=True
                    )
                    m.d.sync += register.eq(value)
                    value = register
                wires = Signal(len(part), name=f"joined{wait}_{number}")
                m.d.comb += wires.eq(value)
                bank.define(ids[part], wires)
        _drive(m, port_vectors(self, "o", len(ids)), bank, ids)
        return m


def _drive(m: Module, vectors: list[Value], bank: Bank, ids: np.ndarray) -> None:
    """Bits of a bank to the parts of a wide port."""
    ends = np.cumsum([0, *map(len, vectors)]).tolist()
    for vector, (start, end) in zip(vectors, pairwise(ends), strict=True):
        if end > start:
            m.d.comb += vector.eq(bank.gather(ids[start:end]))
