"""From a state_dict and the description of the layers to a Network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite
from typing import Any

from torch import Tensor, nn

from ...errors import LgnError, NetworkError
from ...network import FixedPoint, GroupSum, Layer, LutLayer, Network, Reshape, TensorType
from ..assemble import chain, input_type, wires
from .architecture import architecture
from .binarization import learned_thresholds, thermometer
from .luts import choose_wires, lut_tables
from .shapes import deduce_shape, flattened
from .state import State, read_architecture

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
        A Sequential of torchlogix layers (nested ones and subclasses included), or a module whose
        only child is one. It is not changed.
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
    layers, described_shape = read_architecture(architecture)
    tensors = State(state, [layer["path"] for layer in layers])
    if isinstance(input_shape, int):
        input_shape = (input_shape,)
    shape = input_shape or described_shape or deduce_shape(layers, tensors)
    bits = not any(layer["type"] in _THRESHOLDS for layer in layers)
    source = input_type(shape, bits=bits, input_format=input_format)
    builder = _Builder(source, tensors)
    for layer in layers:
        try:
            builder.add(layer)
        except LgnError as error:
            raise error.at(f"layer {layer['path']!r}") from None
    tensors.check_all_read()
    meta = {"source": "torchlogix", **builder.remarks()}
    return chain(source, builder.layers, classes, meta)


class _Builder:
    """Collects the layers of the chain, and follows the type of the data through it."""

    def __init__(self, source: TensorType, state: State):
        self.type = source
        self.state = state
        self.layers: list[tuple[str, Layer]] = []
        self.warnings: list[str] = []
        self.min_abs_sum = inf

    def add(self, layer: Mapping[str, Any]) -> None:
        """Add one described layer."""
        if self.layers and isinstance(self.layers[-1][1], GroupSum):
            raise NetworkError(f"{layer['type']} follows a GroupSum, which must be the last layer")
        made = _MAKERS[layer["type"]](self, layer)
        if made is None:
            return
        prefix, new = made
        self.type = new.infer(self.type)
        count = sum(name.rstrip("0123456789") == prefix for name, _ in self.layers)
        single = prefix in ("binarization", "flatten", "scores") and not count
        self.layers.append((prefix if single else f"{prefix}{count}", new))

    def remarks(self) -> dict[str, Any]:
        """What to keep in the network's meta."""
        found: dict[str, Any] = {}
        if isfinite(self.min_abs_sum):
            found["warp_min_abs_sum"] = self.min_abs_sum
        if self.warnings:
            found["warnings"] = self.warnings
        return found

    def binarization(self, layer: Mapping[str, Any]) -> tuple[str, Layer]:
        thresholds = _THRESHOLDS[layer["type"]](layer, self.state)
        return "binarization", thermometer(thresholds, layer["feature_dim"], self.type.shape)

    def flatten(self, layer: Mapping[str, Any]) -> tuple[str, Layer] | None:
        shape = flattened(self.type.shape, layer["start_dim"], layer["end_dim"])
        return None if shape == self.type.shape else ("flatten", Reshape(shape))

    def dense(self, layer: Mapping[str, Any]) -> tuple[str, Layer]:
        path, rank, width = layer["path"], layer["lut_rank"], layer["out_dim"]
        if not self.type.shape or self.type.shape[-1] != layer["in_dim"]:
            raise NetworkError(
                f"takes {layer['in_dim']} inputs on the last axis, its input is {self.type}"
            )
        weight = self.state.get(path, "weight")
        found = lut_tables(layer["parametrization"], rank, weight, layer["materialize_basis"])
        if found.tables.size != width:
            raise NetworkError(f"weight is for {found.tables.size} neurons, expected {width}")
        learnable = layer["connections"] == "learnable"
        indices = self.state.wiring(path, (rank, width), learnable=learnable)
        weights = self.state.get(path, "connections.weights") if learnable else None
        if layer["parametrization"] == "warp":
            self.min_abs_sum = min(found.min_abs_sum, self.min_abs_sum)
            self._warn_unclear(layer, found.unclear)
        chosen = wires(choose_wires(indices, weights), "connections.indices")
        return "dense", LutLayer(chosen, found.tables)

    def _warn_unclear(self, layer: Mapping[str, Any], unclear: int) -> None:
        if unclear and layer["materialize_basis"]:
            self.warnings.append(
                f"layer {layer['path']!r}: {unclear} Walsh sums are within rounding of zero; with "
                "materialize_basis the library's result for them depends on the machine"
            )

    def group_sum(self, layer: Mapping[str, Any]) -> tuple[str, Layer]:
        if not (isfinite(layer["tau"]) and isfinite(layer["beta"])):
            raise NetworkError(f"tau is {layer['tau']} and beta {layer['beta']}, expected numbers")
        return "scores", GroupSum(layer["k"], float(layer["tau"]), float(layer["beta"]))

    def nothing(self, layer: Mapping[str, Any]) -> None:
        return None


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
_MAKERS: dict[str, Callable[[_Builder, Mapping[str, Any]], tuple[str, Layer] | None]] = {
    "DummyBinarization": _Builder.nothing,
    **dict.fromkeys(_THRESHOLDS, _Builder.binarization),
    "Flatten": _Builder.flatten,
    "LogicDense": _Builder.dense,
    "GroupSum": _Builder.group_sum,
}
