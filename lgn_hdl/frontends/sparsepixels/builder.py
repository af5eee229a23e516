"""Puts the layers of a description one behind the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import FormatError, NetworkError
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
from .constants import constants
from .quantizers import Rule

__all__ = ["Builder"]

#: Numbers beyond this many bits are rounded in the float32 of the library itself.
FLOAT32_BITS = 24


class Builder:
    """The nodes so far, the type of what the last one gives, and what is still to come.

    A ReLU waits for the quantiser behind it, which then is one layer with it. The flatten layer
    waits for the first dense layer: numbers are rounded in their slots, of which there are fewer,
    and places without a slot are zero either way.
    """

    def __init__(self, shape: tuple[int, ...], number: FixedPoint):
        height, width, channels = shape
        self.source = self.type = TensorType((channels, height, width), number)
        self.nodes: list[Node] = []
        self.outputs: tuple[str, ...] = ()
        self.relu: str | None = None
        self.flat: str | None = None
        self.rounded: list[str] = []

    @property
    def last(self) -> str:
        return self.nodes[-1].name if self.nodes else INPUT

    @property
    def element(self) -> FixedPoint:
        """The numbers of now, behind a ReLU that is still to come."""
        number = self.type.element
        assert isinstance(number, FixedPoint)
        if self.relu is None or not number.signed:
            return number
        return FixedPoint(max(1, number.width - 1), number.fraction, scale=number.scale)

    def add(self, name: str, layer: Layer) -> None:
        self.type = layer.infer(self.type)
        self.nodes.append(Node(name, layer, (self.last,)))

    def settle(self, *, flat: bool = True) -> None:
        """Put in what is still to come; this ReLU rounds nothing."""
        if self.relu is not None and self.element != self.type.element:
            self.add(self.relu, Quantize(self.element))
        self.relu = None
        if flat and self.flat is not None:
            self.add(self.flat, SparseFlatten())
            self.flat = None

    def quantize(self, name: str, described: Mapping[str, Any] | None) -> None:
        """A quantiser; a ReLU in front of it is part of the same layer."""
        layer = None if described is None else Rule.read(described).layer(self.element)
        if layer is None:
            return
        if layer.format.signed:
            self.settle(flat=False)
        self.add(self.relu or name, layer)
        self.relu = None

    def function(self, name: str, function: str) -> None:
        """None, a ReLU, or the function at the end."""
        if function == "relu":
            self.relu = f"{name}_relu" if any(n.name == name for n in self.nodes) else name
        elif function in ("softmax", "sigmoid"):
            self.settle()
            scores = self.last
            if function == "softmax":
                self.add("class", ArgMax())
            else:
                self.add("decision", Thermometer(np.zeros((1, 1)), axis=0))
            self.outputs = (self.last, scores)
        elif function != "linear":
            raise NetworkError(
                f"its activation is {function!r}, expected linear, relu, softmax or sigmoid"
            )

    def standing_quantizer(self, layer: Mapping[str, Any]) -> None:
        self.quantize(layer["name"], layer["quantizer"])

    def reduce(self, layer: Mapping[str, Any]) -> None:
        self.settle()
        self.add(layer["name"], InputReduce(int(layer["slots"]), float(layer["threshold"])))

    def convolution(self, layer: Mapping[str, Any]) -> None:
        self.quantize(f"{layer['name']}_iq", layer["input_quantizer"])
        self.settle()
        kernel, kernel_format = constants(layer["kernel"], 4)
        bias, bias_format = constants(layer["bias"], 1)
        kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))  # from (H, W, C, F)
        self.add(layer["name"], SparseConv2d(kernel, bias, kernel_format, bias_format))
        self.note(layer["name"])
        self.function(layer["name"], layer["activation"])

    def dense(self, layer: Mapping[str, Any]) -> None:
        self.quantize(f"{layer['name']}_iq", layer["input_quantizer"])
        self.settle()
        weight, weight_format = constants(layer["kernel"], 2)
        bias, bias_format = constants(layer["bias"], 1)
        weight = np.ascontiguousarray(weight.T)  # from (I, O)
        self.add(layer["name"], Dense(weight, bias, weight_format, bias_format))
        self.note(layer["name"])
        self.function(layer["name"], layer["activation"])
        if layer.get("output_quantizer") is not None:
            if self.outputs:
                raise NetworkError("it rounds what a softmax or sigmoid gives, which is not kept")
            self.quantize(f"{layer['name']}_oq", layer["output_quantizer"])

    def note(self, name: str) -> None:
        """Remember sums that float32 does not hold."""
        number = self.type.element
        assert isinstance(number, FixedPoint)
        if number.width - number.signed > FLOAT32_BITS or number.scale != 1:
            self.rounded.append(name)

    def pool(self, layer: Mapping[str, Any], kind: str) -> None:
        self.settle()
        window = tuple(int(n) for n in layer["window"])
        self.add(layer["name"], SparsePool2d(window, kind))  # pyright: ignore[reportArgumentType]

    def flatten(self, layer: Mapping[str, Any]) -> None:
        if not self.type.masked or self.flat is not None:
            raise NetworkError(f"a flatten layer takes a sparse tensor, found {self.type}")
        self.flat = layer["name"]

    def network(self, classes: Sequence[str]) -> Network:
        self.settle()
        if not self.nodes:
            raise FormatError("the description has no layers")
        meta: dict[str, Any] = {"source": "SparsePixels (HGQ2)"}
        if self.rounded:
            meta["warnings"] = [
                f"the sums of {', '.join(self.rounded)} are exact here; in Keras they are rounded "
                "to float32, as they may have more than 24 bits, or are of averages"
            ]
        return Network(
            {INPUT: self.source},
            tuple(self.nodes),
            self.outputs or (self.last,),
            tuple(map(str, classes)),
            meta,
        ).validate()
