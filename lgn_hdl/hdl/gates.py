"""The gates of a logic program as vector operations, one per level and truth table."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring

from ..logic.levels import levels
from ..logic.program import FIRST_INPUT, LogicProgram
from ..logic.schedule import Pipeline
from .bank import Bank, chunks
from .lookup import lookup
from .wide import port_vectors, wide_port

__all__ = ["Gates"]

U64 = np.uint64

#: Names for the vectors of two-input gates; bit i of the table is the output at index 2a + b.
_NAMES = {
    0b0001: "nor",
    0b0100: "andn",
    0b0110: "xor",
    0b0111: "nand",
    0b1000: "and",
    0b1001: "xnor",
    0b1101: "orn",
    0b1110: "or",
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
        self._fanin, self._table = _one_order(program)
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
        kind = np.stack([program.arity[gates].astype(np.uint64), self._table[gates]], axis=1)
        kinds, which = np.unique(kind, axis=0, return_inverse=True)
        order = np.argsort(which.ravel(), kind="stable")
        ends = np.cumsum(np.bincount(which.ravel()))[:-1]
        for (arity, table), same in zip(kinds.tolist(), np.split(gates[order], ends), strict=True):
            name = _NAMES.get(table, "gate") if arity == 2 else f"lut{arity}_{table:x}"
            for part in chunks(same):
                self._vector(m, bank, part, arity, table, f"{prefix}_{name}")

    def _vector(
        self, m: Module, bank: Bank, gates: np.ndarray, arity: int, table: int, name: str
    ) -> None:
        """Gates with one table: one vector for each input and one for the output."""
        fanin = self._fanin[gates]
        if arity == 2:  # every input is used once
            operands = [bank.gather(fanin[:, j]) for j in range(2)]
        else:
            operands = [bank.operand(fanin[:, j], f"{name}_in{j}") for j in range(arity)]
        out = Signal(len(gates), name=name)
        m.d.comb += out.eq(lookup(m, table, operands, name))
        bank.define(self._program.first_gate + gates, out)


def _one_order(program: LogicProgram) -> tuple[np.ndarray, np.ndarray]:
    """Fan-in and tables with x AND NOT y in one order only, so that they make one vector."""
    table, fanin = program.table, program.fanin
    kept, one = table & U64(0b1001), U64(1)
    mirrored = kept | (table & U64(0b0100)) >> one | (table & U64(0b0010)) << one
    turn = (program.arity == 2) & (mirrored > table)
    if turn.any():
        fanin = fanin.copy()
        fanin[turn, :2] = fanin[turn, 1::-1]
    return fanin, np.where(turn, mirrored, table)


def _last_uses(program: LogicProgram, pipeline: Pipeline) -> np.ndarray:
    """Last stage in which each signal is read by a gate or leaves."""
    last = np.full(program.num_signals, -1, np.int64)
    for column in range(program.fanin.shape[1]):
        np.maximum.at(last, program.fanin[:, column], pipeline.gate_stage)
    last[program.roots] = pipeline.roots_stage
    return last
