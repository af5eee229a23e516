"""The full-size convolutional network, positions in turn: how small it is, and that it is right."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.compiler.streamed import make_streamed_core
from lgn_hdl.compiler.vectors import checked_answers
from lgn_hdl.logic.stream import Reuse, stream_figures
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import Network

FULL_SIZE = Path(__file__).parents[2] / "benchmarks" / "full_size.py"
POOLING = 24 * 512 * 3
#: What the passes leave of the unrolled network, as `benchmarks/streaming.py --unrolled` counts.
UNROLLED_GATES = 469_413


@pytest.fixture(scope="module")
def network() -> Network:
    return runpy.run_path(str(FULL_SIZE))["full_size"](functions="two-input")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reuse", "interval", "latency", "fewer", "fewer_gates", "parts"),
    [
        ("position", 126, 142, 14, 13, {}),
        ("row", 14, 24, 6, 6, {}),
        ("column", 9, 23, 5, 4, {"conv2": 2}),
    ],
)
def test_streaming_is_small_and_equals_pytorch(
    network: Network,
    reuse: Reuse,
    interval: int,
    latency: int,
    fewer: int,
    fewer_gates: int,
    parts: dict[str, int],
) -> None:
    options = BuildOptions(target="rtlil", reuse=reuse).resolved()
    core, passes = make_streamed_core(network, options, argmax=True)
    assert (core.interval, core.latency) == (interval, latency)
    unrolled = sum(part.unrolled_gates for part in stream_figures(core.plan))
    assert unrolled == 804_456 + POOLING
    layers = core.plan.layers
    assert {one.node.name: one.block.parts for one in layers if one.block.parts > 1} == parts
    assert fewer * passes[0].gates <= 804_456
    # With what chooses between the parts' bits, a column still takes 3.8 times fewer.
    assert fewer_gates * passes[-1].gates <= UNROLLED_GATES
    checked_answers(network, core.evaluate, probe_vectors(core.inputs, 32, 1))
