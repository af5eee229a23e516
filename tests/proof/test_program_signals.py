"""Programs and trees as graphs, against plain Python."""

from __future__ import annotations

from typing import get_args

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import evaluate_by_hand, every_input, programs, signals_by_hand
from programs import without_negative_scores as shifted
from truth import number

from lgn_hdl.logic import LogicProgram, StageClock, evaluate, optimize, schedule
from lgn_hdl.logic.compressor import Style
from lgn_hdl.logic.timing import one_per_level
from lgn_hdl.proof.aig import Aig
from lgn_hdl.proof.program import count_table, program_signals, tree_sum


def patterns_of(program: LogicProgram, features: np.ndarray) -> np.ndarray:
    """Bits of feature values as the graph takes them: feature 0 lowest, two's complement."""
    width = program.format.width
    return (features[:, :, None] >> np.arange(width) & 1).reshape(len(features), -1)


@given(programs())
@settings(max_examples=60, deadline=None)
def test_signals_are_those_of_the_program(program: LogicProgram) -> None:
    """Thresholds beyond the format, constants and repeated fan-in among them."""
    aig = Aig(program.features * program.format.width)
    signals = program_signals(aig, program)
    features = every_input(program)
    found, _ = evaluate(aig.program(signals), patterns_of(program, features))
    expected = [signals_by_hand(program, sample) for sample in features.tolist()]
    assert np.array_equal(found, expected)


@given(programs(), st.sampled_from(get_args(Style)))
@settings(max_examples=40, deadline=None)
def test_a_tree_is_the_score(program: LogicProgram, style: Style) -> None:
    program, _ = optimize(shifted(program))
    pipeline = schedule(
        program, model=one_per_level(), clock=StageClock(None), style=style, argmax=False
    )
    aig = Aig(program.features * program.format.width)
    signals = program_signals(aig, program)
    roots = [signals[signal] for signal in program.roots.tolist()]
    features = every_input(program)
    patterns = patterns_of(program, features)
    _, expected = evaluate_by_hand(program, features)
    for c, class_sum in enumerate(pipeline.sums):
        bits, _ = evaluate(aig.program(tree_sum(aig, class_sum, roots)), patterns)
        assert number(bits).tolist() == [scores[c] for scores in expected]


@given(st.integers(0, 6), st.integers(0, 2))
def test_a_count_table_counts(inputs: int, place: int) -> None:
    table = count_table(inputs, place)
    for index in range(1 << inputs):
        assert table >> index & 1 == bin(index).count("1") // 2**place % 2
    assert table >> (1 << inputs) == 0
