"""The whole classifier behind two streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from amaranth.hdl import Cat, EnableInserter, Module, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..errors import BuildError
from ..logic.program import FIRST_INPUT, LogicProgram
from ..logic.schedule import Pipeline
from .argmax import ArgMax, class_shape
from .bank import FIRST_BIT, Bank
from .binarizer import Binarizer, feature_layout
from .gates import Gates
from .groupsum import GroupSum, score_shape
from .wide import port_names, port_vectors

__all__ = ["Classifier", "probe_names", "result_layout"]

#: Amaranth numbers the bits of all inputs of the top with 16 bits; two of the numbers stand for the
#: constants, four for clk, rst, valid and ready.
MAX_PAYLOAD_BITS = 65_530


#: (module, name, block, enable): put a block into a module of the hierarchy.
Place = Callable[[Module, str, Any, Value], None]


def submodule(m: Module, name: str, block: Any, enable: Value) -> None:
    """The block itself; if it has registers, they stand still with the pipeline."""
    m.submodules[name] = EnableInserter(enable)(block) if block.latency else block


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
    input_bits = program.features * program.format.width
    result_bits = result_layout(program, pipeline, argmax=argmax).size
    for side, bits in (("input", input_bits), ("output", result_bits)):
        if not 0 < bits <= MAX_PAYLOAD_BITS:
            raise BuildError(
                f"a sample has {bits} {side} bits, a port can have 1 to {MAX_PAYLOAD_BITS}",
                hint="choose a narrower --input-format" if side == "input" else None,
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
        program, pipeline, place = self._program, self._pipeline, self._place
        binarizer = Binarizer(program=program)
        place(m, "binarizer", binarizer, advance)
        m.d.comb += Value.cast(binarizer.i).eq(Value.cast(self.i.payload))
        inputs = _named(m, "input_bits", port_vectors(binarizer, "o", program.num_inputs))
        gates = Gates(program=program, pipeline=pipeline)
        place(m, "gates", gates, advance)
        _drive(m, port_vectors(gates, "i", program.num_inputs), inputs)
        count = len(program.roots)
        roots = _named(m, "roots", port_vectors(gates, "o", count))
        fields: list[Value] = []
        if pipeline.sums:
            sums = GroupSum(roots=count, pipeline=pipeline)
            place(m, "groupsum", sums, advance)
            _drive(m, port_vectors(sums, "i", count), roots)
            (scores,) = _named(m, "scores", [Value.cast(sums.o)])
            if self._argmax:
                argmax = ArgMax(pipeline=pipeline)
                place(m, "argmax", argmax, advance)
                m.d.comb += Value.cast(argmax.i).eq(scores)
                fields += _named(m, "winner", [argmax.o])
            fields.append(self._delayed(m, scores, pipeline.scores_stage, "scores", advance))
        if len(program.bits):
            leaving = Bank.over(m, roots).gather(
                np.where(
                    program.bits < FIRST_INPUT,
                    program.bits,
                    np.searchsorted(program.roots, program.bits) + FIRST_BIT,
                )
            )
            fields.append(self._delayed(m, leaving, pipeline.roots_stage, "bits", advance))
        return Cat(fields)

    def _delayed(self, m: Module, value: Value, stage: int, name: str, advance: Signal) -> Value:
        """Bring a value from the end of its block to the last stage."""
        for now in range(stage, self._pipeline.last_stage):
            register = Signal(len(value), name=f"{name}_stage{now}_end", reset_less=True)
            with m.If(advance):
                m.d.sync += register.eq(value)
            value = register
        return value


def probe_names(program: LogicProgram) -> list[str]:
    """Wires of the top module that carry what the blocks give."""
    wide = {"input_bits": program.num_inputs, "roots": len(program.roots)}
    names = [name for base, width in wide.items() for name, _ in port_names(base, width)]
    return [*names, "scores", "winner"]


def _named(m: Module, name: str, vectors: list[Value]) -> list[Value]:
    """Wires of the top module that carry what a block gives; the bench compares them by name."""
    wires: list[Value] = []
    for number, vector in enumerate(vectors):
        wire = Signal(len(vector), name=f"{name}{number}" if len(vectors) > 1 else name)
        m.d.comb += wire.eq(vector)
        wires.append(wire)
    return wires


def _drive(m: Module, ports: list[Value], wires: list[Value]) -> None:
    for port, wire in zip(ports, wires, strict=True):
        m.d.comb += port.eq(wire)
