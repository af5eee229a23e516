"""The two halves of the UART, bit by bit."""

from __future__ import annotations

import random
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from lgn_hdl.hdl.link.rate import Rate, Ticks
from lgn_hdl.hdl.link.uart import ByteReceiver, ByteTransmitter

#: Ticks per bit, clocks per tick.
PACES = [(4, 1), (4, 3), (8, 1), (8, 5)]


def simulate(block: Any, per_tick: int, bench: Any) -> None:
    m = Module()
    m.submodules.block = block
    m.submodules.ticks = ticks = Ticks(rate=Rate(1e6, 8, 1, per_tick))
    m.d.comb += block.tick.eq(ticks.o)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize(("per_bit", "per_tick"), PACES)
def test_bytes_sent(per_bit: int, per_tick: int) -> None:
    """`turn` comes once per byte time; `valid` decides whether a byte or silence follows."""
    block = ByteTransmitter(per_bit=per_bit)
    clocks = per_bit * per_tick
    rng = random.Random(per_bit)
    todo = [rng.choice([None, 0, 255, rng.randrange(256)]) for _ in range(40)]
    found: list[int] = []

    async def bench(ctx) -> None:
        for number, byte in enumerate(todo):
            ctx.set(block.valid, byte is not None)
            ctx.set(block.i, byte or 0)
            waited = 0
            while not ctx.get(block.turn):
                await ctx.tick()
                found.append(ctx.get(block.tx))
                waited += 1
            assert number == 0 or waited == 10 * clocks - 1
            await ctx.tick()
            found.append(ctx.get(block.tx))
            if byte is not None:
                assert ctx.get(block.o) == byte

    simulate(block, per_tick, bench)
    expected: list[int] = []
    for byte in todo:
        frame = [0, *((byte >> k & 1) for k in range(8)), 1] if byte is not None else [1] * 10
        expected += [level for level in frame for _ in range(clocks)]
    start = len(found) - (len(todo) - 1) * 10 * clocks - 1
    assert found[start:] == expected[: len(found) - start]
    assert set(found[:start]) <= {1}


@pytest.mark.parametrize("speed", [0.985, 1.0, 1.015])
@pytest.mark.parametrize(("per_bit", "per_tick"), PACES)
def test_bytes_received(per_bit: int, per_tick: int, speed: float) -> None:
    """At any place between ticks, with right and wrong stop bits, at speeds that differ."""
    block = ByteReceiver(per_bit=per_bit, gap_bits=50)
    bit = per_bit * per_tick * 1e-6 / speed
    rng = random.Random(per_bit)
    sent: list[tuple[int, int]] = []
    found: list[tuple[int, int]] = []

    async def bench(ctx) -> None:
        ctx.set(block.rx, 1)
        await ctx.delay(2 * bit)
        for _ in range(60):
            byte, stop = rng.choice([0, 255, 0x55, rng.randrange(256)]), int(rng.random() < 0.8)
            sent.append((byte, stop))
            for level in (0, *((byte >> k & 1) for k in range(8)), stop):
                ctx.set(block.rx, level)
                await ctx.delay(bit)
            if not stop or rng.random() < 0.5:
                ctx.set(block.rx, 1)
                await ctx.delay(bit * rng.uniform(1, 4))
        await ctx.delay(2 * bit)

    async def watch(ctx) -> None:
        while True:
            await ctx.tick()
            assert not ctx.get(block.gap)
            if ctx.get(block.strobe):
                found.append((ctx.get(block.o), ctx.get(block.good)))
                if rng.random() < 0.5:  # the halves swapped twice are the byte again
                    ctx.set(block.swap, 1)
                    await ctx.tick()
                    byte = found[-1][0]
                    assert ctx.get(block.o) == (byte << 4 | byte >> 4) & 0xFF
                    await ctx.tick()
                    assert ctx.get(block.o) == byte
                    ctx.set(block.swap, 0)

    m = Module()
    m.submodules.block = block
    m.submodules.ticks = ticks = Ticks(rate=Rate(1e6, 8, 1, per_tick))
    m.d.comb += block.tick.eq(ticks.o)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    assert found == sent


@pytest.mark.parametrize("gap_bits", [1, 23, 100])
@pytest.mark.parametrize(("per_bit", "per_tick"), PACES)
def test_silence(per_bit: int, per_tick: int, gap_bits: int) -> None:
    """It is told between `gap_bits` and 26 bits more after a byte, and not within one."""
    block = ByteReceiver(per_bit=per_bit, gap_bits=gap_bits)
    clocks = per_bit * per_tick

    async def bench(ctx) -> None:
        ctx.set(block.rx, 1)
        await ctx.tick().repeat(4 * clocks)
        for pause in (0, 0.9 * gap_bits):
            for level in (0, 1, 0, 1, 1, 0, 0, 1, 0, 1):
                ctx.set(block.rx, level)
                for _ in range(clocks):
                    await ctx.tick()
                    assert not ctx.get(block.gap)
            for _ in range(int(pause * clocks)):
                await ctx.tick()
                assert not ctx.get(block.gap)
        for level in (0, *[0] * 8, 1):
            ctx.set(block.rx, level)
            await ctx.tick().repeat(clocks)
        waited = 0
        while not ctx.get(block.gap):
            await ctx.tick()
            waited += 1
            assert waited < (gap_bits + 40) * clocks
        assert gap_bits <= waited / clocks <= max(gap_bits + 26, 32)

    simulate(block, per_tick, bench)
