"""The CRC four bits at a time, against the one in lgn_hdl.link."""

from __future__ import annotations

import random

from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from lgn_hdl.hdl.link.crc import START, after_nibble, before_sync
from lgn_hdl.link import SYNC, crc


def test_bytes_in_two_steps() -> None:
    m = Module()
    nibble, start, register = Signal(4), Signal(16), Signal(16)
    differs = Signal()
    stepped, difference = after_nibble(register, nibble)
    m.d.comb += differs.eq(difference.any())
    m.d.sync += register.eq(stepped)
    load = Signal()
    with m.If(load):
        m.d.sync += register.eq(start)
    rng = random.Random(1)

    async def bench(ctx) -> None:
        async def feed(data: bytes, expected_to_differ: bool | None = None) -> None:
            for half in (half for byte in data for half in (byte >> 4, byte & 15)):
                ctx.set(nibble, half)
                if expected_to_differ is not None:
                    assert ctx.get(differs) == expected_to_differ
                await ctx.tick()

        for _ in range(100):
            data = rng.randbytes(rng.randrange(1, 20))
            ctx.set(load, 1)
            ctx.set(start, START)
            await ctx.tick()
            ctx.set(load, 0)
            await feed(data)
            assert ctx.get(register) == crc(data)
            # Its own CRC is what the register expects, half by half, and ends it at 0.
            await feed(crc(data).to_bytes(2, "big"), expected_to_differ=False)
            assert ctx.get(register) == 0

            ctx.set(load, 1)
            ctx.set(start, before_sync(SYNC))
            await ctx.tick()
            ctx.set(load, 0)
            await feed(bytes([SYNC]) + data)
            assert ctx.get(register) == crc(data)

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_every_byte_can_be_undone() -> None:
    for sync in range(256):
        register = before_sync(sync) ^ sync << 8
        for _ in range(8):
            register = (register << 1 & 0xFFFF) ^ (0x1021 if register >> 15 else 0)
        assert register == START
