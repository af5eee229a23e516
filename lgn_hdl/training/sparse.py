"""The layers on sparse images, as `docs/ir.md` states them, on dense tensors with a mask."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal

import brevitas.nn as qnn
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import NetworkError
from ..network import FixedPoint
from .image import SparseImage, SparseVector
from .quantizers import affine_options, rounded

__all__ = ["InputReduce", "SparseConv2d", "SparseFlatten", "SparsePool2d"]


class InputReduce(nn.Module):
    """The first active pixels of an image, in raster order; the input is rounded before.

    In eval mode, what follows computes with float64, so that sums are exact up to 53 bits.

    Parameters
    ----------
    slots : int
        How many pixels are kept.
    threshold : float
        A pixel is active if its channel 0, rounded, is larger.
    input_format : FixedPoint or str
        Number format of the pixels.

    Raises
    ------
    NetworkError
        If there is no slot, or the format has a scale.
    """

    def __init__(
        self,
        slots: int,
        threshold: float = 0.0,
        *,
        input_format: FixedPoint | str = "ufixed<8,1>",
    ):
        super().__init__()
        if isinstance(input_format, str):
            input_format = FixedPoint.parse(input_format)
        if slots < 1:
            raise NetworkError(f"{slots} slots, expected at least 1")
        if input_format.scale != 1:
            raise NetworkError(f"pixels are {input_format}, expected a format without a scale")
        self.slots, self.threshold, self.input_format = slots, float(threshold), input_format

    def forward(self, x: Tensor) -> SparseImage:
        """From (B, C, H, W); no gradient goes to the input."""
        number = self.input_format
        rounded = number.to_real(number.quantize(x.detach().cpu().double().numpy()))
        values = torch.from_numpy(rounded).to(x.device)
        active = values[:, :1] > self.threshold
        rank = active.flatten(1).cumsum(1).view_as(active)
        active &= rank <= self.slots
        kind = torch.get_default_dtype() if self.training else torch.float64
        return SparseImage((values * active).to(kind), active, 1)

    def extra_repr(self) -> str:
        return f"slots={self.slots}, threshold={self.threshold}, input_format={self.input_format}"


class SparseConv2d(qnn.QuantConv2d):
    """A convolution of stride 1 at the active pixels; the bias is added where the sum is not zero.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : int or (int, int)
        Odd numbers.
    weight_bits, bias_bits : int
        Widths, signs included; where the binary point is follows the trained values.
    **options
        Of `brevitas.nn.QuantConv2d`: other quantisers, say.

    Raises
    ------
    NetworkError
        If the kernel is even in one direction.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        weight_bits: int = 8,
        bias_bits: int = 8,
        **options: Any,
    ):
        size = _pair(kernel_size)
        if not all(n % 2 for n in size):
            raise NetworkError(f"the kernel is {size[0]} x {size[1]}, expected odd numbers")
        if options.keys() & {"stride", "padding", "dilation", "groups"}:
            raise NetworkError("sparse convolutions have stride 1, and their pixels stay in place")
        options = affine_options(weight_bits, bias_bits, options)
        padding = (size[0] // 2, size[1] // 2)
        super().__init__(in_channels, out_channels, size, padding=padding, **options)

    def forward(self, x: SparseImage) -> SparseImage:  # pyright: ignore
        weight = rounded(self.quant_weight(), x.values)
        total = functional.conv2d(x.values, weight, padding=self.padding)
        if self.bias is not None:
            bias = rounded(self.quant_bias(), total).view(-1, 1, 1)
            total = total + (total != 0) * bias * x.area
        return x._replace(values=total * x.active)


class SparsePool2d(nn.Module):
    """The average over whole cells, pixels that are not active counting as zero; or the maximum.

    A cell is active if a pixel in it is. Cells that the frame does not fill are left out.

    Parameters
    ----------
    window : int or (int, int)
        Height and width of a cell.
    kind : {"average", "max"}
        The maximum is for numbers that are not negative.

    Raises
    ------
    NetworkError
        If the kind is another one.
    """

    def __init__(self, window: int | tuple[int, int], kind: Literal["average", "max"] = "average"):
        super().__init__()
        if kind not in ("average", "max"):
            raise NetworkError(f"pooling is {kind!r}, expected 'average' or 'max'")
        self.window, self.kind = _pair(window), kind

    def forward(self, x: SparseImage) -> SparseImage:
        active = functional.max_pool2d(x.active.to(x.values), self.window) > 0
        if self.kind == "max":
            return SparseImage(functional.max_pool2d(x.values, self.window), active, x.area)
        sums = functional.avg_pool2d(x.values, self.window, divisor_override=1)
        return SparseImage(sums, active, x.area * prod(self.window))

    def extra_repr(self) -> str:
        return f"window={self.window}, kind={self.kind!r}"


class SparseFlatten(nn.Module):
    """The vector of a whole frame, row-major over (height, width, C)."""

    def forward(self, x: SparseImage) -> SparseVector:
        return SparseVector(x.values.movedim(1, -1).flatten(1), x.area)


def _pair(size: int | Sequence[int]) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else size
    return height, width
