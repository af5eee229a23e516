"""The layers that take turns: programs of their elements, simplified from both ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..lower import lower
from ..passes import PassResult
from ..program import FIRST_INPUT, LogicProgram
from ..verify import probe_count
from .block import Block, Equals, Taps, elements_of, only_used
from .codes import Codes
from .cut import Cut
from .known import Simplifier
from .stages import Stage, streams_of
from .window import Window

__all__ = ["Chain"]


class Chain:
    """Stages between the first image and the layers that see the last one whole.

    Parameters
    ----------
    network : Cut
    scan : tuple of int
        Axes along which elements follow each other.
    stages : tuple of Stage
    parts : tuple of int
        In how many parts each stage computes an element.
    codes : Codes
        What is known of the bits of the first image's elements.
    simplifier : Simplifier
    """

    def __init__(
        self,
        network: Cut,
        scan: tuple[int, ...],
        stages: tuple[Stage, ...],
        parts: tuple[int, ...],
        codes: Codes,
        simplifier: Simplifier,
    ):
        self._network, self._scan, self.stages, self._codes = network, scan, stages, codes
        self._simplifier = simplifier
        self._windows = [
            Window(stage, scan, count) for stage, count in zip(stages, parts, strict=True)
        ]
        self.grids, self.slidings = streams_of(stages, scan)
        self._programs: list[LogicProgram] = []
        self._passes: list[list[PassResult]] = []

    def forward(self) -> tuple[LogicProgram, list[PassResult], Taps, np.ndarray]:
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
        elements = elements_of(self._network.images[-1], self._scan)
        tail = lower(self._network.tail)
        for number, window in enumerate(self._windows):
            program, passes = self._simplified(number, window, equals)
            self._programs.append(program)
            self._passes.append(passes)
            whole = window
            if len(window.bit) > 1:
                # A part does not know which zeros are padding, so the whole element says more.
                whole = Window(self.stages[number], self._scan)
                program, _ = self._simplified(number, whole, equals)
                window.bit = window.bit if equals is None else equals.instead_of(window.bit)
            if number == len(self._windows) - 1:
                tail = self._told(tail, elements, whole, equals)
            grid = self.grids[number + 1]
            equals = Equals.of(program.bits, padded=grid.elements > len(grid.positions))
        tail, passes = self._simplifier.tail(tail)
        tail, used = only_used(tail)
        of_image = used < elements.size
        # Which bit of which element each collected bit is.
        number, bit = np.divmod(np.argsort(elements.ravel())[used[of_image]], elements.shape[1])
        taps = Taps(bit, len(elements) - 1 - number)
        return tail, passes, taps, used[~of_image] - elements.size

    def block(self, number: int, kept: np.ndarray) -> Block:
        """A layer of which only some bits of an element are read behind."""
        window, program = self._windows[number], self._programs[number]
        wanted, output = np.unique(window.output[kept], return_inverse=True)
        program = replace(program, bits=program.bits[wanted])
        program, again = self._simplifier.block(program, self.stages[number].node.name)
        if number == 0:
            program = self._codes.taken_from(program, window.feature)
        first, *before = self._passes[number]
        both = zip(before, again[1:], strict=True)
        passes = [first, *(replace(b, seconds=a.seconds + b.seconds) for a, b in both)]
        program, features = only_used(program)
        taps, chosen = window.taps(features, self.grids[number], self.slidings[number])
        return Block(
            program,
            taps,
            chosen,
            window.part[kept],
            output.ravel(),
            passes,
            probe_count(window.program),
        )

    def _told(
        self, tail: LogicProgram, elements: np.ndarray, window: Window, equals: Equals | None
    ) -> LogicProgram:
        """The tail, with what is constant or equal in each element of the last image.

        The tail sees them all, so it can be told what holds at the border only, where places of a
        window are padding. The layer cannot: its gates are the same at all positions.
        """
        number = len(self._windows) - 1
        outside = self.slidings[number].outside(self.grids[number].size)
        for pattern in np.unique(outside, axis=0):
            program, _ = self._simplified(number, window, equals, np.flatnonzero(pattern))
            own = elements[(outside == pattern).all(axis=1)]
            tail = Equals.of(program.bits, padded=False).put_into(tail, own)
        return tail

    def _simplified(
        self,
        number: int,
        window: Window,
        equals: Equals | None,
        outside: np.ndarray | None = None,
    ) -> tuple[LogicProgram, list[PassResult]]:
        """The program of a window, with what is known of the bits that it reads.

        At the places `outside` of the window there are zeros.
        """
        if equals is None:
            program = self._codes.put_into(window.program, window.feature)
        else:
            program = equals.put_into(window.program, window.feature, window.bit)
        if outside is not None:
            new = np.arange(program.num_signals, dtype=np.int32)
            new[FIRST_INPUT + window.feature[outside]] = 0
            program = replace(program, fanin=new[program.fanin], bits=new[program.bits])
        return self._simplifier.block(program, self.stages[number].node.name)
