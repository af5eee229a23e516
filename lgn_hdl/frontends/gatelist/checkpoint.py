"""Gate lists as a checkpoint of the trained weights: 16 per gate, the gate axis first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
import torch

from ...errors import FormatError
from .files import GATES, GateLayer

__all__ = ["from_checkpoint", "is_checkpoint"]


def is_checkpoint(state: Mapping[str, Any]) -> bool:
    """Whether a loaded torch file is a gate-list checkpoint."""
    return "connections" in state or "layers.0.w" in state


def from_checkpoint(state: Mapping[str, Any]) -> list[GateLayer]:
    """`layers.{i}.w` of shape (16, N), gate axis first, and `connections` = [A, B] per layer."""
    weights = []
    while f"layers.{len(weights)}.w" in state:
        weights.append(_gates(state[f"layers.{len(weights)}.w"], f"layers.{len(weights)}.w"))
    extra = [k for k in state if k != "connections" and not re.fullmatch(r"layers\.\d+\.w", k)]
    if not weights or extra:
        odd = extra[0] if extra else "no layers.0.w"
        raise FormatError(f"not a gate-list checkpoint: found {odd}")
    if len(weights) != len(state) - ("connections" in state):
        raise FormatError(f"layer {len(weights)} is missing")
    if "connections" not in state:
        raise FormatError(
            "the checkpoint has no 'connections': its wiring cannot be known",
            hint="save the connections along with the weights",
        )
    pairs = _pairs(state["connections"], [len(gates) for gates in weights])
    return [
        GateLayer(_indices(a, i), _indices(b, i), gates, name=f"layer {i}")
        for i, ((a, b), gates) in enumerate(zip(pairs, weights, strict=True))
    ]


def _gates(weight: Any, name: str) -> np.ndarray:
    if not isinstance(weight, torch.Tensor) or weight.ndim != 2 or weight.shape[0] != GATES:
        found = tuple(weight.shape) if isinstance(weight, torch.Tensor) else type(weight).__name__
        raise FormatError(f"is {found}, expected a tensor of shape (16, gates)", where=name)
    values = weight.detach().cpu().to(torch.float64).numpy()
    if not np.isfinite(values).all():
        gate, neuron = np.argwhere(~np.isfinite(values))[0]
        raise FormatError(f"the weight of gate {gate} of neuron {neuron} is not finite", where=name)
    return values.argmax(0).astype(np.uint8)


def _pairs(connections: Any, sizes: list[int]) -> list[tuple[Any, Any]]:
    """[A of every layer, B of every layer], or one [A, B] for every layer.

    Two layers look alike in both forms: the first is taken, unless only the second fits the
    sizes of the layers and the ranges of the indices.
    """
    layers = len(sizes)
    try:
        lengths = [len(part) for part in connections]
    except TypeError:
        _bad_connections(type(connections).__name__, layers)
    forms: list[list[tuple[Any, Any]]] = []
    if lengths == [layers, layers]:
        forms.append(list(zip(connections[0], connections[1], strict=True)))
    if lengths == [2] * layers:
        forms.append([(a, b) for a, b in connections])
    if not forms:
        _bad_connections(f"lists of lengths {lengths}", layers)
    return next((form for form in forms if _fits(form, sizes)), forms[0])


def _fits(pairs: list[tuple[Any, Any]], sizes: list[int]) -> bool:
    """Whether every layer has its number of gates and reads only what the one before it has."""
    for layer, (pair, size) in enumerate(zip(pairs, sizes, strict=True)):
        for indices in pair:
            if not isinstance(indices, torch.Tensor) or indices.shape != (size,):
                return False
            if layer and size and int(indices.max()) >= sizes[layer - 1]:
                return False
    return True


def _bad_connections(found: str, layers: int) -> NoReturn:
    raise FormatError(
        f"'connections' holds {found}, expected [A, B] with {layers} index lists each"
    )


def _indices(values: Any, layer: int) -> np.ndarray:
    if not isinstance(values, torch.Tensor):
        raise FormatError(
            f"a {type(values).__name__} is in 'connections', expected tensors",
            where=f"layer {layer}",
        )
    return values.detach().cpu().numpy()
