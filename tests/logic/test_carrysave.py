"""Carry-save sums against sums of Python integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgn_hdl.logic import WeightedSums
from lgn_hdl.logic.carrysave import CarrySaveSums
from lgn_hdl.logic.packed import WORD, pack

Terms = list[list[tuple[int, int]]]


def scores_of(terms: Terms, constants: list[int], bits: np.ndarray) -> np.ndarray:
    """Scores by `CarrySaveSums`; the row of signal s is the last but s."""
    signals = bits.shape[1]
    flat = [term for one in terms for term in one]
    sums = WeightedSums(
        np.cumsum([0, *map(len, terms)]),
        np.array([signal for signal, _ in flat], np.int32),
        np.array([weight for _, weight in flat], np.int64),
        np.array(constants, np.int64),
    )
    adder = CarrySaveSums(sums, np.arange(signals)[::-1].copy())
    words = -(-len(bits) // 64)
    rows = np.full((signals + len(adder.complemented), words), 0xAAAA, WORD)
    rows[:signals] = pack(bits, words)[::-1]
    scratch = np.full((adder.scratch, words), 0x5555, WORD)
    scores = np.full((len(bits), len(terms)), -77, np.int64)
    adder.run(rows, scratch, scores)
    return scores


def by_hand(terms: Terms, constants: list[int], bits: np.ndarray) -> list[list[int]]:
    return [
        [c + sum(w * sample[s] for s, w in one) for c, one in zip(constants, terms, strict=True)]
        for sample in bits.astype(int).tolist()
    ]


weights = (
    st.integers(-4, 4)
    | st.sampled_from([255, 256, -256, 65535, -65536, (1 << 31) - 1, 1 << 32, -(1 << 40)])
    | st.integers(-(1 << 57), 1 << 57)
)


@given(
    st.lists(
        st.tuples(
            st.integers(-(1 << 60), 1 << 60),
            st.lists(st.tuples(st.integers(0, 6), weights), max_size=20),
        ),
        max_size=4,
    ),
    st.integers(1, 130),
)
def test_any_weights(sums: list[tuple[int, list[tuple[int, int]]]], samples: int) -> None:
    constants, terms = [c for c, _ in sums], [one for _, one in sums]
    bits = np.random.default_rng(samples).integers(0, 2, (samples, 7)) == 1
    assert scores_of(terms, constants, bits).tolist() == by_hand(terms, constants, bits)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 254, 255, 256, 257, 300])
@pytest.mark.parametrize("weight", [1, -1, 3])
def test_counts(count: int, weight: int) -> None:
    rng = np.random.default_rng(count)
    bits = rng.random((100, count)) < np.linspace(0, 1, 100)[:, None]
    terms = [[(s, weight) for s in range(count)], [], [(0, 1)]]
    assert scores_of(terms, [0, 5, -5], bits).tolist() == by_hand(terms, [0, 5, -5], bits)


@pytest.mark.parametrize("largest", [(1 << n) + d for n in (8, 16, 32) for d in (-1, 0)])
def test_the_width_of_a_number_is_that_of_the_largest_sum(largest: int) -> None:
    terms = [[(0, largest - 3), (1, -1), (2, 2)]]
    bits = np.array([[1, 0, 1], [1, 1, 1], [0, 1, 0], [0, 0, 0]]) == 1
    found = scores_of(terms, [0], bits)
    assert found[:, 0].tolist() == [largest - 1, largest - 2, -1, 0]


def test_a_sum_of_many_terms_among_short_ones() -> None:
    rng = np.random.default_rng(5)
    terms = [
        [(int(s), int(w)) for s, w in rng.integers([0, -9], [50, 10], (n, 2))]
        for n in (0, 1, 5000, 2, 0, 40)
    ]
    bits = rng.integers(0, 2, (70, 50)) == 1
    constants = [1, -2, 3, -4, 5, -6]
    assert scores_of(terms, constants, bits).tolist() == by_hand(terms, constants, bits)
