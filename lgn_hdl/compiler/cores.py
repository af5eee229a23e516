"""Ways to build a classifier of one program: a pipeline, folded class sums, a program in memory.

`streamed` holds one more, in which the positions of images take turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from amaranth.lib import data

from ..errors import BuildError
from ..hdl import (
    Classifier,
    FoldedClassifier,
    check_ports,
    folded_clocks,
    folded_layout,
    result_layout,
)
from ..hdl.engine import Engine, check_engine, engine_layout
from ..logic.engine import EngineCode, assemble
from ..logic.evaluate import evaluate
from ..logic.fold import FoldedSums, fold_pipeline, fold_sums, verify_fold
from ..logic.program import LogicProgram
from ..logic.schedule import Pipeline, schedule
from ..logic.verify import probe_count
from .options import BuildOptions

#: Targets that Yosys maps no memory for.
PLAIN_LUTS = ("lut4", "lut6")

__all__ = [
    "Core",
    "EngineCore",
    "FoldedCore",
    "PipelinedCore",
    "make_core",
]


class Core(Protocol):
    """What is done with a logic program; each kind makes a component with streams `i` and `o`."""

    @property
    def program(self) -> LogicProgram:
        """What the scores are made of; of a streamed core, behind the images only."""
        ...

    @property
    def inputs(self) -> LogicProgram:
        """Number format, features and comparisons of a sample."""
        ...

    @property
    def probes(self) -> int:
        """Random samples that every pass was verified with."""
        ...

    def evaluate(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outgoing bits (n, B) and scores (n, C) for stored integers (n, features)."""
        ...

    @property
    def latency(self) -> int:
        """Clocks from a sample to its result; 0 without registers."""
        ...

    @property
    def interval(self) -> int:
        """Clocks from one sample to the next."""
        ...

    @property
    def layout(self) -> data.StructLayout:
        """Fields of a result."""
        ...

    def component(self) -> Any:
        """The hardware."""
        ...

    def about(self) -> str:
        """One sentence for the report."""
        ...


@dataclass(frozen=True, eq=False)
class _OfOneProgram:
    """What a core that is made of one program says of it."""

    program: LogicProgram

    @property
    def inputs(self) -> LogicProgram:
        """Number format, features and comparisons of a sample."""
        return self.program

    @property
    def probes(self) -> int:
        """Random samples that every pass was verified with."""
        return probe_count(self.program)

    def evaluate(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outgoing bits (n, B) and scores (n, C) for stored integers (n, features)."""
        return evaluate(self.program, features)


@dataclass(frozen=True, eq=False)
class PipelinedCore(_OfOneProgram):
    """Everything at once: a sample per clock."""

    pipeline: Pipeline
    argmax: bool

    interval = 1

    @property
    def latency(self) -> int:
        """Registers between input and output."""
        return self.pipeline.latency

    @property
    def layout(self) -> data.StructLayout:
        """Fields of a result."""
        return result_layout(self.program, self.pipeline, argmax=self.argmax)

    def component(self) -> Classifier:
        """The hardware."""
        return Classifier(program=self.program, pipeline=self.pipeline, argmax=self.argmax)

    def about(self) -> str:
        """One sentence for the report."""
        return "Nothing is folded: a sample per clock."


@dataclass(frozen=True, eq=False)
class FoldedCore(_OfOneProgram):
    """All gates at once, the class sums one after the other."""

    folded: FoldedSums
    pipeline: Pipeline
    argmax: bool

    @property
    def latency(self) -> int:
        """Clocks from a sample to its result."""
        return folded_clocks(self.folded)

    interval = latency

    @property
    def layout(self) -> data.StructLayout:
        """Fields of a result."""
        return folded_layout(self.folded, argmax=self.argmax, bits=len(self.program.bits))

    def component(self) -> FoldedClassifier:
        """The hardware."""
        return FoldedClassifier(
            program=self.program, folded=self.folded, pipeline=self.pipeline, argmax=self.argmax
        )

    def about(self) -> str:
        """One sentence for the report."""
        return (
            f"The class sums take turns at one counter of {self.folded.slots} bits, "
            f"{self.folded.steps} clocks for all of them; the gates are not folded."
        )


@dataclass(frozen=True, eq=False)
class EngineCore(_OfOneProgram):
    """The gates themselves one after the other."""

    code: EngineCode
    argmax: bool

    @property
    def latency(self) -> int:
        """Clocks from a sample to its result."""
        return self.code.clocks

    interval = latency

    @property
    def layout(self) -> data.StructLayout:
        """Fields of a result."""
        return engine_layout(self.code, argmax=self.argmax)

    def component(self) -> Engine:
        """The hardware."""
        return Engine(code=self.code, argmax=self.argmax)

    def about(self) -> str:
        """One sentence for the report."""
        return (
            f"The gates are a program in memory, {self.code.lanes} of them a clock: "
            f"{len(self.code.words)} instructions."
        )


def make_core(
    program: LogicProgram, options: BuildOptions
) -> PipelinedCore | FoldedCore | EngineCore:
    """Fold a program as the options say, or place it into a pipeline.

    Raises
    ------
    BuildError
        If it cannot be folded so, or a port would be too wide.
    """
    argmax = options.argmax
    assert options.counters is not None, "options are resolved"
    if options.fold == "none":
        pipeline = schedule(
            program,
            model=options.delays,
            clock=options.stage_clock,
            style=options.counters,
            argmax=argmax,
        )
        check_ports(program, pipeline, argmax=argmax)
        return PipelinedCore(program, pipeline, argmax)
    if argmax and not len(program.sums):
        raise BuildError("a network without group sums has no class", hint="use --no-argmax")
    assert options.fold_width is not None
    if options.fold == "sums":
        folded = fold_sums(program, options.fold_width, seed=options.seed)
        verify_fold(program, folded, seed=options.seed)
        return FoldedCore(program, folded, fold_pipeline(program, folded, options.delays), argmax)
    if options.target in PLAIN_LUTS:
        raise BuildError(
            f"the target {options.target} has no memory for --fold gates", hint="take a family"
        )
    code = assemble(program, lanes=options.fold_width)
    check_engine(code, argmax=argmax)
    return EngineCore(program, code, argmax)
