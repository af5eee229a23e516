"""What the layers on sparse images compute, on batches of stored integers; see `layers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Slots", "flatten", "input_reduce", "pool", "sparse_conv"]


@dataclass(frozen=True)
class Slots:
    """A sparse tensor.

    Parameters
    ----------
    features : Tensor of int64, shape (B, slots, C)
        Zero in unused slots.
    place : Tensor of int64, shape (B, slots, 2)
        Row and column on the frame; anything in unused slots.
    used : Tensor of bool, shape (B, slots)
    """

    features: Tensor
    place: Tensor
    used: Tensor

    @classmethod
    def unpacked(cls, x: Tensor) -> Slots:
        """From (B, slots, C + 3): features, row, column, used."""
        return cls(x[..., :-3], x[..., -3:-1], x[..., -1] != 0)

    def packed(self) -> Tensor:
        """As one tensor of int64; see `unpacked`."""
        return torch.cat([self.features, self.place, self.used.long().unsqueeze(-1)], dim=-1)


def input_reduce(x: Tensor, slots: int, threshold: Tensor) -> Slots:
    """The first `slots` pixels of (B, C, H, W) whose channel 0 is above the threshold."""
    width = x.shape[3]
    active = (x[:, 0] > threshold).flatten(1)
    # A stable sort by "not active" puts the active pixels first, in raster order.
    order = torch.argsort(~active, dim=1, stable=True)[:, :slots]
    used = active.gather(1, order)
    pixels = x.flatten(2).movedim(1, 2)  # (B, H·W, C)
    features = pixels.gather(1, order.unsqueeze(-1).expand(-1, -1, x.shape[1]))
    place = torch.stack([order // width, order % width], dim=-1)
    return Slots(features * used.unsqueeze(-1), place, used)


def sparse_conv(x: Slots, kernel: Tensor, bias: Tensor) -> Slots:
    """Sums over the slots within the kernel; the bias where the sum is not zero.

    Parameters
    ----------
    x : Slots
    kernel : Tensor of int64, shape (F, C, height, width)
        In units of the result per unit of x.
    bias : Tensor of int64, shape (F,)
        In units of the result.
    """
    height, width = kernel.shape[2:]
    offset = x.place.unsqueeze(1) - x.place.unsqueeze(2)  # [b, i, j] = place j - place i
    row, column = offset[..., 0] + height // 2, offset[..., 1] + width // 2
    within = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    within &= x.used.unsqueeze(1) & x.used.unsqueeze(2)
    weights = kernel[:, :, row.clamp(0, height - 1), column.clamp(0, width - 1)]  # (F, C, B, i, j)
    products = weights * within * x.features.movedim(-1, 0).unsqueeze(2)  # x[b, j, c]
    total = products.sum(dim=(1, 4)).movedim(0, -1)  # (B, i, F)
    biased = torch.where(total != 0, total + bias, total)
    return Slots(biased * x.used.unsqueeze(-1), x.place, x.used)


def pool(x: Slots, window: Sequence[int], frame: Sequence[int], *, largest: bool) -> Slots:
    """Slots of one cell merged into the first of them: their sum, or their largest features.

    Parameters
    ----------
    x : Slots
    window : sequence of int
        Height and width of a cell.
    frame : sequence of int
        Rows and columns of whole cells; slots outside them are dropped.
    largest : bool
        Or else the sum.
    """
    cell = x.place // torch.tensor(window)
    used = x.used & (cell < torch.tensor(frame)).all(-1)
    same = (cell.unsqueeze(1) == cell.unsqueeze(2)).all(-1)  # [b, i, j]
    same &= used.unsqueeze(1) & used.unsqueeze(2)
    first = used & ~torch.tril(same, diagonal=-1).any(-1)
    each = same.unsqueeze(-1) * x.features.unsqueeze(1)  # (B, i, j, C)
    merged = each.amax(2) if largest else each.sum(2)
    return Slots(merged * first.unsqueeze(-1), cell, first)


def flatten(x: Slots, frame: Sequence[int]) -> Tensor:
    """All of the frame, (B, height · width · C), zero where no slot is."""
    batch, _, channels = x.features.shape
    out = torch.zeros(batch, frame[0] * frame[1], channels, dtype=torch.int64)
    index = x.place[..., 0] * frame[1] + x.place[..., 1]
    index = torch.where(x.used, index, 0).unsqueeze(-1).expand(-1, -1, channels)
    out = out.scatter_add(1, index, x.features)  # unused slots add zero
    return out.flatten(1)
