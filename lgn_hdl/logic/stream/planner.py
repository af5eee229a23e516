"""Plan the streaming hardware of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...errors import BuildError
from ...network import Network
from ..compressor import Style
from ..lower import lower
from ..program import LogicProgram
from ..schedule import Pipeline, schedule
from ..timing import DelayModel, StageClock
from .block import Block, Taps, elements_of
from .chain import Chain
from .choose import comparisons, make_aside, make_source
from .codes import Codes
from .control import make_control
from .cut import Cut, cut
from .divide import Division, divided, worthwhile
from .known import Simplifier
from .plan import Reuse, StreamLayer, StreamPlan
from .source import Aside, Source
from .stages import stages_of
from .ticks import find_ticks

__all__ = ["plan_stream"]


def plan_stream(
    network: Network,
    *,
    reuse: Reuse,
    model: DelayModel,
    clock: StageClock,
    style: Style,
    argmax: bool,
    fuse: int | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda name: None,
) -> StreamPlan:
    """Plan the streaming hardware of a network.

    Parameters
    ----------
    network : Network
        With a number format on its input.
    reuse : {"column", "row", "position"}
        What comes in one clock.
    model, clock, style, argmax
        As for `schedule`.
    fuse, seed, progress
        As for `optimize`; the progress is told layer and pass.

    Raises
    ------
    BuildError
        If the network has no convolution with the same taps at all positions behind its input, or
        its images have no rows or columns.
    """
    if clock.period is None:
        raise BuildError("positions cannot take turns without a clock", where="--reuse")
    whole = cut(network)
    simplifier = Simplifier(fuse, seed, progress)
    front = _Front(whole, _scan(reuse, len(whole.images[0].shape) - 1))

    def planned(division: Division) -> StreamPlan:
        """The plan with layers in parts."""
        stages = stages_of(whole, front.scan, division.hold)
        parts = division.parts_of(stages)
        chain = Chain(whole, front.scan, stages, parts, front.codes, simplifier)
        tail, tail_passes, collected, aside = chain.forward()
        kept = _kept(collected)
        widths, layers = [len(kept)], []
        for number in reversed(range(len(stages))):
            block, stage = chain.block(number, kept), stages[number]
            kept = _kept(block.taps)
            widths.insert(0, len(kept))
            block = replace(block, taps=block.taps.renumbered(kept))
            pipeline = _schedule(block, model, clock, style)
            image = front.images.get(stage.node.name, stage.image)
            sliding = chain.slidings[number]
            layers.insert(0, StreamLayer(stage.node, image, sliding, block, pipeline))
        steps = [layer.step(grid) for layer, grid in zip(layers, chain.grids[1:], strict=True)]
        ticks = find_ticks(chain.grids[0], steps)
        return StreamPlan(
            reuse=reuse,
            front=front.program,
            source=front.source(kept),
            layers=tuple(layers),
            grids=chain.grids,
            widths=tuple(widths),
            ticks=ticks,
            control=make_control(ticks, chain.grids, steps),
            collected=collected.renumbered(_kept(collected)),
            aside=front.aside(aside),
            tail=tail,
            pipeline=schedule(tail, model=model, clock=clock, style=style, argmax=argmax),
            tail_passes=tail_passes,
            argmax=argmax,
        )

    plan = planned(Division())
    division = divided(whole, front.scan, plan, simplifier)
    while division.parts:
        try:
            in_parts = planned(division)
        except BuildError:  # choosing took a register more than there was time for
            break
        if in_parts.interval > plan.interval:
            break
        smaller = worthwhile(whole, division, plan, in_parts)
        if smaller == division:
            return in_parts
        division = smaller
    return plan


class _Front:
    """The bits of the first image, and those set aside, as comparisons."""

    def __init__(self, whole: Cut, scan: tuple[int, ...]):
        self.scan, self.program = scan, lower(whole.front)
        self._elements, self._size = elements_of(whole.images[0], scan), whole.images[0].size
        self._feature, self._threshold = comparisons(self.program)
        self.codes = Codes.of(self._feature[self._elements], self._threshold[self._elements])
        names = (node.name for node in whole.chain)
        self.images = dict(zip(names, whole.images[1:], strict=True))

    def source(self, kept: np.ndarray) -> Source:
        """What gives the bits `kept` of every element."""
        image = self._elements[:, kept]
        return make_source(self.program, self._feature[image], self._threshold[image])

    def aside(self, bits: np.ndarray) -> Aside | None:
        """What keeps bits set aside; their comparisons follow those of the image."""
        at = self._size + bits
        if not len(at):
            return None
        return make_aside(self.program, self._feature[at], self._threshold[at])


def _schedule(block: Block, model: DelayModel, clock: StageClock, style: Style) -> Pipeline:
    """Registers between the gates of a block; choosing a part takes the time of a LUT before."""
    program = block.program
    count = program.num_inputs if block.parts > 1 else 0
    pipeline = schedule(
        _behind_choices(program, count), model=model, clock=clock, style=style, argmax=False
    )
    return replace(pipeline, gate_stage=pipeline.gate_stage[count:])


def _behind_choices(program: LogicProgram, count: int) -> LogicProgram:
    """The program with a gate of three inputs behind each of its first `count` input bits."""
    if not count:
        return program
    first, width = program.first_gate, max(3, program.fanin.shape[1])
    new = np.arange(program.num_signals, dtype=np.int32)
    new[first - count :] += count
    gates = np.zeros((count + program.num_gates, width), np.int32)
    gates[:count, :3] = np.arange(first - count, first)[:, None]
    gates[count:, : program.fanin.shape[1]] = new[program.fanin]
    return replace(
        program,
        fanin=gates,
        arity=np.concatenate([np.full(count, 3, np.uint8), program.arity]),
        table=np.concatenate([np.full(count, 0x80, np.uint64), program.table]),
        bits=new[program.bits],
        sums=replace(program.sums, signal=new[program.sums.signal]),
    )


def _scan(reuse: Reuse, axes: int) -> tuple[int, ...]:
    """The axes of an image along which its parts follow each other."""
    if reuse == "position":
        return tuple(range(axes))
    if axes != 2:
        raise BuildError(
            f"images have {axes} axes, only those of 2 have rows and columns",
            where=f"--reuse {reuse}",
            hint="use --reuse position",
        )
    return (0,) if reuse == "row" else (1,)


def _kept(taps: Taps) -> np.ndarray:
    """Bits of an element that are read at all; at least one, an element of no bits is none."""
    return np.unique(taps.bit) if len(taps) else np.zeros(1, np.int64)
