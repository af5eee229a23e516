"""Layers that only arrange elements, whatever these are, and the sum over axes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

import numpy as np

from ..errors import NetworkError
from .fixed import FixedPoint
from .layers import Layer
from .tensors import TensorType

__all__ = ["AxisSum", "Concat", "Permute", "Reshape", "Slice", "arranged"]


@dataclass(frozen=True)
class Reshape(Layer):
    """The same elements in row-major order under another shape."""

    shape: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        out = TensorType(self.shape, x.element)
        if x.masked or out.size != x.size:
            raise NetworkError(f"{x} cannot be reshaped to {self.shape}")
        return out


@dataclass(frozen=True)
class Permute(Layer):
    """The axes in another order: axis i of the output is axis `axes[i]` of the input."""

    axes: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.masked or sorted(self.axes) != list(range(len(x.shape))):
            raise NetworkError(f"{self.axes} is no order of the axes of {x}")
        return TensorType(tuple(x.shape[axis] for axis in self.axes), x.element)


@dataclass(frozen=True)
class Slice(Layer):
    """Indices `start` to `stop` - 1 of one axis."""

    axis: int
    start: int
    stop: int

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.masked or not 0 <= self.axis < len(x.shape):
            raise NetworkError(f"axis {self.axis} is not an axis of {x}")
        if not 0 <= self.start < self.stop <= x.shape[self.axis]:
            raise NetworkError(
                f"{self.start} to {self.stop} is no range of the {x.shape[self.axis]} indices of "
                f"axis {self.axis}"
            )
        shape = list(x.shape)
        shape[self.axis] = self.stop - self.start
        return TensorType(tuple(shape), x.element)


@dataclass(frozen=True)
class Concat(Layer):
    """Tensors joined along one axis, in the order of the inputs."""

    axis: int
    arity: ClassVar[int] = -1

    def infer(self, *inputs: TensorType) -> TensorType:
        first = inputs[0]
        if not 0 <= self.axis < len(first.shape):
            raise NetworkError(f"axis {self.axis} is not an axis of {first}")
        rest = [(*x.shape[: self.axis], *x.shape[self.axis + 1 :]) for x in inputs]
        if any(x.masked or x.element != first.element for x in inputs) or len(set(rest)) > 1:
            found = ", ".join(map(str, inputs))
            raise NetworkError(f"tensors do not concatenate along axis {self.axis}: {found}")
        shape = list(first.shape)
        shape[self.axis] = sum(x.shape[self.axis] for x in inputs)
        return TensorType(tuple(shape), first.element)


def arranged(layer: Layer, *arrays: np.ndarray) -> np.ndarray | None:
    """What a layer of this file does to arrays of anything, such as the numbers of signals.

    Parameters
    ----------
    layer : Layer
    *arrays : ndarray
        Without the batch axis.

    Returns
    -------
    ndarray or None
        None if the layer does more than arrange elements.
    """
    match layer:
        case Reshape(shape=shape):
            return arrays[0].reshape(shape)
        case Permute(axes=axes):
            return arrays[0].transpose(axes)
        case Slice(axis=axis, start=start, stop=stop):
            return arrays[0][(slice(None),) * axis + (slice(start, stop),)]
        case Concat(axis=axis):
            return np.concatenate(arrays, axis=axis)
        case _:
            return None


@dataclass(frozen=True)
class AxisSum(Layer):
    """The exact sum over some axes, which disappear; the numbers grow as many bits as they need.

    A profile of a detector's pixels is such a sum.
    """

    axes: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        number = x.element
        if x.masked or not isinstance(number, FixedPoint):
            raise NetworkError(f"a sum over axes takes fixed-point numbers, found {x}")
        if len(set(self.axes)) < max(len(self.axes), 1) or not set(self.axes) <= set(
            range(len(x.shape))
        ):
            raise NetworkError(f"{self.axes} are not axes of {x}")
        terms = prod(x.shape[axis] for axis in self.axes)
        exact = FixedPoint.covering(number.min_int * terms, number.max_int * terms)
        shape = tuple(n for axis, n in enumerate(x.shape) if axis not in self.axes)
        return TensorType(shape, replace(number, width=exact.width))
