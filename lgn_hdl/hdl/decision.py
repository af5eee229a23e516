"""From input bits to the fields of a result: gates, group sums, argmax, put into a top module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from amaranth.hdl import Cat, EnableInserter, Module, Signal, Value

from ..logic.program import FIRST_INPUT, LogicProgram
from ..logic.schedule import Pipeline
from .argmax import ArgMax
from .bank import FIRST_BIT, Bank
from .gates import Gates
from .groupsum import GroupSum
from .wide import port_names, port_vectors

__all__ = ["Place", "decide", "drive", "named", "probe_names", "submodule"]

#: (module, name, block, enable): put a block into a module of the hierarchy.
Place = Callable[[Module, str, Any, Value], None]


def submodule(m: Module, name: str, block: Any, enable: Value) -> None:
    """The block itself; if it has registers, they stand still with the pipeline."""
    m.submodules[name] = EnableInserter(enable)(block) if block.latency else block


def decide(
    m: Module,
    bits: list[Value],
    *,
    program: LogicProgram,
    pipeline: Pipeline,
    argmax: bool,
    place: Place,
    advance: Signal,
) -> Value:
    """The fields of a result side by side, as many clocks after the bits as the pipeline says.

    Parameters
    ----------
    m : Module
        The top, whose wires `input_bits`, `roots`, `scores` and `winner` carry what blocks give.
    bits : list of Value
        The program's input bits, as vectors of a wide port.
    program : LogicProgram
    pipeline : Pipeline
    argmax : bool
    place : callable
        Puts blocks into the hierarchy.
    advance : Signal
        Enable of all registers.
    """
    inputs = named(m, "input_bits", bits)
    gates = Gates(program=program, pipeline=pipeline)
    place(m, "gates", gates, advance)
    drive(m, port_vectors(gates, "i", program.num_inputs), inputs)
    count = len(program.roots)
    roots = named(m, "roots", port_vectors(gates, "o", count))
    last = pipeline.last_stage
    fields: list[Value] = []
    if pipeline.sums:
        sums = GroupSum(roots=count, pipeline=pipeline)
        place(m, "groupsum", sums, advance)
        drive(m, port_vectors(sums, "i", count), roots)
        (scores,) = named(m, "scores", [Value.cast(sums.o)])
        if argmax:
            largest = ArgMax(pipeline=pipeline)
            place(m, "argmax", largest, advance)
            m.d.comb += Value.cast(largest.i).eq(scores)
            fields += named(m, "winner", [largest.o])
        fields.append(_delayed(m, scores, pipeline.scores_stage, last, "scores", advance))
    if len(program.bits):
        leaving = Bank.over(m, roots).gather(
            np.where(
                program.bits < FIRST_INPUT,
                program.bits,
                np.searchsorted(program.roots, program.bits) + FIRST_BIT,
            )
        )
        fields.append(_delayed(m, leaving, pipeline.roots_stage, last, "bits", advance))
    return Cat(fields)


def _delayed(m: Module, value: Value, stage: int, last: int, name: str, advance: Signal) -> Value:
    """Bring a value from the end of its block to the last stage."""
    for now in range(stage, last):
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


def named(m: Module, name: str, vectors: list[Value]) -> list[Value]:
    """Wires of the top module that carry what a block gives; the bench compares them by name."""
    wires: list[Value] = []
    for number, vector in enumerate(vectors):
        wire = Signal(len(vector), name=f"{name}{number}" if len(vectors) > 1 else name)
        m.d.comb += wire.eq(vector)
        wires.append(wire)
    return wires


def drive(m: Module, ports: list[Value], wires: list[Value]) -> None:
    """Connect the vectors of a port."""
    for port, wire in zip(ports, wires, strict=True):
        m.d.comb += port.eq(wire)
