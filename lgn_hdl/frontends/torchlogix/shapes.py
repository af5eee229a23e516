"""The shape of the data: through a Flatten, and of the input where nobody has told it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from torch import Tensor

from ...errors import LgnError, NetworkError
from ...network.images import output_size
from .binarization import thermometer
from .state import State

__all__ = ["deduce_shape", "flattened", "shape_after", "shape_candidates", "unknown_shape"]


def flattened(shape: Sequence[int], start_dim: int, end_dim: int) -> tuple[int, ...]:
    """Shape of a sample after torch's Flatten, whose axes count the batch.

    Raises
    ------
    NetworkError
        If the axes are not there, or the batch axis is among them.
    """
    axes = len(shape) + 1
    start = start_dim + axes if start_dim < 0 else start_dim
    end = end_dim + axes if end_dim < 0 else end_dim
    if not 1 <= start <= end < axes:
        raise NetworkError(
            f"Flatten({start_dim}, {end_dim}) does not fit samples of shape {tuple(shape)}",
            hint="axis 0 is the batch, which must stay",
        )
    return (*shape[: start - 1], prod(shape[start - 1 : end]), *shape[end:])


def shape_after(
    layer: Mapping[str, Any], shape: Sequence[int], thresholds: Tensor | None = None
) -> tuple[int, ...]:
    """Shape of a sample after a described layer.

    Parameters
    ----------
    layer : mapping
    shape : sequence of int
        Shape in front of it.
    thresholds : Tensor, optional
        Of a binarization.

    Raises
    ------
    NetworkError
        If the layer does not take such samples.
    """
    kind, shape = layer["type"], tuple(shape)
    if kind == "DummyBinarization":
        return shape
    if "feature_dim" in layer and thresholds is not None:
        found = thermometer(thresholds, layer["feature_dim"], shape)
        merged = list(shape)
        merged[found.axis] *= found.thresholds.shape[-1]
        return tuple(merged)
    if kind == "Flatten":
        return flattened(shape, layer["start_dim"], layer["end_dim"])
    if kind == "LogicDense":
        if not shape or shape[-1] != layer["in_dim"]:
            raise NetworkError(f"takes {layer['in_dim']} inputs on the last axis, not {shape}")
        return (*shape[:-1], layer["out_dim"])
    if kind.startswith("LogicConv"):
        expected = (layer["channels"], *layer["in_dim"])
        if shape != expected:
            raise NetworkError(f"takes images of shape {expected}, not {shape}")
        sizes = (tuple(layer[name]) for name in ("receptive_field_size", "stride", "padding"))
        return (layer["num_kernels"], *output_size(tuple(layer["in_dim"]), *sizes))
    if kind.startswith("OrPooling"):
        sizes = (tuple(layer[name]) for name in ("kernel_size", "stride", "padding"))
        return (*shape[:1], *output_size(shape[1:], *sizes))
    return (*shape[:-1], layer["k"])  # a group sum


def deduce_shape(layers: Sequence[Mapping[str, Any]], state: State) -> tuple[int, ...]:
    """Shape of one sample, from the thresholds and the first logic layer of a chain.

    Raises
    ------
    NetworkError
        If they do not tell it.
    """
    candidates, thresholds = shape_candidates(layers, state)
    for shape in candidates:
        if _fits(shape, layers, thresholds):
            return shape
    raise unknown_shape()


def unknown_shape() -> NetworkError:
    """The error about an input shape that nobody tells."""
    return NetworkError(
        "the shape of the input does not follow from the layers",
        hint="give input_shape, the shape of one sample without the batch axis",
    )


def shape_candidates(
    layers: Sequence[Mapping[str, Any]], state: State
) -> tuple[list[tuple[int, ...]], Tensor | None]:
    """Shapes that the input may have, the likely ones first, and the thresholds if there are."""
    first = next((layer for layer in layers if "in_dim" in layer), None)
    binarization = next((la for la in layers if "feature_dim" in la), None)
    size = _takes(first) if first else ()
    if binarization is None:
        return [size] if size else [], None
    learned = binarization["type"] == "LearnableBinarization"
    thresholds = state.get(binarization["path"], "raw_diffs" if learned else "thresholds")
    bits = thresholds.shape[-1] if thresholds.ndim else 1
    candidates = [tuple(thresholds.shape[:-1])]
    if size and bits and size[0] % bits == 0:  # a vector, or the channels of an image
        candidates.append((size[0] // bits, *size[1:]))
    return [shape for shape in candidates if shape], thresholds


def _takes(layer: Mapping[str, Any]) -> tuple[int, ...]:
    """Shape of the samples that a logic layer takes, which for LogicDense is one axis of them."""
    if layer["type"] == "LogicDense":
        return (layer["in_dim"],)
    return (layer["channels"], *layer["in_dim"])


def _fits(
    shape: tuple[int, ...], layers: Sequence[Mapping[str, Any]], thresholds: Tensor | None
) -> bool:
    """Whether samples of `shape` arrive at the first logic layer as it takes them."""
    try:
        for layer in layers:
            shape = shape_after(layer, shape, thresholds)
            if "in_dim" in layer:
                return True
    except LgnError:
        return False
    return prod(shape) > 1
