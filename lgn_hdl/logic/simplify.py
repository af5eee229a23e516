"""One sweep over the levels: constants, buffers, inverters, equal gates.

Each level is rewritten by whole-array operations, so the time is linear in the gates. Every signal
is replaced by a representative and a phase; gates are normalised (no constant, repeated or unused
input; inputs in ascending order; output zero when all inputs are zero), after which equal gates
are equal rows. Gates that nothing reads are dropped at the end. What is left is numbered by level,
then by kind, so that the vectors of equal gates that hdl writes are ranges of signals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .levels import by_level
from .program import FIRST_INPUT, LogicProgram, WeightedSums
from .tables import VARIABLES, cofactors, compact, flip, identify, spread, swap

__all__ = [
    "Refine",
    "alive_signals",
    "most_significant_first",
    "normalised",
    "simplify",
    "sums_of",
    "without_dead",
]

#: (spread tables, representative inputs in columns from the least significant) -> tables that
#: agree wherever the inputs can be; see `dontcare`.
Refine = Callable[[np.ndarray, np.ndarray], np.ndarray]
U64 = np.uint64


def simplify(program: LogicProgram, refine: Refine | None = None) -> LogicProgram:
    """Fold constants, absorb buffers and inverters, merge equal gates, drop dead ones.

    Parameters
    ----------
    program : LogicProgram
    refine : Refine, optional
        Rewrites the tables of a level before they are normalised.

    Returns
    -------
    LogicProgram
        Same values on every input that `refine` allows for.
    """
    sweep = _Sweep(program)
    for gates in by_level(program):
        sweep.level(gates, refine)
    return without_dead(sweep.result())


class _Sweep:
    """The state of one sweep: what each old signal became, and the new gates so far."""

    def __init__(self, program: LogicProgram):
        self.program = program
        self.columns = program.columns_from_lsb()
        self.tables = spread(program.table, program.arity)
        self.representative = np.arange(program.num_signals, dtype=np.int32)
        self.phase = np.zeros(program.num_signals, bool)
        self.representative[1], self.phase[1] = 0, True  # one is not zero
        self.depth = np.zeros(program.num_signals, np.int32)  # level of every new signal
        self.known: dict[int | bytes, int] = {}
        self.new_columns: list[np.ndarray] = []
        self.new_tables: list[np.ndarray] = []
        self.next_signal = program.first_gate

    def level(self, gates: np.ndarray, refine: Refine | None) -> None:
        """Rewrite gates of one level, whose inputs are all rewritten already."""
        inputs, tables = self._substituted(gates)
        if refine is not None:
            tables = refine(tables, inputs)
        inputs, tables = normalised(inputs, tables)
        phase = (tables & U64(1)).astype(bool)
        tables = np.where(phase, ~tables, tables)
        support = np.count_nonzero(inputs, axis=1)

        out = np.zeros(len(gates), np.int32)  # a constant, unless it turns out otherwise
        wires = support == 1  # the phase is split off, so what is left of it is a buffer
        out[wires] = inputs[wires, 0]
        logic = np.flatnonzero(support >= 2)
        out[logic] = self._shared(inputs[logic], tables[logic])
        old = self.program.first_gate + gates
        self.representative[old], self.phase[old] = out, phase

    def _substituted(self, gates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        old = self.columns[gates]
        inputs, inverted, tables = self.representative[old], self.phase[old], self.tables[gates]
        for p in range(inputs.shape[1]):
            tables = np.where(inverted[:, p], flip(tables, p), tables)
        return inputs, tables

    def _shared(self, inputs: np.ndarray, tables: np.ndarray) -> np.ndarray:
        """Signals of normalised gates: known ones where the row is known, new ones elsewhere."""
        known, signals, fresh = self.known, [], []
        for row, key in enumerate(_keys(inputs, tables)):
            signal = known.get(key)
            if signal is None:
                signal = known[key] = self.next_signal + len(fresh)
                fresh.append(row)
            signals.append(signal)
        self.new_columns.append(inputs[fresh])
        self.new_tables.append(tables[fresh])
        new = slice(self.next_signal, self.next_signal + len(fresh))
        self.depth[new] = 1 + self.depth[inputs[fresh]].max(axis=1, initial=0)
        self.next_signal = new.stop
        return np.array(signals, np.int32)

    def result(self) -> LogicProgram:
        """The program over the new gates."""
        old = self.program
        columns = np.concatenate([np.zeros((0, old.fanin.shape[1]), np.int32), *self.new_columns])
        tables = np.concatenate([np.zeros(0, U64), *self.new_tables])
        columns, tables = self._renumbered(columns, tables)
        bits, inverters = self._bits(old.bits, columns.shape[1], len(columns))
        columns = np.concatenate([columns, inverters])
        tables = np.concatenate([tables, np.full(len(inverters), ~VARIABLES[0], U64)])
        arity = np.count_nonzero(columns, axis=1).astype(np.uint8)
        return LogicProgram(
            old.format,
            old.features,
            old.input_feature,
            old.input_threshold,
            most_significant_first(columns, arity),
            arity,
            compact(tables, arity),
            bits,
            sums_of(old.sums, self.representative, self.phase),
        )

    def _renumbered(self, columns: np.ndarray, tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Number the gates by level, arity and table; x AND NOT y is one kind in either order."""
        first = self.program.first_gate
        new = np.arange(self.next_signal, dtype=np.int32)
        depth = self.depth[first : self.next_signal]
        order = np.argsort(depth, kind="stable")
        starts = np.searchsorted(depth[order], np.arange(2, depth.max(initial=0) + 1))
        inputs, functions, done = np.empty_like(columns), np.empty_like(tables), 0
        for rows in np.split(order, starts):
            # The new numbers of the inputs decide their order, and that decides the table.
            wires, table = _ascending(new[columns[rows]], tables[rows])
            arity = np.count_nonzero(wires, axis=1)
            kind = np.where(arity == 2, np.maximum(table, swap(table, 0, 1)), table)
            by_kind = np.lexsort((~kind, arity))
            level = slice(done, done + len(rows))
            inputs[level], functions[level] = wires[by_kind], table[by_kind]
            new[first + rows[by_kind]] = np.arange(first + level.start, first + level.stop)
            done = level.stop
        self.representative = new[self.representative]
        return inputs, functions

    def _bits(self, bits: np.ndarray, width: int, gates: int) -> tuple[np.ndarray, np.ndarray]:
        """Signals of the outgoing bits, and the inverters that some of them need."""
        signal, inverted = self.representative[bits], self.phase[bits]
        constant = signal == 0
        needed, which = np.unique(signal[inverted & ~constant], return_inverse=True)
        inverters = np.zeros((len(needed), width), np.int32)
        inverters[:, 0] = needed
        signal = signal.copy()
        signal[inverted & ~constant] = self.program.first_gate + gates + which
        signal[inverted & constant] = 1
        return signal, inverters


