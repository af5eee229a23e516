"""Sums as polynomials, against all values of their signals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import classifier
from truth import every_pattern, values

from lgn_hdl.compiler.design import Design, plan
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.flow.equivalence import never_true
from lgn_hdl.logic import WeightedSums
from lgn_hdl.network import FixedPoint
from lgn_hdl.proof.aig import FALSE, TRUE, Aig
from lgn_hdl.proof.circuits import Circuits
from lgn_hdl.proof.sums import Definition, Polynomial, difference, gate_polynomial, nonzero
from lgn_hdl.proof.witness import Witness, sums_differ

INPUTS = 4
LITERALS = st.integers(0, 2 * INPUTS + 1)


def polynomial_values(polynomial: Polynomial, aig: Aig, inputs: int) -> np.ndarray:
    """Of every pattern of the inputs."""
    total = np.zeros(1 << inputs, np.int64)
    for monomial, coefficient in polynomial.items():
        ones = values(aig, sorted(monomial)) if monomial else np.ones((1 << inputs, 1), np.int64)
        total += coefficient * ones.prod(axis=1)
    return total


@given(st.lists(LITERALS, max_size=6), st.integers(0, 2**64 - 1))
@settings(max_examples=80, deadline=None)
def test_the_polynomial_of_a_gate_is_the_gate(operands: list[int], table: int) -> None:
    """Operands may be constants, complements, and the same signal more than once."""
    k = len(operands)
    table &= (1 << (1 << k)) - 1
    aig = Aig(INPUTS)
    polynomial = gate_polynomial(table, operands)
    index = values(aig, operands) @ (1 << np.arange(k)[::-1]) if k else np.zeros(1 << INPUTS, int)
    expected = [table >> i & 1 for i in index.tolist()]
    assert polynomial_values(polynomial, aig, INPUTS).tolist() == expected
    assert all(polynomial.values())
    assert all(literal >= 2 and not literal & 1 for m in polynomial for literal in m)


def random_gates(aig: Aig, rng: np.random.Generator, gates: int) -> dict[int, Definition]:
    """Definitions of gates over the inputs, constants and degenerate ones among them."""
    found: dict[int, Definition] = {}
    for _ in range(gates):
        k = int(rng.integers(2, 5))
        operands = [int(literal) for literal in rng.integers(0, 2 * INPUTS + 2, k)]
        table = int(rng.integers(0, 1 << (1 << k)))
        literal = aig.lookup(table, operands)
        if literal & 1:
            table ^= (1 << (1 << k)) - 1
        found[literal & ~1] = (table, operands)
    return found


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.integers(-5, 5)), max_size=8),
    st.integers(-4, 4),
)
@settings(max_examples=80, deadline=None)
def test_a_difference_is_the_value_of_the_sum(
    seed: int, chosen: list[tuple[int, bool, int]], constant: int
) -> None:
    aig = Aig(INPUTS)
    definitions = random_gates(aig, np.random.default_rng(seed), 6)
    pool = [FALSE, *aig.inputs, *definitions]
    terms = [(pool[i % len(pool)] ^ int(phase), weight) for i, phase, weight in chosen]
    polynomial = difference(terms, constant, definitions)
    expected = np.full(1 << INPUTS, constant)
    for literal, weight in terms:
        expected += weight * values(aig, [literal])[:, 0]
    assert np.array_equal(polynomial_values(polynomial, aig, INPUTS), expected)
    found = values(aig, [nonzero(aig, polynomial)])[:, 0]
    assert np.array_equal(found, expected != 0)


def test_a_constant_gate_does_not_hide_a_wrong_constant() -> None:
    """The constant of a sum is no signal, also where a gate is known to be constant."""
    aig = Aig(2)
    a, b = aig.inputs
    assert aig.lookup(0b0110, (a, a)) == FALSE
    assert difference([(b, 1), (b, -1)], 3, {0: (0b0110, [a, a])}) == {frozenset(): 3}


def test_the_count_of_three_gates_is_that_of_their_adder() -> None:
    """As fusion makes it: two bits of weights 1 and 2 for three gates over the same inputs."""
    aig = Aig(3)
    gates = [(0b10000000, aig.inputs), (0b11101000, aig.inputs), (0b00011110, aig.inputs)]
    counts = [sum(table >> i & 1 for table, _ in gates) for i in range(8)]
    count_bits = [sum((n >> place & 1) << i for i, n in enumerate(counts)) for place in (0, 1)]
    sides = [*((table, 1) for table, _ in gates), (count_bits[0], -1), (count_bits[1], -2)]
    definitions, terms = {}, []
    for table, weight in sides:
        literal = aig.lookup(table, aig.inputs)
        definitions[literal & ~1] = (table ^ 0xFF if literal & 1 else table, aig.inputs)
        terms.append((literal, weight))
    assert difference(terms, 0, definitions) == {}
    heavier = [(literal, weight - (weight == -2)) for literal, weight in terms]
    wrong = nonzero(aig, difference(heavier, 0, definitions))
    ones = np.array(counts)[[int("".join(map(str, p)), 2) for p in every_pattern(3)]]
    assert np.array_equal(values(aig, [wrong])[:, 0], ones >= 2)


def test_what_is_left_over_goes_to_the_solver(tmp_path: Path) -> None:
    """Equal signals that are different polynomials of nodes."""
    aig = Aig(3)
    a, b, c = aig.inputs
    left = aig.exclusive(aig.exclusive(a, b), c)
    right = aig.exclusive(a, aig.exclusive(b, c))
    assert left != right
    for constant, proved in ((0, True), (1, False)):
        wrong = nonzero(aig, difference([(left, 3), (right, -3)], constant, {}))
        assert wrong not in (FALSE, TRUE)
        aig.write(tmp_path / "a.aig", wrong)
        assert never_true(tmp_path / "a.aig").proved is proved


def _design(**options: object) -> Design:
    network = classifier(element=FixedPoint(2, 1, signed=True), classes=2)
    return plan(network, BuildOptions(**options).resolved())  # pyright: ignore[reportArgumentType]


def _with_sums(design: Design, sums: WeightedSums) -> Design:
    return replace(design, core=replace(design.core, program=replace(design.program, sums=sums)))


def _differ(design: Design) -> np.ndarray:
    """Whether the sums differ, for all values of the features."""
    circuits = Circuits.of(design.network, design.program, design.pipeline, True)
    wrong = sums_differ(circuits, Witness.of(circuits.aig, design.network))
    return values(circuits.aig, [wrong])[:, 0]


def test_the_sums_of_a_program_are_the_counts_of_the_network() -> None:
    for options in ({}, {"target": "lut4"}, {"target": "lut6"}):
        assert not _differ(_design(**options)).any()


def test_a_wrong_constant_or_weight_is_seen() -> None:
    design = _design()
    sums = design.program.sums
    off = replace(sums, constant=sums.constant + np.array([0, 1]))
    assert _differ(_with_sums(design, off)).all()
    weight = sums.weight.copy()
    weight[0] += 1
    heavy = WeightedSums(sums.start, sums.signal, weight, sums.constant)
    wrong = _with_sums(design, heavy)
    circuits = Circuits.of(wrong.network, wrong.program, wrong.pipeline, True)
    on = values(circuits.aig, [circuits.signals[int(sums.signal[0])]])[:, 0]
    assert on.any()
    assert np.array_equal(_differ(wrong), on)
