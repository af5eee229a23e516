"""Place every operation of a classifier into pipeline stages.

The order of the blocks is fixed (binarizer, gates, group sums, argmax); the registers are not:
they fall wherever the time of a stage runs out, inside the gates, inside a compressor tree,
between the comparisons of the argmax. At the border of two blocks all bits are brought to the
same stage, so the latency of every block, and of the whole, is one number.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ..errors import VerifyError
from .compressor import FIRST_LEAF, CompressorTree, Style, compress
from .levels import by_level
from .program import FIRST_INPUT, LogicProgram
from .timing import DelayModel, StageClock

__all__ = ["ClassSum", "Pipeline", "schedule"]


@dataclass(frozen=True, eq=False)
class ClassSum:
    """The compressor tree of one class over the program's roots.

    Parameters
    ----------
    root : ndarray of int32, shape (n,)
        Position of each leaf among the program's roots.
    inverted : ndarray of bool, shape (n,)
        Whether the leaf is the complement of the root (a negative weight).
    tree : CompressorTree
    """

    root: np.ndarray
    inverted: np.ndarray
    tree: CompressorTree


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Stage of every operation; stage numbers count from the input of the classifier.

    Parameters
    ----------
    clock : StageClock
    gate_stage : ndarray of int64, shape (G,)
    roots_stage : int
        Stage in which all roots are at hand, where the gates end and the sums begin.
    sums : tuple of ClassSum
    scores_stage : int
        Where the sums end.
    argmax_stage : tuple of int
        Stage of each round of comparisons.
    """

    clock: StageClock
    gate_stage: np.ndarray
    roots_stage: int
    sums: tuple[ClassSum, ...]
    scores_stage: int
    argmax_stage: tuple[int, ...]

    @property
    def combinational(self) -> bool:
        """Whether there are no registers at all."""
        return self.clock.period is None

    @property
    def last_stage(self) -> int:
        """Stage in which the result is ready."""
        return self.argmax_stage[-1] if self.argmax_stage else self.scores_stage

    @property
    def stages(self) -> int:
        """Number of stages of logic."""
        return self.last_stage + 1

    @property
    def latency(self) -> int:
        """Registers between input and output: one at the end of every stage."""
        return 0 if self.combinational else self.stages

    def tree_stage(self, arrival: np.ndarray | int) -> np.ndarray:
        """Stage of something in a compressor tree."""
        return np.maximum(self.clock.stage(arrival), self.roots_stage)


def schedule(
    program: LogicProgram,
    *,
    model: DelayModel,
    clock: StageClock,
    style: Style,
    argmax: bool,
) -> Pipeline:
    """Place a program, its sums and its argmax into stages, as early as possible.

    Parameters
    ----------
    program : LogicProgram
    model, clock
        Delays of the target, and the length of a stage.
    style : Style
        Which counters the sums are made of.
    argmax : bool
        Whether the class index is computed.
    """
    arrival = _arrivals(program, model, clock)
    roots = arrival[program.roots]
    roots_stage = int(clock.stage(roots).max(initial=0))
    ready = clock.hold(roots, roots_stage)
    sums = tuple(_class_sums(program, ready, model, clock, style))
    last = max((int(s.tree.arrival[list(s.tree.result)].max(initial=0)) for s in sums), default=0)
    scores_stage = max(roots_stage, int(clock.stage(last)))
    rounds: list[int] = []
    if argmax and len(sums) > 1:
        width = max(len(s.tree.result) for s in sums)
        last = int(clock.hold(np.array(last), scores_stage))
        for _ in range((len(sums) - 1).bit_length()):
            last = int(clock.after(last, model.selection(width)))
            rounds.append(int(clock.stage(last)))
    gate_stage = clock.stage(arrival[program.first_gate :])
    pipeline = Pipeline(clock, gate_stage, roots_stage, sums, scores_stage, tuple(rounds))
    _check(program, pipeline)
    return pipeline


def _arrivals(program: LogicProgram, model: DelayModel, clock: StageClock) -> np.ndarray:
    arrival = np.zeros(program.num_signals, np.int64)
    if program.format.width > 1:
        compared = clock.after(0, model.comparison(program.format.width))
        arrival[FIRST_INPUT : program.first_gate] = compared
    delay = np.array([0, *(model.lookup(k) for k in range(1, 7))])
    for gates in by_level(program):
        # Unused columns read constant 0, which is always ready.
        ready = arrival[program.fanin[gates]].max(axis=1)
        arrival[program.first_gate + gates] = clock.after(ready, delay[program.arity[gates]])
    return arrival


def _class_sums(
    program: LogicProgram, ready: np.ndarray, model: DelayModel, clock: StageClock, style: Style
):
    sums, roots = program.sums, program.roots
    for c, constant in enumerate(sums.bounds[0].tolist()):
        terms = slice(sums.start[c], sums.start[c + 1])
        weight = sums.weight[terms]
        root = np.searchsorted(roots, sums.signal[terms]).astype(np.int32)
        # -w · x = w · not x - w: with every weight positive what is left is the smallest sum.
        tree = compress(
            np.abs(weight), constant, ready[root], style=style, model=model, clock=clock
        )
        yield ClassSum(root, weight < 0, tree)


def _check(program: LogicProgram, pipeline: Pipeline) -> None:
    """No wire runs backwards in time.

    The registers on a wire are the difference of its two stages, so this is also what makes the
    registers on every path from input to output add up to the same latency.

    Raises
    ------
    VerifyError
        If a wire runs backwards, which would be a bug here.
    """
    stage = np.concatenate([np.zeros(program.first_gate, np.int64), pipeline.gate_stage])
    late = [bool((stage[program.fanin] > pipeline.gate_stage[:, None]).any())]
    late.append(bool((stage[program.roots] > pipeline.roots_stage).any()))
    for class_sum in pipeline.sums:
        tree = class_sum.tree
        bit_stage = pipeline.tree_stage(tree.arrival)
        bit_stage[:FIRST_LEAF] = 0
        inputs = np.array([bit for counter in tree.counters for bit in counter.inputs], np.int64)
        counts = [len(counter.inputs) for counter in tree.counters]
        output = np.repeat([counter.outputs[0] for counter in tree.counters], counts)
        late.append(bool((bit_stage[inputs] > bit_stage[output.astype(np.int64)]).any()))
        late.append(bool((bit_stage[list(tree.result)] > pipeline.scores_stage).any()))
    rounds = (pipeline.scores_stage, *pipeline.argmax_stage)
    late.append(any(a > b for a, b in itertools.pairwise(rounds)))
    if any(late):
        raise VerifyError("the pipeline schedule has a wire that runs backwards in time")
