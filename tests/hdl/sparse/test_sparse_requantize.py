# amaranth: UnusedElaboratable=no
"""Rounding, for every number of small formats and at the ends of large ones."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from sparse_bench import check, sparse_samples

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.sparse import Requantize
from lgn_hdl.hdl.sparse.constants import Reciprocal, signed_digits
from lgn_hdl.network import FixedPoint, Quantize, TensorType


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (FixedPoint(6, 4, signed=True), FixedPoint(3, 1)),
        (FixedPoint(6, 4, signed=True), FixedPoint(3, 1, signed=True)),
        (FixedPoint(6, 4, scale=Fraction(3)), FixedPoint(4, 1)),
        (FixedPoint(6, 4, signed=True, scale=Fraction(1, 49)), FixedPoint(4, 8, signed=True)),
        (FixedPoint(7, 1, scale=Fraction(1, 7)), FixedPoint(4, 0)),
        (FixedPoint(7, 2, signed=True, scale=Fraction(5, 3)), FixedPoint(4, 0, signed=True)),
        (FixedPoint(7, 2, signed=True, scale=Fraction(5, 3)), FixedPoint(9, 3, signed=True)),
        (FixedPoint(4, 0, signed=True), FixedPoint(8, 2, signed=True)),
        (FixedPoint(3, 6, signed=True), FixedPoint(3, 0, signed=True)),  # all of them become zero
        (FixedPoint(4, -3), FixedPoint(2, 0)),
    ],
    ids=str,
)
def test_every_number(source: FixedPoint, target: FixedPoint) -> None:
    numbers = np.arange(source.min_int, source.max_int + 1)
    kind = TensorType((8,), source)
    layer = Quantize(target)
    check(Requantize(layer=layer, source=kind), layer, kind, numbers.reshape(-1, 8))


def test_wide_numbers_of_average_pooling() -> None:
    """Around every tie and both ends, for a sum of 20 bits over 7 x 7 pixels to eight."""
    source = FixedPoint(20, 12, signed=True, scale=Fraction(1, 49))
    target = FixedPoint(8, 9, signed=True)
    ratio = source.step / target.step
    ties = [int(Fraction(2 * k + 1, 2) / ratio) for k in range(-128, 128, 7)]
    near = [t + d for t in ties for d in (-1, 0, 1)]
    ends = [source.min_int, source.max_int, -1, 0, 1]
    numbers = np.array(near + ends + [0] * (-(len(near) + len(ends)) % 16))
    assert numbers.max() == source.max_int
    kind = TensorType((16,), source)
    layer = Quantize(target)
    check(Requantize(layer=layer, source=kind), layer, kind, numbers.reshape(-1, 16))


def test_slots() -> None:
    source = TensorType((3, 2), FixedPoint(6, 3, signed=True), masked=True, frame=(4, 5))
    layer = Quantize(FixedPoint(4, 2))
    samples = sparse_samples(np.random.default_rng(0), source, 9)
    check(Requantize(layer=layer, source=source), layer, source, samples)


@pytest.mark.parametrize("divisor", [1, 3, 7, 9, 25, 49, 121])
def test_every_quotient(divisor: int) -> None:
    for largest in (0, 1, divisor - 1, divisor, 5000):
        inverse = Reciprocal.of(divisor, largest)
        n = np.arange(largest + 1)
        product = n * inverse.factor
        assert np.array_equal(product >> inverse.shift, n // divisor)
        fraction = product & ((1 << inverse.shift) - 1)
        assert np.array_equal(fraction < inverse.factor, n % divisor == 0)


@pytest.mark.parametrize("constant", [0, 1, -1, 7, -23, 85, 2675])
def test_signed_digits(constant: int) -> None:
    digits = signed_digits(constant)
    assert sum(sign << exponent if sign > 0 else -(1 << exponent) for exponent, sign in digits) == (
        constant
    )
    places = [exponent for exponent, _ in digits]
    assert all(b - a > 1 for a, b in pairwise(places))


def test_bits_are_refused() -> None:
    with pytest.raises(BuildError, match="compute with fixed-point numbers"):
        Requantize(layer=Quantize(FixedPoint(3)), source=TensorType((4,)))
