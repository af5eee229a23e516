"""The latency is one number: all paths of small programs are walked, counting registers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import every_input, programs, random_program, without_negative_scores

from lgn_hdl.errors import VerifyError
from lgn_hdl.logic import (
    DELAY_MODELS,
    LogicProgram,
    Pipeline,
    StageClock,
    evaluate,
    evaluate_signals,
    optimize,
    schedule,
)
from lgn_hdl.logic.compressor import FIRST_LEAF, Style
from lgn_hdl.logic.program import FIRST_INPUT
from lgn_hdl.logic.schedule import _check
from lgn_hdl.logic.timing import one_per_level

counting_programs = programs().map(without_negative_scores)
settings_of_a_pipeline = st.tuples(
    st.sampled_from([(DELAY_MODELS["lut4"], None), (one_per_level(), 1), (one_per_level(), 2)])
    | st.sampled_from([(DELAY_MODELS["ice40"], 1500), (DELAY_MODELS["xilinx"], 700)]),
    st.sampled_from(get_args(Style)),
    st.booleans(),
)


def deep(rng: np.random.Generator) -> LogicProgram:
    """A program that is still several levels deep when it is simplified."""
    program = random_program(
        rng, features=8, inputs=12, gates=80, k=2, classes=3, terms=20, constants=False
    )
    return optimize(without_negative_scores(program))[0]


def placed(program: LogicProgram, options) -> Pipeline:
    (model, period), style, argmax = options
    return schedule(program, model=model, clock=StageClock(period), style=style, argmax=argmax)


def root_paths(program: LogicProgram, pipeline: Pipeline, signal: int) -> Iterator[int]:
    """Registers on every path from an input bit to the place where `signal` leaves the gates."""
    gate = signal - program.first_gate
    stage = pipeline.gate_stage

    def back(signal: int) -> Iterator[int]:
        gate = signal - program.first_gate
        if signal < FIRST_INPUT:
            return  # a constant is no path
        if gate < 0:
            yield 0
            return
        for source in program.fanin[gate, : program.arity[gate]].tolist():
            if source >= FIRST_INPUT:
                begin = stage[source - program.first_gate] if source >= program.first_gate else 0
                assert begin <= stage[gate], "a wire runs backwards"
                for registers in back(source):
                    yield registers + int(stage[gate] - begin)

    own = int(stage[gate]) if gate >= 0 else 0
    assert own <= pipeline.roots_stage
    for registers in back(signal):
        yield registers + pipeline.roots_stage - own


def tree_paths(pipeline: Pipeline, c: int) -> Iterator[int]:
    """Registers on every path through the compressor tree of class c."""
    tree = pipeline.sums[c].tree
    maker = {bit: counter for counter in tree.counters for bit in counter.outputs}

    def stage_of(bit: int) -> int:
        if bit in maker:
            return max(int(pipeline.clock.stage(maker[bit].arrival)), pipeline.roots_stage)
        return pipeline.roots_stage

    def back(bit: int) -> Iterator[int]:
        if bit < FIRST_LEAF:
            return
        if bit not in maker:
            yield 0
            return
        for source in maker[bit].inputs:
            if source >= FIRST_LEAF:
                assert stage_of(source) <= stage_of(bit), "a wire runs backwards"
                for registers in back(source):
                    yield registers + stage_of(bit) - stage_of(source)

    for bit in tree.result:
        for registers in back(bit):
            yield registers + pipeline.scores_stage - stage_of(bit)


@given(programs(gates=8, k=3).map(without_negative_scores), settings_of_a_pipeline)
def test_all_paths_cross_the_same_registers(program: LogicProgram, options) -> None:
    check_all_paths(optimize(program)[0], options)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), settings_of_a_pipeline)
def test_all_paths_of_deep_programs(seed: int, options) -> None:
    check_all_paths(deep(np.random.default_rng(seed)), options)


def check_all_paths(program: LogicProgram, options) -> None:
    pipeline = placed(program, options)
    for root in program.roots.tolist():
        assert set(root_paths(program, pipeline, root)) <= {pipeline.roots_stage}
    for c in range(len(pipeline.sums)):
        assert set(tree_paths(pipeline, c)) <= {pipeline.scores_stage - pipeline.roots_stage}
    assert list(pipeline.argmax_stage) == sorted(pipeline.argmax_stage)
    rounds = (len(program.sums) - 1).bit_length() if options[2] and len(program.sums) > 1 else 0
    assert len(pipeline.argmax_stage) == rounds
    assert pipeline.last_stage >= pipeline.scores_stage >= pipeline.roots_stage
    if options[0][1] is None:
        assert (pipeline.combinational, pipeline.latency, pipeline.stages) == (True, 0, 1)
    else:
        assert pipeline.latency == pipeline.stages == pipeline.last_stage + 1


@given(counting_programs, st.integers(1, 3))
def test_levels_per_stage(program: LogicProgram, levels: int) -> None:
    """No stage holds a chain of more than that many gates."""
    program, _ = optimize(program)
    pipeline = placed(program, ((one_per_level(), levels), "full-adders", True))
    depth = [0] * program.num_signals
    compared = program.format.width > 1  # a comparison is a level of its own in stage 0
    for gate in range(program.num_gates):
        stage, most = pipeline.gate_stage[gate], 0
        for source in program.fanin[gate, : program.arity[gate]].tolist():
            if source >= program.first_gate:
                if pipeline.gate_stage[source - program.first_gate] == stage:
                    most = max(most, depth[source])
            elif stage == 0:
                most = max(most, int(compared))
        depth[program.first_gate + gate] = most + 1
        assert most + 1 <= levels


@given(counting_programs, settings_of_a_pipeline)
def test_the_trees_add_up_to_the_scores(program: LogicProgram, options) -> None:
    program, _ = optimize(program)
    pipeline = placed(program, options)
    features = every_input(program)
    roots = evaluate_signals(program, features, program.roots)
    scores = evaluate(program, features)[1]
    for c, class_sum in enumerate(pipeline.sums):
        leaves = roots[:, class_sum.root] ^ class_sum.inverted
        assert np.array_equal(class_sum.tree.evaluate(leaves.astype(np.int64)), scores[:, c])


@pytest.fixture
def example() -> tuple[LogicProgram, Pipeline]:
    program = deep(np.random.default_rng(4))
    pipeline = placed(program, ((one_per_level(), 1), "full-adders", True))
    assert pipeline.roots_stage >= 2
    return program, pipeline


def test_a_gate_before_its_inputs_is_caught(example) -> None:
    program, pipeline = example
    stage = pipeline.gate_stage.copy()
    stage[np.argmax(stage)] = 0
    with pytest.raises(VerifyError, match="runs backwards in time"):
        _check(program, replace(pipeline, gate_stage=stage))


def test_blocks_that_overlap_are_caught(example) -> None:
    program, pipeline = example
    for change in (
        {"roots_stage": pipeline.roots_stage - 1},
        {"scores_stage": pipeline.roots_stage},
        {"argmax_stage": (pipeline.scores_stage - 1, pipeline.last_stage)},
        {"argmax_stage": pipeline.argmax_stage[::-1]},
    ):
        with pytest.raises(VerifyError, match="runs backwards in time"):
            _check(program, replace(pipeline, **change))


def test_a_network_of_wires_has_one_stage() -> None:
    program = random_program(np.random.default_rng(0), gates=0, bits=4, classes=0)
    pipeline = placed(optimize(program)[0], ((one_per_level(), 1), "full-adders", True))
    assert (pipeline.roots_stage, pipeline.stages, pipeline.latency) == (0, 1, 1)
