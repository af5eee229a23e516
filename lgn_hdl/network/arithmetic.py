"""Layers that compute with fixed-point numbers, exactly until they round where they say so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ..errors import NetworkError
from .fixed import FixedPoint
from .layers import Layer
from .tensors import TensorType

__all__ = ["Dense", "Quantize", "check_constants", "exact_sum", "unit_ratio"]


@dataclass(frozen=True)
class Quantize(Layer):
    """Rounded to a format: to the nearest number, ties to the even one, saturating.

    To an unsigned format this is a quantised ReLU: what is negative saturates at zero.
    """

    format: FixedPoint

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if not isinstance(x.element, FixedPoint):
            raise NetworkError(f"takes fixed-point numbers, found {x}")
        ratio = unit_ratio(x.element, self.format)
        largest = max(x.element.max_int, -x.element.min_int)
        if 2 * (largest * ratio.numerator + ratio.denominator) >= 1 << 63:
            raise NetworkError(
                f"rounding {x.element} to {self.format} takes more than 64 bits",
                hint="take fewer fractional bits",
            )
        return replace(x, element=self.format)


@dataclass(frozen=True, eq=False)
class Dense(Layer):
    """Sums of products with constants, and a constant: y[o] = Σ weight[o, i] · x[i] + bias[o].

    Parameters
    ----------
    weight : ndarray of int64, shape (O, I)
        Stored integers of `weight_format`.
    bias : ndarray of int64, shape (O,)
        Stored integers of `bias_format`.
    weight_format, bias_format : FixedPoint
    """

    weight: np.ndarray
    bias: np.ndarray
    weight_format: FixedPoint
    bias_format: FixedPoint

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.masked or not isinstance(x.element, FixedPoint) or len(x.shape) != 1:
            raise NetworkError(f"a dense layer takes one axis of fixed-point numbers, found {x}")
        check_constants("weight", self.weight, self.weight_format, (None, x.size))
        check_constants("bias", self.bias, self.bias_format, (len(self.weight),))
        low, high = _extremes(self.weight, x.element)
        element = exact_sum(
            x.element, self.weight_format, self.bias, self.bias_format, low.sum(1), high.sum(1)
        )
        return TensorType((len(self.weight),), element)


def _extremes(weight: np.ndarray, x: FixedPoint) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest product of each constant with a number, as Python integers."""
    products = np.stack([weight.astype(object) * x.min_int, weight.astype(object) * x.max_int])
    return products.min(axis=0), products.max(axis=0)


def unit_ratio(source: FixedPoint, target: FixedPoint) -> Fraction:
    """How many units of `target` a unit of `source` is."""
    return source.step / target.step


def exact_sum(
    x: FixedPoint,
    weight_format: FixedPoint,
    bias: np.ndarray,
    bias_format: FixedPoint,
    low: np.ndarray,
    high: np.ndarray,
) -> FixedPoint:
    """The narrowest format that holds products of `x` and constants added up, and a bias.

    Parameters
    ----------
    x, weight_format, bias_format : FixedPoint
    bias : ndarray of int64, shape (O,)
    low, high : ndarray of object, shape (O,)
        Bounds of the sums of products, in units of one product.

    Raises
    ------
    NetworkError
        If there is no such format of at most 62 bits.
    """
    product = FixedPoint(
        1, x.fraction + weight_format.fraction, scale=x.scale * weight_format.scale
    )
    # A bias that is finer than the products makes the unit of the sum finer.
    finer = unit_ratio(bias_format, product).denominator
    unit = FixedPoint(1, product.fraction, scale=product.scale / finer)
    if finer & (finer - 1) == 0:
        unit = FixedPoint(1, product.fraction + finer.bit_length() - 1, scale=product.scale)
    shift = bias.astype(object) * int(unit_ratio(bias_format, unit))
    exact = FixedPoint.covering(
        int(min(0, *(low * finer + shift))), int(max(0, *(high * finer + shift)))
    )
    return FixedPoint(exact.width, unit.fraction, exact.signed, unit.scale)


def check_constants(
    what: str, values: np.ndarray, number: FixedPoint, shape: tuple[int | None, ...]
) -> None:
    """Check trained constants against their format and the expected shape; None stands for any.

    Raises
    ------
    NetworkError
        With what was found and what was expected.
    """
    fits = values.ndim == len(shape) and all(
        n in (None, m) and m > 0 for n, m in zip(shape, values.shape, strict=True)
    )
    if values.dtype != np.int64 or not fits:
        expected = ", ".join("any" if n is None else str(n) for n in shape)
        raise NetworkError(
            f"{what} is {values.dtype} of shape {values.shape}, expected int64 of ({expected})"
        )
    wrong = (values < number.min_int) | (values > number.max_int)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise NetworkError(
            f"{what} at {place} is {values[place]}, beyond the range of {number}: "
            f"{number.min_int} to {number.max_int}"
        )
