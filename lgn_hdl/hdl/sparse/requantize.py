"""Rounding to another format: to the nearest number, ties to the even one, saturating."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from ...network import Quantize, TensorType
from ...network.arithmetic import unit_ratio
from .constants import Reciprocal, above, covering_shape, times
from .payload import fixed_format, layout_of
from .steps import Held, Stalling, delayed

__all__ = ["Requantize"]


class Requantize(Stalling):
    """All numbers of a vector or of a sparse tensor in another format, one sample in a clock.

    A scale that is a power of two takes one register. Any other is a division by a constant, an
    exact one (see `Reciprocal`), and takes three.

    Parameters
    ----------
    layer : Quantize
    source : TensorType
        A vector or a sparse tensor.

    Members
    -------
    i : In(stream.Signature(layout_of(source)))
    o : Out(stream.Signature(layout_of(layer.infer(source))))
    """

    def __init__(self, *, layer: Quantize, source: TensorType):
        takes = layout_of(source)
        self._source, self._number = source, fixed_format(source)
        self._target = layer.format
        ratio = unit_ratio(self._number, self._target)
        self._ratio = ratio
        #: The divisor without its powers of two.
        self._odd = ratio.denominator // (ratio.denominator & -ratio.denominator)
        all_of_them = range(self._number.min_int, self._number.max_int + 1)

        def rounded(x: int) -> int:
            return round(x * ratio)

        # From `first` up to but not including `stop` nothing saturates.
        self._first = all_of_them[0] + bisect_right(all_of_them, self._target.min_int, key=rounded)
        self._stop = all_of_them[0] + bisect_left(all_of_them, self._target.max_int, key=rounded)
        super().__init__(
            takes=takes,
            gives=layout_of(layer.infer(source)),
            steps=1,
            depth=1 if self._odd == 1 else 3,
        )

    def _compute(self, m: Module, held: Held) -> Value:
        sample: Any = held.now
        if not self._source.masked:
            numbers = [sample[k] for k in range(self._source.shape[0])]
            return Cat(self._rounded(m, x, f"number{k}") for k, x in enumerate(numbers))
        slots, channels = self._source.shape
        numbers = [sample.features[k][c] for k in range(slots) for c in range(channels)]
        rest = Cat(Value.cast(sample.row), Value.cast(sample.column), sample.valid)
        return Cat(
            *(self._rounded(m, x, f"number{k}") for k, x in enumerate(numbers)),
            delayed(m, rest, "rest", by=self._depth),
        )

    def _rounded(self, m: Module, value: Value, name: str) -> Value:
        number, target = self._number, self._target
        x, out = Signal.like(value, name=name), Signal(target.width, name=f"{name}_rounded")
        over, under = Signal(name=f"{name}_over"), Signal(name=f"{name}_under")
        m.d.comb += [
            x.eq(value),
            over.eq(above(x.as_unsigned(), number, self._stop - 1)),
            under.eq(~above(x.as_unsigned(), number, self._first - 1)),
        ]
        if self._first >= self._stop:
            exact: Value = Const(0, target.width)
        elif self._odd == 1:
            exact = self._shifted(m, x, name)
        else:
            exact = self._divided(m, x, name)
        over = delayed(m, over, f"{name}_over_r", by=self._depth - 1)
        under = delayed(m, under, f"{name}_under_r", by=self._depth - 1)
        low, high = (Const(v % (1 << target.width), target.width) for v in self._ends())
        m.d.comb += out.eq(Mux(over, high, Mux(under, low, exact)))
        return delayed(m, out, f"{name}_out")

    def _ends(self) -> tuple[int, int]:
        return self._target.min_int, self._target.max_int

    def _scaled(self, m: Module, x: Value, name: str) -> Value:
        ends = (self._number.min_int, self._number.max_int)
        return times(m, x, self._ratio.numerator, ends, f"{name}_scaled")

    def _shifted(self, m: Module, x: Value, name: str) -> Value:
        """By a power of two; modulo the range of the target."""
        scaled = self._scaled(m, x, name)
        cut = self._ratio.denominator.bit_length() - 1
        whole = Signal(self._target.width, name=f"{name}_whole")
        m.d.comb += whole.eq(scaled >> cut)
        if cut == 0:
            return whole
        # A scaled number that is narrower than the shift continues with its sign.
        part = Signal(cut, name=f"{name}_part")
        m.d.comb += part.eq(scaled)
        up = part[-1] & (part[:-1].any() | whole[0])
        return (whole + up)[: self._target.width]

    def _divided(self, m: Module, x: Value, name: str) -> Value:
        """By a constant; modulo the range of the target, and behind two registers."""
        numerator, divisor = self._ratio.numerator, self._ratio.denominator
        half = divisor // 2
        lowest = self._first * numerator + half
        # Quotients are counted from an even one below all of them, so that none is negative.
        offset = 2 * max(0, -(lowest // (2 * divisor)))
        largest = (self._stop - 1) * numerator + half + offset * divisor
        halves = (divisor // self._odd).bit_length() - 1
        dividend = Signal(covering_shape(0, largest), name=f"{name}_dividend", reset_less=True)
        m.d.sync += dividend.eq(self._scaled(m, x, name) + (half + offset * divisor))
        shifted = largest >> halves
        inverse = Reciprocal.of(self._odd, shifted)
        turned = times(m, dividend[halves:], inverse.factor, (0, shifted), f"{name}_turned")
        wide = Signal(inverse.shift + self._target.width, name=f"{name}_wide")
        m.d.comb += wide.eq(turned)
        tie: Value = Const(0)
        if halves:
            divides = wide[: inverse.shift] < inverse.factor
            tie = divides & ~dividend[:halves].any()
        tie = delayed(m, tie, f"{name}_tie")
        quotient = delayed(m, wide[inverse.shift :], f"{name}_quotient")
        # The odd one of two equally near numbers is one above the even one.
        even = Cat(quotient[0] & ~tie, quotient[1:])
        return (even - offset)[: self._target.width]
