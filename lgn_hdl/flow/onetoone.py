"""The gates of a network as standard cells, one for each: a module of RTLIL.

Synthesis would rather restructure: this netlist shows what was trained, cell by cell, under the
names of the layers, and every cell is marked to be kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import BuildError
from ..hdl.wide import port_names
from ..logic.program import FIRST_INPUT, LogicProgram
from ..logic.schedule import Pipeline
from .liberty import Cell, Liberty

__all__ = ["CellNames", "area_by_layer", "one_to_one", "with_cells"]


@dataclass(frozen=True)
class CellNames:
    """Where the gates of a program come from.

    Parameters
    ----------
    layer : sequence of str, one for each gate
        Name of the layer; empty for an inverter that was added for an outgoing bit.
    place : ndarray of int64, shape (gates,)
        Number of the gate within its layer.
    """

    layer: Sequence[str]
    place: np.ndarray

    def of(self, gate: int) -> str:
        """A name that a Verilog tool accepts, such as `layer3_g17`."""
        return f"{self._plain[self.layer[gate]]}_g{self.place[gate]}"

    @cached_property
    def _plain(self) -> dict[str, str]:
        """A name of its own for each layer."""
        names: dict[str, str] = {}
        for layer in dict.fromkeys(self.layer):
            base = re.sub(r"[^0-9A-Za-z_]", "_", layer) or "inverter"
            base = new = "layer" + base if base[0].isdigit() else base
            count = 1
            while new in names.values():
                count += 1
                new = f"{base}_{count}"
            names[layer] = new
        return names


def cells_of(program: LogicProgram, liberty: Liberty) -> list[tuple[Cell, tuple[int, ...]]]:
    """The cell of each gate, and on which of its pins each input of the gate goes.

    Raises
    ------
    BuildError
        If a gate has no cell of its own.
    """
    kinds = list(zip(program.table.tolist(), program.arity.tolist(), strict=True))
    known = {}
    for table, arity in set(kinds):
        found = liberty.smallest(table, arity)
        if found is None:
            raise BuildError(
                f"a gate of {arity} inputs with the table {table:0{1 << arity}b} has no cell in "
                f"{liberty.path.name}",
                hint="one cell for each gate is for networks of two-input gates",
            )
        known[table, arity] = found
    return [known[kind] for kind in kinds]


def area_by_layer(program: LogicProgram, names: CellNames, liberty: Liberty) -> dict[str, float]:
    """Area in µm² of the cells of each layer, one for each gate; registers are not among them."""
    areas: dict[str, float] = {}
    for layer, (cell, _) in zip(names.layer, cells_of(program, liberty), strict=True):
        areas[layer] = areas.get(layer, 0.0) + cell.area
    return areas


def with_cells(
    rtlil: str, program: LogicProgram, pipeline: Pipeline, names: CellNames, liberty: Liberty
) -> str:
    """Put cells in the place of the module of gates.

    Parameters
    ----------
    rtlil : str
        A classifier of this program, as `to_rtlil` writes it.
    program : LogicProgram
    pipeline : Pipeline
        Its schedule.
    names : CellNames
    liberty : Liberty

    Raises
    ------
    BuildError
        If a gate has no cell of its own, or there is no module of gates.
    """
    module = re.compile(r"^module \\(\w*_gates)\n(.*?)^end\n", re.MULTILINE | re.DOTALL)
    found = module.findall(rtlil)
    if len(found) != 1:
        raise BuildError("the design has no module of gates of its own")
    ports = [
        line for line in found[0][1].splitlines() if re.search(r"^\s*wire .*\b(in|out)put ", line)
    ]
    body = "\n".join([*ports, *one_to_one(program, pipeline, names, liberty)])
    return module.sub(lambda match: f"module \\{match[1]}\n{body}\nend\n", rtlil, count=1)


def one_to_one(
    program: LogicProgram, pipeline: Pipeline, names: CellNames, liberty: Liberty
) -> Iterator[str]:
    """Lines of RTLIL: a cell for each gate, and the registers between the stages.

    The module has the ports of `lgn_hdl.hdl.Gates`.
    """
    stage_of = np.concatenate([np.zeros(program.first_gate, np.int64), pipeline.gate_stage])
    last = stage_of.copy()  # stage in which a signal is read for the last time
    for column in range(program.fanin.shape[1]):
        np.maximum.at(last, program.fanin[:, column], pipeline.gate_stage)
    last[program.roots] = pipeline.roots_stage
    wire = _input_wires(program)
    for gate in range(program.num_gates):
        name = f"\\{names.of(gate)}"
        wire[program.first_gate + gate, int(pipeline.gate_stage[gate])] = name
        yield f"  wire {name}"
    for stage in range(pipeline.roots_stage):
        ids = np.flatnonzero((stage_of <= stage) & (last > stage))
        ids = ids[ids >= FIRST_INPUT].tolist()
        if ids:
            yield from _register(stage, [wire[signal, stage] for signal in ids])
            for place, signal in enumerate(ids):
                wire[signal, stage + 1] = f"\\stage{stage}_end [{place}]"
    cells = cells_of(program, liberty)
    for gate, (cell, order) in enumerate(cells):
        stage = int(pipeline.gate_stage[gate])
        yield "  attribute \\keep 1"
        yield f"  cell \\{cell.name} \\{names.of(gate)}_cell"
        for signal, pin in zip(program.fanin[gate, : len(order)].tolist(), order, strict=True):
            yield f"    connect \\{cell.inputs[pin]} {wire[signal, stage]}"
        yield f"    connect \\{cell.outputs[0]} {wire[program.first_gate + gate, stage]}"
        yield "  end"
    yield from _outputs([wire[signal, pipeline.roots_stage] for signal in program.roots.tolist()])


def _input_wires(program: LogicProgram) -> dict[tuple[int, int], str]:
    """What carries each input bit in stage 0."""
    wires = {}
    signal = FIRST_INPUT
    for name, width in port_names("i", program.num_inputs):
        for place in range(width):
            wires[signal, 0] = f"\\{name} [{place}]"
            signal += 1
    return wires


def _register(stage: int, wires: list[str]) -> Iterator[str]:
    yield f"  wire width {len(wires)} \\stage{stage}_end"
    yield f"  cell $dffe $stage{stage}"
    for name, value in (("WIDTH", len(wires)), ("CLK_POLARITY", 1), ("EN_POLARITY", 1)):
        yield f"    parameter \\{name} {value}"
    yield "    connect \\CLK \\clk"
    yield "    connect \\EN \\enable"
    yield f"    connect \\D {{ {' '.join(reversed(wires))} }}"
    yield f"    connect \\Q \\stage{stage}_end"
    yield "  end"


def _outputs(wires: list[str]) -> Iterator[str]:
    first = 0
    for name, width in port_names("o", len(wires)):
        part = wires[first : first + width]
        if part:
            yield f"  connect \\{name} {{ {' '.join(reversed(part))} }}"
        first += width
