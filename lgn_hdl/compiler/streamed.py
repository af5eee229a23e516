"""The way to build a classifier in which the positions of images take turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from amaranth.lib import data

from ..hdl.stream import StreamedClassifier, check_stream_ports, streamed_layout
from ..logic.passes import PassResult
from ..logic.program import LogicProgram
from ..logic.schedule import Pipeline
from ..logic.stream import StreamEvaluator, StreamPlan, plan_stream
from ..logic.verify import probe_count
from ..network import Network
from .options import BuildOptions

__all__ = ["StreamedCore", "make_streamed_core"]


@dataclass(frozen=True, eq=False)
class StreamedCore:
    """The positions of images one after the other, or a row or column of them."""

    plan: StreamPlan

    @property
    def program(self) -> LogicProgram:
        """What sees the last image whole."""
        return self.plan.tail

    @property
    def pipeline(self) -> Pipeline:
        """The schedule of that."""
        return self.plan.pipeline

    @property
    def argmax(self) -> bool:
        """Whether the class index is computed."""
        return self.plan.argmax

    @property
    def inputs(self) -> LogicProgram:
        """Number format, features and comparisons of a sample."""
        return self.plan.front

    @property
    def probes(self) -> int:
        """Random samples that every pass was verified with."""
        blocks = (layer.block.probes for layer in self.plan.layers)
        return min(probe_count(self.plan.tail), *blocks)

    @cached_property
    def evaluator(self) -> StreamEvaluator:
        """The plan, prepared for evaluation."""
        return StreamEvaluator(self.plan)

    def evaluate(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outgoing bits (n, B) and scores (n, C) for stored integers (n, features)."""
        return self.evaluator(features)

    @property
    def latency(self) -> int:
        """Clocks from a sample to its result."""
        return self.plan.latency

    @property
    def interval(self) -> int:
        """Clocks from one sample to the next."""
        return self.plan.interval

    @property
    def layout(self) -> data.StructLayout:
        """Fields of a result."""
        return streamed_layout(self.plan)

    def component(self) -> StreamedClassifier:
        """The hardware."""
        return StreamedClassifier(plan=self.plan)

    def about(self) -> str:
        """One sentence for the report."""
        plan = self.plan
        what = f"A {plan.reuse}" if plan.reuse == "position" else f"A {plan.reuse} of positions"
        return (
            f"{what} of an image per clock, through the same gates: {len(plan.layers)} layers "
            f"from {plan.layers[0].node.name} to {plan.layers[-1].node.name}; the layers behind "
            f"see the last image whole.{self._in_parts()}"
        )

    def _in_parts(self) -> str:
        """Which layers compute an element in parts, as a sentence."""
        slow = [layer for layer in self.plan.layers if layer.block.parts > 1]
        named = ", ".join(f"{layer.node.name} in {layer.block.parts}" for layer in slow)
        return f" Elements are computed in parts: {named}." if slow else ""


def make_streamed_core(
    network: Network,
    options: BuildOptions,
    *,
    argmax: bool,
    progress: Callable[[str], None] = lambda name: None,
) -> tuple[StreamedCore, list[PassResult]]:
    """Let the positions of a network's images take turns; the passes of all parts, added up.

    Raises
    ------
    BuildError
        If they cannot, or a port would be too wide.
    """
    assert options.counters is not None, "options are resolved"
    plan = plan_stream(
        network,
        reuse=options.reuse,
        model=options.delays,
        clock=options.stage_clock,
        style=options.counters,
        argmax=argmax,
        fuse=options.fused_inputs,
        seed=options.seed,
        progress=progress,
    )
    check_stream_ports(plan)
    return StreamedCore(plan), plan.passes
