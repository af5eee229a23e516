"""From a network's numpy data and the user's arrays to the tensors that the layers compute on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import NetworkError
from ..network import (
    BIT,
    REAL,
    Dense,
    Element,
    FixedPoint,
    InputReduce,
    Layer,
    LogicConv,
    LutLayer,
    Network,
    Quantize,
    SparseConv2d,
    TensorType,
    Thermometer,
)
from ..network.arithmetic import unit_ratio

__all__ = ["encode_input", "layer_tensors", "sample_bytes"]


def encode_input(array: Any, name: str, kind: TensorType) -> Tensor:
    """Real-valued samples (B, *shape) as float64, stored integers (int64) or bits (uint8).

    Raises
    ------
    NetworkError
        If a bit is neither 0 nor 1, or a value to quantise is NaN.
    """
    x = torch.as_tensor(array).detach().cpu()
    if kind.element == REAL:
        return x.to(torch.float64)
    if isinstance(kind.element, FixedPoint):
        return torch.from_numpy(kind.element.quantize(x.to(torch.float64).numpy()))
    bits = x.to(torch.uint8)
    if not torch.equal(bits.to(x.dtype), x) or (bits > 1).any():
        raise NetworkError(f"input {name!r} takes bits, found values other than 0 and 1")
    return bits


def layer_tensors(layer: Layer, element: Element, out: Element = BIT) -> dict[str, Tensor]:
    """The layer's data as tensors.

    Parameters
    ----------
    layer : Layer
    element : Element
        What its input is made of.
    out : Element
        What its output is made of, for layers that compute with numbers.
    """
    if isinstance(layer, Thermometer):
        return {"thresholds": _thresholds(layer.thresholds, element)}
    if isinstance(layer, InputReduce):
        return {"threshold": _thresholds(np.array([layer.threshold]), element)}
    if isinstance(layer, Quantize):
        assert isinstance(element, FixedPoint)
        ratio = unit_ratio(element, layer.format)
        return {"ratio": torch.tensor([ratio.numerator, ratio.denominator])}
    if isinstance(layer, SparseConv2d):
        return _affine("kernel", layer.kernel, layer.kernel_format, layer, element, out)
    if isinstance(layer, Dense):
        return _affine("weight", layer.weight, layer.weight_format, layer, element, out)
    if isinstance(layer, LutLayer):
        return {"connections": torch.tensor(layer.connections), "tables": _tables(layer)}
    if isinstance(layer, LogicConv):
        return {"taps": torch.tensor(layer.taps), "tables": _tables(layer)}
    return {}


def _affine(
    name: str,
    weight: np.ndarray,
    weight_format: FixedPoint,
    layer: SparseConv2d | Dense,
    element: Element,
    out: Element,
) -> dict[str, Tensor]:
    """Constants in units of the result: what a unit of the input becomes, and the bias."""
    assert isinstance(element, FixedPoint)
    assert isinstance(out, FixedPoint)
    unit = element.step * weight_format.step / out.step
    bias = unit_ratio(layer.bias_format, out)
    assert unit.denominator == bias.denominator == 1
    return {
        name: torch.tensor(weight * int(unit)),
        "bias": torch.tensor(layer.bias * int(bias)),
    }


def _tables(layer: LutLayer | LogicConv) -> Tensor:
    narrowest = (np.uint8, np.uint8, np.uint8, np.uint8, np.int32, np.int64, np.int64)
    # torch.tensor copies: arrays that were read from a file may be read-only.
    return torch.tensor(layer.tables.astype(narrowest[layer.k]))


def _thresholds(thresholds: np.ndarray, element: Element) -> Tensor:
    """For stored integers n, n > floor(t / step) is the exact form of value > t."""
    if not isinstance(element, FixedPoint):
        return torch.tensor(thresholds)
    distinct, where = np.unique(thresholds, return_inverse=True)
    floors = [
        min(max(element.floor_int(float(t)), element.min_int - 1), element.max_int)
        for t in distinct
    ]
    return torch.tensor(np.array(floors, dtype=np.int64)[where].reshape(thresholds.shape))


def sample_bytes(network: Network) -> int:
    """Upper estimate of the memory that one sample needs while it is evaluated."""
    # The two largest neighbours live together; a table lookup widens bits to as much as 8 bytes.
    widths = [1]
    for node in network.nodes:
        layer, bits = node.layer, network.types[node.name].size
        wide = 8 if isinstance(layer, (LutLayer, LogicConv)) and layer.k > 3 else 2
        if isinstance(layer, LogicConv):
            bits *= layer.taps.shape[3]
        widths.append(bits * wide * 3 + sum(network.types[n].size for n in node.inputs) * 2)
    return max(widths) + sum(kind.size * 8 for kind in network.inputs.values())
