"""Bytes on a serial line: one start bit, eight data bits with the lowest first, one stop bit."""

from __future__ import annotations

from math import ceil

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from .rate import next_count

__all__ = ["ByteReceiver", "ByteTransmitter"]

_BITS = 10  # start, eight of data, stop
#: Silence is counted in units of so many bits, so that one counter does for it and for the byte.
_UNIT = 16


class ByteReceiver(wiring.Component):
    """Takes bytes off a line, and tells when it has been silent for long.

    One counter runs from the edge of the start bit on: its low bits find the middle of each bit,
    the whole of it measures the silence after the byte.

    Parameters
    ----------
    per_bit : int
        Ticks per bit.
    gap_bits : int
        Silence in bits, rounded up to a multiple of 16.

    Members
    -------
    rx : In(1)
        The line, high when idle; any clock.
    tick : In(1)
    swap : In(1)
        Exchange the two halves of `o`; twice restores it. Not while a byte comes in.
    o : Out(8)
        The byte; stable for half a bit from `strobe` on.
    good : Out(1)
        Its stop bit was high.
    strobe : Out(1)
        High for one clock when a byte is complete.
    gap : Out(1)
        High for one clock when no byte has begun for `gap_bits`, and now and then after that.
    """

    rx: Signal
    tick: Signal
    swap: Signal
    o: Signal
    good: Signal
    strobe: Signal
    gap: Signal

    def __init__(self, *, per_bit: int, gap_bits: float):
        self._per_bit = per_bit
        self._units = max(2, ceil((gap_bits + _BITS) / _UNIT))
        super().__init__(
            {
                "rx": In(1, init=1),  # pyright: ignore[reportCallIssue]
                "tick": In(1),
                "swap": In(1),
                "o": Out(8),
                "good": Out(1),
                "strobe": Out(1),
                "gap": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line, inside = Signal(), Signal()
        before = Signal(reset_less=True)
        byte, good = Signal(8, reset_less=True), Signal(reset_less=True)
        m.d.comb += [self.o.eq(byte), self.good.eq(good)]
        # Low after power-up, which costs no inverters: a byte begins where the line falls.
        m.submodules.synchronizer = FFSynchronizer(self.rx, line)

        unit = self._per_bit * _UNIT
        count_bits = (self._units * unit - 1).bit_length()
        # It overflows after the gap; its low bits, one unit, start from zero.
        start = (1 << count_bits) - self._units * unit
        count = Signal(count_bits, reset_less=True)
        after = Signal(count_bits + 1)
        m.d.comb += after.eq(count + 1)
        phase_bits = self._per_bit.bit_length() - 1
        phase, bit = count[:phase_bits], count[phase_bits:][:4]

        middle, stop, begins = Signal(), Signal(), Signal()
        m.d.comb += [
            middle.eq(self.tick & inside & (phase == self._per_bit // 2 - 1)),
            stop.eq(bit == _BITS - 1),
            begins.eq(~inside & before & ~line),
        ]
        with m.If(self.tick):
            m.d.sync += [count.eq(after), before.eq(line)]
            with m.If(begins):
                m.d.sync += count.eq(start)
        # A start bit that is over by its middle was a disturbance.
        ends = middle & (stop | ((bit == 0) & line))
        m.d.sync += inside.eq((inside | (begins & self.tick)) & ~ends)
        with m.If((middle & ~stop) | self.swap):
            halves = Cat(byte[4:], byte[:4])
            m.d.sync += byte.eq(Mux(self.swap, halves, Cat(byte[1:], line)))
        m.d.sync += self.strobe.eq(middle & stop)
        with m.If(middle & stop):
            m.d.sync += good.eq(line)
        m.d.comb += self.gap.eq(self.tick & after[-1])
        return m


class ByteTransmitter(wiring.Component):
    """Puts bytes on a line.

    Time is cut into the lengths of a byte, and at the start of each it asks for one.

    Parameters
    ----------
    per_bit : int
        Ticks per bit.

    Members
    -------
    tx : Out(1, init=1)
        The line, high when idle.
    tick : In(1)
    i : In(8)
        The next byte.
    valid : In(1)
        There is a next byte.
    turn : Out(1)
        High for one clock at the start of each byte: if `valid`, `i` is taken.
    o : Out(8)
        The byte that was taken last, for at least three clocks.
    """

    tx: Signal
    tick: Signal
    i: Signal
    valid: Signal
    turn: Signal
    o: Signal

    def __init__(self, *, per_bit: int):
        self._per_bit = per_bit
        super().__init__(
            {
                "tx": Out(1, init=1),  # pyright: ignore[reportCallIssue]
                "tick": In(1),
                "i": In(8),
                "valid": In(1),
                "turn": Out(1),
                "o": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        phase = Signal(range(self._per_bit), reset_less=True)
        bit = Signal(range(_BITS), reset_less=True)
        bit_ends = Signal()
        rest = Signal(8, init=0xFF)
        m.d.comb += [
            bit_ends.eq(self.tick & phase.all()),
            # Of the numbers up to nine, only nine has these two bits set.
            self.turn.eq(bit_ends & bit[0] & bit[3]),
            self.o.eq(rest),
        ]
        with m.If(self.tick):
            m.d.sync += phase.eq(next_count(phase, self._per_bit))
        with m.If(bit_ends):
            m.d.sync += bit.eq(next_count(bit, _BITS))
            taken = self.valid & bit[0] & bit[3]
            whole = Cat(Const(0, 1), self.i)
            m.d.sync += Cat(self.tx, rest).eq(Mux(taken, whole, Cat(rest, Const(1, 1))))
        return m
