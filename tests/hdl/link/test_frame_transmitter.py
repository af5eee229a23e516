"""The frame transmitter: what the memory holds, and what comes out of the line."""

from __future__ import annotations

import random
from typing import Any

import pytest
from amaranth.sim import Simulator
from link_bench import identity_of

from lgn_hdl.hdl.link.messages import IDENTIFICATION, Messages, Source, write_messages
from lgn_hdl.hdl.link.transmitter import FrameTransmitter
from lgn_hdl.link import ErrorCode, Frame, FrameDecoder, Identity, Kind, crc

#: Results of 1, 2, 3 and 21 bytes.
SHAPES = [{"classes": 0, "bits": 1}, {"classes": 4, "bits": 1}, {}, {"bits": 150}]


def identity_like(shape: dict[str, int]) -> Identity:
    return identity_of(**shape)


def replay(messages: Messages, start: int, request: int, result: bytes) -> tuple[bytes, list[int]]:
    """The frame that starts at a word, and where on the way the result was released."""
    sent, released, register = bytearray(), [], 0
    for word in messages.words[start:]:
        if word.source == Source.MEMORY:
            byte = word.data
        elif word.source == Source.CRC:
            register = register or crc(bytes(sent[1:])) << 8 | 0xFF
            byte = register >> 16
            register = register << 8 & 0xFFFFFF
        elif word.source in (Source.REPLY_REQUEST, Source.RESULT_REQUEST):
            byte = request
        else:
            byte = result[word.source - Source.RESULT]
        sent.append(byte)
        if word.release:
            released.append(len(sent))
        if word.last:
            return bytes(sent), released
    raise AssertionError("no end")


@pytest.mark.parametrize("shape", SHAPES)
def test_memory_holds_every_frame(shape: dict[str, int]) -> None:
    identity = identity_like(shape)
    messages = write_messages(identity)
    bodies = {int(code): bytes([code]) for code in ErrorCode}
    bodies[IDENTIFICATION] = identity.encode()
    assert set(messages.replies) == set(bodies)
    for number, start in messages.replies.items():
        kind = Kind.IDENTIFICATION if number == IDENTIFICATION else Kind.ERROR
        assert replay(messages, start, 99, b"") == (Frame(kind, 99, bodies[number]).encode(), [])
    result = bytes(range(1, 1 + identity.result_bytes))
    sent, released = replay(messages, messages.result, 98, result)
    assert sent == Frame(Kind.RESULT, 98, result).encode()
    assert released == [5 + len(result)]


@pytest.mark.parametrize("shifting", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_frames_on_the_line(shape: dict[str, int], shifting: bool) -> None:
    identity = identity_like(shape)
    block = FrameTransmitter(identity=identity, per_bit=4, shifting=shifting)
    rng = random.Random(len(shape))
    expected: dict[str, list[Frame]] = {"reply": [], "result": []}
    found: list[Frame] = []

    async def replies(ctx: Any) -> None:
        for _ in range(8):
            await ctx.tick().repeat(rng.choice([1, 50, 1500]))
            number, request = rng.randrange(1, IDENTIFICATION + 1), rng.randrange(256)
            ctx.set(block.reply, number)
            ctx.set(block.reply_request, request)
            await ctx.tick().until(block.answered)
            ctx.set(block.reply, 0)
            ctx.set(block.reply_request, 0x5A)  # not looked at any more
            if number == IDENTIFICATION:
                frame = Frame(Kind.IDENTIFICATION, request, identity.encode())
            else:
                frame = Frame(Kind.ERROR, request, bytes([number]))
            expected["reply"].append(frame)

    async def results(ctx: Any) -> None:
        for _ in range(8):
            await ctx.tick().repeat(rng.choice([1, 100, 1500]))
            value, request = rng.randrange(1 << identity.result_bits), rng.randrange(256)
            body = value.to_bytes(identity.result_bytes, "little")
            ctx.set(block.result.payload, value)
            ctx.set(block.result_request, request)
            ctx.set(block.result.valid, 1)
            while True:
                shift, ready = ctx.get(block.shift), ctx.get(block.result.ready)
                await ctx.tick()
                if shifting and shift:
                    value >>= 8
                    ctx.set(block.result.payload, value)
                if ready:
                    break
            ctx.set(block.result.valid, 0)
            ctx.set(block.result.payload, 0x5A5A5A & (1 << identity.result_bits) - 1)
            expected["result"].append(Frame(Kind.RESULT, request, body))

    async def listen(ctx: Any) -> None:
        decoder = FrameDecoder()
        while True:
            await ctx.tick()
            if not ctx.get(block.tx):
                byte = 0
                await ctx.tick()
                for place in range(8):
                    await ctx.tick().repeat(4)
                    byte |= ctx.get(block.tx) << place
                await ctx.tick().repeat(4)
                assert ctx.get(block.tx) == 1
                for item in decoder.feed(bytes([byte])):
                    assert isinstance(item, Frame), item
                    found.append(item)

    async def drain(ctx: Any) -> None:
        ctx.set(block.tick, 1)
        while len(expected["reply"]) + len(expected["result"]) < 16:
            await ctx.tick()
        await ctx.tick().repeat(4 * 10 * 120)

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    for bench in (replies, results, drain):
        simulator.add_testbench(bench)
    simulator.add_testbench(listen, background=True)
    simulator.run()
    assert [frame for frame in found if frame.kind == Kind.RESULT] == expected["result"]
    assert [frame for frame in found if frame.kind != Kind.RESULT] == expected["reply"]
