"""Compressor trees and group sums in hardware against the weighted sums."""

from __future__ import annotations

import re
from itertools import product
from typing import get_args

import numpy as np
import pytest
from amaranth.back import rtlil
from circuits import members, packed, placed, registers_on_paths, run

from lgn_hdl.hdl import CompressorTree, GroupSum
from lgn_hdl.logic import LogicProgram, WeightedSums
from lgn_hdl.logic.compressor import Style
from lgn_hdl.logic.program import FIRST_INPUT
from lgn_hdl.network import FixedPoint

STYLES = get_args(Style)


def sums_only(classes: list[tuple[list[int], int]], inputs: int) -> LogicProgram:
    """No gates: each class is (weights of the first inputs, constant)."""
    weights = [w for row, _ in classes for w in row]
    signals = [FIRST_INPUT + i for row, _ in classes for i in range(len(row))]
    return LogicProgram(
        FixedPoint(1),
        inputs,
        np.arange(inputs, dtype=np.int32),
        np.zeros(inputs, np.int64),
        np.zeros((0, 1), np.int32),
        np.zeros(0, np.uint8),
        np.zeros(0, np.uint64),
        np.zeros(0, np.int32),
        WeightedSums(
            np.cumsum([0, *(len(row) for row, _ in classes)]).astype(np.int64),
            np.array(signals, np.int32),
            np.array(weights, np.int64),
            np.array([constant for _, constant in classes], np.int64),
        ),
    )


@pytest.mark.parametrize(
    ("operands", "kind"), [(2, "half_adder"), (3, "full_adder"), (6, "counter63")]
)
def test_counters_on_every_pattern(operands: int, kind: str) -> None:
    pipeline = placed(sums_only([([1] * operands, 0)], operands), style="counters")
    (class_sum,) = pipeline.sums
    assert [counter.kind for counter in class_sum.tree.counters] == [kind]
    patterns = list(range(1 << operands))
    block = CompressorTree(class_sum=class_sum, pipeline=pipeline)
    assert run(block, patterns) == [p.bit_count() for p in patterns]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("levels", [None, 1, 2])
@pytest.mark.parametrize(
    ("weights", "constant"),
    [
        ([1] * 8, 0),
        ([1] * 7, 1),
        ([3, 1, 2, 5, 1, 1, 4], 6),
        ([-1, 2, -3, 1, 1, 1], 4),
        ([1], 0),
        ([8], 0),
        ([], 5),
        ([], 0),
    ],
)
def test_tree_on_every_pattern(
    weights: list[int], constant: int, levels: int | None, style: Style
) -> None:
    program = sums_only([(weights, constant)], max(len(weights), 1))
    pipeline = placed(program, levels, style=style)
    (class_sum,) = pipeline.sums
    block = CompressorTree(class_sum=class_sum, pipeline=pipeline)
    patterns = list(product((0, 1), repeat=len(weights)))
    roots = np.array(patterns, int).reshape(len(patterns), -1)
    assert run(block, packed(roots)) == [
        constant + sum(w * x for w, x in zip(weights, pattern, strict=True)) for pattern in patterns
    ]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("levels", [None, 1, 3])
def test_group_sums(levels: int | None, style: Style) -> None:
    rng = np.random.default_rng(2)
    rows = [rng.integers(-3, 4, n).tolist() for n in (60, 1, 0, 33)]
    classes = [(row, -sum(min(w, 0) for w in row) + 3) for row in rows]
    program = sums_only(classes, 60)
    pipeline = placed(program, levels, style=style, argmax=False)
    block = GroupSum(roots=len(program.roots), pipeline=pipeline)
    samples = rng.integers(0, 2, (50, 60))
    samples[0], samples[1] = 0, 1
    scores = [
        [constant + int(np.dot(row, sample[: len(row)])) for row, constant in classes]
        for sample in samples
    ]
    width = max(len(s.tree.result) for s in pipeline.sums)
    inputs = samples[:, program.roots - FIRST_INPUT]
    assert run(block, packed(inputs)) == packed(np.array(scores), width)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("levels", [1, 2])
def test_registers_on_every_path(levels: int, style: Style) -> None:
    program = sums_only([([1] * 40, 0), ([1] * 3, 0), ([2], 0)], 40)
    pipeline = placed(program, levels, style=style)
    block = GroupSum(roots=len(program.roots), pipeline=pipeline)
    assert block.latency >= 2
    found = registers_on_paths(block, [*members(block, "i"), *members(block, "o")], ["o"])
    assert {n for counts in found for n in counts} == {block.latency}


def test_hierarchy_has_a_tree_for_each_class() -> None:
    program = sums_only([([1] * 4, 0), ([1] * 3, 0)], 4)
    text = rtlil.convert(GroupSum(roots=4, pipeline=placed(program)), name="groupsum")
    assert re.findall(r"cell \\(\S+) \\(\S+)", text) == [
        ("groupsum.class0", "class0"),
        ("groupsum.class1", "class1"),
    ]
