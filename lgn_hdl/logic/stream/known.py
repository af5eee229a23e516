"""Passes over programs that were simplified before: a network is planned more than once."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import numpy as np

from ..passes import PassResult, measure, optimize
from ..program import LogicProgram
from ..verify import verify
from .inverters import absorb_inverters

__all__ = ["Simplifier"]

Simplified = tuple[LogicProgram, list[PassResult]]


class Simplifier:
    """All passes, each program once.

    Parameters
    ----------
    fuse, seed, progress
        As for `optimize`; the progress is told layer and pass.
    """

    def __init__(self, fuse: int | None, seed: int, progress: Callable[[str], None]):
        self._fuse, self._seed, self._progress = fuse, seed, progress
        self._known: dict[bytes, Simplified] = {}

    def block(self, program: LogicProgram, name: str) -> Simplified:
        """The gates of a layer, whose bits leave: inverters in front of them are absorbed."""

        def run() -> Simplified:
            after, passes = self._optimized(program, name, None)
            absorbed = absorb_inverters(after)
            if absorbed is not after:
                verify(after, absorbed, "inverters", seed=self._seed)
            return absorbed, [*passes, measure("inverters", absorbed)]

        return self._once(program, run)

    def tail(self, program: LogicProgram) -> Simplified:
        """What sees the last image whole."""
        return self._once(program, lambda: self._optimized(program, "dense", self._fuse))

    def _optimized(self, program: LogicProgram, name: str, fuse: int | None) -> Simplified:
        return optimize(
            program,
            fuse=fuse,
            seed=self._seed,
            progress=lambda what: self._progress(f"{name}: {what}"),
        )

    def _once(self, program: LogicProgram, run: Callable[[], Simplified]) -> Simplified:
        key = _digest(program)
        if key not in self._known:
            self._known[key] = run()
        return self._known[key]


def _digest(program: LogicProgram) -> bytes:
    """Equal for equal programs, whatever they are part of; only the tail has sums."""
    sums = program.sums
    said = f"{program.format} {program.features} {program.fanin.shape} {len(sums)}"
    found = blake2b(said.encode())
    for array in (
        program.input_feature,
        program.input_threshold,
        program.fanin,
        program.arity,
        program.table,
        program.bits,
        sums.start,
        sums.signal,
        sums.weight,
        sums.constant,
    ):
        found.update(str(array.shape).encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.digest()
