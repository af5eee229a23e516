"""Frames off the line: counts them through, checks them, says what to do about each."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from ...errors import BuildError
from ...link import SYNC, ErrorCode, Kind
from .crc import START, after_nibble
from .messages import IDENTIFICATION
from .uart import ByteReceiver

__all__ = ["FrameReceiver"]


class _At(enum.Enum, shape=3):
    """The byte that comes next."""

    SYNC = 0
    KIND = 1
    REQUEST = 2
    LENGTH_LOW = 3
    LENGTH_HIGH = 4
    BODY = 5  # or, with no byte of it left, the upper half of the CRC
    CRC_LOW = 6


class FrameReceiver(wiring.Component):
    """Takes frames off the line.

    Parameters
    ----------
    sample_bytes : int
        Length of the body of an INFER, 1 to 65535.
    per_bit, gap_bits : int
        As for `ByteReceiver`.

    Members
    -------
    rx, tick : In(1)
    waiting : In(1)
        The sample register is taken: a body must not be shifted into it.
    byte : Out(8), shift : Out(1)
        Shift `byte` into the sample register.
    request : Out(8)
        Id of the frame that just ended; 0 if it ended before its id.
    accept : Out(1)
        High for one clock: the sample is complete and right.
    respond : Out(1)
        High for one clock: `reply` is to be sent.
    reply : Out(3)
        An error code, or `IDENTIFICATION`.
    """

    rx: Signal
    tick: Signal
    waiting: Signal
    byte: Signal
    shift: Signal
    request: Signal
    accept: Signal
    respond: Signal
    reply: Signal

    def __init__(self, *, sample_bytes: int, per_bit: int, gap_bits: float):
        if not 1 <= sample_bytes <= 0xFFFF:
            raise BuildError(
                f"a sample has {sample_bytes} bytes, a frame carries 1 to 65535",
                hint="choose a narrower --input-format",
            )
        self._sample_bytes = sample_bytes
        self._per_bit, self._gap_bits = per_bit, gap_bits
        super().__init__(
            {
                "rx": In(1, init=1),  # pyright: ignore[reportCallIssue]
                "tick": In(1),
                "waiting": In(1),
                "byte": Out(8),
                "shift": Out(1),
                "request": Out(8),
                "accept": Out(1),
                "respond": Out(1),
                "reply": Out(3),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bytes = line = ByteReceiver(per_bit=self._per_bit, gap_bits=self._gap_bits)
        m.d.comb += [line.rx.eq(self.rx), line.tick.eq(self.tick), self.byte.eq(line.o)]
        at = Signal(_At)

        # A byte takes three clocks: its halves go through the CRC, then it is looked at.
        second, now = Signal(), Signal()
        m.d.sync += [second.eq(line.strobe), now.eq(second)]
        m.d.comb += line.swap.eq(line.strobe | second)

        hunting = at == _At.SYNC
        load = Signal()
        m.d.comb += load.eq((at == _At.LENGTH_LOW) | (at == _At.LENGTH_HIGH))

        left, fewer, none_left = Signal(16, reset_less=True), Signal(17), Signal()
        # Counts down. That `load` is an operand makes room for loading in the LUTs of the carry
        # chain: while it is high, the difference is not looked at.
        m.d.comb += [fewer.eq(left + (~load).replicate(16)), none_left.eq(~fewer[16])]

        request = Signal(8, reset_less=True)
        infer, identify = Signal(reset_less=True), Signal(reset_less=True)
        wrong_length, busy = Signal(reset_less=True), Signal(reset_less=True)
        register, damaged = Signal(16, reset_less=True), Signal(reset_less=True)
        stepped, difference = after_nibble(register, line.o[4:])
        ends = Signal()
        m.d.comb += [
            self.request.eq(request),
            ends.eq(((at == _At.BODY) & none_left) | (at == _At.CRC_LOW)),
        ]
        with m.If(now & hunting):
            m.d.sync += [register.eq(START), damaged.eq(0), busy.eq(0), request.eq(0)]
        with m.Elif(line.swap):
            m.d.sync += register.eq(stepped)
            m.d.sync += damaged.eq(damaged | ~line.good | (ends & difference.any()))

        low, high = self._sample_bytes & 0xFF, self._sample_bytes >> 8
        zero = line.o == 0
        expected = Mux(infer, Mux(at == _At.LENGTH_HIGH, line.o == high, line.o == low), zero)
        with m.If(now):
            with m.Switch(at):
                with m.Case(_At.SYNC):
                    m.d.sync += wrong_length.eq(0)
                    with m.If(line.good & (line.o == SYNC)):
                        m.d.sync += at.eq(_At.KIND)
                with m.Case(_At.KIND):
                    m.d.sync += [
                        infer.eq(line.o == Kind.INFER),
                        identify.eq(line.o == Kind.IDENTIFY),
                        at.eq(_At.REQUEST),
                    ]
                with m.Case(_At.REQUEST):
                    m.d.sync += [request.eq(line.o), at.eq(_At.LENGTH_LOW)]
                with m.Case(_At.LENGTH_LOW):
                    m.d.sync += at.eq(_At.LENGTH_HIGH)
                with m.Case(_At.LENGTH_HIGH):
                    m.d.sync += at.eq(_At.BODY)
                with m.Case(_At.BODY):
                    with m.If(none_left):
                        m.d.sync += at.eq(_At.CRC_LOW)
                    with m.Else():
                        m.d.sync += busy.eq(busy | self.waiting)
                with m.Case(_At.CRC_LOW):
                    m.d.sync += at.eq(_At.SYNC)
            with m.If(load | (at == _At.BODY)):
                m.d.sync += left.eq(Mux(load, Cat(left[8:], line.o), fewer))
            with m.If(load):
                m.d.sync += wrong_length.eq(wrong_length | ~expected)
        # The sample register may take any body while nothing waits in it.
        m.d.comb += self.shift.eq(now & (at == _At.BODY) & ~none_left & ~self.waiting)

        short = line.gap & ~hunting
        with m.If(short):
            m.d.sync += at.eq(_At.SYNC)

        over, good = now & (at == _At.CRC_LOW), Signal()
        m.d.comb += [
            good.eq(~damaged & infer & ~wrong_length & ~busy),
            self.accept.eq(over & good),
            self.respond.eq((over & ~good) | short),
        ]
        reply: Value = Const(IDENTIFICATION)
        for wrong, code in (
            (busy, ErrorCode.BUSY),
            (wrong_length, ErrorCode.LENGTH),
            (~infer & ~identify, ErrorCode.KIND),
            (damaged, ErrorCode.CRC),
            (short, ErrorCode.SHORT),
        ):
            reply = Mux(wrong, code, reply)
        m.d.comb += self.reply.eq(reply)
        return m
