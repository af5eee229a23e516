"""The layers of a trained, discretised network: pure data, each with its typing rule.

What a layer computes is stated in `lgn_hdl.reference`; in which order its bits stand, in
`docs/ir.md`. A layer here only says what it holds and which tensors it accepts. `images` and
`shaping` hold the layers that slide over images and those that arrange elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import ClassVar

import numpy as np

from ..errors import NetworkError
from .fixed import FixedPoint
from .tensors import BIT, TensorType

__all__ = ["MAX_LUT_INPUTS", "ArgMax", "GroupSum", "Layer", "LutLayer", "Thermometer"]

#: A table of more inputs does not fit in 64 bits.
MAX_LUT_INPUTS = 6


class Layer:
    """Base of all layers: `infer` checks the input types and gives the output type."""

    arity: ClassVar[int] = 1

    def infer(self, *inputs: TensorType) -> TensorType:
        """Type of the output for the given input types.

        Raises
        ------
        NetworkError
            If the layer does not accept them, or its own data is inconsistent.
        """
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Thermometer(Layer):
    """Bits x > t, strict, for every threshold t of an element.

    Parameters
    ----------
    thresholds : ndarray of float64, shape (*broadcastable to the input, T)
        Thresholds of each input element; axes of length 1 are shared.
    axis : int
        Input axis that the T bits of an element are merged into: bit t of index c stands at
        index c·T + t.
    """

    thresholds: np.ndarray
    axis: int

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.masked or x.element == BIT:
            raise NetworkError(f"a thermometer takes real or fixed-point numbers, found {x}")
        if self.thresholds.dtype != np.float64 or not np.isfinite(self.thresholds).all():
            raise NetworkError("thresholds must be finite float64 numbers")
        shape = self.thresholds.shape
        fits = len(shape) == len(x.shape) + 1 and all(
            t in (1, n) for t, n in zip(shape, x.shape, strict=False)
        )
        if not fits or shape[-1] < 1:
            raise NetworkError(
                f"thresholds of shape {shape} do not broadcast to an input of shape {x.shape}",
                hint="expected one axis per input axis (its length or 1), then the thresholds",
            )
        if not 0 <= self.axis < len(x.shape):
            raise NetworkError(f"axis {self.axis} is not an axis of an input of shape {x.shape}")
        merged = list(x.shape)
        merged[self.axis] *= shape[-1]
        return TensorType(tuple(merged), BIT)


@dataclass(frozen=True, eq=False)
class LutLayer(Layer):
    """N lookup tables of k inputs on the last axis; other axes share the tables.

    Parameters
    ----------
    connections : ndarray of int32, shape (k, N)
        Input indices; row 0 is the most significant bit of the table index. k is 1 to 6.
    tables : ndarray of uint64, shape (N,)
        Bit i is the output at index i.
    """

    connections: np.ndarray
    tables: np.ndarray

    @property
    def k(self) -> int:
        """Inputs per table."""
        return self.connections.shape[0]

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.masked or not x.is_bits or not x.shape:
            raise NetworkError(f"a LUT layer takes bits, found {x}")
        wires, tables = self.connections, self.tables
        if wires.dtype != np.int32 or wires.ndim != 2 or not 1 <= self.k <= MAX_LUT_INPUTS:
            raise NetworkError(
                f"connections are {wires.dtype} of shape {wires.shape}, "
                f"expected int32 of shape (k, N) with k from 1 to {MAX_LUT_INPUTS}"
            )
        if tables.dtype != np.uint64 or tables.shape != wires.shape[1:] or tables.size == 0:
            raise NetworkError(
                f"tables are {tables.dtype} of shape {tables.shape}, "
                f"expected uint64 of shape ({wires.shape[1]},), at least one"
            )
        width = x.shape[-1]
        if wires.min() < 0 or wires.max() >= width:
            row, neuron = np.argwhere((wires < 0) | (wires >= width))[0]
            raise NetworkError(
                f"neuron {neuron}, input {row}: index {wires[row, neuron]} is out of range, "
                f"the layer has {width} inputs"
            )
        if self.k < MAX_LUT_INPUTS and (tables >> np.uint64(1 << self.k)).any():
            neuron = int(np.flatnonzero(tables >> np.uint64(1 << self.k))[0])
            raise NetworkError(
                f"neuron {neuron}: table {int(tables[neuron]):#x} has more than {1 << self.k} bits"
            )
        return TensorType((*x.shape[:-1], tables.size), BIT)


@dataclass(frozen=True)
class GroupSum(Layer):
    """Counts of ones in `groups` equal contiguous parts; logit = (count + beta) / tau."""

    groups: int
    tau: float = 1.0
    beta: float = 0.0

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.masked or not x.is_bits or len(x.shape) != 1:
            raise NetworkError(f"a group sum takes one axis of bits, found {x}")
        if self.groups < 1 or x.size % self.groups:
            raise NetworkError(f"{x.size} bits cannot be split into {self.groups} equal groups")
        if not (isfinite(self.tau) and isfinite(self.beta)) or self.tau <= 0:
            raise NetworkError(
                f"tau is {self.tau} and beta is {self.beta}, expected finite numbers with tau > 0"
            )
        return TensorType((self.groups,), FixedPoint.covering(0, x.size // self.groups))


@dataclass(frozen=True)
class ArgMax(Layer):
    """Index of the largest score; ties go to the lowest index."""

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if not isinstance(x.element, FixedPoint) or len(x.shape) != 1 or x.masked:
            raise NetworkError(f"argmax takes one axis of fixed-point scores, found {x}")
        return TensorType((), FixedPoint.covering(0, max(x.size - 1, 1)))
