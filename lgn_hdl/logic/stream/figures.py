"""What a plan takes, part by part, before anything is mapped: gates, registers, multiplexers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from ...network import LogicConv, OrPool
from ..program import LogicProgram
from ..schedule import Pipeline
from .plan import StreamLayer, StreamPlan
from .source import SelectedFeatures, ShiftedBits, ShiftedFeatures

__all__ = ["PartFigures", "stream_figures"]

_SOURCES = {
    ShiftedBits: "shifted bits",
    ShiftedFeatures: "shifted features",
    SelectedFeatures: "selected features",
}


@dataclass(frozen=True)
class PartFigures:
    """A layer of a plan, or what stands before or behind the layers.

    Parameters
    ----------
    name, kind : str
        Of the layer; or `source`, `collector`, `aside`, `dense`.
    elements : int
        Elements of one sample, positions only.
    element_bits : int
        Bits of an element that are wanted behind.
    first, last : int
        Clocks from a sample to the first and to the last element.
    unrolled_gates : int
        Tables at all positions, as the network has them.
    shared_gates : int
        Tables of one element.
    gates : int
        What the passes leave of these.
    gate_registers : int
        Registers between the gates, for the clock.
    delay_registers : int
        Line buffers and windows, or what else holds elements or parts of them.
    zeroed : int
        Bits that are set to zero where an element is padding: an AND each.
    multiplexers : int
        Bits that choose between loading and moving on, between features, or what is read by the
        parts of an element.
    comparators : int
        Comparisons of a feature with a constant.
    """

    name: str
    kind: str
    elements: int
    element_bits: int
    first: int
    last: int
    unrolled_gates: int = 0
    shared_gates: int = 0
    gates: int = 0
    gate_registers: int = 0
    delay_registers: int = 0
    zeroed: int = 0
    multiplexers: int = 0
    comparators: int = 0


def stream_figures(plan: StreamPlan) -> list[PartFigures]:
    """The parts of a plan: source, layers, collector, what is set aside, the dense layers."""
    source, complete = plan.source, plan.ticks.complete
    parts = [
        PartFigures(
            "source",
            _SOURCES[type(source)],
            *_stream(plan, 0),
            delay_registers=source.registers,
            multiplexers=source.multiplexers,
            comparators=source.comparators,
        )
    ]
    parts += [_layer(plan, number, layer) for number, layer in enumerate(plan.layers)]
    last = plan.layers[-1]
    registers = int(plan.collected.depths(plan.widths[-1]).sum())
    collected = (1, len(plan.collected), complete, complete)
    parts.append(PartFigures("collector", "image", *collected, delay_registers=registers))
    if plan.aside is not None:
        bits = len(plan.aside.feature) * plan.front.format.width
        compared = plan.aside.program.num_inputs if plan.front.format.width > 1 else 0
        parts.append(
            PartFigures(
                "aside",
                "features",
                1,
                len(plan.aside.program.bits),
                complete,
                complete,
                delay_registers=bits * (1 + len(plan.control.copies)),
                comparators=compared,
            )
        )
    dense = plan.tail_passes[0].gates
    parts.append(
        PartFigures(
            "dense",
            f"behind {last.node.name}",
            1,
            len(plan.tail.roots),
            plan.latency,
            plan.latency,
            unrolled_gates=dense,
            shared_gates=dense,
            gates=plan.tail.num_gates,
            gate_registers=gate_registers(plan.tail, plan.pipeline),
        )
    )
    return parts


def _stream(plan: StreamPlan, number: int) -> tuple[int, int, int, int]:
    """Elements, their bits, and when the first and the last comes."""
    grid, visible = plan.grids[number], plan.ticks.visible[number]
    places = visible[grid.positions]
    return len(places), plan.widths[number], int(places[0]), int(places[-1])


def _layer(plan: StreamPlan, number: int, layer: StreamLayer) -> PartFigures:
    """A layer, with the delay line that it reads."""
    block, grid = layer.block, plan.grids[number]
    depths = block.taps.depths(plan.widths[number])
    padded = grid.elements > len(grid.positions)
    return PartFigures(
        layer.node.name,
        type(layer.node.layer).__name__,
        *_stream(plan, number + 1),
        unrolled_gates=_unrolled(layer),
        shared_gates=block.passes[0].gates,
        gates=block.program.num_gates,
        gate_registers=gate_registers(block.program, layer.pipeline),
        delay_registers=int(depths.sum()) + block.waiting,
        multiplexers=block.multiplexers,
        zeroed=int((depths > 0).sum()) if padded else 0,
    )


def _unrolled(layer: StreamLayer) -> int:
    """Tables of a layer with gates for every position; a pooling has trees of two-input ORs."""
    kind, (channels, *size) = layer.node.layer, layer.image.shape
    if isinstance(kind, LogicConv):
        return prod(size) * kind.tables.size
    assert isinstance(kind, OrPool)
    return prod(size) * channels * (prod(kind.window) - 1)


def gate_registers(program: LogicProgram, pipeline: Pipeline) -> int:
    """Registers between the gates of a program, up to where its roots leave."""
    last = np.full(program.num_signals, -1, np.int64)
    for column in range(program.fanin.shape[1]):
        np.maximum.at(last, program.fanin[:, column], pipeline.gate_stage)
    last[program.roots] = pipeline.roots_stage
    made = np.zeros(program.num_signals, np.int64)
    made[program.first_gate :] = pipeline.gate_stage
    made[:2] = last[:2]  # constants need none
    return int(np.maximum(last - made, 0).sum())
