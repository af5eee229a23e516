"""Convolutions: taps and tables of every kernel from the tensors of a state_dict."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import FormatError, NetworkError
from ...network import LogicConv
from ...network.images import output_size
from .luts import RANKS, Tables, lut_tables
from .state import State

__all__ = ["logic_conv"]

#: A deeper tree has more tables than there is memory for.
MAX_DEPTH = 24


def logic_conv(layer: Mapping[str, Any], state: State) -> tuple[LogicConv, list[Tables]]:
    """The layer of a described convolution, and the tables of its levels as they were decided.

    Raises
    ------
    FormatError
        If a tensor is missing, or of another shape than the description says.
    NetworkError
        If weights or indices are not those of a convolution.
    """
    if layer["connections"] != "fixed":
        raise NetworkError(
            f"connections are {layer['connections']!r}; convolutions have fixed ones only"
        )
    if layer["lut_rank"] not in RANKS.get(layer["parametrization"], ()):
        raise NetworkError(
            f"parametrization {layer['parametrization']!r} with lut_rank {layer['lut_rank']} is "
            "not known"
        )
    for name, largest in (("tree_depth", MAX_DEPTH), ("num_kernels", None), ("channels", None)):
        if layer[name] < 1 or (largest and layer[name] > largest):
            raise NetworkError(f"{name} is {layer[name]}, expected 1 to {largest or 'any number'}")
    taps = _taps(layer, state)
    levels = _levels(layer, state)
    kernels = layer["num_kernels"]
    tables = np.concatenate([level.tables.reshape(-1, kernels).T for level in levels], axis=1)
    if layer["lut_rank"] == 1:
        taps, tables = _unary(taps, tables)
    window, stride, padding = (layer[k] for k in ("receptive_field_size", "stride", "padding"))
    return LogicConv(window, stride, padding, taps, np.ascontiguousarray(tables)), levels


def _levels(layer: Mapping[str, Any], state: State) -> list[Tables]:
    """Tables of each level, first level first; within a level node by node, then kernel."""
    path, rank, depth = layer["path"], layer["lut_rank"], layer["tree_depth"]
    found = []
    for level in range(depth):
        nodes, name = rank ** (depth - 1 - level), f"tree_weights.{level}"
        weight = state.get(path, name)
        if weight.ndim != 3 or tuple(weight.shape[:2]) != (nodes, layer["num_kernels"]):
            raise FormatError(
                f"{name} has the shape {tuple(weight.shape)}, expected "
                f"({nodes}, {layer['num_kernels']}, entries)"
            )
        try:
            tables = lut_tables(
                layer["parametrization"], rank, weight.flatten(0, 1), layer["materialize_basis"]
            )
        except NetworkError as error:
            raise error.at(name) from None
        found.append(tables)
        _check_tree(state.get(path, f"connections._indices_L{level}"), level, rank, nodes)
    return found


def _check_tree(indices: Tensor, level: int, rank: int, nodes: int) -> None:
    """Node j of a level above the first must read the nodes from j·rank on of the one below."""
    expected = torch.arange(nodes * rank).view(nodes, rank).T
    if level and not torch.equal(indices.detach().cpu().to(torch.int64), expected):
        raise NetworkError(
            f"connections._indices_L{level} do not join neighbouring nodes of the tree"
        )


def _taps(layer: Mapping[str, Any], state: State) -> np.ndarray:
    """Places relative to the window's corner, from the stored ones in the padded image."""
    name = "connections._indices_L0"
    indices = state.get(layer["path"], name)
    window, stride, padding = (layer[k] for k in ("receptive_field_size", "stride", "padding"))
    out = output_size(layer["in_dim"], window, stride, padding)
    rank, depth = layer["lut_rank"], layer["tree_depth"]
    expected = (rank, layer["num_kernels"], prod(out), rank ** (depth - 1), len(window) + 1)
    if tuple(indices.shape) != expected:
        raise FormatError(f"{name} has the shape {tuple(indices.shape)}, expected {expected}")
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
        raise FormatError(f"{name} is {indices.dtype}, expected integers")
    places = indices.detach().cpu().numpy().astype(np.int64)
    positions = np.stack(np.unravel_index(np.arange(prod(out)), out), -1)
    relative = places[..., :-1] - (positions * np.array(stride))[:, None]
    taps = np.concatenate([places[..., -1:], relative], -1)
    wrong = ((taps < 0) | (taps >= np.array([layer["channels"], *window]))).any(-1)
    if wrong.any():
        row, kernel, position, node = np.argwhere(wrong)[0]
        place = tuple(places[row, kernel, position, node].tolist())
        raise NetworkError(
            f"kernel {kernel}, position {position}, node {node}, input {row}: {place} is outside "
            f"the receptive field at {tuple((positions[position] * stride).tolist())} of "
            f"{layer['channels']} channels",
            where=name,
        )
    if (taps == taps[:, :, :1]).all():
        taps = taps[:, :, :1]
    return np.ascontiguousarray(taps, dtype=np.int32)


def _unary(taps: np.ndarray, tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A chain of one-input tables as one table, of two inputs that are the same bit."""
    result = np.zeros(len(tables), np.uint64)
    for value in range(2):
        bit = np.full(len(tables), value, np.uint64)
        for level in tables.T:
            bit = (level >> bit) & np.uint64(1)
        result |= bit * np.uint64(0b11 << (2 * value))
    return np.repeat(taps, 2, axis=0), result[:, None]
