"""From a state_dict and the description of the layers to a Network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite
from typing import Any

from torch import Tensor, nn

from ...errors import LgnError, NetworkError
from ...network import (
    Concat,
    FixedPoint,
    GroupSum,
    Layer,
    LutLayer,
    Network,
    Node,
    OrPool,
    Permute,
    Reshape,
    Slice,
    TensorType,
)
from ..assemble import INPUT, assembled, input_type, wires
from .architecture import architecture
from .binarization import learned_thresholds, thermometer
from .convolution import logic_conv
from .luts import Tables, choose_wires, lut_tables
from .schema import SHAPING, read_architecture
from .shapes import deduce_shape, flattened, unknown_shape
from .state import State

__all__ = ["convert", "from_state_dict"]


def convert(
    module: nn.Module,
    input_shape: int | Sequence[int] | None = None,
    *,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Turn a live torchlogix module into a Network that decides as the module in eval mode does.

    Parameters
    ----------
    module : torch.nn.Module
        torchlogix layers in Sequentials, or in modules whose `forward` joins them by moving
        elements only. It is not changed.
    input_shape : int or sequence of int, optional
        Shape of one sample, without the batch axis. Not needed where the layers tell it.
    input_format : FixedPoint or str, optional
        Number format of the input, such as "ufixed<8,0>"; real numbers without it.
    classes : sequence of str
        Names of the classes.

    Raises
    ------
    NetworkError
        If a layer is not supported or does not fit.
    FormatError
        If the module's state lacks something.
    """
    described = architecture(module, input_shape)
    return from_state_dict(
        module.state_dict(), described, input_format=input_format, classes=classes
    )


