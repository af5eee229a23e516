"""A classifier behind the pins of a Tiny Tapeout project: samples and results byte by byte."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..errors import BuildError

__all__ = ["DONE", "NEXT", "OUTPUTS", "READY", "RESTART", "WRITE", "TinyTapeout"]

#: Which bidirectional pin is what.
WRITE, NEXT, READY, DONE, RESTART = range(5)
#: Those that the chip drives, as `uio_oe` wants it.
OUTPUTS = 1 << READY | 1 << DONE


class TinyTapeout(wiring.Component):
    """Takes a sample in bytes, gives the result in bytes; the host needs no clock of the chip's.

    A rising edge of `WRITE` takes the byte at `ui_in`, the lowest of the sample first. After the
    last one the sample is classified. Then `DONE` rises and `uo_out` is the lowest byte of the
    result; a rising edge of `NEXT` moves on by a byte, and after the last one `DONE` falls and the
    next sample may be written. `READY` is high while bytes are taken. `RESTART` high forgets the
    bytes that were taken and drops a result; it is held until `READY` is high.

    The three inputs may change at any time: each is synchronised. They have to keep a value for
    four clocks, and `ui_in` is not to change while `WRITE` is high.

    Parameters
    ----------
    core : wiring.Component
        With streams `i` and `o`; every sample taken at `i` gives one result at `o`, in any time.

    Members
    -------
    ui_in : In(8)
    uo_out : Out(8)
    uio_in, uio_out, uio_oe : 8 bits
        The bidirectional pins, see `WRITE` to `RESTART`.

    Raises
    ------
    BuildError
        If a sample or a result has no bits.
    """

    ui_in: Signal
    uo_out: Signal
    uio_in: Signal
    uio_out: Signal
    uio_oe: Signal

    def __init__(self, *, core: Any):
        self._core = core
        self.sample_bits = len(Value.cast(core.i.payload))
        self.result_bits = len(Value.cast(core.o.payload))
        if not (self.sample_bits and self.result_bits):
            raise BuildError("a classifier without inputs or without outputs needs no chip")
        self.sample_bytes = -(-self.sample_bits // 8)
        self.result_bytes = -(-self.result_bits // 8)
        super().__init__(
            {
                "ui_in": In(8),
                "uo_out": Out(8),
                "uio_in": In(8),
                "uio_out": Out(8),
                "uio_oe": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self._core
        write, step, restart = (
            self._synchronised(m, name, pin)
            for name, pin in (("write", WRITE), ("next", NEXT), ("restart", RESTART))
        )
        write, step = self._rising(m, "write", write), self._rising(m, "next", step)

        waiting, occupied, idle = Signal(), Signal(), Signal()
        taken, left = Signal(), Signal()
        m.d.comb += [
            idle.eq(~waiting & ~occupied),
            taken.eq(core.i.valid & core.i.ready),
            left.eq(core.o.valid & core.o.ready),
        ]

        # The sample register: each flip-flop is fed by the one eight places up.
        sample = Signal(8 * self.sample_bytes, reset_less=True)
        place, full = Signal(range(self.sample_bytes)), Signal()
        with m.If(write & idle):
            m.d.sync += sample.eq(Cat(sample[8:], self.ui_in))
            m.d.sync += place.eq(Mux(full, 0, place + 1))
        m.d.comb += full.eq(place == self.sample_bytes - 1)
        m.d.sync += [
            waiting.eq((waiting & ~taken) | (write & idle & full & ~restart)),
            occupied.eq((occupied | taken) & ~left),
        ]
        m.d.comb += [
            Value.cast(core.i.payload).eq(sample),
            core.i.valid.eq(waiting),
        ]

        result = Signal(8 * self.result_bytes)
        at, last = Signal(range(self.result_bytes)), Signal()
        ready, done = Signal(), Signal()
        m.d.comb += [
            result.eq(Value.cast(core.o.payload)),
            self.uo_out.eq(result.word_select(at, 8)),
            last.eq(at == self.result_bytes - 1),
            core.o.ready.eq((step & done & last) | restart),
        ]
        with m.If(step & done):
            m.d.sync += at.eq(Mux(last, 0, at + 1))
        with m.If(restart):
            m.d.sync += [place.eq(0), at.eq(0)]
        # Straight from flip-flops: the host may look at any time, and must see no glitch.
        m.d.sync += [ready.eq(idle), done.eq(core.o.valid & ~core.o.ready)]
        m.d.comb += [
            self.uio_out.eq(ready << READY | done << DONE),
            self.uio_oe.eq(OUTPUTS),
        ]
        return m

    def _synchronised(self, m: Module, name: str, pin: int) -> Signal:
        inside = Signal(name=f"{name}_in")
        # High at first, as `_rising` has it: that is no edge. A reset leaves it to the pin.
        high = pin != RESTART
        m.submodules[f"{name}_synchronizer"] = FFSynchronizer(self.uio_in[pin], inside, init=high)
        return inside

    def _rising(self, m: Module, name: str, value: Signal) -> Signal:
        # High before: a pin that is high at the end of the reset is no edge.
        before, edge = Signal(name=f"{name}_before", init=1), Signal(name=f"{name}_edge")
        m.d.sync += before.eq(value)
        m.d.comb += edge.eq(value & ~before)
        return edge
