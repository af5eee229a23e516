"""verify catches every single mutation that matters, on inputs that can occur."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import bits_only, classifier
from programs import every_input, random_program

from lgn_hdl.errors import VerifyError
from lgn_hdl.logic import LogicProgram, WeightedSums, evaluate, lower, optimize, verify
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import FixedPoint


def mutated(program: LogicProgram, kind: str, place: int, amount: int) -> LogicProgram:
    """The program with one table bit, wire, threshold, outgoing bit, weight or constant changed."""
    sums = program.sums
    if kind == "table":
        gate = place % program.num_gates
        table = program.table.copy()
        table[gate] ^= np.uint64(1 << amount % (1 << int(program.arity[gate])))
        return replace(program, table=table)
    if kind == "wire":
        gate = place % program.num_gates
        fanin = program.fanin.copy()
        fanin[gate, amount % int(program.arity[gate])] = place % (program.first_gate + gate)
        return replace(program, fanin=fanin)
    if kind == "threshold":
        threshold = program.input_threshold.copy()
        threshold[place % program.num_inputs] += 1
        return replace(program, input_threshold=threshold)
    if kind == "bit":
        bits = program.bits.copy()
        bits[place % len(bits)] = amount % program.num_signals
        return replace(program, bits=bits)
    weight, constant = sums.weight.copy(), sums.constant.copy()
    if kind == "weight":
        weight[place % len(weight)] += 1 + amount
    else:
        constant[place % len(constant)] -= 1 + amount
    return replace(program, sums=WeightedSums(sums.start, sums.signal, weight, constant))


@pytest.mark.parametrize("kind", ["table", "wire", "threshold", "bit", "weight", "constant"])
@given(st.integers(0, 2**32 - 1), st.integers(0, 99), st.integers(0, 99))
def test_every_mutation_that_matters_is_caught(
    kind: str, seed: int, place: int, amount: int
) -> None:
    program = random_program(
        np.random.default_rng(seed), form=FixedPoint(2), features=3, inputs=5, terms=6, k=4
    )
    assume(len(program.sums.signal))
    after = mutated(program, kind, place, amount)
    features = every_input(program)
    pairs = zip(evaluate(program, features), evaluate(after, features), strict=True)
    if all(np.array_equal(x, y) for x, y in pairs):
        verify(program, after, "nothing")
        return
    with pytest.raises(VerifyError, match=r"the pass 'mutation' changes (bit|score)"):
        verify(program, after, "mutation")


def test_the_message_says_what_became_what() -> None:
    program = lower(bits_only())
    with pytest.raises(VerifyError) as caught:
        verify(program, mutated(program, "table", 2, 1), "mine", seed=5)
    assert "the pass 'mine' changes bit 2 of probe sample " in str(caught.value)
    assert "became" in str(caught.value)
    assert "report it" in str(caught.value)


def test_a_missing_output_is_caught() -> None:
    program = lower(bits_only())
    with pytest.raises(VerifyError):
        verify(program, replace(program, bits=program.bits[:-1]), "short")


@pytest.mark.parametrize("form", [FixedPoint(1), FixedPoint(8), FixedPoint(62, signed=True)])
def test_probe_vectors(form: FixedPoint) -> None:
    program = lower(classifier(element=form)) if form.width > 1 else lower(bits_only())
    vectors = probe_vectors(program, 200, 3)
    assert vectors.shape == (200, program.features)
    assert vectors.dtype == np.int64
    assert (vectors[0] == form.min_int).all()
    assert (vectors[1] == form.max_int).all()
    assert (vectors >= form.min_int).all()
    assert (vectors <= form.max_int).all()
    assert np.array_equal(vectors, probe_vectors(program, 200, 3))
    assert not np.array_equal(vectors, probe_vectors(program, 200, 4))


def test_probe_vectors_sit_at_the_thresholds() -> None:
    """In a wide format a random value would hardly ever pass between two thresholds."""
    form = FixedPoint(32, 30, signed=True)
    program, _ = optimize(lower(classifier(element=form)))
    vectors = probe_vectors(program, 500, 0)
    for feature, threshold in zip(program.input_feature, program.input_threshold, strict=True):
        column = set(vectors[:, feature].tolist())
        assert {int(threshold), int(threshold) + 1} <= column
