"""Modules with Brevitas' quantisers that are no fixed-point network, or not of these layers."""

from __future__ import annotations

import pytest
import torch
from brevitas.quant import (
    Int8ActPerTensorFixedPoint,
    Int8WeightPerTensorFloat,
    Uint8ActPerTensorFloat,
)
from torch import nn

import lgn_hdl
from lgn_hdl.errors import NetworkError
from lgn_hdl.training import Dense, InputReduce, QuantizedReLU, SparseConv2d, SparseFlatten

SHAPE = (1, 4, 5)


def sequence(*layers: nn.Module, slots: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(InputReduce(slots), *layers).eval()


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (sequence(nn.Conv2d(1, 1, 3)), "layer '1': Conv2d is not supported"),
        (sequence(SparseConv2d(2, 1, 3)), r"layer '1' \(SparseConv2d\): kernel is int64 of shape"),
        (sequence(slots=21), "21 slots for a frame of 4 x 5 pixels, expected 1 to 20"),
        (
            sequence(SparseConv2d(1, 1, 3, weight_quant=Int8WeightPerTensorFloat)),
            "its weight has steps of .* expected a power of two from zero",
        ),
        (
            sequence(SparseConv2d(1, 2, 3, weight_scaling_per_output_channel=True)),
            "its weight has 2 scales, expected one",
        ),
        (sequence(SparseConv2d(1, 1, 3, weight_quant=None)), "its weight is not quantised"),
        (sequence(SparseConv2d(1, 1, 3, bias_quant=None)), "its bias is not quantised"),
        (
            sequence(QuantizedReLU(8, act_quant=Uint8ActPerTensorFloat)),
            "its activation has steps of .* expected a power of two from zero",
        ),
        (sequence(QuantizedReLU(8, act_quant=None)), "its activation is not quantised"),
        (
            sequence(QuantizedReLU(8, act_quant=Int8ActPerTensorFixedPoint)),
            "its activation is signed, expected all unsigned numbers",
        ),
        (
            sequence(QuantizedReLU(8, 2, narrow_range=True)),
            "its activation is narrow, expected all unsigned numbers",
        ),
        (sequence(QuantizedReLU(8)).train(), "still in training mode"),
        (sequence(SparseFlatten(), Dense(19, 2)), r"weight is int64 of shape \(2, 19\), expected"),
        (nn.Sequential(SparseFlatten(), InputReduce(1)), "the first layer is no InputReduce"),
    ],
)
def test_what_cannot_be_converted(module: nn.Module, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        lgn_hdl.convert(module, SHAPE)


def test_names_of_layers() -> None:
    """Their own ones, or what they are and a number."""
    parts = {"look": SparseConv2d(1, 1, 3), "class": QuantizedReLU(4), "conv1": SparseFlatten()}
    body = nn.Sequential(InputReduce(2), SparseConv2d(1, 1, 1), nn.Sequential())
    for name, part in parts.items():
        body[2].add_module(name, part)  # pyright: ignore
    net = nn.Sequential(body, Dense(20, 2), Dense(2, 2))
    network = lgn_hdl.convert(net.eval(), SHAPE).network
    assert [node.name for node in network.nodes] == [
        "reduce1", "conv1", "0_2_look", "0_2_class", "0_2_conv1", "dense1", "dense2", "class",
    ]  # fmt: skip
    named = nn.Sequential()
    for name, part in {"x": InputReduce(2), "class": SparseFlatten(), "d": Dense(20, 1)}.items():
        named.add_module(name, part)
    network = lgn_hdl.convert(named.eval(), SHAPE).network
    assert [node.name for node in network.nodes] == ["reduce1", "flatten1", "d", "decision"]


@pytest.mark.parametrize("shape", [None, 20, (4, 5)])
def test_a_shape_that_is_no_image(shape: object) -> None:
    with pytest.raises(NetworkError, match="expected channels, height and width"):
        lgn_hdl.convert(sequence(SparseFlatten()), shape)  # pyright: ignore
