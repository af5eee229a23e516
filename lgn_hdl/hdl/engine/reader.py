"""Brings the features of a sample, as input bits, into rows of the engine's state."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Cat, Module, Shape, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ...logic.engine import EngineCode
from ..binarizer import feature_layout
from .select import Selector

__all__ = ["Reader"]


class Reader(wiring.Component):
    """Goes through the steps of a code: a row of bits per clock.

    One-bit features are copied, `lanes` at a time. Numbers are compared: a step takes one feature
    and compares it with `lanes` thresholds from a memory.

    Parameters
    ----------
    code : EngineCode
        With at least one step.

    Members
    -------
    i : In(feature_layout)
        It must stay until `last`.
    start : In(1)
        For one clock.
    o : Out(lanes)
    valid, last : Out(1)
        A row is there; it is the last one.
    """

    i: Value
    start: Signal
    o: Signal
    valid: Signal
    last: Signal

    def __init__(self, *, code: EngineCode):
        self._code = code
        super().__init__(
            {
                "i": In(feature_layout(code.format, code.features)),
                "start": In(1),
                "o": Out(code.lanes),
                "valid": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        code = self._code
        step = Signal(range(code.steps))
        reading = Signal()
        end = Signal()
        m.d.comb += end.eq(reading & (step == code.steps - 1))
        m.d.sync += step.eq(0)
        with m.If(reading & ~end):
            m.d.sync += step.eq(step + 1)
        with m.If(self.start):
            m.d.sync += reading.eq(1)
        with m.Elif(end):
            m.d.sync += reading.eq(0)
        # What is on the way, and when the last row is.
        stages = code.read_stages
        valid, last = Signal(stages), Signal(stages)
        m.d.sync += [
            valid.eq(Cat(reading, valid[:-1])),
            last.eq(Cat(end, last[:-1])),
        ]
        m.d.comb += [self.valid.eq(valid[-1]), self.last.eq(last[-1])]
        features = Value.cast(self.i)
        m.d.comb += self.o.eq(
            self._copied(m, features, step)
            if code.plain
            else self._compared(m, features, step, valid[0])
        )
        return m

    def _selector(self, m: Module, used: list[Value], width: int, choices: int) -> Selector:
        selector = Selector(choices=choices, width=width, stages=self._code.select_stages)
        m.submodules.selector = selector
        gathered = Signal(choices * width, name="used")
        m.d.comb += gathered.eq(Cat(used))
        m.d.comb += selector.i.eq(gathered)
        return selector

    def _copied(self, m: Module, features: Value, step: Signal) -> Value:
        code = self._code
        used = [features[f] for f in code.feature.tolist()]
        selector = self._selector(m, used, code.lanes, code.steps)
        m.d.comb += selector.index.eq(step)
        return selector.o

    def _compared(self, m: Module, features: Value, step: Signal, valid: Value) -> Value:
        code, width = self._code, self._code.format.width
        used = [features[f * width : (f + 1) * width] for f in code.feature.tolist()]
        selector = self._selector(m, used, width, len(used))
        m.submodules.thresholds = table = memory.Memory(
            shape=code.step_bits, depth=code.steps, init=_step_words(code)
        )
        port = table.read_port()
        m.d.comb += [port.addr.eq(step), port.en.eq(1)]
        feature = Signal(range(len(used)))
        with m.If(self.start):
            m.d.sync += feature.eq(0)
        with m.Elif(valid & port.data[-1]):
            m.d.sync += feature.eq(feature + 1)
        m.d.comb += selector.index.eq(feature)
        thresholds = port.data[:-1]
        for stage in range(code.select_stages):
            register = Signal(len(thresholds), name=f"thresholds{stage}", reset_less=True)
            m.d.sync += register.eq(thresholds)
            thresholds = register
        number = Shape(width, code.format.signed)
        x = Signal(number)
        m.d.comb += x.eq(selector.o)
        compared = []
        for lane in range(code.lanes):
            threshold = Signal(number, name=f"threshold{lane}")
            m.d.comb += threshold.eq(thresholds[lane * width : (lane + 1) * width])
            compared.append(x > threshold)
        return Cat(compared)


def _step_words(code: EngineCode) -> list[int]:
    """Contents of the memory of thresholds."""
    width, lanes = code.format.width, code.lanes
    stored = code.thresholds & np.int64((1 << width) - 1)
    return [
        sum(threshold << lane * width for lane, threshold in enumerate(row))
        | int(advance) << lanes * width
        for row, advance in zip(stored.tolist(), code.advance.tolist(), strict=True)
    ]
