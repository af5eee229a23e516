"""A host in the simulator that puts bits on the line of a device, and small cores to put behind it.

The host's clock is not the device's: bits come after times, wherever they lie between clock edges.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from lgn_hdl.hdl.link import Device
from lgn_hdl.link import ErrorCode, Frame, FrameDecoder, Identity, Kind, Problem, encode_frame

CLOCK_HZ = 1_000_000
BAUD = 125_000
GAP = 0.0005
SAMPLE_BITS, RESULT_BITS = 27, 19


def classify(sample: int) -> int:
    """What every core here computes."""
    return (sample * 5 + (sample >> 8) + 3) % (1 << RESULT_BITS)


def result_of(body: bytes) -> bytes:
    """Body of the answer to a sample."""
    sample = int.from_bytes(body, "little") % (1 << SAMPLE_BITS)
    return classify(sample).to_bytes(-(-RESULT_BITS // 8), "little")


def samples(count: int, seed: int = 1) -> list[bytes]:
    rng = random.Random(seed)
    size = -(-SAMPLE_BITS // 8)
    return [rng.randrange(1 << SAMPLE_BITS).to_bytes(size, "little") for _ in range(count)]


def identity_of(
    clock_hz: float = CLOCK_HZ, baud: int = BAUD, gap: float = GAP, **changes: Any
) -> Identity:
    fields: dict[str, Any] = {
        "digest": bytes(range(7, 39)),
        "clock_hz": round(clock_hz),
        "baud": baud,
        "gap_us": round(gap * 1e6),
        "features": SAMPLE_BITS,
        "feature_width": 1,
        "feature_signed": False,
        "feature_fraction": 0,
        "classes": 5,
        "class_width": 3,
        "score_width": 3,
        "bits": 1,
        "latency": 4,
        "interval": 1,
        "board": "bench",
        "generator": "0.1.0",
    }
    return Identity(**{**fields, **changes})


class Core(wiring.Component):
    """Takes a sample after some clocks and answers after some more, one sample at a time.

    Parameters
    ----------
    waits : list of (int, int)
        Clocks before a sample is taken, and before its result is there; used in turn.
    shifting : bool
        Whether it has the input `shift`, which moves the result down by a byte.
    """

    i: Any
    o: Any
    shift: Any

    def __init__(self, waits: list[tuple[int, int]] | None = None, *, shifting: bool = False):
        self._waits, self._shifting = waits or [(0, 0)], shifting
        ports: dict[str, Any] = {
            "i": In(stream.Signature(SAMPLE_BITS)),
            "o": Out(stream.Signature(RESULT_BITS)),
        }
        if shifting:
            ports["shift"] = In(1)
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        turn = Signal(range(len(self._waits) + 1))
        before = Array([wait for wait, _ in self._waits])[turn]
        after = Array([wait for _, wait in self._waits])[turn]
        waited, full = Signal(32), Signal()
        result, sample = Signal(RESULT_BITS), self.i.payload
        m.d.comb += [
            self.i.ready.eq(self.i.valid & ~full & (waited >= before)),
            self.o.valid.eq(full & (waited >= after)),
            self.o.payload.eq(result),
        ]
        with m.If(self.i.valid | full):
            m.d.sync += waited.eq(waited + 1)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [waited.eq(0), full.eq(1), result.eq(sample * 5 + (sample >> 8) + 3)]
        if self._shifting:
            with m.If(self.shift):
                m.d.sync += result.eq(result >> 8)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [waited.eq(0), full.eq(0)]
            with m.If(turn == len(self._waits) - 1):
                m.d.sync += turn.eq(0)
            with m.Else():
                m.d.sync += turn.eq(turn + 1)
        return m


class Queue(wiring.Component):
    """A slow core behind a queue, so that it would take several samples."""

    i: Any
    o: Any

    def __init__(self, wait: int):
        self._wait = wait
        super().__init__(
            {
                "i": In(stream.Signature(SAMPLE_BITS)),
                "o": Out(stream.Signature(RESULT_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = queue = SyncFIFOBuffered(width=SAMPLE_BITS, depth=4)
        m.submodules.core = core = Core([(0, self._wait)])
        m.d.comb += [
            queue.w_data.eq(self.i.payload),
            queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
            core.i.payload.eq(queue.r_data),
            core.i.valid.eq(queue.r_rdy),
            queue.r_en.eq(core.i.ready),
            self.o.payload.eq(core.o.payload),
            self.o.valid.eq(core.o.valid),
            core.o.ready.eq(self.o.ready),
        ]
        return m


class Wire(wiring.Component):
    """The same without a register: its result is there while the sample is offered."""

    i: Any
    o: Any

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(SAMPLE_BITS)),
                "o": Out(stream.Signature(RESULT_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sample = self.i.payload
        m.d.comb += [
            self.o.payload.eq(sample * 5 + (sample >> 8) + 3),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


class Host:
    """The other end of the line.

    Members
    -------
    frames : list of Frame
        What came back and was not looked at yet.
    problems : list of Problem
        What came back and is no frame; at the end there must be none.
    bytes : bytearray
        All that came back.
    """

    def __init__(self, ctx: Any, device: Device, baud: float):
        self._ctx, self._device, self.bit = ctx, device, 1 / baud
        self.frames: list[Frame] = []
        self.problems: list[Problem] = []
        self.bytes = bytearray()
        self._decoder = FrameDecoder()

    async def wait(self, seconds: float) -> None:
        await self._ctx.delay(seconds)

    async def level(self, value: int, seconds: float) -> None:
        self._ctx.set(self._device.rx, value)
        await self._ctx.delay(seconds)

    async def send(self, data: bytes, *, stop: int = 1, pause: float = 0) -> None:
        """Bytes bit by bit; `pause` bits of silence after each."""
        for byte in data:
            await self.level(0, self.bit)
            for place in range(8):
                await self.level(byte >> place & 1, self.bit)
            await self.level(stop, self.bit)
            if not stop or pause:
                await self.level(1, self.bit * (1 + pause))

    async def ask(self, kind: int, request: int, body: bytes = b"") -> None:
        await self.send(encode_frame(kind, request, body))

    async def frame(self, *, within: float = 0.02) -> Frame:
        """The next frame from the device, which must come in time."""
        limit = int(within / (5 * self.bit))
        for _ in range(limit):
            if self.frames:
                return self.frames.pop(0)
            await self.wait(5 * self.bit)
        raise AssertionError(f"no answer in {within} s, the line gave {self.bytes.hex(' ')}")

    async def nothing(self, seconds: float) -> None:
        await self.wait(seconds)
        assert self.frames == []

    async def expect(self, *frames: Frame, within: float = 0.02) -> None:
        for frame in frames:
            found = await self.frame(within=within)
            assert found == frame, (found, frame)

    def restart(self) -> None:
        """Forget what came back: a reset of the device cut it off."""
        self.frames.clear()
        self.problems.clear()
        self.bytes.clear()
        self._decoder = FrameDecoder()

    async def listen(self, ctx: Any) -> None:
        """Decode what the device sends."""
        while True:
            await ctx.negedge(self._device.tx)
            await ctx.delay(self.bit / 2)
            if ctx.get(self._device.tx):
                continue  # a reset cut the start bit short
            byte = 0
            for place in range(8):
                await ctx.delay(self.bit)
                byte |= ctx.get(self._device.tx) << place
            await ctx.delay(self.bit)
            assert ctx.get(self._device.tx) == 1, "no stop bit"
            self.bytes.append(byte)
            for item in self._decoder.feed(bytes([byte])):
                if isinstance(item, Frame):
                    self.frames.append(item)
                else:
                    self.problems.append(item)


def error(code: ErrorCode, request: int) -> Frame:
    return Frame(Kind.ERROR, request, bytes([code]))


def result(request: int, body: bytes) -> Frame:
    return Frame(Kind.RESULT, request, result_of(body))


async def works(host: Host, request: int = 77) -> None:
    """The device answers as if nothing had happened."""
    (body,) = samples(1, seed=99)
    await host.ask(Kind.INFER, request, body)
    await host.expect(result(request, body))


def make(core: Any = None, **line: Any) -> Device:
    """A device of the identity that goes with it."""
    clock_hz, baud = line.get("clock_hz", CLOCK_HZ), line.get("baud", BAUD)
    gap = line.get("gap", GAP)
    identity = identity_of(clock_hz, baud, gap)
    core = Core() if core is None else core
    return Device(core=core, identity=identity, clock_hz=clock_hz, baud=baud, gap_seconds=gap)


def converse(
    device: Any,
    talk: Callable[[Host], Awaitable[None]],
    *,
    clock_hz: float = CLOCK_HZ,
    baud: float = BAUD,
) -> None:
    """Run what the host does against a device; `baud` is the host's."""
    simulator = Simulator(device)
    simulator.add_clock(1 / clock_hz)
    hosts: list[Host] = []

    async def bench(ctx: Any) -> None:
        host = Host(ctx, device if isinstance(device, Device) else device.device, baud)
        hosts.append(host)
        await ctx.delay(2 / baud)
        await talk(host)
        await ctx.delay(20 / baud)
        assert host.problems == []

    async def listener(ctx: Any) -> None:
        while not hosts:
            await ctx.tick()
        await hosts[0].listen(ctx)

    simulator.add_testbench(bench)
    simulator.add_testbench(listener, background=True)
    simulator.run()
