"""Delay lines and loaders, element after element."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.hdl import EnableInserter, Module, Signal, Value
from amaranth.sim import Simulator
from circuits import members

from lgn_hdl.hdl.stream import DelayLine, Loader
from lgn_hdl.logic.stream import Taps


def _simulated(block, enable: Signal, bench) -> None:
    m = Module()
    m.submodules.block = EnableInserter(enable)(block)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def _bits(value: int, width: int) -> list[int]:
    return [value >> place & 1 for place in range(width)]


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_taps_are_bits_of_earlier_elements(seed: int, zeros: bool) -> None:
    rng = np.random.default_rng(seed)
    bits = int(rng.integers(1, 9))
    taps = Taps(rng.integers(0, bits, 20), rng.integers(0, 12, 20))
    line = DelayLine(taps=taps, bits=bits, zeros=zeros)
    enable, history = Signal(), []
    (source,), (sink,) = ([Value.cast(line.i)], members(line, "o"))

    async def bench(ctx) -> None:
        for _ in range(80):
            element = rng.integers(0, 2, bits).tolist()
            moves, zero = bool(rng.random() < 0.7), bool(zeros and rng.random() < 0.3)
            ctx.set(source, sum(bit << place for place, bit in enumerate(element)))
            ctx.set(enable, moves)
            if zeros:
                ctx.set(line.zero, zero)
            await ctx.tick()
            if moves:
                history.insert(0, [0] * bits if zero else element)
            if len(history) > 12:
                pairs = zip(taps.bit.tolist(), taps.delay.tolist(), strict=True)
                expected = [history[delay][bit] for bit, delay in pairs]
                assert _bits(ctx.get(sink), len(taps)) == expected

    _simulated(line, enable, bench)
    assert len(history) > 30


def test_a_bit_passes_as_many_registers_as_its_last_tap_needs() -> None:
    taps = Taps(np.array([0, 2, 2]), np.array([4, 0, 1]))
    assert taps.depths(4).tolist() == [5, 0, 2, 0]


@pytest.mark.parametrize("width", [1, 3])
def test_a_loader_gives_words_in_turn(width: int) -> None:
    rng = np.random.default_rng(width)
    words = rng.integers(0, 10, (5, 3))
    loader = Loader(words=words, word_bits=width, count=10)
    enable = Signal()

    async def bench(ctx) -> None:
        for _ in range(3):
            values = rng.integers(0, 1 << width, 10).tolist()
            ctx.set(Value.cast(loader.i), sum(v << width * n for n, v in enumerate(values)))
            ctx.set(loader.load, 1)
            ctx.set(enable, 1)
            await ctx.tick()
            ctx.set(loader.load, 0)
            ctx.set(Value.cast(loader.i), 0)
            for element in words.tolist():
                expected = sum(values[word] << width * s for s, word in enumerate(element))
                assert ctx.get(Value.cast(loader.o)) == expected
                ctx.set(enable, 0)
                await ctx.tick()
                assert ctx.get(Value.cast(loader.o)) == expected
                ctx.set(enable, 1)
                await ctx.tick()

    _simulated(loader, enable, bench)
