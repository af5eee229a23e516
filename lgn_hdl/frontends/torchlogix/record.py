"""The record of a traced forward: described layers, each with a name and what it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..assemble import INPUT

__all__ = ["Graph", "Recorder"]

_PREFIXES = {
    "DummyBinarization": "bits",
    "FixedBinarization": "binarization",
    "SoftBinarization": "binarization",
    "LearnableBinarization": "binarization",
    "LogicDense": "dense",
    "LogicConv2d": "conv",
    "LogicConv3d": "conv",
    "OrPooling2d": "pool",
    "OrPooling3d": "pool",
    "GroupSum": "scores",
}


@dataclass(frozen=True)
class Graph:
    """What a forward did: described layers in order, the name of the result.

    `unused` are the keys of the state_dict that no layer of the graph has. `cuts_input` tells
    whether the forward takes a part of the input, even if that was all of it.
    """

    layers: list[dict[str, Any]]
    output: str
    unused: list[str]
    cuts_input: bool

    @property
    def is_chain(self) -> bool:
        """Whether there are only layers of modules, each of which reads the one before."""
        names = [INPUT, *(layer["name"] for layer in self.layers)]
        chained = all([n] == la["inputs"] for n, la in zip(names, self.layers, strict=False))
        modules = all("path" in layer for layer in self.layers)
        return chained and modules and bool(self.layers) and not self.unused


class Recorder:
    """Collects layers in the order in which they run."""

    def __init__(self) -> None:
        self.layers: list[dict[str, Any]] = []
        self.cuts_input = False

    def add(self, kind: str, inputs: Sequence[str], fields: Mapping[str, Any]) -> str:
        """Describe one more layer, and return the name of its result."""
        prefix = _PREFIXES.get(kind, kind.lower())
        count = sum(layer["name"].rstrip("0123456789") == prefix for layer in self.layers)
        single = prefix in ("binarization", "flatten", "scores") and not count
        name = prefix if single else f"{prefix}{count}"
        self.layers.append({"name": name, "inputs": list(inputs), "type": kind, **fields})
        return name

    def graph(self, output: str, keys: Sequence[str]) -> Graph:
        """What leads to `output`; `keys` are those of the state_dict."""
        needed, layers = {output}, []
        for layer in reversed(self.layers):
            if layer["name"] in needed:
                layers.append(layer)
                needed.update(layer["inputs"])
        paths = tuple(f"{la['path']}." if la["path"] else "" for la in layers if "path" in la)
        unused = [key for key in keys if not key.startswith(paths)]
        return Graph(layers[::-1], output, unused, self.cuts_input)
