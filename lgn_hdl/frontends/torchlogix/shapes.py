"""The shape of the data: through a Flatten, and of the input where nobody has told it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from ...errors import LgnError, NetworkError
from .binarization import thermometer
from .state import State

__all__ = ["deduce_shape", "flattened"]


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


def deduce_shape(layers: Sequence[Mapping[str, Any]], state: State) -> tuple[int, ...]:
    """Shape of one sample, from the thresholds and the first LogicDense.

    Raises
    ------
    NetworkError
        If they do not tell it.
    """
    first = next((layer for layer in layers if layer["type"] == "LogicDense"), None)
    width = first["in_dim"] if first else None
    binarization = next((la for la in layers if "feature_dim" in la), None)
    candidates: list[tuple[int, ...]] = []
    thresholds = None
    if binarization is not None:
        learned = binarization["type"] == "LearnableBinarization"
        thresholds = state.get(binarization["path"], "raw_diffs" if learned else "thresholds")
        bits = thresholds.shape[-1] if thresholds.ndim else 1
        candidates.append(tuple(thresholds.shape[:-1]))
        if width is not None and bits and width % bits == 0:
            candidates.append((width // bits,))
    elif width is not None:
        candidates.append((width,))
    for shape in candidates:
        if _fits(shape, layers, thresholds, width):
            return shape
    raise NetworkError(
        "the shape of the input does not follow from the layers",
        hint="give input_shape, the shape of one sample without the batch axis",
    )


def _fits(
    shape: tuple[int, ...],
    layers: Sequence[Mapping[str, Any]],
    thresholds: Any,
    width: int | None,
) -> bool:
    """Whether samples of `shape` arrive at the first LogicDense with its number of inputs."""
    if not shape:
        return False
    try:
        for layer in layers:
            if layer["type"] == "LogicDense":
                return shape[-1] == width
            if layer["type"] == "Flatten":
                shape = flattened(shape, layer["start_dim"], layer["end_dim"])
            elif "feature_dim" in layer:
                found = thermometer(thresholds, layer["feature_dim"], shape)
                merged = list(shape)
                merged[found.axis] *= found.thresholds.shape[-1]
                shape = tuple(merged)
    except LgnError:
        return False
    return width is None and prod(shape) > 1
