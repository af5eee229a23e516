"""The bit-packed evaluator against a program's definition in plain Python."""

from __future__ import annotations

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import evaluate_by_hand, every_input, programs, random_program, signals_by_hand

from lgn_hdl.errors import NetworkError
from lgn_hdl.logic import LogicProgram, WeightedSums, evaluate, evaluate_signals
from lgn_hdl.logic.evaluate import Evaluator
from lgn_hdl.logic.inputbits import InputBits
from lgn_hdl.logic.levels import _if_ordered, by_level, levels
from lgn_hdl.network import FixedPoint


@given(programs())
def test_bits_and_scores(program: LogicProgram) -> None:
    features = every_input(program)
    bits, scores = evaluate(program, features)
    assert bits.dtype == bool
    assert scores.dtype == np.int64
    assert (bits.astype(int).tolist(), scores.tolist()) == evaluate_by_hand(program, features)


@given(programs(), st.data())
def test_any_signals(program: LogicProgram, data) -> None:
    chosen = data.draw(st.lists(st.integers(0, program.num_signals - 1), max_size=6))
    features = every_input(program)[:20]
    found = evaluate_signals(program, features, np.array(chosen, np.int64))
    by_hand = [signals_by_hand(program, sample) for sample in features.tolist()]
    assert found.astype(int).tolist() == [[s[c] for c in chosen] for s in by_hand]


@pytest.mark.parametrize("samples", [0, 1, 63, 64, 65, 130])
def test_any_number_of_samples_in_any_blocks(samples: int, monkeypatch) -> None:
    program = random_program(np.random.default_rng(3), form=FixedPoint(3))
    features = np.random.default_rng(samples).integers(0, 8, (samples, program.features))
    expected = evaluate_by_hand(program, features)
    for least, block in ((1, 1), (8, 1 << 24)):
        monkeypatch.setitem(evaluate.__globals__, "_LEAST_WORDS", least)
        monkeypatch.setitem(evaluate.__globals__, "_BLOCK_BYTES", block)
        bits, scores = evaluate(program, features)
        assert bits.shape == (samples, len(program.bits))
        assert (bits.astype(int).tolist(), scores.tolist()) == expected


def test_blocks_are_few_and_of_one_size(monkeypatch) -> None:
    program = random_program(np.random.default_rng(3))
    blocks: list[int] = []
    monkeypatch.setitem(evaluate.__globals__, "_BLOCK_BYTES", 1)
    monkeypatch.setattr(
        InputBits, "write", lambda self, features, rows: blocks.append(len(features))
    )
    evaluate(program, np.zeros((64 * 17, program.features), int))
    assert blocks == [64 * 6, 64 * 6, 64 * 5]


def test_the_rows_of_a_wide_program_are_bounded() -> None:
    gates = 200_000
    program = random_program(np.random.default_rng(0), gates=4, bits=1)
    fanin = np.full((gates, 2), program.first_gate - 1, np.int32)
    wide = replace(
        program, fanin=fanin, arity=np.full(gates, 2, np.uint8), table=np.full(gates, 8, np.uint64)
    )
    features = np.zeros((5000, program.features), np.int64)
    evaluate(wide, features[:64])  # prepares
    tracemalloc.start()
    try:
        evaluate(wide, features)
        assert tracemalloc.get_traced_memory()[1] < 40e6
    finally:
        tracemalloc.stop()


def test_a_program_is_prepared_once_and_forgotten_with_it() -> None:
    program = random_program(np.random.default_rng(0))
    prepared = evaluate.__globals__["_prepared"]
    evaluate(program, every_input(program))
    evaluator = prepared[program]
    evaluate_signals(program, every_input(program), np.array([2]))
    assert prepared[program] is evaluator
    before = len(prepared)
    del program
    gc.collect()
    assert len(prepared) < before


def test_threads_may_share_an_evaluator() -> None:
    program = random_program(np.random.default_rng(7), form=FixedPoint(3), gates=200, k=6)
    evaluator, features = Evaluator(program), every_input(program)
    expected = evaluator(features)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: evaluator(features), range(16)):
            assert all(np.array_equal(x, y) for x, y in zip(found, expected, strict=True))


@pytest.mark.parametrize("weight", [1 << 20, 1 << 40])
def test_large_weights_are_summed_exactly(weight: int) -> None:
    program = random_program(np.random.default_rng(0), classes=2, terms=8)
    sums = program.sums
    odd = replace(
        program, sums=WeightedSums(sums.start, sums.signal, sums.weight * weight + 1, sums.constant)
    )
    features = every_input(odd)
    assert evaluate(odd, features)[1].tolist() == evaluate_by_hand(odd, features)[1]


@given(programs())
def test_levels(program: LogicProgram) -> None:
    expected = [0] * program.first_gate
    for gate in range(program.num_gates):
        expected.append(1 + max(expected[s] for s in program.fanin[gate, : program.arity[gate]]))
    expected = expected[program.first_gate :]
    assert levels(program).tolist() == expected
    groups = by_level(program)
    assert [gate for group in groups for gate in group.tolist()] == sorted(
        range(program.num_gates), key=lambda gate: (expected[gate], gate)
    )
    assert len(groups) == max(expected, default=0)
    ordered = expected == sorted(expected)
    found = _if_ordered(program)
    assert (found is not None) == ordered
    assert found is None or found.tolist() == expected


@given(programs())
def test_bounds_of_sums(program: LogicProgram) -> None:
    low, high = program.sums.bounds
    scores = evaluate(program, every_input(program))[1]
    assert (low <= scores).all()
    assert (scores <= high).all()


def test_bounds_are_reached_by_independent_signals() -> None:
    sums = WeightedSums(
        np.array([0, 3, 3]), np.array([2, 3, 4]), np.array([2, -3, 1]), np.array([10, -1])
    )
    low, high = sums.bounds
    assert (low.tolist(), high.tolist()) == ([7, -1], [13, -1])


def test_check_finds_what_is_out_of_order() -> None:
    program = random_program(np.random.default_rng(0), gates=4, k=2, bits=2)
    assert program.check() is program
    later = program.fanin.copy()
    later[2, 0] = program.first_gate + 2
    with pytest.raises(NetworkError, match="gate 2 reads a signal that is not defined before it"):
        replace(program, fanin=later).check()
    with pytest.raises(NetworkError, match="an output of the logic program is not one of its"):
        replace(program, bits=np.array([program.num_signals], np.int32)).check()
