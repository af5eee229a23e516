"""Gates as they were trained, without constants, wires and inverters."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from programs import every_input, programs, random_program

from lgn_hdl.logic import LogicProgram, WeightedSums, evaluate
from lgn_hdl.logic.absorb import absorb
from lgn_hdl.logic.program import FIRST_INPUT
from lgn_hdl.logic.simplify import simplify
from lgn_hdl.network import FixedPoint


@given(programs())
def test_the_answers_stay(program: LogicProgram) -> None:
    after, origin = absorb(program)
    features = every_input(after.check())
    assert len(origin) == after.num_gates
    for before, now in zip(evaluate(program, features), evaluate(after, features), strict=True):
        assert np.array_equal(before, now)


@given(programs(k=2))
def test_what_is_left_depends_on_two_inputs(program: LogicProgram) -> None:
    after, origin = absorb(program)
    inverters = origin < 0
    assert (after.arity[~inverters] == 2).all()
    # Neither of these depends on one input only.
    degenerate = {0b0000, 0b1111, 0b0011, 0b1100, 0b0101, 0b1010}
    assert not degenerate & set(after.table[~inverters].tolist())
    if not inverters.all():
        assert (after.fanin[~inverters] >= FIRST_INPUT).all()
        assert (after.fanin[~inverters, 0] != after.fanin[~inverters, 1]).all()
    # An inverter has no other reader than the outputs.
    made = after.first_gate + np.flatnonzero(inverters)
    assert not np.isin(after.fanin[:, :2], made).any()
    assert np.isin(made, after.bits).all()


@given(programs(k=2))
def test_no_gate_is_merged_with_another(program: LogicProgram) -> None:
    after, origin = absorb(program)
    kept = origin[origin >= 0]
    assert len(np.unique(kept)) == len(kept)
    assert simplify(program).num_gates <= after.num_gates


def _program(table: list[int], fanin: list[list[int]], bits: list[int]) -> LogicProgram:
    empty = np.zeros(0, np.int64)
    return LogicProgram(
        FixedPoint(1),
        2,
        np.arange(2, dtype=np.int32),
        np.zeros(2, np.int64),
        np.array(fanin, np.int32),
        np.full(len(table), 2, np.uint8),
        np.array(table, np.uint64),
        np.array(bits, np.int32),
        WeightedSums(np.zeros(1, np.int64), empty.astype(np.int32), empty, empty),
    ).check()


def test_equal_gates_stay_and_inverters_go() -> None:
    # Signals 2 and 3 are inputs; 4 is NOT a, 5 and 6 are AND(4, b), 7 is a constant.
    program = _program([0b0011, 0b1000, 0b1000, 0b1111], [[2, 3], [4, 3], [4, 3], [2, 3]], [5, 6])
    after, origin = absorb(program)
    assert origin.tolist() == [1, 2]
    assert after.table.tolist() in ([0b0010] * 2, [0b0100] * 2)


def test_an_inverter_that_is_an_output_stays() -> None:
    after, origin = absorb(_program([0b0011], [[2, 3]], [4]))
    assert origin.tolist() == [-1]
    assert after.arity.tolist() == [1]
    assert after.table.tolist() == [0b01]


def test_a_large_program_keeps_its_order() -> None:
    program = random_program(np.random.default_rng(3), gates=300, inputs=20, k=2, bits=40)
    _, origin = absorb(program)
    assert np.all(np.diff(origin[origin >= 0]) > 0)
