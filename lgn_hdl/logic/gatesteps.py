"""Gates as steps, each of which computes many rows of packed bits in a few array operations.

Gates of one level do not read each other. Those of one function of up to two inputs are one step:
it gathers its operands and writes consecutive rows. Functions of three to six inputs are too many
for a step each; they share the steps of `Lookups`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .levels import levels
from .lookups import Lookups, coefficients
from .program import LogicProgram

__all__ = ["GateSteps"]

U64 = np.uint64
#: Gates in one step at most: this bounds the scratch rows, of which a lookup needs 20 to 40.
_GATES, _LOOKUPS = 2048, 256


def _not(a: np.ndarray) -> np.ndarray:
    return np.invert(a, out=a)


#: Functions by their table, of a (the first input) and b, written to a; b may be lost.
_PAIRS: dict[int, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    0b0001: lambda a, b: _not(np.bitwise_or(a, b, out=a)),
    0b0010: lambda a, b: np.bitwise_and(_not(a), b, out=a),
    0b0100: lambda a, b: np.bitwise_and(a, _not(b), out=a),
    0b0110: lambda a, b: np.bitwise_xor(a, b, out=a),
    0b0111: lambda a, b: _not(np.bitwise_and(a, b, out=a)),
    0b1000: lambda a, b: np.bitwise_and(a, b, out=a),
    0b1001: lambda a, b: _not(np.bitwise_xor(a, b, out=a)),
    0b1011: lambda a, b: np.bitwise_or(_not(a), b, out=a),
    0b1101: lambda a, b: np.bitwise_or(a, _not(b), out=a),
    0b1110: lambda a, b: np.bitwise_or(a, b, out=a),
}
#: What else a step can be; a constant is a wire from one of the constant signals.
_WIRE, _INVERTER, _LOOKUP = 0b1100, 0b0011, 16
_ONE_INPUT = {0b0000: _WIRE, 0b1010: _WIRE, 0b1111: _WIRE, 0b0101: _INVERTER}
_KIND = np.array([_ONE_INPUT.get(table, table) for table in range(16)])


@dataclass(frozen=True, eq=False)
class Pairs:
    """Gates of one function of up to two inputs.

    Parameters
    ----------
    first : int
        Row of the first result.
    kind : int
        A key of `_PAIRS`, or a wire or an inverter, which read `a` only.
    a, b : ndarray of intp, shape (n,)
        Rows of the first and of the second inputs.
    """

    first: int
    kind: int
    a: np.ndarray
    b: np.ndarray

    @property
    def scratch(self) -> int:
        """Scratch rows that `run` needs."""
        return len(self.b)

    def run(self, rows: np.ndarray, scratch: np.ndarray) -> None:
        """Compute the gates' rows from the rows before them."""
        a, b = rows[self.first : self.first + len(self.a)], scratch[: len(self.b)]
        # "clip" lets take write to its destination without a buffer.
        np.take(rows, self.a, axis=0, out=a, mode="clip")
        if self.kind == _INVERTER:
            _not(a)
        elif self.kind != _WIRE:
            np.take(rows, self.b, axis=0, out=b, mode="clip")
            _PAIRS[self.kind](a, b)


class GateSteps:
    """The gates of a program, prepared.

    Parameters
    ----------
    program : LogicProgram

    Attributes
    ----------
    row : ndarray of intp, shape (signals,)
        Row of each signal: constants and inputs keep their numbers, gates are in order of steps.
    steps : list of Pairs and Lookups
        In the order in which they run.
    """

    def __init__(self, program: LogicProgram):
        first, arity, table = program.first_gate, program.arity.astype(np.int64), program.table
        # A gate of one input is one of two inputs, the first of which is zero.
        kind = np.where(arity <= 2, _KIND[(table & U64(15)).astype(np.intp)], _LOOKUP + arity)
        step = levels(program) * np.int64(32) + kind
        order = np.argsort(step, kind="stable")
        self.row = np.arange(program.num_signals)
        self.row[first + order] = np.arange(first, program.num_signals)
        # From here on gates are in the order of their rows.
        table, kind, step = table[order], kind[order], step[order]
        reads = np.zeros((max(2, program.fanin.shape[1]), len(order)), np.intp)
        reads[: program.fanin.shape[1]] = self.row[program.columns_from_lsb()[order]].T
        b, a = reads[:2]
        a = np.select([table == 0b0000, table == 0b1111, table % 5 == 0], [0, 1, b], a)
        forms = coefficients(table, arity[order])
        self.steps: list[Pairs | Lookups] = []
        for start, end in pairwise([*np.flatnonzero(np.diff(step, prepend=-1)), len(step)]):
            size = _GATES if kind[start] < _LOOKUP else _LOOKUPS
            for i in range(start, end, size):
                part = slice(i, min(i + size, end))
                if kind[i] < _LOOKUP:
                    self.steps.append(Pairs(first + i, int(kind[i]), a[part], b[part]))
                else:
                    read = reads[: kind[i] - _LOOKUP, part]
                    self.steps.append(Lookups.of(first + i, read, forms[part]))
