"""Class scores: one compressor tree for every class."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from amaranth.hdl import Cat, Const, Instance, Module, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..logic.compressor import FIRST_LEAF, Counter
from ..logic.schedule import ClassSum, Pipeline
from .bank import FIRST_BIT, Bank
from .lookup import lookup
from .wide import port_vectors, wide_port

__all__ = ["CompressorTree", "GroupSum", "score_shape"]


def score_shape(pipeline: Pipeline) -> Shape:
    """Unsigned, wide enough for the largest score of any class."""
    return Shape(max(len(s.tree.result) for s in pipeline.sums))


class CompressorTree(wiring.Component):
    """A weighted sum of bits by full adders and 6:3 counters.

    Parameters
    ----------
    class_sum : ClassSum
    pipeline : Pipeline

    Members
    -------
    i : In(leaves)
        The roots this sum is taken over; those of negative weight are complemented inside.
    o : Out(bits)
        Their weighted sum plus the constant, `latency` registers later.
    """

    i: Signal
    o: Signal

    def __init__(self, *, class_sum: ClassSum, pipeline: Pipeline):
        self._tree, self._inverted, self._pipeline = class_sum.tree, class_sum.inverted, pipeline
        self._adder_cells = False
        self.latency = pipeline.scores_stage - pipeline.roots_stage
        super().__init__({"i": In(len(class_sum.root)), "o": Out(len(class_sum.tree.result))})

    def with_adder_cells(self) -> CompressorTree:
        """This tree, its adders Yosys' cells `$fa`: RTLIL for libraries that have such a cell."""
        self._adder_cells = True
        return self

    def elaborate(self, platform: object) -> Module:
        m = Module()
        tree, first = self._tree, self._pipeline.roots_stage
        stage_of = [int(self._pipeline.tree_stage(c.arrival)) - first for c in tree.counters]
        last_use = np.full(len(tree.arrival), -1, np.int64)
        for counter, stage in zip(tree.counters, stage_of, strict=True):
            inputs = list(counter.inputs)
            last_use[inputs] = np.maximum(last_use[inputs], stage)
        last_use[list(tree.result)] = self.latency
        bank = Bank(m, last_use)
        leaves = Signal(len(tree.weights))
        m.d.comb += leaves.eq(self.i ^ sum(1 << j for j in np.flatnonzero(self._inverted).tolist()))
        bank.define(np.arange(FIRST_LEAF, FIRST_LEAF + len(tree.weights)), leaves)
        ranks = _ranks(tree.counters, len(tree.arrival))
        batches: dict[tuple[int, int, str, int], list[Counter]] = {}
        for counter, stage, rank in zip(tree.counters, stage_of, ranks, strict=True):
            key = (stage, rank, counter.kind, len(counter.outputs))
            batches.setdefault(key, []).append(counter)
        done = 0
        for (stage, rank, kind, outputs), counters in sorted(batches.items()):
            while done < stage:
                bank.register(done)
                done += 1
            name = f"stage{stage}_rank{rank}_{kind}"
            self._batch(m, bank, counters, outputs, name + f"_to{outputs}" * (outputs < 2))
        for stage in range(done, self.latency):
            bank.register(stage)
        m.d.comb += self.o.eq(bank.gather(tree.result))
        return m

    def _batch(
        self, m: Module, bank: Bank, counters: list[Counter], outputs: int, name: str
    ) -> None:
        """Counters of one kind side by side, as operations on vectors."""
        operands = [
            bank.operand([counter.inputs[j] for counter in counters], f"{name}_in{j}")
            for j in range(len(counters[0].inputs))
        ]
        if self._adder_cells and outputs == 2 and len(operands) <= 3:
            a, b, c = [*operands, Const(0, len(counters))][:3]
            total, carry = (Signal(len(counters), name=f"{name}_out{j}") for j in range(2))
            ports = {"i_A": a, "i_B": b, "i_C": c, "o_X": carry, "o_Y": total}
            m.submodules[f"{name}_cells"] = Instance("$fa", **ports)
            for j, out in enumerate((total, carry)):
                bank.define([counter.outputs[j] for counter in counters], out)
            return
        for j, value in enumerate(count_ones(m, operands, name)[:outputs]):
            out = Signal(len(counters), name=f"{name}_out{j}")
            m.d.comb += out.eq(value)
            bank.define([counter.outputs[j] for counter in counters], out)


def count_ones(m: Module, operands: list[Value], name: str) -> list[Value]:
    """Binary count of ones at each position of two, three or six vectors.

    Every output is a cone of its own over the operands and shares no adder with the others, so
    that technology mapping finds it again as one LUT.
    """
    outputs: list[Value] = []
    for bit in range(len(operands).bit_length()):
        table = sum((i.bit_count() >> bit & 1) << i for i in range(1 << len(operands)))
        # Each output decides in another order, or the mapper would join them again.
        turn = 2 * bit % len(operands)
        rotated = [*operands[turn:], *operands[:turn]]
        outputs.append(lookup(m, table, rotated, f"{name}_bit{bit}"))
    return outputs


def _ranks(counters: tuple[Counter, ...], bits: int) -> list[int]:
    """Counters of one rank do not read each other."""
    rank_of_bit, ranks = [0] * bits, []
    for counter in counters:
        rank = max(rank_of_bit[bit] for bit in counter.inputs)
        ranks.append(rank)
        for bit in counter.outputs:
            rank_of_bit[bit] = rank + 1
    return ranks


#: (module, name, tree): put a tree into a module of the hierarchy.
PlaceTree = Callable[[Module, str, CompressorTree], None]


def _submodule(m: Module, name: str, tree: CompressorTree) -> None:
    m.submodules[name] = tree


class GroupSum(wiring.Component):
    """The scores of all classes, a tree for each (`class0`, `class1`, ... in the hierarchy).

    Parameters
    ----------
    roots : int
        Number of bits the sums are taken over.
    pipeline : Pipeline

    Members
    -------
    i : In(roots)
        Split beyond 32,768 bits.
    o : Out(ArrayLayout(score, classes))
        Class 0 in the lowest bits.
    """

    o: data.View

    def __init__(self, *, roots: int, pipeline: Pipeline):
        self._roots, self._pipeline = roots, pipeline
        self._place: PlaceTree = _submodule
        self.latency = pipeline.scores_stage - pipeline.roots_stage
        layout = data.ArrayLayout(score_shape(pipeline), len(pipeline.sums))
        super().__init__({**wide_port("i", roots), "o": Out(layout)})

    def with_trees(self, place: PlaceTree) -> GroupSum:
        """This block, its trees put into the hierarchy by `place`."""
        self._place = place
        return self

    def elaborate(self, platform: object) -> Module:
        m = Module()
        roots = Bank.over(m, port_vectors(self, "i", self._roots))
        scores = []
        for c, class_sum in enumerate(self._pipeline.sums):
            tree = CompressorTree(class_sum=class_sum, pipeline=self._pipeline)
            self._place(m, f"class{c}", tree)
            m.d.comb += tree.i.eq(roots.gather(class_sum.root + FIRST_BIT))
            score = Signal(score_shape(self._pipeline), name=f"score{c}")
            m.d.comb += score.eq(tree.o)
            scores.append(score)
        # One assignment: Icarus is slow on vectors that are driven in parts.
        m.d.comb += Value.cast(self.o).eq(Cat(scores))
        return m
