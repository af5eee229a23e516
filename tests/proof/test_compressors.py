"""Trees that add up have no fault, and every kind of damage is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import programs, without_negative_scores

from lgn_hdl.logic import LogicProgram, Pipeline, StageClock, WeightedSums, optimize, schedule
from lgn_hdl.logic.compressor import CompressorTree, Style
from lgn_hdl.logic.schedule import ClassSum
from lgn_hdl.logic.timing import one_per_level
from lgn_hdl.network import FixedPoint
from lgn_hdl.proof.compressors import tree_faults


def sums_of(weights: list[list[int]], constants: list[int]) -> LogicProgram:
    """A program whose sums are taken over its input bits."""
    most = max(1, *map(len, weights))
    signals = [2 + i for terms in weights for i in range(len(terms))]
    empty = np.zeros(0, np.int64)
    return LogicProgram(
        FixedPoint(1),
        most,
        np.arange(most, dtype=np.int32),
        np.zeros(most, np.int64),
        np.zeros((0, 1), np.int32),
        empty.astype(np.uint8),
        empty.astype(np.uint64),
        empty.astype(np.int32),
        WeightedSums(
            np.cumsum([0, *map(len, weights)]),
            np.array(signals, np.int32),
            np.array([w for terms in weights for w in terms], np.int64),
            np.array(constants, np.int64),
        ),
    ).check()


def placed(program: LogicProgram, style: Style = "full-adders") -> Pipeline:
    return schedule(program, model=one_per_level(), clock=StageClock(1), style=style, argmax=False)


@given(
    st.lists(st.lists(st.integers(-300, 300).filter(bool), max_size=40), min_size=1, max_size=3),
    st.integers(0, 50),
    st.sampled_from(get_args(Style)),
)
@settings(max_examples=80, deadline=None)
def test_trees_of_any_weights_have_no_fault(
    weights: list[list[int]], spare: int, style: Style
) -> None:
    """No terms, one term, negative weights, and constants that a sum needs for these."""
    constants = [spare - sum(w for w in terms if w < 0) for terms in weights]
    program = sums_of(weights, constants)
    assert tree_faults(program, placed(program, style)) == []


@given(programs())
@settings(max_examples=25, deadline=None)
def test_trees_of_programs_have_no_fault(program: LogicProgram) -> None:
    program, _ = optimize(without_negative_scores(program))
    assert tree_faults(program, placed(program)) == []


#: Weights 1 to 3, one of them negative: two columns and a carry.
PROGRAM = sums_of([[1, 2, -3, 1, 1, 2, 1]], [4])


def damaged(**changes: object) -> list[str]:
    """Faults of the tree with something replaced in it."""
    pipeline = placed(PROGRAM)
    (class_sum,) = pipeline.sums
    of_sum = {name: value for name, value in changes.items() if name in ("root", "inverted")}
    of_tree = {name: value for name, value in changes.items() if name not in of_sum}
    tree = replace(class_sum.tree, **of_tree)
    wrong = replace(class_sum, tree=tree, **of_sum)
    return tree_faults(PROGRAM, replace(pipeline, sums=(wrong,)))


def _tree() -> CompressorTree:
    return placed(PROGRAM).sums[0].tree


def _counter(number: int, **changes: object) -> list[str]:
    counters = list(_tree().counters)
    counters[number] = replace(counters[number], **changes)  # pyright: ignore[reportArgumentType]
    return damaged(counters=tuple(counters))


def _sum() -> ClassSum:
    return placed(PROGRAM).sums[0]


DAMAGE: dict[str, tuple[Callable[[], list[str]], str]] = {
    "a leaf": (lambda: damaged(root=_sum().root[[1, 0, 2, 3, 4, 5, 6]]), "are not the signals"),
    "a missing leaf": (lambda: damaged(root=_sum().root[:-1]), "are not the signals"),
    "a weight": (lambda: damaged(weights=_tree().weights + 1), "have other weights"),
    "a sign": (lambda: damaged(inverted=~_sum().inverted), "have other weights"),
    "the constant": (lambda: damaged(constant=_tree().constant + 1), "adds the constant"),
    "an input of a counter": (
        lambda: _counter(0, inputs=(0, *_tree().counters[0].inputs[1:])),
        "has the weight",
    ),
    "an input twice": (
        lambda: _counter(0, inputs=(_tree().counters[0].inputs[1],) * 3),
        "has the weight",
    ),
    "a column": (lambda: _counter(0, column=1), "has the weight"),
    "a lost carry": (
        lambda: _counter(0, outputs=_tree().counters[0].outputs[:1]),
        "is not connected as it should be",
    ),
    "an input of later": (
        lambda: _counter(0, inputs=_tree().counters[0].outputs[:1] * 3),
        "is not connected as it should be",
    ),
    "swapped outputs": (
        lambda: _counter(0, outputs=_tree().counters[0].outputs[::-1]),
        "made twice, or never",
    ),
    "an output of another": (
        lambda: _counter(1, outputs=_tree().counters[0].outputs),
        "made twice, or never",
    ),
    "a missing counter": (lambda: damaged(counters=_tree().counters[:-1]), "has the weight"),
    "swapped result bits": (lambda: damaged(result=_tree().result[::-1]), "has the weight"),
    "a missing result bit": (lambda: damaged(result=_tree().result[:-1]), "cannot hold"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_a_fault(name: str) -> None:
    damage, expected = DAMAGE[name]
    assert damaged() == []
    (fault,) = damage()
    assert fault.startswith("class 0: ")
    assert expected in fault


def test_a_missing_tree_is_a_fault() -> None:
    pipeline = replace(placed(PROGRAM), sums=())
    assert tree_faults(PROGRAM, pipeline) == ["there are 0 trees for 1 classes"]


def test_a_negative_weight_is_a_fault() -> None:
    """The sum of -4 and 7 fits into two bits only if both are there."""
    program = sums_of([[4, 7]], [0])
    (class_sum,) = placed(program).sums
    tree = CompressorTree(np.array([-4, 7]), 4, (), (0, 0, 0), np.zeros(4, np.int64))
    wrong = replace(class_sum, inverted=np.array([True, False]), tree=tree)
    (fault,) = tree_faults(program, replace(placed(program), sums=(wrong,)))
    assert fault == "class 0: the weight -4 is negative"
