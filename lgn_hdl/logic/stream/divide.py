"""Which layers compute an element in parts, because elements come slower than clocks.

Behind a pooling or a stride, a line of positions comes every few clocks only. A bank of gates for a
part of the line, used as often, is smaller. It pays if that saves more gates than it takes
multiplexers to choose what the bank reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...errors import BuildError
from ...network import LogicConv
from .block import Block, multiplexers, only_used
from .cut import Cut
from .known import Simplifier
from .plan import StreamPlan
from .stages import Stage, stages_of, streams_of
from .ticks import Step, find_ticks
from .window import Window

__all__ = ["Division", "divided", "worthwhile"]


@dataclass(frozen=True)
class Division:
    """Which layers compute elements in parts.

    Parameters
    ----------
    parts : dict of str to int
        Names of layers, and in how many parts.
    hold : frozenset of int
        Layers of the chain in front of which elements are held.
    """

    parts: dict[str, int] = field(default_factory=dict)
    hold: frozenset[int] = frozenset()

    def parts_of(self, stages: tuple[Stage, ...]) -> tuple[int, ...]:
        """The number of parts of every stage."""
        return tuple(self.parts.get(stage.node.name, 1) for stage in stages)


def divided(
    network: Cut, scan: tuple[int, ...], plan: StreamPlan, simplifier: Simplifier
) -> Division:
    """The layers that are smaller in parts, without a longer interval than that of a plan.

    Parameters
    ----------
    network : Cut
    scan : tuple of int
        Axes along which elements follow each other.
    plan : StreamPlan
        With all elements whole.
    simplifier : Simplifier
    """
    division = Division()
    if len(network.images[0].shape) - 1 - len(scan) != 1:
        return division
    for number, stage in enumerate(stages_of(network, scan)):
        # The elements of the first image come in every clock.
        if number == 0 or stage.then is not None or not isinstance(stage.layer, LogicConv):
            continue
        found = [(_size(stage, scan, 1, simplifier), division)]
        for parts in _counts(stage, scan):
            for hold in (division.hold, division.hold | {number}):
                tried = Division(division.parts | {stage.node.name: parts}, hold)
                if _fits(network, scan, plan, tried):
                    found.append((_size(stage, scan, parts, simplifier), tried))
                    break
        division = min(found, key=lambda one: one[0])[1]
    return division


def worthwhile(
    network: Cut, division: Division, plan: StreamPlan, in_parts: StreamPlan
) -> Division:
    """What of a division is smaller in a whole plan, where more is known of what a layer reads.

    Parameters
    ----------
    network : Cut
    division : Division
    plan, in_parts : StreamPlan
        Without parts, and with this division.
    """
    whole = {layer.node.name: layer.block for layer in plan.layers}
    split = {layer.node.name: layer.block for layer in in_parts.layers}
    parts = {name: n for name, n in division.parts.items() if _pays(whole[name], split[name])}
    return Division(parts, frozenset(n for n in division.hold if network.chain[n].name in parts))


def _pays(whole: Block, split: Block) -> bool:
    return split.program.num_gates + split.multiplexers < whole.program.num_gates


def _counts(stage: Stage, scan: tuple[int, ...]) -> list[int]:
    """Numbers of parts that differ in the positions of one."""
    (lanes,) = (n for a, n in enumerate(stage.image.shape[1:]) if a not in scan)
    return sorted({-(-lanes // own) for own in range(1, lanes)})


def _size(stage: Stage, scan: tuple[int, ...], parts: int, simplifier: Simplifier) -> int:
    """Gates of a part, and multiplexers of what it reads; the layer by itself."""
    window = Window(stage, scan, parts)
    program, used = only_used(simplifier.block(window.program, stage.node.name)[0])
    streams, slidings = streams_of((stage,), scan)
    _, chosen = window.taps(used, streams[0], slidings[0])
    return program.num_gates + multiplexers(chosen)


def _fits(network: Cut, scan: tuple[int, ...], plan: StreamPlan, division: Division) -> bool:
    """Whether there is a schedule with the interval of a plan."""
    known = {layer.node.name: layer.pipeline.roots_stage for layer in plan.layers}
    stages = stages_of(network, scan, division.hold)
    grids, slidings = streams_of(stages, scan)
    steps = [
        Step(sliding, grid, known.get(stage.node.name, 0), parts)
        for stage, sliding, grid, parts in zip(
            stages, slidings, grids[1:], division.parts_of(stages), strict=True
        )
    ]
    try:
        return find_ticks(grids[0], steps).interval <= plan.interval
    except BuildError:
        return False
