"""Truth tables of up to six variables as 64-bit words, whole arrays of them at once.

Inside this room a table is *spread*: repeated until it fills 64 bits, so that it has six
variables and simply does not depend on the unused ones. Variable p is bit p of the index; a
gate's first input is the most significant, so input column j of a k-input gate is variable
k - 1 - j.
"""

from __future__ import annotations

import numpy as np

__all__ = ["VARIABLES", "cofactors", "compact", "flip", "identify", "spread", "swap"]

U64 = np.uint64

#: Spread table of each variable: the indices where it is one.
VARIABLES = tuple(U64(sum(1 << i for i in range(64) if i >> p & 1)) for p in range(6))


def spread(tables: np.ndarray, arity: np.ndarray) -> np.ndarray:
    """Repeat tables of `arity` inputs until they fill 64 bits."""
    tables = tables.copy()
    for k in range(6):
        tables = np.where(arity <= k, tables | tables << U64(1 << k), tables)
    return tables


def compact(tables: np.ndarray, arity: np.ndarray) -> np.ndarray:
    """Keep the 2^arity low bits of spread tables."""
    bits = (1 << arity.astype(np.int64)).astype(U64)
    return tables & (~U64(0) >> (U64(64) - bits))


def cofactors(tables: np.ndarray, p: int) -> tuple[np.ndarray, np.ndarray]:
    """The tables with variable p fixed to zero and to one, both spread."""
    ones, shift = VARIABLES[p], U64(1 << p)
    low, high = tables & ~ones, tables & ones
    return low | low << shift, high | high >> shift


def flip(tables: np.ndarray, p: int) -> np.ndarray:
    """The tables with variable p complemented."""
    ones, shift = VARIABLES[p], U64(1 << p)
    return (tables & ones) >> shift | (tables & ~ones) << shift


def swap(tables: np.ndarray, p: int, q: int) -> np.ndarray:
    """The tables with variables p < q exchanged."""
    only_p, only_q = VARIABLES[p] & ~VARIABLES[q], VARIABLES[q] & ~VARIABLES[p]
    shift = U64((1 << q) - (1 << p))
    kept = tables & ~(only_p | only_q)
    return kept | (tables & only_p) << shift | (tables & only_q) >> shift


def identify(tables: np.ndarray, p: int, q: int) -> np.ndarray:
    """The tables where variable q is always equal to variable p; q is free afterwards."""
    q_zero, q_one = cofactors(tables, q)
    return (q_zero & ~VARIABLES[p]) | (q_one & VARIABLES[p])
