"""Multiplexers: one level of logic, or with a register after every four levels."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Selector", "choose"]

#: Bits of the index that one stage looks at.
_STAGE_BITS = 4


def choose(values: Sequence[Value], index: Value) -> Value:
    """The value of that number; beyond the last one, any of them.

    A tree of two-way multiplexers: mapping finds two of its levels again as four-way ones.
    """
    found = list(values)
    for bit in index:
        if len(found) == 1:
            break
        pairs = [found[i : i + 2] for i in range(0, len(found), 2)]
        found = [Mux(bit, pair[1], pair[0]) if len(pair) == 2 else pair[0] for pair in pairs]
    return found[0]


class Selector(wiring.Component):
    """Picks one of many values of equal width, some clocks later.

    Parameters
    ----------
    choices, width : int
        Number of the values, and their bits.
    stages : int
        Registers on the way, at least one for every four bits of the index.

    Members
    -------
    i : In(choices · width)
        Value 0 lowest. It must not change while a choice is on the way.
    index : In
    o : Out(width)
    """

    i: Signal
    index: Signal
    o: Signal

    def __init__(self, *, choices: int, width: int, stages: int):
        self._choices, self._width, self._stages = choices, width, stages
        super().__init__(
            {
                "i": In(choices * width),
                "index": In((choices - 1).bit_length()),
                "o": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width, index = self._width, self.index
        values: list[Value] = [self.i[c * width : (c + 1) * width] for c in range(self._choices)]
        for stage in range(self._stages):
            chosen: list[Value] = []
            for number, first in enumerate(range(0, len(values), 1 << _STAGE_BITS)):
                group = values[first : first + (1 << _STAGE_BITS)]
                register = Signal(width, name=f"stage{stage}_{number}", reset_less=True)
                m.d.sync += register.eq(choose(group, index[:_STAGE_BITS]))
                chosen.append(register)
            rest = Signal(max(0, len(index) - _STAGE_BITS), name=f"index{stage}", reset_less=True)
            m.d.sync += rest.eq(index[_STAGE_BITS:])
            values, index = chosen, rest
        m.d.comb += self.o.eq(values[0])
        return m
