"""A truth table as logic: a reduced decision diagram of multiplexers, ANDs, ORs and XORs.

The diagram reads the inputs in order and shares equal parts, so technology mapping finds a table
of k inputs again as one k-input LUT. It works on vectors as on bits: the same table at every
position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from amaranth.hdl import Const, Module, Mux, Signal, Value

__all__ = ["lookup"]


def lookup(m: Module, table: int, operands: Sequence[Value], name: str) -> Value:
    """The output of a truth table at every position of its operands.

    Parameters
    ----------
    m : Module
        Takes the named parts of the diagram that are used more than once.
    table : int
        Bit i is the output at index i.
    operands : sequence of Value
        One to six vectors of one width, the most significant index bit first. Vectors should be
        Signals or slices of them: an expression would be copied wherever it is used.
    name : str
        Prefix of the names of parts.
    """
    return _Diagram(m, operands, name).build(table)


class _Diagram:
    """Decisions on the operands in order; `place` counts those that are decided."""

    def __init__(self, m: Module, operands: Sequence[Value], name: str):
        self._m, self._operands, self._name = m, operands, name
        self._uses: Counter[tuple[int, int]] = Counter()
        self._parts: dict[tuple[int, int], Value] = {}

    def build(self, table: int) -> Value:
        self._count(0, table)
        return self._value(0, table)

    def _halves(self, place: int, table: int) -> tuple[int, int, int]:
        """Tables where the operand at `place` is zero and one, and their bits as a mask."""
        bits = 1 << (len(self._operands) - place - 1)
        mask = (1 << bits) - 1
        return table & mask, table >> bits, mask

    def _skip(self, place: int, table: int) -> tuple[int, int]:
        """Pass over operands that make no difference."""
        while place < len(self._operands):
            low, high, _ = self._halves(place, table)
            if low != high:
                break
            place, table = place + 1, low
        return place, table

    def _below(self, place: int, table: int) -> list[int]:
        """The tables that the decision at `place` needs."""
        low, high, mask = self._halves(place, table)
        if high == low ^ mask:  # an exclusive or needs one of them
            return [low]
        return [low, high]

    def _count(self, place: int, table: int) -> None:
        place, table = self._skip(place, table)
        self._uses[place, table] += 1
        if self._uses[place, table] == 1 and place < len(self._operands):
            for part in self._below(place, table):
                self._count(place + 1, part)

    def _value(self, place: int, table: int) -> Value:
        place, table = self._skip(place, table)
        width = len(self._operands[0])
        if place == len(self._operands):
            return Const(-table, width)
        if (place, table) not in self._parts:
            value = self._decision(place, table)
            if self._uses[place, table] > 1:
                part = Signal(width, name=f"{self._name}_{place}_{table:x}")
                self._m.d.comb += part.eq(value)
                value = part
            self._parts[place, table] = value
        return self._parts[place, table]

    def _decision(self, place: int, table: int) -> Value:
        """Neither half is the other one: at least one of them is not constant, or both are."""
        x = self._operands[place]
        low, high, mask = self._halves(place, table)
        if high == low ^ mask:
            return self._exclusive(x, place + 1, low, mask)
        if low == 0:
            return x & self._value(place + 1, high)
        if low == mask:
            return ~x | self._value(place + 1, high)
        if high == 0:
            return ~x & self._value(place + 1, low)
        if high == mask:
            return x | self._value(place + 1, low)
        one, zero = self._value(place + 1, high), self._value(place + 1, low)
        if low & ~high == 0:  # one where zero is
            return (x & one) | zero
        if high & ~low == 0:
            return (~x & zero) | one
        if len(x) == 1:
            return Mux(x, one, zero)
        return (x & one) | (~x & zero)

    def _exclusive(self, x: Value, place: int, low: int, mask: int) -> Value:
        if low == 0:
            return x
        if low == mask:
            return ~x
        return x ^ self._value(place, low)
