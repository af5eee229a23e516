"""What each layer computes: one function per layer type, on batches of integers and bits.

Bits are uint8 tensors of 0 and 1, fixed-point numbers are int64 tensors of stored integers, real
numbers are float64. Axis 0 is the batch. Written for being evidently right: `lgn_hdl.network`
says what a layer holds, this file says what it means.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["arg_max", "concat", "group_sum", "lut_layer", "reshape", "thermometer"]


def thermometer(x: Tensor, thresholds: Tensor, axis: int) -> Tensor:
    """Bits x > t, strict; bit t of index c of `axis` stands at index c·T + t.

    Parameters
    ----------
    x : Tensor of float64 or int64, shape (B, *shape)
        Real numbers, or stored integers.
    thresholds : Tensor of the same dtype, shape (*broadcastable to shape, T)
        For stored integers: the largest stored integer that is not above the real threshold.
    axis : int
        Axis of `shape` (the batch not counted) that the T bits are merged into.
    """
    bits = (x.unsqueeze(-1) > thresholds).to(torch.uint8)
    return bits.movedim(-1, axis + 2).flatten(axis + 1, axis + 2)


def lut_layer(x: Tensor, connections: Tensor, tables: Tensor) -> Tensor:
    """N lookup tables on the last axis.

    The k wires of a neuron, read as a binary number whose most significant bit is row 0, are the
    index; the output is that bit of the table.

    Parameters
    ----------
    x : Tensor of uint8, shape (B, ..., F)
    connections : Tensor of int32 or int64, shape (k, N)
    tables : Tensor, shape (N,)
        In the narrowest of uint8 (k ≤ 3), int32 (k = 4), int64 that holds 2^k bits. With k = 6
        the sign bit is bit 63: the shift fills with it and the final mask drops the filling.
    """
    # Neurons first: a wire is then one contiguous row of samples. The way back is a view, so that
    # consecutive layers transpose nothing.
    rows = x.movedim(-1, 0).contiguous()
    index = rows.index_select(0, connections[0])
    for wires in connections[1:]:
        index = index.mul_(2).add_(rows.index_select(0, wires))
    shape = (-1,) + (1,) * (rows.ndim - 1)
    output = tables.view(shape) >> index.to(tables.dtype)
    return (output & 1).to(torch.uint8).movedim(0, -1)


def group_sum(x: Tensor, groups: int) -> Tensor:
    """Number of ones in each of `groups` equal contiguous parts, as int64."""
    return x.unflatten(1, (groups, -1)).sum(-1, dtype=torch.int64)


def arg_max(x: Tensor) -> Tensor:
    """Index of the largest score, the lowest of them on a tie, as int64."""
    candidates = torch.arange(x.shape[-1], device=x.device)
    largest = x == x.amax(-1, keepdim=True)
    return torch.where(largest, candidates, x.shape[-1]).amin(-1)


def reshape(x: Tensor, shape: Sequence[int]) -> Tensor:
    """The same elements in row-major order under another shape."""
    return x.reshape(x.shape[0], *shape)


def concat(xs: Sequence[Tensor], axis: int) -> Tensor:
    """Tensors joined along `axis` (the batch not counted)."""
    return torch.cat(list(xs), axis + 1)
