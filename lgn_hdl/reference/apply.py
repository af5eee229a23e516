"""Which function computes a layer, and from what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from ..errors import NetworkError
from ..network import (
    ArgMax,
    AxisSum,
    Concat,
    Dense,
    FixedPoint,
    GroupSum,
    InputReduce,
    Layer,
    LogicConv,
    LutLayer,
    OrPool,
    Permute,
    Quantize,
    Reshape,
    Slice,
    SparseConv2d,
    SparseFlatten,
    SparsePool2d,
    TensorType,
    Thermometer,
)
from . import layers as f
from . import sparse

__all__ = ["apply"]


def apply(
    layer: Layer,
    data: Mapping[str, Tensor],
    xs: Sequence[Tensor],
    source: TensorType,
    out: TensorType,
) -> Tensor:
    """The output of a layer.

    Parameters
    ----------
    layer : Layer
    data : mapping of str to Tensor
        What `prepare.layer_tensors` made of the layer.
    xs : sequence of Tensor
        The inputs, with the batch axis first.
    source, out : TensorType
        Of the first input and of the output.

    Raises
    ------
    NetworkError
        If the layer has no reference.
    """
    x = xs[0]
    match layer:
        case Thermometer(axis=axis):
            return f.thermometer(x, data["thresholds"], axis)
        case LutLayer():
            return f.lut_layer(x, data["connections"], data["tables"])
        case LogicConv(window=window, stride=stride, padding=padding):
            return f.logic_conv(x, data["taps"], data["tables"], window, stride, padding)
        case OrPool(window=window, stride=stride, padding=padding):
            return f.or_pool(x, window, stride, padding)
        case GroupSum(groups=groups):
            return f.group_sum(x, groups)
        case ArgMax():
            return f.arg_max(x)
        case Reshape(shape=shape):
            return f.reshape(x, shape)
        case Permute(axes=axes):
            return x.permute(0, *(axis + 1 for axis in axes))
        case Slice(axis=axis, start=start, stop=stop):
            return x.narrow(axis + 1, start, stop - start)
        case Concat(axis=axis):
            return f.concat(xs, axis)
        case AxisSum(axes=axes):
            return f.axis_sum(x, axes)
        case Dense():
            return f.dense(x, data["weight"], data["bias"])
        case Quantize(format=number):
            ratio = data["ratio"].tolist()
            return _quantized(x, ratio, number, masked=out.masked)
        case InputReduce(slots=slots):
            return sparse.input_reduce(x, slots, data["threshold"]).packed()
        case SparseConv2d():
            slots = sparse.Slots.unpacked(x)
            return sparse.sparse_conv(slots, data["kernel"], data["bias"]).packed()
        case SparsePool2d(window=window, kind=kind):
            slots = sparse.Slots.unpacked(x)
            return sparse.pool(slots, window, out.frame, largest=kind == "max").packed()
        case SparseFlatten():
            return sparse.flatten(sparse.Slots.unpacked(x), source.frame)
        case _:
            raise NetworkError(f"no reference for {type(layer).__name__}")


def _quantized(x: Tensor, ratio: Sequence[int], number: FixedPoint, *, masked: bool) -> Tensor:
    """Numbers, or the features of a sparse tensor, in another format."""
    features = x[..., :-3] if masked else x
    numerator, denominator = ratio
    rounded = f.quantize(features, numerator, denominator, number.min_int, number.max_int)
    return f.concat([rounded, x[..., -3:]], x.ndim - 2) if masked else rounded
