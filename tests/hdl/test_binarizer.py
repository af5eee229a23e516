"""Binarizer: every comparison, on every value of small formats and the edges of large ones."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Shape
from amaranth.lib import data
from circuits import packed, run

from lgn_hdl.hdl import Binarizer, feature_layout
from lgn_hdl.logic import LogicProgram, WeightedSums
from lgn_hdl.network import FixedPoint

FORMATS = [FixedPoint(w, signed=s) for w in (1, 2, 3, 4) for s in (False, True)]


def comparisons(form: FixedPoint, features: int, pairs: list[tuple[int, int]]) -> LogicProgram:
    """A program that is nothing but comparisons."""
    empty = np.zeros(0, np.int64)
    return LogicProgram(
        form,
        features,
        np.array([f for f, _ in pairs], np.int32),
        np.array([t for _, t in pairs], np.int64),
        np.zeros((0, 1), np.int32),
        np.zeros(0, np.uint8),
        np.zeros(0, np.uint64),
        np.arange(2, 2 + len(pairs), dtype=np.int32),
        WeightedSums(np.zeros(1, np.int64), empty.astype(np.int32), empty, empty),
    )


def check(form: FixedPoint, pairs: list[tuple[int, int]], samples: list[tuple[int, ...]]) -> None:
    program = comparisons(form, len(samples[0]), pairs)
    found = run(Binarizer(program=program), packed(np.array(samples, object), form.width))
    assert found == packed(np.array([[x[f] > t for f, t in pairs] for x in samples], int))


@pytest.mark.parametrize("form", FORMATS, ids=lambda f: f"{f.width}{'su'[not f.signed]}")
def test_every_threshold_on_every_value(form: FixedPoint) -> None:
    values = range(form.min_int, form.max_int + 1)
    # Thresholds out of order, twice, and one beyond each end of the format.
    thresholds = [*range(form.max_int, form.min_int - 2, -1), form.min_int]
    pairs = [(f, t) for t in thresholds for f in (1, 0)]
    check(form, pairs, list(product(values, repeat=2)))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("width", [8, 16, 33, 62])
def test_edges_of_wide_formats(width: int, signed: bool) -> None:
    form = FixedPoint(width, signed=signed)
    low, high = form.min_int, form.max_int
    thresholds = [low, low + 1, -1, 0, 1, (low + high) // 2, high - 1]
    values = sorted({v for t in thresholds for v in (t, t + 1) if low <= v <= high} | {high})
    check(form, [(1, t) for t in thresholds], [(low, v, high) for v in values])


def test_bits_pass_through() -> None:
    check(FixedPoint(1), [(2, 0), (0, 0), (0, 0)], list(product((0, 1), repeat=3)))


def test_a_program_without_inputs() -> None:
    block = Binarizer(program=comparisons(FixedPoint(4), 2, []))
    assert run(block, [0, 255]) == [0, 0]


def test_feature_layout() -> None:
    assert feature_layout(FixedPoint(1), 7) == Shape(7)
    layout = feature_layout(FixedPoint(5, signed=True), 3)
    assert isinstance(layout, data.ArrayLayout)
    assert layout.size == 15
    assert Shape.cast(layout.elem_shape) == Shape(5, signed=True)
    one_bit_numbers = feature_layout(FixedPoint(1, signed=True), 2)
    assert isinstance(one_bit_numbers, data.ArrayLayout)
