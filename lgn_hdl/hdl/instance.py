"""A classifier that was converted before, as a block of a larger design."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, ShapeLike, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ClassifierInstance"]


class ClassifierInstance(wiring.Component):
    """Refers to the module `name` of RTLIL that `to_rtlil` made of a classifier.

    Parameters
    ----------
    sample, result : ShapeLike
        Payloads of its streams.
    name : str
        Name of its module, which has a clock.

    Members
    -------
    i : In(stream.Signature(sample))
    o : Out(stream.Signature(result))
    """

    i: Any
    o: Any

    def __init__(self, *, sample: ShapeLike, result: ShapeLike, name: str = "top"):
        self._name = name
        super().__init__({"i": In(stream.Signature(sample)), "o": Out(stream.Signature(result))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.module = Instance(
            self._name,
            i_clk=ClockSignal(),
            i_rst=ResetSignal(),
            i_i__payload=Value.cast(self.i.payload),
            i_i__valid=self.i.valid,
            o_i__ready=self.i.ready,
            o_o__payload=Value.cast(self.o.payload),
            o_o__valid=self.o.valid,
            i_o__ready=self.o.ready,
        )
        return m
