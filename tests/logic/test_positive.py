"""Sums of positive terms: the same scores, and nothing is taken away."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from programs import every_input, programs

from lgn_hdl.logic import LogicProgram, evaluate, optimize
from lgn_hdl.logic.positive import positive_sums
from lgn_hdl.logic.program import FIRST_INPUT


@given(programs())
def test_scores_stay_and_terms_are_positive(program: LogicProgram) -> None:
    after = positive_sums(program).check()
    features = every_input(program)
    for before, now in zip(evaluate(program, features), evaluate(after, features), strict=True):
        assert np.array_equal(before, now)
    assert (after.sums.weight[after.sums.signal >= FIRST_INPUT] >= 0).all()
    added = after.num_gates - program.num_gates
    negative = (program.sums.weight < 0) & (program.sums.signal >= FIRST_INPUT)
    assert added == len(np.unique(program.sums.signal[negative]))


@given(programs(k=2))
def test_it_is_the_last_pass(program: LogicProgram) -> None:
    after, results = optimize(program, positive=True)
    assert results[-1].name == "positive-sums"
    assert (after.sums.weight >= 0).all()
