"""Features to bits: one comparison with a constant for every threshold that is used."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from ..logic.program import LogicProgram
from ..network import FixedPoint
from .bank import FIRST_BIT, Bank
from .wide import port_vectors, wide_port

__all__ = ["Binarizer", "feature_layout"]


def feature_layout(number: FixedPoint, features: int) -> Shape | data.ArrayLayout:
    """Shape of a sample: a plain vector of bits, or an array of numbers, feature 0 lowest."""
    if number.width == 1 and not number.signed:
        return Shape(features)
    return data.ArrayLayout(Shape(number.width, number.signed), features)


class Binarizer(wiring.Component):
    """Thermometer encoder: bit j is x[feature j] > threshold j, exactly.

    The thresholds are integers of the input's own number format, chosen so that the comparison
    agrees with that of the real threshold for every value of the format. One-bit features pass
    through.

    Parameters
    ----------
    program : LogicProgram
        Its input bits say which comparisons are needed.

    Members
    -------
    i : In(feature_layout)
        The features of a sample.
    o : Out(inputs)
        The bits, in the program's order; split beyond 32,768 bits.
    """

    i: Value | data.View
    latency = 0

    def __init__(self, *, program: LogicProgram):
        self._program = program
        super().__init__(
            {
                "i": In(feature_layout(program.format, program.features)),
                **wide_port("o", program.num_inputs, output=True),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        program, number = self._program, self._program.format
        features = Value.cast(self.i)
        outputs = port_vectors(self, "o", program.num_inputs)
        ends = np.cumsum([0, *map(len, outputs)]).tolist()
        if number.width == 1 and not number.signed:
            self._bits(m, features, outputs, ends)
            return m
        numbers: dict[int, Value] = {}
        for f in np.unique(program.input_feature).tolist():
            numbers[f] = Signal(number.width, name=f"feature{f}")
            m.d.comb += numbers[f].eq(features[f * number.width : (f + 1) * number.width])
        pairs = zip(program.input_feature.tolist(), program.input_threshold.tolist(), strict=True)
        compared = [_exceeds(numbers[f], t, number) for f, t in pairs]
        for vector, (first, end) in zip(outputs, pairwise(ends), strict=True):
            m.d.comb += vector.eq(Cat(compared[first:end]))
        return m

    def _bits(self, m: Module, features: Value, outputs: list[Value], ends: list[int]) -> None:
        """A bit is passed on, or a threshold below 0 or above it decides."""
        feature, threshold = self._program.input_feature, self._program.input_threshold
        ids = np.where(threshold < 0, 1, np.where(threshold > 0, 0, feature + FIRST_BIT))
        bank = Bank.over(m, [features])
        for vector, (first, end) in zip(outputs, pairwise(ends), strict=True):
            m.d.comb += vector.eq(bank.gather(ids[first:end]))


def _exceeds(x: Value, threshold: int, number: FixedPoint) -> Value:
    """Whether the stored integer x is larger than a constant: a chain of AND and OR.

    From the least significant bit up: where the constant has a zero, a one in x decides; where it
    has a one, x needs a one too. A `>` would become a carry chain, several times the LUTs.
    """
    if threshold < number.min_int:
        return Const(1)
    bits: list[Value] = list(x)
    if number.signed:  # two's complement in the order of the unsigned numbers
        bits[-1] = ~bits[-1]
    constant = threshold - number.min_int
    above: Value | None = None
    for place, bit in enumerate(bits):
        if constant >> place & 1:
            above = None if above is None else bit & above
        else:
            above = bit if above is None else bit | above
    return Const(0) if above is None else above
