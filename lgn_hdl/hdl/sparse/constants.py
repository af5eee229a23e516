"""Comparisons with constants, products with constants, division by constants: all exact."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Const, Module, Shape, Signal, Value

from ...network import FixedPoint

__all__ = ["Reciprocal", "above", "covering_shape", "signed_digits", "times"]


def above(value: Value, number: FixedPoint, limit: int) -> Value:
    """Whether a stored integer is larger than a constant, in gates that no carry chain hides."""
    if limit < number.min_int:
        return Const(1)
    if limit >= number.max_int:
        return Const(0)
    larger: Value = Const(0)
    for place in range(number.width):
        bit, one = value[place], limit >> place & 1
        if number.signed and place == number.width - 1:
            bit, one = ~bit, 1 - one
        larger = bit & larger if one else bit | larger
    return larger


def covering_shape(low: int, high: int) -> Shape:
    """The narrowest shape that holds all integers from `low` to `high`."""
    number = FixedPoint.covering(low, high)
    return Shape(number.width, number.signed)


def signed_digits(constant: int) -> list[tuple[int, int]]:
    """The fewest powers of two, added or subtracted, that make a constant: (exponent, sign)."""
    digits, exponent = [], 0
    while constant:
        if constant & 1:
            sign = 2 - (constant & 3)
            digits.append((exponent, sign))
            constant -= sign
        constant >>= 1
        exponent += 1
    return digits


def times(m: Module, x: Value, constant: int, bounds: tuple[int, int], name: str) -> Value:
    """The product of a number and a constant, by additions of shifted copies.

    Parameters
    ----------
    m : Module
    x : Value
    constant : int
    bounds : tuple of int
        Smallest and largest x.
    name : str
        Prefix of signals.
    """
    low, high = sorted((bounds[0] * constant, bounds[1] * constant))
    shape = covering_shape(min(low, 0), max(high, 0))
    terms = [(sign, x << exponent) for exponent, sign in signed_digits(constant)]
    terms = terms or [(1, Const(0, 1))]
    level = 0
    while len(terms) > 1:
        after = [] if len(terms) % 2 == 0 else [terms[-1]]
        for k in range(0, len(terms) - 1, 2):
            # A difference is taken the right way round, so that the sign is kept outside.
            (a_sign, a), (b_sign, b) = sorted(terms[k : k + 2], key=lambda t: -t[0])
            total = a - b if a_sign != b_sign else a + b
            part = Signal(total.shape(), name=f"{name}_{level}_{k}")
            m.d.comb += part.eq(total)
            after.append((a_sign, part))
        terms, level = after, level + 1
    out = Signal(shape, name=name)
    sign, total = terms[0]
    m.d.comb += out.eq(total if sign > 0 else -total)
    return out


@dataclass(frozen=True)
class Reciprocal:
    """Division by an odd constant as a product with an integer and a shift.

    With factor·divisor = 2^shift + excess, n·factor / 2^shift is n/divisor plus an error of
    n·excess / (divisor·2^shift). The quotient is exact as long as this is less than 1/divisor,
    that is if n·excess < 2^shift. Then the fraction of the product is less than the factor exactly
    if the divisor divides n.

    Parameters
    ----------
    divisor, largest : int
        The n that are divided are 0 to `largest`.
    factor, shift : int
    """

    divisor: int
    largest: int
    factor: int
    shift: int

    @classmethod
    def of(cls, divisor: int, largest: int) -> Reciprocal:
        """The narrowest for an odd divisor."""
        shift = 0
        while True:
            factor = -(-(1 << shift) // divisor)
            if largest * (factor * divisor - (1 << shift)) < 1 << shift:
                return cls(divisor, largest, factor, shift)
            shift += 1
