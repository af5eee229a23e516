# amaranth: UnusedElaboratable=no
"""A whole sparse CNN: its components one behind the other, against the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from sparse_bench import PACES, bits, drive, seen
from sparse_networks import sparse_classifier, sparse_images

from lgn_hdl.hdl.sparse import FlattenDense, Pool, Requantize, RowReduce, SparseConv
from lgn_hdl.network import FixedPoint, Network
from lgn_hdl.reference import Reference


class Chain(wiring.Component):
    """Components of streams, from the first one's samples to the last one's results."""

    i: Any
    o: Any

    def __init__(self, blocks: list[Any]):
        self._blocks = blocks
        self.interval = max(block.interval for block in blocks)
        self.latency = sum(block.latency for block in blocks)
        super().__init__(
            {
                "i": In(stream.Signature(blocks[0].i.payload.shape())),
                "o": Out(stream.Signature(blocks[-1].o.payload.shape())),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for k, block in enumerate(self._blocks):
            m.submodules[f"block{k}"] = block
        wiring.connect(m, wiring.flipped(self.i), self._blocks[0].i)
        for before, after in zip(self._blocks, self._blocks[1:], strict=False):
            wiring.connect(m, before.o, after.i)
        wiring.connect(m, self._blocks[-1].o, wiring.flipped(self.o))
        return m


def chain_of(network: Network, parallel: int) -> Chain:
    layers = {node.name: node.layer for node in network.nodes}

    def build(component: Any, name: str, before: str, **options: Any) -> Any:
        return component(layer=layers[name], source=network.types[before], **options)

    return Chain(
        [
            RowReduce(layer=layers["reduce"], source=network.inputs["x"]),
            build(SparseConv, "conv1", "reduce", parallel=parallel),
            build(Requantize, "relu1", "conv1"),
            build(Pool, "pool", "relu1", parallel=parallel),
            build(SparseConv, "conv2", "pool", parallel=parallel),
            build(Requantize, "relu2", "conv2"),
            build(FlattenDense, "dense", "relu2", parallel=parallel),
        ]
    )


@pytest.mark.parametrize(("kind", "parallel"), [("average", 1), ("max", 2)])
def test_network(kind: str, parallel: int) -> None:
    network = sparse_classifier(kind=kind, slots=4)
    images = sparse_images(np.random.default_rng(2), 6, (2, 7, 9), 0.08)
    number = network.inputs["x"].element
    assert isinstance(number, FixedPoint)
    block = chain_of(network, parallel)
    layout = block.i.payload.shape()
    stored = number.quantize(images).transpose(0, 2, 3, 1)
    rows = [bits(layout, [row]) for image in stored.tolist() for row in image]
    wanted = Reference(network).tensor(images, "dense").tolist()
    assert len({tuple(w) for w in wanted}) > 3
    for offer, take in PACES:
        taken, found = drive(block, rows, len(images), offer=offer, take=take)
        assert [seen(view, network.types["dense"]) for _, view in found] == wanted
        if offer == take == 1:
            assert taken == list(range(len(rows))), "rows are taken in every clock"
            assert [clock for clock, _ in found] == [clock + block.latency for clock in taken[::7]]