def from_state_dict(
    state: Mapping[str, Tensor],
    architecture: Mapping[str, Any],
    *,
    input_shape: int | Sequence[int] | None = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Build a Network from a torchlogix state_dict and its `architecture`.

    Parameters
    ----------
    state : mapping of str to Tensor
    architecture : mapping
        What `architecture(module)` returned, possibly by way of a JSON file.
    input_shape, input_format, classes
        As in `convert`; the shape overrides the one in the description.

    Raises
    ------
    FormatError
        If the description is not one, or the state_dict does not belong to it.
    NetworkError
        If a layer is not supported or does not fit.
    """
    described = read_architecture(architecture)
    tensors = State(state, described.paths)
    if isinstance(input_shape, int):
        input_shape = (input_shape,)
    shape = input_shape or described.input_shape
    if shape is None and described.graph:
        raise unknown_shape()
    if shape is None:
        shape = deduce_shape(described.layers, tensors)
    bits = not any(layer["type"] in _THRESHOLDS for layer in described.layers)
    builder = _Builder(input_type(shape, bits=bits, input_format=input_format), tensors)
    for layer in described.layers:
        try:
            builder.add(layer, layer["name"] if described.graph else None)
        except LgnError as error:
            raise error.at(f"layer {layer.get('path', layer['name'])!r}") from None
    tensors.check_all_read(described.unused)
    return builder.network(described.output, classes)


class _Builder:
    """Collects the nodes of the network, and follows the types of the tensors through it."""

    def __init__(self, source: TensorType, state: State):
        self.source = source
        self.types = {INPUT: source}
        self.state = state
        self.nodes: list[Node] = []
        #: The node behind every described tensor: a layer that changes nothing has none.
        self.known = {INPUT: INPUT}
        self.warnings: list[str] = []
        self.min_abs_sum = inf

    def add(self, layer: Mapping[str, Any], name: str | None) -> None:
        """Add one described layer, under its own name or one that follows from its kind."""
        inputs = tuple(self.known[read] for read in layer["inputs"])
        scores = [n.name for n in self.nodes if isinstance(n.layer, GroupSum)]
        if set(inputs) & set(scores):
            raise NetworkError(f"{layer['type']} follows a GroupSum, which must be the last layer")
        types = [self.types[read] for read in inputs]
        made = _MAKERS[layer["type"]](self, layer, types[0])
        if made is None:
            self.known[layer["name"]] = inputs[0]
            return
        prefix, new = made
        name = name or self._name(prefix)
        self.nodes.append(Node(name, new, inputs))
        self.types[name] = new.infer(*types)
        self.known[layer["name"]] = name

    def _name(self, prefix: str) -> str:
        count = sum(node.name.rstrip("0123456789") == prefix for node in self.nodes)
        single = prefix in ("binarization", "flatten", "scores") and not count
        return prefix if single else f"{prefix}{count}"

    def network(self, output: str, classes: Sequence[str]) -> Network:
        """The network whose result is the described tensor `output`."""
        result = self.known[output]
        for node in self.nodes:
            if isinstance(node.layer, GroupSum) and node.name != result:
                raise NetworkError(
                    f"GroupSum {node.name!r} is not the output", hint="it must be the last layer"
                )
        meta = {"source": "torchlogix", **self.remarks()}
        return assembled(self.source, self.nodes, result, classes, meta)

    def remarks(self) -> dict[str, Any]:
        """What to keep in the network's meta."""
        found: dict[str, Any] = {}
        if isfinite(self.min_abs_sum):
            found["warp_min_abs_sum"] = self.min_abs_sum
        if self.warnings:
            found["warnings"] = self.warnings
        return found

    def binarization(self, layer: Mapping[str, Any], x: TensorType) -> tuple[str, Layer]:
        thresholds = _THRESHOLDS[layer["type"]](layer, self.state)
        return "binarization", thermometer(thresholds, layer["feature_dim"], x.shape)

    def flatten(self, layer: Mapping[str, Any], x: TensorType) -> tuple[str, Layer] | None:
        shape = flattened(x.shape, layer["start_dim"], layer["end_dim"])
        return None if shape == x.shape else ("flatten", Reshape(shape))

    def dense(self, layer: Mapping[str, Any], x: TensorType) -> tuple[str, Layer]:
        path, rank, width = layer["path"], layer["lut_rank"], layer["out_dim"]
        if not x.shape or x.shape[-1] != layer["in_dim"]:
            raise NetworkError(f"takes {layer['in_dim']} inputs on the last axis, its input is {x}")
        weight = self.state.get(path, "weight")
        found = lut_tables(layer["parametrization"], rank, weight, layer["materialize_basis"])
        if found.tables.size != width:
            raise NetworkError(f"weight is for {found.tables.size} neurons, expected {width}")
        learnable = layer["connections"] == "learnable"
        indices = self.state.wiring(path, (rank, width), learnable=learnable)
        weights = self.state.get(path, "connections.weights") if learnable else None
        self._remark(layer, [found])
        chosen = wires(choose_wires(indices, weights), "connections.indices")
        return "dense", LutLayer(chosen, found.tables)

    def conv(self, layer: Mapping[str, Any], x: TensorType) -> tuple[str, Layer]:
        expected = (layer["channels"], *layer["in_dim"])
        if x.shape != expected:
            raise NetworkError(f"takes images of shape {expected}, its input is {x}")
        made, levels = logic_conv(layer, self.state)
        self._remark(layer, levels)
        return "conv", made

    def pool(self, layer: Mapping[str, Any], x: TensorType) -> tuple[str, Layer]:
        window = layer["kernel_size"]
        if len(x.shape) != len(window) + 1:
            raise NetworkError(
                f"takes images of {len(window)} axes with channels, its input is {x}"
            )
        return "pool", OrPool(window, layer["stride"], layer["padding"])

    def _remark(self, layer: Mapping[str, Any], found: Sequence[Tables]) -> None:
        if layer["parametrization"] != "warp":
            return
        self.min_abs_sum = min(self.min_abs_sum, *(tables.min_abs_sum for tables in found))
        unclear = sum(tables.unclear for tables in found)
        if unclear and layer["materialize_basis"]:
            self.warnings.append(
                f"layer {layer['path']!r}: {unclear} Walsh sums are within rounding of zero; with "
                "materialize_basis the library's result for them depends on the machine"
            )

    def group_sum(self, layer: Mapping[str, Any], x: TensorType) -> tuple[str, Layer]:
        if not (isfinite(layer["tau"]) and isfinite(layer["beta"])):
            raise NetworkError(f"tau is {layer['tau']} and beta {layer['beta']}, expected numbers")
        return "scores", GroupSum(layer["k"], float(layer["tau"]), float(layer["beta"]))

    def nothing(self, layer: Mapping[str, Any], x: TensorType) -> None:
        return None

    def shaping(self, layer: Mapping[str, Any], x: TensorType) -> tuple[str, Layer]:
        kind = layer["type"]
        if kind == "Reshape":
            return "reshape", Reshape(tuple(layer["shape"]))
        if kind == "Permute":
            return "permute", Permute(tuple(layer["axes"]))
        if kind == "Slice":
            return "slice", Slice(layer["axis"], layer["start"], layer["stop"])
        return "concat", Concat(layer["axis"])


def _stored(layer: Mapping[str, Any], state: State) -> Tensor:
    return state.get(layer["path"], "thresholds")


def _learned(layer: Mapping[str, Any], state: State) -> Tensor:
    state.get(layer["path"], "thresholds", required=False)  # where training began
    return learned_thresholds(state.get(layer["path"], "raw_diffs"), layer["temperature_softplus"])


_THRESHOLDS: dict[str, Callable[[Mapping[str, Any], State], Tensor]] = {
    "FixedBinarization": _stored,
    "SoftBinarization": _stored,
    "LearnableBinarization": _learned,
}
_MAKERS: dict[str, Callable[..., tuple[str, Layer] | None]] = {
    "DummyBinarization": _Builder.nothing,
    **dict.fromkeys(_THRESHOLDS, _Builder.binarization),
    "Flatten": _Builder.flatten,
    "LogicDense": _Builder.dense,
    **dict.fromkeys(("LogicConv2d", "LogicConv3d"), _Builder.conv),
    **dict.fromkeys(("OrPooling2d", "OrPooling3d"), _Builder.pool),
    "GroupSum": _Builder.group_sum,
    **dict.fromkeys(SHAPING, _Builder.shaping),
}
