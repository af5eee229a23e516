"""The gates of a logic program as vector operations, one per level and truth table."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import wiring

from ..logic.levels import levels
from ..logic.program import FIRST_INPUT, LogicProgram
from ..logic.schedule import Pipeline
from .bank import Bank, chunks
from .wide import port_vectors, wide_port

__all__ = ["Gates"]

#: Two-input tables as (name, operation on a and b); bit i of the table is the output at 2a + b.
_TWO_INPUTS = {
    0b0001: ("nor", lambda a, b: ~(a | b)),
    0b0010: ("andn", lambda a, b: ~a & b),
    0b0011: ("not_a", lambda a, b: ~a),
    0b0100: ("andn", lambda a, b: a & ~b),
    0b0101: ("not_b", lambda a, b: ~b),
    0b0110: ("xor", lambda a, b: a ^ b),
    0b0111: ("nand", lambda a, b: ~(a & b)),
    0b1000: ("and", lambda a, b: a & b),
    0b1001: ("xnor", lambda a, b: ~(a ^ b)),
    0b1010: ("b", lambda a, b: b),
    0b1011: ("orn", lambda a, b: ~a | b),
    0b1100: ("a", lambda a, b: a),
    0b1101: ("orn", lambda a, b: a | ~b),
    0b1110: ("or", lambda a, b: a | b),
}


class Gates(wiring.Component):
    """All gates between the input bits and the bits that leave.

    Parameters
    ----------
    program : LogicProgram
    pipeline : Pipeline

    Members
    -------
    i : In(inputs)
        The program's input bits, in their order.
    o : Out(roots)
        The program's roots, in their order, `latency` registers later.
        Ports wider than 32,768 bits are split: `i0`, `i1`, ...
    """

    def __init__(self, *, program: LogicProgram, pipeline: Pipeline):
        self._program, self._pipeline = program, pipeline
        self.latency = pipeline.roots_stage
        super().__init__(
            {
                **wide_port("i", program.num_inputs),
                **wide_port("o", len(program.roots), output=True),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        program, stage = self._program, self._pipeline.gate_stage
        bank = Bank(m, _last_uses(program, self._pipeline))
        first = FIRST_INPUT
        for vector in port_vectors(self, "i", program.num_inputs):
            bank.define(np.arange(first, first + len(vector)), vector)
            first += len(vector)
        level = levels(program)
        order = np.lexsort((level, stage))
        for now in range(self.latency + 1):
            in_stage = order[stage[order] == now]
            for gates in np.split(in_stage, np.flatnonzero(np.diff(level[in_stage])) + 1):
                if len(gates):
                    self._level(m, bank, gates, f"stage{now}_level{level[gates[0]]}")
            if now < self.latency:
                bank.register(now)
        outputs = port_vectors(self, "o", len(program.roots))
        ends = np.cumsum([0, *(len(vector) for vector in outputs)]).tolist()
        for vector, (a, b) in zip(outputs, pairwise(ends), strict=True):
            m.d.comb += vector.eq(bank.gather(program.roots[a:b]))
        return m

    def _level(self, m: Module, bank: Bank, gates: np.ndarray, prefix: str) -> None:
        """Gates that do not read each other: one vector for every kind of them."""
        program = self._program
        for arity in np.unique(program.arity[gates]).tolist():
            same = gates[program.arity[gates] == arity]
            if arity == 2:
                for table in np.unique(program.table[same]).tolist():
                    for part in chunks(same[program.table[same] == table]):
                        self._two_inputs(m, bank, part, table, prefix)
            else:
                for part in chunks(same):
                    self._lookup(m, bank, part, arity, f"{prefix}_lut{arity}")

    def _two_inputs(
        self, m: Module, bank: Bank, gates: np.ndarray, table: int, prefix: str
    ) -> None:
        name, operation = _TWO_INPUTS[table]
        a, b = (bank.gather(self._program.fanin[gates, j]) for j in range(2))
        out = Signal(len(gates), name=f"{prefix}_{name}")
        m.d.comb += out.eq(operation(a, b))
        bank.define(self._program.first_gate + gates, out)

    def _lookup(self, m: Module, bank: Bank, gates: np.ndarray, arity: int, name: str) -> None:
        """Any tables at once: the rows of the tables are constants, the inputs choose."""
        program = self._program
        tables = program.table[gates].tolist()
        rows: list[Value] = [
            Const(sum((t >> i & 1) << g for g, t in enumerate(tables)), len(gates))
            for i in range(1 << arity)
        ]
        for column in range(arity - 1, -1, -1):
            x = Signal(len(gates), name=f"{name}_in{column}")
            m.d.comb += x.eq(bank.gather(program.fanin[gates, column]))
            rows = [
                self._named(m, (high & x) | (low & ~x), f"{name}_{column}_{i}")
                for i, (low, high) in enumerate(zip(rows[::2], rows[1::2], strict=True))
            ]
        bank.define(program.first_gate + gates, rows[0])

    @staticmethod
    def _named(m: Module, value: Value, name: str) -> Signal:
        signal = Signal(len(value), name=name)
        m.d.comb += signal.eq(value)
        return signal


def _last_uses(program: LogicProgram, pipeline: Pipeline) -> np.ndarray:
    """Last stage in which each signal is read by a gate or leaves."""
    last = np.full(program.num_signals, -1, np.int64)
    for column in range(program.fanin.shape[1]):
        np.maximum.at(last, program.fanin[:, column], pipeline.gate_stage)
    last[program.roots] = pipeline.roots_stage
    return last
