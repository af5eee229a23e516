"""Every operation of a graph against truth tables, and its files against other readers."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from truth import every_pattern, number, read_aiger, values

from lgn_hdl.flow.equivalence import never_true
from lgn_hdl.proof.aig import FALSE, TRUE, Aig

INPUTS = 5
SEEDS = st.integers(0, 2**32 - 1)


def random_graph(rng: np.random.Generator, size: int) -> tuple[Aig, dict[int, np.ndarray]]:
    """A graph that is made with all operations, and what each literal should be."""
    aig = Aig(INPUTS)
    patterns = every_pattern(INPUTS)
    known = {FALSE: 0 * patterns[:, 0], TRUE: 0 * patterns[:, 0] + 1}
    known |= {literal: patterns[:, i] for i, literal in enumerate(aig.inputs)}
    for _ in range(size):
        literals = list(known)
        chosen = [literals[i] ^ int(rng.integers(2)) for i in rng.integers(0, len(literals), 6)]
        a, b, c, *_ = chosen
        known |= {literal: known[literal ^ 1] ^ 1 for literal in chosen if literal not in known}
        x, y, z = (known[literal] for literal in (a, b, c))
        k = int(rng.integers(0, 7))
        table = int(rng.integers(0, 2**64, dtype=np.uint64)) & (1 << (1 << k)) - 1
        index = sum(known[chosen[j]] << k - 1 - j for j in range(k)) + 0 * x
        looked_up = np.array([table >> i & 1 for i in index.tolist()])
        larger = number(np.stack([x, y, z], 1)) > number(np.stack([y, x, x], 1))
        made = [
            (aig.conjunction(a, b), x & y),
            (aig.disjunction(a, b), x | y),
            (aig.exclusive(a, b), x ^ y),
            (aig.choice(a, b, c), np.where(x, y, z)),
            (aig.any([a, b, c]), x | y | z),
            (aig.lookup(table, chosen[:k]), looked_up),
            (aig.exceeds([a, b, c], [b, a, a]), larger.astype(np.int64)),
        ]
        literal, value = made[int(rng.integers(len(made)))]
        # Where a node was there before, it must be the same function.
        assert np.array_equal(known.setdefault(literal, value), value)
    return aig, known


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_operations_are_what_they_say(seed: int) -> None:
    aig, known = random_graph(np.random.default_rng(seed), 25)
    found = values(aig, list(known))
    assert np.array_equal(found, np.stack(list(known.values()), axis=1))


@given(st.lists(st.tuples(st.integers(0, 2 * INPUTS + 1), st.integers(1, 37)), max_size=9))
@settings(max_examples=40, deadline=None)
def test_a_sum_of_weighted_bits(terms: list[tuple[int, int]]) -> None:
    aig = Aig(INPUTS)
    total = number(values(aig, aig.add(terms)))
    ones = values(aig, [literal for literal, _ in terms]) if terms else np.zeros((1, 0), np.int64)
    weights = np.array([weight for _, weight in terms], np.int64)
    assert np.array_equal(total, np.broadcast_to(ones @ weights, total.shape))


@pytest.mark.parametrize("seed", range(4))
def test_the_same_table_of_the_same_literals_is_one_node(seed: int) -> None:
    rng = np.random.default_rng(seed)
    aig = Aig(4)
    table = rng.integers(0, 2, (2, 2, 2, 2))
    first = aig.lookup(sum(int(bit) << i for i, bit in enumerate(table.ravel())), aig.inputs)
    for order in permutations(range(4)):
        turned = table.transpose(order).ravel()
        operands = [aig.inputs[i] for i in order]
        assert aig.lookup(sum(int(bit) << i for i, bit in enumerate(turned)), operands) == first


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_file_holds_the_cone_of_its_output(tmp_path_factory, seed: int) -> None:
    path = tmp_path_factory.mktemp("aiger") / "a.aig"
    aig, known = random_graph(np.random.default_rng(seed), 40)
    for literal in [*known][-3:]:
        aig.write(path, literal)
        assert np.array_equal(read_aiger(path.read_bytes()), known[literal])


def test_a_wide_file_is_read(tmp_path: Path) -> None:
    """Differences of literals beyond 127 take more than one byte."""
    aig = Aig(12)
    rng = np.random.default_rng(1)
    literals = list(aig.inputs)
    for _ in range(300):
        a, b = (literals[i] ^ int(rng.integers(2)) for i in rng.integers(0, len(literals), 2))
        literals.append(aig.exclusive(a, b))
    chosen = aig.any(literals[-40::7])
    aig.write(tmp_path / "a.aig", chosen)
    found = read_aiger((tmp_path / "a.aig").read_bytes())
    assert np.array_equal(found, values(aig, [chosen])[:, 0])


def test_abc_reads_the_file_alike(tmp_path: Path) -> None:
    """Its answers, and the inputs that it shows: both constants, an input, and deep cones."""
    aig, known = random_graph(np.random.default_rng(7), 60)
    # The same function made in two ways, which are not one node.
    a, b, c, *_ = aig.inputs
    left = aig.exclusive(aig.exclusive(a, b), c)
    same = aig.exclusive(left, aig.exclusive(a, aig.exclusive(b, c)))
    assert same not in (FALSE, TRUE)
    asked = [FALSE, TRUE, a, b ^ 1, same, same ^ 1, *[*known][-3:]]
    answers = []
    for literal in asked:
        aig.write(tmp_path / "a.aig", literal)
        answer = never_true(tmp_path / "a.aig")
        ones = values(aig, [literal])[:, 0]
        assert answer.proved == (not ones.any())
        answers.append(answer.proved)
        if not answer.proved:
            shown = [int(pair[-1]) for pair in answer.counterexample.split()]
            assert ones[number(np.array([shown]))[0]] == 1
    assert set(answers) == {True, False}


def test_support_is_what_a_cone_reads() -> None:
    aig = Aig(4)
    a, b, c, _ = aig.inputs
    both = aig.conjunction(a, b ^ 1)
    assert aig.support(aig.exclusive(both, c)) == {a, b, c}
    assert aig.support(both ^ 1) == {a, b}
    assert aig.support(c ^ 1) == {c}
    assert aig.support(TRUE) == set()
