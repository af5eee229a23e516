"""Live modules of the sparse layers to a Network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import nn

from ...errors import LgnError, NetworkError
from ...network import (
    ArgMax,
    Dense,
    FixedPoint,
    InputReduce,
    Layer,
    Network,
    Node,
    Quantize,
    SparseConv2d,
    SparseFlatten,
    SparsePool2d,
    TensorType,
    Thermometer,
)
from ..assemble import INPUT
from ..modules import kind_of, leaves
from .formats import activation_format, constants

__all__ = ["convert", "is_module"]

HINT = "expected the layers of lgn_hdl.training in a Sequential, InputReduce first"


def is_module(module: nn.Module) -> bool:
    """Whether a module is such a network: there is an InputReduce with a number format in it."""
    return any(
        kind_of(part) == "InputReduce" and hasattr(part, "input_format")
        for part in module.modules()
    )


def convert(
    module: nn.Module,
    input_shape: Sequence[int] | int | None = None,
    *,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Turn a live module into a Network that computes what the module in eval mode does.

    Parameters
    ----------
    module : torch.nn.Module
        A Sequential of the layers of `lgn_hdl.training` (nested ones and subclasses included). It
        is not changed.
    input_shape : sequence of int
        (C, H, W) of an image.
    input_format : FixedPoint or str, optional
        Number format of the pixels, if not that of the module.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    Network
        Its outputs are the class and the numbers it is made of, or, if the last layer has one
        output, whether this is positive, and this number.

    Raises
    ------
    NetworkError
        If a layer is not supported or does not fit.
    """
    if isinstance(input_shape, int) or input_shape is None or len(input_shape) != 3:
        raise NetworkError(
            f"the shape of an image is {input_shape}, expected channels, height and width",
            hint="give input_shape=(C, H, W)",
        )
    found = list(leaves(module, _MAKERS, _unsupported))
    if not found or found[0][1] != "InputReduce":
        raise NetworkError("the first layer is no InputReduce", hint=HINT)
    first: Any = found[0][2]
    number = first.input_format if input_format is None else input_format
    number = FixedPoint.parse(number) if isinstance(number, str) else number
    source = kind = TensorType(tuple(map(int, input_shape)), number)
    nodes: list[Node] = []
    last = INPUT
    for path, name, layer in found:
        where = f"layer {path!r} ({name})"
        try:
            with torch.no_grad():
                made = _MAKERS[name](layer)
            kind = made.infer(kind)
        except LgnError as error:
            raise error.at(where) from None
        nodes.append(Node(_name(path, name, nodes), made, (last,)))
        last = nodes[-1].name
    outputs: tuple[str, ...] = (last,)
    if isinstance(nodes[-1].layer, Dense):
        decides = ArgMax() if kind.size > 1 else Thermometer(np.zeros((1, 1)), axis=0)
        name = "class" if kind.size > 1 else "decision"
        nodes.append(Node(name, decides, (last,)))
        outputs = (name, last)
    meta = {"source": "Brevitas"}
    return Network({INPUT: source}, tuple(nodes), outputs, tuple(classes), meta).validate()


def _name(path: str, kind: str, nodes: Sequence[Node]) -> str:
    """The layer's own name in its Sequential, or what it is and a number."""
    taken = {node.name for node in nodes} | {INPUT, "class", "decision"}
    own = path.replace(".", "_")
    if path.rpartition(".")[2].isdecimal() or own in taken:
        own = next(name for k in count(1) if (name := f"{_NAMES[kind]}{k}") not in taken)
    return own


def _unsupported(kind: str, path: str) -> NetworkError:
    return NetworkError(f"{kind} is not supported", where=f"layer {path!r}", hint=HINT)


def _affine(layer: Any) -> tuple[np.ndarray, np.ndarray, FixedPoint, FixedPoint]:
    weight, weight_format = constants("weight", layer.quant_weight())
    if layer.bias is None:
        bias, bias_format = np.zeros(len(weight), np.int64), FixedPoint(1)
    else:
        bias, bias_format = constants("bias", layer.quant_bias())
    return weight, bias, weight_format, bias_format


_MAKERS: dict[str, Callable[[Any], Layer]] = {
    "InputReduce": lambda layer: InputReduce(int(layer.slots), float(layer.threshold)),
    "SparseConv2d": lambda layer: SparseConv2d(*_affine(layer)),
    "QuantizedReLU": lambda layer: Quantize(activation_format(layer.act_quant)),
    "SparsePool2d": lambda layer: SparsePool2d(tuple(layer.window), layer.kind),
    "SparseFlatten": lambda layer: SparseFlatten(),
    "Dense": lambda layer: Dense(*_affine(layer)),
}
_NAMES = {
    "InputReduce": "reduce",
    "SparseConv2d": "conv",
    "QuantizedReLU": "relu",
    "SparsePool2d": "pool",
    "SparseFlatten": "flatten",
    "Dense": "dense",
}
