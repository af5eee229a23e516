"""The gate engine: a classifier that is a program."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...errors import BuildError
from ...logic.engine import EngineCode
from ..binarizer import feature_layout
from ..classifier import MAX_PAYLOAD_BITS
from ..result import result_fields
from .lanes import Lanes
from .reader import Reader
from .scores import Scores
from .sequencer import Sequencer

__all__ = ["Engine", "check_engine", "engine_layout"]


def engine_layout(code: EngineCode, *, argmax: bool) -> data.StructLayout:
    """Fields of a result; the same as those of the classifier that is not folded."""
    return result_fields(
        classes=code.classes, score_bits=code.score_bits, bits=code.bits, argmax=argmax
    )


def check_engine(code: EngineCode, *, argmax: bool) -> None:
    """Refuse what an engine has no ports for.

    Raises
    ------
    BuildError
        If a port would be wider than Amaranth allows, or there is no class.
    """
    if argmax and not code.classes:
        raise BuildError("a network without group sums has no class", hint="use --no-argmax")
    input_bits = code.features * code.format.width
    result_bits = engine_layout(code, argmax=argmax).size
    for side, bits in (("input", input_bits), ("output", result_bits)):
        if not 0 < bits <= MAX_PAYLOAD_BITS:
            raise BuildError(
                f"a sample has {bits} {side} bits, a port can have 1 to {MAX_PAYLOAD_BITS}",
                hint="choose a narrower --input-format" if side == "input" else None,
            )


class Engine(wiring.Component):
    """A trained network, a few gates per clock.

    One sample is worked on at a time. The sample stays on `i` until its features have been read,
    so it needs no register here: then `i.ready` is high for one clock. The result stays on `o`
    until it is taken; the next sample may begin in that clock.

    Parameters
    ----------
    code : EngineCode
    argmax : bool
        Whether the class index is computed.

    Attributes
    ----------
    latency, interval : int
        Clocks from a sample that is offered to an idle engine to its result, and from one sample
        to the next if neither stream waits. They are the same, for every sample.

    Members
    -------
    i : In(stream.Signature(feature_layout))
    o : Out(stream.Signature(engine_layout))

    Raises
    ------
    BuildError
        If `check_engine` refuses it.
    """

    i: Any
    o: Any

    def __init__(self, *, code: EngineCode, argmax: bool):
        check_engine(code, argmax=argmax)
        self._code, self._argmax = code, argmax
        self.latency = self.interval = code.clocks
        super().__init__(
            {
                "i": In(stream.Signature(feature_layout(code.format, code.features))),
                "o": Out(stream.Signature(engine_layout(code, argmax=argmax))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        code = self._code
        busy, done, start = Signal(), Signal(), Signal()
        running, taken = Signal(), Signal()
        pc = Signal(range(len(code.words)))
        # Words on the way: fetched, read, looked up; a result is written or counted after that.
        on_the_way = Signal(3)
        finish = Signal(3)
        m.submodules.lanes = lanes = Lanes(code=code)
        m.submodules.sequencer = sequencer = Sequencer(code=code)
        m.d.comb += [
            start.eq(self.i.valid & ~busy & (~done | self.o.ready)),
            self.i.ready.eq(taken),
            self.o.valid.eq(done),
            lanes.pc.eq(pc),
            sequencer.valid.eq(on_the_way[-1]),
        ]
        begin, row_valid, row_data = self._read(m, start)
        ended = Signal()
        m.d.comb += ended.eq(running & (pc == len(code.words) - 1))
        m.d.sync += [
            taken.eq(begin),
            pc.eq(Mux(running & ~ended, pc + 1, 0)),
            on_the_way.eq(Cat(running, on_the_way[:-1])),
            finish.eq(Cat(sequencer.finished, finish[:-1])),
        ]
        with m.If(begin):
            m.d.sync += running.eq(1)
        with m.Elif(ended):
            m.d.sync += running.eq(0)
        with m.If(start):
            m.d.sync += [busy.eq(1), done.eq(0)]
        with m.Elif(finish[-1]):
            m.d.sync += [busy.eq(0), done.eq(1)]
        with m.Elif(self.o.ready):
            m.d.sync += done.eq(0)

        store = Signal()
        row = Signal(range(code.rows))
        m.d.comb += [
            store.eq(on_the_way[-1] & sequencer.run.store),
            lanes.row.eq(row),
            lanes.data.eq(Mux(row_valid, row_data, lanes.o)),
            lanes.write.eq(row_valid | store),
        ]
        with m.If(start):
            m.d.sync += row.eq(0)
        with m.Elif(lanes.write):
            m.d.sync += row.eq(row + 1)
        m.d.comb += Value.cast(self.o.payload).eq(
            self._results(m, start, lanes.o, on_the_way[-1], sequencer)
        )
        return m

    def _read(self, m: Module, start: Signal) -> tuple[Value, Value, Value]:
        """When the words begin, and the rows of input bits."""
        if not self._code.steps:
            return start, Signal(name="no_row"), Signal(self._code.lanes, name="no_bits")
        m.submodules.reader = reader = Reader(code=self._code)
        m.d.comb += [
            Value.cast(reader.i).eq(Value.cast(self.i.payload)),
            reader.start.eq(start),
        ]
        return reader.last, reader.valid, reader.o

    def _results(
        self, m: Module, start: Signal, results: Signal, valid: Value, sequencer: Sequencer
    ) -> Value:
        """The fields of the result side by side."""
        code, run = self._code, sequencer.run
        fields: list[Value] = []
        if code.classes:
            m.submodules.scores = scores = Scores(code=code, argmax=self._argmax)
            m.d.comb += [
                scores.clear.eq(start),
                scores.results.eq(results),
                scores.weight.eq(Mux(valid, run.weight, 0)),
                scores.close.eq(sequencer.last & run.close),
            ]
            fields += [scores.winner] if self._argmax else []
            fields.append(scores.o)
        if code.bits:
            whole = -(-code.bits // code.lanes) * code.lanes
            bits = Signal(whole, reset_less=True)
            with m.If(valid & run.bit):
                m.d.sync += bits.eq(Cat(bits, results)[code.lanes :])
            fields.append(bits[: code.bits])
        return Cat(fields)
