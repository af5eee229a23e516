"""Layers over images and layers that arrange: what they accept, and what they say otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from image_networks import random_conv

from lgn_hdl.errors import NetworkError
from lgn_hdl.network import (
    BIT,
    REAL,
    AxisSum,
    FixedPoint,
    Layer,
    LogicConv,
    OrPool,
    Permute,
    Slice,
    TensorType,
)
from lgn_hdl.network.images import output_size

IMAGE = TensorType((4, 5, 6), BIT)


def conv(**options) -> LogicConv:
    return random_conv(np.random.default_rng(1), 4, 7, **options)


@pytest.mark.parametrize(
    ("size", "window", "stride", "padding", "expected"),
    [
        ((13, 8), (3, 3), (1, 1), (1, 1), (13, 8)),
        ((13, 8), (2, 2), (2, 2), (0, 0), (6, 4)),
        ((6, 4), (3, 3), (2, 2), (1, 1), (3, 2)),
        ((5,), (5,), (3,), (0,), (1,)),
        ((2, 2, 2), (3, 3, 3), (1, 1, 1), (1, 1, 1), (2, 2, 2)),
    ],
)
def test_number_of_positions(size, window, stride, padding, expected) -> None:
    assert output_size(size, window, stride, padding) == expected


def test_full_size_smartpixels_has_the_gates_of_the_talk() -> None:
    channels, gates = 100, 0
    for kernels in (256, 512, 1024, 960):
        layer = random_conv(np.random.default_rng(0), channels, kernels, depth=3)
        gates, channels = gates + layer.tables.size, kernels
    assert gates + 12000 + 12000 + 6000 + 3000 == 52_264


@pytest.mark.parametrize(
    ("layer", "source", "result"),
    [
        (conv(), IMAGE, TensorType((7, 5, 6), BIT)),
        (conv(depth=1), IMAGE, TensorType((7, 5, 6), BIT)),
        (conv(k=6, depth=2, stride=(2, 3), padding=(0, 2)), IMAGE, TensorType((7, 2, 3), BIT)),
        (conv(positions=30), IMAGE, TensorType((7, 5, 6), BIT)),
        (conv(window=(2,), stride=(2,), padding=(0,)), TensorType((4, 9)), TensorType((7, 4))),
        (OrPool((2, 2), (2, 2), (0, 0)), IMAGE, TensorType((4, 2, 3), BIT)),
        (OrPool((3, 3), (2, 2), (1, 1)), IMAGE, TensorType((4, 3, 3), BIT)),
        (Permute((2, 0, 1)), TensorType((4, 5, 6), REAL), TensorType((6, 4, 5), REAL)),
        (Slice(1, 2, 5), IMAGE, TensorType((4, 3, 6), BIT)),
        (
            AxisSum((1,)),
            TensorType((13, 21), FixedPoint(8, 2)),
            TensorType((13,), FixedPoint(13, 2)),
        ),
        (
            AxisSum((0, 2)),
            TensorType((2, 3, 2), FixedPoint(3, signed=True)),
            TensorType((3,), FixedPoint(5, signed=True)),
        ),
    ],
)
def test_output_types(layer: Layer, source: TensorType, result: TensorType) -> None:
    assert layer.infer(source) == result


def changed(**fields) -> LogicConv:
    return replace(conv(), **fields)


@pytest.mark.parametrize(
    ("layer", "source", "message"),
    [
        (conv(), TensorType((4,), BIT), "takes an image of bits, found bit"),
        (conv(), TensorType((4, 5, 6), REAL), "takes an image of bits, found real"),
        (conv(), TensorType((4, 5), BIT), "do not fit an image of 1 axes"),
        (conv(), TensorType((3, 5, 6), BIT), "channel 3 is out of range, there are 3"),
        (conv(padding=(0, 0)), TensorType((4, 2, 6)), r"window of \(3, 3\) does not fit \(2, 6\)"),
        (changed(stride=(0, 1)), IMAGE, "expected at least 1, 1 and 0"),
        (changed(window=(2, 3)), IMAGE, "place along axis 0 of the window 2 is out of range"),
        (changed(taps=conv().taps.astype(np.int64)), IMAGE, "taps are int64"),
        (changed(taps=conv().taps[..., :2]), IMAGE, "3 coordinates"),
        (changed(taps=conv(positions=29).taps), IMAGE, "expected 1 or 30 positions"),
        (changed(taps=conv(depth=3).taps[:, :, :, :3]), IMAGE, "do not make a full tree"),
        (changed(taps=conv().taps[:1]), IMAGE, "tables have 1 inputs, expected 2 to 6"),
        (changed(taps=conv().taps - 9), IMAGE, "kernel 0, position 0, table 0, input 0: channel"),
        (changed(tables=conv().tables[:, :2]), IMAGE, r"expected uint64 of \(7, 3\)"),
        (changed(tables=conv().tables + np.uint64(16)), IMAGE, "kernel 0, table 0: .* 4 bits"),
        (OrPool((2, 2), (2, 2), (0, 0)), TensorType((4,), BIT), "takes an image of bits"),
        (OrPool((9, 9), (1, 1), (10**6, 10**6)), IMAGE, "at most 2147483644 are possible"),
        (OrPool((2, 2), (2,), (0, 0)), IMAGE, "do not fit an image of 2 axes"),
        (Permute((0, 1)), IMAGE, "no order of the axes"),
        (Permute((0, 1, 1)), IMAGE, "no order of the axes"),
        (Slice(3, 0, 1), IMAGE, "axis 3 is not an axis"),
        (Slice(1, 2, 6), IMAGE, "2 to 6 is no range of the 5 indices of axis 1"),
        (Slice(1, 2, 2), IMAGE, "no range"),
        (AxisSum((0,)), IMAGE, "takes fixed-point numbers"),
        (AxisSum(()), TensorType((2,), FixedPoint(2)), "are not axes"),
        (AxisSum((0, 0)), TensorType((2,), FixedPoint(2)), "are not axes"),
        (AxisSum((1,)), TensorType((2,), FixedPoint(2)), "are not axes"),
    ],
)
def test_refused(layer: Layer, source: TensorType, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        layer.infer(source)
