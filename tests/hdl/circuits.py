"""Run a component in Amaranth's simulator, and count the registers on its paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from amaranth.hdl import Value, _ir, _nir
from amaranth.lib import data, wiring
from amaranth.sim import Simulator

from lgn_hdl.logic import LogicProgram, Pipeline, StageClock, evaluate, schedule
from lgn_hdl.logic.compressor import Style
from lgn_hdl.logic.timing import one_per_level


def placed(
    program: LogicProgram,
    levels: int | None = None,
    *,
    argmax: bool = True,
    style: Style = "full-adders",
) -> Pipeline:
    """A schedule with registers after every so many levels, or without any."""
    return schedule(
        program, model=one_per_level(), clock=StageClock(levels), style=style, argmax=argmax
    )


def members(component: wiring.Component, name: str) -> list[Value]:
    """The vectors of a port `o`, or `o0`, `o1`, ..."""
    names = [path[0] for path, _, _ in component.signature.flatten(component)]
    return [Value.cast(getattr(component, n)) for n in names if n[0] == name]


def run(block: Any, samples: Sequence[int]) -> list[int]:
    """What leaves at `o` for each integer at `i`, one sample per clock, `latency` clocks later."""
    (source,), (sink,) = members(block, "i"), members(block, "o")
    latency, found = block.latency, []

    async def bench(ctx) -> None:
        for clock in range(len(samples) + latency):
            if clock < len(samples):
                ctx.set(source, samples[clock])
            if clock >= latency:
                found.append(ctx.get(sink))
            if latency:
                await ctx.tick()

    simulator = Simulator(block)
    if latency:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    mask = (1 << len(sink)) - 1
    return [value & mask for value in found]


def packed(values: np.ndarray, width: int = 1) -> list[int]:
    """Rows of integers as one integer each, element 0 in the lowest `width` bits."""
    mask = (1 << width) - 1
    return [
        sum((value & mask) << (width * place) for place, value in enumerate(row))
        for row in np.asarray(values).astype(object).tolist()
    ]


def registers_on_paths(component: Any, ports: list[Value], names: Sequence[str]) -> list[set[int]]:
    """For each bit of the outputs `names`: how many registers its paths from data inputs cross.

    This walks the netlist that Amaranth makes. Conditions of assignments (the enable of a
    register) are control, not data; a register that keeps its value is no path.
    """
    netlist = _ir.build_netlist(_ir.Fragment.get(component, None), ports=ports)
    control = {"clk", "rst", "i__valid", "o__ready"}
    data = {
        _nir.Net.from_cell(0, bit)
        for name, (start, width) in netlist.top.ports_i.items()
        if name not in control
        for bit in range(start, start + width)
    }
    known: dict[int, set[int]] = {}

    def sources(net: _nir.Net) -> Iterator[tuple[_nir.Net, int]]:
        cell = netlist.cells[net.cell]
        if isinstance(cell, _nir.FlipFlop):
            yield cell.data[net.bit], 1
        elif isinstance(cell, _nir.AssignmentList):
            yield cell.default[net.bit], 0
            for assign in cell.assignments:
                if assign.start <= net.bit < assign.start + len(assign.value):
                    yield assign.value[net.bit - assign.start], 0
        elif not isinstance(cell, _nir.Top):
            for source, _ in cell.comb_edges_to(net.bit):
                yield source, 0

    def counts(net: _nir.Net) -> set[int]:
        if net.is_const:
            return set()
        if net in data:
            return {0}
        if net not in known:
            known[net] = set()  # a register that reads itself holds its value
            known[net] = {n + more for source, more in sources(net) for n in counts(source)}
        return known[net]

    outputs = [net for name in names for net in netlist.top.ports_o[name]]
    return [counts(net) for net in outputs]


def packed_results(
    program: LogicProgram, features: np.ndarray, layout: data.StructLayout
) -> list[int]:
    """What the evaluator says of each sample, put together as the payload of a result."""
    bits, scores = evaluate(program, features)
    found = []
    for row, score in zip(bits, scores, strict=True):
        value = 0
        for name, field in layout:
            if name == "class":
                part = int(np.argmax(score))
            elif name == "scores":
                (part,) = packed(score[None], field.width // len(score))
            else:
                (part,) = packed(row[None])
            value |= part << field.offset
        found.append(value)
    return found
