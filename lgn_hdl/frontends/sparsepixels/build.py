"""From layers and weights of a SparsePixels model to a Network."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import FormatError, LgnError, NetworkError
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
from .keras_file import KerasModel

__all__ = ["from_keras"]

#: Twelve fractional bits: the coarsest input that changed no decision of the published models.
INPUT_FORMAT = "ufixed<13,1>"
_RELU = re.compile(r"quantized_relu\((\d+),\s*(-?\d+)\)")


def from_keras(
    model: KerasModel,
    *,
    slots: int,
    threshold: float = 0.0,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Build the sparse network of a model whose file describes the same layers on dense images.

    Parameters
    ----------
    model : KerasModel
    slots : int
        How many active pixels are kept (`n_max_pixels` of SparsePixels).
    threshold : float
        A pixel is active if it is larger.
    input_format : FixedPoint or str, optional
        Number format of the pixels; by default ufixed<13,1>.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    Network
        Its outputs are the class and the numbers in front of the softmax, or the decision (whether
        the sigmoid is above one half) and the number in front of it.

    Raises
    ------
    FormatError, NetworkError
        If a layer is not one of SparsePixels, or does not fit.
    """
    number = FixedPoint.parse(input_format) if isinstance(input_format, str) else input_format
    number = number or FixedPoint.parse(INPUT_FORMAT)
    builder = _Builder(model.weights)
    for layer in model.layers:
        kind, config = layer["class_name"], layer["config"]
        try:
            if kind not in ("InputLayer", *_MAKERS):
                raise NetworkError(
                    f"{kind} is no layer of a SparsePixels model",
                    hint="expected " + ", ".join(_MAKERS),
                )
            if kind == "InputLayer":
                builder.begin(config, number, InputReduce(slots, float(threshold)))
            else:
                _MAKERS[kind](builder, config)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(
                f"{kind} is not as QKeras writes it: {error!r}",
                where=f"layer {config.get('name')!r}",
            ) from None
        except LgnError as error:
            raise error.at(f"layer {config.get('name')!r}") from None
    return builder.network(classes, {"slots": slots, "threshold": float(threshold)})


class _Builder:
    """The nodes so far, and the type of what the last one gives."""

    def __init__(self, weights: Mapping[str, Mapping[str, np.ndarray]]):
        self.weights = weights
        self.source = TensorType(())
        self.type = self.source
        self.nodes: list[Node] = []
        self.outputs: tuple[str, ...] = ()

    def begin(self, config: Mapping[str, Any], number: FixedPoint, reduce: InputReduce) -> None:
        _, height, width, channels = config["batch_input_shape"]
        self.source = self.type = TensorType((channels, height, width), number)
        self.add("reduce", reduce)

    def add(self, name: str, layer: Layer) -> None:
        if not self.source.shape:
            raise NetworkError("stands before the input layer")
        self.type = layer.infer(self.type)
        last = self.nodes[-1].name if self.nodes else INPUT
        self.nodes.append(Node(name, layer, (last,)))

    def constants(self, config: Mapping[str, Any], what: str) -> tuple[np.ndarray, FixedPoint]:
        """Stored integers of a layer's kernel or bias, and their format."""
        quantizer = config[f"{what}_quantizer"]
        if quantizer is None or quantizer["class_name"] != "quantized_bits":
            raise NetworkError(f"its {what} is not quantised by quantized_bits")
        options = quantizer["config"]
        if options["alpha"] not in (1, 1.0) or not options["keep_negative"]:
            raise NetworkError(f"its {what} has a scale or no sign: {options}")
        number = FixedPoint(options["bits"], options["bits"] - options["integer"] - 1, signed=True)
        name = config["name"]
        if what not in self.weights.get(name, {}):
            raise FormatError(f"there are no weights {what!r} for it")
        return number.quantize(self.weights[name][what]), number

    def convolution(self, config: Mapping[str, Any]) -> None:
        expected = {"strides": [1, 1], "padding": "same", "dilation_rate": [1, 1], "groups": 1}
        _require(config, {**expected, "data_format": "channels_last", "use_bias": True})
        kernel, kernel_format = self.constants(config, "kernel")
        bias, bias_format = self.constants(config, "bias")
        kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))  # from (H, W, C, F)
        self.add(config["name"], SparseConv2d(kernel, bias, kernel_format, bias_format))
        self.activation(config)

    def dense(self, config: Mapping[str, Any]) -> None:
        _require(config, {"use_bias": True})
        weight, weight_format = self.constants(config, "kernel")
        bias, bias_format = self.constants(config, "bias")
        weight = np.ascontiguousarray(weight.T)  # from (I, O)
        self.add(config["name"], Dense(weight, bias, weight_format, bias_format))
        self.activation(config)

    def activation(self, config: Mapping[str, Any]) -> None:
        """The function that a layer names: none, a quantised ReLU, or that of the last layer."""
        name, function = config["name"], str(config["activation"])
        match = _RELU.fullmatch(function)
        if match is not None:
            bits, integer = int(match[1]), int(match[2])
            self.add(self.fresh(name), Quantize(FixedPoint(bits, bits - integer)))
        elif function in ("softmax", "sigmoid"):
            self.finish(function)
        elif function != "linear":
            raise NetworkError(f"its activation is {function!r}, expected a quantized_relu")

    def finish(self, function: str) -> None:
        """The class of the largest score, or whether one number is positive."""
        scores = self.nodes[-1].name
        if function == "softmax":
            self.add("class", ArgMax())
            self.outputs = ("class", scores)
        else:
            self.add("decision", Thermometer(np.zeros((1, 1)), axis=0))
            self.outputs = ("decision", scores)

    def pool(self, config: Mapping[str, Any], kind: str) -> None:
        size = tuple(config["pool_size"])
        _require(config, {"strides": list(size), "padding": "valid"})
        _require(config, {"data_format": "channels_last"})
        self.add(config["name"], SparsePool2d(size, kind))  # pyright: ignore[reportArgumentType]

    def flatten(self, config: Mapping[str, Any]) -> None:
        _require(config, {"data_format": "channels_last"})
        self.add(config["name"], SparseFlatten())

    def fresh(self, name: str) -> str:
        """A layer's own name, or that of its activation."""
        taken = {node.name for node in self.nodes}
        return f"{name}_relu" if name in taken else name

    def network(self, classes: Sequence[str], chosen: Mapping[str, Any]) -> Network:
        if not self.nodes:
            raise FormatError("has no layers")
        outputs = self.outputs or (self.nodes[-1].name,)
        meta = {"source": "SparsePixels", **chosen}
        return Network(
            {INPUT: self.source}, tuple(self.nodes), outputs, tuple(classes), meta
        ).validate()


def _require(config: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """What a layer's options have to be."""
    for option, value in expected.items():
        found = config[option]
        if (list(found) if isinstance(found, tuple) else found) != value:
            raise NetworkError(f"its {option} is {found!r}, expected {value!r}")


_MAKERS: dict[str, Callable[[_Builder, Mapping[str, Any]], None]] = {
    "QConv2D": _Builder.convolution,
    "QActivation": _Builder.activation,
    "AveragePooling2D": lambda builder, config: builder.pool(config, "average"),
    "MaxPooling2D": lambda builder, config: builder.pool(config, "max"),
    "Flatten": _Builder.flatten,
    "QDense": _Builder.dense,
    "Activation": _Builder.activation,
}
