"""Gates: vectors of operations against the program's definition in plain Python."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from circuits import members, packed, placed, registers_on_paths, run
from programs import random_program, signals_by_hand, without_negative_scores

from lgn_hdl.hdl import Gates
from lgn_hdl.logic import LogicProgram, optimize
from lgn_hdl.logic.program import FIRST_INPUT


def deep(seed: int, k: int, gates: int = 60) -> LogicProgram:
    """Simplified, with gates of up to `k` inputs on several levels."""
    program = random_program(
        np.random.default_rng(seed),
        features=7,
        inputs=9,
        gates=gates,
        k=k,
        bits=12,
        classes=0,
        constants=False,
    )
    return optimize(program)[0]


def by_hand(program: LogicProgram, samples: np.ndarray) -> list[int]:
    """The roots for samples of input bits, as one integer each."""
    found = []
    for sample in samples.tolist():
        # An input bit is a feature above zero: give each bit a feature of its own.
        own = replace(
            program,
            features=program.num_inputs,
            input_feature=np.arange(program.num_inputs, dtype=np.int32),
            input_threshold=np.zeros(program.num_inputs, np.int64),
        )
        signals = signals_by_hand(own, sample)
        found.append([signals[root] for root in program.roots])
    return packed(np.array(found, int).reshape(len(samples), -1))


@pytest.mark.parametrize("levels", [None, 1, 2])
@pytest.mark.parametrize("k", range(1, 7))
def test_random_programs(k: int, levels: int | None) -> None:
    for seed in range(3):
        program = deep(10 * seed + k, k)
        block = Gates(program=program, pipeline=placed(program, levels))
        samples = np.random.default_rng(seed).integers(0, 2, (60, program.num_inputs))
        assert run(block, packed(samples)) == by_hand(program, samples)


@pytest.mark.parametrize(("k", "tables"), [(1, range(4)), (2, range(1, 15)), (3, range(256))])
def test_every_table(k: int, tables: range) -> None:
    """All tables of one to three inputs side by side; constants have no two-input gate."""
    program = random_program(
        np.random.default_rng(0), features=k, inputs=k, gates=len(tables), k=k, constants=False
    )
    wires = np.tile(np.arange(k)[::-1] + FIRST_INPUT, (len(tables), 1))
    program = replace(
        program,
        fanin=wires.astype(np.int32),
        arity=np.full(len(tables), k, np.uint8),
        table=np.array(tables, np.uint64),
        bits=np.arange(len(tables), dtype=np.int32) + program.first_gate,
    )
    program = without_negative_scores(program)
    block = Gates(program=program, pipeline=placed(program))
    samples = np.array(list(product((0, 1), repeat=k)))
    for sample, found in zip(samples.tolist(), run(block, packed(samples)), strict=True):
        # The first wire is the last feature here, and the most significant of the index.
        index = sum(bit << place for place, bit in enumerate(sample))
        roots = [found >> place & 1 for place in range(len(program.roots))]
        expected = {
            program.first_gate + i: table >> index & 1 for i, table in enumerate(tables)
        } | {FIRST_INPUT + i: bit for i, bit in enumerate(sample)}
        assert roots == [expected[root] for root in program.roots.tolist()]


@pytest.mark.parametrize("levels", [None, 1, 2])
def test_registers_on_every_path(levels: int | None) -> None:
    program = deep(3, 2, gates=90)
    block = Gates(program=program, pipeline=placed(program, levels))
    assert (block.latency >= 2) == (levels == 1)
    found = registers_on_paths(block, [*members(block, "i"), *members(block, "o")], ["o"])
    assert [counts for counts in found if counts] == [{block.latency}] * len(program.roots)


def test_inputs_that_are_roots_are_only_delayed() -> None:
    program = deep(3, 2, gates=90)
    program = replace(program, bits=np.append(program.bits, FIRST_INPUT).astype(np.int32))
    block = Gates(program=program, pipeline=placed(program, 1))
    samples = np.random.default_rng(0).integers(0, 2, (40, program.num_inputs))
    assert run(block, packed(samples)) == by_hand(program, samples)
