"""Drive a front end through its streams; what is expected comes from numpy."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from lgn_hdl.hdl.front import Fronted, FrontPlan, plan_front
from lgn_hdl.logic import StageClock
from lgn_hdl.logic.compressor import Style
from lgn_hdl.logic.timing import one_per_level
from lgn_hdl.network import Network
from lgn_hdl.network.partition import Front
from lgn_hdl.reference import Reference


class Register(wiring.Component):
    """In the place of a classifier: gives the features themselves, a clock later.

    `interval` above 1 makes it take a sample and not be ready for as many clocks.
    """

    i: Any
    o: Any

    def __init__(self, bits: int, interval: int = 1):
        self.latency, self._interval = 1, interval
        super().__init__({"i": In(stream.Signature(bits)), "o": Out(stream.Signature(bits))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(range(self._interval + 1))
        m.d.comb += self.i.ready.eq((self.o.ready | ~self.o.valid) & (left == 0))
        with m.If(self.i.ready):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(left):
            m.d.sync += left.eq(left - 1)
        with m.Elif(self.i.ready & self.i.valid):
            m.d.sync += left.eq(self._interval - 1)
        return m


def planned(
    network: Network,
    *,
    levels: int | None = 2,
    slices: bool = False,
    style: Style = "full-adders",
) -> FrontPlan:
    """The plan of a front end with a register after every so many counters."""
    return plan_front(
        Front(network),
        slices=slices,
        style=style,
        model=one_per_level(),
        clock=StageClock(levels),
    )


def expected_features(network: Network, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """What PyTorch says, (n, F)."""
    return Reference(network)(inputs).numpy().reshape(len(next(iter(inputs.values()))), -1)


def integers(bits: np.ndarray) -> list[int]:
    """One integer per row of bits, least significant first."""
    packed_rows = np.packbits(bits.astype(bool), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed_rows]


def steps_of(plan: FrontPlan, inputs: Mapping[str, np.ndarray], *, seed: int = 0) -> list[int]:
    """Payloads of samples, slice by slice; what need not be valid is noise."""
    assert plan.sliced is not None
    rng = np.random.default_rng(seed)
    (samples, slices), noisy = _counts(plan, inputs), {}
    for name, tensor in plan.inputs.items():
        number, values = tensor.element, inputs[name]
        assert not isinstance(number, str)
        if values.ndim == len(tensor.shape) + 2:
            noisy[name] = values.reshape(samples * slices, *tensor.shape)
        else:
            shape = (samples, slices, *tensor.shape)
            whole = rng.integers(number.min_int, number.max_int, shape, endpoint=True)
            whole[:, 0] = values
            noisy[name] = whole.reshape(samples * slices, *tensor.shape)
    noisy["first"] = np.arange(samples * slices) % slices == 0
    return integers(plan.pack(noisy))


def _counts(plan: FrontPlan, inputs: Mapping[str, np.ndarray]) -> tuple[int, int]:
    (sliced,) = (v for n, v in inputs.items() if v.ndim == len(plan.inputs[n].shape) + 2)
    return len(sliced), sliced.shape[1]


def drive(
    design: Fronted,
    steps: Sequence[int],
    results: int,
    *,
    offer: float = 1.0,
    take: float = 1.0,
    seed: int = 0,
) -> tuple[list[int], list[int]]:
    """Results, and the clocks in which they were taken, of steps offered and taken at random.

    While nothing is offered, the payload is noise.
    """
    rng = random.Random(seed)
    found: list[int] = []
    clocks: list[int] = []
    width = len(Value.cast(design.i.payload))

    async def bench(ctx) -> None:
        sent, offered = 0, False
        for clock in range(40 * len(steps) + 400):
            if not offered and sent < len(steps):
                offered = rng.random() < offer
            ctx.set(design.i.valid, offered)
            noise = rng.getrandbits(width)
            ctx.set(Value.cast(design.i.payload), steps[sent] if offered else noise)
            ready = rng.random() < take
            ctx.set(design.o.ready, ready)
            accepted = offered and ctx.get(design.i.ready)
            if ctx.get(design.o.valid) and ready:
                found.append(ctx.get(Value.cast(design.o.payload)))
                clocks.append(clock)
            await ctx.tick()
            sent += bool(accepted)
            offered = offered and not accepted
            if len(found) == results and sent == len(steps):
                return
        raise AssertionError(f"{len(found)} of {results} results came out")

    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found, clocks
