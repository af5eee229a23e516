"""Random small image networks, and streaming hardware in Amaranth's simulator."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, ResetInserter, Signal, Value
from amaranth.sim import Simulator
from hypothesis import strategies as st
from image_networks import image_of_bits, random_conv

from lgn_hdl.errors import NetworkError
from lgn_hdl.logic.stream import Reuse, StreamPlan, plan_stream
from lgn_hdl.logic.timing import StageClock, one_per_level
from lgn_hdl.network import LogicConv, Network, OrPool, TensorType

__all__ = [
    "IN_LINES",
    "IN_TURN",
    "Traffic",
    "divide_always",
    "drive",
    "image_networks",
    "in_parts",
    "planned",
    "slow_networks",
]

IN_TURN: tuple[Reuse, ...] = ("column", "row", "position")
IN_LINES: tuple[Reuse, ...] = ("column", "row")


def planned(
    network: Network, reuse: Reuse, *, levels: int = 2, argmax: bool | None = None
) -> StreamPlan:
    """A plan with registers after every so many levels."""
    return plan_stream(
        network,
        reuse=reuse,
        model=one_per_level(),
        clock=StageClock(levels),
        style="full-adders",
        argmax=network.scores is not None if argmax is None else argmax,
    )


def divide_always(patch: pytest.MonkeyPatch) -> None:
    """Let layers compute elements in as many parts as there is time for."""
    patch.setattr("lgn_hdl.logic.stream.divide._size", lambda stage, scan, parts, _: -parts)
    patch.setattr("lgn_hdl.logic.stream.divide._pays", lambda whole, split: True)


def in_parts(network: Network, reuse: Reuse, *, levels: int = 2) -> StreamPlan:
    """A plan with as many parts as there is time for, whether that pays or not."""
    with pytest.MonkeyPatch.context() as patch:
        divide_always(patch)
        return planned(network, reuse, levels=levels)


@st.composite
def slow_networks(draw: st.DrawFn) -> Network:
    """Convolutions behind poolings and strides, so that their elements come every few clocks."""
    numbers, rng = st.integers, np.random.default_rng(draw(st.integers(0, 1000)))
    shape = (draw(numbers(1, 2)), draw(numbers(5, 12)), draw(numbers(5, 12)))
    layers: list[LogicConv | OrPool] = []
    image = TensorType(shape)

    def add(layer: LogicConv | OrPool) -> None:
        nonlocal image
        try:
            image = layer.infer(image)
        except NetworkError:  # the window does not fit
            return
        layers.append(layer)

    def conv(stride: int) -> LogicConv:
        window = (draw(numbers(1, 3)), draw(numbers(1, 3)))
        padding = (draw(numbers(0, 2)), draw(numbers(0, 2)))
        k, depth = draw(st.sampled_from([(2, 2), (2, 3), (4, 1)]))
        return random_conv(
            rng,
            image.shape[0],
            draw(numbers(1, 4)),
            k=k,
            depth=depth,
            window=window,
            stride=(stride, stride),
            padding=padding,
        )

    add(conv(draw(numbers(1, 2))))
    for _ in range(draw(numbers(1, 2))):
        size = draw(numbers(2, 3))
        add(OrPool((size, size), (2, 2), (size // 2, draw(numbers(0, 1)))))
        add(conv(draw(numbers(1, 2))))
    return image_of_bits(*(layers or [conv(1)]), shape=shape)


@st.composite
def image_networks(draw: st.DrawFn, axes: int = 2) -> Network:
    """One to three layers, at least one of them a convolution, on an image of bits."""
    numbers, rng = st.integers, np.random.default_rng(draw(st.integers(0, 1000)))
    shape = (draw(numbers(1, 3)), *(draw(numbers(1, 7)) for _ in range(axes)))
    layers: list[LogicConv | OrPool] = []
    image = TensorType(shape)
    for _ in range(draw(numbers(1, 3))):
        window = tuple(draw(numbers(1, 3)) for _ in range(axes))
        stride = tuple(draw(numbers(1, 2)) for _ in range(axes))
        padding = tuple(draw(numbers(0, 2)) for _ in range(axes))
        layer: LogicConv | OrPool = OrPool(window, stride, padding)
        if not layers or draw(st.booleans()):
            k, depth = draw(st.sampled_from([(2, 1), (2, 2), (2, 3), (4, 1), (4, 2)]))
            layer = random_conv(
                rng,
                image.shape[0],
                draw(numbers(1, 5)),
                k=k,
                depth=depth,
                window=window,
                stride=stride,
                padding=padding,
            )
        try:
            image = layer.infer(image)
        except NetworkError:  # the window does not fit
            break
        layers.append(layer)
    if not layers:
        one, none = (1,) * axes, (0,) * axes
        layers = [random_conv(rng, shape[0], 2, window=one, stride=one, padding=none)]
    return image_of_bits(*layers, shape=shape)


@dataclass(frozen=True)
class Traffic:
    """What passed through a classifier.

    Parameters
    ----------
    taken, given : list of int
        Ticks, clocks without a stall, in which samples were taken and their results given.
    results : list of int
    """

    taken: list[int]
    given: list[int]
    results: list[int]


def drive(
    block: Any,
    samples: list[int],
    *,
    offer: float = 1.0,
    take: float = 1.0,
    reset_after: int | None = None,
) -> Traffic:
    """Send samples at random, take results at random; results that wait must not change.

    With `reset_after`, noise is sent for so many clocks before a reset.
    """
    rng = random.Random(0)
    taken: list[int] = []
    given: list[int] = []
    results: list[int] = []
    payload, result = Value.cast(block.i.payload), Value.cast(block.o.payload)

    async def bench(ctx) -> None:
        if reset_after is not None:
            ctx.set(block.i.valid, 1)
            ctx.set(block.o.ready, 1)
            for _ in range(reset_after):
                ctx.set(payload, rng.getrandbits(len(payload)))
                await ctx.tick()
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
        sent, offered, tick, held = 0, False, 0, None
        for _ in range(200 + 50 * (block.interval + 2) * len(samples)):
            offered = offered or (sent < len(samples) and rng.random() < offer)
            ctx.set(block.i.valid, offered)
            ctx.set(payload, samples[sent] if offered else rng.getrandbits(len(payload)))
            ready = rng.random() < take
            ctx.set(block.o.ready, ready)
            valid, accepts = ctx.get(block.o.valid), ctx.get(block.i.ready)
            value = ctx.get(result)
            if held is not None:
                assert (valid, value) == (1, held), "a result that waits must stay"
            held = value if valid and not ready else None
            if valid and ready:
                given.append(tick)
                results.append(value)
            if offered and accepts:
                taken.append(tick)
                sent, offered = sent + 1, False
            if len(results) == len(samples):
                return
            tick += ready or not valid
            await ctx.tick()
        raise AssertionError(f"{len(results)} of {len(samples)} results came out")

    reset = Signal()
    m = Module()
    m.submodules.block = ResetInserter(reset)(block)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return Traffic(taken, given, results)
