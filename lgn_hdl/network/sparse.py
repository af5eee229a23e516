"""Layers on sparse images: a few active pixels with their places, as in SparsePixels.

A sparse tensor has slots: features (slots, C), the place of each slot on a frame, and whether the
slot is used. The layers are those of SparsePixels (https://github.com/hftsoi/sparse-pixels).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite, prod
from typing import Literal

import numpy as np

from ..errors import NetworkError
from .arithmetic import check_constants, exact_sum
from .fixed import FixedPoint
from .layers import Layer
from .tensors import TensorType

__all__ = ["InputReduce", "SparseConv2d", "SparseFlatten", "SparsePool2d"]


@dataclass(frozen=True)
class InputReduce(Layer):
    """The first active pixels of an image (C, H, W), in raster order.

    Parameters
    ----------
    slots : int
        How many are kept.
    threshold : float
        A pixel is active if its channel 0 is larger.
    """

    slots: int
    threshold: float = 0.0

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.masked or not isinstance(x.element, FixedPoint) or len(x.shape) != 3:
            raise NetworkError(
                f"takes an image (C, H, W) of fixed-point numbers, found {x}",
                hint="give the input a number format",
            )
        if not 1 <= self.slots <= x.shape[1] * x.shape[2]:
            raise NetworkError(
                f"{self.slots} slots for a frame of {x.shape[1]} x {x.shape[2]} pixels, "
                f"expected 1 to {x.shape[1] * x.shape[2]}"
            )
        if not isfinite(self.threshold):
            raise NetworkError(f"the threshold is {self.threshold}, expected a number")
        return TensorType((self.slots, x.shape[0]), x.element, masked=True, frame=x.shape[1:])


@dataclass(frozen=True, eq=False)
class SparseConv2d(Layer):
    """A convolution of stride 1 at the active places only; the places stay.

    y[i, f] = Σ over used slots j of kernel[f, :, place j - place i + centre] · x[j], as far as that
    is within the kernel. The bias is added where this sum is not zero. Unused slots hold zero.

    Parameters
    ----------
    kernel : ndarray of int64, shape (F, C, height, width)
        Stored integers of `kernel_format`; height and width are odd.
    bias : ndarray of int64, shape (F,)
        Stored integers of `bias_format`.
    kernel_format, bias_format : FixedPoint
    """

    kernel: np.ndarray
    bias: np.ndarray
    kernel_format: FixedPoint
    bias_format: FixedPoint

    def infer(self, *inputs: TensorType) -> TensorType:
        number, slots, channels = _sparse(inputs[0])
        check_constants("kernel", self.kernel, self.kernel_format, (None, channels, None, None))
        check_constants("bias", self.bias, self.bias_format, (len(self.kernel),))
        height, width = self.kernel.shape[2:]
        if not height % 2 or not width % 2:
            raise NetworkError(f"the kernel is {height} x {width}, expected odd numbers")
        low, high = self._bounds(number, slots)
        element = exact_sum(number, self.kernel_format, self.bias, self.bias_format, low, high)
        return replace(inputs[0], shape=(slots, len(self.kernel)), element=element)

    def _bounds(self, number: FixedPoint, slots: int) -> tuple[np.ndarray, np.ndarray]:
        """Of every filter's sum, if the slots lie as unfavourably as they can."""
        kernel = self.kernel.astype(object)
        products = np.stack([kernel * number.min_int, kernel * number.max_int])
        # A slot adds all its channels at one place of the kernel, and no two are at one place.
        low = np.sort(products.min(0).sum(1).reshape(len(kernel), -1), axis=1)[:, :slots]
        high = np.sort(products.max(0).sum(1).reshape(len(kernel), -1), axis=1)[:, ::-1][:, :slots]
        return np.minimum(low, 0).sum(1), np.maximum(high, 0).sum(1)


@dataclass(frozen=True)
class SparsePool2d(Layer):
    """Slots of one cell of a coarser frame merged into the first of them; the others are unused.

    Cells that the frame does not fill, at its right and lower edge, are left out with their slots.

    Parameters
    ----------
    window : tuple of int
        Height and width of a cell.
    kind : {"average", "max"}
        The average over the whole cell, pixels that are not active counting as zero: the sum, with
        the division in the scale of the format. Or the maximum, for unsigned numbers.
    """

    window: tuple[int, ...]
    kind: Literal["average", "max"] = "average"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        number, slots, _ = _sparse(x)
        if len(self.window) != 2 or min(self.window) < 1:
            raise NetworkError(f"the window is {self.window}, expected two positive numbers")
        frame = tuple(n // w for n, w in zip(x.frame, self.window, strict=True))
        if min(frame) < 1:
            raise NetworkError(f"a window of {self.window} does not fit a frame of {x.frame}")
        if self.kind == "max":
            if number.signed:
                raise NetworkError(f"a maximum of {number} would depend on pixels not kept")
            return replace(x, frame=frame)
        if self.kind != "average":
            raise NetworkError(f"pooling is {self.kind!r}, expected 'average' or 'max'")
        most, area = min(slots, prod(self.window)), prod(self.window)
        exact = FixedPoint.covering(number.min_int * most, number.max_int * most)
        element = replace(number, width=exact.width, scale=number.scale * Fraction(1, area))
        return replace(x, element=element, frame=frame)


@dataclass(frozen=True)
class SparseFlatten(Layer):
    """The vector of a whole frame, row-major over (height, width, C); zero where no slot is."""

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        number, _, channels = _sparse(x)
        return TensorType((prod(x.frame) * channels,), number)


def _sparse(x: TensorType) -> tuple[FixedPoint, int, int]:
    """Format, slots and channels of a sparse tensor."""
    if not x.masked or len(x.frame) != 2 or not isinstance(x.element, FixedPoint):
        raise NetworkError(f"takes a sparse tensor of fixed-point numbers, found {x}")
    slots, channels = x.shape
    return x.element, slots, channels
