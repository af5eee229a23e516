# amaranth: UnusedElaboratable=no
"""The frame receiver against a model in Python, on streams of good, damaged and made-up frames."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from amaranth.sim import Simulator

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.link.messages import IDENTIFICATION
from lgn_hdl.hdl.link.receiver import FrameReceiver
from lgn_hdl.link import SYNC, ErrorCode, Kind, crc, encode_frame

#: What a frame led to: the id, and a reply or the sample.
Event = tuple[int, int | bytes]
GAP_BITS = 30


@dataclass
class Model:
    """What docs/host-protocol.md says, byte after byte."""

    sample_bytes: int
    frame: bytearray = field(default_factory=bytearray)
    damaged: bool = False
    busy: bool = False

    def byte(self, byte: int, good: bool, waiting: bool) -> Event | None:
        frame = self.frame
        if not frame:
            if byte == SYNC and good:
                frame.append(byte)
                self.damaged = self.busy = False
            return None
        frame.append(byte)
        self.damaged |= not good
        length = int.from_bytes(frame[3:5], "little")
        if len(frame) > 5 and len(frame) <= 5 + length:
            self.busy |= waiting
        if len(frame) < 7 or len(frame) < 7 + length:
            return None
        event = (frame[2], self.outcome(length))
        frame.clear()
        return event

    def outcome(self, length: int) -> int | bytes:
        kind, body = self.frame[1], bytes(self.frame[5:-2])
        if self.damaged or crc(bytes(self.frame[1:-2])) != int.from_bytes(self.frame[-2:], "big"):
            return ErrorCode.CRC
        if kind not in (Kind.INFER, Kind.IDENTIFY):
            return ErrorCode.KIND
        if length != (self.sample_bytes if kind == Kind.INFER else 0):
            return ErrorCode.LENGTH
        if self.busy:
            return ErrorCode.BUSY
        return body if kind == Kind.INFER else IDENTIFICATION

    def silence(self) -> Event | None:
        if not self.frame:
            return None
        event = (self.frame[2] if len(self.frame) > 2 else 0, int(ErrorCode.SHORT))
        self.frame.clear()
        return event


def stream(
    rng: random.Random, sample_bytes: int, frames: int
) -> list[tuple[int, bool, bool, bool]]:
    """(byte, good stop bit, a sample waits, silence after it)."""
    items: list[tuple[int, bool, bool, bool]] = []
    for _ in range(frames):
        kind = rng.choice([Kind.INFER] * 6 + [Kind.IDENTIFY] * 2 + [rng.randrange(256)])
        right = {int(Kind.INFER): sample_bytes, int(Kind.IDENTIFY): 0}
        length = right.get(kind, rng.randrange(9))
        if rng.random() < 0.2:
            length = rng.choice([0, 1, sample_bytes - 1, sample_bytes + 1, 256 + sample_bytes])
        data = bytearray(encode_frame(kind, rng.randrange(256), rng.randbytes(length)))
        waiting = rng.random() < 0.3
        frees = rng.randrange(len(data)) if rng.random() < 0.5 else len(data)
        if rng.random() < 0.25:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        bad_stop = rng.randrange(len(data)) if rng.random() < 0.1 else -1
        cut = rng.randrange(1, len(data)) if rng.random() < 0.15 else len(data)
        for place, byte in enumerate(data[:cut]):
            last = place == cut - 1
            silent = last and (cut < len(data) or rng.random() < 0.3)
            items.append((byte, place != bad_stop, waiting and place < frees, silent))
        if rng.random() < 0.3:
            noise = rng.randbytes(rng.randrange(1, 9))
            items += [(byte, rng.random() < 0.9, False, False) for byte in noise]
            items.append((noise[0], True, False, True))
    items.append((0, True, False, True))
    return items


@pytest.mark.parametrize(
    ("sample_bytes", "frames", "seed"),
    [(1, 30, 0), (2, 30, 1), (5, 30, 2), (5, 30, 3), (SYNC, 12, 4), (300, 5, 5)],
)
def test_streams(sample_bytes: int, frames: int, seed: int) -> None:
    rng = random.Random(seed)
    items = stream(rng, sample_bytes, frames)
    model = Model(sample_bytes)
    expected: list[Event] = []
    for byte, good, waiting, silent in items:
        for event in (model.byte(byte, good, waiting), model.silence() if silent else None):
            expected += [event] if event else []

    block = FrameReceiver(sample_bytes=sample_bytes, per_bit=4, gap_bits=GAP_BITS)
    found: list[Event] = []

    async def bench(ctx: Any) -> None:
        ctx.set(block.tick, 1)
        ctx.set(block.rx, 1)
        await ctx.tick().repeat(8)
        for byte, good, waiting, silent in items:
            for place, level in enumerate((0, *((byte >> k & 1) for k in range(8)), int(good))):
                ctx.set(block.rx, level)
                await ctx.tick().repeat(4)
                if place == 3:  # by now the byte before was looked at
                    ctx.set(block.waiting, waiting)
            ctx.set(block.rx, 1)
            for _ in range(8 if not good else rng.choice([0, 0, 3])):
                await ctx.tick()
            if silent:
                await ctx.tick().repeat(4 * (GAP_BITS + 30))

    async def watch(ctx: Any) -> None:
        shifted = bytearray()
        while True:
            await ctx.tick()
            if ctx.get(block.shift):
                shifted.append(ctx.get(block.byte))
            assert not ctx.get(block.accept & block.respond)
            if ctx.get(block.accept):
                found.append((ctx.get(block.request), bytes(shifted[-sample_bytes:])))
            if ctx.get(block.respond):
                found.append((ctx.get(block.request), ctx.get(block.reply)))

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    assert found == expected
    assert len({type(outcome) for _, outcome in found}) > 1


@pytest.mark.parametrize("count", [0, 65536])
def test_a_sample_that_no_frame_carries(count: int) -> None:
    with pytest.raises(BuildError, match=f"a sample has {count} bytes, a frame carries"):
        FrameReceiver(sample_bytes=count, per_bit=4, gap_bits=30)
