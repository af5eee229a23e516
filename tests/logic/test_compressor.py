"""Compressor trees: every counter keeps the sum, so the tree is the weighted sum."""

from __future__ import annotations

from itertools import product
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgn_hdl.logic import DELAY_MODELS, StageClock
from lgn_hdl.logic.compressor import FIRST_LEAF, CompressorTree, Style, compress
from lgn_hdl.logic.timing import one_per_level

STYLES = get_args(Style)
SIZES = {"half_adder": 2, "full_adder": 3, "counter63": 6}
models = st.sampled_from([*DELAY_MODELS.values(), one_per_level()])
clocks = st.sampled_from([None, 1, 3, 500, 2500, 10_000]).map(StageClock)


@st.composite
def trees(draw: st.DrawFn, *, leaves: int = 40, largest: int = 9):
    weights = draw(st.lists(st.integers(1, largest), max_size=leaves))
    ready = draw(st.lists(st.integers(0, 9000), min_size=len(weights), max_size=len(weights)))
    return compress(
        np.array(weights, np.int64),
        draw(st.integers(0, 20)),
        np.array(ready, np.int64),
        style=draw(st.sampled_from(STYLES)),
        model=draw(models),
        clock=draw(clocks),
    )


def built(weights: list[int], constant: int = 0, style: Style = "full-adders") -> CompressorTree:
    return compress(
        np.array(weights, np.int64),
        constant,
        np.zeros(len(weights), np.int64),
        style=style,
        model=one_per_level(),
        clock=StageClock(None),
    )


def by_hand(tree: CompressorTree, leaves: tuple[int, ...]) -> int:
    """The sum as the counters define it, with bits that must be read after they are made."""
    bits = {0: 0, 1: 1} | {FIRST_LEAF + i: bit for i, bit in enumerate(leaves)}
    for counter in tree.counters:
        ones = sum(bits[bit] for bit in counter.inputs)
        for j, output in enumerate(counter.outputs):
            assert output not in bits
            bits[output] = ones >> j & 1
    return sum(bits[bit] << place for place, bit in enumerate(tree.result))


@given(trees(leaves=7))
def test_the_sum_of_every_pattern(tree: CompressorTree) -> None:
    patterns = list(product((0, 1), repeat=len(tree.weights)))
    expected = [int(np.dot(tree.weights, pattern)) + tree.constant for pattern in patterns]
    leaves = np.array(patterns, np.int64).reshape(len(patterns), -1)
    assert tree.evaluate(leaves).tolist() == expected
    assert [by_hand(tree, pattern) for pattern in patterns[:16]] == expected[:16]


@settings(max_examples=50)
@given(trees(leaves=200, largest=70), st.integers(0, 99))
def test_the_sum_of_many_bits(tree: CompressorTree, seed: int) -> None:
    leaves = np.random.default_rng(seed).integers(0, 2, (64, len(tree.weights)))
    leaves[0], leaves[1] = 0, 1
    assert np.array_equal(tree.evaluate(leaves), leaves @ tree.weights + tree.constant)


@given(trees())
def test_every_counter_keeps_the_weighted_sum(tree: CompressorTree) -> None:
    """Exhaustively for the counters with all their outputs; the others only lack a zero."""
    largest = int(tree.weights.sum()) + tree.constant
    for counter in tree.counters:
        assert len(counter.inputs) == SIZES[counter.kind]
        full = len(counter.inputs).bit_length()
        if len(counter.outputs) == full:
            for pattern in product((0, 1), repeat=len(counter.inputs)):
                ones = sum(pattern)
                assert sum((ones >> j & 1) << j for j in range(full)) == ones
        else:  # the missing carry would weigh more than the largest sum
            assert 1 << (counter.column + len(counter.outputs)) > largest


@given(trees())
def test_width_and_structure(tree: CompressorTree) -> None:
    largest = int(tree.weights.sum()) + tree.constant
    assert len(tree.result) == max(1, largest.bit_length())
    made = [bit for counter in tree.counters for bit in counter.outputs]
    first = FIRST_LEAF + len(tree.weights)
    assert made == list(range(first, first + len(made)))
    assert len(tree.arrival) == first + len(made)
    # Every bit is read once at every column it stands for: nothing is lost, nothing counted twice.
    read = [bit for counter in tree.counters for bit in counter.inputs]
    read += [bit for bit in tree.result if bit != 0]
    for leaf, weight in enumerate(tree.weights.tolist()):
        assert read.count(FIRST_LEAF + leaf) == weight.bit_count()
    assert read.count(1) == tree.constant.bit_count()
    assert all(read.count(bit) == 1 for bit in made)


@given(trees())
def test_counters_start_after_their_inputs(tree: CompressorTree) -> None:
    for counter in tree.counters:
        assert counter.arrival > max(tree.arrival[list(counter.inputs)])
        assert (tree.arrival[list(counter.outputs)] == counter.arrival).all()


@given(trees(leaves=100, largest=1))
def test_styles(tree: CompressorTree) -> None:
    kinds = {counter.kind for counter in tree.counters}
    assert kinds <= {"half_adder", "full_adder", "counter63"}


def test_full_adders_use_no_other_counter_and_counters_use_fewer() -> None:
    adders, counters = (built([1] * 200, style=style) for style in STYLES)
    assert {c.kind for c in adders.counters} <= {"half_adder", "full_adder"}
    assert "counter63" in {c.kind for c in counters.counters}
    assert len(counters.counters) < len(adders.counters)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("weights", "constant", "result"),
    [([], 0, (0,)), ([], 1, (1,)), ([], 6, (0, 1, 1)), ([1], 0, (2,)), ([4], 0, (0, 0, 2))],
)
def test_sums_without_a_counter(
    weights: list[int], constant: int, result: tuple[int, ...], style: Style
) -> None:
    tree = built(weights, constant, style)
    assert (tree.counters, tree.result) == ((), result)
    sums = tree.evaluate(np.array([[0] * len(weights), [1] * len(weights)]))
    assert sums.tolist() == [constant, constant + sum(weights)]


@pytest.mark.parametrize(("style", "inputs"), [("full-adders", 3), ("counters", 6)])
def test_counters_side_by_side_take_bits_side_by_side(style: Style, inputs: int) -> None:
    """Bits that are ready together are split into runs, one for each input of the counters."""
    tree = built([1] * 10 * inputs, style=style)
    first = np.array([counter.inputs for counter in tree.counters[:10]])
    assert first.tolist() == [
        [FIRST_LEAF + j + 10 * column for column in range(inputs)] for j in range(10)
    ]


def test_late_bits_wait() -> None:
    ready = np.array([0] * 9 + [50], np.int64)
    tree = compress(
        np.ones(10, np.int64),
        0,
        ready,
        style="full-adders",
        model=one_per_level(),
        clock=StageClock(None),
    )
    users = [c for c in tree.counters if FIRST_LEAF + 9 in c.inputs]
    assert len(users) == 1
    assert tree.counters.index(users[0]) >= 4
