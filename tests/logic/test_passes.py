"""Every pass: the same answers on all possible inputs, and what must be gone afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import classifier
from programs import every_input, programs, random_program

from lgn_hdl.errors import VerifyError
from lgn_hdl.logic import LogicProgram, WeightedSums, evaluate, lower, optimize
from lgn_hdl.logic.dontcare import thermometer_dont_cares
from lgn_hdl.logic.groupsum import merge_sum_terms
from lgn_hdl.logic.levels import levels
from lgn_hdl.logic.passes import PASSES
from lgn_hdl.logic.program import FIRST_INPUT
from lgn_hdl.logic.simplify import simplify, without_dead
from lgn_hdl.logic.thresholds import merge_thresholds
from lgn_hdl.network import FixedPoint

OCTAL = FixedPoint(3)
EVERY_PASS = {**PASSES, "without_dead": without_dead, "all": lambda p: optimize(p)[0]}


def snapshot(program: LogicProgram) -> list[bytes]:
    arrays = [getattr(program, f.name) for f in fields(program)]
    arrays += [getattr(program.sums, f.name) for f in fields(program.sums)]
    return [a.tobytes() for a in arrays if isinstance(a, np.ndarray)]


def same_answers(before: LogicProgram, after: LogicProgram) -> bool:
    features = every_input(before)
    pairs = zip(evaluate(before, features), evaluate(after, features), strict=True)
    return all(x.shape == y.shape and np.array_equal(x, y) for x, y in pairs)


def reachable(program: LogicProgram) -> set[int]:
    """Signals that some output depends on, constants excluded."""
    found: set[int] = set()
    front = [*program.bits.tolist(), *program.sums.signal.tolist()]
    while front:
        signal = front.pop()
        if signal < FIRST_INPUT or signal in found:
            continue
        found.add(signal)
        gate = signal - program.first_gate
        if gate >= 0:
            front += program.fanin[gate, : program.arity[gate]].tolist()
    return found


@pytest.mark.parametrize("name", EVERY_PASS)
@given(program=programs())
def test_same_answers_on_every_input_and_nothing_mutated(name: str, program: LogicProgram) -> None:
    before = snapshot(program)
    after = EVERY_PASS[name](program)
    assert snapshot(program) == before
    assert same_answers(program, after.check())


@given(programs())
def test_simplify_leaves_no_redundant_gate(program: LogicProgram) -> None:
    after = simplify(program)
    seen: set[tuple] = set()
    inverters: set[int] = set()
    for gate in range(after.num_gates):
        k, table = int(after.arity[gate]), int(after.table[gate])
        wires = after.fanin[gate, :k].tolist()
        assert min(wires) >= FIRST_INPUT, "a constant input is left"
        assert len(set(wires)) == k, "a repeated input is left"
        assert after.fanin[gate, k:].tolist() == [0] * (len(after.fanin[gate]) - k)
        for p in range(k):
            assert any(table >> i & 1 != table >> (i ^ 1 << p) & 1 for i in range(1 << k)), (
                "an unused input is left"
            )
        if k == 1:
            assert table == 0b01, "a buffer is left"
            inverters.add(after.first_gate + gate)
        else:
            assert not table & 1, "a gate and its complement would both stay"
        assert (tuple(wires), table) not in seen, "equal gates are left"
        seen.add((tuple(wires), table))
    assert not inverters & set(after.fanin.ravel().tolist()), "an inverter is not absorbed"
    assert not inverters & set(after.sums.signal.tolist())
    assert reachable(after) == set(range(FIRST_INPUT, after.num_signals)), "dead signals are left"
    assert 0 not in after.sums.signal
    assert 1 not in after.sums.signal


@given(programs())
def test_simplify_twice_is_simplify_once(program: LogicProgram) -> None:
    once = simplify(program)
    assert snapshot(simplify(once)) == snapshot(once)


@given(programs())
def test_simplify_numbers_gates_by_level_and_kind(program: LogicProgram) -> None:
    after = simplify(program)
    logic = np.flatnonzero(after.arity > 1)  # inverters of outgoing bits stand at the end
    assert (after.arity[len(logic) :] == 1).all()
    mirror = {0b0010: 0b0100}
    kinds = [
        (int(k), mirror.get(t, t) if k == 2 else t)
        for k, t in zip(after.arity[logic].tolist(), after.table[logic].tolist(), strict=True)
    ]
    rows = list(zip(levels(after)[logic].tolist(), kinds, strict=True))
    assert [level for level, _ in rows] == sorted(level for level, _ in rows)
    runs = [row for n, row in enumerate(rows) if n == 0 or rows[n - 1] != row]
    assert len(runs) == len(set(runs)), "gates of one kind are apart"


def test_simplify_twice_keeps_the_numbers_of_a_large_program() -> None:
    for seed, k in enumerate((2, 3, 6)):
        rng = np.random.default_rng(seed)
        program = random_program(
            rng, features=8, inputs=12, gates=80, k=k, bits=30, constants=False
        )
        once = simplify(program)
        assert once.num_gates > 20
        assert snapshot(simplify(once)) == snapshot(once)


@given(programs())
def test_without_dead(program: LogicProgram) -> None:
    after = without_dead(program)
    assert reachable(after) == set(range(FIRST_INPUT, after.num_signals))
    assert after.num_signals - FIRST_INPUT == len(reachable(program))


@given(programs())
def test_thresholds_are_distinct_sorted_and_undecided(program: LogicProgram) -> None:
    after = merge_thresholds(program)
    pairs = list(zip(after.input_feature.tolist(), after.input_threshold.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    form = program.format
    assert all(form.min_int <= t < form.max_int for _, t in pairs)
    old = zip(program.input_feature.tolist(), program.input_threshold.tolist(), strict=True)
    assert set(pairs) == {p for p in old if form.min_int <= p[1] < form.max_int}


def test_a_pass_with_nothing_to_do_returns_its_program() -> None:
    program = tiny([(0, 3), (1, 2)], [([3, 2], 0b1000)], bits=[4])
    assert merge_thresholds(program) is program
    assert merge_thresholds(tiny([(1, 2), (0, 3)], [], bits=[2])) is not program
    after = merge_thresholds(tiny([(1, 2), (0, 3)], [], bits=[2]))
    assert after.input_feature.tolist() == [0, 1]


def tiny(
    comparisons: list[tuple[int, int]],
    gates: list[tuple[list[int], int]],
    bits: Sequence[int] = (),
    terms: Sequence[list[tuple[int, int]]] = (),
    form: FixedPoint = OCTAL,
) -> LogicProgram:
    """A program written out: comparisons, (inputs, table) gates, bits, (weight, signal) terms."""
    width = max((len(wires) for wires, _ in gates), default=1)
    flat = [term for row in terms for term in row]
    return LogicProgram(
        form,
        1 + max(f for f, _ in comparisons),
        np.array([f for f, _ in comparisons], np.int32),
        np.array([t for _, t in comparisons], np.int64),
        np.array([w + [0] * (width - len(w)) for w, _ in gates], np.int32).reshape(-1, width),
        np.array([len(w) for w, _ in gates], np.uint8),
        np.array([t for _, t in gates], np.uint64),
        np.array(bits, np.int32),
        WeightedSums(
            np.cumsum([0, *(len(row) for row in terms)]).astype(np.int64),
            np.array([s for _, s in flat], np.int32),
            np.array([w for w, _ in flat], np.int64),
            np.zeros(len(terms), np.int64),
        ),
    ).check()


def test_coinciding_thresholds_become_one_input() -> None:
    # x > 3 twice, x > 9 never in three bits, x > -1 always.
    program = tiny([(0, 3), (0, 3), (0, 9), (0, -1)], [], bits=[2, 3, 4, 5])
    after = merge_thresholds(program)
    assert after.num_inputs == 1
    assert after.bits.tolist() == [2, 2, 0, 1]
    assert same_answers(program, after)


@pytest.mark.parametrize("high_first", [True, False])
@pytest.mark.parametrize("table", range(16))
def test_two_comparisons_of_one_feature(table: int, high_first: bool) -> None:
    """With a: x > 5 and b: x > 2 the pattern a = 1, b = 0 cannot occur."""
    wires = [3, 2] if high_first else [2, 3]
    program = tiny([(0, 2), (0, 5)], [(wires, table)], bits=[4])
    after = thermometer_dont_cares(program)
    assert same_answers(program, after)
    # Values of the gate at x <= 2, 2 < x <= 5, x > 5.
    indices = (0b00, 0b01, 0b11) if high_first else (0b00, 0b10, 0b11)
    low, middle, high = (table >> i & 1 for i in indices)
    inputs = (low != middle) + (middle != high)
    assert after.num_inputs == inputs
    assert after.num_gates == (
        2 if (low, middle) == (1, 0) and inputs == 2 else inputs == 2 or (inputs == 1 and low == 1)
    )


def test_an_exclusive_or_of_comparisons_becomes_an_and() -> None:
    after = thermometer_dont_cares(tiny([(0, 2), (0, 5)], [([2, 3], 0b0110)], bits=[4]))
    assert after.num_gates == 1
    assert bin(int(after.table[0])).count("1") == 1


def test_comparisons_of_different_features_stay() -> None:
    program = tiny([(0, 2), (1, 5)], [([2, 3], 0b0110)], bits=[4])
    after = thermometer_dont_cares(program)
    assert (after.num_inputs, after.table.tolist()) == (2, [0b0110])


@given(programs())
def test_dont_cares_leave_no_input_that_makes_no_difference(program: LogicProgram) -> None:
    after = thermometer_dont_cares(simplify(merge_thresholds(program)))
    place = {
        FIRST_INPUT + i: (int(f), int(t))
        for i, (f, t) in enumerate(zip(after.input_feature, after.input_threshold, strict=True))
    }
    for gate in range(after.num_gates):
        k, table = int(after.arity[gate]), int(after.table[gate])
        wires = after.fanin[gate, :k].tolist()

        def possible(bits: tuple[int, ...], wires: list[int] = wires) -> bool:
            seen = [(*place[w], bit) for w, bit in zip(wires, bits, strict=True) if w in place]
            return not any(f == g and t > u and a and not b for f, t, a in seen for g, u, b in seen)

        patterns = [bits for bits in product((0, 1), repeat=k) if possible(bits)]
        value = {bits: table >> int("".join(map(str, bits)), 2) & 1 for bits in patterns}
        for p in range(k):
            other = {bits: (*bits[:p], 1 - bits[p], *bits[p + 1 :]) for bits in patterns}
            assert any(other[b] in value and value[b] != value[other[b]] for b in patterns)


def test_a_signal_and_its_complement_make_one() -> None:
    # Gates: nand = not and. Sum: and + nand + 2·a + ¬a.
    gates = [([2, 3], 0b1000), ([2, 3], 0b0111), ([2], 0b01)]
    program = tiny(
        [(0, 0), (1, 0)], gates, terms=[[(1, 4), (1, 5), (2, 2), (1, 6)]], form=FixedPoint(1)
    )
    after = merge_sum_terms(simplify(program))
    assert same_answers(program, after)
    assert after.num_gates == 0
    assert after.sums.constant.tolist() == [2]
    assert (after.sums.signal.tolist(), after.sums.weight.tolist()) == ([2], [1])


def test_equal_gates_become_an_integer_weight() -> None:
    gates = [([2, 3], 0b0110), ([3, 2], 0b0110), ([2, 3], 0b0110)]
    program = tiny([(0, 0), (1, 0)], gates, terms=[[(1, 4), (1, 5), (1, 6)]], form=FixedPoint(1))
    after = merge_sum_terms(simplify(program))
    assert (after.num_gates, after.sums.weight.tolist()) == (1, [3])
    assert same_answers(program, after)


@given(programs())
def test_merged_sums(program: LogicProgram) -> None:
    after = merge_sum_terms(simplify(program))
    sums = after.sums
    assert (sums.weight != 0).all()
    terms = list(zip(sums.owner.tolist(), sums.signal.tolist(), strict=True))
    assert len(set(terms)) == len(terms)
    assert reachable(after) == set(range(FIRST_INPUT, after.num_signals))


def test_a_class_that_cancels_out_is_a_constant() -> None:
    program = tiny([(0, 0)], [([2], 0b01)], terms=[[(1, 2), (1, 3)], []], form=FixedPoint(1))
    after = optimize(program)[0]
    assert (after.num_inputs, after.num_gates) == (0, 0)
    assert after.sums.constant.tolist() == [1, 0]
    assert same_answers(program, after)


def test_optimize_measures_every_pass() -> None:
    program = lower(classifier(element=FixedPoint(4, 3, signed=True)))
    seen: list[str] = []
    after, results = optimize(program, progress=seen.append)
    assert seen == list(PASSES)
    assert [result.name for result in results] == ["network", *PASSES]
    first, last = results[0], results[-1]
    assert (first.gates, first.inputs, first.terms, first.depth) == (36, 12, 18, 2)
    assert (last.gates, last.inputs) == (after.num_gates, after.num_inputs)
    assert last.terms == len(after.sums.signal)
    gates = [result.gates for result in results]
    assert gates == sorted(gates, reverse=True)
    assert all(result.seconds >= 0 for result in results)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_a_large_program_with_six_inputs_per_gate(seed: int) -> None:
    program = random_program(
        np.random.default_rng(seed), features=9, inputs=12, gates=60, k=6, bits=8, terms=20
    )
    assert same_answers(program, optimize(program)[0])


def test_a_wrong_pass_is_named(monkeypatch) -> None:
    def wrong(program: LogicProgram) -> LogicProgram:
        return replace(program, sums=replace(program.sums, constant=program.sums.constant + 1))

    monkeypatch.setitem(PASSES, "dont-cares", wrong)
    with pytest.raises(VerifyError, match="the pass 'dont-cares' changes score 0 of probe sample"):
        optimize(lower(classifier(element=FixedPoint(4, 3, signed=True))))
