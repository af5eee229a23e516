"""The tables of an engine's gates: numbered where few are different, kept whole where many are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from ..program import LogicProgram
from ..tables import compact, spread, swap

__all__ = ["GateKinds"]

#: With more bits than this in a table's number, the tables behind the numbers take too many LUTs.
_MOST_NUMBER_BITS = 6
#: All orders of the inputs are tried up to this many inputs.
_MOST_PERMUTED = 4
U64 = np.uint64


@dataclass(frozen=True, eq=False)
class GateKinds:
    """The gates of a program, all with the same number of inputs.

    Parameters
    ----------
    inputs : int
    tables : tuple of int
        Different tables, if they are numbered; else empty.
    reads : ndarray of int32, shape (G, inputs)
        Signal of each variable, the least significant first; a gate with fewer repeats one.
    code : ndarray of int64 or uint64, shape (G,)
        Number of each gate's table, or the table.
    buffer, zero, one : int
        Code of a gate that gives its input, 0 or 1 if all its inputs read the same signal.
    """

    inputs: int
    tables: tuple[int, ...]
    reads: np.ndarray
    code: np.ndarray
    buffer: int
    zero: int
    one: int

    @classmethod
    def of(cls, program: LogicProgram) -> GateKinds:
        """The gates of a program, their inputs in the order that needs the fewest tables."""
        inputs = int(program.arity.max(initial=1))
        reads = program.columns_from_lsb()[:, :inputs]
        missing = np.arange(reads.shape[1]) >= program.arity[:, None]
        reads = np.where(missing, reads[:, :1], reads)
        full = np.full(program.num_gates, inputs)
        table = compact(spread(program.table, program.arity), full)
        everything = (1 << (1 << inputs)) - 1
        least, turned = _least(table, reads, inputs)
        known = np.unique(least).tolist()
        buffer = _with_ends(known, inputs, 0, 1)
        zero = _with_ends(known, inputs, 0, 0)
        one = _with_ends(known, inputs, 1, 1) if (program.bits == 1).any() else 0
        bits = (len(known) - 1).bit_length()
        if bits > _MOST_NUMBER_BITS or bits >= 1 << inputs:
            return cls(inputs, (), reads, table, everything ^ everything >> 1, 0, everything)
        number = {t: i for i, t in enumerate(known)}
        code = np.array([number[t] for t in least.tolist()], np.int64)
        return cls(inputs, tuple(known), turned, code, buffer, zero, one)


def _with_ends(tables: list[int], inputs: int, zeros: int, ones: int) -> int:
    """Number of a table that gives `zeros` for zeros and `ones` for ones; it may be a new one."""
    highest = (1 << inputs) - 1
    for number, table in enumerate(tables):
        if (table & 1, table >> highest & 1) == (zeros, ones):
            return number
    new = zeros | ones << highest
    tables.append(new if zeros == ones == 0 or zeros != ones else (1 << (1 << inputs)) - 1)
    return len(tables) - 1


def _least(table: np.ndarray, reads: np.ndarray, inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Turn the inputs of every gate so that its table is the smallest number it can be."""
    best, best_reads = table, reads
    if inputs > _MOST_PERMUTED:
        return best, best_reads
    full = np.full(len(table), inputs)
    for order in permutations(range(inputs)):
        now, columns = spread(table, full), list(range(inputs))
        for p in range(inputs):  # bring variable order[p] to place p
            q = columns.index(order[p])
            if p < q:
                now = swap(now, p, q)
                columns[p], columns[q] = columns[q], columns[p]
        now = compact(now, full)
        better = now < best
        best = np.where(better, now, best)
        best_reads = np.where(better[:, None], reads[:, columns], best_reads)
    return best, best_reads
