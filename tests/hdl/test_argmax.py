"""ArgMax: the largest score, the lowest index on a tie, exhaustively where it is small."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from circuits import members, packed, placed, registers_on_paths, run
from test_groupsum import sums_only

from lgn_hdl.hdl import ArgMax
from lgn_hdl.hdl.argmax import class_shape
from lgn_hdl.logic import Pipeline


def scores_of(classes: int, largest: int, levels: int | None = None) -> Pipeline:
    """A pipeline whose classes count up to `largest`."""
    return placed(sums_only([([1] * largest, 0)] * classes, largest), levels)


def check(pipeline: Pipeline, scores: np.ndarray) -> None:
    width = max(len(s.tree.result) for s in pipeline.sums)
    found = run(ArgMax(pipeline=pipeline), packed(scores, width))
    assert found == [row.index(max(row)) for row in scores.tolist()]


@pytest.mark.parametrize("classes", range(1, 12))
def test_every_pattern_of_one_bit_scores(classes: int) -> None:
    check(scores_of(classes, 1), np.array(list(product((0, 1), repeat=classes))))


@pytest.mark.parametrize("classes", range(1, 6))
def test_every_pattern_of_two_bit_scores(classes: int) -> None:
    check(scores_of(classes, 3), np.array(list(product(range(4), repeat=classes))))


@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("classes", range(1, 12))
def test_pipelined_with_many_ties(classes: int, levels: int) -> None:
    pipeline = scores_of(classes, 30, levels)
    rng = np.random.default_rng(classes)
    scores = rng.choice([0, 7, 8, 29, 30, 31], (60, classes))
    scores[:classes] = np.eye(classes, dtype=int)[:60] * 31
    check(pipeline, scores)
    block = ArgMax(pipeline=pipeline)
    assert block.latency == pipeline.last_stage - pipeline.scores_stage
    found = registers_on_paths(block, [*members(block, "i"), *members(block, "o")], ["o"])
    assert {n for counts in found for n in counts} <= {block.latency}


def test_class_index_is_wide_enough() -> None:
    for classes, bits in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (11, 4)]:
        assert class_shape(classes).width == bits
