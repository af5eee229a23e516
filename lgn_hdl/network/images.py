"""Layers that slide over an image of bits: trees of lookup tables, and OR pooling."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from ..errors import NetworkError
from .layers import MAX_LUT_INPUTS, Layer
from .tensors import BIT, TensorType

__all__ = ["LogicConv", "OrPool", "output_size"]


def output_size(
    size: tuple[int, ...],
    window: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
) -> tuple[int, ...]:
    """How many positions a window has along each axis, rounded down.

    Raises
    ------
    NetworkError
        If the arguments are not of one number of axes and in range, or the window does not fit.
    """
    axes = len(size)
    if not axes or any(len(given) != axes for given in (window, stride, padding)):
        raise NetworkError(
            f"window {window}, stride {stride} and padding {padding} do not fit an image of "
            f"{axes} axes"
        )
    if min(window) < 1 or min(stride) < 1 or min(padding) < 0:
        raise NetworkError(
            f"window is {window}, stride {stride}, padding {padding}, expected at least 1, 1 and 0"
        )
    TensorType(tuple(n + 2 * p for n, p in zip(size, padding, strict=True)))  # not too large
    out = tuple(
        (n + 2 * p - w) // s + 1 for n, w, s, p in zip(size, window, stride, padding, strict=True)
    )
    if any(n + 2 * p < w for n, w, p in zip(size, window, padding, strict=True)):
        raise NetworkError(f"a window of {window} does not fit {size} padded by {padding}")
    return out


@dataclass(frozen=True, eq=False)
class LogicConv(Layer):
    """K kernels slid over an image: each is a tree of lookup tables over taps in its window.

    A tree of depth D has k^(D-1) tables on its first level, which read taps of the window, and one
    on its last, which is the output. Bits outside the image are zero.

    Parameters
    ----------
    window : tuple of int
        Extent of the window along each axis of the image, such as (3, 3).
    stride, padding : tuple of int
        Along each axis; the padding is on both sides.
    taps : ndarray of int32, shape (k, K, Q, S, 1 + axes)
        Where row r of first-level table s of a kernel reads: channel, then the place in the window,
        whose corner is 0. Q is 1 if all positions read the same taps, as in a convolution, else the
        number of positions in row-major order.
    tables : ndarray of uint64, shape (K, 1 + k + ... + S)
        Bit i is the output at index i. The S first-level tables of a kernel come first; table j of
        the next level reads the tables j·k to j·k + k - 1 of the one before, the first of them the
        most significant bit.
    """

    window: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    taps: np.ndarray
    tables: np.ndarray

    @property
    def k(self) -> int:
        """Inputs per table."""
        return self.taps.shape[0]

    @property
    def kernels(self) -> int:
        """Number of kernels, the channels that come out."""
        return self.taps.shape[1]

    @property
    def shared(self) -> bool:
        """Whether all positions read the same taps."""
        return self.taps.shape[2] == 1

    @property
    def levels(self) -> tuple[int, ...]:
        """Tables of a kernel on each level, the first level first: k^(D-1), ..., k, 1."""
        sizes = [self.taps.shape[3]]
        while sizes[-1] > 1:
            sizes.append(sizes[-1] // self.k)
        return tuple(sizes)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.masked or not x.is_bits or len(x.shape) < 2:
            raise NetworkError(f"a logic convolution takes an image of bits, found {x}")
        channels, *size = x.shape
        out = output_size(tuple(size), self.window, self.stride, self.padding)
        self._check_taps(channels, prod(out))
        self._check_tables()
        return TensorType((self.kernels, *out), BIT)

    def _check_taps(self, channels: int, positions: int) -> None:
        taps, axes = self.taps, len(self.window)
        if taps.dtype != np.int32 or taps.ndim != 5 or 0 in taps.shape:
            raise NetworkError(
                f"taps are {taps.dtype} of shape {taps.shape}, expected int32 of shape "
                f"(k, kernels, positions, tables, {1 + axes})"
            )
        if not 2 <= self.k <= MAX_LUT_INPUTS:
            raise NetworkError(f"tables have {self.k} inputs, expected 2 to {MAX_LUT_INPUTS}")
        if taps.shape[2] not in (1, positions) or taps.shape[4] != 1 + axes:
            raise NetworkError(
                f"taps are of shape {taps.shape}, expected 1 or {positions} positions and "
                f"{1 + axes} coordinates"
            )
        if self.k ** (len(self.levels) - 1) != taps.shape[3]:
            raise NetworkError(
                f"{taps.shape[3]} first-level tables of {self.k} inputs do not make a full tree"
            )
        limits = np.array([channels, *self.window])
        wrong = (taps < 0) | (taps >= limits)
        if wrong.any():
            row, kernel, position, table, axis = np.argwhere(wrong)[0]
            what = "channel" if axis == 0 else f"place along axis {axis - 1} of the window"
            raise NetworkError(
                f"kernel {kernel}, position {position}, table {table}, input {row}: {what} "
                f"{taps[row, kernel, position, table, axis]} is out of range, "
                f"there are {limits[axis]}"
            )

    def _check_tables(self) -> None:
        tables, expected = self.tables, (self.kernels, sum(self.levels))
        if tables.dtype != np.uint64 or tables.shape != expected:
            raise NetworkError(
                f"tables are {tables.dtype} of shape {tables.shape}, expected uint64 of {expected}"
            )
        if self.k < MAX_LUT_INPUTS and (tables >> np.uint64(1 << self.k)).any():
            kernel, table = np.argwhere(tables >> np.uint64(1 << self.k))[0]
            raise NetworkError(
                f"kernel {kernel}, table {table}: {int(tables[kernel, table]):#x} has more than "
                f"{1 << self.k} bits"
            )


@dataclass(frozen=True)
class OrPool(Layer):
    """The OR over a window of each channel, bits outside the image being zero.

    Parameters
    ----------
    window, stride, padding : tuple of int
        Along each axis of the image; the number of positions is rounded down.
    """

    window: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.masked or not x.is_bits or len(x.shape) < 2:
            raise NetworkError(f"OR pooling takes an image of bits, found {x}")
        channels, *size = x.shape
        out = output_size(tuple(size), self.window, self.stride, self.padding)
        return TensorType((channels, *out), BIT)
