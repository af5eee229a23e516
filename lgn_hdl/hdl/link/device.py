"""A classifier behind a serial line."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...errors import BuildError
from ...link import Identity
from .messages import IDENTIFICATION
from .rate import Ticks, choose_rate
from .receiver import FrameReceiver
from .transmitter import FrameTransmitter

__all__ = ["Device"]


class Device(wiring.Component):
    """Answers frames: identifies itself, classifies samples, refuses what is damaged.

    One sample waits in the receive register while another is in the core, or its result on the
    line. docs/host-protocol.md says what the device does with every frame.

    Parameters
    ----------
    core : wiring.Component
        With streams `i` and `o`; every sample taken at `i` gives one result at `o`, in any time.
        If it has an input `shift`, the device reads the result at its lowest eight bits, and a high
        clock asks the core to move the result down by eight bits: where the result register can
        do that for little, the multiplexer of the bytes is saved.
    identity : Identity
    clock_hz : float
    baud : int
    gap_seconds : float
        Silence within a frame that ends it.

    Members
    -------
    rx : In(1, init=1)
        The line from the host; any clock.
    tx : Out(1, init=1)
    busy : Out(1)
        A sample is on its way.
    error : Out(1)
        High for one clock when a frame was refused.

    Raises
    ------
    BuildError
        If the baud rate cannot be made, or the identity does not describe the core and the line.
    """

    rx: Signal
    tx: Signal
    busy: Signal
    error: Signal

    def __init__(
        self,
        *,
        core: Any,
        identity: Identity,
        clock_hz: float,
        baud: int,
        gap_seconds: float = 0.01,
    ):
        self.rate = choose_rate(clock_hz, baud)
        self._core, self._identity, self._gap_bits = core, identity, gap_seconds * baud
        for what, claimed, found in (
            ("clock in Hz", identity.clock_hz, round(clock_hz)),
            ("baud", identity.baud, baud),
            ("gap in µs", identity.gap_us, round(gap_seconds * 1e6)),
            ("sample bits", _sample_bits(identity), len(Value.cast(core.i.payload))),
            ("result bits", identity.result_bits, len(Value.cast(core.o.payload))),
        ):
            if claimed != found:
                raise BuildError(f"the identity says {claimed} {what}, the device has {found}")
        super().__init__(
            {
                "rx": In(1, init=1),  # pyright: ignore[reportCallIssue]
                "tx": Out(1, init=1),  # pyright: ignore[reportCallIssue]
                "busy": Out(1),
                "error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self._core
        shifting = "shift" in core.signature.members
        per_bit, identity = self.rate.per_bit, self._identity
        m.submodules.ticks = ticks = Ticks(rate=self.rate)
        m.submodules.receiver = receiver = FrameReceiver(
            sample_bytes=identity.sample_bytes, per_bit=per_bit, gap_bits=self._gap_bits
        )
        m.submodules.transmitter = transmitter = FrameTransmitter(
            identity=identity, per_bit=per_bit, shifting=shifting
        )
        m.d.comb += [
            receiver.tick.eq(ticks.o),
            transmitter.tick.eq(ticks.o),
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
        ]

        # The sample register: each flip-flop is fed by the one eight places up.
        sample = Signal(8 * identity.sample_bytes, reset_less=True)
        waiting, waiting_request = Signal(), Signal(8, reset_less=True)
        with m.If(receiver.shift):
            m.d.sync += sample.eq(Cat(sample[8:], receiver.byte))
        with m.If(receiver.accept):
            m.d.sync += waiting_request.eq(receiver.request)
        m.d.comb += receiver.waiting.eq(waiting)

        occupied, request = Signal(), Signal(8, reset_less=True)
        m.d.comb += [
            Value.cast(core.i.payload).eq(sample),
            core.i.valid.eq(waiting & ~occupied),
            transmitter.result.payload.eq(Value.cast(core.o.payload)),
            transmitter.result.valid.eq(core.o.valid),
            transmitter.result_request.eq(request),
            core.o.ready.eq(transmitter.result.ready),
        ]
        if shifting:
            m.d.comb += core.shift.eq(transmitter.shift)
        # A core without registers gives the result while it takes the sample: so the id is there
        # before, and such a core is never occupied.
        with m.If(~occupied):
            m.d.sync += request.eq(waiting_request)
        taken, left = Signal(), Signal()
        m.d.comb += [
            taken.eq(core.i.valid & core.i.ready),
            left.eq(core.o.valid & core.o.ready),
        ]
        # Written out, a flag is one LUT; as conditional assignments it has an enable, which the
        # reset must reach as well.
        m.d.sync += [
            waiting.eq((waiting & ~taken) | receiver.accept),
            occupied.eq((occupied | taken) & ~left),
        ]

        reply, reply_request = Signal(3), Signal(8, reset_less=True)
        m.d.comb += [
            transmitter.reply.eq(reply),
            transmitter.reply_request.eq(reply_request),
            self.busy.eq(waiting | occupied),
            self.error.eq(receiver.respond & (receiver.reply != IDENTIFICATION)),
        ]
        with m.If(transmitter.answered):
            m.d.sync += reply.eq(0)
        with m.Elif(~reply.any()):
            m.d.sync += reply.eq(receiver.reply & receiver.respond.replicate(3))
            m.d.sync += reply_request.eq(receiver.request)
        return m


def _sample_bits(identity: Identity) -> int:
    return identity.features * identity.feature_width
