# amaranth: UnusedElaboratable=no
"""The pins of a Tiny Tapeout project: every result as evaluated, whatever the host does between."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from circuits import packed, packed_results, placed
from networks import classifier

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl import Classifier, result_layout
from lgn_hdl.hdl.tinytapeout import DONE, NEXT, READY, RESTART, WRITE, TinyTapeout
from lgn_hdl.logic import LogicProgram, Pipeline, lower, optimize
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import FixedPoint

HELD = 4  # clocks that a host keeps a value for


def small(levels: int | None) -> tuple[LogicProgram, Pipeline, Classifier]:
    program, _ = optimize(lower(classifier(element=FixedPoint(6, 4, signed=True))))
    pipeline = placed(program, levels, argmax=True)
    return program, pipeline, Classifier(program=program, pipeline=pipeline, argmax=True)


class Host:
    """Pulls the pins as a microcontroller would, at no particular clock."""

    def __init__(self, pins: TinyTapeout, ctx, seed: int = 0):
        self.pins, self.ctx, self.random = pins, ctx, random.Random(seed)
        self.levels = 0

    async def hold(self) -> None:
        await self.ctx.tick().repeat(HELD + self.random.randrange(4))

    async def set(self, pin: int, value: int) -> None:
        self.levels = self.levels & ~(1 << pin) | value << pin
        self.ctx.set(self.pins.uio_in, self.levels)
        await self.hold()

    async def pulse(self, pin: int) -> None:
        await self.set(pin, 1)
        await self.set(pin, 0)

    async def until(self, pin: int, clocks: int = 200) -> None:
        for _ in range(clocks):
            if self.ctx.get(self.pins.uio_out) >> pin & 1:
                return
            await self.ctx.tick()
        raise AssertionError(f"pin {pin} did not rise")

    async def write(self, sample: int, count: int | None = None) -> None:
        for place in range(self.pins.sample_bytes if count is None else count):
            self.ctx.set(self.pins.ui_in, sample >> 8 * place & 0xFF)
            await self.pulse(WRITE)
            self.ctx.set(self.pins.ui_in, self.random.getrandbits(8))

    async def read(self) -> int:
        await self.until(DONE)
        result = 0
        for place in range(self.pins.result_bytes):
            assert self.ctx.get(self.pins.uio_out) == 1 << DONE
            result |= self.ctx.get(self.pins.uo_out) << 8 * place
            await self.pulse(NEXT)
        assert not self.ctx.get(self.pins.uio_out) >> DONE & 1
        return result

    async def classify(self, sample: int) -> int:
        await self.until(READY)
        await self.write(sample)
        return await self.read()


def run(pins: TinyTapeout, bench: Callable) -> None:
    async def testbench(ctx) -> None:
        await bench(Host(pins, ctx))

    simulator = Simulator(pins)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def samples_and_results(program: LogicProgram, pipeline: Pipeline, count: int = 12):
    features = probe_vectors(program, count, 0)
    layout = result_layout(program, pipeline, argmax=True)
    return packed(features, program.format.width), packed_results(program, features, layout)


@pytest.mark.parametrize("levels", [1, 3, 100])
def test_every_result_is_as_evaluated(levels: int) -> None:
    program, pipeline, core = small(levels)
    samples, results = samples_and_results(program, pipeline)
    pins = TinyTapeout(core=core)
    assert (pins.sample_bits, pins.sample_bytes) == (24, 3)
    assert pins.result_bits == result_layout(program, pipeline, argmax=True).size

    async def bench(host: Host) -> None:
        assert host.ctx.get(pins.uio_oe) == 0b01100
        for sample, result in zip(samples, results, strict=True):
            assert await host.classify(sample) == result

    run(pins, bench)


def test_a_core_without_registers() -> None:
    program, _ = optimize(lower(classifier(element=FixedPoint(6, 4, signed=True))))
    pipeline = placed(program, None, argmax=True)
    core = Classifier(program=program, pipeline=pipeline, argmax=True)
    assert core.latency == 0
    samples, results = samples_and_results(program, pipeline)

    async def bench(host: Host) -> None:
        for sample, result in zip(samples, results, strict=True):
            assert await host.classify(sample) == result

    run(TinyTapeout(core=core), bench)


def test_restart_forgets_a_sample_and_a_result() -> None:
    program, pipeline, core = small(2)
    samples, results = samples_and_results(program, pipeline)
    rng = np.random.default_rng(1)

    async def bench(host: Host) -> None:
        for sample, result in zip(samples, results, strict=True):
            await host.until(READY)
            await host.write(int(rng.integers(1 << 24)), count=int(rng.integers(4)))
            if rng.integers(2) and host.ctx.get(host.pins.uio_out) >> DONE & 1:
                await host.pulse(NEXT)  # in the middle of a result
            await host.set(RESTART, 1)
            await host.until(READY)
            await host.set(RESTART, 0)
            assert await host.classify(sample) == result

    run(TinyTapeout(core=core), bench)


def test_bytes_are_not_taken_while_a_result_waits() -> None:
    program, pipeline, core = small(2)
    samples, results = samples_and_results(program, pipeline)

    async def bench(host: Host) -> None:
        await host.until(READY)
        await host.write(samples[0])
        await host.until(DONE)
        await host.write(samples[1], count=2)
        assert await host.read() == results[0]
        assert await host.classify(samples[2]) == results[2]

    run(TinyTapeout(core=core), bench)


class Slow(wiring.Component):
    """Takes its time: the result is the sample's complement."""

    def __init__(self, clocks: int):
        self._clocks = clocks
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left, held = Signal(range(self._clocks + 1)), Signal(8)
        busy = Signal()
        m.d.comb += [
            self.i.ready.eq(~busy),
            self.o.valid.eq(busy & (left == 0)),
            self.o.payload.eq(~held),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [busy.eq(1), left.eq(self._clocks), held.eq(self.i.payload)]
        with m.If(busy & (left != 0)):
            m.d.sync += left.eq(left - 1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += busy.eq(0)
        return m


@pytest.mark.parametrize("clocks", [0, 1, 50])
def test_a_core_that_takes_many_clocks(clocks: int) -> None:
    async def bench(host: Host) -> None:
        for sample in (0x00, 0xA5, 0xFF):
            assert await host.classify(sample) == sample ^ 0xFF

    run(TinyTapeout(core=Slow(clocks)), bench)


def test_restart_while_the_core_works() -> None:
    async def bench(host: Host) -> None:
        await host.until(READY)
        await host.write(0x11)
        await host.set(RESTART, 1)
        await host.until(READY)
        await host.set(RESTART, 0)
        assert await host.classify(0x22) == 0xDD

    run(TinyTapeout(core=Slow(80)), bench)


def test_bytes_that_come_during_a_restart_are_forgotten() -> None:
    async def bench(host: Host) -> None:
        await host.until(READY)
        await host.set(RESTART, 1)
        await host.write(0x11)
        await host.set(RESTART, 0)
        assert await host.classify(0x22) == 0xDD

    run(TinyTapeout(core=Slow(150)), bench)


@pytest.mark.parametrize("pin", [WRITE, NEXT])
def test_a_pin_that_is_high_from_the_start_is_no_edge(pin: int) -> None:
    async def bench(host: Host) -> None:
        host.ctx.set(host.pins.uio_in, 1 << pin)
        host.ctx.set(host.pins.ui_in, 0x77)
        await host.ctx.tick().repeat(10)
        await host.set(pin, 0)
        assert await host.classify(0x33) == 0xCC

    run(TinyTapeout(core=Slow(1)), bench)


def test_nothing_to_show() -> None:
    empty = Slow(1)
    empty.o.payload = Signal(0)
    with pytest.raises(BuildError, match="needs no chip"):
        TinyTapeout(core=empty)
