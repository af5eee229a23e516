"""A classifier whose class sums take turns at one counter."""

from __future__ import annotations

from typing import Any

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..logic.fold import FoldedSums
from ..logic.program import FIRST_INPUT, LogicProgram
from ..logic.schedule import Pipeline
from .argmax import class_shape
from .bank import FIRST_BIT, Bank
from .binarizer import Binarizer, feature_layout
from .decision import Place, submodule
from .gates import Gates
from .groupsum import CompressorTree
from .result import result_fields
from .wide import port_vectors

__all__ = ["FoldedClassifier", "folded_clocks", "folded_layout"]


def folded_clocks(folded: FoldedSums) -> int:
    """Clocks from a sample to its result, and from one sample to the next: load, the steps, and the
    registers of the counter and of the score.
    """
    return folded.steps + 3


def folded_layout(folded: FoldedSums, *, argmax: bool, bits: int = 0) -> data.StructLayout:
    """Fields of a result; the same as those of the classifier that is not folded."""
    return result_fields(
        classes=len(folded.constant),
        score_bits=max(1, folded.highest.bit_length()),
        bits=bits,
        argmax=argmax,
    )


class FoldedClassifier(wiring.Component):
    """A trained network, one sample in `interval` clocks.

    The gates take a sample whole, in one clock. Their results are loaded into shift registers, one
    for each slot; then a row of terms is counted in every clock, class after class. Scores go into
    another shift register, and the largest so far is kept, the first of equal ones.

    Parameters
    ----------
    program : LogicProgram
    folded : FoldedSums
        Of the same program.
    pipeline : Pipeline
        Made by `fold_pipeline` for them.
    argmax : bool
        Whether the class index is computed.

    Members
    -------
    i : In(stream.Signature(feature_layout))
    o : Out(stream.Signature(folded_layout))
    """

    i: Any
    o: Any

    def __init__(
        self, *, program: LogicProgram, folded: FoldedSums, pipeline: Pipeline, argmax: bool
    ):
        self._program, self._folded, self._pipeline = program, folded, pipeline
        self._argmax = argmax
        self._place: Place = submodule
        #: Clocks from a sample to its result, and from one sample to the next.
        self.latency = self.interval = folded_clocks(folded)
        layout = folded_layout(folded, argmax=argmax, bits=len(program.bits))
        super().__init__(
            {
                "i": In(stream.Signature(feature_layout(program.format, program.features))),
                "o": Out(stream.Signature(layout)),
            }
        )

    def with_blocks(self, place: Place) -> FoldedClassifier:
        """This classifier, its blocks put into the hierarchy by `place`."""
        self._place = place
        return self

    def elaborate(self, platform: object) -> Module:
        m = Module()
        folded = self._folded
        busy, done, load = Signal(), Signal(), Signal()
        m.d.comb += [
            load.eq(self.i.valid & ~busy & (~done | self.o.ready)),
            self.i.ready.eq(~busy & (~done | self.o.ready)),
            self.o.valid.eq(done),
        ]
        terms, bits = self._gates(m)
        # In step t, row t of the terms stands at the end of the shift registers.
        rows = Signal(folded.steps * folded.slots, reset_less=True)
        m.d.sync += rows.eq(Mux(load, terms, rows[folded.slots :]))
        counted = Signal(folded.slots.bit_length(), reset_less=True)
        (counter_tree,) = self._pipeline.sums
        counter = CompressorTree(class_sum=counter_tree, pipeline=self._pipeline)
        self._place(m, "counter", counter, Const(1))
        m.d.comb += counter.i.eq(rows[: folded.slots])
        m.d.sync += counted.eq(counter.o)

        control, counting, last = self._control(m, load)
        score = Signal(max(1, folded.highest.bit_length()), reset_less=True)
        kept = Mux(control.opens, 0, Mux(control.doubles, score << 1, score))
        m.d.sync += score.eq((kept | control.begins) + counted)
        closing, ending = Signal(), Signal()
        m.d.sync += [closing.eq(counting & control.closes), ending.eq(counting & last)]

        with m.If(load):
            m.d.sync += busy.eq(1)
        with m.Elif(ending):
            m.d.sync += busy.eq(0)
        with m.If(ending):
            m.d.sync += done.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += done.eq(0)
        fields = self._results(m, load, closing, score)
        if len(bits):
            leaving = Signal(len(bits), name="bits", reset_less=True)
            with m.If(load):
                m.d.sync += leaving.eq(bits)
            fields.append(leaving)
        m.d.comb += Value.cast(self.o.payload).eq(Cat(fields))
        return m

    def _gates(self, m: Module) -> tuple[Value, Value]:
        """All terms, row after row, and the network's own bits."""
        program, folded = self._program, self._folded
        binarizer = Binarizer(program=program)
        self._place(m, "binarizer", binarizer, Const(1))
        m.d.comb += Value.cast(binarizer.i).eq(Value.cast(self.i.payload))
        gates = Gates(program=program, pipeline=self._pipeline)
        self._place(m, "gates", gates, Const(1))
        sides = (
            port_vectors(gates, "i", program.num_inputs),
            port_vectors(binarizer, "o", program.num_inputs),
        )
        for port, wire in zip(*sides, strict=True):
            m.d.comb += port.eq(wire)
        found = Bank.over(m, port_vectors(gates, "o", len(program.roots)))

        def gathered(signals: np.ndarray) -> Value:
            places = np.searchsorted(program.roots, signals) + FIRST_BIT
            return found.gather(np.where(signals < FIRST_INPUT, signals, places))

        plain = Signal(folded.signal.size, name="terms")
        m.d.comb += plain.eq(gathered(folded.signal.ravel()))
        inverted = sum(1 << j for j in np.flatnonzero(folded.negative).tolist())
        return plain ^ inverted, gathered(program.bits)

    def _control(self, m: Module, load: Signal) -> tuple[Any, Signal, Signal]:
        """What to do with the count of the step before, whether there was one, and the last."""
        folded = self._folded
        layout = data.StructLayout(
            {
                "opens": 1,
                "doubles": 1,
                "closes": 1,
                "begins": max(1, int(folded.begins.max(initial=0)).bit_length()),
            }
        )
        fields = zip(folded.opens, folded.doubles, folded.closes, folded.begins, strict=True)
        init = [
            {"opens": int(o), "doubles": int(d), "closes": int(c), "begins": int(b)}
            for o, d, c, b in fields
        ]
        m.submodules.control = rom = memory.Memory(shape=layout, depth=folded.steps, init=init)  # pyright: ignore
        port = rom.read_port()
        step = Signal(range(max(2, folded.steps)))
        running, counting, last = Signal(), Signal(), Signal()
        m.d.comb += port.addr.eq(step)
        m.d.sync += [counting.eq(running), last.eq(step == folded.steps - 1)]
        with m.If(load):
            m.d.sync += [running.eq(1), step.eq(0)]
        with m.Elif(step == folded.steps - 1):
            m.d.sync += running.eq(0)
        with m.Else():
            m.d.sync += step.eq(step + 1)
        return port.data, counting, last

    def _results(self, m: Module, load: Signal, closing: Signal, score: Signal) -> list[Value]:
        """Class and scores."""
        classes = len(self._folded.constant)
        scores = Signal(classes * len(score), reset_less=True)
        with m.If(closing):
            m.d.sync += scores.eq(Cat(scores[len(score) :], score))
        if not self._argmax:
            return [scores]
        index_shape = class_shape(classes)
        best = Signal(len(score), reset_less=True)
        winner = Signal(index_shape, reset_less=True)
        now = Signal(index_shape, reset_less=True)
        with m.If(load):
            m.d.sync += [best.eq(0), winner.eq(0), now.eq(0)]
        with m.Elif(closing):
            m.d.sync += now.eq(now + 1)
            with m.If(score > best):
                m.d.sync += [best.eq(score), winner.eq(now)]
        return [winner, scores]
