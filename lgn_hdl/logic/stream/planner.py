"""Plan the streaming hardware of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...errors import BuildError
from ...network import LogicConv, Network, OrPool
from ..compressor import Style
from ..lower import lower
from ..passes import PassResult, optimize
from ..program import LogicProgram
from ..schedule import schedule
from ..timing import DelayModel, StageClock
from ..verify import probe_count
from .block import Block, Equals, Taps, Window, elements_of, only_used
from .choose import comparisons, make_aside, make_source
from .control import make_control
from .cut import Cut, cut
from .grid import Grid, Sliding, zeros_for
from .plan import Reuse, StreamLayer, StreamPlan
from .source import Aside, Source
from .ticks import Step, find_ticks

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
    chain = _Chain(cut(network), reuse, seed, progress)
    tail, tail_passes, collected, aside_bits = chain.forward(fuse)
    grids = chain.grids
    widths, kept = [len(_kept(collected))], _kept(collected)
    layers: list[StreamLayer] = []
    for number in reversed(range(len(grids) - 1)):
        block, sliding = chain.block(number, kept), chain.slidings[number]
        kept = _kept(block.taps)
        widths.insert(0, len(kept))
        block = replace(block, taps=block.taps.renumbered(kept))
        pipeline = schedule(block.program, model=model, clock=clock, style=style, argmax=False)
        node, image = chain.parts.chain[number], chain.parts.images[number + 1]
        layers.insert(0, StreamLayer(node, image, sliding, block, pipeline))
    front, source, aside = _front(chain.parts, chain.scan, kept, aside_bits)
    steps = zip(layers, grids[1:], strict=True)
    ticks = find_ticks(
        grids[0], [Step(one.sliding, grid, one.pipeline.roots_stage) for one, grid in steps]
    )
    return StreamPlan(
        reuse=reuse,
        front=front,
        source=source,
        layers=tuple(layers),
        grids=grids,
        widths=tuple(widths),
        ticks=ticks,
        control=make_control(ticks, grids),
        collected=collected.renumbered(_kept(collected)),
        aside=aside,
        tail=tail,
        pipeline=schedule(tail, model=model, clock=clock, style=style, argmax=argmax),
        tail_passes=tail_passes,
        argmax=argmax,
    )


class _Chain:
    """The layers that take turns: programs of their elements, simplified from both ends."""

    def __init__(self, parts: Cut, reuse: Reuse, seed: int, progress: Callable[[str], None]):
        self.parts, self.scan = parts, _scan(reuse, len(parts.images[0].shape) - 1)
        self._seed, self._progress = seed, progress
        self._windows: list[Window] = []
        self.slidings: list[Sliding] = []
        for number, node in enumerate(parts.chain):
            assert isinstance(node.layer, (LogicConv, OrPool)), "cut takes no others"
            out = parts.images[number + 1].shape
            self.slidings.append(Sliding.of(node.layer, self.scan, out))
            self._windows.append(Window(node, parts.images[number], self.scan))
        sizes = [tuple(image.shape[1 + axis] for axis in self.scan) for image in parts.images]
        readers = zip(sizes, [*self.slidings, None], strict=True)
        self.grids = tuple(Grid(size, zeros_for(reader, size)) for size, reader in readers)
        self._programs: list[LogicProgram] = []
        self._passes: list[list[PassResult]] = []

    def forward(self, fuse: int | None) -> tuple[LogicProgram, list[PassResult], Taps, np.ndarray]:
        """Simplify layer after layer, then the tail.

        What is constant or equal in one image is so in every window of the next layer.

        Returns
        -------
        LogicProgram, list of PassResult
            The tail, with the features that it reads.
        Taps
            Those of them that are bits of the last image.
        ndarray of int64
            The others, as numbers of bits set aside.
        """
        equals: Equals | None = None
        for number, window in enumerate(self._windows):
            program, grid = window.program, self.grids[number + 1]
            if equals is not None:
                program = equals.put_into(program, window.feature)
            program, passes = self._optimized(program, number)
            self._programs.append(program)
            self._passes.append(passes)
            equals = Equals.of(program.bits, padded=grid.elements > len(grid.positions))
        assert equals is not None, "a chain has a layer"
        elements = elements_of(self.parts.images[-1], self.scan)
        tail = equals.put_into(lower(self.parts.tail), elements)
        tail, passes = optimize(
            tail, fuse=fuse, seed=self._seed, progress=lambda name: self._progress(f"dense: {name}")
        )
        tail, used = only_used(tail)
        of_image = used < elements.size
        # Which bit of which element each collected bit is.
        number, bit = np.divmod(np.argsort(elements.ravel())[used[of_image]], elements.shape[1])
        taps = Taps(bit, len(elements) - 1 - number)
        return tail, passes, taps, used[~of_image] - elements.size

    def block(self, number: int, kept: np.ndarray) -> Block:
        """A layer of which only some bits of an element are read behind."""
        window, program = self._windows[number], self._programs[number]
        program = replace(program, bits=program.bits[kept])
        program, again = self._optimized(program, number)
        program, features = only_used(program)
        first, *before = self._passes[number]
        both = zip(before, again[1:], strict=True)
        passes = [first, *(replace(b, seconds=a.seconds + b.seconds) for a, b in both)]
        taps = window.taps(features, self.grids[number], self.slidings[number])
        return Block(program, taps, passes, probe_count(window.program))

    def _optimized(
        self, program: LogicProgram, number: int
    ) -> tuple[LogicProgram, list[PassResult]]:
        layer = self.parts.chain[number].name
        return optimize(
            program, seed=self._seed, progress=lambda name: self._progress(f"{layer}: {name}")
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


def _front(
    parts: Cut, scan: tuple[int, ...], kept: np.ndarray, aside: np.ndarray
) -> tuple[LogicProgram, Source, Aside | None]:
    front = lower(parts.front)
    feature, threshold = comparisons(front)
    image = elements_of(parts.images[0], scan)[:, kept]
    source = make_source(front, feature[image], threshold[image])
    # The comparisons of the front are those of the image, then those set aside.
    at = parts.images[0].size + aside
    return front, source, make_aside(front, feature[at], threshold[at]) if len(at) else None
