"""Gates of every function and number of inputs, in steps of any size."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import every_input, programs, random_program, signals_by_hand

from lgn_hdl.logic import LogicProgram, WeightedSums, evaluate, evaluate_signals, gatesteps
from lgn_hdl.logic.gatesteps import GateSteps, Pairs
from lgn_hdl.logic.lookups import coefficients
from lgn_hdl.network import FixedPoint


def one_level(k: int, tables: list[int], width: int) -> LogicProgram:
    """Gates on all k input bits, in order; every gate leaves. Rows of fan-in have `width`."""
    count, empty = len(tables), np.zeros(0, np.int64)
    fanin = np.zeros((count, width), np.int32)
    fanin[:, :k] = 2 + np.arange(k)
    return LogicProgram(
        FixedPoint(1),
        k,
        np.arange(k, dtype=np.int32),
        np.zeros(k, np.int64),
        fanin,
        np.full(count, k, np.uint8),
        np.array(tables, np.uint64),
        np.arange(2 + k, 2 + k + count, dtype=np.int32),
        WeightedSums(np.zeros(1, np.int64), empty, empty, empty),
    ).check()


def tables_of(k: int) -> list[int]:
    """All tables of up to three inputs; of more, each single bit, its complement and others."""
    if k <= 3:
        return list(range(1 << (1 << k)))
    every = (1 << (1 << k)) - 1
    single = [1 << i for i in range(1 << k)]
    rng = np.random.default_rng(k)
    others = [int(t) & every for t in rng.integers(0, 2**64, 100, dtype=np.uint64)]
    return [0, every, *single, *[every ^ t for t in single], *others]


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_every_table(k: int) -> None:
    tables = tables_of(k)
    inputs = list(product([0, 1], repeat=k))  # the first input is the most significant
    for width in (k, 6):
        found, _ = evaluate(one_level(k, tables, width), np.array(inputs))
        assert found.T.astype(int).tolist() == [
            [table >> index & 1 for index in range(1 << k)] for table in tables
        ]


@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
def test_coefficients_are_those_of_the_products(k: int) -> None:
    tables = tables_of(k)
    forms = coefficients(np.array(tables, np.uint64), np.full(len(tables), k)).tolist()
    for table, form in zip(tables, forms, strict=True):
        assert form >> (1 << k) == 0
        for index in range(1 << k):
            products = [m for m in range(1 << k) if form >> m & 1 and m & index == m]
            assert len(products) % 2 == table >> index & 1


@given(programs(), st.integers(1, 5))
def test_every_signal_in_steps_of_any_size(program: LogicProgram, size: int) -> None:
    features = every_input(program)
    by_hand = [signals_by_hand(program, sample) for sample in features.tolist()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gatesteps, "_GATES", size)
        patch.setattr(gatesteps, "_LOOKUPS", size)
        found = evaluate_signals(program, features, np.arange(program.num_signals))
        steps = GateSteps(program).steps
    assert found.astype(int).tolist() == by_hand
    sizes = [len(s.a) if isinstance(s, Pairs) else s.reads.shape[1] for s in steps]
    assert sum(sizes) == program.num_gates
    assert max(sizes, default=0) <= size


@given(programs())
def test_rows_are_the_signals_in_another_order(program: LogicProgram) -> None:
    row = GateSteps(program).row
    assert sorted(row.tolist()) == list(range(program.num_signals))
    assert row[: program.first_gate].tolist() == list(range(program.first_gate))


def test_gates_of_one_function_are_one_step() -> None:
    assert len(GateSteps(one_level(2, [0b1000] * 500 + [0b0110] * 500, 2)).steps) == 2
    assert len(GateSteps(one_level(6, tables_of(6), 6)).steps) == 1


def test_a_deep_chain() -> None:
    program = random_program(np.random.default_rng(1), gates=400, k=6, inputs=4)
    features = every_input(program)
    by_hand = [signals_by_hand(program, sample) for sample in features.tolist()]
    found = evaluate_signals(program, features, np.arange(program.num_signals))
    assert found.astype(int).tolist() == by_hand
