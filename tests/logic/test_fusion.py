"""Fusing the last gates with the counting of them: the same scores from fewer, larger gates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import every_input, programs, random_program, without_negative_scores

from lgn_hdl.logic import LogicProgram, evaluate, optimize
from lgn_hdl.logic.fusion import fuse_counts


def check(program: LogicProgram, inputs: int) -> LogicProgram:
    before, _ = optimize(without_negative_scores(program))
    after = fuse_counts(before, inputs).check()
    features = every_input(before)
    for x, y in zip(evaluate(before, features), evaluate(after, features), strict=True):
        assert np.array_equal(x, y)
    assert after.arity.max(initial=0) <= max(inputs, before.arity.max(initial=0))
    # The compressor trees count what is left, with every weight made positive.
    assert (after.sums.bounds[0] >= 0).all()
    assert (after.sums.weight != 0).all()
    return after


@given(programs(), st.integers(3, 6))
def test_same_scores_on_every_input(program: LogicProgram, inputs: int) -> None:
    check(program, inputs)


@pytest.mark.parametrize("inputs", [4, 6])
@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_many_gates_of_a_class(inputs: int, seed: int) -> None:
    """Wide and shallow, so that something is left to be fused after simplification."""
    program = random_program(
        np.random.default_rng(seed),
        features=10,
        inputs=16,
        gates=40,
        k=2,
        classes=2,
        terms=30,
        constants=False,
    )
    check(program, inputs)
