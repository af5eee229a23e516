"""Features to bits: one comparison with a constant for every threshold that is used."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Cat, Module, Shape, Signal, Value
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
            if number.width == 1 and not number.signed:
                numbers[f] = bits
            else:
                shape = Shape(number.width, number.signed)
                numbers[f] = Signal(shape, name=f"feature{f}")
                m.d.comb += numbers[f].eq(bits.as_signed() if number.signed else bits)
        one_bit = number.width == 1 and not number.signed
        pairs = zip(program.input_feature.tolist(), program.input_threshold.tolist(), strict=True)
        outputs = [numbers[f] if one_bit and t == 0 else numbers[f] > t for f, t in pairs]
        first = 0
        for vector in port_vectors(self, "o", program.num_inputs):
            m.d.comb += vector.eq(Cat(outputs[first : first + len(vector)]))
            first += len(vector)
        return m
