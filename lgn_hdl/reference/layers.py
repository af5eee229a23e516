"""What each layer computes: one function per layer type, on batches of integers and bits.

Bits are uint8 tensors of 0 and 1, fixed-point numbers are int64 tensors of stored integers, real
numbers are float64. Axis 0 is the batch. Written for being evidently right: `lgn_hdl.network`
says what a layer holds, this file says what it means.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "arg_max",
    "axis_sum",
    "concat",
    "dense",
    "group_sum",
    "logic_conv",
    "lut_layer",
    "or_pool",
    "quantize",
    "reshape",
    "thermometer",
]


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


def logic_conv(
    x: Tensor,
    taps: Tensor,
    tables: Tensor,
    window: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
) -> Tensor:
    """Trees of lookup tables at every position of a window that slides over a padded image.

    Parameters
    ----------
    x : Tensor of uint8, shape (B, C, *size)
    taps : Tensor of int32, shape (k, K, Q, S, 1 + axes)
        Channel and place in the window that each row of each first-level table reads.
    tables : Tensor, shape (K, 1 + k + ... + S)
        As in `lut_layer`, the first level first.
    window, stride, padding : sequence of int
        Along each axis of the image; outside it bits are zero.

    Returns
    -------
    Tensor of uint8, shape (B, K, *positions)
    """
    axes = len(window)
    seen = _windows(x, window, stride, padding)  # (B, C, *positions, *window)
    positions = seen.shape[2 : 2 + axes]
    # (C, *window, B, P): what one tap reads is contiguous.
    seen = seen.permute(1, *range(2 + axes, 2 + 2 * axes), 0, *range(2, 2 + axes)).flatten(2 + axes)
    k, kernels, choices, width = taps.shape[:4]
    if choices == 1:
        rows = seen[taps[:, :, 0].long().unbind(-1)]  # (k, K, S, B, P)
    else:
        parts = [seen[..., q][taps[:, :, q].long().unbind(-1)] for q in range(choices)]
        rows = torch.stack(parts, dim=-1)
    first = 0
    while True:
        index = rows[0]
        for row in rows[1:]:
            index = index * 2 + row
        table = tables[:, first : first + width, None, None]
        out = ((table >> index.to(tables.dtype)) & 1).to(torch.uint8)  # (K, width, B, P)
        if width == 1:
            return out[:, 0].movedim(1, 0).reshape(-1, kernels, *positions)
        first, width = first + width, width // k
        rows = out.unflatten(1, (width, k)).movedim(2, 0)


def or_pool(
    x: Tensor, window: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> Tensor:
    """The OR over a window of each channel of (B, C, *size); bits outside the image are zero."""
    axes = len(window)
    return _windows(x, window, stride, padding).flatten(2 + axes).amax(-1)


def _windows(
    x: Tensor, window: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> Tensor:
    """What a window sees of (B, C, *size), as a view (B, C, *positions, *window)."""
    x = F.pad(x, [n for p in reversed(padding) for n in (p, p)])
    for axis, (size, step) in enumerate(zip(window, stride, strict=True)):
        x = x.unfold(2 + axis, size, step)
    return x


def axis_sum(x: Tensor, axes: Sequence[int]) -> Tensor:
    """Sum of stored integers over `axes` (the batch not counted), as int64."""
    return x.sum([axis + 1 for axis in axes], dtype=torch.int64)


def dense(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Sums of products of (B, I) and (O, I), and a bias (O,), all int64 in units of the result."""
    return (x.unsqueeze(1) * weight).sum(-1) + bias


def quantize(x: Tensor, numerator: int, denominator: int, low: int, high: int) -> Tensor:
    """x · numerator / denominator, to the nearest integer, ties to the even one, saturating."""
    twice = 2 * numerator * x + denominator
    rounded = torch.div(twice, 2 * denominator, rounding_mode="floor")
    tie = (twice % (2 * denominator) == 0) & (rounded % 2 != 0)
    return (rounded - tie.to(torch.int64)).clamp(low, high)


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
