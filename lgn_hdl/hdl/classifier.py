"""The whole classifier behind two streams."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..errors import BuildError
from ..logic.program import LogicProgram
from ..logic.schedule import Pipeline
from .argmax import class_shape
from .binarizer import Binarizer, feature_layout
from .decision import Place, decide, submodule
from .groupsum import score_shape
from .wide import port_vectors

__all__ = ["Classifier", "check_payloads", "check_ports", "result_layout"]

#: Amaranth numbers the bits of all inputs of the top with 16 bits; two of the numbers stand for the
#: constants, four for clk, rst, valid and ready.
MAX_PAYLOAD_BITS = 65_530
_NARROWER = "choose a narrower --input-format, or let a sparse CNN take rows (--front rows)"


def result_layout(program: LogicProgram, pipeline: Pipeline, *, argmax: bool) -> data.StructLayout:
    """Fields of a result: `class` and `scores`, or `bits` of a network without group sums."""
    fields: dict[str, Shape | data.Layout] = {}
    if argmax:
        fields["class"] = class_shape(len(pipeline.sums))
    if pipeline.sums:
        fields["scores"] = data.ArrayLayout(score_shape(pipeline), len(pipeline.sums))
    if len(program.bits):
        fields["bits"] = Shape(len(program.bits))
    return data.StructLayout(fields)


def check_ports(program: LogicProgram, pipeline: Pipeline, *, argmax: bool) -> None:
    """Refuse what a classifier has no ports for.

    Raises
    ------
    BuildError
        If a port would be wider than Amaranth allows, or there is nothing to compute.
    """
    if argmax and not pipeline.sums:
        raise BuildError("a network without group sums has no class", hint="use --no-argmax")
    result = result_layout(program, pipeline, argmax=argmax)
    check_payloads(program.features * program.format.width, result.size)


def check_payloads(input_bits: int, result_bits: int) -> None:
    """Refuse payloads that are wider than Amaranth allows, or empty.

    Raises
    ------
    BuildError
        Saying which.
    """
    for side, bits in (("input", input_bits), ("output", result_bits)):
        if not 0 < bits <= MAX_PAYLOAD_BITS:
            raise BuildError(
                f"a sample has {bits} {side} bits, a port can have 1 to {MAX_PAYLOAD_BITS}",
                hint=_NARROWER if side == "input" else None,
            )


class Classifier(wiring.Component):
    """A trained network, one sample per clock.

    A sample is taken when `i.valid` and `i.ready` are high; its result appears `latency` steps of
    the pipeline later. The pipeline stands still while a result waits to be taken, so results
    come in the order of the samples and none is lost. With latency 0 there is no register and no
    clock, and both streams pass straight through.

    Parameters
    ----------
    program : LogicProgram
    pipeline : Pipeline
        The schedule of the same program.
    argmax : bool
        Whether the class index is computed; it needs scores.

    Members
    -------
    i : In(stream.Signature(feature_layout))
    o : Out(stream.Signature(result_layout))

    Raises
    ------
    BuildError
        If a port would be wider than Amaranth allows, or there is nothing to compute.
    """

    i: Any
    o: Any

    def __init__(self, *, program: LogicProgram, pipeline: Pipeline, argmax: bool):
        check_ports(program, pipeline, argmax=argmax)
        results = result_layout(program, pipeline, argmax=argmax)
        self._program, self._pipeline, self._argmax = program, pipeline, argmax
        self._place: Place = submodule
        self.latency = pipeline.latency
        super().__init__(
            {
                "i": In(stream.Signature(feature_layout(program.format, program.features))),
                "o": Out(stream.Signature(results)),
            }
        )

    def with_blocks(self, place: Place) -> Classifier:
        """This classifier, its blocks put into the hierarchy by `place`."""
        self._place = place
        return self

    def elaborate(self, platform: object) -> Module:
        m = Module()
        advance = Signal()
        m.d.comb += self.i.ready.eq(advance)
        result = self._blocks(m, advance)
        if self._pipeline.combinational:
            m.d.comb += [
                advance.eq(self.o.ready),
                self.o.valid.eq(self.i.valid),
                self.o.payload.eq(result),
            ]
            return m
        valid = Signal(self.latency)
        payload = Signal.like(Value.cast(self.o.payload), name="result", reset_less=True)
        m.d.comb += [
            advance.eq(self.o.ready | ~self.o.valid),
            self.o.valid.eq(valid[-1]),
            self.o.payload.eq(payload),
        ]
        with m.If(advance):
            m.d.sync += valid.eq(Cat(self.i.valid, valid[:-1]))
            m.d.sync += payload.eq(result)
        return m

    def _blocks(self, m: Module, advance: Signal) -> Value:
        """Binarizer, gates, group sums, argmax; the fields of the result side by side."""
        program = self._program
        binarizer = Binarizer(program=program)
        self._place(m, "binarizer", binarizer, advance)
        m.d.comb += Value.cast(binarizer.i).eq(Value.cast(self.i.payload))
        return decide(
            m,
            port_vectors(binarizer, "o", program.num_inputs),
            program=program,
            pipeline=self._pipeline,
            argmax=self._argmax,
            place=self._place,
            advance=advance,
        )
