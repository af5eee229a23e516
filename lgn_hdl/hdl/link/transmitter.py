"""Frames onto the line, by a memory that tells where each byte comes from."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ...link import SYNC, Identity
from .crc import after_nibble, before_sync
from .messages import Source, write_messages
from .uart import ByteTransmitter

__all__ = ["FrameTransmitter"]


class FrameTransmitter(wiring.Component):
    """Sends replies and results, replies first.

    Parameters
    ----------
    identity : Identity
    per_bit : int
        As for `ByteTransmitter`.
    shifting : bool
        Read the result at its lowest byte and move it down by `shift`, instead of choosing bytes.

    Members
    -------
    tick : In(1)
    tx : Out(1, init=1)
    reply : In(3)
        Number of the reply to send, 0 for none. It stays until `answered`.
    reply_request, result_request : In(8)
        Ids of the two; they stay as long as `reply` and `result.valid`.
    answered : Out(1)
        High for one clock when `reply` and `reply_request` are not needed any more.
    result : In(stream.Signature(result_bits))
    shift : Out(1)
        High for one clock when a byte of the result was read.
    active : Out(1)
        A frame is being sent.
    """

    tick: Signal
    tx: Signal
    reply: Signal
    reply_request: Signal
    result_request: Signal
    answered: Signal
    result: Any
    shift: Signal
    active: Signal

    def __init__(self, *, identity: Identity, per_bit: int, shifting: bool = False):
        self._messages = write_messages(identity, shifting=shifting)
        self._per_bit, self._shifting = per_bit, shifting
        super().__init__(
            {
                "tick": In(1),
                "tx": Out(1, init=1),  # pyright: ignore[reportCallIssue]
                "reply": In(3),
                "reply_request": In(8),
                "result_request": In(8),
                "answered": Out(1),
                "result": In(stream.Signature(identity.result_bits)),
                "shift": Out(1),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bytes = line = ByteTransmitter(per_bit=self._per_bit)
        messages = self._messages
        words = [word.encode() for word in messages.words]
        # A size that is a power of two keeps the address decoders out.
        depth = 1 << (len(words) - 1).bit_length()
        m.submodules.words = words_memory = memory.Memory(
            shape=Shape(max(words).bit_length()), depth=depth, init=words
        )
        port = words_memory.read_port()
        address = Signal(range(depth), reset_less=True)
        data, flags, source = port.data[:8], port.data[8:11], port.data[11:]
        m.d.comb += port.addr.eq(address)

        register = Signal(16, reset_less=True)
        payload = Value.cast(self.result.payload)
        count = 1 if self._shifting else -(-len(payload) // 8)
        sources = [data, register[8:], self.reply_request, self.result_request]
        sources += [payload[8 * i : 8 * i + 8] for i in range(count)]
        m.d.comb += line.i.eq(_choose(source, sources))
        assert len(sources) - count == Source.RESULT

        more, taken = Signal(), Signal()
        m.d.comb += [
            line.tick.eq(self.tick),
            line.valid.eq(more),
            self.tx.eq(line.tx),
            taken.eq(line.turn & more),
            self.answered.eq(taken & flags[0]),
            self.result.ready.eq(taken & flags[1]),
            self.shift.eq(taken & (source == Source.RESULT)),
        ]
        # Every frame starts with the same word, so it does not matter that the memory is a clock
        # behind the address when the first byte is taken.
        m.d.sync += [
            more.eq(Mux(self.active, more, self.reply.any() | self.result.valid)),
            self.active.eq(Mux(taken, ~flags[2], self.active)),
        ]
        # `taken` enables, and is an operand so that counting and loading fit one LUT per bit.
        count = address + 1 + (~taken).replicate(len(address))
        with m.If(taken | ~self.active):
            m.d.sync += address.eq(Mux(taken, count, self._start()))

        # Both halves of a byte go through the CRC right after it was taken.
        first, second = Signal(), Signal()
        m.d.sync += [first.eq(taken), second.eq(first)]
        stepped, _ = after_nibble(register, Mux(first, line.o[4:], line.o[:4]))
        with m.If(~self.active):
            m.d.sync += register.eq(before_sync(SYNC))
        with m.Elif(first | second):
            m.d.sync += register.eq(stepped)
        return m

    def _start(self) -> Value:
        """Address of the frame to send."""
        result: Value = Const(self._messages.result)
        for number, start in self._messages.replies.items():
            result = Mux(self.reply == number, start, result)
        return result


def _choose(select: Value, values: list[Value]) -> Value:
    """A tree of two-way multiplexers; what lies beyond the last value is left open."""
    level = list(values)
    for bit in select:
        level = [
            Mux(bit, level[i + 1], level[i]) if i + 1 < len(level) else level[i]
            for i in range(0, len(level), 2)
        ]
    return level[0]