def sums_of(sums: WeightedSums, signal: np.ndarray, inverted: np.ndarray) -> WeightedSums:
    """Sums over other signals: w · not x = w - w · x, and a constant leaves the terms.

    Parameters
    ----------
    sums : WeightedSums
    signal : ndarray of int32, shape (signals,)
        What stands for each signal; 0 for a constant.
    inverted : ndarray of bool, shape (signals,)
        Whether its complement does.
    """
    own, turned = signal[sums.signal], inverted[sums.signal]
    shift = np.bincount(sums.owner, sums.weight * turned, len(sums)).astype(np.int64)
    kept = own != 0
    counts = np.bincount(sums.owner[kept], minlength=len(sums))
    return WeightedSums(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        own[kept],
        np.where(turned, -sums.weight, sums.weight)[kept],
        sums.constant + shift,
    )


def normalised(inputs: np.ndarray, tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop constant, repeated and unused inputs; order the others, first in column 0."""
    inputs = inputs.copy()
    width = inputs.shape[1]
    for p in range(width):  # representatives are never one, so a constant input is zero
        tables = np.where(inputs[:, p] == 0, cofactors(tables, p)[0], tables)
        for q in range(p + 1, width):
            same = (inputs[:, p] == inputs[:, q]) & (inputs[:, p] != 0)
            tables = np.where(same, identify(tables, p, q), tables)
            inputs[same, q] = 0
    for p in range(width):
        low, high = cofactors(tables, p)
        inputs[low == high, p] = 0
    return _ascending(inputs, tables)


def _ascending(inputs: np.ndarray, tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order the inputs of every gate, first in column 0, zeros last; `inputs` is changed."""
    width, last = inputs.shape[1], np.iinfo(np.int32).max
    for end in range(width - 1, 0, -1):
        for p in range(end):
            a, b = inputs[:, p].copy(), inputs[:, p + 1].copy()
            wrong = np.where(a == 0, last, a) > np.where(b == 0, last, b)
            tables = np.where(wrong, swap(tables, p, p + 1), tables)
            inputs[:, p], inputs[:, p + 1] = np.where(wrong, b, a), np.where(wrong, a, b)
    return inputs, tables


def _keys(inputs: np.ndarray, tables: np.ndarray) -> list:
    """One hashable value per row: an integer for two inputs, bytes for more."""
    if inputs.shape[1] == 2:
        low, high = inputs[:, 0].astype(U64), inputs[:, 1].astype(U64)
        return (high << U64(34) | low << U64(4) | tables & U64(15)).tolist()
    rows = np.concatenate([inputs, tables[:, None].view(np.int32)], axis=1)
    return np.ascontiguousarray(rows).view(f"V{4 * rows.shape[1]}").ravel().tolist()


def most_significant_first(columns: np.ndarray, arity: np.ndarray) -> np.ndarray:
    """Inverse of `columns_from_lsb`: input j of a gate is variable arity - 1 - j."""
    variable = arity[:, None].astype(np.int64) - 1 - np.arange(columns.shape[1])
    gathered = np.take_along_axis(columns, np.maximum(variable, 0), axis=1)
    return np.where(variable >= 0, gathered, 0).astype(np.int32)


def alive_signals(program: LogicProgram) -> np.ndarray:
    """Whether each signal is a constant, or some output depends on it; bool, shape (signals,)."""
    alive = np.zeros(program.num_signals, bool)
    alive[program.roots] = True
    for gates in reversed(by_level(program)):
        needed = gates[alive[program.first_gate + gates]]
        alive[program.fanin[needed]] = True
    alive[:FIRST_INPUT] = True
    return alive


def without_dead(program: LogicProgram) -> LogicProgram:
    """Drop gates that no output needs, then input bits that no gate or output needs."""
    alive = alive_signals(program)
    new = (np.cumsum(alive) - 1).astype(np.int32)
    inputs, gates = np.split(alive[FIRST_INPUT:], [program.num_inputs])
    sums = program.sums
    return LogicProgram(
        program.format,
        program.features,
        program.input_feature[inputs],
        program.input_threshold[inputs],
        new[program.fanin[gates]],
        program.arity[gates],
        program.table[gates],
        new[program.bits],
        WeightedSums(sums.start, new[sums.signal], sums.weight, sums.constant),
    )
