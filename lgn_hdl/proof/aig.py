"""And-inverter graphs: what both sides of a proof are written in.

A literal is twice a variable, plus one for its complement; variable 0 is the constant, so literal
0 is false and 1 is true. Equal nodes are one node (structural hashing), so two circuits that are
built the same way over the same literals need no proof at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..logic.program import FIRST_INPUT, LogicProgram, WeightedSums
from ..logic.simplify import without_dead
from ..network import FixedPoint

__all__ = ["FALSE", "TRUE", "Aig"]

FALSE, TRUE = 0, 1


class Aig:
    """A graph under construction.

    Parameters
    ----------
    inputs : int
        Input i is variable i + 1, so its literal is 2 (i + 1).
    """

    def __init__(self, inputs: int):
        self.inputs = [2 * (i + 1) for i in range(inputs)]
        self._first = inputs + 1
        self._ands: list[tuple[int, int]] = []
        self._known: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        """Number of AND nodes."""
        return len(self._ands)

    def conjunction(self, a: int, b: int) -> int:
        """a and b."""
        if a > b:
            a, b = b, a
        if a <= TRUE:
            return b if a else FALSE
        if a ^ b <= 1:
            return a if a == b else FALSE
        node = self._known.get((a, b))
        if node is None:
            node = self._known[a, b] = 2 * (self._first + len(self._ands))
            self._ands.append((a, b))
        return node

    def disjunction(self, a: int, b: int) -> int:
        """a or b."""
        return self.conjunction(a ^ 1, b ^ 1) ^ 1

    def exclusive(self, a: int, b: int) -> int:
        """a xor b."""
        phase = (a ^ b) & 1
        a, b = a & ~1, b & ~1
        either = self.disjunction(a, b)
        return self.conjunction(either, self.conjunction(a, b) ^ 1) ^ phase

    def choice(self, select: int, one: int, zero: int) -> int:
        """`one` where `select` is true, else `zero`."""
        if one == zero:
            return one
        if one == zero ^ 1:
            return self.exclusive(select, zero)
        # One node, so that "or" is the complement of "nor".
        if one == TRUE:
            return self.disjunction(select, zero)
        if zero == TRUE:
            return self.disjunction(select ^ 1, one)
        both = self.conjunction(select, one)
        return self.disjunction(both, self.conjunction(select ^ 1, zero))

    def any(self, literals: Iterable[int]) -> int:
        """Whether one of them is true, as a balanced tree."""
        row = list(literals) or [FALSE]
        while len(row) > 1:
            pairs = [self.disjunction(a, b) for a, b in zip(row[::2], row[1::2], strict=False)]
            row = pairs + row[len(row) // 2 * 2 :]
        return row[0]

    def lookup(self, table: int, operands: Sequence[int]) -> int:
        """A truth table; the first operand is the most significant bit of the index."""
        # In ascending order, so that the same function of the same literals is the same node.
        order = sorted(range(len(operands)), key=lambda j: operands[j])
        if order != list(range(len(operands))):
            table = _permuted(table, order, len(operands))
            operands = [operands[j] for j in order]
        return self._decide(table, operands, {})

    def _decide(self, table: int, operands: Sequence[int], done: dict[tuple[int, int], int]) -> int:
        bits = 1 << len(operands)
        if table == 0 or table == (1 << bits) - 1:
            return TRUE if table else FALSE
        key = (len(operands), table)
        if key not in done:
            half = bits // 2
            zero = self._decide(table & (1 << half) - 1, operands[1:], done)
            one = self._decide(table >> half, operands[1:], done)
            done[key] = self.choice(operands[0], one, zero)
        return done[key]

    def exceeds(self, a: Sequence[int], b: Sequence[int]) -> int:
        """Whether the unsigned number a is larger than b; both least significant bit first."""
        above = FALSE
        for x, y in zip(a, b, strict=True):
            above = self.choice(self.exclusive(x, y), x, above)
        return above

    def add(self, bits: Sequence[tuple[int, int]]) -> list[int]:
        """Sum of bits (literal, weight) with positive weights, least significant bit first."""
        columns: list[list[int]] = [[]]
        for literal, weight in bits:
            columns += [[] for _ in range(weight.bit_length() - len(columns))]
            for column in range(weight.bit_length()):
                if weight >> column & 1:
                    columns[column].append(literal)
        total = []
        for column, waiting in enumerate(columns):  # grows while it is read
            while len(waiting) > 1:
                a, b, c = waiting.pop(0), waiting.pop(0), waiting.pop(0) if waiting else FALSE
                waiting.append(self.lookup(0b10010110, (a, b, c)))
                carry = self.lookup(0b11101000, (a, b, c))
                if carry != FALSE:
                    if column + 1 == len(columns):
                        columns.append([])
                    columns[column + 1].append(carry)
            total.append(waiting[0] if waiting else FALSE)
        return total

    def program(self, outputs: Sequence[int]) -> LogicProgram:
        """The cones of some literals as 2-input gates over one-bit features, to evaluate them."""
        fanin = np.array(self._ands, np.int64).reshape(-1, 2)
        # The table of an AND is 0b1000; a complemented input swaps its halves or neighbours. A
        # complemented output is an inverter of its own.
        table = np.array([0b1000, 0b0100, 0b0010, 0b0001], np.uint64)
        chosen = np.array(outputs, np.int64).reshape(len(outputs))
        odd = chosen & 1 == 1
        inverted = np.unique(chosen[odd])
        inverters = np.stack([inverted, inverted], axis=1)
        fanin = np.concatenate([fanin, inverters])
        tables = table[2 * (fanin[:, 0] & 1) + (fanin[:, 1] & 1)]
        inputs, empty = len(self.inputs), np.zeros(0, np.int64)
        bits = _signals(chosen)
        first_inverter = FIRST_INPUT + inputs + len(self._ands)
        bits[odd] = first_inverter + np.searchsorted(inverted, chosen[odd])
        return without_dead(
            LogicProgram(
                FixedPoint(1),
                inputs,
                np.arange(inputs, dtype=np.int32),
                np.zeros(inputs, np.int64),
                _signals(fanin),
                np.full(len(fanin), 2, np.uint8),
                tables,
                bits,
                WeightedSums(np.zeros(1, np.int64), empty.astype(np.int32), empty, empty),
            )
        )

    def support(self, literal: int) -> set[int]:
        """Literals of the inputs that the cone of a literal reads."""
        read = {literal & ~1}
        for node in self._cone(literal):
            read.update(operand & ~1 for operand in self._ands[node // 2 - self._first])
        return read.intersection(self.inputs)

    def write(self, path: Path, output: int) -> None:
        """Write the cone of one literal as a binary AIGER file; inputs keep their order.

        The format: A. Biere, "The AIGER And-Inverter Graph (AIG) Format", 2007.
        """
        nodes = self._cone(output)
        inputs = len(self.inputs)
        new = dict(
            zip(nodes, range(2 * (inputs + 1), 2 * (inputs + 1 + len(nodes)), 2), strict=True)
        )

        def literal(old: int) -> int:
            return new.get(old & ~1, old & ~1) | old & 1

        body = bytearray()
        for node in nodes:
            a, b = self._ands[node // 2 - self._first]
            a, b = literal(a), literal(b)
            _varint(body, new[node] - max(a, b))
            _varint(body, abs(a - b))
        header = f"aig {inputs + len(nodes)} {inputs} 0 1 {len(nodes)}\n{literal(output)}\n"
        path.write_bytes(header.encode() + body)

    def _cone(self, literal: int) -> list[int]:
        """AND nodes that a literal depends on, ascending; as literals."""
        seen: set[int] = set()
        stack = [literal & ~1]
        while stack:
            node = stack.pop()
            if node < 2 * self._first or node in seen:
                continue
            seen.add(node)
            stack += [operand & ~1 for operand in self._ands[node // 2 - self._first]]
        return sorted(seen)


def _permuted(table: int, order: Sequence[int], k: int) -> int:
    """The table whose operand p is operand order[p] of the given one."""
    result = 0
    for index in range(1 << k):
        old = 0
        for place, operand in enumerate(order):
            old |= (index >> (k - 1 - place) & 1) << (k - 1 - operand)
        result |= (table >> old & 1) << index
    return result


def _signals(literals: np.ndarray) -> np.ndarray:
    """Signal ids of literals without their phase: constant, then inputs, then gates."""
    variable = literals >> 1
    return np.where(variable == 0, 0, variable + FIRST_INPUT - 1).astype(np.int32)


def _varint(out: bytearray, number: int) -> None:
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
