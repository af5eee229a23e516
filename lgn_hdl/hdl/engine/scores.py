"""Adds up the scores, class by class, and keeps the largest."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...logic.engine import EngineCode
from ..argmax import class_shape

__all__ = ["Scores"]


class Scores(wiring.Component):
    """A shift register of scores whose lowest one is being added to.

    It starts with the constants of the classes. When a class is closed the register turns by one
    score, so after the last class every score is in its place, class 0 lowest.

    Parameters
    ----------
    code : EngineCode
        With at least one class.
    argmax : bool
        Whether the class index is computed.

    Members
    -------
    clear : In(1)
        Start with the constants.
    results : In(lanes)
    weight : In(signed)
        What each of them that is one adds; 0 if they are no terms.
    close : In(1)
        They are the last ones of their class, which has been there for two clocks or more.
    o : Out(classes · score)
        Two clocks after the last results.
    winner : Out(class)
        Four clocks after; ties go to the lowest index.
    """

    clear: Signal
    results: Signal
    weight: Signal
    close: Signal
    o: Signal
    winner: Signal

    def __init__(self, *, code: EngineCode, argmax: bool):
        self._code, self._argmax = code, argmax
        super().__init__(
            {
                "clear": In(1),
                "results": In(code.lanes),
                "weight": In(Shape(code.weight_bits, True)),
                "close": In(1),
                "o": Out(code.classes * code.score_bits),
                "winner": Out(class_shape(code.classes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        code, width = self._code, self._code.score_bits
        constants = code.constants % (1 << width)
        start = sum(c << place * width for place, c in enumerate(constants.tolist()))
        product = Signal(width, reset_less=True)
        close, closed = Signal(), Signal()
        total = Signal(width)
        m.d.comb += total.eq(self.o[:width] + product)
        ones = Signal(range(code.lanes + 1))
        m.d.comb += ones.eq(sum(self.results[1:], self.results[0]))
        # Not a product, for which some devices would spend a multiplier.
        parts = [Mux(bit, self.weight << place, 0) for place, bit in enumerate(ones)]
        m.d.sync += [
            product.eq(sum(parts[1:], parts[0])),
            close.eq(self.close),
            closed.eq(close),
        ]
        with m.If(self.clear):
            m.d.sync += self.o.eq(start)
        with m.Elif(close):
            m.d.sync += self.o.eq(Cat(self.o[width:], total))
        with m.Else():
            m.d.sync += self.o[:width].eq(total)
        if self._argmax and code.classes > 1:
            self._compare(m, closed)
        return m

    def _compare(self, m: Module, closed: Signal) -> None:
        """The score that was closed last is the highest one of the register.

        It stays there for two clocks at least, so the comparison may take one and the decision
        another.
        """
        width = self._code.score_bits
        score = self.o[-width:]
        best = Signal(width, reset_less=True)
        number = Signal.like(self.winner, name="number", reset_less=True)
        decide, larger = Signal(), Signal(reset_less=True)
        m.d.sync += [decide.eq(closed), larger.eq((number == 0) | (score > best))]
        with m.If(self.clear):
            m.d.sync += number.eq(0)
        with m.Elif(decide):
            m.d.sync += number.eq(number + 1)
            with m.If(larger):
                m.d.sync += [best.eq(score), self.winner.eq(number)]
