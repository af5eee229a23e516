"""Outputs of sparsepixels, layer by layer, and how ours are compared with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lgn_hdl.network import FixedPoint, Network, Quantize
from lgn_hdl.reference import Reference

__all__ = ["GOLDENS", "Recorded", "differences", "golden", "names", "tensors"]

GOLDENS = Path(__file__).parents[1] / "golden" / "sparsepixels"


@dataclass(frozen=True)
class Recorded:
    """A tensor of the library: integers of 2^-fraction / area, images with their channels last."""

    integers: np.ndarray
    fraction: int
    area: int

    @property
    def step(self) -> Fraction:
        return Fraction(2) ** -self.fraction / self.area


@cache
def _stored() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    with np.load(GOLDENS / "outputs.npz", allow_pickle=False) as outputs:
        return json.loads((GOLDENS / "cases.json").read_text()), dict(outputs)


def names() -> list[str]:
    """The recorded cases."""
    return list(_stored()[0])


def tensors(network: Network, x: np.ndarray) -> dict[str, np.ndarray]:
    """Every tensor that a network computes of images (n, H, W, C)."""
    everything = replace(network, outputs=tuple(node.name for node in network.nodes))
    found = Reference(everything).outputs(x.transpose(0, 3, 1, 2))
    return {name: values.numpy() for name, values in found.items()}


def golden(name: str) -> tuple[Mapping[str, Any], str | None, np.ndarray, dict[str, Recorded]]:
    """Description, input format, images, and the outputs by layer."""
    cases, outputs = _stored()
    entry = deepcopy(cases[name])
    found = {
        key: Recorded(outputs[f"{name}/{key}"].astype(np.int64), *unit)
        for key, unit in entry["tensors"].items()
    }
    image = found.pop("x")
    x = image.integers * float(image.step)
    return entry["description"], entry["input_format"], x, found


def differences(
    network: Network,
    described: Mapping[str, Any],
    x: np.ndarray,
    expected: Mapping[str, Recorded],
) -> Iterator[str]:
    """What differs, layer by layer.

    Parameters
    ----------
    network : Network
    described : mapping
        The description of the model.
    x : ndarray, shape (n, H, W, C)
    expected : mapping of str to Recorded
        By the name of a layer: its output; with ` input` or ` mask` behind the name, what its
        quantiser makes of its input, and the mask.
    """
    layers = {layer["name"]: layer for layer in described["layers"]}
    computed = tensors(network, x)
    for key, recorded in expected.items():
        name, _, what = key.partition(" ")
        found = _tensor(network, layers, name, what)
        if found is None:
            continue  # it changes nothing
        tensor, clamped = found
        kind = network.types[tensor]
        values = computed[tensor]
        if kind.masked:
            values = _spread(values, kind.frame, mask=what == "mask")
            values = values.reshape(len(values), -1) if recorded.integers.ndim == 2 else values
        elif len(kind.shape) == 3:
            values = values.transpose(0, 2, 3, 1)
        assert isinstance(kind.element, FixedPoint)
        ratio = Fraction(1) if what == "mask" else kind.element.step / recorded.step
        values = np.maximum(values, 0) if clamped else values
        if values.shape != recorded.integers.shape:
            yield f"{key}: shape {values.shape}, expected {recorded.integers.shape}"
            continue
        wrong = values * ratio.numerator != recorded.integers * ratio.denominator
        if wrong.any():
            yield f"{key}: {int(wrong.sum())} of {wrong.size} numbers differ"


def _tensor(
    network: Network, layers: Mapping[str, Mapping[str, Any]], name: str, what: str
) -> tuple[str, bool] | None:
    """Where a tensor of the library is in ours, and whether without its ReLU."""
    nodes = {node.name: node for node in network.nodes}
    layer, before = layers[name], dict(zip(list(layers)[1:], layers.values(), strict=False))
    if layer["type"] == "Flatten":  # what rounds behind it stands in front of it in ours
        tensor = nodes[name].inputs[0]
        rounds = isinstance(nodes[tensor].layer, Quantize) and before[name]["type"] != "Quantizer"
        relu = before[name].get("activation") == "relu"
        return (nodes[tensor].inputs[0], relu) if rounds else (name, False)
    if what == "input":
        return nodes[name].inputs[0], False
    if layer["type"] == "Activation":  # it may be one with the quantiser behind it
        return (nodes[name].inputs[0], True) if name in nodes else None
    if layer.get("output_quantizer") is not None:
        return next(n for n in (f"{name}_oq", f"{name}_relu") if n in nodes), False
    return (name, layer.get("activation") == "relu") if name in nodes else None


def _spread(values: np.ndarray, frame: tuple[int, ...], *, mask: bool) -> np.ndarray:
    """Slots (n, slots, C + 3) as images (n, H, W, C), or as their mask (n, H, W, 1)."""
    place, used = values[..., -3:-1], values[..., -1] != 0
    sample, slot = np.nonzero(used)
    out = np.zeros((len(values), *frame, 1 if mask else values.shape[-1] - 3), np.int64)
    row, column = place[sample, slot].T
    out[sample, row, column] = 1 if mask else values[sample, slot, :-3]
    return out
