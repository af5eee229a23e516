"""What each layer accepts, what it gives, and what it says when it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from lgn_hdl.errors import NetworkError
from lgn_hdl.network import (
    BIT,
    REAL,
    ArgMax,
    Concat,
    FixedPoint,
    GroupSum,
    Layer,
    LutLayer,
    Reshape,
    TensorType,
    Thermometer,
)

BITS = TensorType((4,), BIT)
REALS = TensorType((2, 3), REAL)
SCORES = TensorType((3,), FixedPoint(4))
MASKED = TensorType((4,), BIT, masked=True)


def luts(wires: object, tables: object, dtype: str = "int32", table: str = "uint64") -> LutLayer:
    return LutLayer(np.array(wires, dtype), np.array(tables, table))


def steps(shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize(
    ("layer", "inputs", "output"),
    [
        (Thermometer(steps((2, 3, 5)), 0), [REALS], TensorType((10, 3), BIT)),
        (Thermometer(steps((1, 1, 5)), 1), [REALS], TensorType((2, 15), BIT)),
        (
            Thermometer(steps((1, 1)), 0),
            [TensorType((3,), FixedPoint(8))],
            TensorType((3,), BIT),
        ),
        (luts([[0, 1, 2]], [0, 1, 3]), [BITS], TensorType((3,), BIT)),
        (luts([[0]] * 6, [2**64 - 1]), [BITS], TensorType((1,), BIT)),
        (luts([[3], [0]], [15]), [TensorType((7, 4), BIT)], TensorType((7, 1), BIT)),
        (GroupSum(2), [BITS], TensorType((2,), FixedPoint(2))),
        (GroupSum(1), [BITS], TensorType((1,), FixedPoint(3))),
        (ArgMax(), [SCORES], TensorType((), FixedPoint(2))),
        (ArgMax(), [TensorType((1,), FixedPoint(4))], TensorType((), FixedPoint(1))),
        (Reshape((6,)), [REALS], TensorType((6,), REAL)),
        (Reshape((1, 3, 2)), [REALS], TensorType((1, 3, 2), REAL)),
        (Concat(0), [BITS, BITS, BITS], TensorType((12,), BIT)),
        (Concat(1), [REALS, TensorType((2, 1), REAL)], TensorType((2, 4), REAL)),
    ],
)
def test_output_types(layer: Layer, inputs: list[TensorType], output: TensorType) -> None:
    assert layer.infer(*inputs) == output


@pytest.mark.parametrize(
    ("layer", "inputs", "message"),
    [
        (
            Thermometer(steps((4, 1)), 0),
            [BITS],
            r"takes real or fixed-point numbers, found bit\[4\]",
        ),
        (
            Thermometer(steps((2, 1)), 0),
            [TensorType((2,), REAL, masked=True)],
            r"found real\[2\] masked",
        ),
        (Thermometer(steps((2, 3, 1), "float32"), 0), [REALS], "must be finite float64"),
        (Thermometer(np.full((2, 3, 1), np.inf), 0), [REALS], "must be finite float64"),
        (Thermometer(np.full((2, 3, 1), np.nan), 0), [REALS], "must be finite float64"),
        (Thermometer(steps((3, 2, 1)), 0), [REALS], r"shape \(3, 2, 1\) do not broadcast.*\(2, 3"),
        (Thermometer(steps((2, 3)), 0), [REALS], "do not broadcast"),
        (Thermometer(steps((2, 3, 0)), 0), [REALS], "do not broadcast"),
        (Thermometer(steps((2, 3, 1)), 2), [REALS], r"axis 2 is not an axis.*\(2, 3\)"),
        (Thermometer(steps((2, 3, 1)), -1), [REALS], "axis -1 is not an axis"),
        (luts([[0]], [1]), [REALS], r"takes bits, found real\[2x3\]"),
        (luts([[0]], [1]), [TensorType((), BIT)], r"takes bits, found bit\[scalar\]"),
        (luts([[0]], [1]), [MASKED], "masked"),
        (luts([[0]], [1], "int64"), [BITS], r"connections are int64 of shape \(1, 1\), expected"),
        (luts([0], [1]), [BITS], r"of shape \(1,\), expected int32 of shape \(k, N\)"),
        (luts([[0]] * 7, [1]), [BITS], r"shape \(7, 1\), expected .* k from 1 to 6"),
        (luts(np.zeros((0, 3)), [1] * 3), [BITS], "k from 1 to 6"),
        (luts([[0]], [1], table="int64"), [BITS], r"tables are int64 .*expected uint64"),
        (luts([[0, 1]], [1]), [BITS], r"tables are uint64 of shape \(1,\), expected .*\(2,\)"),
        (luts(np.zeros((1, 0)), []), [BITS], "at least one"),
        (luts([[0, 1], [2, 4]], [1, 1]), [BITS], "neuron 1, input 1: index 4 .* has 4 inputs"),
        (luts([[0, -1]], [1, 1]), [BITS], "neuron 1, input 0: index -1 is out of range"),
        (luts([[0, 1]], [1, 4]), [BITS], "neuron 1: table 0x4 has more than 2 bits"),
        (luts([[0]] * 5, [1 << 32]), [BITS], "neuron 0: table 0x100000000 has more than 32 bits"),
        (GroupSum(2), [SCORES], "takes one axis of bits"),
        (GroupSum(2), [TensorType((2, 2), BIT)], "takes one axis of bits"),
        (GroupSum(3), [BITS], "4 bits cannot be split into 3 equal groups"),
        (GroupSum(0), [BITS], "into 0 equal groups"),
        (GroupSum(2, tau=0.0), [BITS], r"tau is 0\.0 and beta is 0\.0"),
        (GroupSum(2, tau=-1.0), [BITS], "tau > 0"),
        (GroupSum(2, tau=float("inf")), [BITS], "tau is inf"),
        (GroupSum(2, beta=float("nan")), [BITS], "beta is nan"),
        (ArgMax(), [BITS], r"takes one axis of fixed-point scores, found bit\[4\]"),
        (ArgMax(), [TensorType((2, 2), FixedPoint(3))], "takes one axis"),
        (Reshape((5,)), [REALS], r"real\[2x3\] cannot be reshaped to \(5,\)"),
        (Reshape((-1, 3)), [REALS], r"shape is \(-1, 3\), expected positive integers"),
        (Reshape((4,)), [MASKED], "masked cannot be reshaped"),
        (Concat(1), [BITS, BITS], r"axis 1 is not an axis of bit\[4\]"),
        (Concat(0), [BITS, REALS], r"do not concatenate along axis 0: bit\[4\], real\[2x3\]"),
        (Concat(0), [BITS, SCORES], "do not concatenate"),
        (Concat(0), [BITS, MASKED], "do not concatenate"),
        (Concat(0), [REALS, TensorType((2, 4), REAL)], "do not concatenate"),
    ],
)
def test_what_a_layer_refuses(layer: Layer, inputs: list[TensorType], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        layer.infer(*inputs)


@pytest.mark.parametrize("shape", [(0,), (-1, 3), (2.0,), ("2",), (3, 0)])
def test_tensor_shapes_are_positive_integers(shape: tuple) -> None:
    with pytest.raises(NetworkError, match="expected positive integers"):
        TensorType(shape)


def test_masked_scalar() -> None:
    with pytest.raises(NetworkError, match="a masked tensor needs a slot axis"):
        TensorType((), BIT, masked=True)


def test_tensor_type_as_text() -> None:
    assert str(TensorType((2, 3), FixedPoint(8, 4))) == "ufixed<8,4>[2x3]"
    assert str(TensorType((5, 2), REAL, masked=True)) == "real[5x2] masked"
    assert TensorType((), BIT).size == 1
