"""Features to bits: one comparison with a constant for every threshold that is used."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from ..logic.program import LogicProgram
from ..network import FixedPoint
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
        numbers: dict[int, Value] = {}
        for f in np.unique(program.input_feature).tolist():
            bits = features[f * number.width : (f + 1) * number.width]
            if number.width == 1:  # wide inputs are vectors of bits: no signal for each of them
                numbers[f] = bits
                continue
            numbers[f] = Signal(number.width, name=f"feature{f}")
            m.d.comb += numbers[f].eq(bits)
        pairs = zip(program.input_feature.tolist(), program.input_threshold.tolist(), strict=True)
        outputs = [_exceeds(numbers[f], t, number) for f, t in pairs]
        first = 0
        for vector in port_vectors(self, "o", program.num_inputs):
            m.d.comb += vector.eq(Cat(outputs[first : first + len(vector)]))
            first += len(vector)
        return m


def _exceeds(x: Value, threshold: int, number: FixedPoint) -> Value:
    """Whether the stored integer x is larger than a constant: a chain of AND and OR.

    From the least significant bit up: where the constant has a zero, a one in x decides; where it
    has a one, x needs a one too. A `>` would become a carry chain, several times the LUTs.
    """
    if threshold < number.min_int:
        return Const(1)
    if number.signed:  # two's complement in the order of the unsigned numbers
        x = Cat(x[:-1], ~x[-1])
    constant = threshold - number.min_int
    above: Value | None = None
    for place in range(number.width):
        if constant >> place & 1:
            above = None if above is None else x[place] & above
        else:
            above = x[place] if above is None else x[place] | above
    return Const(0) if above is None else above
