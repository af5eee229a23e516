# amaranth: UnusedElaboratable=no
"""Sparse convolution: the exact sums, whatever the formats and however many slots at once."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator
from sparse_bench import check, sparse_samples
from sparse_networks import constants

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.sparse import SparseConv
from lgn_hdl.hdl.sparse.products import product, table, weight_bits
from lgn_hdl.network import FixedPoint, SparseConv2d, TensorType

BYTE = FixedPoint(4, 3, signed=True)


def source_of(slots: int, channels: int, number: FixedPoint, frame=(6, 9)) -> TensorType:
    return TensorType((slots, channels), number, masked=True, frame=frame)


def conv_of(filters: int, channels: int, size: tuple[int, int], bias: FixedPoint) -> SparseConv2d:
    rng = np.random.default_rng(3)
    kernel = constants(rng, BYTE, filters, channels, *size)
    kernel[0, 0, 0, 0], kernel[-1, -1, -1, -1] = BYTE.min_int, BYTE.max_int
    return SparseConv2d(kernel, constants(rng, bias, filters), BYTE, bias)


@pytest.mark.parametrize("parallel", [1, 2, 5])
def test_slots_at_once(parallel: int) -> None:
    layer = conv_of(2, 1, (3, 5), FixedPoint(6, 6, signed=True))
    source = source_of(5, 1, FixedPoint(4, 2))
    block = SparseConv(layer=layer, source=source, parallel=parallel)
    assert block.interval == -(-5 // parallel)
    check(block, layer, source, sparse_samples(np.random.default_rng(parallel), source, 9))


@pytest.mark.parametrize(
    ("layer", "source", "parallel"),
    [
        # signed numbers of two channels, a bias finer than the products
        (
            conv_of(1, 2, (3, 3), FixedPoint(6, 8, signed=True)),
            source_of(4, 2, FixedPoint(3, 2, signed=True)),
            3,
        ),
        # a table of eight inputs, a frame of one column, a scale
        (
            conv_of(1, 1, (9, 9), FixedPoint(5, 4, signed=True, scale=BYTE.scale / 3)),
            source_of(3, 1, FixedPoint(3, 2, scale=BYTE.scale / 9), (12, 1)),
            2,
        ),
        (conv_of(2, 1, (1, 1), FixedPoint(3)), source_of(1, 1, FixedPoint(3)), 1),
    ],
)
def test_formats(layer: SparseConv2d, source: TensorType, parallel: int) -> None:
    block = SparseConv(layer=layer, source=source, parallel=parallel)
    check(block, layer, source, sparse_samples(np.random.default_rng(7), source, 9))


def test_no_bias_where_the_sum_cancels() -> None:
    kernel = np.array([[[[0, 1, -1]]]])
    layer = SparseConv2d(kernel, np.array([5]), BYTE, BYTE)
    source = source_of(2, 1, FixedPoint(3, 0), (1, 4))
    sample = np.array([[[3, 0, 1, 1], [3, 0, 2, 1]], [[3, 0, 1, 1], [2, 0, 2, 1]]])
    for parallel in (1, 2):
        block = SparseConv(layer=layer, source=source, parallel=parallel)
        check(block, layer, source, sample)


@pytest.mark.parametrize("signed", [False, True])
def test_every_product(signed: bool) -> None:
    """Each constant of five bits with each number of three."""
    low, high = -16, 15
    bits = weight_bits(low, high)
    m = Module()
    index, x = Signal(5), Signal(FixedPoint(3, signed=signed).width)
    number = x.as_signed() if signed else x
    words = [w % (1 << bits) for w in range(low, high + 1)]
    out = product(m, number, table(m, index, words, bits, "word"), "product").as_signed()
    result = Signal.like(out)
    m.d.comb += result.eq(out)

    async def bench(ctx) -> None:
        for w in range(low, high + 1):
            for n in range(8):
                ctx.set(index, w - low)
                ctx.set(x, n)
                value = n - 8 if signed and n > 3 else n
                assert ctx.get(result) == w * value, (w, value)

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("parallel", [0, 6])
def test_too_many_at_once(parallel: int) -> None:
    layer, source = conv_of(1, 1, (3, 3), BYTE), source_of(5, 1, FixedPoint(4, 2))
    with pytest.raises(BuildError, match=f"{parallel} slots a clock, expected 1 to 5"):
        SparseConv(layer=layer, source=source, parallel=parallel)
