"""A network with convolutions as hardware in which the positions of an image take turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...network import Node, TensorType
from ..passes import PassResult
from ..program import LogicProgram
from ..schedule import Pipeline
from .block import Block, Taps
from .control import Control
from .grid import Grid, Sliding
from .source import Aside, Source
from .ticks import Step, Ticks

__all__ = ["REUSES", "Reuse", "StreamLayer", "StreamPlan"]

Reuse = Literal["none", "row", "column", "position"]

#: What comes in one clock: everything, a column of positions, a row, one position.
REUSES: tuple[Reuse, ...] = ("none", "column", "row", "position")


@dataclass(frozen=True, eq=False)
class StreamLayer:
    """A convolution or pooling whose positions take turns.

    Parameters
    ----------
    node : Node
    image : TensorType
        What it gives in the network; a pooling that follows may have its first half here.
    sliding : Sliding
        How it moves over the stream that it reads.
    block : Block
        What it computes of the bits of a window.
    pipeline : Pipeline
        The schedule of the block's program.
    """

    node: Node
    image: TensorType
    sliding: Sliding
    block: Block
    pipeline: Pipeline

    def step(self, grid: Grid) -> Step:
        """What the schedule has to know of it; `grid` is of the elements that come out."""
        return Step(self.sliding, grid, self.pipeline.roots_stage, self.block.parts)


@dataclass(frozen=True, eq=False)
class StreamPlan:
    """Everything that is decided before the hardware is written.

    Parameters
    ----------
    reuse : str
        What comes in one clock: a row of positions, a column, one position.
    front : LogicProgram
        The input's comparisons; says the number format and the features of a sample.
    source : Source
        Gives the elements of stream 0.
    layers : tuple of StreamLayer
        Layer l reads stream l and gives stream l + 1.
    grids : tuple of Grid
        Of every stream.
    widths : tuple of int
        Bits of an element of every stream.
    ticks : Ticks
    control : Control
    collected : Taps
        What the tail reads of the last stream once it is complete.
    aside : Aside or None
        What else it reads, behind that.
    tail : LogicProgram
        Its features are bits: those collected, then those set aside.
    pipeline : Pipeline
        The schedule of the tail.
    tail_passes : list of PassResult
    argmax : bool
    """

    reuse: Reuse
    front: LogicProgram
    source: Source
    layers: tuple[StreamLayer, ...]
    grids: tuple[Grid, ...]
    widths: tuple[int, ...]
    ticks: Ticks
    control: Control
    collected: Taps
    aside: Aside | None
    tail: LogicProgram
    pipeline: Pipeline
    tail_passes: list[PassResult]
    argmax: bool

    @property
    def passes(self) -> list[PassResult]:
        """Each pass over all parts: sizes and seconds add up, the depth is the largest."""
        parts = [*(block.passes for block in self.blocks), self.tail_passes]
        last, found = [part[0] for part in parts], []
        for name in dict.fromkeys(one.name for part in reversed(parts) for one in part):
            # A part that has no such pass stays as it was.
            own = [next((one for one in part if one.name == name), None) for part in parts]
            last = [now or before for now, before in zip(own, last, strict=True)]
            found.append(
                PassResult(
                    name,
                    sum(part.gates for part in last),
                    sum(part.inputs for part in last),
                    last[-1].terms,
                    max(part.depth for part in last),
                    sum(now.seconds for now in own if now is not None),
                )
            )
        return found

    @property
    def blocks(self) -> list[Block]:
        """What is computed of each window."""
        return [layer.block for layer in self.layers]

    @property
    def interval(self) -> int:
        """Clocks from one sample to the next, at least."""
        return self.ticks.interval

    @property
    def latency(self) -> int:
        """Clocks from a sample to its result."""
        return self.ticks.complete + self.pipeline.latency

    def read(self, stream: int) -> Taps:
        """What is read of a stream at the same time."""
        last = stream == len(self.layers)
        return self.collected if last else self.layers[stream].block.taps
