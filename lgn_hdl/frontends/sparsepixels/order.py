"""Whether every layer of a model reads what the one before gives, and the mask of its frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import NetworkError

__all__ = ["FileChain", "LiveChain"]

#: Layers that read a mask beside their numbers, and those that give one.
MASKED = {"QConv2DSparse", "AveragePooling2DSparse", "MaxPooling2DSparse"}
MAKE_MASK = {"InputReduce", "AveragePooling2DSparse", "MaxPooling2DSparse"}


class LiveChain:
    """Follows the tensors of a live model."""

    def __init__(self) -> None:
        self.x: Any = None
        self.mask: Any = None

    def begin(self, layer: Any) -> tuple[int, ...]:
        if self.x is not None:
            raise NetworkError("is a second input, expected one")
        self.x = layer.output
        shape = tuple(self.x.shape[1:])
        if len(shape) != 3 or not all(isinstance(n, int) for n in shape):
            raise NetworkError(f"takes {shape}, expected images of (height, width, channels)")
        return shape

    def follow(self, layer: Any) -> None:
        found = layer.input
        expected = [self.x]
        if type(layer).__name__ in MASKED:
            expected.append(self.mask)
        given = list(found) if isinstance(found, (list, tuple)) else [found]
        if len(given) != len(expected) or any(
            a is not b for a, b in zip(given, expected, strict=True)
        ):
            raise _other(len(expected) > 1)
        out = layer.output
        if isinstance(out, (list, tuple)):
            self.x, self.mask = out
        else:
            self.x = out


class FileChain:
    """Follows the names in a file."""

    def __init__(self) -> None:
        self.x: tuple[str, int] | None = None
        self.mask: tuple[str, int] | None = None

    def begin(self, name: str) -> None:
        if self.x is not None:
            raise NetworkError("is a second input, expected one")
        self.x = (name, 0)

    def follow(self, layer: Mapping[str, Any]) -> None:
        kind, name = layer["class_name"], layer["config"]["name"]
        (call,) = layer["inbound_nodes"]
        given = [tuple(t["config"]["keras_history"][::2]) for t in _tensors(call["args"])]
        expected = [self.x, self.mask] if kind in MASKED else [self.x]
        if given != expected:
            raise _other(len(expected) > 1)
        self.x = (name, 0)
        if kind in MAKE_MASK:
            self.mask = (name, 1)


def _tensors(arguments: Any) -> list[Mapping[str, Any]]:
    if isinstance(arguments, Mapping):
        return [arguments] if arguments.get("class_name") == "__keras_tensor__" else []
    if isinstance(arguments, (list, tuple)):
        return [tensor for value in arguments for tensor in _tensors(value)]
    return []


def _other(masked: bool) -> NetworkError:
    return NetworkError(
        "reads something else than the layer before" + (" and its mask" if masked else ""),
        hint="layers have to stand in a chain",
    )
