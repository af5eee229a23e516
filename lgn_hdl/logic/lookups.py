"""Tables of up to six inputs on rows of packed bits, whatever their functions.

A table is the XOR of some products of its inputs (its algebraic normal form, or Reed-Muller
expansion). The sixteen functions of the two least significant variables are computed once for
every gate; each group of four coefficients picks one of them, a *leaf*, and the other variables
join the leaves in pairs: low ^ (high & variable).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .packed import ONES
from .tables import VARIABLES

__all__ = ["Lookups", "coefficients"]

U64 = np.uint64


def coefficients(tables: np.ndarray, arity: np.ndarray) -> np.ndarray:
    """Algebraic normal form: bit m is the coefficient of the product of the variables in m.

    Parameters
    ----------
    tables : ndarray of uint64, shape (n,)
        Tables of `arity` inputs, the bits beyond them zero.
    arity : ndarray of integers, shape (n,)
    """
    for p, ones in enumerate(VARIABLES):
        low = np.where(arity > p, tables & ~ones, U64(0))
        tables = tables ^ low << U64(1 << p)
    return tables


@dataclass(frozen=True, eq=False)
class Lookups:
    """Gates of k inputs, k = 2 to 6, as one step.

    Parameters
    ----------
    first : int
        Row of the first result.
    reads : ndarray of intp, shape (k, n)
        Row of each variable, the least significant first.
    leaves : ndarray of intp, shape (2^(k - 2) · n,)
        Which of the 16 n functions of two variables each leaf is, coefficients ascending.
    """

    first: int
    reads: np.ndarray
    leaves: np.ndarray

    @classmethod
    def of(cls, first: int, reads: np.ndarray, forms: np.ndarray) -> Lookups:
        """The step for gates with these algebraic normal forms, shape (n,)."""
        k, n = reads.shape
        shifts = np.arange(0, 1 << k, 4, dtype=U64)[:, None]
        pick = (forms >> shifts & U64(15)).astype(np.intp)
        return cls(first, np.ascontiguousarray(reads), (pick * n + np.arange(n)).ravel())

    @property
    def scratch(self) -> int:
        """Scratch rows that `run` needs."""
        return self.reads.size + 16 * self.reads.shape[1] + len(self.leaves)

    def run(self, rows: np.ndarray, scratch: np.ndarray) -> None:
        """Compute the gates' rows from the rows before them."""
        (k, n), words = self.reads.shape, rows.shape[1]
        ends = np.cumsum([k * n, 16 * n, len(self.leaves)])
        variables, functions, leaves = np.split(scratch[: ends[-1]], ends[:-1])
        np.take(rows, self.reads.reshape(-1), axis=0, out=variables, mode="clip")
        variables = variables.reshape(k, n, words)
        _functions_of_two(variables[0], variables[1], functions.reshape(16, n, words))
        np.take(functions, self.leaves, axis=0, out=leaves, mode="clip")
        leaves = leaves.reshape(-1, n, words)
        for variable in variables[:1:-1]:
            leaves, high = np.split(leaves, 2)
            high &= variable
            leaves ^= high
        rows[self.first : self.first + n] = leaves[0]


def _functions_of_two(x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
    """Write all functions of x and y, by their coefficients of 1, x, y and x·y; y is lost."""
    out[0], out[1] = 0, ONES
    np.bitwise_xor(out[:2], x, out=out[2:4])
    np.bitwise_xor(out[:4], y, out=out[4:8])
    np.bitwise_xor(out[:8], np.bitwise_and(x, y, out=y), out=out[8:])
