"""The adder trees of a front end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from amaranth.hdl import Cat, Module, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from ...logic.compressor import Style, compress
from ...logic.schedule import ClassSum, Pipeline
from ...logic.timing import DelayModel, StageClock
from ...network import FixedPoint
from ..bank import FIRST_BIT, Bank
from ..groupsum import CompressorTree, PlaceTree
from ..wide import port_vectors, wide_port
from .terms import Term

__all__ = ["FrontSums", "plan_sums"]


def plan_sums(
    sums: Sequence[Sequence[Term]],
    numbers: Sequence[FixedPoint],
    width: int,
    *,
    style: Style,
    model: DelayModel,
    clock: StageClock,
) -> Pipeline:
    """A compressor tree for each sum of numbers, over the bits of all numbers side by side.

    Sums are exact modulo 2^width, so they are right if their values fit in `width` bits, signed or
    not.

    Parameters
    ----------
    sums : sequence of sequence of Term
    numbers : sequence of FixedPoint
        Of each element.
    width : int
    style, model, clock
        As for `logic.schedule.schedule`.
    """
    low = np.cumsum([0, *(number.width for number in numbers)])
    trees = []
    for terms in sums:
        place, weight, inverted, constant = _leaves(terms, numbers, low, width)
        tree = compress(
            weight, constant, np.zeros(len(weight), np.int64), style=style, model=model, clock=clock
        )
        trees.append(ClassSum(place, inverted, tree))
    ends = [int(tree.tree.arrival[list(tree.tree.result)].max(initial=0)) for tree in trees]
    last = int(clock.stage(max(ends, default=0)))
    return Pipeline(clock, np.zeros(0, np.int64), 0, tuple(trees), last, ())


def _leaves(
    terms: Sequence[Term], numbers: Sequence[FixedPoint], low: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Bits of a sum: place, weight, whether the complement is counted; and a constant."""
    modulus, constant = 1 << width, 0
    leaves: list[tuple[int, int, bool]] = []
    for element, count in terms:
        number = numbers[element]
        for bit in range(number.width):
            weight = (count << bit) % modulus
            # The sign of two's complement weighs -w. Modulo 2^width that is +w for the highest
            # bit; elsewhere -w · x = w · not x - w.
            negative = number.signed and bit == number.width - 1 and 2 * weight % modulus != 0
            if negative:
                constant -= weight
            if weight:
                leaves.append((int(low[element]) + bit, weight, negative))
    place, weight, inverted = zip(*leaves, strict=True) if leaves else ((), (), ())
    return (
        np.array(place, np.int32),
        np.array(weight, np.int64),
        np.array(inverted, bool),
        constant % modulus,
    )


class FrontSums(wiring.Component):
    """Sums of numbers, a tree for each (`sum0`, `sum1`, ... in the hierarchy).

    Parameters
    ----------
    bits : int
        Of all numbers side by side.
    number : FixedPoint
        Of every sum.
    pipeline : Pipeline
        Made by `plan_sums`.

    Members
    -------
    i : In(bits)
        Split beyond 32,768 bits.
    o : Out(ArrayLayout(number, sums))
        `latency` registers later; the last of them is right here.
    """

    o: data.View

    def __init__(self, *, bits: int, number: FixedPoint, pipeline: Pipeline):
        self._bits, self._number, self._pipeline = bits, number, pipeline
        self._place: PlaceTree = _submodule
        self.latency = pipeline.latency
        layout = data.ArrayLayout(Shape(number.width, number.signed), len(pipeline.sums))
        super().__init__({**wide_port("i", bits), "o": Out(layout)})

    def with_trees(self, place: PlaceTree) -> FrontSums:
        """This block, its trees put into the hierarchy by `place`."""
        self._place = place
        return self

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = Bank.over(m, port_vectors(self, "i", self._bits))
        sums: list[Value] = []
        for number, class_sum in enumerate(self._pipeline.sums):
            tree = CompressorTree(class_sum=class_sum, pipeline=self._pipeline)
            self._place(m, f"sum{number}", tree)
            m.d.comb += tree.i.eq(bits.gather(class_sum.root + FIRST_BIT))
            found = Signal(self._number.width, name=f"sum{number}_bits")
            m.d.comb += found.eq(tree.o[: self._number.width])
            sums.append(found)
        o: Any = Value.cast(self.o)
        if not self.latency:
            m.d.comb += o.eq(Cat(sums))
            return m
        register = Signal(len(o), name="sums", reset_less=True)
        m.d.sync += register.eq(Cat(sums))
        m.d.comb += o.eq(register)
        return m


def _submodule(m: Module, name: str, tree: CompressorTree) -> None:
    m.submodules[name] = tree
