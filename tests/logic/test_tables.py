"""Operations on truth tables against brute force over all indices."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgn_hdl.logic.tables import VARIABLES, cofactors, compact, flip, identify, spread, swap

words = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4)
variables = st.integers(0, 5)


def brute(tables: list[int], source) -> list[int]:
    """Bit i of the result is bit source(i) of the table."""
    return [sum((t >> source(i) & 1) << i for i in range(64)) for t in tables]


def with_bit(i: int, p: int, value: int) -> int:
    return i & ~(1 << p) | value << p


def array(tables: list[int]) -> np.ndarray:
    return np.array(tables, np.uint64)


@pytest.mark.parametrize("p", range(6))
def test_variables(p: int) -> None:
    assert int(VARIABLES[p]) == sum(1 << i for i in range(64) if i >> p & 1)


@given(words, variables)
def test_cofactors(tables: list[int], p: int) -> None:
    low, high = cofactors(array(tables), p)
    assert low.tolist() == brute(tables, lambda i: with_bit(i, p, 0))
    assert high.tolist() == brute(tables, lambda i: with_bit(i, p, 1))


@given(words, variables)
def test_flip(tables: list[int], p: int) -> None:
    assert flip(array(tables), p).tolist() == brute(tables, lambda i: i ^ 1 << p)


@given(words, st.sampled_from(list(combinations(range(6), 2))))
def test_swap_and_identify(tables: list[int], pair: tuple[int, int]) -> None:
    p, q = pair

    def exchanged(i: int) -> int:
        return with_bit(with_bit(i, p, i >> q & 1), q, i >> p & 1)

    assert swap(array(tables), p, q).tolist() == brute(tables, exchanged)
    assert identify(array(tables), p, q).tolist() == brute(
        tables, lambda i: with_bit(i, q, i >> p & 1)
    )


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(1, 6)), min_size=1, max_size=5))
def test_spread_and_compact(pairs: list[tuple[int, int]]) -> None:
    arity = np.array([k for _, k in pairs], np.uint8)
    tables = [t & (1 << (1 << k)) - 1 for t, k in pairs]
    wide = spread(array(tables), arity)
    for table, k, spreaded in zip(tables, arity.tolist(), wide.tolist(), strict=True):
        assert brute([table], lambda i, k=k: i % (1 << k)) == [spreaded]
    assert compact(wide, arity).tolist() == tables
