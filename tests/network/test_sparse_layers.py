"""Layers on sparse images: the types they give, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from sparse_networks import BIASES, WEIGHTS, constants, conv

from lgn_hdl.errors import NetworkError
from lgn_hdl.network import (
    BIT,
    REAL,
    Dense,
    FixedPoint,
    InputReduce,
    Layer,
    Quantize,
    SparseFlatten,
    SparsePool2d,
    TensorType,
)

RNG = np.random.default_rng(7)
PIXELS = FixedPoint(4, 2)
IMAGE = TensorType((2, 7, 9), PIXELS)
SLOTS = TensorType((5, 2), PIXELS, masked=True, frame=(7, 9))
CONV = conv(RNG, 2, 3, 3)
DENSE = Dense(constants(RNG, WEIGHTS, 3, 4), constants(RNG, BIASES, 3), WEIGHTS, BIASES)
VECTOR = TensorType((4,), FixedPoint(3, 1, scale=Fraction(1, 49)))


def test_types() -> None:
    assert InputReduce(5).infer(IMAGE) == SLOTS
    averaged = SparsePool2d((2, 4)).infer(SLOTS)
    assert averaged.frame == (3, 2)
    assert averaged.element == FixedPoint(7, 2, scale=Fraction(1, 8))
    largest = SparsePool2d((2, 4), "max").infer(SLOTS)
    assert largest == replace(SLOTS, frame=(3, 2))
    assert SparseFlatten().infer(averaged) == TensorType((12,), averaged.element)
    assert Quantize(FixedPoint(3)).infer(SLOTS) == replace(SLOTS, element=FixedPoint(3))


def test_a_bias_is_a_whole_number_of_units_of_the_sum() -> None:
    out = DENSE.infer(VECTOR).element
    assert isinstance(out, FixedPoint)
    assert (BIASES.step / out.step).denominator == 1
    assert (VECTOR.element.step * WEIGHTS.step / out.step) == 1  # pyright: ignore
    finer = replace(DENSE, bias_format=FixedPoint(6, 9, signed=True)).infer(VECTOR).element
    assert (FixedPoint(6, 9).step / finer.step).denominator == 1  # pyright: ignore


@pytest.mark.parametrize(
    ("layer", "source", "message"),
    [
        (InputReduce(0), IMAGE, "0 slots for a frame of 7 x 9 pixels, expected 1 to 63"),
        (InputReduce(64), IMAGE, "64 slots for a frame of 7 x 9 pixels, expected 1 to 63"),
        (InputReduce(5, float("nan")), IMAGE, "threshold is nan"),
        (InputReduce(5), TensorType((2, 7, 9), REAL), "give the input a number format"),
        (InputReduce(5), TensorType((7, 9), PIXELS), r"takes an image \(C, H, W\)"),
        (CONV, IMAGE, "takes a sparse tensor"),
        (CONV, replace(SLOTS, shape=(5, 3)), r"expected int64 of \(any, 3, any, any\)"),
        (replace(CONV, kernel=CONV.kernel[..., :2]), SLOTS, "kernel is 3 x 2, expected odd"),
        (
            replace(CONV, kernel=CONV.kernel + 32),
            SLOTS,
            "the range of fixed<5,2>: -16 to 15",
        ),
        (replace(CONV, bias=CONV.bias[:2]), SLOTS, r"bias .* expected int64 of \(3\)"),
        (replace(CONV, bias=CONV.bias.astype(np.int32)), SLOTS, "bias is int32"),
        (CONV, replace(SLOTS, element=FixedPoint(59)), "width is 6[3-9], expected 1 to 62"),
        (SparsePool2d((0, 2)), SLOTS, "expected two positive numbers"),
        (SparsePool2d((8, 2)), SLOTS, "does not fit a frame"),
        (SparsePool2d((2, 2), "min"), SLOTS, "pooling is 'min'"),  # pyright: ignore
        (
            SparsePool2d((2, 2), "max"),
            replace(SLOTS, element=FixedPoint(4, signed=True)),
            "would depend on pixels not kept",
        ),
        (SparseFlatten(), IMAGE, "takes a sparse tensor"),
        (Quantize(FixedPoint(3)), TensorType((2,), BIT), "takes fixed-point numbers"),
        (Quantize(FixedPoint(62, 62)), VECTOR, "takes more than 64 bits"),
        (DENSE, TensorType((5,), PIXELS), r"weight .* expected int64 of \(any, 5\)"),
        (DENSE, TensorType((2, 2), PIXELS), "takes one axis"),
    ],
)
def test_refused(layer: Layer, source: TensorType, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        layer.infer(source)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (5, 2), "frame": (7, 9)}, "places on a frame are for slots"),
        ({"shape": (5,), "masked": True, "frame": (7, 9)}, "places on a frame are for slots"),
        ({"shape": (5, 2), "masked": True, "frame": (7, 0)}, "expected positive integers"),
    ],
)
def test_frames(options, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        TensorType(**options)
